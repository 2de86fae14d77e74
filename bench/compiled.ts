import { sac } from '../src/algorithms/sac/sac.ts'
import { sacConfig } from '../src/algorithms/sac/settings.ts'
import { startTfjs, tf } from '../src/nn/tfjs.ts'
import { type Case, cases, NETWORK, NETWORK_NAME, SAC_SIZES, sacName } from './compiled/cases.ts'
import type { Report } from './harness.ts'
import { hasPython, runPython, sacInPython } from './peers/python.ts'

/** Times of either form, taken in turn. All are of the processor: others use the machine as well. */
const SAMPLES = 9
/** Steps over which memory is to stay as it is, or as many as fit into this time. */
const LONG = 10_000
const LONG_MS = 20_000
const CHUNK = 100

/**
 * What learns by plans against the same by tfjs alone, in one process and in turn, and against others where PYTHON has
 * them; then what a plan costs: the time of compiling, tensors and memory.
 */
export default async function bench(): Promise<Report> {
  await startTfjs()
  const rows: CompiledRow[] = []
  for (const one of await cases()) {
    rows.push(await inTurn(one))
    console.log(lineOf(rows[rows.length - 1]))
  }
  const peers = peerRows(rows)
  const costs = await costsOfPlans()
  console.log(costs)
  return { rows: [...rows, ...peers, costs], table: [...rows, ...peers].map(tableLine) }
}

/** ms of processor time in all threads. */
function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

interface CompiledRow {
  readonly name: string
  readonly ms: number
  readonly min: number
  /** By tfjs alone. */
  readonly eagerMs: number
  readonly eagerMin: number
  /** eagerMs / ms, and what it is to be. */
  readonly faster: number
  readonly goal: number
}

async function inTurn({ name, goal, chunk, warmUp, step }: Case): Promise<CompiledRow> {
  for (let t = 0; t < warmUp; t++) await step()
  const times: Record<'compiled' | 'eager', number[]> = { compiled: [], eager: [] }
  for (let sample = -1; sample < SAMPLES; sample++) {
    for (const form of ['compiled', 'eager'] as const) {
      await startTfjs({ compiled: form === 'compiled' })
      const started = processorMs()
      for (let t = 0; t < chunk; t++) await step()
      // The first of either is not counted: its plans are made then.
      if (sample >= 0) times[form].push((processorMs() - started) / chunk)
    }
  }
  await startTfjs({ compiled: true })
  const [compiled, eager] = [times.compiled, times.eager].map((values) => values.sort((a, b) => a - b))
  const [ms, eagerMs] = [compiled[SAMPLES >> 1], eager[SAMPLES >> 1]]
  return { name, ms, min: compiled[0], eagerMs, eagerMin: eager[0], faster: eagerMs / ms, goal }
}

/** Another library at the work of a case. */
interface PeerRow {
  readonly name: string
  readonly peer: string
  readonly ms: number
  /** How many times as fast as the peer ours is. */
  readonly faster: number
}

function peerRows(ours: readonly CompiledRow[]): PeerRow[] {
  const timeOf = (name: string) => ours.find((row) => row.name === name)?.ms as number
  const row = (name: string, peer: string, ms: number) => ({ name, peer, ms, faster: ms / timeOf(name) })
  const networks = (['jax', 'torch'] as const).filter(hasPython).map((library) => {
    const { ms, version } = runPython<{ ms: number; version: string }>('bnn_step.py', { library, ...NETWORK })
    return row(NETWORK_NAME, `${library} ${version}, one thread`, ms)
  })
  const agents = (['stable_baselines3', 'sbx'] as const).filter(hasPython).flatMap((library) =>
    SAC_SIZES.map((size) => {
      const settings = sacConfig({ ...size, hidden: [...size.hidden], warmup: 300 })
      const task = { ...settings, env: 'Pendulum-v1', steps: 1300, chunk: CHUNK }
      const { chunks, versions } = sacInPython(library, task, 1)
      const times = chunks.slice(4).map(([, processor]) => processor / CHUNK)
      const middle = times.sort((a, b) => a - b)[times.length >> 1]
      return row(sacName(size), `${library} ${versions.library}, one thread`, middle)
    }),
  )
  return [...networks, ...agents]
}

interface Costs {
  readonly compileMs: number
  readonly tensorsOfAStep: number
  readonly steps: number
  readonly growthMB: number
}

/** Of soft actor-critic with two layers of 64. */
async function costsOfPlans(): Promise<Costs> {
  const options = { env: 'Pendulum-v1', environments: 1, steps: 1, hidden: [64, 64], batchSize: 128, warmup: 300 }
  const firsts: number[] = []
  let state = await sac.init(options)
  // The first of them warms the engine; later ones are what a second run costs.
  for (let k = 0; k < 5; k++) {
    state = await sac.init({ ...options, seed: k })
    for (let t = 0; t < 299; t++) await sac.step(state)
    const started = processorMs()
    await sac.step(state)
    const first = processorMs() - started
    const later: number[] = []
    for (let t = 0; t < 20; t++) {
      const before = processorMs()
      await sac.step(state)
      later.push(processorMs() - before)
    }
    firsts.push(first - Math.min(...later))
  }
  const tensors = tf.memory().numTensors
  let made = 0
  const engine = tf.engine() as unknown as { nextTensorId: () => number }
  const { nextTensorId } = engine
  engine.nextTensorId = () => {
    made++
    return nextTensorId.call(engine)
  }
  await sac.step(state)
  engine.nextTensorId = nextTensorId
  const before = process.memoryUsage().rss
  const until = performance.now() + LONG_MS
  let steps = 0
  for (; steps < LONG && performance.now() < until; steps++) await sac.step(state)
  const growthMB = (process.memoryUsage().rss - before) / 2 ** 20
  if (tf.memory().numTensors !== tensors) throw new Error('A step leaves tensors behind.')
  return { compileMs: firsts.sort((a, b) => a - b)[2], tensorsOfAStep: made, steps, growthMB }
}

const digits = (value: number) => value.toPrecision(3)

const lineOf = ({ name, ms, eagerMs, faster, goal }: CompiledRow) =>
  `${name}: ${digits(ms)} ms, by tfjs ${digits(eagerMs)} ms, ${digits(faster)} times as fast (goal ${goal})`

function tableLine(row: CompiledRow | PeerRow) {
  const [against, other] = 'peer' in row ? [row.peer, row.ms] : ['tfjs alone', row.eagerMs]
  const ms = 'peer' in row ? row.ms / row.faster : row.ms
  return { work: row.name, ms: digits(ms), against, 'its ms': digits(other), 'times as fast': digits(row.faster) }
}
