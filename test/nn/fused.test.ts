import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { forward, stockForward } from '../../src/nn/forward.ts'
import { canFuse, fusedForward } from '../../src/nn/fused.ts'
import { type Activation, activations, mlp, type Network } from '../../src/nn/network.ts'
import { kernels, startTfjs, tf } from '../../src/nn/tfjs.ts'
import { mlpGradientReference, mlpReference } from '../reference/mlp.ts'
import { type Forward, numbers, passes, worst } from './passes.ts'
import { rowsOf } from './population.ts'

beforeAll(() => startTfjs())

/**
 * Parameters for which activations do not saturate: near ±1 the slope of tanh or elu is a difference of nearly equal
 * floats, in stock tfjs as in the core.
 */
function parametersOf(net: Network, seed: number): Float32Array {
  const theta = numbers(net.size, seed, 1.2)
  for (const { inputs, weight, bias } of net.layers) for (let k = weight; k < bias; k++) theta[k] /= Math.sqrt(inputs)
  return theta
}

/** Gradients of Σ y · weight in float64, and the sizes of their terms. */
function exactGradients(net: Network, theta: Float32Array, x: Float32Array, weight: Float32Array) {
  const [first, last] = [net.widths[0], net.widths[net.widths.length - 1]]
  const weights = rowsOf(weight, last)
  const by = (sizes: boolean) => {
    const dTheta = new Float64Array(net.size)
    const dx = rowsOf(x, first).flatMap((row, r) => mlpGradientReference(dTheta, net, theta, row, weights[r], sizes))
    return { dTheta, dx }
  }
  return { exact: by(false), sizes: by(true) }
}

type Passes = ReturnType<typeof passes>

function expectAlike(
  ours: Passes,
  other: Omit<Passes, 'outputs'> & Partial<Passes>,
  sizes: { [K in 'dTheta' | 'dx']: ArrayLike<number> },
) {
  if (other.outputs) expect(worst(ours.outputs, other.outputs)).toBeLessThan(1e-5)
  expect(worst(ours.dTheta, other.dTheta, sizes.dTheta)).toBeLessThan(1e-5)
  expect(worst(ours.dx, other.dx, sizes.dx)).toBeLessThan(1e-5)
}

async function stockOn(backend: string, ...example: [Network, Float32Array, Float32Array, Float32Array]) {
  await tf.setBackend(backend)
  try {
    return passes(stockForward, ...example)
  } finally {
    await tf.setBackend('wasm')
  }
}

function exampleOf(net: Network, rows: number, seed: number) {
  const last = net.widths[net.widths.length - 1]
  return [
    parametersOf(net, seed),
    numbers(rows * net.widths[0], seed + 1, 1.3),
    numbers(rows * last, seed + 2),
  ] as const
}

const shape = {
  widths: fc.array(fc.integer({ min: 1, max: 21 }), { minLength: 2, maxLength: 4 }),
  hidden: fc.constantFrom<Activation>(...activations),
  output: fc.constantFrom<Activation>(...activations),
  rows: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
  seed: fc.nat({ max: 1000 }),
}

test.each(['wasm', 'cpu'])(
  'values and both gradients are those of stock tfjs on %s and of the float64 twin, for every shape',
  async (backend) => {
    await fc.assert(
      fc.asyncProperty(fc.record(shape), async ({ widths, hidden, output, rows, seed }) => {
        const net = mlp(widths, { hidden, output })
        const example = exampleOf(net, rows, seed)
        const { exact, sizes } = exactGradients(net, ...example)
        const ours = passes(fusedForward, net, ...example)
        expectAlike(ours, await stockOn(backend, net, ...example), sizes)
        expect(worst(ours.dTheta, exact.dTheta, sizes.dTheta)).toBeLessThan(1e-5)
        expect(worst(ours.dx, exact.dx, sizes.dx)).toBeLessThan(1e-5)
      }),
      { numRuns: 200, seed: 3 },
    )
  },
)

