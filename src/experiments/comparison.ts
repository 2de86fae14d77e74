import { type Estimate, estimate, type Value } from '../core/statistics.ts'
import type { Measures } from './measures.ts'
import {
  bootstrapIntervals,
  type Interval,
  interquartileMean,
  performanceProfile,
  probabilityOfImprovement,
} from './scores.ts'

/** What the seeds say of one measure of a variant. */
export interface MeasureEstimate extends Estimate {
  /** Mean of the middle half of the seeds. */
  readonly interquartileMean: Value
  /** Its 95 % interval by the percentile bootstrap; null for fewer than two seeds. */
  readonly interval: Interval | null
}

export function estimateMeasure(values: readonly Value[]): MeasureEstimate {
  const there = values.filter((x) => x !== null)
  const several = there.length > 1
  return {
    ...estimate(there),
    interquartileMean: there.length > 0 ? interquartileMean([there]) : null,
    interval: several ? bootstrapIntervals([[there]], ([scores]) => [interquartileMean(scores)])[0] : null,
  }
}

/** How probable it is that a run of a variant is better than one of another. */
export interface Improvement {
  readonly variant: string
  readonly over: string
  /** P(X > Y), ties counting half. */
  readonly probability: number
  /** 95 % by the bootstrap, both variants drawn from. */
  readonly interval: Interval
}

/** The share of a variant's runs above each threshold, and its 95 % interval by the bootstrap. */
export interface Profile {
  readonly variant: string
  readonly share: number[]
  readonly low: number[]
  readonly high: number[]
}

/** The variants of an experiment against each other by one measure. */
export interface Comparison {
  /** Name of the measure. */
  readonly measure: string
  /** Of the first variant over each other. */
  readonly improvements: readonly Improvement[]
  /** Where the profiles have their steps: everything that was reached, and a place below it. */
  readonly thresholds: number[]
  readonly profiles: readonly Profile[]
}

/** Measures that variants are compared by, where they are known; more is better of each. */
const COMPARED = ['best', 'finalMedian', 'coverage', 'gridMean']
/** A profile of more steps than this is not told apart. */
const STEPS = 200

interface MeasuredVariant {
  readonly label: string
  /** Measures are null where a run is not finished. */
  readonly runs: readonly { readonly measures: Measures | null }[]
}

/** The variants that have two finished runs or more, by each measure that they have; none of a single variant. */
export function compareVariants(variants: readonly MeasuredVariant[]): Comparison[] {
  return COMPARED.flatMap((measure) => {
    const groups = variants.flatMap(({ label, runs }) => {
      const scores = runs.flatMap(({ measures }) => measures?.[measure] ?? [])
      return scores.length > 1 ? [{ label, scores }] : []
    })
    return groups.length > 1 ? [comparisonOf(measure, groups)] : []
  })
}

interface Group {
  readonly label: string
  readonly scores: readonly number[]
}

function comparisonOf(measure: string, groups: readonly Group[]): Comparison {
  const thresholds = stepsOf(groups.flatMap(({ scores }) => scores))
  const [first, ...others] = groups
  return {
    measure,
    improvements: others.map((other) => improvementOf(first, other)),
    thresholds,
    profiles: groups.map((group) => profileOf(group, thresholds)),
  }
}

function improvementOf(x: Group, y: Group): Improvement {
  const [interval] = bootstrapIntervals([[x.scores], [y.scores]], ([a, b]) => [probabilityOfImprovement(a, b)])
  const probability = probabilityOfImprovement([x.scores], [y.scores])
  return { variant: x.label, over: y.label, probability, interval }
}

function profileOf({ label, scores }: Group, thresholds: readonly number[]): Profile {
  const intervals = bootstrapIntervals([[scores]], ([drawn]) => performanceProfile(drawn, thresholds))
  return {
    variant: label,
    share: performanceProfile([scores], thresholds),
    low: intervals.map(([low]) => low),
    high: intervals.map(([, high]) => high),
  }
}

/** A place below all values, where every profile is 1, and the values in their order, evenly thinned. */
function stepsOf(values: readonly number[]): number[] {
  const sorted = [...new Set(values)].sort((a, b) => a - b)
  const last = sorted.length - 1
  const kept = Array.from({ length: Math.min(sorted.length, STEPS) }, (_, k) =>
    sorted.length <= STEPS ? sorted[k] : sorted[Math.round((k * last) / (STEPS - 1))],
  )
  return [sorted[0] - 0.05 * (sorted[last] - sorted[0] || 1), ...kept]
}
