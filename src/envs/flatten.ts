import { show, UsageError } from '../core/errors.ts'
import { areNumbers, requireThat } from '../core/require.ts'
import { elementOf } from './errors.ts'
import {
  type Box,
  box,
  choicesOf,
  contains,
  type Element,
  partsOf,
  requireSpace,
  type Space,
  startsOf,
} from './spaces.ts'

// Elements of spaces as vectors and back, equal to flatten, unflatten, flatten_space and flatdim of Gymnasium 1.4.

/** How many numbers flatten() gives: a numbered choice has one for each of its elements. */
export function flatSize(space: Space): number {
  requireSpace('flatSize', space)
  return sizeAsVector(space)
}

function sizeAsVector(space: Space): number {
  if (space.kind === 'box') return space.low.length
  if (space.kind === 'multi-binary') return space.n
  const sizes =
    space.kind === 'dict' || space.kind === 'tuple'
      ? partsOf(space).map(([, inner]) => sizeAsVector(inner))
      : choicesOf(space)
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** The box that the vectors of flatten() are in: of numbers that are chosen 0 to 1. */
export function flattenSpace(space: Space): Box {
  requireSpace('flattenSpace', space)
  const bounds = boundsOf(space)
  return box(bounds.low, bounds.high)
}

function boundsOf(space: Space): Pick<Box, 'low' | 'high'> {
  if (space.kind === 'box') return space
  if (space.kind !== 'dict' && space.kind !== 'tuple') {
    const size = sizeAsVector(space)
    return { low: Array<number>(size).fill(0), high: Array<number>(size).fill(1) }
  }
  const parts = partsOf(space).map(([, inner]) => boundsOf(inner))
  return { low: parts.flatMap(({ low }) => Array.from(low)), high: parts.flatMap(({ high }) => Array.from(high)) }
}

/**
 * The element as a vector [flatSize]: a box's own numbers and those of several choices between 0 and 1, a numbered
 * choice as 0 … 1 … 0, those of a dict in the order of its names.
 *
 * @throws UsageError for what is no element: another number of entries, what is no number, no number of a choice
 */
export function flatten(space: Space, x: Element): Float32Array {
  requireSpace('flatten', space)
  const out = new Float32Array(sizeAsVector(space))
  flattenInto(out, space, x, 0)
  return out
}

/** Writes the element at `at` and returns where it ends. */
function flattenInto(out: Float32Array, space: Space, x: Element, at: number): number {
  if (space.kind === 'dict' || space.kind === 'tuple') {
    requireParts(space, x)
    return partsOf(space).reduce((from, [name, inner]) => {
      const part = (x as Readonly<Record<string, Element>>)[name]
      return flattenInto(out, inner, part, from)
    }, at)
  }
  if (space.kind === 'box') {
    const values = typeof x === 'number' ? [x] : x
    const isVector = areNumbers(values) && values.length === space.low.length
    requireThat(isVector, 'flatten', `an element of the space, ${space.low.length} numbers`, x)
    out.set(values, at)
    return at + values.length
  }
  requireThat(contains(space, x), 'flatten', `an element of the space, ${elementOf(space)}`, x)
  if (space.kind === 'multi-binary') {
    out.set(x as ArrayLike<number>, at)
    return at + space.n
  }
  const values = typeof x === 'number' ? [x] : (x as ArrayLike<number>)
  const starts = startsOf(space)
  return choicesOf(space).reduce((from, n, k) => {
    out[from + values[k] - (starts[k] ?? 0)] = 1
    return from + n
  }, at)
}

function requireParts(space: Extract<Space, { kind: 'dict' | 'tuple' }>, x: unknown): void {
  const names = partsOf(space).map(([name]) => name)
  const isWhole = typeof x === 'object' && x !== null && names.every((name) => Object.hasOwn(x, name))
  const isRight = isWhole && Object.keys(x).length === names.length
  const allowed =
    space.kind === 'dict' ? `elements of the names ${names.join(', ')}` : `a list of ${names.length} elements`
  if (!isRight) throw new UsageError(`flatten takes an element of the space, ${allowed}, got ${show(x)}.`)
}

/**
 * The element that flatten() made a vector of. Of a numbered choice the first number that is not 0 counts.
 *
 * @throws UsageError for another number of numbers, and for a choice whose numbers are all 0
 */
export function unflatten(space: Space, x: ArrayLike<number>): Element {
  requireSpace('unflatten', space)
  const size = sizeAsVector(space)
  requireThat(areNumbers(x) && x.length === size, 'unflatten', `a vector of ${size} numbers`, x)
  return elementAt(space, Float32Array.from(x))
}

function elementAt(space: Space, x: Float32Array): Element {
  if (space.kind === 'box') return x
  if (space.kind === 'multi-binary') return Int32Array.from(x)
  if (space.kind === 'discrete') return chosen(x) + (space.start ?? 0)
  let at = 0
  const take = (size: number) => {
    at += size
    return x.slice(at - size, at)
  }
  if (space.kind === 'multi-discrete') {
    const starts = startsOf(space)
    return Int32Array.from(space.n, (n, k) => chosen(take(n)) + (starts[k] ?? 0))
  }
  const parts = partsOf(space).map(([name, inner]) => [name, elementAt(inner, take(sizeAsVector(inner)))] as const)
  return space.kind === 'tuple' ? parts.map(([, part]) => part) : Object.fromEntries(parts)
}

/** Which of the numbers of a choice is not 0. */
function chosen(x: Float32Array): number {
  const k = x.findIndex((value) => value !== 0)
  if (k >= 0) return k
  throw new UsageError(`unflatten takes a 1 among the numbers of each choice, got ${show(Array.from(x))}.`)
}
