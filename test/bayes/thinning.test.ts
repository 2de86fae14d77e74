import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { type ScoredDraws, steinThinning, steinWeights } from '../../src/bayes/thinning.ts'

const golden = (name: string) => JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8'))
const recorded: ScoredDraws & { indices: Record<string, number[]> } = golden('thinning.json')

test('thinning chooses the indices of stein-thinning 0.2.0', () => {
  for (const [name, indices] of Object.entries(recorded.indices)) {
    const [preconditioner, raw] = name.split(' ') as ['id' | 'med' | 'sclmed', string | undefined]
    const chosen = steinThinning(recorded, { keep: indices.length, standardise: raw === undefined, preconditioner })
    expect([name, [...chosen]]).toEqual([name, indices])
  }
})

test('thinning chooses the indices of kernax 0.3.0', () => {
  for (const [preconditioner, indices] of Object.entries<number[]>(golden('thinning-kernax.json'))) {
    const options = { keep: indices.length, standardise: false, preconditioner: preconditioner as 'id' | 'med' }
    expect([preconditioner, [...steinThinning(recorded, options)]]).toEqual([preconditioner, indices])
  }
})

test('weights undo the bias of draws that come from elsewhere', () => {
  // Draws on a grid, whose density is uniform; the posterior is N(0.5, 1).
  const draws = Array.from({ length: 81 }, (_, k) => -4 + k / 10)
  const weights = steinWeights({ draws, scores: draws.map((x) => 0.5 - x), dimension: 1 })
  const mean = draws.reduce((sum, x, i) => sum + weights[i] * x, 0)
  const variance = draws.reduce((sum, x, i) => sum + weights[i] * (x - mean) * (x - mean), 0)
  expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 10)
  expect(Math.min(...weights)).toBeGreaterThanOrEqual(0)
  expect(mean).toBeCloseTo(0.5, 2)
  expect(variance).toBeCloseTo(1, 1)
})

test('what cannot be thinned is refused in a sentence', () => {
  const draws = { draws: [1, 2, 3], scores: [1, 2, 3], dimension: 1 }
  expect(() => steinThinning({ ...draws, dimension: 2 }, { keep: 1 })).toThrow(
    'draws and scores must have the same number of rows of 2, got 3 and 3 numbers.',
  )
  expect(() => steinThinning({ ...draws, draws: [1, Number.NaN, 3] }, { keep: 1 })).toThrow(
    'Draw 1 or its score is not finite.',
  )
  expect(() => steinThinning({ ...draws, draws: [2, 2, 2] }, { keep: 1 })).toThrow(
    'Coordinate 0 of the draws never varies.',
  )
  expect(() => steinThinning(draws, { keep: 0 })).toThrow('keep must be a whole number from 1 to 100000000, got 0.')
})
