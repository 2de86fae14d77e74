// The same bits in every runtime that is here. Run by `npm run conformance`:
//
//     --record            writes checkpoints-of-node.ts, and recorded.json from the first runtime
//     --only a,b          these runtimes
//     --require a,b       fails where one of these is missing (a difference always fails)
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Built, packageProgram, type Runtime, runtimes, withProgram } from '../runtimes.ts'
import { makeCheckpoints } from './checkpoints.ts'
import type { Results } from './sections.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const recordedFile = here('recorded.json')
const names = runtimes.map(({ name }) => name)

interface Column {
  readonly runtime: string
  readonly version: string
  readonly results: Results
  readonly seconds: number
}

type Found = Column | 'missing' | 'failed'

/** Runtimes at a time: each is busy on one core for most of its run. */
const AT_ONCE = Math.min(availableParallelism(), 2)

function list(option: string, text: string | undefined): string[] | null {
  if (text === undefined) return null
  const wanted = text.split(',')
  const unknown = wanted.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`--${option} takes some of ${names.join(',')}, got "${unknown}".`)
  return wanted
}

/** Names whose hashes are not as recorded; 'nothing recorded' where the section is new. */
function differences(section: string, found: Results, recorded: Results): string[] {
  if (!recorded[section]) return ['nothing recorded']
  const all = new Set([...Object.keys(found[section]), ...Object.keys(recorded[section])])
  return [...all].filter((name) => found[section][name] !== recorded[section][name])
}

function cell(section: string, { results }: Column, recorded: Results): string {
  if (!results[section]) return '-'
  const differing = differences(section, results, recorded)
  return differing.length === 0 ? 'same' : `${differing.length} differ`
}

function printTable(columns: readonly Column[], recorded: Results): void {
  const sections = Object.keys(columns[0].results)
  const counts = (section: string) => Object.keys(columns[0].results[section]).length
  console.table(
    Object.fromEntries(
      sections.map((section) => [
        section,
        {
          results: counts(section),
          ...Object.fromEntries(columns.map((column) => [column.runtime, cell(section, column, recorded)])),
        },
      ]),
    ),
  )
  for (const { runtime, version, seconds } of columns) console.log(`${runtime} ${version}: ${seconds.toFixed(1)} s`)
}

async function columnOf(runtime: Runtime, built: Built): Promise<Found> {
  const version = await runtime.find()
  if (version === null) return 'missing'
  const started = performance.now()
  try {
    const results = (await runtime.run(built)) as Results
    return { runtime: runtime.name, version, results, seconds: (performance.now() - started) / 1000 }
  } catch (error) {
    console.error(`${runtime.name} ${version} failed: ${error instanceof Error ? error.message : error}`)
    return 'failed'
  }
}

async function recordCheckpoints(): Promise<void> {
  const made = Object.entries(await makeCheckpoints()).map(([name, text]) => `  ${name}: '${text}',\n`)
  await writeFile(
    here('checkpoints-of-node.ts'),
    `export const recorded: Readonly<Record<string, string>> = {\n${made.join('')}}\n`,
  )
}

async function main(): Promise<void> {
  const options = { record: { type: 'boolean' }, only: { type: 'string' }, require: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  if (values.record) await recordCheckpoints()
  const required = list('require', values.require) ?? []
  const chosen = list('only', values.only) ?? (values.require ? required : names)
  const program = packageProgram({
    process: here('entries/process.ts'),
    page: here('entries'),
    worker: here('entries/worker.ts'),
  })
  const asked = runtimes.filter(({ name }) => chosen.includes(name))
  const found: Found[] = []
  await withProgram(program, async (built) => {
    const left = [...asked.keys()]
    const lane = async () => {
      for (let k = left.shift(); k !== undefined; k = left.shift()) found[k] = await columnOf(asked[k], built)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
  })
  const columns = found.filter((one): one is Column => typeof one === 'object')
  const missing = asked.filter((_, k) => found[k] === 'missing').map(({ name }) => name)
  let failed = found.includes('failed')
  if (columns.length === 0) throw new Error('No runtime has run.')
  if (values.record) await writeFile(recordedFile, `${JSON.stringify(columns[0].results, null, 2)}\n`)
  const recorded = JSON.parse(await readFile(recordedFile, 'utf8')) as Results
  printTable(columns, recorded)
  for (const { runtime, results } of columns) {
    for (const section of Object.keys(results)) {
      const differing = differences(section, results, recorded)
      if (differing.length === 0) continue
      failed = true
      console.log(`${runtime}, ${section}: ${differing.join('; ')}`)
    }
  }
  if (missing.length > 0) console.log(`Missing here: ${missing.join(', ')}.`)
  const absent = required.filter((name) => missing.includes(name))
  if (failed || absent.length > 0) process.exitCode = 1
  else console.log('The same bits everywhere.')
}

await main()
