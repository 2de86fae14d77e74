import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../src/core/errors.ts'
import { finite, quantile } from '../src/core/statistics.ts'
import { presets } from '../src/train/presets.ts'
import { optionsIn, type Report } from './harness.ts'
import { hasPython, runPython } from './peers/python.ts'

const TASK = { env: 'CartPole-v1', goal: 475, episodes: 100, checkEvery: 4096 } as const

/** PPO's settings for CartPole-v1 in the zoo of stable-baselines3; the two rates fall to 0. */
const ZOO = {
  steps: 100_000,
  environments: 8,
  settings: {
    ...{ n_steps: 32, batch_size: 256, gae_lambda: 0.8, gamma: 0.98, n_epochs: 20, ent_coef: 0 },
    ...{ learning_rate: 0.001, clip_range: 0.2 },
  },
} as const

/** What a process found when it ended. */
interface Solved {
  /** Since the process was started, without those of evaluations. */
  readonly seconds: number
  /** The same of the processor, in all threads. */
  readonly processor: number
  readonly evaluating: number
  readonly transitions: number
  readonly meanReturn: number
  readonly isSolved: boolean
  readonly versions: Readonly<Record<string, string>>
}

type Contender = (seed: number) => Solved

const trained = (settings: object): Contender => {
  const script = fileURLToPath(new URL('solve/steinrl.js', import.meta.url))
  return (seed) => {
    const argument = JSON.stringify({ ...TASK, began: Date.now(), settings: { ...settings, seed } })
    const { status, stdout, stderr } = spawnSync('node', [script, argument], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`steinrl.js failed: ${stderr}`)
    return JSON.parse(stdout) as Solved
  }
}

const inPython =
  (library: string, threads: number): Contender =>
  (seed) =>
    runPython('solve_ppo.py', { ...TASK, ...ZOO, library, threads, seed, began: Date.now() })

/** Sixteen policies that share what they learn; the one that did best in training is evaluated. */
const SVPG = { algorithm: 'svpg', particles: 16, temperature: 10, iterations: 60 }

/**
 * Seconds until CartPole-v1 is solved, from the start of a process: a mean return of 475 in 100 greedy episodes, which
 * are played every 4,096 transitions (or iteration, where that is longer) with the clock standing still. With the
 * settings that suit each best: PPO by its preset, the best of a population of SVPG, and PPO of stable-baselines3 and
 * of sbx by those of its zoo. `--seeds` is how many are tried of each. It measures dist/, so build first.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const { seeds } = optionsIn(args, { seeds: { type: 'string', default: '5' } })
  const count = Number(seeds)
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--seeds must be a whole number from 1, got ${seeds}.`)
  const contenders: [string, Contender][] = [
    ['steinrl, PPO', trained({ algorithm: 'ppo', ...presets.ppo['CartPole-v1'] })],
    ['steinrl, best of 16 by SVPG', trained(SVPG)],
  ]
  for (const library of ['stable_baselines3', 'sbx'])
    if (hasPython(library)) contenders.push([`${library}, PPO`, inPython(library, 1)])
  const found = contenders.map(([name, solve]) =>
    summary(
      name,
      Array.from({ length: count }, (_, seed) => solve(seed)),
    ),
  )
  const [first] = found
  const rows = found.map((row) => ({
    ...row,
    slower: row.seconds && first.seconds && Number((row.seconds / first.seconds).toPrecision(3)),
  }))
  const table = rows.map(({ name, versions, seconds, processor, fastest, slowest, transitions, solved, slower }) => ({
    ...{ name: `${name}${versions}`, seconds, fastest, slowest, 'of processor': processor, transitions },
    ...{ solved: `${solved} of ${count}`, slower },
  }))
  return { rows, table }
}

/** Medians of all runs; one that solved nothing counts as slower than any that did. */
function summary(name: string, runs: readonly Solved[]) {
  const middle = (values: readonly number[]) => finite(quantile(values, 0.5))
  const seconds = runs.map((run) => (run.isSolved ? run.seconds : Number.POSITIVE_INFINITY))
  const { node, python, ...library } = runs[0].versions
  return {
    name,
    versions: Object.values(library)
      .map((version) => ` ${version}`)
      .join(''),
    seconds: middle(seconds),
    processor: middle(runs.map((run) => (run.isSolved ? run.processor : Number.POSITIVE_INFINITY))),
    fastest: finite(Math.min(...seconds)),
    slowest: finite(Math.max(...seconds)),
    transitions: middle(runs.map((run) => (run.isSolved ? run.transitions : Number.POSITIVE_INFINITY))),
    solved: runs.filter(({ isSolved }) => isSolved).length,
    runs,
  }
}
