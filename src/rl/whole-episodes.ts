import type { Arena } from '../core/arena.ts'
import { appendTo, emptyLog, emptyLog64, lastSteps, type StepLog } from '../envs/step-log.ts'
import type { ParticleState } from './evaluator.ts'
import type { batchFields, environmentFields } from './rollout-layout.ts'

// Whole episodes from the rows of rollouts that cut them, for what learns from trajectories. When an episode ends is
// decided in envs/episodes.ts.

/** A whole episode: L steps of O numbers of an observation and A of an action. */
export interface Episode {
  /** [L, O] */
  readonly observation: Float32Array
  /** [L, A] */
  readonly action: Float32Array
  /** [L] */
  readonly reward: Float64Array
}

/** The rows of E environments step by step, from the first step of the episodes that run. */
export interface PastRows {
  /** [steps, E, O] */
  readonly observation: StepLog
  /** [steps, E, A] */
  readonly action: StepLog
  /** [steps, E] */
  readonly reward: StepLog<Float64Array>
}

/** What a particle carries of them: the last steps, as many as the longest episode has that runs. */
interface CarriedRows {
  readonly pastObservation: Float32Array
  readonly pastAction: Float32Array
  readonly pastReward: Float64Array
}

export const noRows = (environments: number, O: number, A: number): PastRows => ({
  observation: emptyLog(environments * O),
  action: emptyLog(environments * A),
  reward: emptyLog64(environments),
})

type EpisodeArena = Arena<ReturnType<typeof batchFields> & ReturnType<typeof environmentFields>>

/**
 * Adds the rows of a rollout to those before it, which takes the same time however long episodes have been running.
 * Call it before anything changes the rewards of the batch.
 *
 * @param past changed; where nothing was added to it yet, `carried` is what is before the rollout
 * @returns the episodes that ended, in the order of the environments, and what is carried of those that run on
 */
export function closeEpisodes(
  { view }: EpisodeArena,
  past: PastRows,
  carried: CarriedRows | ParticleState | null,
): { ended: Episode[]; open: CarriedRows } {
  const E = view.elapsed.length
  const T = view.reward.length / E
  if (carried && past.reward.length === 0)
    add(past, carried.pastObservation, carried.pastAction, carried.pastReward as Float64Array)
  add(past, view.observation, view.action, view.reward)
  const ended: Episode[] = []
  for (let e = 0; e < E; e++) {
    for (let t = 0; t < T; t++) {
      const row = t * E + e
      if (view.terminated[row] || view.truncated[row]) ended.push(episodeOf(past, e, view.time[row] + 1, T - 1 - t))
    }
  }
  const longest = view.elapsed.reduce((most, steps) => Math.max(most, steps), 0)
  const open = {
    pastObservation: lastSteps(past.observation, longest),
    pastAction: lastSteps(past.action, longest),
    pastReward: lastSteps(past.reward, longest),
  }
  return { ended, open }
}

function add(
  past: PastRows,
  observation: ParticleState[string],
  action: ParticleState[string],
  reward: Float64Array,
): void {
  appendTo(past.observation, observation)
  appendTo(past.action, action)
  appendTo(past.reward, reward)
}

/** The episode of environment e that ended `ago` steps ago, after `length` of them. */
function episodeOf({ observation, action, reward }: PastRows, e: number, length: number, ago: number): Episode {
  const E = reward.width
  const column = <V extends Float32Array | Float64Array>(log: StepLog<V>, out: V): V => {
    const numbers = log.width / E
    const first = log.length - (ago + length) * log.width + e * numbers
    for (let t = 0; t < length; t++) {
      const at = first + t * log.width
      out.set(log.values.subarray(at, at + numbers), t * numbers)
    }
    return out
  }
  return {
    observation: column(observation, new Float32Array((length * observation.width) / E)),
    action: column(action, new Float32Array((length * action.width) / E)),
    reward: column(reward, new Float64Array(length)),
  }
}

/** Σ_t r_t */
export const returnOf = ({ reward }: Episode) => reward.reduce((sum, r) => sum + r, 0)

/** [L] Σ_k γᵏ r_{t+k} for every step of an episode. */
export function returnsToGo({ reward }: Episode, discount: number): Float64Array {
  const out = new Float64Array(reward.length)
  let g = 0
  for (let t = reward.length - 1; t >= 0; t--) {
    g = reward[t] + discount * g
    out[t] = g
  }
  return out
}
