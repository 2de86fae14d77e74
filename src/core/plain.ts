import { UsageError } from './errors.ts'

// Plain data as JSON, with what JSON leaves out: numbers that are not finite, −0 and typed arrays.

const ARRAYS = { Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array } as const
type ArrayName = keyof typeof ARRAYS

const NUMBERS = new Map<string, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

/**
 * Plain data as text: numbers, texts, booleans, null, lists, records and typed arrays; undefined where there is
 * something else in it.
 */
export function encodePlain(value: unknown): string | undefined {
  try {
    return JSON.stringify(tagged(value))
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}

/** What encodePlain() wrote. */
export const decodePlain = (text: string): unknown => untagged(JSON.parse(text))

function tagged(value: unknown): unknown {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return { $number: '-0' }
    return Number.isFinite(value) ? value : { $number: String(value) }
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(tagged)
  if (typeof value !== 'object') throw new UsageError('This is no plain data.')
  const name = Object.getPrototypeOf(value)?.constructor?.name
  if (name in ARRAYS) return { $array: name, values: Array.from(value as Float64Array, tagged) }
  if (name !== 'Object' && Object.getPrototypeOf(value) !== null) throw new UsageError('This is no plain data.')
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  if (entries.some(([key]) => key.startsWith('$'))) throw new UsageError('This is no plain data.')
  return Object.fromEntries(entries.map(([key, entry]) => [key, tagged(entry)]))
}

function untagged(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(untagged)
  const { $number, $array, values } = value as { $number?: string; $array?: ArrayName; values?: unknown[] }
  if ($number !== undefined) return NUMBERS.get($number)
  if ($array !== undefined) return ARRAYS[$array].from((values ?? []).map(untagged) as number[])
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, untagged(entry)]))
}
