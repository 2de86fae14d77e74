import { describe, expect, test } from '@jest/globals'
import * as tf from '@tensorflow/tfjs-core'
import { logDensity } from '../../src/nn/score.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import { createSVGD, particlesOf } from '../../src/svgd/svgd.ts'

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

  test('leaves no tensors behind', async () => {
    const { init, step } = createSVGD({ populationScore: gaussian })
    const state = await init({ particles: 4, dimension: 3 })
    step(state)
    const before = tf.memory().numTensors
    for (let t = 0; t < 20; t++) step(state)
    expect(tf.memory().numTensors).toBe(before)
  })
})
