import { describe, expect, test } from '@jest/globals'
import { sgd } from '../../src/optim/optimizers.ts'
import { createSVGD, particlesOf } from '../../src/svgd/svgd.ts'

/** The rows that each of some steps looks at. */
async function rowsOfSteps(rows: number, size: number, steps: number, seed = 0) {
  const seen: number[][] = []
  const scales = new Set<number>()
  const { init, step } = createSVGD({
    score: (out, _, batch) => {
      seen.push([...batch.rows])
      scales.add(batch.scale)
      out[0] = 0
    },
    minibatch: { rows, size },
  })
  const state = await init({ particles: 1, dimension: 1, seed })
  for (let t = 0; t < steps; t++) step(state)
  return { seen, scales: [...scales] }
}

test('the rows of an epoch are a permutation, and epochs differ', async () => {
  const { seen, scales } = await rowsOfSteps(20, 5, 8)
  const epochs = [seen.slice(0, 4).flat(), seen.slice(4).flat()]
  for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, k) => k))
  expect(epochs[0]).not.toEqual(epochs[1])
  expect(scales).toEqual([4])
})

test('a size that does not divide the rows runs on into the next epoch', async () => {
  const { seen } = await rowsOfSteps(7, 3, 14)
  const all = seen.flat()
  for (let e = 0; e < 6; e++) expect(new Set(all.slice(7 * e, 7 * e + 7)).size).toBe(7)
})

test('every row comes first equally often', async () => {
  const { seen } = await rowsOfSteps(5, 5, 4000)
  const counts = new Array(5).fill(0)
  for (const [first] of seen) counts[first]++
  // Binomial(4000, 1/5): standard deviation 25.
  for (const count of counts) expect(Math.abs(count - 800)).toBeLessThan(4.5 * 25.3)
})

test('same seed, same rows', async () => {
  expect((await rowsOfSteps(50, 7, 20, 3)).seen).toEqual((await rowsOfSteps(50, 7, 20, 3)).seen)
  expect((await rowsOfSteps(50, 7, 20, 4)).seen).not.toEqual((await rowsOfSteps(50, 7, 20, 3)).seen)
})

test('without minibatches there are no rows, and the scale is 1', async () => {
  const { init, step } = createSVGD({
    score: (out, _, { rows, scale }) => {
      expect([rows.length, scale]).toEqual([0, 1])
      out[0] = 0
    },
  })
  step(await init({ particles: 2, dimension: 1 }))
})

test('scaled scores of minibatches lead to the posterior of all data', async () => {
  // Mean of N(m, 1) with the prior N(0, 1): the posterior is N(Σ y/(N+1), 1/(N+1)).
  const y = Array.from({ length: 60 }, (_, k) => 2 + Math.sin(5 * k))
  const exact = y.reduce((a, b) => a + b) / 61
  const { init, step } = createSVGD({
    score: (out, [m], { rows, scale }) => {
      out[0] = -m
      for (const row of rows) out[0] += scale * (y[row] - m)
    },
    minibatch: { rows: 60, size: 10 },
    optimizer: sgd({ learningRate: 2e-3 }),
  })
  const state = await init({ particles: 20, dimension: 1 })
  let mean = 0
  for (let t = 0; t < 3000; t++) {
    step(state)
    if (t >= 1000) mean += particlesOf(state).reduce((a, b) => a + b) / 20 / 2000
  }
  expect(Math.abs(mean - exact)).toBeLessThan(0.01)
})

describe('bad input', () => {
  const start = (minibatch: { rows: number; size: number }) =>
    createSVGD({ score: () => {}, minibatch }).init({ particles: 1, dimension: 1 })

  test.each([
    [{ rows: 0, size: 1 }, 'minibatch.rows must be a whole number from 1 to 16777216, got 0.'],
    [{ rows: 2e9, size: 1 }, 'minibatch.rows must be a whole number from 1 to 16777216, got 2000000000.'],
    [{ rows: 5, size: 0 }, 'minibatch.size must be a whole number of at least 1, got 0.'],
    [{ rows: 5, size: 6 }, 'minibatch.size must be at most minibatch.rows = 5, got 6.'],
  ])('%j', async (minibatch, message) => {
    await expect(start(minibatch)).rejects.toThrow(message)
  })
})
