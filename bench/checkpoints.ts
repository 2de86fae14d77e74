import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createRun, record } from '../src/train/record.ts'
import { type AnyTrainOptions, type AnyTrainStep, runConfig, train } from '../src/train/train.ts'
import type { Report } from './harness.ts'

interface Setting {
  readonly name: string
  readonly options: AnyTrainOptions
  /** Iterations before the clock starts, in each of the two runs. */
  readonly before: number
  /** Iterations of which one time is taken, and how many of these each run has. */
  readonly block: number
  readonly blocks: number
}

const FULL = 1_000_000

const SETTINGS: readonly Setting[] = [
  { name: 'svpg, the default run', options: { env: 'CartPole-v1' }, before: 5, block: 5, blocks: 5 },
  {
    name: 'sac, a full replay of a million',
    // Uniform actions until the replay is full, then a gradient step after each step, with the default networks.
    options: { algorithm: 'sac', env: 'Pendulum-v1', warmup: FULL, replaySize: FULL, steps: 1000 } as AnyTrainOptions,
    ...{ before: FULL / 1000 + 1, block: 1, blocks: 4 },
  },
]

/**
 * What a checkpoint after every iteration costs: two runs of the same settings take turns in one process, of which one
 * writes checkpoints and the other metrics alone.
 */
export default async function bench(): Promise<Report> {
  const rows = []
  for (const setting of SETTINGS) rows.push(await benchSetting(setting))
  return { rows, table: rows }
}

async function benchSetting({ name, options, before, block, blocks }: Setting) {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-bench-'))
  const iterations = before + block * blocks + 1
  try {
    const runs = [await recorded(0), await recorded(1e9)]
    for (const steps of runs) await advance(steps, before)
    const times: number[][] = [[], []]
    for (let k = 0; k < 2 * blocks; k++) {
      // A, B, B, A: neither has the better half of a machine that becomes slower.
      const which = (k + (k >> 1)) % 2
      const started = performance.now()
      await advance(runs[which], block)
      times[which].push((performance.now() - started) / block)
      // What one still writes is not in the time of the other.
      await setTimeout(200)
    }
    for (const steps of runs) await steps.return(undefined)
    const [ms, alone] = times.map((all) => Math.min(...all))
    const [medianMs, medianAlone] = times.map(median)
    const percent = (a: number, b: number) => Number((100 * (a / b - 1)).toFixed(2))
    return {
      ...{ name, iterations: blocks * block, ms: Number(ms.toFixed(1)), without: Number(alone.toFixed(1)) },
      ...{ 'cost %': percent(ms, alone), 'of medians %': percent(medianMs, medianAlone) },
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }

  async function recorded(checkpointEvery: number) {
    const given = { ...options, iterations } as AnyTrainOptions
    const run = await createRun(join(directory, String(checkpointEvery)), runConfig(given))
    return record(run, train(given as AnyTrainOptions & { algorithm: 'sac' }), { checkpointEvery })
  }
}

async function advance(steps: AsyncGenerator<AnyTrainStep>, iterations: number): Promise<void> {
  for (let k = 0; k < iterations; k++) await steps.next()
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]
