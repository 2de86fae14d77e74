import { describe, expect, test } from '@jest/globals'
import { compareVariants, estimateMeasure } from '../../src/experiments/comparison.ts'
import type { VariantSummary } from '../../src/experiments/summary.ts'

const variantOf = (label: string, scores: readonly (number | null)[]): VariantSummary => ({
  ...{ label, note: '', settings: {}, estimates: {}, curves: {} },
  runs: scores.map((best, seed) =>
    best === null
      ? { seed, outcome: 'failed', reason: 'It diverged.', measures: null, curves: null }
      : { seed, outcome: 'finished', measures: { best, finalWorst: -best }, curves: null },
  ),
})

describe('a comparison', () => {
  const [comparison, ...others] = compareVariants([
    variantOf('a', [1, 2, 3]),
    variantOf('b', [0, 2, null]),
    variantOf('c', [9, null, null]),
  ])

  test('is by measures that variants have, of those with two finished runs', () => {
    expect(others).toEqual([])
    expect(comparison.measure).toBe('best')
    expect(comparison.profiles.map(({ variant }) => variant)).toEqual(['a', 'b'])
  })

  test('tells how probable it is that the first is better', () => {
    const { variant, over, probability, interval } = comparison.improvements[0]
    expect({ variant, over, probability }).toEqual({ variant: 'a', over: 'b', probability: 4.5 / 6 })
    expect(interval[0]).toBeLessThan(0.5)
    expect(interval[1]).toBe(1)
  })

  test('has a step of the profiles wherever a run is, after a place where all are above', () => {
    expect(comparison.thresholds).toEqual([-0.15000000000000002, 0, 1, 2, 3])
    expect(comparison.profiles[0].share).toEqual([1, 1, 2 / 3, 1 / 3, 0])
    expect(comparison.profiles[1].share).toEqual([1, 0.5, 0.5, 0, 0])
    const { low, share, high } = comparison.profiles[0]
    share.forEach((x, k) => {
      expect([low[k] <= x, x <= high[k]]).toEqual([true, true])
    })
    expect(low[2]).toBe(0)
    expect(high[2]).toBe(1)
  })

  test('is none of a single variant, and of many runs has at most 200 steps', () => {
    expect(compareVariants([variantOf('a', [1, 2, 3]), variantOf('b', [1])])).toEqual([])
    const many = (first: number) => Array.from({ length: 150 }, (_, k) => first + 2 * k)
    const [{ thresholds }] = compareVariants([variantOf('a', many(0)), variantOf('b', many(1))])
    expect(thresholds).toHaveLength(201)
    expect([thresholds[1], thresholds[200]]).toEqual([0, 299])
  })
})

test('an estimate of a measure has the interquartile mean, and its interval from two seeds on', () => {
  expect(estimateMeasure([null, 4])).toMatchObject({ mean: 4, halfWidth: null, interquartileMean: 4, interval: null })
  expect(estimateMeasure([null])).toMatchObject({ mean: null, interquartileMean: null, interval: null, seeds: 0 })
  const { mean, interquartileMean, interval } = estimateMeasure([0, 10, 11, 100])
  expect({ mean, interquartileMean }).toEqual({ mean: 30.25, interquartileMean: 10.5 })
  expect(interval?.[0]).toBeLessThan(10.5)
  expect(interval?.[1]).toBeGreaterThan(11)
})