test('n networks on a leading axis are stock networks one by one, for every shape', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ ...shape, n: fc.integer({ min: 1, max: 6 }) }),
      async ({ n, widths, hidden, output, rows, seed }) => {
        const net = mlp(widths, { hidden, output })
        const examples = Array.from({ length: n }, (_, i) => exampleOf(net, rows, seed + 10 * i))
        const ours = populationPasses(net, examples, rows)
        for (const [i, example] of examples.entries())
          expectAlike(ours[i], await stockOn('wasm', net, ...example), exactGradients(net, ...example).sizes)
      },
    ),
    { numRuns: 150, seed: 6 },
  )
})

/** The same as passes, of networks stacked on a leading axis. */
function populationPasses(net: Network, examples: (readonly Float32Array[])[], rows: number): Passes[] {
  const n = examples.length
  const [first, last] = [net.widths[0], net.widths[net.widths.length - 1]]
  const stacked = (part: number, ...shape: number[]) =>
    tf.tensor(
      examples.flatMap((example) => [...example[part]]),
      [n, ...shape],
    )
  const tensors = tf.tidy(() => {
    const inputs = [stacked(0, net.size), stacked(1, rows, first)]
    const loss = (...[theta, x]: tf.Tensor[]) =>
      tf.sum(tf.mul(forward(net, theta, x as tf.Tensor3D), stacked(2, rows, last)))
    return [forward(net, inputs[0], inputs[1] as tf.Tensor3D), ...tf.grads(loss)(inputs)]
  })
  expect(tensors.map(({ shape }) => shape)).toEqual([
    [n, rows, last],
    [n, net.size],
    [n, rows, first],
  ])
  const all = tensors.map((tensor) => tensor.dataSync() as Float32Array)
  tf.dispose(tensors)
  return examples.map((_, i) => {
    const [outputs, dTheta, dx] = all.map((values) =>
      values.slice((i * values.length) / n, ((i + 1) * values.length) / n),
    )
    return { outputs, dTheta, dx }
  })
}

describe.each(activations)('%s', (activation) => {
  test('the outputs are those of the float64 twin, far out too', () => {
    const net = mlp([1, 1], { output: activation })
    const x = Float32Array.from([-200, -90, -20, -3, -1, -1e-3, -1e-6, 0, 1e-6, 1e-3, 1, 3, 20, 90, 200])
    const { outputs } = passes(fusedForward, net, Float32Array.from([1, 0]), x, new Float32Array(15).fill(1))
    outputs.forEach((y, k) => {
      const [exact] = mlpReference(net, [1, 0], [x[k]])
      expect(Math.abs(y - exact)).toBeLessThanOrEqual(1e-6 * Math.abs(exact) + 1e-37)
    })
  })

  test('the gradient is that of finite differences of the float64 twin', () => {
    const net = mlp([3, 5, 2], { hidden: activation })
    const theta = numbers(net.size, 1)
    const x = numbers(21, 2)
    const weight = numbers(14, 3)
    const { dTheta } = passes(fusedForward, net, theta, x, weight)
    const loss = (parameters: Float64Array) =>
      Array.from({ length: 7 }, (_, r) => {
        const y = mlpReference(net, parameters, [...x.subarray(3 * r, 3 * r + 3)])
        return y.reduce((sum, value, k) => sum + value * weight[2 * r + k], 0)
      }).reduce((a, b) => a + b)
    const numeric = Array.from(theta, (_, k) => {
      const moved = (by: number) => Float64Array.from(theta, (value, index) => (index === k ? value + by : value))
      return (loss(moved(1e-6)) - loss(moved(-1e-6))) / 2e-6
    })
    expect(worst(dTheta, numeric)).toBeLessThan(1e-5)
  })
})

