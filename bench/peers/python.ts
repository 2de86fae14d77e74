import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { sacConfig } from '../../src/algorithms/sac/settings.ts'

// Peers that run in Python, each in a process of its own.

const PYTHON = process.env.PYTHON || 'python3'

/** Whether Python has a module; says so where not. */
export function hasPython(module: string): boolean {
  const { status } = spawnSync(PYTHON, ['-c', `import ${module}`])
  const tried = `"${PYTHON} -c 'import ${module}'" fails (PYTHON names another)`
  if (status !== 0) console.log(`${module}: not measured, ${tried}.`)
  return status === 0
}

/** What a script of this folder prints as JSON. `more` arguments follow the first; `input` is what it reads. */
export function runPython<T>(
  script: string,
  argument: object,
  { more = [], input }: { more?: readonly string[]; input?: Uint8Array } = {},
): T {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const words = [file, JSON.stringify(argument), ...more]
  const { status, stdout, stderr } = spawnSync(PYTHON, words, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${script} failed: ${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as T
}

/** Of some steps: ms, and ms of processor time in all threads, which tells more where others use the machine too. */
export type Chunk = readonly [ms: number, processorMs: number]

/** Settings of soft actor-critic, its task, how many steps it is to take and of how many one time is taken. */
export type SacTask = ReturnType<typeof sacConfig> & { readonly env: string; readonly steps: number; chunk: number }

interface SacTimes {
  readonly chunks: readonly Chunk[]
  readonly versions: Readonly<Record<'library' | 'torch' | 'python', string>>
}

/** The whole loop of soft actor-critic of another library. */
export function sacInPython(library: 'stable_baselines3' | 'sbx', task: SacTask, threads: number): SacTimes {
  const { env, hidden, learningRate, batchSize, warmup, seed, steps, chunk } = task
  const settings = { library, env, hidden, learningRate, batchSize, warmup, seed, steps, chunk, threads, episodes: 0 }
  return runPython('sac_python.py', settings)
}
