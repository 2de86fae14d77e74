import { show, UsageError } from './errors.ts'
import { fromJson } from './json.ts'
import type { NumberArray } from './runtime-types.ts'

// Plain data as JSON, with what JSON leaves out: numbers that are not finite, −0 and typed arrays.

const ARRAYS = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array } as const
type ArrayName = keyof typeof ARRAYS

const NUMBERS = new Map<string, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

/** The constructor of the arrays of this name; undefined for a type that plain data does not hold. */
export const arrayNamed = (name: unknown): (typeof ARRAYS)[ArrayName] | undefined =>
  typeof name === 'string' && Object.hasOwn(ARRAYS, name) ? ARRAYS[name as ArrayName] : undefined

/**
 * Plain data as text: numbers, texts, booleans, null, lists, records and typed arrays; undefined where there is
 * something else in it.
 *
 * @param apart takes the typed arrays, each once, whose places alone are then in the text
 */
export function encodePlain(value: unknown, apart?: NumberArray[]): string | undefined {
  try {
    return JSON.stringify(tagged(value, apart))
  } catch (error) {
    // What holds itself has no end.
    if (error instanceof UsageError || error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * What encodePlain() wrote, with the arrays that it set apart.
 *
 * @throws UsageError for a number or an array that it does not write
 */
export const decodePlain = (text: string, apart: readonly NumberArray[] = []): unknown =>
  untagged(fromJson(text), apart)

function placeOf(array: NumberArray, apart: NumberArray[]): number {
  const place = apart.indexOf(array)
  return place < 0 ? apart.push(array) - 1 : place
}

function tagged(value: unknown, apart?: NumberArray[]): unknown {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return { $number: '-0' }
    return Number.isFinite(value) ? value : { $number: String(value) }
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  // Not by map(), which passes over holes.
  if (Array.isArray(value)) return Array.from(value, (entry) => tagged(entry, apart))
  if (typeof value !== 'object') throw new UsageError('This is no plain data.')
  const name = Object.getPrototypeOf(value)?.constructor?.name
  const isArray = Object.hasOwn(ARRAYS, name ?? '')
  if (isArray && apart) return { $place: placeOf(value as NumberArray, apart) }
  if (isArray) return { $array: name, values: Array.from(value as Float64Array, (entry) => tagged(entry)) }
  if (name !== 'Object' && Object.getPrototypeOf(value) !== null) throw new UsageError('This is no plain data.')
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  if (entries.some(([key]) => key.startsWith('$'))) throw new UsageError('This is no plain data.')
  return Object.fromEntries(entries.map(([key, entry]) => [key, tagged(entry, apart)]))
}

function untagged(value: unknown, apart: readonly NumberArray[]): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((entry) => untagged(entry, apart))
  const { $number, $array, $place, values } = value as {
    $number?: string
    $array?: ArrayName
    $place?: number
    values?: unknown
  }
  if ($place !== undefined) return arrayAt($place, apart)
  if ($number !== undefined) return numberOf($number)
  if ($array !== undefined) return arrayOf($array, values)
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, untagged(entry, apart)]))
}

function numberOf(name: string): number {
  const number = NUMBERS.get(name)
  if (number !== undefined) return number
  throw new UsageError(`it has the number ${show(name)}; there are ${[...NUMBERS.keys()].join(', ')}.`)
}

function arrayAt(place: number, apart: readonly NumberArray[]): NumberArray {
  if (Number.isInteger(place) && place >= 0 && place < apart.length) return apart[place]
  throw new UsageError(`it has the array ${show(place)} of ${apart.length}.`)
}

function arrayOf(name: ArrayName, values: unknown): NumberArray {
  const allowed = Object.keys(ARRAYS).join(', ')
  if (!Object.hasOwn(ARRAYS, name)) throw new UsageError(`it has an array of ${show(name)}; there are ${allowed}.`)
  const numbers = Array.isArray(values) ? values.map((entry) => untagged(entry, [])) : [null]
  if (numbers.every((x) => typeof x === 'number')) return ARRAYS[name].from(numbers)
  throw new UsageError(`a ${name} in it is no list of numbers.`)
}
