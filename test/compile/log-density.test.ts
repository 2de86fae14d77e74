import { describe, expect, test } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import { logDensity } from '../../src/compile/log-density.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import { createSVGD, particlesOf, svgd } from '../../src/svgd/svgd.ts'

await startTfjs()

const precision = [2, 0.5, 1]
const mean = [1, -2, 0.5]

/** log N(x; mean, diag(1/precision)) up to a constant. */
const gaussian = logDensity((x) =>
  tf.mul(-0.5, tf.sum(tf.mul(tf.tensor1d(precision), tf.square(tf.sub(x, tf.tensor1d(mean)))), 1)),
)

describe('a log density in tfjs', () => {
  test('gives the scores of all particles, and nothing in the dead tail', () => {
    const x = Float32Array.from([0, 0, 0, 9, 1, 2, 3, 9, -1, 5, 0.25, 9])
    const score = new Float32Array(12).fill(7)
    gaussian({ particles: 3, dimension: 3, stride: 4, x, score }, { rows: new Int32Array(0), scale: 1 })
    for (let i = 0; i < 3; i++) {
      for (let k = 0; k < 3; k++) expect(score[4 * i + k]).toBeCloseTo(-precision[k] * (x[4 * i + k] - mean[k]), 5)
      expect(score[4 * i + 3]).toBe(0)
    }
  })

  test('leads SVGD where the plain score leads it', async () => {
    const run = async (
      scores: { populationScore: typeof gaussian } | { score: (out: Float32Array, x: Float32Array) => void },
    ) => {
      const { init, step } = createSVGD(scores)
      const state = await init({ particles: 12, dimension: 3 })
      for (let t = 0; t < 100; t++) step(state)
      return particlesOf(state)
    }
    const byTfjs = await run({ populationScore: gaussian })
    const byHand = await run({
      score: (out, x) => {
        for (let k = 0; k < 3; k++) out[k] = -precision[k] * (x[k] - mean[k])
      },
    })
    byTfjs.forEach((value, k) => void expect(value).toBeCloseTo(byHand[k], 3))
  })

  test('makes a variable of a tensor from outside and disposes it, step for step', () => {
    const mean = tf.tensor1d([1, 2, 3])
    const density = logDensity((x) => {
      const variable = tf.variable(mean)
      const result = tf.mul(-0.5, tf.sum(tf.square(tf.sub(x, variable)), 1))
      variable.dispose()
      return result
    })
    const score = new Float32Array(3)
    const batch = { rows: new Int32Array(0), scale: 1 }
    for (let t = 0; t < 3; t++) density({ particles: 1, dimension: 3, stride: 3, x: new Float32Array(3), score }, batch)
    expect([...score]).toEqual([1, 2, 3])
    expect([...mean.dataSync()]).toEqual([1, 2, 3])
  })

  test('leaves no tensors behind', async () => {
    const { init, step } = createSVGD({ populationScore: gaussian })
    const state = await init({ particles: 4, dimension: 3 })
    step(state)
    const before = tf.memory().numTensors
    for (let t = 0; t < 20; t++) step(state)
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('a density is refused', () => {
  const population = (n: number, d: number) => ({
    ...{ particles: n, dimension: d, stride: 4 },
    ...{
      x: Float32Array.from({ length: 4 * n }, (_, k) => (k % 4 < d ? Math.sin(k) : 0)),
      score: new Float32Array(4 * n),
    },
  })
  const batch = { rows: new Int32Array(0), scale: 1 }

  test.each<[string, unknown, string]>([
    [
      'that broadcasts',
      (x: tf.Tensor) => tf.sub(tf.sum(x, 1), tf.sum(x, 1, true)),
      'Your log density gave [5, 5], one value a particle is [5].',
    ],
    [
      'that gives each coordinate',
      (x: tf.Tensor) => tf.square(x),
      'Your log density gave [5, 3], one value a particle is [5].',
    ],
    [
      'that gives a mean',
      (x: tf.Tensor) => tf.mean(x),
      'Your log density gave a single number, one value a particle is [5]. Sum over',
    ],
    ['that gives a number', () => 3, 'Your log density gave 3: it must give a tensor, one value a particle is [5].'],
    ['that gives nothing', () => {}, 'Your log density gave undefined'],
    ['that is asynchronous', async (x: tf.Tensor) => tf.sum(x, 1), 'gave a promise; it must not be async'],
    ['that does not depend on x', () => tf.zeros([5]), 'Your log density does not depend on x'],
    [
      'that multiplies matrices that do not fit',
      (x: tf.Tensor2D) => tf.sum(tf.matMul(x, tf.ones([4, 2])), 1),
      'Your log density failed: Error in matMul: inner shapes (3) and (4)',
    ],
    [
      'that multiplies constants that do not fit',
      (x: tf.Tensor2D) => tf.add(tf.sum(x, 1), tf.sum(tf.matMul(tf.ones([2, 3]), tf.ones([4, 2])))),
      'Your log density failed: Error in matMul: inner shapes (3) and (4)',
    ],
    [
      'that reads what is not there',
      (x: { data?: number[] }) => (x as { missing: { at: number } }).missing.at,
      'Your log density failed: Cannot read properties of undefined',
    ],
    ['that is no function', 'x', 'logDensity takes a function of the particles'],
  ])('%s', (_, density, message) => {
    const before = tf.memory().numTensors
    expect(() => logDensity(density as never)(population(5, 3), batch)).toThrow(message)
    if (!message.includes('promise')) expect(tf.memory().numTensors).toBe(before)
  })

  test('but a column [n, 1] is one value a particle, and so is a number for one', () => {
    const five = population(5, 3)
    logDensity((x) => tf.mul(-0.5, tf.sum(tf.square(x), 1, true)))(five, batch)
    five.score.forEach((s, k) => void expect(s).toBeCloseTo(-five.x[k], 6))
    const one = population(1, 3)
    logDensity((x) => tf.mul(-0.5, tf.sum(tf.square(x))))(one, batch)
    one.score.forEach((s, k) => void expect(s).toBeCloseTo(-one.x[k], 6))
  })
})

describe('a log density that cannot be one', () => {
  const few = { particles: 4, dimension: 2, iterations: 1 }
  // Gradients of its logarithm are finite.
  const outside = (x: tf.Tensor) => tf.log(tf.sub(-1, tf.sum(tf.square(x), 1)))

  test.each(['auto', 'never'] as const)('is refused where it is NaN, with compile %s', async (compile) => {
    await expect(svgd({ ...few, populationScore: logDensity(outside, { compile }) })).rejects.toThrow(
      'Your log density is NaN for at least one particle',
    )
  })

  test('is told where it belongs', async () => {
    const score = logDensity(outside) as never
    await expect(svgd({ ...few, score })).rejects.toThrow('give them as populationScore, not score.')
  })
})
