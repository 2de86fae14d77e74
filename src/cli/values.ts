// Words of the command line into values. What is not a number stays a word, so that the error shows what was
// typed.
import { show, UsageError } from '../core/errors.ts'

/** @throws UsageError when the name of a directory is empty, as a shell gives it for a variable that is not set */
export function directory(text: string): string {
  if (text !== '') return text
  throw new UsageError('The option --out must name a directory, got "".')
}

export const number = (text: string): number | string => {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isNaN(value) ? text : value
}

export const list = (text: string): (number | string)[] => (text === '' ? [] : text.split(',').map(number))

export const words = (text: string): string[] => (text === '' ? [] : text.split(','))

export const flag = (text: string): boolean | string => (text === 'true' ? true : text === 'false' ? false : text)

/** What is no JSON stays a word. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * mass=0.5:2,length=0.5:1.5 → { mass: [0.5, 2], length: [0.5, 1.5] }
 *
 * @param before what the same option gave earlier in the line
 */
export const ranges = (text: string, before: object = {}) =>
  byName(
    words(text).map((range) => {
      const [name, bounds] = nameAndValue(range)
      return [name, bounds.split(':').map(number)] as const
    }),
    before as Record<string, (number | string)[]>,
  )

/**
 * gravity=9.8,terminate=false,range=0.7:1 → { gravity: 9.8, terminate: false, range: [0.7, 1] }; or JSON.
 *
 * @param before what the same option gave earlier in the line
 */
export function valuesByName(text: string, before: object = {}): Record<string, number | string> {
  const earlier = before as Record<string, number | string>
  const record = text.startsWith('{') ? json(text) : text
  if (typeof record === 'object') return byName(Object.entries(record as typeof earlier), earlier)
  return byName(
    words(text).map((entry) => {
      const [name, value] = nameAndValue(entry)
      const parts = value.split(':').map(number)
      // What a task does not take, it refuses by itself.
      return [name, (parts.length > 1 ? parts : flag(value) === value ? parts[0] : flag(value)) as number | string]
    }),
    earlier,
  )
}

/** @throws UsageError for a name that is given twice */
function byName<T>(entries: readonly (readonly [string, T])[], before: Readonly<Record<string, T>>): Record<string, T> {
  const all = new Map(Object.entries(before))
  for (const [name, value] of entries) {
    if (all.has(name)) throw new UsageError(`${name} is given twice, as ${show(all.get(name))} and ${show(value)}.`)
    all.set(name, value)
  }
  return Object.fromEntries(all)
}

function nameAndValue(entry: string): [string, string] {
  const at = entry.indexOf('=')
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
}
