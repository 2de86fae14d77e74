import { describe, expect, test } from '@jest/globals'
import {
  estimate,
  estimateCurve,
  meanOf,
  measuresOf,
  populationCurves,
  runningMean,
  tQuantile,
} from '../../src/experiments/statistics.ts'
import type { IterationMetrics } from '../../src/report/metrics.ts'

const metricsOf = (returns: (number | null)[][]) => returns.map((row) => ({ returns: row }) as IterationMetrics)
const evaluation = { episodes: 3, greedy: [10, 40, 20], sampled: [5, 15, 10] }

describe('curves of a population', () => {
  const curves = populationCurves(
    metricsOf([
      [1, null, 3],
      [4, 8, null],
      [0, null, 10],
    ]),
  )

  test('are statistics over the particles, who keep their last return', () => {
    // Particles: 1 4 0 | – 8 8 | 3 3 10
    expect(curves.best).toEqual([3, 8, 10])
    expect(curves.median).toEqual([2, 4, 8])
    expect(curves.mean).toEqual([2, 5, 6])
    expect(curves.worst).toEqual([1, 3, 0])
    expect(curves.lowerQuartile).toEqual([1.5, 3.5, 4])
    expect(curves.upperQuartile).toEqual([2.5, 6, 9])
  })

  test('of a run shorter than ten iterations have one window', () => {
    expect(curves.runningBest).toEqual([null, null, 7])
  })

  test('are null before the first return', () => {
    expect(populationCurves(metricsOf([[null], [5]])).best).toEqual([null, 5])
  })
})

test('a running mean needs a whole window without gaps', () => {
  expect(runningMean([1, 2, 3, 4, null, 6, 8], 2)).toEqual([null, 1.5, 2.5, 3.5, null, null, 7])
})

describe('measures of a run', () => {
  // One particle, returns 1 … 20 and then 20 for ten iterations: the running mean is t − 4.5 and ends at 20.
  const rising = Array.from({ length: 30 }, (_, t) => [Math.min(t + 1, 20)])
  const measures = measuresOf(populationCurves(metricsOf(rising)), evaluation)

  test('best is the highest mean over ten iterations, and 95 % of it is reached once', () => {
    expect(measures.best).toBe(20)
    // Mean of iterations 16 … 25: (16+17+18+19+20·6)/10 = 19 = 0.95 · 20.
    expect(measures.iterationsTo95).toBe(25)
  })

  test('coverage is that at the end, final coverage the mean of the last ten iterations; without a grid there is none', () => {
    const covered = metricsOf(rising).map((line, t) => ({ ...line, coverage: 100 + t, coverageNow: t }))
    expect(measuresOf(populationCurves(covered), evaluation, covered)).toMatchObject({
      coverage: 129,
      finalCoverage: 24.5,
    })
    expect(measuresOf(populationCurves(metricsOf(rising)), evaluation, metricsOf(rising))).toEqual(measures)
  })

  test('final is the mean over the last ten', () => {
    const { finalMedian } = measuresOf(populationCurves(metricsOf(rising.slice(0, 20))), evaluation)
    expect(finalMedian).toBe(15.5)
    expect(measures.finalMedian).toBe(20)
  })

  test('a single lucky iteration is not the best', () => {
    const lucky = Array.from({ length: 20 }, (_, t) => [t === 12 ? 100 : 0])
    expect(measuresOf(populationCurves(metricsOf(lucky)), evaluation).best).toBe(10)
  })

  test('within 5 % of a negative best is below it', () => {
    // From −1000 in steps of 1 upwards; after ten iterations at −100 the best is −100, and −105 is within 5 %.
    const returns = Array.from({ length: 40 }, (_, t) => [t < 20 ? -106 : t < 30 ? -104 : -100])
    const negative = measuresOf(populationCurves(metricsOf(returns)), evaluation)
    expect(negative.best).toBe(-100)
    // The mean of k values of −104 and 10 − k of −106 is −105 for k = 5.
    expect(negative.iterationsTo95).toBe(25)
  })

  test('the evaluation is told greedily and sampled', () => {
    expect(measures).toMatchObject({ greedyBest: 40, greedyMedian: 20, greedyWorst: 10 })
    expect(measures.greedyMean).toBeCloseTo(70 / 3, 12)
    expect(measures).toMatchObject({ sampledBest: 15, sampledMedian: 10, sampledMean: 10, sampledWorst: 5 })
  })

  test('where no episode ended there are none', () => {
    const none = measuresOf(populationCurves(metricsOf([[null], [null]])), evaluation)
    expect(none).toMatchObject({ best: null, iterationsTo95: null, finalMedian: null })
  })
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
