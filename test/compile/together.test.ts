import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { compiledGradient } from '../../src/compile/compiled.ts'
import { startTeam, type Team } from '../../src/core/team.ts'
import { forward } from '../../src/nn/forward.ts'
import { type Activation, mlp } from '../../src/nn/network.ts'
import { kernels, startTfjs, tf } from '../../src/nn/tfjs.ts'

await startTfjs()

afterEach(() => {
  kernels.team = null
})

interface Shape {
  readonly widths: number[]
  readonly networks: number
  readonly rows: number
  readonly hidden?: Activation
  readonly output?: Activation
}

/** Of so much work that it is shared: networks of odd widths on odd numbers of rows, with an activation at the end. */
const shapes: readonly Shape[] = [
  { widths: [3, 67, 70, 2], networks: 1, rows: 129 },
  { widths: [4, 64, 64, 1], networks: 2, rows: 128, hidden: 'relu' },
  { widths: [13, 50, 1], networks: 7, rows: 101, hidden: 'elu' },
  { widths: [130, 65], networks: 3, rows: 33, output: 'tanh' },
  { widths: [7, 81, 5], networks: 1, rows: 1001, hidden: 'softplus', output: 'tanh' },
]

/** The gradient by parameters and inputs, and by either alone, some times in turn with other numbers. */
function gradients({ widths, networks, rows, hidden = 'tanh', output }: Shape, times = 3): Float32Array[] {
  const net = mlp(widths, { hidden, output })
  const [parameters, inputs] = [networks * net.size, networks * rows * widths[0]]
  const thetaOf = (z: tf.Tensor) => tf.reshape(tf.slice(z, 0, parameters), [networks, net.size])
  const xOf = (z: tf.Tensor) => tf.reshape(tf.slice(z, parameters, inputs), [networks, rows, widths[0]]) as tf.Tensor3D
  const constant = (z: tf.Tensor) => tf.tensor(numbers(z.size))
  const loss = (theta: tf.Tensor, x: tf.Tensor3D) => {
    const y = forward(net, theta, x)
    return [tf.sum(tf.mul(y, tf.tensor(weights(y), y.shape))), tf.sum(y)] as const
  }
  const forms = [
    (z: tf.Tensor) => loss(thetaOf(z), xOf(z)),
    (z: tf.Tensor) => loss(thetaOf(constant(z)), xOf(z)),
    (z: tf.Tensor) => loss(thetaOf(z), xOf(constant(z))),
  ]
  return forms.flatMap((form) => {
    const differentiate = compiledGradient({ name: 'It', mode: 'always' })
    return Array.from({ length: times }, (_, k) =>
      numbers(parameters + inputs).map((value) => value / (k + 1)),
    ).flatMap((z) => {
      const { gradient, values } = differentiate(form, z, [z.length])
      return [gradient, ...values].map((array) => array.slice())
    })
  })
}

/** What outputs are multiplied by: every third row has no gradient, and of the first network most rows. */
function weights({ size, shape }: tf.Tensor): Float32Array {
  const [, rows, last] = shape as [number, number, number]
  const hasNone = (row: number) => row % 3 === 1 || (row < rows && row % 5 > 0)
  return numbers(size).map((value, k) => (hasNone(Math.floor(k / last)) ? 0 : value))
}

const numbers = (count: number) => Float32Array.from({ length: count }, (_, k) => Math.sin(1 + 1.7 * k) / 3)

const bytesOf = (arrays: readonly Float32Array[]) => Buffer.concat(arrays.map(({ buffer }) => Buffer.from(buffer)))

describe('a network that threads share has the same bits for any number of them', () => {
  test.each(shapes)('$networks × $widths, $rows rows', async (shape) => {
    const alone = gradients(shape)
    expect(alone[0].some((value) => value !== 0)).toBe(true)
    for (const threads of [2, 3, 5]) {
      kernels.team = await startTeam(threads)
      const { threadPool } = kernels.team as Team
      const run = jest.spyOn(threadPool, 'run')
      expect(bytesOf(gradients(shape)).equals(bytesOf(alone))).toBe(true)
      expect(new Set(run.mock.calls.map(([op]) => op))).toEqual(
        new Set(['forwardPart', 'backwardStart', 'weightsPart', 'backwardPart', 'inputsPart']),
      )
    }
  })
})

test('a small network is not shared', async () => {
  kernels.team = await startTeam(2)
  const run = jest.spyOn((kernels.team as Team).threadPool, 'run')
  run.mockClear()
  gradients({ widths: [3, 8, 1], networks: 1, rows: 20 })
  expect(run).not.toHaveBeenCalled()
})

test('a plan for which the team has no room is not shared, and the same', async () => {
  const alone = gradients(shapes[0])
  const team = (await startTeam(2)) as Team
  kernels.team = { ...team, arena: () => null }
  const run = jest.spyOn(team.threadPool, 'run')
  run.mockClear()
  expect(bytesOf(gradients(shapes[0])).equals(bytesOf(alone))).toBe(true)
  expect(run).not.toHaveBeenCalled()
})

test('what a team does not share becomes code of its own, with the same bits', async () => {
  const { Instance, Module } = WebAssembly
  let made = 0
  Object.assign(WebAssembly, {
    Instance: class extends Instance {
      constructor(module: WebAssembly.Module, imports: WebAssembly.Imports) {
        super(module, imports)
        if (Module.exports(module).some(({ name }) => name === '0')) made++
      }
    },
  })
  kernels.codeFrom = Number.POSITIVE_INFINITY
  const interpreted = gradients(shapes[1], 10)
  expect(made).toBe(0)
  kernels.codeFrom = 1
  kernels.team = await startTeam(2)
  expect(bytesOf(gradients(shapes[1], 10)).equals(bytesOf(interpreted))).toBe(true)
  // One a plan: of the gradients by both, by parameters and by inputs.
  expect(made).toBe(3)
})
