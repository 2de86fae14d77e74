import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, oneOf } from '../src/core/schemas.ts'
import { quantile } from '../src/core/statistics.ts'
import { make } from '../src/envs/make.ts'
import type { Scene } from '../src/envs/render.ts'
import { drawGif } from '../src/play/gif.ts'
import { runSweep } from '../src/sweeps/sweep.ts'
import { runLoggers } from '../src/train/loggers.ts'
import { createRun } from '../src/train/record.ts'
import { evaluate, runConfig, type TrainOptions, train } from '../src/train/train.ts'
import { optionsIn, type Report } from './harness.ts'

const ITERATIONS = 100

/**
 * What a user's daily tools cost, by processor time: the loggers tensorboard and csv in an iteration of the default run
 * on CartPole-v1, a GIF of 500 steps, what a trial of a sweep takes beyond its training and evaluation, and 20 trials
 * of a sweep that is to reach 475 on CartPole-v1. `--only loggers`, `gif`, `trial` or `sweep` measures one of them.
 */
export default async function bench(args: readonly string[]): Promise<Report> {
  const { only } = optionsIn(args, { only: { type: 'string', default: '' } })
  const directory = await mkdtemp(join(tmpdir(), 'steinrl-bench-'))
  try {
    const rows = []
    const all = { loggers, gif, trial, sweep }
    if (only) check(oneOf('--only', Object.keys(all)), only)
    for (const [name, measured] of Object.entries(all)) {
      if (only && name !== only) continue
      rows.push(await measured(directory))
      console.log(JSON.stringify(rows.at(-1)))
    }
    return { rows, table: rows }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Medians over iterations: what the processor does while a step is made, and while the loggers are told of it. */
async function loggers(directory: string) {
  const options: TrainOptions = { env: 'CartPole-v1', iterations: ITERATIONS + 1 }
  const run = await createRun(join(directory, 'run'), runConfig(options))
  const told = ['tensorboard', 'csv'].map((name) => runLoggers[name](run))
  const [steps, tellings]: [number[], number[]] = [[], []]
  let before = process.cpuUsage()
  const spent = () => {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    return (user + system) / 1000
  }
  for await (const step of train(options)) {
    steps.push(spent())
    // The last one shows an episode.
    if (step.iteration > ITERATIONS) break
    for (const logger of told) await logger(step)
    tellings.push(spent())
  }
  // The first compiles.
  const [training, telling] = [steps, tellings].map((all) => quantile(all.slice(1), 0.5) as number)
  return { what: 'loggers tensorboard,csv, ms an iteration', training, telling, share: telling / training }
}

async function gif() {
  const env = await make('CartPole-v1')
  env.reset({ seed: 0 })
  const scenes: Scene[] = []
  for (let t = 0; t <= 500; t++) {
    scenes.push(env.render())
    const { terminated, truncated } = env.step(t % 2)
    if (terminated || truncated) env.reset({ seed: t })
  }
  let bytes = 0
  const ms = await spentBy(async () => {
    bytes = (await drawGif(scenes, { width: 480, framesPerSecond: 50 })).length
  })
  return { what: 'a GIF of 500 steps, 480 wide', seconds: ms / 1000, bytes }
}

/** Trials that are as good as nothing, and how many of them the first start and what is compiled are spread over. */
const NOTHING = { particles: 2, environments: 1, steps: 4 }
const FEW = 8
const MANY = 28

/** What 20 trials more take, less 20 trainings and evaluations by themselves. */
async function trial(directory: string) {
  const space = { learningRate: { from: 1e-3, to: 2e-2, scale: 'log' } } as const
  const shared = { env: 'CartPole-v1', iterations: 1 }
  const ofSweep = (trials: number) =>
    spentBy(async () => {
      const options = { ...shared, settings: NOTHING, space, trials, jobs: 1, objective: { episodes: 1 } }
      for await (const _ of runSweep({ ...options, out: join(directory, `trials-${trials}`) }));
    })
  const alone = (trials: number) =>
    spentBy(async () => {
      for (let k = 0; k < trials; k++)
        for await (const { spec, agents } of train({ ...shared, ...NOTHING, learningRate: 1e-3 * (1 + k) }))
          await evaluate({ spec, ...agents(), episodes: 1 })
    })
  const each = async (all: (trials: number) => Promise<number>) => {
    await all(1)
    const few = await all(FEW)
    return ((await all(MANY)) - few) / (MANY - FEW)
  }
  const [inSweep, byItself] = [await each(ofSweep), await each(alone)]
  return { what: 'a trial of 8 transitions, ms', inSweep, byItself, beyond: inSweep - byItself }
}

/** Milliseconds of the processor. */
async function spentBy(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function sweep(directory: string) {
  const values: number[] = []
  const trials = runSweep({
    ...{ algorithm: 'svpg', env: 'CartPole-v1', transitions: 200_000, trials: 20, jobs: 1 },
    settings: { estimator: 'ppo', particles: 4, environments: 8, discount: 0.98 },
    space: {
      learningRate: { from: 1e-3, to: 2e-2, scale: 'log' },
      steps: { among: [32, 64, 128] },
      epochs: { from: 4, to: 20 },
      minibatches: { among: [1, 2, 4] },
      lambda: { from: 0.8, to: 1 },
    },
    objective: { by: 'evaluation', of: 'best', episodes: 100 },
    out: join(directory, 'sweep'),
  })
  const ms = await spentBy(async () => {
    for await (const { status, value } of trials) if (status === 'finished') values.push(value as number)
  })
  const [first, reached] = [values.findIndex((value) => value >= 475), values.filter((value) => value >= 475).length]
  return { what: '20 trials on CartPole-v1', first, reached, best: Math.max(...values), seconds: ms / 1000 }
}
