import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import benny from 'benny'

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
  run: () => void
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

/** Runs the cases one after the other under benny, in one process, and returns their medians. */
export async function measure(title: string, cases: readonly Case[]): Promise<Row[]> {
  const options = { minSamples: 20, maxTime: 2 }
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

/** Prints the rows as a table and writes bench/results/NAME.json. */
export async function report(name: string, rows: readonly Row[]): Promise<void> {
  console.table(
    rows.map(({ params, samples, ...row }) => ({
      ...row,
      ms: row.ms.toPrecision(4),
      min: row.min.toPrecision(4),
      max: row.max.toPrecision(4),
    })),
  )
  const folder = new URL('./results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const file = new URL(`${name}.json`, folder)
  await writeFile(file, `${JSON.stringify({ ...machine(), rows }, null, 2)}\n`)
  console.log(`Written to bench/results/${name}.json`)
}
