import { carriedReturns, finite, quantile, type Value } from '../report/charts.ts'
import type { Evaluation, IterationMetrics } from '../report/metrics.ts'
import { goalMeasures, playedGoals } from './multigoal/play.ts'

/** Iterations of the running mean; a shorter run is one window. */
const WINDOW = 10
/** Share of the best return within which a run has arrived. */
const WITHIN = 0.05

/** What the particles reach in each iteration, by the returns of training. A particle of which no episode ended keeps its last return. */
export interface PopulationCurves {
  /** Highest return of a particle. */
  readonly best: Value[]
  /** Mean of `best` over the last ten iterations; null before there are ten. */
  readonly runningBest: Value[]
  readonly upperQuartile: Value[]
  readonly median: Value[]
  readonly mean: Value[]
  readonly lowerQuartile: Value[]
  readonly worst: Value[]
}

export function populationCurves(metrics: readonly IterationMetrics[]): PopulationCurves {
  const returns = carriedReturns(metrics)
  const over = (statistic: (values: Value[]) => Value) =>
    metrics.map((_, t) => statistic(returns.map((values) => values[t])))
  const at = (q: number) => over((values) => quantile(values, q))
  const best = at(1)
  return {
    best,
    runningBest: runningMean(best, windowOf(metrics.length)),
    upperQuartile: at(0.75),
    median: at(0.5),
    mean: over(meanOf),
    lowerQuartile: at(0.25),
    worst: at(0),
  }
}

const windowOf = (iterations: number) => Math.min(WINDOW, iterations)

/** Mean of the last `window` values; null where there are fewer, or one of them is missing. */
export function runningMean(values: readonly Value[], window: number): Value[] {
  return values.map((_, t) => {
    const last = values.slice(Math.max(t + 1 - window, 0), t + 1)
    return last.length < window || last.includes(null) ? null : meanOf(last)
  })
}

/** Of the values that are there; null when none is. */
export function meanOf(values: readonly Value[]): Value {
  const there = values.filter((x) => x !== null)
  return there.length === 0 ? null : there.reduce((sum, x) => sum + x, 0) / there.length
}

/** Numbers by name, of a run or, as estimates, of a variant. */
export type Measures = Readonly<Record<string, Value>>

/**
 * What a run comes to:
 *
 *     best            maximum over the run of `runningBest`, the SVPG author's metric; it favours many policies over one
 *     iterationsTo95  first iteration whose `runningBest` is within 5 % of `best`
 *     final…          best, quartiles, median, mean and worst of the particles, averaged over the last ten iterations
 *     greedy…, sampled…  the same of the evaluation after training
 *     goals, goalsMissed, goal0 …  where sampled episodes of a task with goals end
 *     coverage        cells of the task's grid that the population visited over the run, where there is a grid
 *     finalCoverage   those of one iteration, averaged over the last ten
 */
export function measuresOf(
  curves: PopulationCurves,
  evaluation: Evaluation,
  metrics: readonly IterationMetrics[] = [],
): Measures {
  const { runningBest } = curves
  const window = windowOf(runningBest.length)
  const best = quantile(runningBest, 1)
  const arrival = best === null ? -1 : runningBest.findIndex((x) => x !== null && x >= best - WITHIN * Math.abs(best))
  const final = (curve: keyof PopulationCurves) => meanOf(curves[curve].slice(-window))
  return {
    best,
    iterationsTo95: arrival < 0 ? null : arrival + 1,
    finalBest: final('best'),
    finalUpperQuartile: final('upperQuartile'),
    finalMedian: final('median'),
    finalMean: final('mean'),
    finalLowerQuartile: final('lowerQuartile'),
    finalWorst: final('worst'),
    ...ofEvaluation('greedy', evaluation.greedy),
    ...ofEvaluation('sampled', evaluation.sampled),
    ...goalMeasures(playedGoals(evaluation)),
    ...coverageOf(metrics),
  }
}

function coverageOf(metrics: readonly IterationMetrics[]): Measures {
  const now = metrics.flatMap(({ coverageNow }) => (coverageNow === undefined ? [] : [coverageNow]))
  const last = metrics[metrics.length - 1]?.coverage
  if (last === undefined) return {}
  return { coverage: last, finalCoverage: meanOf(now.slice(-windowOf(metrics.length))) }
}

function ofEvaluation(name: string, returns: readonly number[]): Measures {
  const values = returns.map(finite)
  return {
    [`${name}Best`]: quantile(values, 1),
    [`${name}Median`]: quantile(values, 0.5),
    [`${name}Mean`]: meanOf(values),
    [`${name}Worst`]: quantile(values, 0),
  }
}

/** A mean over seeds. */
export interface Estimate {
  readonly mean: Value
  /** Half the width of the 95 % confidence interval, t s/√n; null for fewer than two seeds. */
  readonly halfWidth: Value
  readonly seeds: number
}

/**
 * Mean and 95 % confidence interval of normally distributed values,
 *
 *     x̄ ± t_{0.975, n−1} s/√n,   s² = Σ (x − x̄)²/(n − 1)
 *
 * With three seeds t is 4.3: the interval is wide because three values say little.
 */
export function estimate(values: readonly Value[]): Estimate {
  const there = values.filter((x) => x !== null)
  const n = there.length
  const mean = meanOf(there)
  if (mean === null || n < 2) return { mean, halfWidth: null, seeds: n }
  const variance = there.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (n - 1)
  return { mean, halfWidth: tQuantile(n - 1) * Math.sqrt(variance / n), seeds: n }
}

/** t_{0.975} of 1 … 10 degrees of freedom. */
const T_975 = [
  ...[12.706204736, 4.30265273, 3.182446305, 2.776445105, 2.570581836],
  ...[2.446911851, 2.364624252, 2.306004135, 2.262157163, 2.228138852],
]
/** Of the normal distribution. */
const Z_975 = 1.959963984540054

/** The 97.5 % quantile of Student's t: a table, and from 11 degrees of freedom on its expansion in 1/ν, good to 10⁻⁵ there (Abramowitz & Stegun 26.7.5). */
export function tQuantile(freedom: number): number {
  if (freedom <= T_975.length) return T_975[freedom - 1]
  const z = Z_975
  const s = z * z
  const terms = [
    z,
    (z * (s + 1)) / 4,
    (z * ((5 * s + 16) * s + 3)) / 96,
    (z * (((3 * s + 19) * s + 17) * s - 15)) / 384,
    (z * ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945)) / 92160,
  ]
  return terms.reduceRight((sum, term) => sum / freedom + term, 0)
}

/** A curve over seeds, an Estimate in each iteration. */
export interface CurveEstimate {
  readonly mean: Value[]
  readonly halfWidth: Value[]
}

/** Null wherever a seed has no value, so that the mean does not jump when one joins. */
export function estimateCurve(curves: readonly (readonly Value[] | null)[]): CurveEstimate {
  const length = Math.max(0, ...curves.map((curve) => curve?.length ?? 0))
  const points = Array.from({ length }, (_, t) => {
    const values = curves.map((curve) => curve?.[t] ?? null)
    return estimate(values.includes(null) ? [] : values)
  })
  return { mean: points.map(({ mean }) => mean), halfWidth: points.map(({ halfWidth }) => halfWidth) }
}
