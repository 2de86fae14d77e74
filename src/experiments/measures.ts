import { finite, meanOf, quantile, runningMean, type Value } from '../core/statistics.ts'
import type { Evaluation, IterationMetrics } from '../report/metrics.ts'
import { carriedReturns } from '../report/metrics.ts'
import { goalMeasures, playedGoals } from './multigoal/play.ts'

/** Iterations of the running mean; a shorter run is one window. */
const WINDOW = 10
/** Share of the best return within which a run has arrived. */
const WITHIN = 0.05

/**
 * What the particles reach in each iteration, by the returns of training. A particle of which no episode ended keeps
 * its last return.
 */
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

/** Numbers by name, of a run or, as estimates, of a variant. */
export type Measures = Readonly<Record<string, Value>>

/**
 * What a run comes to:
 *
 *     best            maximum over the run of `runningBest`, the SVPG author's metric; more policies help it
 *     iterationsTo95  first iteration whose `runningBest` is within 5 % of `best`
 *     final…          best, quartiles, median, mean and worst of the particles, averaged over the last ten iterations
 *     greedy…, sampled…  the same of the evaluation after training
 *     goals, goalsMissed, goal0 …  where sampled episodes of a task with goals end
 *     coverage        cells of the task's grid that the population visited over the run, where there is a grid
 *     finalCoverage   those of one iteration, averaged over the last ten
 *     actionDivergence, behaviourVolume, qualityDiversity  how much policies differ, averaged over the last ten
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
    ...diversityOf(metrics),
  }
}

function coverageOf(metrics: readonly IterationMetrics[]): Measures {
  const now = metrics.flatMap(({ coverageNow }) => (coverageNow === undefined ? [] : [coverageNow]))
  const last = metrics[metrics.length - 1]?.coverage
  if (last === undefined) return {}
  return { coverage: last, finalCoverage: meanOf(now.slice(-windowOf(metrics.length))) }
}

const DIVERSITY = ['actionDivergence', 'behaviourVolume', 'qualityDiversity'] as const

/** Those that the metrics have. */
function diversityOf(metrics: readonly IterationMetrics[]): Measures {
  const last = metrics.slice(-windowOf(metrics.length))
  const known = DIVERSITY.filter((name) => last.some((m) => m[name] !== undefined))
  return Object.fromEntries(known.map((name) => [name, meanOf(last.map((m) => finite(m[name])))]))
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
