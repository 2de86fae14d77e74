import Papa from 'papaparse'
import { reasonOf, show, UsageError } from '../core/errors.ts'
import { fromJson } from '../core/json.ts'
import { nearest } from '../core/nearest.ts'

/** Columns of numbers by name, or whatever a JSON file holds. */
export type Dataset = Readonly<Record<string, unknown>>

/**
 * The columns of a CSV file (RFC 4180) with a head, by name. A column is checked when it is asked for, so that columns
 * of text that no model needs do no harm.
 *
 * @param source the name of the file, for errors
 * @throws UsageError for rows of different lengths; later for a column that is missing or has a value that is no number
 */
export function datasetFromCsv(text: string, source: string): Dataset {
  if (/[\0\uFFFD]/.test(text)) throw new UsageError(`${source} is no text in UTF-8: save it as one.`)
  const { data, errors } = Papa.parse<string[]>(text, { skipEmptyLines: true })
  const open = errors.find(({ code }) => code === 'MissingQuotes')
  if (open) throw new UsageError(`${source} has a quote in row ${open.row} that does not end.`)
  const [names, ...rows] = data
  if (!names) throw new UsageError(`${source} is empty; it must begin with the names of its columns.`)
  if (rows.length === 0) throw new UsageError(`${source} has no rows below its head.`)
  const head = names.map((name) => name.trim())
  rows.forEach((row, i) => {
    if (row.length !== head.length)
      throw new UsageError(`Row ${i + 1} of ${source} has ${row.length} values, and its head has ${head.length}.`)
  })
  const columns = new Map<string, readonly number[]>()
  return guarded(head, source, (name) => {
    const place = head.indexOf(name)
    if (place !== head.lastIndexOf(name)) throw new UsageError(`${source} has two columns named ${name}.`)
    if (!columns.has(name)) {
      columns.set(
        name,
        rows.map((row, i) => numberAt(row[place], i, name, source)),
      )
    }
    return columns.get(name)
  })
}

/**
 * What a JSON object holds, by name. @throws UsageError for text that is no object; later for a name that is missing
 */
export function datasetFromJson(text: string, source: string): Dataset {
  let data: unknown
  try {
    data = fromJson(text)
  } catch (error) {
    // JSON.parse quotes the text about a fault with its line breaks.
    throw new UsageError(`${source} is no JSON: ${reasonOf(error)}.`)
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new UsageError(`${source} must hold an object of columns by name, as { "x": [1, 2] }, got ${show(data)}.`)
  const columns = data as Record<string, unknown>
  return guarded(Object.keys(columns), source, (name) => {
    refuseNonFinite(columns[name], name, source)
    return numbersOf(columns[name])
  })
}

/** A list whose every entry is a number written as text, as numbers; all else as it is. */
function numbersOf(value: unknown): unknown {
  const isNumber = (entry: unknown) =>
    typeof entry === 'string' && entry.trim() !== '' && Number.isFinite(Number(entry))
  return Array.isArray(value) && value.length > 0 && value.every(isNumber) ? value.map(Number) : value
}

function refuseNonFinite(value: unknown, name: string, source: string): void {
  if (!Array.isArray(value)) return
  const row = value.findIndex(hasGap)
  if (row < 0) return
  const needed = Array.isArray(value[row]) ? 'hold finite numbers' : 'be a finite number'
  throw new UsageError(`Row ${row + 1} of ${name} in ${source} is ${show(value[row])}; it must ${needed}.`)
}

/** Whether a number is missing or not finite, in rows of rows too. */
function hasGap(entry: unknown): boolean {
  if (Array.isArray(entry)) return entry.some(hasGap)
  return entry === null || (typeof entry === 'number' && !Number.isFinite(entry))
}

function numberAt(text: string, row: number, name: string, source: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw new UsageError(`Row ${row + 1} of ${name} in ${source} is ${show(text)}; it must be a finite number.`)
}

/** An object whose names are known: another one is an error that names the nearest. */
function guarded(names: readonly string[], source: string, read: (name: string) => unknown): Dataset {
  return new Proxy(Object.fromEntries(names.map((name) => [name, undefined])), {
    get(_, name) {
      if (typeof name !== 'string' || name === 'then' || name === 'toJSON') return undefined
      if (names.includes(name)) return read(name)
      const near = nearest(name, names)
      throw new UsageError(
        `${source} has no ${name}${near ? `; did you mean ${near}?` : `; it has ${names.join(', ')}.`}`,
      )
    },
  })
}
