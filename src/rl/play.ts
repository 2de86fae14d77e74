import { breathing } from '../core/breathing.ts'
import { closeAll, closeFailed } from '../core/disposable.ts'
import { deriveSeed } from '../core/generator.ts'
import type { CoreModule } from '../core/module.ts'
import { ofUser } from '../core/own-code.ts'
import { Purpose } from '../core/random.ts'
import { leaveIfAborted } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import type { EnvironmentSpec, Step } from '../envs/contract.ts'
import {
  actionOf,
  beginEpisode,
  beginStep,
  type Episodes,
  episodeCounters,
  namingRow,
  openEpisodes,
  startEpisode,
  stepEpisode,
} from '../envs/episodes.ts'
import { instances } from '../envs/instances.ts'
import { type Action, observationSize } from '../envs/spaces.ts'
import type { Acting } from '../policy/request.ts'

/** Episodes that are played side by side, by agents that act on many rows in little more time than on one. */
const ROWS = 32

/** Episodes 0 … episodes − 1 of one particle. */
interface PlayRequest {
  readonly spec: EnvironmentSpec
  readonly agents: Acting & { readonly startsAsVector?: boolean }
  readonly particle: number
  readonly greedy: boolean
  readonly episodes: number
  readonly seed: number
  /** Whether anybody still waits for it. */
  readonly signal?: StopSignal
}

/** A step of an episode, and the action that it came of. */
interface TakenStep extends Step {
  readonly action: Action
}

/**
 * Called after the reset (without a step) and after every step of an episode, with the numbers of the physics where the
 * task shows them.
 */
type Watch = (
  episode: number,
  observation: ArrayLike<number>,
  step: TakenStep | undefined,
  state: ArrayLike<number> | undefined,
) => void

/**
 * Lets a particle play episodes to their ends, in instances that are closed afterwards. Initial states and what is
 * drawn depend on the seed and the number of the episode, not on how many there are.
 *
 * @throws UsageError for a task without a time limit, RunError when an instance gives what its contract does not allow,
 *   the reason of a signal that is aborted
 * @returns [episodes] their returns
 */
export async function playEpisodes(module: CoreModule, request: PlayRequest, watch?: Watch): Promise<Float64Array> {
  const { spec, agents, particle, episodes } = request
  const rows = agents.startsAsVector ? Math.min(episodes, ROWS) : 1
  const create = instances(spec, module, rows)
  const counters = episodeCounters(rows)
  let first = 0
  const tell = namingRow((row) => `${spec.id}, particle ${particle}, episode ${first + row}`)
  const running = openEpisodes(spec, create, counters, tell)
  const returns = new Float64Array(episodes)
  const breath = breathing(request.signal)
  try {
    for (; first < episodes; first += rows) {
      const count = Math.min(rows, episodes - first)
      leaveIfAborted(request.signal)
      const begun = beginRows(running, request, first, count, watch)
      for (let rows = begun.rows, step = 0; rows.length > 0; step++) {
        if (breath.isDue()) await breath.take()
        rows = stepRows(running, request, { ...begun, rows, first, step }, watch)
      }
      returns.set(counters.episodeReturn.subarray(0, count), first)
    }
  } catch (error) {
    closeFailed(() => closeAll(running.instances))
    throw error
  }
  closeAll(running.instances)
  return returns
}

/** Starts episodes first … first + count − 1, a row each: what each shows. */
function beginRows(running: Episodes, request: PlayRequest, first: number, count: number, watch?: Watch) {
  for (let row = 0; row < count; row++) beginEpisode(running, row, initialSeed(request, first + row))
  const shown = Array.from({ length: count }, (_, row) => {
    const { obs } = startEpisode(running, row, initialSeed(request, first + row))
    watch?.(first + row, obs, undefined, stateOf(running, row))
    return Float32Array.from(obs)
  })
  return { shown, rows: [...shown.keys()] }
}

/** Rows whose episodes run, first the number of that of row 0. */
interface RunningRows {
  readonly rows: readonly number[]
  /** [·][O] by row. */
  readonly shown: readonly Float32Array[]
  readonly first: number
  readonly step: number
}

/** One step of rows. Returns those whose episodes go on. */
function stepRows(running: Episodes, request: PlayRequest, { rows, shown, first, step }: RunningRows, watch?: Watch) {
  const { spec, agents, particle, greedy, seed } = request
  const O = observationSize(spec)
  const observations = new Float32Array(rows.length * O)
  for (const [k, row] of rows.entries()) observations.set(shown[row], k * O)
  const episode = rows.map((row) => first + row)
  const actions = agents.actRows(observations, { particle, greedy, seed, episode, step })
  for (const [k, row] of rows.entries()) beginStep(running, row, actions, k)
  return rows.filter((row, k) => {
    const action = actionOf(spec, actions, k)
    const result = stepEpisode(running, row, action)
    shown[row].set(result.obs)
    watch?.(first + row, result.obs, { ...result, action }, stateOf(running, row))
    return !result.terminated && !result.truncated
  })
}

/** The numbers that the task shows of its physics. */
const stateOf = ({ spec, instances }: Episodes, row: number) => ofUser(`${spec.id}: state`, () => instances[row].state)

const initialSeed = ({ agents, seed }: PlayRequest, episode: number) =>
  agents.startsAsVector
    ? deriveSeed(seed, Purpose.episode, 0, episode, 0)
    : deriveSeed(seed, Purpose.evaluate, 0, episode, 0)
