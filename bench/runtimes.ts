import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { runtimes, withProgram } from '../test/runtimes.ts'
import type { Report } from './harness.ts'
import { buildPage, buildProcess } from './runtimes/build.ts'
import { subjects } from './runtimes/cases.ts'
import type { Timing } from './runtimes/measure.ts'
import { duration, type RuntimeRow } from './runtimes/results.ts'

/**
 * The same code timed in every runtime that is here, one after the other. Not in workerd: its clocks stand still while
 * code runs.
 */
export default async function bench(): Promise<Report> {
  const program = {
    process: buildProcess,
    site: (outDir: string) => buildPage(outDir, '{ "rows": [] }'),
    query: '?measure',
  }
  const rows = new Map<string, RuntimeRow>()
  await withProgram(program, async (built) => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const runtime of runtimes.filter(({ name }) => name !== 'workerd')) {
        const version = await runtime.find()
        if (version === null) {
          if (round === 0) console.log(`${runtime.name}: missing here, not measured.`)
          continue
        }
        console.log(`Round ${round + 1} of ${ROUNDS}: ${runtime.name} ${version}`)
        const timings = (await runtime.run(built)) as Record<string, Timing>
        rows.set(runtime.name, calmest({ runtime: runtime.name, version, timings }, rows.get(runtime.name)))
      }
    }
  })
  const measured = [...rows.values()]
  return { rows: measured, table: subjects.map(({ name }) => tableLine(name, measured)) }
}

/** All runtimes are measured several times in turn, because a machine is not equally calm at all times. */
const ROUNDS = 3

/** Of each subject the round with the least median, and the fastest sample of all rounds. */
function calmest(row: RuntimeRow, earlier: RuntimeRow | undefined): RuntimeRow {
  if (!earlier) return row
  const timings = Object.fromEntries(
    Object.entries(row.timings).map(([name, timing]) => {
      const other = earlier.timings[name]
      const calmer = other.median < timing.median ? other : timing
      return [name, { ...calmer, fastest: Math.min(timing.fastest, other.fastest) }]
    }),
  )
  return { ...row, timings }
}

/** Medians, in brackets the fastest. */
function tableLine(name: string, rows: readonly RuntimeRow[]) {
  const cells = rows.map(({ runtime, timings }) => [
    runtime,
    `${duration(timings[name].median)} (${duration(timings[name].fastest)})`,
  ])
  return { subject: name, ...Object.fromEntries(cells) }
}

/** What was recorded last, for the page. */
export async function recordedResults(): Promise<string> {
  const file = new URL('./results/runtimes.json', import.meta.url)
  return existsSync(file) ? readFile(file, 'utf8') : '{ "rows": [] }'
}
