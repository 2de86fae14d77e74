import { describe, expect, test } from '@jest/globals'
import { measuresOf, populationCurves } from '../../src/experiments/measures.ts'
import { playedGoals } from '../../src/experiments/multigoal/play.ts'
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

describe('goals in the file of an evaluation', () => {
  const values = { state: [0, 0], values: [[1]], actions: [[0, 1]] }
  const agent = { counts: [60, 30, 10], trajectories: [[[0, 1]]], actionValues: [values] }
  const goals = {
    agents: [agent],
    places: [
      [5, 0],
      [-5, 0],
    ],
    radius: 1,
    limit: 7,
  }
  const played = (changed: object) => playedGoals({ ...evaluation, extras: { goals: { ...goals, ...changed } } })

  test('are what was played', () => {
    expect(played({})).toEqual(goals)
  })

  test.each([
    ['no agents', { agents: [] }],
    ['a count too few', { agents: [{ ...agent, counts: [60, 40] }] }],
    ['no values', { agents: [{ ...agent, actionValues: undefined }] }],
    ['text for a place', { places: ['here', 'there'] }],
    ['no radius', { radius: null }],
  ])('are left out with %s', (_, changed) => {
    expect(played(changed)).toBeUndefined()
  })
})
