import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generator, uniformInteger } from '../../src/core/generator.ts'

// Trainings that are killed by SIGKILL and go on, as often as they are killed, until they are done. What they leave
// must be the bytes of one that was not killed.

const root = fileURLToPath(new URL('../..', import.meta.url))
const cli = join(root, 'dist/cli/main.js')
const killAt = new URL('kill-at.mjs', import.meta.url).href

const svpg = ['--particles', '2', '--environments', '2', '--steps', '16', '--hidden', '4', '--iterations', '5']
const offPolicy = ['--hidden', '4', '--batch-size', '8', '--warmup', '8', '--steps', '16', '--iterations', '5']

const adr = [
  ...['adr', 'Pendulum-v1', '--ranges', 'mass=0.5:2', '--particles', '2', '--moves', '1', '--steps', '16'],
  ...['--hidden', '4', '--particle-hidden', '4', '--transition-hidden', '4', '--iterations', '4'],
]

/** What is trained: algorithm, task and settings. */
export const TRAININGS: readonly (readonly string[])[] = [
  ['svpg', 'CartPole-v1', ...svpg, '--workers', '0'],
  ['svpg', 'CartPole-v1', ...svpg, '--workers', '2'],
  ['svpg', 'CartPole-v1', ...svpg, '--estimator', 'ppo', '--critic-hidden', '4', '--epochs', '2', '--workers', '0'],
  ['sac', 'Pendulum-v1', ...offPolicy, '--replay-size', '40'],
  ['sql', 'Pendulum-v1', ...offPolicy, '--particles', '8', '--value-particles', '4'],
  [
    ...['sql-compose', 'MultiGoal-v0', ...offPolicy, '--components', '[{"goal1X":0},{"goal1Y":0}]'],
    ...['--component-iterations', '3', '--particles', '8', '--value-particles', '4'],
  ],
  ['s2ac', 'Pendulum-v1', ...offPolicy, '--particles', '4', '--svgd-steps', '2'],
  [...adr, '--workers', '0'],
  [...adr, '--workers', '2'],
]

const COMMON = ['--json', '--eval-episodes', '2']

/** Seconds between two checkpoints: one an iteration, or so seldom that most of a run is done again. */
export const INTERVALS = ['0', '0.01', '1000'] as const

/** When a process is killed: before a change of a file, or after a time; null is never. */
export type Moment = { readonly change: number } | { readonly milliseconds: number } | null

interface Ended {
  readonly signal: string | null
  readonly code: number | null
  readonly stderr: string
}

function run(directory: string, args: readonly string[], moment: Moment): Promise<Ended> {
  const preload = moment && 'change' in moment ? ['--import', killAt] : []
  const env = { ...process.env, KILL_IN: directory, KILL_AT: String(moment && 'change' in moment ? moment.change : -1) }
  const child = spawn(process.execPath, [...preload, cli, 'train', ...args], { cwd: directory, env })
  let stderr = ''
  child.stdout.resume()
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const timer =
    moment && 'milliseconds' in moment ? setTimeout(() => child.kill('SIGKILL'), moment.milliseconds) : undefined
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stderr })
    })
  })
}

/** What a run leaves that must not depend on where it was killed. */
export async function resultsOf(path: string): Promise<Record<string, unknown>> {
  const metrics = (await readFile(join(path, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n')
  return {
    config: await readFile(join(path, 'config.json'), 'utf8'),
    particles: (await readFile(join(path, 'particles.safetensors'))).toString('base64'),
    evaluation: await readFile(join(path, 'evaluation.json'), 'utf8').catch(() => undefined),
    metrics: metrics.map((line) => ({ ...JSON.parse(line), seconds: 0 })),
  }
}

/** The results of a training that is not killed, and how long it took. */
export async function undisturbed(training: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-kills-'))
  try {
    const started = performance.now()
    const { code, stderr } = await run(directory, [...training, ...COMMON, '--out', 'run'], null)
    if (code !== 0) throw new Error(stderr)
    return { results: await resultsOf(join(directory, 'run')), milliseconds: performance.now() - started }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const exists = (path: string) =>
  readFile(path).then(
    () => true,
    () => false,
  )

const isDone = async (path: string) =>
  (await exists(join(path, 'evaluation.json'))) && (await exists(join(path, 'report.html')))

/**
 * A training that is killed at the moments given, one after the other, and then goes on to its end; each time with
 * another number of workers, where it has any.
 *
 * @param every seconds between two checkpoints
 */
export async function killed(training: readonly string[], moments: readonly Moment[], every: string = INTERVALS[0]) {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-kills-'))
  const path = join(directory, 'run')
  let kills = 0
  try {
    for (const [k, moment] of [...moments, null].entries()) {
      // A run that was killed after its last file is one that is done.
      if (await isDone(path)) break
      const goesOn = await exists(join(path, 'config.json'))
      const others = training.includes('--workers') ? ['--workers', String(k % 3)] : []
      const args = goesOn ? ['--resume', path, ...others] : [...training, '--out', path, '--overwrite']
      const { code, signal, stderr } = await run(directory, [...args, ...COMMON, '--checkpoint-every', every], moment)
      if (signal === 'SIGKILL') kills++
      else if (code !== 0) {
        throw new Error(`After ${kills} kills: ${stderr}`)
      } else break
    }
    return { kills, results: await resultsOf(path) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Moments before changes of files, drawn from a seed. */
export function momentsOf(seed: number, count: number, most: number): Moment[] {
  const numbers = generator(seed)
  return Array.from({ length: count }, () => ({ change: uniformInteger(numbers, most) }))
}
