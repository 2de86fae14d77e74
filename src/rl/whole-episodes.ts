import type { Arena } from '../core/arena.ts'
import { joined } from '../core/rows.ts'
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

/** The rows so far of episodes that are still running, environment by environment; part of a particle's state. */
interface OpenEpisodes {
  readonly openObservation: Float32Array
  readonly openAction: Float32Array
  readonly openReward: Float64Array
}

export const noOpenEpisodes = (): OpenEpisodes => ({
  openObservation: new Float32Array(0),
  openAction: new Float32Array(0),
  openReward: new Float64Array(0),
})

type EpisodeArena = Arena<ReturnType<typeof batchFields> & ReturnType<typeof environmentFields>>

/**
 * Appends the rows of a rollout to those of the episodes that were running before it. Call it before anything changes
 * the rewards of the batch.
 *
 * @param open what the particle carried; its lengths are the steps of each environment before the rollout, `time` of
 *   its first rows
 * @returns the episodes that ended, in the order of the environments, and those that run on
 */
export function closeEpisodes(
  { view }: EpisodeArena,
  open: OpenEpisodes | ParticleState,
): { ended: Episode[]; open: OpenEpisodes } {
  const E = view.elapsed.length
  const T = view.reward.length / E
  const O = view.observation.length / view.reward.length
  const A = view.action.length / view.reward.length
  const ended: Episode[] = []
  const running: Episode[] = []
  let before = 0
  for (let e = 0; e < E; e++) {
    const length = view.time[e]
    let episode: Growing = {
      observation: [...open.openObservation.subarray(before * O, (before + length) * O)],
      action: [...open.openAction.subarray(before * A, (before + length) * A)],
      reward: [...open.openReward.subarray(before, before + length)],
    }
    before += length
    for (let t = 0; t < T; t++) {
      const row = t * E + e
      episode.observation.push(...view.observation.subarray(row * O, (row + 1) * O))
      episode.action.push(...view.action.subarray(row * A, (row + 1) * A))
      episode.reward.push(view.reward[row])
      if (!view.terminated[row] && !view.truncated[row]) continue
      ended.push(finish(episode))
      episode = { observation: [], action: [], reward: [] }
    }
    running.push(finish(episode))
  }
  return {
    ended,
    open: {
      openObservation: joined(running.map(({ observation }) => observation)),
      openAction: joined(running.map(({ action }) => action)),
      openReward: Float64Array.from(running.flatMap(({ reward }) => [...reward])),
    },
  }
}

interface Growing {
  observation: number[]
  action: number[]
  reward: number[]
}

const finish = ({ observation, action, reward }: Growing): Episode => ({
  observation: Float32Array.from(observation),
  action: Float32Array.from(action),
  reward: Float64Array.from(reward),
})

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
