import { beforeAll, describe, expect, test } from '@jest/globals'
import { fitPosterior } from '../../src/bayes/fit.ts'
import * as logp from '../../src/bayes/logp.ts'
import { type Model, model } from '../../src/bayes/model.ts'
import { positive, real } from '../../src/bayes/supports.ts'
import { targetOf } from '../../src/bayes/target.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

beforeAll(() => startTfjs())

/** y_t = φ y_{t−1} + θ e_{t−1} + e_t, written as a loop over time, with the numbers of rows that it was run with. */
function movingAverage(T: number) {
  const rows: number[] = []
  const y = Array.from({ length: T }, (_, t) => Math.sin(t * 1.7) * 0.3 + ((t * 7) % 5) / 10)
  const series = model({
    parameters: { phi: real(), theta: real(), sigma: positive() },
    logDensity: ({ phi, theta, sigma }) => {
      rows.push(phi.shape[0])
      let error = tf.sub(y[0], phi)
      const errors = [error]
      for (let t = 1; t < T; t++) {
        error = tf.sub(y[t], tf.add(tf.mul(phi, y[t - 1]), tf.mul(theta, error)))
        errors.push(error)
      }
      const given = logp.normal(tf.concat(errors, 1), 0, sigma)
      return [logp.normal(phi, 0, 1), logp.normal(theta, 0, 1), logp.halfNormal(sigma, 1), given]
    },
  }) as unknown as Model
  return { series, rows }
}

describe('a log density as numbers', () => {
  test("a fit runs the model's own code a few times only", async () => {
    const { series, rows } = movingAverage(20)
    const { evaluations } = await fitPosterior(series)
    expect(evaluations).toBeGreaterThan(10_000)
    expect(rows.length).toBeLessThan(40)
  })

  test('a long loop is traced for the few rows of the first call, and for the particles', async () => {
    const { series, rows } = movingAverage(300)
    await fitPosterior(series)
    expect([...new Set(rows)]).toEqual([4, 100])
  })

  test('rows that fill a batch up change nothing', async () => {
    const { series } = movingAverage(300)
    const points = Float64Array.of(0.3, 0.1, -1, 0.2, 0.4, -0.5, 0.1, 0, -0.7)
    const first = points.subarray(0, 3)
    const few = await targetOf(series, 3)
    const many = await targetOf(series, 50)
    expect(many.at(first)).toEqual(few.at(first))
    expect(many.at(points)).toEqual(few.at(points))
  })

  test('one with random numbers is refused', async () => {
    const noisy = model({
      parameters: { x: real() },
      logDensity: ({ x }) => logp.normal(x, tf.randomNormal([1], 0, 0.01), 1),
    }) as unknown as Model
    await expect(fitPosterior(noisy)).rejects.toThrow(
      'The log density was another function in call 2 than before: it must not depend on random numbers or on what changes.',
    )
  })
})
