import { show, UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { describeSettings } from '../core/settings.ts'
import { type AlgorithmName, algorithmNamed } from '../train/train.ts'

/** Numbers between two ends, both included. */
export interface SweepRange {
  readonly from: number
  readonly to: number
  /** 'log' spreads trials evenly over the orders of magnitude. Default 'linear'. */
  readonly scale?: 'linear' | 'log'
  /** Only from, from + step, from + 2 step, …; whole numbers have a step of 1. */
  readonly step?: number
}

/** Values of a setting, of which a trial takes one. */
export interface SweepChoice {
  readonly among: readonly unknown[]
}

/** What is tried, by the names of the algorithm's settings. */
export type SweepSpace = Readonly<Record<string, SweepRange | SweepChoice>>

/** One setting that is tried. */
export type Dimension = { readonly name: string } & (
  | { readonly kind: 'whole' | 'number'; readonly from: number; readonly to: number; step: number; isLog: boolean }
  | { readonly kind: 'choice'; readonly among: readonly unknown[] }
)

/** Settings that are not tried: the bits do not depend on workers, and a seed is no setting to choose. */
const APART = ['workers', 'seed']

/**
 * The settings that are tried, in the order in which they are named.
 *
 * @param called the algorithm by the name that its user gave it
 * @throws UsageError for a name that is no setting of the algorithm, with the nearest one; a range that is empty or has
 *   ends that are not allowed; a list that is empty or names a value twice
 */
export function dimensionsOf(algorithm: AlgorithmName, space: SweepSpace, called: string = algorithm): Dimension[] {
  const described = describeSettings(algorithmNamed(algorithm).settings).filter(({ name }) => !APART.includes(name))
  const names = described.map(({ name }) => name)
  refuseUnknown(`The space of ${called}`, space, names)
  if (Object.keys(space ?? {}).length === 0)
    throw new UsageError(`A sweep needs a setting of ${called} to try in its space, got none.`)
  return Object.entries(space).map(([name, entry]) => {
    const kind = described.find((setting) => setting.name === name)?.kind as string
    const isRecord = typeof entry === 'object' && entry !== null && !Array.isArray(entry)
    if (isRecord && 'among' in entry) return choiceOf(name, entry)
    if (isRecord && 'from' in entry) return rangeOf(name, entry, kind)
    throw new UsageError(
      `${name} in the space must be { "from": …, "to": … } or { "among": [ … ] }, got ${show(entry)}.`,
    )
  })
}

function choiceOf(name: string, entry: SweepChoice): Dimension {
  refuseUnknown(`${name} in the space`, entry, ['among'])
  const { among } = entry
  if (!Array.isArray(among) || among.length === 0)
    throw new UsageError(`${name} must have a list of values to try in "among", got ${show(among)}.`)
  const texts = among.map((value) => JSON.stringify(value))
  const twice = among.find((_, k) => texts.indexOf(texts[k]) !== k)
  if (twice !== undefined) throw new UsageError(`${name} has ${show(twice)} twice in "among".`)
  return { name, kind: 'choice', among }
}

function rangeOf(name: string, entry: SweepRange, kind: string): Dimension {
  refuseUnknown(`${name} in the space`, entry, ['from', 'to', 'scale', 'step'])
  const { from, to, scale = 'linear', step } = entry
  if (!['whole', 'number', 'share'].includes(kind))
    throw new UsageError(`${name} is no number that could have a range: list its values, as { "among": [ … ] }.`)
  const isWhole = kind === 'whole'
  const isAllowed = (x: unknown) => (isWhole ? Number.isSafeInteger(x) : Number.isFinite(x))
  const bad = [from, to, step ?? 1].filter((x) => !isAllowed(x))
  if (bad.length > 0)
    throw new UsageError(`The range of ${name} must have ${isWhole ? 'whole' : 'finite'} numbers, got ${show(bad[0])}.`)
  if (!(from < to)) throw new UsageError(`The range of ${name} is empty: ${from} is not below ${to}.`)
  if (scale !== 'linear' && scale !== 'log')
    throw new UsageError(`The scale of ${name} must be linear or log, got ${show(scale)}.`)
  const isLog = scale === 'log'
  if (isLog && from <= 0) throw new UsageError(`The range of ${name} on a log scale must be above 0, got ${from}.`)
  if (isLog && step !== undefined) throw new UsageError(`${name} on a log scale has no step, got ${step}.`)
  if (step !== undefined && !(step > 0 && step <= to - from))
    throw new UsageError(`The step of ${name} must be above 0 and at most ${to - from}, got ${step}.`)
  const width = step ?? (isWhole ? 1 : 0)
  // The last value of the grid, as Optuna has it.
  const last = width > 0 ? from + Math.floor((to - from) / width + 1e-9) * width : to
  return { name, kind: isWhole ? 'whole' : 'number', from, to: last, step: width, isLog }
}

/** A value that people would write: ranges end at numbers like this, too. */
const rounded = (x: number) => Number(x.toPrecision(4))

const clamped = (x: number, low: number, high: number) => Math.max(low, Math.min(x, high))

/** The value of a setting at a place in [0, 1). */
export function valueAt(dimension: Dimension, u: number): unknown {
  if (dimension.kind === 'choice') return dimension.among[Math.floor(u * dimension.among.length)]
  const { kind, from, to, step, isLog } = dimension
  if (kind === 'whole' && isLog) return clamped(Math.round(between(from - 0.5, to + 0.5, u)), from, to)
  if (step > 0) {
    const count = Math.round((to - from) / step) + 1
    return Number((from + Math.floor(u * count) * step).toPrecision(15))
  }
  return clamped(rounded(isLog ? between(from, to, u) : from + u * (to - from)), from, to)
}

/** Of a range, the place in [0, 1] of a value; of a choice, that of its place in the list. */
export function placeOf(dimension: Dimension, value: unknown): number {
  if (dimension.kind === 'choice') {
    const { among } = dimension
    const k = among.findIndex((each) => JSON.stringify(each) === JSON.stringify(value))
    return among.length === 1 ? 0.5 : k / (among.length - 1)
  }
  const { from, to, isLog } = dimension
  if (!isLog) return ((value as number) - from) / (to - from)
  let [low, high] = [0, 1]
  for (let k = 0; k < 40; k++) {
    const middle = (low + high) / 2
    if (between(from, to, middle) < (value as number)) low = middle
    else high = middle
  }
  return high
}

/** from (to/from)^u by square roots, one for each binary digit of u: the same bits in every engine. */
function between(from: number, to: number, u: number): number {
  let value = from
  let root = to / from
  for (let k = 0, rest = u; k < 52; k++) {
    root = Math.sqrt(root)
    rest *= 2
    if (rest < 1) continue
    value *= root
    rest -= 1
  }
  return value
}
