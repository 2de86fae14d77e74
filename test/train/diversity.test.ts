import { expect, test } from '@jest/globals'
import { countCoverage } from '../../src/train/coverage.ts'
import { type AnyTrainOptions, train } from '../../src/train/train.ts'

const small = { iterations: 2, environments: 2, steps: 20, hidden: [4], seed: 1 }

async function metricsOf(options: AnyTrainOptions) {
  const all = []
  for await (const { metrics } of train(options)) all.push(metrics)
  return all
}

test.each<[string, AnyTrainOptions]>([
  ['classes', { env: 'CartPole-v1', ...small, particles: 3 }],
  ['a Gaussian', { env: 'Pendulum-v1', ...small, particles: 3 }],
  ['a squashed Gaussian', { env: 'Pendulum-v1', ...small, particles: 20, head: 'squashed-gaussian' }],
])('a population of %s tells how much it differs', async (_, options) => {
  const all = await metricsOf(options)
  for (const { actionDivergence, behaviourVolume } of all) {
    expect(actionDivergence).toBeGreaterThan(0)
    expect(actionDivergence).toBeLessThan(1)
    expect(behaviourVolume).toBeLessThan(0)
    expect(Number.isFinite(behaviourVolume)).toBe(true)
  }
  expect((await metricsOf(options)).map((m) => m.behaviourVolume)).toEqual(all.map((m) => m.behaviourVolume))
})

test('a single policy tells nothing of it', async () => {
  for (const metrics of await metricsOf({ env: 'CartPole-v1', ...small, particles: 1 }))
    expect('actionDivergence' in metrics).toBe(false)
})

test('the QD score is the sum over cells of the best return there', () => {
  const count = countCoverage()
  const particles = [
    [1, 2],
    [2, 3],
  ].map((cells) => ({ cells: Int32Array.from(cells) }))
  expect(count(particles, [1, 3])).toMatchObject({ qualityDiversity: 1 + 3 + 3 })
  expect(count(particles, [5, null])).toMatchObject({ qualityDiversity: 5 + 5 + 0 })
  expect('qualityDiversity' in count(particles, [-1, 3])).toBe(false)
})
