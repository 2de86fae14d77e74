import { sacConfig } from '../src/algorithms/sac/settings.ts'
import { taskNamed } from '../src/envs/named.ts'
import { presetNamed } from '../src/experiments/presets.ts'
import { type TrainOptions, train } from '../src/train/train.ts'
import type { Report, Row } from './harness.ts'
import { type Chunk, hasPython, type SacTask, sacInPython } from './peers/python.ts'

/** Steps of which one time is taken: an episode of Pendulum-v1. */
const CHUNK = 200
/** Steps of both before the clock starts: their first gradient steps compile, and make room. */
const WARM_UP = 400

interface Setting {
  readonly env: string
  readonly settings: Partial<TrainOptions<'sac'>>
  readonly steps: number
  readonly threads: number
  /** A module of Python that the task of the peer needs. */
  readonly needs?: string
}

const preset = presetNamed('sac-pendulum')
const SETTINGS: readonly Setting[] = [
  { env: preset.env, settings: preset.settings as Setting['settings'], steps: 4000, threads: 1 },
  // The defaults, which are the sizes of the paper and of the peer.
  { env: preset.env, settings: {}, steps: 2200, threads: 1 },
  ...[1, 2].map((threads) => ({ env: 'HalfCheetah-v5', settings: {}, steps: 2200, threads, needs: 'mujoco' })),
]

/**
 * The whole loop of soft actor-critic, where every step of the environment is followed by a gradient step, by train()
 * and by stable-baselines3: on Pendulum-v1 with the settings of the experiment sac-pendulum and with the defaults in
 * one thread, on HalfCheetah-v5 with the defaults in one and in two.
 */
export default async function bench(): Promise<Report> {
  const peer = hasPython('stable_baselines3')
  const reports: Report[] = []
  for (const setting of SETTINGS)
    reports.push(await benchSetting(setting, peer && (!setting.needs || hasPython(setting.needs))))
  return { rows: reports.flatMap(({ rows }) => rows), table: reports.flatMap(({ table }) => table) }
}

async function benchSetting({ env, settings, steps, threads }: Setting, peer: boolean): Promise<Report> {
  const loop = { algorithm: 'sac', env: await taskNamed(env), steps: CHUNK, iterations: steps / CHUNK } as const
  const options: TrainOptions<'sac'> = { ...settings, ...loop, tfjs: { threads } }
  const config = sacConfig({ ...settings, steps: CHUNK })
  const { hidden, batchSize, warmup } = config
  const params = { env, hidden: hidden.join('-'), batch: batchSize, threads, steps: steps - warmup - WARM_UP }
  const own = summary('steinrl', params, await ownChunks(options, warmup))
  const measured = peer ? [own, stableBaselines({ ...config, env, steps, chunk: CHUNK }, params, threads)] : [own]
  const ratio = (a: number, b: number) => Number((a / b).toPrecision(3))
  const rows = measured.map((row) => ({
    ...row,
    slower: ratio(row.ms, own.ms),
    slowerByProcessor: ratio(row.processorMs, own.processorMs),
  }))
  const table = rows.map(({ name, stepsPerSecond, ms, min, processorMs, slower, slowerByProcessor }) => {
    const [median, fastest, processor] = [ms, min, processorMs].map((value) => value.toPrecision(3))
    const times = {
      task: params.env,
      networks: params.hidden,
      batch: params.batch,
      threads: params.threads,
      name,
      'steps/s': stepsPerSecond,
      'ms a step': median,
      fastest,
      'of processor': processor,
    }
    return { ...times, slower, 'by processor': slowerByProcessor }
  })
  return { rows, table }
}

/** Of each chunk that has a gradient step after every step. */
async function ownChunks(options: TrainOptions<'sac'>, start: number): Promise<Chunk[]> {
  const ends: Chunk[] = []
  for await (const _ of train(options)) {
    const { user, system } = process.cpuUsage()
    ends.push([performance.now(), (user + system) / 1000])
  }
  const chunks = ends.slice(1).map(([ms, processorMs], k): Chunk => [ms - ends[k][0], processorMs - ends[k][1]])
  return chunks.slice(start / CHUNK - 1)
}

function stableBaselines(task: SacTask, params: Row['params'], threads: number): SpeedRow {
  const { chunks, versions } = sacInPython('stable_baselines3', task, threads)
  const name = `stable-baselines3 ${versions.library}, torch ${versions.torch}, Python ${versions.python}`
  return summary(name, params, chunks)
}

interface SpeedRow extends Row {
  readonly stepsPerSecond: number
  readonly processorMs: number
}

/** Of one step, from chunks. */
function summary(name: string, params: Row['params'], chunks: readonly Chunk[]): SpeedRow {
  const [times, processor] = [0, 1].map((which) => {
    const sorted = chunks.slice(WARM_UP / CHUNK).map((chunk) => chunk[which] / CHUNK)
    return sorted.sort((a, b) => a - b)
  })
  const samples = times.length
  const middle = (sorted: number[]) => (sorted[(samples - 1) >> 1] + sorted[samples >> 1]) / 2
  const ms = middle(times)
  const spread = { ms, min: times[0], max: times[samples - 1], samples }
  return { name, params, ...spread, stepsPerSecond: Math.round(1000 / ms), processorMs: middle(processor) }
}
