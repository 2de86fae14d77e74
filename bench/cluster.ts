// A cluster on this machine: what a job costs there and back, SVPG at the scale of its paper on two worker processes
// beside two worker threads, how busy short jobs keep the cores, and in a model where one driver saturates. Needs
// redis-server.
import { cpus } from 'node:os'
import type { SvpgOptions } from '../src/algorithms/svpg/settings.ts'
import { begin, type SvpgState, svpg } from '../src/algorithms/svpg/svpg.ts'
import { encodeMessage } from '../src/cluster/messages.ts'
import type { Job } from '../src/rl/evaluator.ts'
import type { Running } from '../test/cli/steinrl.ts'
import { endWorker, startRedis, startWorker } from '../test/cluster/server.ts'
import { type JobCosts, speedup } from './cluster/model.ts'
import type { Report } from './harness.ts'

/** 16 particles, 10,000 steps each, 100-50-25 tanh and a Gaussian head. */
const PAPER = { env: 'Pendulum-v1', particles: 16, environments: 20, steps: 500, hidden: [100, 50, 25], seed: 0 }

const DEFAULTS = { env: 'CartPole-v1', particles: 16, seed: 0 }

/** 31 KB of theta, and next to nothing to compute. */
const EMPTY = { env: 'CartPole-v1', particles: 1, environments: 1, steps: 1, hidden: [85, 85], seed: 0 }

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

async function timeOf(run: () => unknown): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}

/** Medians of ways to do the same, in turn. */
async function inTurn(ways: readonly (() => unknown)[], times: number): Promise<number[]> {
  const all = ways.map((): number[] => [])
  for (const way of ways) await way()
  for (let k = 0; k < times; k++) for (const [w, way] of ways.entries()) all[w].push(await timeOf(way))
  return all.map(median)
}

function jobsOf(state: SvpgState): Job[] {
  const { theta, carried } = begin(state)
  const step = state.iteration * state.task.steps
  return theta.map((behaviour, particle) => {
    return { particle, step, pass: 0, theta: behaviour, behaviour, carried: carried[particle], context: null }
  })
}

const evaluating =
  (state: SvpgState, jobs = jobsOf(state)) =>
  () =>
    state.workerPool.evaluate(jobs)

async function withStates<T>(options: readonly SvpgOptions[], use: (states: SvpgState[]) => Promise<T>): Promise<T> {
  const states = await Promise.all(options.map((each) => svpg.init(each)))
  try {
    return await use(states)
  } finally {
    for (const state of states) svpg.close(state)
  }
}

type Row = Record<string, string | number>

/** Iterations of one setting by this thread, two threads, and two processes of a cluster. */
const iterations = (name: string, settings: SvpgOptions, address: `redis://${string}`, times: number): Promise<Row> =>
  withStates(
    ([0, 2, address] as const).map((workers) => ({ ...settings, workers })),
    async (states) => {
      const [alone, threads, cluster] = await inTurn(
        states.map((state) => () => svpg.step(state)),
        times,
      )
      return { name, thisThread: alone, twoThreads: threads, cluster, ratio: cluster / threads }
    },
  )

/** There and back, less the evaluation, once driver and workers have been compiled: a run has thousands of jobs. */
const overhead = (address: `redis://${string}`): Promise<number> =>
  withStates([EMPTY, { ...EMPTY, workers: address }], async (states) => {
    const ways = states.map((state) => evaluating(state))
    await inTurn(ways, 1000)
    const [here, there] = await inTurn(ways, 1000)
    return there - here
  })

/** Milliseconds of a short job. */
const SHORT = 50

/** Share of the cores that a thousand jobs of 50 ms keep busy with what they take alone. */
async function busy(address: `redis://${string}`): Promise<Row> {
  const settings = { env: 'CartPole-v1', particles: 4, environments: 32, steps: 250, hidden: [64, 64], seed: 0 }
  const [probe] = await withStates([settings], ([state]) => inTurn([evaluating(state)], 5))
  const long = { ...settings, steps: Math.round((settings.steps * SHORT) / (probe / settings.particles)) }
  return withStates([long, { ...long, particles: 1000, workers: address }], async ([here, there]) => {
    const before = await inTurn([evaluating(here)], 5)
    const jobs = jobsOf(there)
    await there.workerPool.evaluate(jobs.slice(0, 8))
    const whole = await timeOf(evaluating(there, jobs))
    const after = await inTurn([evaluating(here)], 5)
    const one = (before[0] + after[0]) / 2 / long.particles
    return { name: '1,000 jobs on two workers', ms: whole, jobMs: one, busy: (1000 * one) / (2 * whole) }
  })
}

/** What a job of the paper's scale costs, and the part of an iteration that only the driver does. */
const costsOf = (perJob: number): Promise<{ costs: JobCosts; serial: number }> =>
  withStates([PAPER], async ([state]) => {
    await svpg.step(state)
    const jobs = jobsOf(state)
    const [all] = await inTurn([evaluating(state, jobs)], 5)
    const [outcome] = await state.workerPool.evaluate(jobs.slice(0, 1))
    const bytes = encodeMessage(jobs[0]).length + encodeMessage(outcome).length
    const serial = await timeOf(() => svpg.move(state))
    return { costs: { evaluation: all / jobs.length, overhead: perJob, bytes }, serial }
  })

export default async function bench(): Promise<Report> {
  const redis = await startRedis('--appendonly', 'yes')
  const workers: Running[] = []
  try {
    for (let k = 0; k < 2; k++) workers.push(await startWorker(redis.address))
    const perJob = await overhead(redis.address)
    const rows: Row[] = [
      { name: 'a job there and back, 31 KB of theta', ms: perJob },
      await iterations('SVPG at the scale of its paper', PAPER, redis.address, 8),
      await iterations('SVPG on CartPole as it is by default', DEFAULTS, redis.address, 20),
      await busy(redis.address),
    ]
    const { costs, serial } = await costsOf(perJob)
    for (const count of [2, 4, 8, 16, 32, 64])
      rows.push({ name: `model: ${count} workers, a particle each`, speedup: speedup(count, costs, serial), ...costs })
    const rounded = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([k, value]) => [k, typeof value === 'number' ? Number(value.toPrecision(4)) : value]),
      ),
    )
    return { rows: [{ cores: cpus().length }, ...rounded], table: rounded }
  } finally {
    await Promise.all(workers.map(endWorker))
    await redis.stop()
  }
}
