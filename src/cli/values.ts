// Words of the command line into values. What is not a number stays a word, so that the error shows what was
// typed.
import { UsageError } from '../core/errors.ts'

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

/** mass=0.5:2,length=0.5:1.5 → { mass: [0.5, 2], length: [0.5, 1.5] } */
export const ranges = (text: string): Record<string, (number | string)[]> =>
  Object.fromEntries(
    words(text).map((range) => {
      const [name, bounds = ''] = range.split('=')
      return [name, bounds.split(':').map(number)]
    }),
  )

/** gravity=9.8,terminate=false,range=0.7:1 → { gravity: 9.8, terminate: false, range: [0.7, 1] }; or JSON. */
export function valuesByName(text: string): Record<string, number | string> {
  const record = text.startsWith('{') ? json(text) : text
  if (typeof record === 'object') return record as Record<string, number | string>
  return Object.fromEntries(
    words(text).map((entry) => {
      const [name, value = ''] = entry.split('=')
      const parts = value.split(':').map(number)
      // What a task does not take, it refuses by itself.
      return [name, (parts.length > 1 ? parts : flag(value) === value ? parts[0] : flag(value)) as number | string]
    }),
  )
}