describe('one network, many passes', () => {
  const net = mlp([4, 9, 3])
  const theta = numbers(net.size, 1)
  const pair = (run: Forward, first: Float32Array, second: Float32Array) =>
    tf.tidy(() => {
      const loss = (row: tf.Tensor) => {
        const y = run(net, row as tf.Tensor1D, tf.tensor2d(first, [first.length / 4, 4]))
        const z = run(net, row as tf.Tensor1D, tf.tensor2d(second, [second.length / 4, 4]))
        return tf.add(tf.sum(tf.square(y)), tf.mul(tf.mean(y), tf.mean(z)))
      }
      return tf.grad(loss)(tf.tensor1d(theta)).dataSync()
    })

  test('two passes before the backward ones do not mix', () => {
    const [first, second] = [numbers(20, 2), numbers(44, 3)]
    expect(worst(pair(fusedForward, first, second), pair(stockForward, first, second))).toBeLessThan(1e-5)
    expect(worst(pair(fusedForward, second, first), pair(stockForward, second, first))).toBeLessThan(1e-5)
  })

  test('a row has the same bits alone and among others', () => {
    const x = numbers(4 * 23, 4)
    const all = passes(fusedForward, net, theta, x, new Float32Array(69))
    for (const r of [0, 7, 22]) {
      const alone = passes(fusedForward, net, theta, x.slice(4 * r, 4 * r + 4), new Float32Array(3))
      expect(alone.outputs).toEqual(all.outputs.slice(3 * r, 3 * r + 3))
    }
  })

  test('batches of different sizes in turn are right and share one memory', () => {
    const sizes = [30, 3, 17, 40, 1, 40, 5]
    for (const rows of sizes) {
      const x = numbers(4 * rows, rows)
      const weight = numbers(3 * rows, 7)
      const [ours, stock] = [fusedForward, stockForward].map((run) => passes(run, net, theta, x, weight))
      expect(worst(ours.outputs, stock.outputs)).toBeLessThan(1e-5)
      expect(worst(ours.dTheta, stock.dTheta)).toBeLessThan(1e-5)
      expect(worst(ours.dx, stock.dx)).toBeLessThan(1e-5)
    }
  })

  test('no tensor is left behind over 1,000 iterations', () => {
    const x = numbers(40, 5)
    const weight = numbers(30, 6)
    passes(fusedForward, net, theta, x, weight)
    const before = tf.memory().numTensors
    for (let k = 0; k < 1000; k++) passes(fusedForward, net, theta, x, weight)
    expect(tf.memory().numTensors).toBe(before)
  })
})

test.each(activations)('stacked networks have the same bits as one by one: %s', (hidden) => {
  const net = mlp([5, 7, 3], { hidden })
  const examples = [1, 2, 3, 4].map((seed) => exampleOf(net, 9, seed))
  const together = populationPasses(net, examples, 9)
  for (const [i, example] of examples.entries()) expect(passes(fusedForward, net, ...example)).toEqual(together[i])
})

test('the gradient by the inputs alone has the bits of that beside the parameters, whichever rows have none', () => {
  const rowsWithout = fc.array(fc.boolean(), { minLength: 200, maxLength: 200 })
  fc.assert(
    fc.property(
      fc.record({ ...shape, n: fc.integer({ min: 1, max: 4 }), rows: fc.integer({ min: 1, max: 90 }), rowsWithout }),
      ({ n, widths, hidden, output, rows, seed, rowsWithout }) => {
        const net = mlp(widths, { hidden, output })
        const [first, last] = [widths[0], widths[widths.length - 1]]
        const theta = tf.tensor2d(numbers(n * net.size, seed), [n, net.size])
        const x = tf.tensor3d(numbers(n * rows * first, seed + 1), [n, rows, first])
        const weight = numbers(n * rows * last, seed + 2).map((value, k) =>
          rowsWithout[Math.floor(k / last) % 200] ? 0 : value,
        )
        const loss = (theta: tf.Tensor, x: tf.Tensor) =>
          tf.sum(tf.mul(fusedForward(net, theta, x as tf.Tensor3D), tf.tensor3d(weight, [n, rows, last])))
        const [, alone, beside] = tf.tidy(() => [
          // Leaves numbers in all rows of the memory.
          tf.grad((x) => tf.sum(fusedForward(net, theta, x as tf.Tensor3D)))(x),
          tf
            .grad((x) => loss(theta, x))(x)
            .dataSync(),
          tf.grads(loss)([theta, x])[1].dataSync(),
        ])
        tf.dispose([theta, x])
        expect(alone).toEqual(beside)
      },
    ),
    { numRuns: 150, seed: 8 },
  )
})

