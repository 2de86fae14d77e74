import { check, wholeNumber } from '../../core/schemas.ts'
import type { Environment, EnvironmentSpec } from '../contract.ts'
import { stepLimit } from '../schemas.ts'
import type { Action } from '../spaces.ts'
import { around, isOver, limited, type Wrapper, wrapper } from './wrapper.ts'

/**
 * Episodes of at most `maxEpisodeSteps` steps instead of the task's own limit, longer or shorter; they are truncated
 * there, not terminated. Physics in the core stays there: this wrapper may be put around it without wrap().
 */
export function timeLimit(maxEpisodeSteps: number): Wrapper {
  check(stepLimit, maxEpisodeSteps)
  return (inner) => limited(inner, maxEpisodeSteps)
}

/** The last step of an episode tells its return and length in info.episode. */
export function episodeStatistics(): Wrapper {
  const change = ({ maxEpisodeSteps }: EnvironmentSpec) => ({
    around(env: Environment) {
      const memory = { return: 0, length: 0 }
      return around(env, {
        memory,
        reset(options) {
          Object.assign(memory, { return: 0, length: 0 })
          return env.reset(options)
        },
        step(action) {
          const step = env.step(action)
          memory.return += step.reward
          memory.length++
          if (!isOver(step, memory.length, maxEpisodeSteps)) return step
          return { ...step, info: { ...step.info, episode: { ...memory } } }
        },
      })
    },
  })
  return wrapper('episodeStatistics()', change, 1, { options: {} })
}

/** What happened in one episode of T steps, as plain data. Its seed and actions are enough to play it again. */
export interface RecordedEpisode {
  readonly seed: number
  /** [T + 1] from the reset on. */
  readonly observations: number[][]
  /** [T + 1] states that the task shows, for its render; empty rows where it shows none. */
  readonly states: number[][]
  /** [T] */
  readonly actions: (number | number[])[]
  /** [T] */
  readonly rewards: number[]
  terminated: boolean
  truncated: boolean
}

/** Where episodes are recorded, the oldest first; running ones too. */
export interface Recording {
  readonly episodes: RecordedEpisode[]
  /** How many of the last episodes are kept. */
  keep: number
}

/** Room for the episodes that recordEpisodes() keeps. */
export function recording(keep = 100): Recording {
  return { episodes: [], keep: check(wholeNumber('keep', 1), keep) }
}

/** Writes every episode into `into`, which all instances of the wrapped task share. */
export function recordEpisodes(into: Recording): Wrapper {
  const change = ({ maxEpisodeSteps }: EnvironmentSpec) => ({
    around: (env: Environment) => recorded(env, into, maxEpisodeSteps),
  })
  // A task that is made again records into a recording of its own.
  return wrapper('recordEpisodes()', change, 1, { options: {} })
}

function recorded(env: Environment, into: Recording, maxEpisodeSteps: number): Environment {
  let episode: RecordedEpisode
  const show = (obs: ArrayLike<number>) => {
    episode.observations.push(Array.from(obs))
    episode.states.push(Array.from(env.state ?? []))
  }
  return around(env, {
    reset(options) {
      const result = env.reset(options)
      const { seed } = options
      episode = { seed, observations: [], states: [], actions: [], rewards: [], terminated: false, truncated: false }
      show(result.obs)
      into.episodes.push(episode)
      if (into.episodes.length > into.keep) into.episodes.shift()
      return result
    },
    step(action: Action) {
      const step = env.step(action)
      show(step.obs)
      episode.actions.push(typeof action === 'number' ? action : Array.from(action))
      episode.rewards.push(step.reward)
      episode.terminated = step.terminated
      episode.truncated = step.truncated || episode.actions.length >= maxEpisodeSteps
      return step
    },
  })
}
