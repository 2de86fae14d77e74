import { exponential, type Generator, generator, normal, uniform, uniformInteger } from '../core/generator.ts'
import { areNumbers, isList, requireThat } from '../core/require.ts'

/** A box in ℝⁿ: low ≤ x ≤ high, element by element; ±Infinity where there is no bound. */
export interface Box {
  readonly kind: 'box'
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** The whole numbers 0 … n − 1. */
export interface Discrete {
  readonly kind: 'discrete'
  readonly n: number
}

/** What observations or actions are: numbers between bounds, or one of n. */
export type Space = Box | Discrete

/**
 * A box of real numbers between bounds, one pair an entry.
 *
 * @throws UsageError for bounds that are no numbers, are not as many, or of which one is above the other
 */
export function box(low: readonly number[], high: readonly number[]): Box {
  const areBounds = isList(low) && isList(high) && low.length === high.length
  requireThat(areBounds, 'box', 'two lists of numbers, low and high, of the same length, as in box([-1], [1])', [
    low,
    high,
  ])
  for (let k = 0; k < low.length; k++) {
    const isPair = typeof low[k] === 'number' && typeof high[k] === 'number' && low[k] <= high[k]
    requireThat(isPair, 'box', 'numbers low ≤ high, entry by entry', [low[k], high[k]])
  }
  return { kind: 'box', low, high }
}

/**
 * n actions or observations by number.
 *
 * @throws UsageError for what is no whole number above 0
 */
export function discrete(n: number): Discrete {
  requireThat(Number.isSafeInteger(n) && n > 0, 'discrete', 'a whole number of at least 1', n)
  return { kind: 'discrete', n }
}

/** Spaces whose bounds were looked at: there may be thousands, and steps of a task ask each time. */
const known = new WeakSet<Space>()

function requireSpace(taker: string, space: Space): void {
  if (known.has(space)) return
  const isSpace =
    (space?.kind === 'discrete' && Number.isSafeInteger(space.n)) ||
    (space?.kind === 'box' && areNumbers(space.low) && areNumbers(space.high))
  requireThat(isSpace, taker, 'a space, as box() or discrete() makes it', space)
  known.add(space)
}

/** What an environment is given: the number of a discrete action, or the vector of a box. */
export type Action = number | ArrayLike<number>

/** How many float32 numbers an element of the space takes: a discrete one takes one. */
export function sizeOf(space: Space): number {
  requireSpace('sizeOf', space)
  return space.kind === 'box' ? space.low.length : 1
}

/** How many numbers flatten() gives: a discrete space has one for each of its elements. */
export function flatSize(space: Space): number {
  requireSpace('flatSize', space)
  return space.kind === 'box' ? space.low.length : space.n
}

/**
 * Whether x is an element of the space. As in Gymnasium a box holds float32 numbers: x and the bounds are compared
 * after rounding. NaN is in no space. A plain number is a vector of one.
 */
export function contains(space: Space, x: unknown): boolean {
  requireSpace('contains', space)
  if (space.kind === 'discrete') return Number.isInteger(x) && Number(x) >= 0 && Number(x) < space.n
  if (typeof x === 'number') return space.low.length === 1 && within(space, 0, x)
  const values = x as ArrayLike<number> | null
  if (typeof values !== 'object' || values?.length !== space.low.length) return false
  for (let k = 0; k < values.length; k++) if (!within(space, k, values[k])) return false
  return true
}

const within = ({ low, high }: Box, k: number, x: number) =>
  typeof x === 'number' && Math.fround(x) >= Math.fround(low[k]) && Math.fround(x) <= Math.fround(high[k])

/**
 * The element as a vector [flatSize]: a box's own numbers, a discrete one as 0 … 1 … 0.
 *
 * @throws UsageError for what is no element: another number of entries, what is no number, no number of a class
 */
export function flatten(space: Space, x: Action): Float32Array {
  requireSpace('flatten', space)
  if (space.kind === 'box') {
    const values = typeof x === 'number' ? [x] : x
    const isVector = areNumbers(values) && values.length === space.low.length
    requireThat(isVector, 'flatten', `an element of the space, ${space.low.length} numbers`, x)
    return Float32Array.from(values)
  }
  requireThat(contains(space, x), 'flatten', `an element of the space, a whole number from 0 to ${space.n - 1}`, x)
  const out = new Float32Array(space.n)
  out[Number(x)] = 1
  return out
}

/**
 * Draws elements of a space, a function of the seed:
 *
 *     const sample = sampler(spec.actionSpace, 7)
 *     env.step(sample())
 *
 * A discrete space and a number with two bounds are uniform; as in Gymnasium a number with one bound is that bound plus
 * or minus an exponential number, and one without bounds is standard normal.
 */
export function sampler(space: Discrete, seed: number): () => number
export function sampler(space: Box, seed: number): () => Float32Array
export function sampler(space: Space, seed: number): () => number | Float32Array
export function sampler(space: Space, seed: number): () => number | Float32Array {
  requireSpace('sampler', space)
  const g = generator(seed)
  if (space.kind === 'discrete') return () => uniformInteger(g, space.n)
  return () => Float32Array.from(space.low, (low, k) => between(g, low, space.high[k]))
}

function between(g: Generator, low: number, high: number): number {
  if (low > -Infinity && high < Infinity) return low + uniform(g) * (high - low)
  if (low > -Infinity) return low + exponential(g)
  if (high < Infinity) return high - exponential(g)
  return normal(g)
}

interface Spaces {
  readonly observationSpace: Space
  readonly actionSpace: Space
}

/** O: numbers of an observation. */
export const observationSize = ({ observationSpace }: Pick<Spaces, 'observationSpace'>) => sizeOf(observationSpace)

/** A: numbers of an action. A discrete action is one number. */
export const actionSize = ({ actionSpace }: Pick<Spaces, 'actionSpace'>) => sizeOf(actionSpace)

/** Whether observations and actions of both tasks are of the same kinds, sizes and bounds. */
export const haveSameSpaces = (a: Spaces, b: Spaces): boolean => textOf(a) === textOf(b)

/** JSON knows no infinite numbers. */
const textOf = ({ observationSpace, actionSpace }: Spaces) =>
  JSON.stringify([observationSpace, actionSpace], (_, x) => (typeof x === 'number' ? String(x) : x))
