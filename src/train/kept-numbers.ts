import { show, UsageError } from '../core/errors.ts'
import { wholePower } from '../core/power.ts'
import { isCount, isNumber, isRecord } from '../core/require.ts'
import type { Evaluation, IterationEvaluation, IterationMetrics } from '../report/metrics.ts'

// What the files of a run say in numbers, which may be anybody's: reports, experiments and the choice of the best
// particle count with it.

const anyOf = (isOne: (x: unknown) => boolean) => (x: unknown) => Array.isArray(x) && x.every(isOne)
const listOf = (isOne: (x: unknown) => boolean) => (x: unknown) => anyOf(isOne)(x) && (x as unknown[]).length > 0
const orNull = (isOne: (x: unknown) => boolean) => (x: unknown) => x === null || isOne(x)

/** Kinds of values, by what an error calls them. */
const KINDS = {
  'a number': isNumber,
  'a whole number from 0': isCount,
  'a number or null': orNull(isNumber),
  'a list of numbers': listOf(isNumber),
  'a list of numbers and nulls': listOf(orNull(isNumber)),
  'a list of numbers and nulls, or empty': anyOf(orNull(isNumber)),
  'an object': isRecord,
} as const

type Fields = Readonly<Record<string, keyof typeof KINDS>>

const COUNTED: Fields = { iteration: 'a whole number from 0', transitions: 'a whole number from 0' }
const METRICS: Fields = { ...COUNTED, seconds: 'a number', returns: 'a list of numbers and nulls' }
/** What a run of an early version, or of another algorithm, does not tell. */
const SOMETIMES: Fields = {
  ...{
    episodes: 'a list of numbers',
    // Policies that are sampled by a network have none.
    entropy: 'a list of numbers and nulls, or empty',
    thetaNorm: 'a list of numbers and nulls',
  },
  ...{ drive: 'a number or null', repulsion: 'a number or null', sharing: 'a number or null' },
  ...{ bandwidth: 'a number or null', kernelOffDiagonal: 'a number or null', temperature: 'a number or null' },
  ...{ best: 'a number or null', median: 'a number or null', coverage: 'a number', coverageNow: 'a number' },
  ...{ qualityDiversity: 'a number or null', actionDivergence: 'a number or null' },
  behaviourVolume: 'a number or null',
}
const EVALUATION: Fields = {
  ...{ episodes: 'a whole number from 0', greedy: 'a list of numbers', sampled: 'a list of numbers' },
}
const GRID: Fields = {
  ...{ ranges: 'an object', points: 'a whole number from 0', episodes: 'a whole number from 0' },
  returns: 'a list of numbers',
}

function refuse(given: unknown, fields: Fields, sometimes: Fields = {}): asserts given is Record<string, unknown> {
  if (!isRecord(given)) throw new UsageError(`it has ${show(given)} where an object belongs.`)
  for (const [name, kind] of Object.entries({ ...fields, ...sometimes })) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (value === undefined && Object.hasOwn(sometimes, name)) continue
    if (!KINDS[kind](value)) throw new UsageError(`its ${name} must be ${kind}, got ${show(value)}.`)
  }
}

/**
 * Lines of metrics.jsonl, one an iteration from the first.
 *
 * @throws UsageError for what no training has written
 */
export function checkedMetrics(lines: readonly unknown[]): IterationMetrics[] {
  let particles = 0
  let before = 0
  return lines.map((line, k) => {
    refuse(line, METRICS, SOMETIMES)
    const metrics = line as unknown as IterationMetrics
    const { iteration } = metrics
    // Lines that a run had lost when it went on are not there.
    if (iteration <= before) throw new UsageError(`line ${k + 1} is of iteration ${iteration}, after ${before}.`)
    before = iteration
    particles ||= metrics.returns.length
    if (metrics.returns.length !== particles)
      throw new UsageError(`line ${k + 1} has ${metrics.returns.length} particles, not ${particles}.`)
    return metrics
  })
}

/**
 * An evaluation as evaluation.json holds it, or a line of evaluations.jsonl.
 *
 * @throws UsageError for what no evaluation has written
 */
export function checkedEvaluation<E extends Evaluation = Evaluation>(given: unknown): E {
  refuse(given, EVALUATION, { extras: 'an object', grid: 'an object' })
  const { greedy, sampled, grid } = given as unknown as Evaluation
  if (greedy.length !== sampled.length)
    throw new UsageError(`it has mean returns of ${greedy.length} particles greedily and of ${sampled.length} sampled.`)
  if (grid) {
    refuse(grid, GRID)
    const numbers = wholePower(grid.points, Object.keys(grid.ranges).length)
    if (grid.returns.length !== numbers)
      throw new UsageError(`its grid has ${grid.returns.length} returns, not ${numbers}.`)
    const isRange = listOf(isNumber)
    const [name, wrong] = Object.entries(grid.ranges).find(([, range]) => !isRange(range) || range.length !== 2) ?? []
    if (name !== undefined) throw new UsageError(`the range of ${show(name)} must be two numbers, got ${show(wrong)}.`)
  }
  return given as unknown as E
}

/** A line of evaluations.jsonl. */
export function checkedIterationEvaluation(given: unknown): IterationEvaluation {
  refuse(given, COUNTED)
  return checkedEvaluation<IterationEvaluation>(given)
}
