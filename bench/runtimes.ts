import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Runtime, runtimes, withProgram } from '../test/runtimes.ts'
import type { Report } from './harness.ts'
import { buildPage, buildProcess } from './runtimes/build.ts'
import { subjects } from './runtimes/cases.ts'
import type { Timing } from './runtimes/measure.ts'
import { duration, type RuntimeRow } from './runtimes/results.ts'

/**
 * The same code timed in every runtime that is here, one after the other. Not in workerd: its clocks stand still while code
 * runs.
 */
export default async function bench(): Promise<Report> {
  const program = {
    process: buildProcess,
    site: (outDir: string) => buildPage(outDir, '{ "rows": [] }'),
    query: '?measure',
  }
  const rows: RuntimeRow[] = []
  await withProgram(program, async (built) => {
    for (const runtime of runtimes.filter(({ name }) => name !== 'workerd')) {
      const version = await runtime.find()
      if (version === null) console.log(`${runtime.name}: missing here, not measured.`)
      else rows.push({ runtime: runtime.name, version, timings: await timingsOf(runtime, built) })
    }
  })
  return { rows, table: rows.map(tableLine) }
}

async function timingsOf(runtime: Runtime, built: Parameters<Runtime['run']>[0]): Promise<Record<string, Timing>> {
  console.log(`Measuring in ${runtime.name} …`)
  return (await runtime.run(built)) as Record<string, Timing>
}

/** Medians, in brackets the fastest. */
function tableLine({ runtime, timings }: RuntimeRow) {
  const cells = subjects.map(({ name }) => [
    name,
    `${duration(timings[name].median)} (${duration(timings[name].fastest)})`,
  ])
  return { runtime, ...Object.fromEntries(cells) }
}

/** What was recorded last, for the page. */
export async function recordedResults(): Promise<string> {
  const file = new URL('./results/runtimes.json', import.meta.url)
  return existsSync(file) ? readFile(file, 'utf8') : '{ "rows": [] }'
}
