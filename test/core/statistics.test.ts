import { describe, expect, test } from '@jest/globals'
import { estimate, estimateCurve, finite, meanOf, quantile, runningMean, tQuantile } from '../../src/core/statistics.ts'

test('a quantile lies on the line between two order statistics, and leaves out what is missing', () => {
  expect([0, 0.25, 0.5, 1].map((q) => quantile([4, null, 1, 2, 8], q))).toEqual([1, 1.75, 3, 8])
  expect(quantile([null, null], 0.5)).toBeNull()
})

test('what is not a finite number is missing', () => {
  expect([1.5, Number.NaN, Number.POSITIVE_INFINITY, null, undefined].map(finite)).toEqual([
    1.5,
    null,
    null,
    null,
    null,
  ])
})

test('a running mean needs a whole window without gaps', () => {
  expect(runningMean([1, 2, 3, 4, null, 6, 8], 2)).toEqual([null, 1.5, 2.5, 3.5, null, null, 7])
})

describe('an estimate', () => {
  test('of 1, 2, 3 is 2 ± 4.3027/√3', () => {
    const { mean, halfWidth, seeds } = estimate([1, 2, 3])
    expect({ mean, seeds }).toEqual({ mean: 2, seeds: 3 })
    // s = 1
    expect(halfWidth).toBeCloseTo(4.30265273 / Math.sqrt(3), 8)
  })

  test('divides by n − 1', () => {
    // s² = (9 + 1 + 1 + 9)/3, t₃ = 3.18245
    expect(estimate([1, 3, 5, 7]).halfWidth).toBeCloseTo(3.182446305 * Math.sqrt(20 / 3 / 4), 8)
  })

  test('of one seed has no interval, of none no mean; missing values are left out', () => {
    expect(estimate([7])).toEqual({ mean: 7, halfWidth: null, seeds: 1 })
    expect(estimate([null])).toEqual({ mean: null, halfWidth: null, seeds: 0 })
    expect(estimate([null, 4, 6]).mean).toBe(5)
    expect(meanOf([])).toBeNull()
  })

  test('covers the mean of normal values 95 times in a hundred', () => {
    // Sums of twelve uniforms from a small generator; 4000 samples of four: 0.95 ± 0.0034.
    let state = 1
    const uniform = () => {
      state = (state * 48271) % 2147483647
      return state / 2147483647
    }
    const normal = () => Array.from({ length: 12 }, uniform).reduce((sum, u) => sum + u, -6)
    const covered = Array.from({ length: 4000 }, () => {
      const { mean, halfWidth } = estimate([normal(), normal(), normal(), normal()])
      return Math.abs(mean as number) <= (halfWidth as number)
    })
    expect(Math.abs(covered.filter(Boolean).length / 4000 - 0.95)).toBeLessThan(0.012)
  })
})

test.each([
  [1, 12.7062047],
  [2, 4.3026527],
  [10, 2.2281389],
  // The expansion.
  [11, 2.2009852],
  [15, 2.1314495],
  [30, 2.0422725],
  [1000, 1.9623391],
])('Student’s t with %d degrees of freedom', (freedom, quantile) => {
  expect(Math.abs(tQuantile(freedom) - quantile)).toBeLessThan(1e-5)
})

test('curves are estimated iteration by iteration, where every seed has a value', () => {
  const { mean, halfWidth } = estimateCurve([
    [null, 1, 2],
    [5, 3, 2],
  ])
  expect(mean).toEqual([null, 2, 2])
  expect(halfWidth[0]).toBeNull()
  expect(halfWidth[1]).toBeCloseTo(12.706204736 * Math.sqrt(2 / 2), 8)
  expect(halfWidth[2]).toBe(0)
  expect(estimateCurve([null, [1, 2]]).mean).toEqual([null, null])
  expect(estimateCurve([])).toEqual({ mean: [], halfWidth: [] })
})
