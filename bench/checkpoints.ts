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
  /** Iterations before the clock starts. */
  readonly before: number
  /** Iterations of which one time is taken, and how many of these each run has. */
  readonly block: number
  readonly blocks: number
}

const FULL = 1_000_000
/** Of an iteration, each with a gradient step. */
const STEPS = 250

const SETTINGS: readonly Setting[] = [
  { name: 'svpg, the default run', options: { env: 'CartPole-v1' }, before: 5, block: 3, blocks: 80 },
  {
    name: 'sac, a full replay of a million',
    // Uniform actions until the replay is full, then a gradient step after each step, with the default networks.
    options: { algorithm: 'sac', env: 'Pendulum-v1', warmup: FULL, replaySize: FULL, steps: STEPS } as AnyTrainOptions,
    ...{ before: FULL / STEPS + 1, block: 1, blocks: 8 },
  },
]

/**
 * What a checkpoint after every iteration costs: two runs of the same settings take turns in one process, of which one
 * writes checkpoints and the other metrics alone. Wall time says what a user waits, where nothing else runs; processor
 * time what it is made of, also where other programs do.
 */
export default async function bench([only]: readonly string[]): Promise<Report> {
  const rows = []
  for (const setting of SETTINGS.filter(({ name }) => !only || name.startsWith(only))) {
    rows.push(await benchSetting(setting))
    console.log(JSON.stringify(rows.at(-1)))
  }
  return { rows, table: rows }
}

async function benchSetting({ name, options, before, block, blocks }: Setting) {
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-bench-'))
  const iterations = before + block * blocks + 1
  const given = { ...options, iterations } as AnyTrainOptions
  try {
    const from = await checkpointAfter(before - 1, given)
    const runs = [await recorded(0, from), await recorded(1e9, from)]
    // The first one writes all of a replay.
    for (const steps of runs) await advance(steps, 1)
    const times: number[][] = [[], []]
    const busy: number[][] = [[], []]
    for (let k = 0; k < 2 * blocks; k++) {
      // A, B, B, A: neither has the better half of a machine that becomes slower.
      const which = (k + (k >> 1)) % 2
      const started = performance.now()
      const before = process.cpuUsage()
      await advance(runs[which], block)
      times[which].push((performance.now() - started) / block)
      // What one still writes is not in the time of the other.
      await setTimeout(200)
      const { user, system } = process.cpuUsage(before)
      busy[which].push((user + system) / 1000 / block)
    }
    for (const steps of runs) await steps.return(undefined)
    const [ms, alone] = times.map((all) => Math.min(...all))
    const [medianMs, medianAlone] = times.map(median)
    const [cpu, cpuAlone] = busy.map(median)
    const percent = (a: number, b: number) => Number((100 * (a / b - 1)).toFixed(2))
    return {
      ...{ name, iterations: blocks * block, ms: Number(ms.toFixed(1)), without: Number(alone.toFixed(1)) },
      ...{ 'cost %': percent(ms, alone), 'of medians %': percent(medianMs, medianAlone) },
      ...{ cpuMs: Number(cpu.toFixed(1)), 'of processor time %': percent(cpu, cpuAlone) },
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }

  async function recorded(checkpointEvery: number, from: Uint8Array) {
    const run = await createRun(join(directory, String(checkpointEvery)), runConfig(given))
    return record(run, train({ resume: from }), { checkpointEvery })
  }
}

async function checkpointAfter(iteration: number, options: AnyTrainOptions): Promise<Uint8Array> {
  for await (const step of train(options as AnyTrainOptions & { algorithm: 'sac' }))
    if (step.iteration === iteration) return step.checkpoint()
  throw new Error(`The run has fewer than ${iteration} iterations.`)
}

async function advance(steps: AsyncGenerator<AnyTrainStep>, iterations: number): Promise<void> {
  for (let k = 0; k < iterations; k++) await steps.next()
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]
