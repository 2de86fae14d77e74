import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { show, UsageError } from '../../src/core/errors.ts'

/** A regression set and its standard splits. */
export interface RegressionSet {
  readonly name: string
  readonly rows: number
  readonly columns: number
  /** [rows × columns] */
  readonly values: Float64Array
  /** The columns that are inputs. */
  readonly features: readonly number[]
  /** The column to predict. */
  readonly target: number
  /** The rows of each test set; all others are for training. */
  readonly testSplits: readonly (readonly number[])[]
}

/** The names of the sets in a folder: NAME.csv beside NAME.splits.json. */
export async function setsIn(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch(() => {
    throw new UsageError(`--data must be a folder with NAME.csv and NAME.splits.json, got ${show(folder)}.`)
  })
  const names = files.filter((file) => file.endsWith('.csv')).map((file) => file.slice(0, -'.csv'.length))
  const sets = names.filter((name) => files.includes(`${name}.splits.json`)).sort()
  if (sets.length === 0) throw new UsageError(`There is no NAME.csv with its NAME.splits.json in ${show(folder)}.`)
  return sets
}

/** @throws UsageError naming the file, and the line where one is wrong */
export async function loadSet(folder: string, name: string): Promise<RegressionSet> {
  const csv = join(folder, `${name}.csv`)
  const json = join(folder, `${name}.splits.json`)
  const table = parseTable(await readText(csv), csv)
  return { name, ...table, ...parseSplits(await readText(json), json, table) }
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}.`)
  })
}

type Table = Pick<RegressionSet, 'rows' | 'columns' | 'values'>

/** Numbers separated by commas, one row a line, no header. */
export function parseTable(text: string, file: string): Table {
  const lines = text.trimEnd().split(/\r?\n/)
  const columns = lines[0].split(',').length
  const values = new Float64Array(lines.length * columns)
  lines.forEach((line, row) => {
    const cells = line.split(',')
    if (cells.length !== columns) {
      throw new UsageError(`${file}, line ${row + 1}: expected ${columns} cells as in line 1, got ${cells.length}.`)
    }
    cells.forEach((cell, column) => {
      const value = cell.trim() === '' ? Number.NaN : Number(cell)
      if (!Number.isFinite(value)) {
        throw new UsageError(`${file}, line ${row + 1}, cell ${column + 1}: ${show(cell)} is not a finite number.`)
      }
      values[row * columns + column] = value
    })
  })
  return { rows: lines.length, columns, values }
}

type Splits = Pick<RegressionSet, 'features' | 'target' | 'testSplits'>

/** {"features": columns, "target": column, "testSplits": [rows of the first test set, ...]}, all counted from 0. */
export function parseSplits(text: string, file: string, { rows, columns }: Omit<Table, 'values'>): Splits {
  const { features, target, testSplits } = parseRecord(text, file)
  const among = (count: number) => (value: unknown) => isIndex(value, count)
  const all = (value: unknown, count: number) => Array.isArray(value) && value.length > 0 && value.every(among(count))
  if (!all(features, columns) || !isIndex(target, columns)) {
    throw new UsageError(
      `${file}: features and target must be columns from 0 to ${columns - 1}, got ${show(features)} and ${show(target)}.`,
    )
  }
  const splits = Array.isArray(testSplits) ? testSplits : []
  const wrong = splits.findIndex((split) => !all(split, rows) || new Set(split).size !== split.length)
  if (splits.length === 0 || wrong >= 0) {
    const which = splits.length === 0 ? 'testSplits' : `testSplits[${wrong}]`
    throw new UsageError(`${file}: ${which} must hold distinct rows from 0 to ${rows - 1}.`)
  }
  return { features: features as number[], target: target as number, testSplits: splits }
}

const isIndex = (value: unknown, count: number) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count

function parseRecord(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // The sentence below says as much as the parser's.
  }
  throw new UsageError(`${file} is not a JSON record with features, target and testSplits.`)
}
