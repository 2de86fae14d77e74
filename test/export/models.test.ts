// What other runtimes make of exported models, against the float64 twin and against steinrl/policy.
import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { loadLayersModel } from '@tensorflow/tfjs-layers'
import { layersModel } from '../../src/export/layers.ts'
import { onnxModel } from '../../src/export/onnx.ts'
import type { SinglePolicy } from '../../src/export/parts.ts'
import { activations } from '../../src/nn/network.ts'
import { headNames } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { choicesShape, loaded, observationsOf, populationOf, shapeOf } from '../policy/exported.ts'
import { squashedReference } from '../reference/distributions.ts'
import { mlpReference } from '../reference/mlp.ts'
import { hasOnnxruntime, hasPythonOnnxruntime, runOnnx, runOnnxInPython } from './onnxruntime.ts'

const ROWS = 40
const rows = observationsOf(ROWS, 3)
const normalisation = { mean: [0.5, -1, 100], deviation: [2, 0.3, 50], clip: 1.2 }
const open = { low: [null, -1, null], high: [0.5, null, null] }

type Outputs = Readonly<Record<string, ArrayLike<number>>>

async function runLayers(single: SinglePolicy): Promise<Outputs> {
  const { model, weights } = await layersModel(single)
  const { modelTopology, weightsManifest } = JSON.parse(model)
  expect(weightsManifest).toHaveLength(1)
  expect(weightsManifest[0].paths).toEqual(['weights.bin'])
  const net = await loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData: weights.slice().buffer }),
  )
  const outputs = tf.tidy(() => [net.predict(tf.tensor2d(rows, [ROWS, 3]))].flat().map((x) => x.dataSync()))
  return Object.fromEntries(net.outputNames.map((name, k) => [name, outputs[k]]))
}

/** What the policy's definition says, in float64. */
function expected({ policy, theta, normalisation: norm }: SinglePolicy): Record<string, number[]> {
  const A = policy.head.actions
  const each = Array.from({ length: ROWS }, (_, r): Record<string, number[]> => {
    const x = [...rows.subarray(3 * r, 3 * r + 3)].map((value, k) =>
      norm ? Math.min(Math.max((value - norm.mean[k]) / norm.deviation[k], -norm.clip), norm.clip) : value,
    )
    const outputs = mlpReference(policy.net, theta, x)
    if (policy.head.name === 'categorical') return { logits: outputs }
    if (policy.head.name === 'gaussian') return { mean: outputs, log_std: [...theta.subarray(policy.net.size)] }
    return { mean: outputs.slice(0, A), log_std: [...squashedReference.parametersOf(outputs).logStd] }
  })
  const names = Object.keys(each[0])
  return Object.fromEntries(names.map((name) => [name, each.flatMap((row) => row[name])]))
}

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length)
  for (let k = 0; k < found.length; k++) {
    expect(Math.abs(found[k] - wanted[k])).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted[k])))
  }
}

beforeAll(() => startTfjs())

const runtimes = {
  'TensorFlow.js': runLayers,
  ...(hasOnnxruntime && { ONNX: async (single: SinglePolicy) => runOnnx(await onnxModel(single), rows, 3) }),
}

describe.each(Object.entries(runtimes))('%s', (runtime, run) => {
  describe.each(headNames)('%s', (head) => {
    test.each([
      ...activations.map((activation) => [activation, { activation }, {}] as const),
      ['no hidden layer', { hidden: [] }, {}] as const,
      ['normalised observations', {}, { normalisation }] as const,
      ...(head === 'gaussian'
        ? [
            ['some bounds', {}, { bounds: open }] as const,
            ['infinite bounds', {}, { bounds: { low: [null, null, null], high: [null, null, null] } }] as const,
          ]
        : []),
    ])('%s: logits, means, deviations and actions to 1e-5', async (_, shape, changes) => {
      const population = populationOf(shapeOf(head, shape), { particles: 2, best: 1, ...changes })
      const { policy, theta, bounds } = population
      // Some log σ beyond their range.
      if (head === 'squashed-gaussian') theta.set([30, -90, 1], theta.length - 3)
      const single = { policy, theta: theta.slice(policy.size), normalisation: null, bounds, ...changes }
      const outputs = await run(single)
      const wanted = expected(single)
      for (const [name, values] of Object.entries(wanted)) expectClose(outputs[name], values)
      const actions = (await loaded(population)).actRows(rows)
      if (head !== 'categorical') expectClose(outputs.action, actions)
      else if (runtime === 'ONNX') expect(Array.from(outputs.action, Number)).toEqual([...actions])
      const names =
        head !== 'categorical' ? ['action', 'mean', 'log_std'] : runtime === 'ONNX' ? ['logits', 'action'] : ['logits']
      expect(Object.keys(outputs)).toEqual(names)
      // The test sees what it says: the range, the clip and the bounds take effect.
      if (head === 'squashed-gaussian')
        expect(wanted.log_std.filter((value) => value === 2 || value === -20).length).toBeGreaterThan(0)
    })
  })
})

