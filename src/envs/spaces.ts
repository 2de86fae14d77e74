import { UsageError } from '../core/errors.ts'
import { exponential, type Generator, generator, normal, uniform, uniformInteger } from '../core/generator.ts'
import { areNumbers, isList, isRecord, requireThat } from '../core/require.ts'

/** A box in ℝⁿ: low ≤ x ≤ high, element by element; ±Infinity where there is no bound. */
export interface Box {
  readonly kind: 'box'
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** The whole numbers start … start + n − 1. Actions begin at 0. */
export interface Discrete {
  readonly kind: 'discrete'
  readonly n: number
  /** The first one; default 0. */
  readonly start?: number
}

/** Several numbered choices at once: entry k is one of the whole numbers start_k … start_k + n_k − 1. */
export interface MultiDiscrete {
  readonly kind: 'multi-discrete'
  readonly n: readonly number[]
  /** The first one of each choice; default 0. Actions begin at 0. */
  readonly start?: readonly number[]
}

/** n choices between 0 and 1. */
export interface MultiBinary {
  readonly kind: 'multi-binary'
  readonly n: number
}

/** Spaces by name. Their order is that of their names, by code points, as in Gymnasium. */
export interface Dict {
  readonly kind: 'dict'
  readonly spaces: Readonly<Record<string, Space>>
}

/** Spaces one after the other. */
export interface Tuple {
  readonly kind: 'tuple'
  readonly spaces: readonly Space[]
}

/** What actions are: numbers between bounds, one of n, or several numbered choices at once. */
export type ActionSpace = Box | Discrete | MultiDiscrete | MultiBinary

/** What observations or actions are. */
export type Space = ActionSpace | Dict | Tuple

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
 * @param start the first of the numbers, default 0; actions begin at 0
 * @throws UsageError for an n that is no whole number above 0, and a start that is no whole number
 */
export function discrete(n: number, start = 0): Discrete {
  requireThat(isSize(n), 'discrete', 'a whole number of at least 1', n)
  requireThat(Number.isSafeInteger(start), 'discrete', 'a whole number that it starts at', start)
  return start === 0 ? { kind: 'discrete', n } : { kind: 'discrete', n, start }
}

/**
 * Several numbered choices at once, n_k each:
 *
 *     multiDiscrete([3, 2])     // a direction of three, and whether to jump
 *
 * @param start the first number of each choice, default 0; actions begin at 0
 * @throws UsageError for what is no list of whole numbers above 0, and starts that are not as many whole numbers
 */
export function multiDiscrete(n: readonly number[], start?: readonly number[]): MultiDiscrete {
  requireThat(areSizes(n), 'multiDiscrete', 'a list of whole numbers of at least 1, as in multiDiscrete([3, 2])', n)
  if (start === undefined) return { kind: 'multi-discrete', n: Array.from(n) }
  const areStarts = isList(start) && start.length === n.length && start.every(Number.isSafeInteger)
  requireThat(areStarts, 'multiDiscrete', `${n.length} whole numbers that the choices start at`, start)
  return { kind: 'multi-discrete', n: Array.from(n), start: Array.from(start) }
}

/**
 * n choices between 0 and 1.
 *
 * @throws UsageError for what is no whole number above 0
 */
export function multiBinary(n: number): MultiBinary {
  requireThat(isSize(n), 'multiBinary', 'a whole number of at least 1', n)
  return { kind: 'multi-binary', n }
}

/**
 * Spaces by name, in the order of the names, of observations such as `{ place: [0.5, 2], kind: 1 }`.
 *
 * @throws UsageError for what is no record of spaces
 */
export function dict(spaces: Readonly<Record<string, Space>>): Dict {
  const areSpaces = isRecord(spaces) && Object.values(spaces).every(isSpace)
  requireThat(areSpaces, 'dict', 'spaces by name, as in dict({ place: box([-1], [1]), kind: discrete(3) })', spaces)
  return { kind: 'dict', spaces: { ...spaces } }
}

/**
 * Spaces one after the other, of observations such as `[[0.5, 2], 1]`.
 *
 * @throws UsageError for what is no list of spaces
 */
export function tuple(spaces: readonly Space[]): Tuple {
  requireThat(Array.isArray(spaces) && spaces.every(isSpace), 'tuple', 'a list of spaces', spaces)
  return { kind: 'tuple', spaces: [...spaces] }
}

const isSize = (n: unknown) => Number.isSafeInteger(n) && Number(n) > 0

const areSizes = (n: unknown) => isList(n) && n.length > 0 && Array.from(n).every(isSize)

/** As Python sorts texts; JavaScript compares halves of code points, which differ beyond U+FFFF. */
function byCodePoints([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  const [x, y] = [Array.from(a), Array.from(b)]
  const k = x.findIndex((letter, at) => letter !== y[at])
  if (k < 0) return x.length - y.length
  return k < y.length ? Number(x[k].codePointAt(0)) - Number(y[k].codePointAt(0)) : 1
}

const parts = new WeakMap<Dict | Tuple, readonly (readonly [string, Space])[]>()

/**
 * The spaces of which a space is made with their names, in the order in which flatten() joins them. Objects have orders
 * of their own, of names that are whole numbers.
 */
export function partsOf(space: Dict | Tuple): readonly (readonly [string, Space])[] {
  const found = parts.get(space) ?? Object.entries(space.spaces)
  if (parts.has(space)) return found
  const inOrder = space.kind === 'dict' ? [...found].sort(byCodePoints) : found
  parts.set(space, inOrder)
  return inOrder
}

/** Spaces whose bounds were looked at: there may be thousands, and steps of a task ask each time. */
const known = new WeakSet<Space>()

/** Whether it is a space as the functions above make them. */
export function isSpace(space: unknown): space is Space {
  if (!isRecord(space)) return false
  if (known.has(space as unknown as Space)) return true
  const { kind, n, spaces, low, high } = space
  const isOne =
    (kind === 'discrete' && Number.isSafeInteger(n)) ||
    (kind === 'multi-binary' && isSize(n)) ||
    (kind === 'multi-discrete' && areSizes(n)) ||
    (kind === 'box' && areNumbers(low) && areNumbers(high)) ||
    (kind === 'dict' && isRecord(spaces) && Object.values(spaces).every(isSpace)) ||
    (kind === 'tuple' && Array.isArray(spaces) && spaces.every(isSpace))
  if (isOne) known.add(space as unknown as Space)
  return isOne
}

/** @throws UsageError for what is no space; those that have no vector of fixed length are named */
export function requireSpace(taker: string, space: Space): void {
  const kind: unknown = (space as { kind?: unknown } | undefined)?.kind
  if (['graph', 'sequence', 'text', 'oneof'].includes(String(kind).toLowerCase()))
    throw new UsageError(`${taker} takes no ${kind} spaces, as they have no vector of fixed length.`)
  requireThat(isSpace(space), taker, 'a space, as box(), discrete(), multiDiscrete() or dict() makes it', space)
}

/** [K] how many there are to choose from in each choice of a numbered space; none for numbers between bounds. */
export function choicesOf(space: ActionSpace): readonly number[] {
  if (space.kind === 'discrete') return [space.n]
  if (space.kind === 'multi-discrete') return space.n
  return space.kind === 'multi-binary' ? Array<number>(space.n).fill(2) : []
}

/** Whether an element is a list of numbered choices. */
export const isProduct = (space: ActionSpace): space is MultiDiscrete | MultiBinary =>
  space.kind === 'multi-discrete' || space.kind === 'multi-binary'

/** What an environment is given: the number of a discrete action, or the vector of a box. */
export type Action = number | ArrayLike<number>

/** An element of a space: a number, a vector, elements by name or one after the other. */
export type Element = number | ArrayLike<number> | readonly Element[] | { readonly [name: string]: Element }

/** How many numbers an element of the space takes: a discrete one takes one, of several choices each. */
export function sizeOf(space: Space): number {
  requireSpace('sizeOf', space)
  if (space.kind === 'box') return space.low.length
  if (space.kind === 'dict' || space.kind === 'tuple') return sum(partsOf(space).map(([, inner]) => sizeOf(inner)))
  return choicesOf(space).length
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0)

/**
 * Whether x is an element of the space. As in Gymnasium a box holds float32 numbers: x and the bounds are compared
 * after rounding. NaN is in no space. A plain number is a vector of one.
 */
export function contains(space: Space, x: unknown): boolean {
  requireSpace('contains', space)
  if (space.kind === 'dict') return isRecord(x) && haveSameNames(space.spaces, x) && everyIn(space, x)
  if (space.kind === 'tuple') return isList(x) && x.length === space.spaces.length && everyIn(space, x)
  if (space.kind === 'discrete') return isChoice(x, space.n, space.start)
  if (space.kind === 'box' && typeof x === 'number') return space.low.length === 1 && within(space, 0, x)
  const values = x as ArrayLike<number> | null
  if (typeof values !== 'object' || values?.length !== sizeOf(space)) return false
  return space.kind === 'box' ? isInBox(space, values) : areChoices(space, values)
}

function isInBox(space: Box, values: ArrayLike<number>): boolean {
  for (let k = 0; k < values.length; k++) if (!within(space, k, values[k])) return false
  return true
}

function areChoices(space: MultiDiscrete | MultiBinary, values: ArrayLike<number>): boolean {
  const n = choicesOf(space)
  const start = startsOf(space)
  for (let k = 0; k < n.length; k++) if (!isChoice(values[k], n[k], start[k])) return false
  return true
}

/** The first number of each choice, where it is not 0. */
export const startsOf = (space: Discrete | MultiDiscrete | MultiBinary): readonly number[] =>
  space.kind === 'multi-binary' ? [] : [space.start ?? []].flat()

const isChoice = (x: unknown, n: number, start = 0) =>
  Number.isInteger(x) && Number(x) >= start && Number(x) < start + n

const haveSameNames = (a: object, b: object) =>
  Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => Object.hasOwn(b, name))

const everyIn = (space: Dict | Tuple, x: object) =>
  partsOf(space).every(([name, inner]) => contains(inner, (x as Record<string, unknown>)[name]))

const within = ({ low, high }: Box, k: number, x: number) =>
  typeof x === 'number' && Math.fround(x) >= Math.fround(low[k]) && Math.fround(x) <= Math.fround(high[k])

/**
 * Draws elements of a space, a function of the seed:
 *
 *     const sample = sampler(spec.actionSpace, 7)
 *     env.step(sample())
 *
 * Numbered choices and a number with two bounds are uniform; as in Gymnasium a number with one bound is that bound plus
 * or minus an exponential number, and one without bounds is standard normal.
 */
export function sampler(space: Discrete, seed: number): () => number
export function sampler(space: Box, seed: number): () => Float32Array
export function sampler(space: MultiDiscrete | MultiBinary, seed: number): () => Int32Array
export function sampler(space: ActionSpace, seed: number): () => number | Float32Array | Int32Array
export function sampler(space: Space, seed: number): () => Element
export function sampler(space: Space, seed: number): () => Element {
  requireSpace('sampler', space)
  const g = generator(seed)
  return () => drawn(g, space)
}

function drawn(g: Generator, space: Space): Element {
  if (space.kind === 'discrete') return (space.start ?? 0) + uniformInteger(g, space.n)
  if (space.kind === 'box') return Float32Array.from(space.low, (low, k) => between(g, low, space.high[k]))
  if (space.kind === 'tuple') return space.spaces.map((inner) => drawn(g, inner))
  if (space.kind === 'dict') return Object.fromEntries(partsOf(space).map(([name, inner]) => [name, drawn(g, inner)]))
  const start = startsOf(space)
  return Int32Array.from(choicesOf(space), (n, k) => (start[k] ?? 0) + uniformInteger(g, n))
}

function between(g: Generator, low: number, high: number): number {
  if (low > -Infinity && high < Infinity) return low + uniform(g) * (high - low)
  if (low > -Infinity) return low + exponential(g)
  if (high < Infinity) return high - exponential(g)
  return normal(g)
}

interface Spaces {
  readonly observationSpace: Space
  readonly actionSpace: ActionSpace
}

/** O: numbers of an observation. */
export const observationSize = ({ observationSpace }: Pick<Spaces, 'observationSpace'>) => sizeOf(observationSpace)

/** A: numbers of an action. A discrete action is one number, several choices are one each. */
export const actionSize = ({ actionSpace }: Pick<Spaces, 'actionSpace'>) => sizeOf(actionSpace)

/** Whether observations and actions of both tasks are of the same kinds, sizes and bounds. */
export const haveSameSpaces = (a: Spaces, b: Spaces): boolean => textOf(a) === textOf(b)

/** JSON knows no infinite numbers. */
const textOf = ({ observationSpace, actionSpace }: Spaces) =>
  JSON.stringify([observationSpace, actionSpace], (_, x) => (typeof x === 'number' ? String(x) : x))