test('it can be switched off and on again, with the same bits, and is not used on another backend', async () => {
  const net = mlp([3, 4, 2], { hidden: 'softplus' })
  const examples = [1, 2].map((seed) => exampleOf(net, 5, seed))
  const both = () => [passes(forward, net, ...examples[0]), ...populationPasses(net, examples, 5)]
  const fused = both()
  expect(canFuse()).toBe(true)
  await startTfjs({ fused: false })
  expect([canFuse(), kernels.core]).toEqual([false, null])
  const stock = both()
  await startTfjs()
  expect(canFuse()).toBe(true)
  expect(both()).toEqual(fused)
  await tf.setBackend('cpu')
  expect(canFuse()).toBe(false)
  const onCpu = both()
  await tf.setBackend('wasm')
  expect(both()).toEqual(fused)
  fused.forEach((ours, i) => {
    const { sizes } = exactGradients(net, ...examples[Math.max(i - 1, 0)])
    expectAlike(ours, stock[i], sizes)
    expectAlike(ours, onCpu[i], sizes)
  })
})

describe.each([true, false])('bad input, fused: %p', (fused) => {
  beforeAll(() => startTfjs({ fused }))
  afterAll(() => startTfjs())
  const net = mlp([3, 4, 2])
  const run = (theta: number[], x: number[]) =>
    tf.tidy(() => forward(net, tf.zeros(theta), tf.zeros(x as [number, number]) as tf.Tensor2D))

  test.each([
    [[net.size], [5, 4], 'The network takes an input [rows, 3], got the shape [5, 4].'],
    [[net.size], [3], 'The network takes an input [rows, 3], got the shape [3].'],
    [[net.size], [2, 5, 3], 'The network takes an input [rows, 3], got the shape [2, 5, 3].'],
    [[2, net.size], [5, 3], 'The network takes an input [2, rows, 3], got the shape [5, 3].'],
    [[2, net.size], [3, 5, 3], 'The network takes an input [2, rows, 3], got the shape [3, 5, 3].'],
    [[net.size], [0, 3], 'A batch needs at least one row, got 0.'],
    [[2, net.size], [2, 0, 3], 'A batch needs at least one row, got 0.'],
    [[7], [5, 3], 'The parameters must be [26] or [n, 26], got the shape [7].'],
    [[2, 7], [2, 5, 3], 'The parameters must be [26] or [n, 26], got the shape [2, 7].'],
    [[2, 2, net.size], [2, 2, 5, 3], 'The parameters must be [26] or [n, 26], got the shape [2, 2, 26].'],
  ])('parameters %j, input %j', (theta, x, message) => {
    expect(() => run(theta, x)).toThrow(message)
  })
})

test('the rectifier gives the bits of Math.max(x, 0): NaN stays, and so does infinity', () => {
  const net = mlp([1, 1, 1], { hidden: 'relu' })
  const x = [NaN, -0, 0, 1e-45, -1e-45, 1, -1, Infinity, -Infinity]
  // Weights of 1 and biases of -0 hand on every bit.
  const run = () => forward(net, tf.tensor1d([1, -0, 1, -0]), tf.tensor2d(x, [x.length, 1])).dataSync()
  expect(Array.from(tf.tidy(run))).toEqual(x.map((value) => Math.fround(Math.max(value, 0))))
})