test.each(Object.entries(runtimes))(
  '%s: without bounds a Gaussian acts by its mean, a squashed one is refused',
  async (_, run) => {
    const { policy, theta } = populationOf(shapeOf('gaussian'), { particles: 1, best: 0 })
    const { action, mean } = await run({ policy, theta, normalisation: null, bounds: null })
    expect(Array.from(action)).toEqual(Array.from(mean))
    expect(action).toHaveLength(3 * ROWS)
    const squashed = populationOf(shapeOf('squashed-gaussian'), { particles: 1, best: 0 })
    for (const bounds of [null, open]) {
      await expect(run({ ...squashed, normalisation: null, bounds })).rejects.toThrow(
        'A squashed Gaussian is moved to the bounds of its actions, so bounds must have numbers only.',
      )
    }
  },
)

describe('several choices at once', () => {
  test.each(Object.entries(runtimes))(
    '%s: the logits of the twin side by side, the best of each',
    async (name, run) => {
      const population = populationOf(choicesShape(), { particles: 1, best: 0 })
      const { policy, theta } = population
      const outputs = await run({ policy, theta, normalisation: null, bounds: null })
      expectClose(outputs.logits, expected({ policy, theta, normalisation: null, bounds: null }).logits)
      const actions = (await loaded(population)).actRows(rows)
      expect(actions).toHaveLength(3 * ROWS)
      if (name === 'ONNX') expect(Array.from(outputs.action, Number)).toEqual([...actions])
    },
  )
})

const withPython = hasPythonOnnxruntime ? describe : describe.skip

withPython("Python's onnxruntime gives what the policy does", () => {
  const several = { name: 'categorical', actions: 8, factors: [2, 2, 2, 2] } as const
  test.each([
    ['several choices', choicesShape(), 3],
    ['several switches', shapeOf('categorical', { head: several }), 4],
    ['one choice', shapeOf('categorical'), 1],
    ['numbers', shapeOf('gaussian'), 3],
  ] as const)('%s, of 1 row and of 7', async (_, shape, width) => {
    const population = populationOf(shape, { particles: 1, best: 0 })
    const { policy, theta, bounds } = population
    const model = await onnxModel({ policy, theta, normalisation: null, bounds })
    const edge = await loaded(population)
    for (const count of [1, 7]) {
      const some = rows.slice(0, 3 * count)
      const [found, actions] = runOnnxInPython(model, some, 3).action
      expect(found).toEqual(width === 1 ? [count] : [count, width])
      if (shape.head.name === 'categorical') expect(actions).toEqual([...edge.actRows(some)])
      else expectClose(actions, edge.actRows(some))
    }
  })
})

test('ONNX is written where no text may be evaluated', () => {
  const script = `
    const { onnxModel, train } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})
    const settings = { env: 'CartPole-v1', particles: 1, environments: 1, steps: 8, iterations: 1, hidden: [4] }
    for await (const step of train(settings)) {
      const { policy, theta } = step.agents()
      const model = await onnxModel({ policy, theta: theta.slice(0, policy.size), normalisation: null, bounds: null })
      console.log(model.length > 300)
    }`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module']
  expect(execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })).toBe('true\n')
})

const withOnnxruntime = hasOnnxruntime ? test : test.skip

withOnnxruntime('a model takes any number of rows', async () => {
  const { policy, theta } = populationOf(shapeOf('categorical'), { particles: 1, best: 0 })
  const bytes = await onnxModel({ policy, theta, normalisation: null, bounds: null })
  for (const count of [1, 7]) {
    expect((await runOnnx(bytes, rows.slice(0, 3 * count), 3)).logits).toHaveLength(4 * count)
  }
})
