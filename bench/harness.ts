import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { Bench } from 'tinybench'

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

const WARM_UP_MS = 200

/** How long one case is sampled: at least this often and for at least this many seconds. */
interface Sampling {
  minSamples: number
  maxTime: number
}

/** Runs the cases one after the other in one process, and returns the medians of single calls. */
export async function measure(
  title: string,
  cases: readonly Case[],
  { minSamples, maxTime }: Sampling = { minSamples: 20, maxTime: 2 },
): Promise<Row[]> {
  console.log(`Running "${title}" suite...`)
  const bench = new Bench({ iterations: minSamples, time: maxTime * 1000, warmupTime: WARM_UP_MS })
  for (const { name, run } of cases) bench.add(name, run)
  await bench.run()
  return cases.map(({ name, params, derive }, k) => {
    const { result } = bench.tasks[k]
    if (!('latency' in result))
      throw new Error(`${name} could not be measured.`, { cause: 'error' in result && result.error })
    const { p50: ms, min, max, samplesCount: samples } = result.latency
    return { name, params, ms, min, max, samples, ...derive?.(ms) }
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

/** Prints the rows as a table and writes bench/results/NAME.json. */
export async function report(name: string, result: readonly Row[] | Report): Promise<void> {
  const { rows, table } = 'table' in result ? result : timings(result)
  console.table(table)
  const folder = new URL('./results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const file = new URL(`${name}.json`, folder)
  await writeFile(file, `${JSON.stringify({ ...machine(), rows }, null, 2)}\n`)
  console.log(`Written to bench/results/${name}.json`)
}
