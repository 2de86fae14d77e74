import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import benny from 'benny'
import { UsageError } from '../src/core/errors.ts'

/** One measured figure. */
export interface Row {
  name: string
  params: Record<string, number | string>
  /** Median time of one call. */
  ms: number
  /** Fastest and slowest call. */
  min: number
  max: number
  samples: number
  [extra: string]: unknown
}

export interface Case {
  name: string
  params: Row['params']
  run: () => unknown
  /** Figures that follow from the median time in ms. */
  derive?: (ms: number) => Record<string, number>
}

/** Where and with what the figures were measured. */
export function machine() {
  return {
    machine: { cpu: cpus()[0].model.trim(), cores: cpus().length, arch: process.arch, platform: process.platform },
    runtime: { node: process.versions.node, v8: process.versions.v8 },
    date: new Date().toISOString(),
  }
}

/** How long benny samples one case: both at least this often and for about this many seconds. */
interface Sampling {
  minSamples: number
  maxTime: number
}

/** Runs the cases one after the other under benny, in one process, and returns their medians. */
export async function measure(
  title: string,
  cases: readonly Case[],
  options: Sampling = { minSamples: 20, maxTime: 2 },
): Promise<Row[]> {
  const tests = cases.map(({ name, run }) => benny.add(name, run, options))
  const summary = await benny.suite(
    title,
    ...tests,
    benny.cycle(() => ''),
    benny.complete(),
  )
  return cases.map(({ name, params, derive }, k) => {
    const { median, min, max } = summary.results[k].details
    const ms = median * 1000
    const samples = summary.results[k].samples
    return { name, params, ms, min: min * 1000, max: max * 1000, samples, ...derive?.(ms) }
  })
}

/** What a suite hands back whose rows are not timings of calls: what is written, and how it is printed. */
export interface Report {
  rows: readonly object[]
  table: readonly object[]
}

const timings = (rows: readonly Row[]): Report => ({
  rows,
  table: rows.map(({ params, samples, ...row }) => ({
    ...row,
    ms: row.ms.toPrecision(4),
    min: row.min.toPrecision(4),
    max: row.max.toPrecision(4),
  })),
})

/** Columns that a line of the table may have. */
const WIDTH = 100

/** A table without quotes or borders; what does not fit beside the names of the columns goes on below. */
export function tableOf(rows: readonly object[], width = WIDTH): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const columns = names.map((name) => {
    const cells = [name, ...rows.map((row) => shown((row as Record<string, unknown>)[name]))]
    const wide = Math.min(Math.max(...cells.map((cell) => cell.length)), width - 2)
    return cells.map((cell) => cell.slice(0, wide).padEnd(wide))
  })
  const blocks: string[][][] = [[]]
  for (const column of columns) {
    const block = blocks.at(-1) as string[][]
    const used = block.reduce((sum, [head]) => sum + head.length + 2, 0)
    if (block.length > 0 && used + column[0].length > width) blocks.push([column])
    else block.push(column)
  }
  const lines = (block: string[][]) =>
    block[0].map((_, k) =>
      block
        .map((column) => column[k])
        .join('  ')
        .trimEnd(),
    )
  return blocks.map((block) => lines(block).join('\n')).join('\n\n')
}

const shown = (value: unknown): string =>
  value === undefined
    ? ''
    : typeof value === 'number'
      ? String(Number(value.toPrecision(4)))
      : typeof value === 'string'
        ? value
        : JSON.stringify(value)

/** Says so where other programs keep the machine busy. */
export function warnOfBusyMachine(load: number, cores: number): string | null {
  if (load < cores / 2) return null
  return `The machine is busy: load ${load.toFixed(1)} on ${cores} cores. Only ratios within this run mean anything.`
}

/** Prints the rows as a table, and writes bench/results/NAME.json where they are to be recorded. */
export async function report(name: string, result: readonly Row[] | Report, isRecorded: boolean): Promise<void> {
  const { rows, table } = 'table' in result ? result : timings(result)
  console.log(tableOf(table))
  if (!isRecorded) return void console.log(`Not written: --record writes bench/results/${name}.json.`)
  const folder = new URL('./results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const file = new URL(`${name}.json`, folder)
  await writeFile(file, `${JSON.stringify({ ...machine(), rows }, null, 2)}\n`)
  console.log(`Written to bench/results/${name}.json`)
}

/**
 * The options behind the name of a bench.
 *
 * @throws UsageError for one that it has not
 */
export function optionsIn<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
