import { type CurveEstimate, estimateCurve, finite, meanOf, type Value } from '../core/statistics.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import type { FinishedRun } from '../train/finished-run.ts'
import { type Comparison, estimateMeasure, type MeasureEstimate } from './comparison.ts'
import { gridMeasures, meanGrid, type PresetGrid } from './grid.ts'
import { type Measures, measuresOf, type PopulationCurves, populationCurves } from './measures.ts'
import type { DescribedVariant, Description } from './plan.ts'
import type { Published } from './preset.ts'

/** Everything that experiment.json holds. The same experiment has the same bytes, however often it was interrupted. */
export interface ExperimentSummary extends Omit<Description, 'variants'> {
  readonly published: readonly Published[]
  readonly variants: readonly VariantSummary[]
  /** Of variants with two finished runs or more, by each measure that they are compared by; older versions had none. */
  readonly comparisons?: readonly Comparison[]
}

/** All runs of one variant, measure by measure. */
export interface VariantSummary extends DescribedVariant {
  readonly runs: readonly RunResult[]
  /** Mean return over the seeds at every point of the experiment's grid; null where no run is finished. */
  readonly grid?: readonly number[] | null
  /** Over the seeds of the finished runs, by the names of measures. */
  readonly estimates: Readonly<Record<string, MeasureEstimate>>
  /**
   * The same of curves over iterations: the statistics of the population, and the numbers of the metrics by their
   * names.
   */
  readonly curves: Readonly<Record<string, CurveEstimate>>
}

/** One run of an experiment: its variant, seed and measures. */
export interface RunResult {
  readonly seed: number
  readonly outcome: 'finished' | 'failed' | 'unfinished'
  /** Why it failed. */
  readonly reason?: string
  /** Null where it is not finished. */
  readonly measures: Measures | null
  readonly curves: PopulationCurves | null
}

/** A run and what it has left: null where it is not finished. */
export interface RunRecord {
  readonly seed: number
  readonly failure?: string
  readonly finished: FinishedRun | null
}

export function summarise(variant: DescribedVariant, records: readonly RunRecord[], grid?: PresetGrid): VariantSummary {
  const runs = records.map(({ seed, failure, finished }): RunResult => {
    if (!finished) {
      const ended =
        failure === undefined ? { outcome: 'unfinished' as const } : { outcome: 'failed' as const, reason: failure }
      return { seed, ...ended, measures: null, curves: null }
    }
    const curves = populationCurves(finished.metrics)
    return {
      seed,
      outcome: 'finished',
      measures: {
        ...measuresOf(curves, finished.evaluation, finished.metrics),
        ...(grid && gridMeasures(grid, finished.evaluation.grid)),
      },
      curves,
    }
  })
  const all = runs.flatMap(({ measures }) => (measures ? [measures] : []))
  const populations = runs.flatMap(({ curves }) => (curves ? [curves] : []))
  const numbers = records.flatMap(({ finished }) => (finished ? [namedNumbers(finished.metrics)] : []))
  return {
    ...variant,
    runs,
    ...(grid && { grid: meanGrid(records.map(({ finished }) => finished?.evaluation.grid)) }),
    estimates: byName<Value, MeasureEstimate>(all, estimateMeasure),
    curves: {
      ...byName<Value[], CurveEstimate>(populations, estimateCurve),
      ...byName<Value[], CurveEstimate>(numbers, estimateCurve),
    },
  }
}

/** [{ a, b }, { a }] → { a: of([a, a]), b: of([b, null]) } */
function byName<V, R>(records: readonly object[], of: (values: (V | null)[]) => R): Record<string, R> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))]
  const values = (name: string) => records.map((record) => (record as Record<string, V>)[name] ?? null)
  return Object.fromEntries(names.map((name) => [name, of(values(name))]))
}

/** Lines of the metrics that count rather than measure. */
const COUNTERS = ['iteration', 'seconds', 'transitions']
/** Lists over particles whose mean is worth a curve. */
const LISTS = ['thetaNorm', 'entropy'] as const

/**
 * [iterations] of every number in the metrics, those that an algorithm adds among them; a name that is never a number
 * is left out.
 */
function namedNumbers(metrics: readonly IterationMetrics[]): Record<string, Value[]> {
  const names = new Set(metrics.flatMap((line) => Object.keys(line)))
  const single = [...names].filter((name) => !COUNTERS.includes(name) && metrics.some((line) => isNumber(line, name)))
  const numberIn = (line: IterationMetrics, name: string) =>
    isNumber(line, name) ? (line as unknown as Record<string, number>)[name] : null
  return Object.fromEntries([
    ...LISTS.map((name) => [name, metrics.map((line) => meanOf(line[name].map(finite)))]),
    ...single.map((name) => [name, metrics.map((line) => finite(numberIn(line, name)))]),
  ])
}

const isNumber = (line: object, name: string) => typeof (line as Record<string, unknown>)[name] === 'number'

/** Significant digits of lists of numbers: curves are to be looked at. */
const DIGITS = 6

/** The summary as the text of experiment.json, every list of numbers on a line of its own. */
export function encodeSummary(summary: ExperimentSummary): string {
  const text = JSON.stringify(summary, (_, value) => (isList(value) ? value.map(rounded) : value), 2)
  return `${text.replace(/\[\s[^[\]{}"]*\]/g, (list) => list.replace(/\s+/g, ''))}\n`
}

const isList = (value: unknown): value is Value[] =>
  Array.isArray(value) && value.every((x) => x === null || typeof x === 'number')

const rounded = (x: Value) => (x === null ? null : Number(x.toPrecision(DIGITS)))
