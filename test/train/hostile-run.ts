// Many damaged run directories, in processes of their own: `npm run fuzz -- [cases] [first]`. Ends with 1 when a case
// takes more than 5 s of a processor, a minute or 1 GB, or ends in anything but a result or a sentence.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { damagedCase, trainRuns } from './hostile.ts'

const MOST_CPU_MS = 5000
/** By the clock, which also goes on where a busy machine leaves us no processor. */
const LONGEST_MS = 60_000
const MOST_BYTES = 1024 ** 3
const self = fileURLToPath(import.meta.url)

/** Plays cases and tells of each on a line; ends when the input does. */
async function play(first: number, end: number, scratch: string, runs: readonly string[]): Promise<void> {
  for (let number = first; number < end; number++) {
    const before = process.cpuUsage()
    const told = await damagedCase(number, runs, scratch).then(
      ({ refusal }) => ({ refusal }),
      (error: Error) => ({ wrong: error.message }),
    )
    const { user, system } = process.cpuUsage(before)
    console.log(JSON.stringify({ number, memory: process.memoryUsage.rss(), cpu: (user + system) / 1000, ...told }))
  }
}

interface Told {
  readonly number: number
  readonly memory: number
  /** Time of a processor, in ms. */
  readonly cpu: number
  readonly refusal?: string | null
  readonly wrong?: string
}

/** Cases from `first` on in one process. Returns the next case to play and what was wrong with the last one. */
function batch(first: number, end: number, scratch: string, runs: readonly string[], onCase: (told: Told) => void) {
  return new Promise<{ next: number; wrong: string | null }>((resolve) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', self, '--play', String(first), String(end), scratch, ...runs],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let next = first
    let wrong: string | null = null
    let timer: NodeJS.Timeout | undefined
    const watch = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        wrong = `case ${next} still runs after ${LONGEST_MS / 1000} s`
        child.kill('SIGKILL')
      }, LONGEST_MS)
    }
    watch()
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told: Told = JSON.parse(line)
      onCase(told)
      next = told.number + 1
      if (told.memory > MOST_BYTES) {
        wrong = `case ${told.number} takes ${Math.round(told.memory / 1e6)} MB`
        child.kill('SIGKILL')
      }
      if (told.cpu > MOST_CPU_MS) {
        wrong = `case ${told.number} takes ${Math.round(told.cpu)} ms`
        child.kill('SIGKILL')
      }
      watch()
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (!wrong && code !== 0) wrong = `case ${next} ended the process with ${code}`
      resolve({ next: wrong?.startsWith(`case ${next} `) ? next + 1 : next, wrong })
    })
  })
}

async function main(cases: number, first: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-fuzz-'))
  const runs = await trainRuns(directory)
  const counts = { played: 0, refused: 0 }
  const wrong: string[] = []
  const onCase = (told: Told) => {
    if (told.wrong) {
      wrong.push(told.wrong)
      console.log(told.wrong)
    }
    if (!told.wrong) counts[told.refusal === null ? 'played' : 'refused']++
    if (told.number % 1000 === 999) console.log(`${told.number + 1}: ${JSON.stringify(counts)}, ${wrong.length} wrong`)
  }
  // A new process now and then: memory that a case leaves is not the next one's.
  for (let next = first; next < first + cases; ) {
    const end = Math.min(next + 500, first + cases)
    const ended = await batch(next, end, join(directory, 'scratch'), runs, onCase)
    if (ended.wrong) wrong.push(ended.wrong)
    next = ended.next
  }
  await rm(directory, { recursive: true, force: true })
  console.log(`${cases} cases: ${counts.played} played, ${counts.refused} refused, ${wrong.length} wrong`)
  for (const each of wrong) console.log(`- ${each}`)
  process.exitCode = wrong.length > 0 ? 1 : 0
}

if (process.argv[2] === '--play') {
  const [first, end, scratch, ...runs] = process.argv.slice(3)
  await play(Number(first), Number(end), scratch, runs)
} else await main(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 0))
