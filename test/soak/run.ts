// npm run soak -- --minutes 30, or --rounds 3 for a short form that no slow machine fails: trainings of every
// algorithm, SVGD with threads, vectors, workers, loops left early and errors, over and over; what the process holds,
// by minute or round. It fails where that grows after the first third.
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { type AnyTrainOptions, makeVector, svgd, type TrainOptions, train } from 'steinrl'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, rounds: { type: 'string' } },
})
// glibc gives each thread an arena of malloc, whose holes stay when it has ended: 5 KB a worker, in Node alone as well.
if (process.platform === 'linux' && process.env.MALLOC_ARENA_MAX === undefined) {
  const again = [...process.execArgv, ...process.argv.slice(1)]
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' }
  process.exit(spawnSync(process.execPath, again, { stdio: 'inherit', env }).status ?? 1)
}
const minutes = Number(values.minutes)
const wanted = values.rounds === undefined ? null : Number(values.rounds)

const small = { particles: 2, environments: 2, steps: 16, hidden: [4], iterations: 3 }
const offPolicy = { hidden: [4], batchSize: 8, warmup: 8, steps: 16, iterations: 3 }
const trainings: readonly AnyTrainOptions[] = [
  { env: 'CartPole-v1', ...small },
  { env: 'CartPole-v1', ...small, workers: 2, estimator: 'ppo', criticHidden: [4], epochs: 2 },
  { env: 'CartPole-v1', ...small, kernel: 'js', criticHidden: [4], exploration: 0.5 },
  { algorithm: 'sac', env: 'Pendulum-v1', ...offPolicy },
  { algorithm: 'sql', env: 'Pendulum-v1', ...offPolicy, particles: 8, valueParticles: 4 },
  { algorithm: 's2ac', env: 'Pendulum-v1', ...offPolicy, particles: 4, svgdSteps: 2 },
  {
    algorithm: 'adr',
    env: 'Pendulum-v1',
    ranges: { mass: [0.5, 2] },
    particles: 2,
    steps: 16,
    hidden: [4],
    iterations: 2,
  },
]

/** Trains, goes on from a checkpoint, and leaves the loop early. */
async function trainAll(): Promise<void> {
  for (const options of trainings) {
    let checkpoint: Uint8Array | null = null
    for await (const step of train(options as TrainOptions)) {
      checkpoint = await step.checkpoint()
      break
    }
    for await (const _ of train({ resume: checkpoint as Uint8Array, workers: options.workers }));
  }
}

/** What throws in the middle must free as much as what ends. */
async function fail(): Promise<void> {
  const broken = { ...small, env: 'CartPole-v1', learningRate: 1e38, iterations: 50 }
  await (async () => {
    for await (const _ of train(broken));
  })().catch(() => {})
  await svgd({
    ...{ particles: 10, dimension: 2, iterations: 5 },
    score: (_, out) => void out.fill(Number.NaN),
  }).catch(() => {})
  await train({ resume: new Uint8Array(9) })
    .next()
    .catch(() => {})
}

async function others(): Promise<void> {
  const score = (out: Float32Array, x: Float32Array) => void out.set(x.map((value) => -value))
  await svgd({ particles: 300, dimension: 100, iterations: 3, threads: 2, score })
  const envs = await makeVector('CartPole-v1', { num: 16 })
  envs.reset({ seed: 1 })
  for (let k = 0; k < 20; k++) envs.step(new Float32Array(16))
  envs.close()
}

interface Held {
  readonly minute: number
  readonly residentMB: number
  readonly threads: number
  readonly handles: number
  readonly tensors: number
}

async function held(minute: number): Promise<Held> {
  globalThis.gc?.()
  await setTimeout(200)
  globalThis.gc?.()
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  return {
    minute,
    residentMB: Math.round(process.memoryUsage.rss() / 1e6),
    threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1] ?? 0),
    handles: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length,
    tensors: tf.memory().numTensors,
  }
}

const all: Held[] = []
const started = performance.now()
let rounds = 0

async function round(): Promise<void> {
  await trainAll()
  await fail()
  await others()
  rounds++
}

async function tell(): Promise<void> {
  const minute = Number(((performance.now() - started) / 60_000).toFixed(1))
  all.push(await held(minute))
  console.log(JSON.stringify({ ...all.at(-1), rounds }))
}

if (wanted === null)
  for (let minute = 1; minute <= minutes; minute++) {
    while (performance.now() - started < minute * 60_000) await round()
    await tell()
  }
else
  while (rounds < wanted) {
    await round()
    await tell()
  }

const warm = all[Math.floor(all.length / 3)]
const last = all[all.length - 1]
const grown = (['threads', 'handles', 'tensors'] as const).filter((name) => last[name] > warm[name])
if (last.residentMB > Math.max(warm.residentMB * 1.05, warm.residentMB + 10)) grown.push('residentMB' as never)
console.log(grown.length === 0 ? 'flat' : `grown: ${grown.join(', ')}`)
process.exitCode = grown.length === 0 ? 0 : 1
