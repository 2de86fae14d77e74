import { sacConfig } from '../../src/algorithms/sac/settings.ts'
import { hasPython, runPython, sacInPython } from '../peers/python.ts'
import { NETWORK, NETWORK_NAME, SAC_SIZES, sacName } from './cases.ts'

/** Another library at the work of a case, in a process of its own. */
export interface PeerRow {
  readonly name: string
  readonly peer: string
  readonly ms: number
  readonly min: number
  /** How many times as fast as the peer ours is by medians, and what that is to be, where anything is asked. */
  readonly faster: number
  readonly goal: number | null
}

interface Ours {
  readonly name: string
  readonly ms: number
}

const STEPS = 900
const WARM_UP = 300
/** Steps of which one time is taken, and how many of these times are left out: what compiles, compiles then. */
const CHUNK = 50
const LEFT_OUT = 2

/** What is asked of soft actor-critic: against whom, by hidden width and threads. */
const GOALS: Readonly<Record<string, number>> = {
  'sbx 64 2': 1.3,
  'stable_baselines3 256 1': 1.1,
  'sbx 256 2': 0.85,
}

/** What PYTHON has of JAX, torch, stable-baselines3 and sbx, at the sizes and on the threads that ours has run on. */
export function peerRows(ours: readonly Ours[]): PeerRow[] {
  const isMeasured = (name: string) => ours.some((one) => one.name === name)
  const row = (name: string, peer: string, times: { ms: number; min: number }, goal: number | null): PeerRow => {
    const own = ours.find((one) => one.name === name)?.ms as number
    return { name, peer, ...times, faster: times.ms / own, goal }
  }
  const libraries = isMeasured(NETWORK_NAME) ? (['jax', 'torch'] as const).filter(hasPython) : []
  const networks = libraries.map((library) => {
    const found = runPython<{ ms: number; min: number; version: string }>('bnn_step.py', { library, ...NETWORK })
    const { version, ...times } = found
    return row(NETWORK_NAME, `${library} ${version}`, times, library === 'jax' ? 0.75 : null)
  })
  const sizes = SAC_SIZES.flatMap((size) => [1, 2].map((threads) => ({ size, threads })))
  const chosen = sizes.filter(({ size, threads }) => isMeasured(sacName(size, threads)))
  const others = chosen.length > 0 ? (['stable_baselines3', 'sbx'] as const).filter(hasPython) : []
  const agents = others.flatMap((library) =>
    chosen.map(({ size, threads }) => {
      const settings = sacConfig({ ...size, hidden: [...size.hidden], warmup: WARM_UP })
      const task = { ...settings, env: 'Pendulum-v1', steps: STEPS, chunk: CHUNK }
      const { chunks, versions } = sacInPython(library, task, threads)
      const times = chunks.slice(LEFT_OUT).map(([wall]) => wall / CHUNK)
      times.sort((a, b) => a - b)
      const goal = GOALS[`${library} ${size.hidden[0]} ${threads}`] ?? null
      const found = { ms: times[times.length >> 1], min: times[0] }
      return row(sacName(size, threads), `${library} ${versions.library}`, found, goal)
    }),
  )
  return [...networks, ...agents]
}
