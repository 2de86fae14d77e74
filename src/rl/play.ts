import { deriveSeed } from '../core/generator.ts'
import type { CoreModule } from '../core/module.ts'
import { Purpose } from '../core/random.ts'
import type { EnvironmentSpec, Step } from '../envs/contract.ts'
import { actionOf, episodeCounters, runEpisodes } from '../envs/episodes.ts'
import { instances } from '../envs/instances.ts'
import type { Acting } from '../policy/request.ts'
import { actionSize, observationSize } from './environments.ts'

/** Episodes that are played side by side. */
const ROWS = 32

/** Episodes 0 … episodes − 1 of one particle. */
export interface PlayRequest {
  readonly particle: number
  readonly greedy: boolean
  readonly episodes: number
  readonly seed: number
}

/** Called after the reset (without a step) and after every step of an episode. */
export type Watch = (episode: number, observation: ArrayLike<number>, step?: Step) => void

/** Where agents play: instances of a task that serve one particle after the other. */
export interface Stage {
  /** [episodes] their returns. */
  play(request: PlayRequest, watch?: Watch): Float64Array
  close(): void
}

/**
 * A stage for agents. Which initial states the episodes of a seed have, and what is drawn in them, does not depend on how many
 * episodes are played.
 *
 * @throws UsageError for a task without a time limit, RunError when an instance gives what its contract does not allow
 */
export function openStage(
  spec: EnvironmentSpec,
  agents: Acting & { readonly startsAsVector?: boolean },
  module: CoreModule,
  episodes: number,
): Stage {
  const rows = Math.min(episodes, ROWS)
  const create = instances(spec, module, rows)
  const counters = episodeCounters(rows)
  const playing = { particle: 0, episodes: [] as number[] }
  const nameOf = (row: number) => `${spec.id}, particle ${playing.particle}, episode ${playing.episodes[row]}`
  const running = runEpisodes(
    spec,
    Array.from({ length: rows }, () => create()),
    counters,
    nameOf,
  )
  const seedOf = (seed: number, episode: number) =>
    agents.startsAsVector
      ? deriveSeed(seed, Purpose.episode, 0, episode, 0)
      : deriveSeed(seed, Purpose.evaluate, 0, episode, 0)
  const [O, A] = [observationSize(spec), actionSize(spec)]

  /** Plays the episodes of `playing`, a row each, to their ends. */
  function playRows({ particle, greedy, seed }: PlayRequest, watch?: Watch): void {
    const shown = playing.episodes.map((episode, row) => {
      const { obs } = running.start(row, seedOf(seed, episode))
      watch?.(episode, obs)
      return Float32Array.from(obs)
    })
    let rows = [...shown.keys()]
    for (let step = 0; rows.length > 0; step++) {
      const observations = new Float32Array(rows.length * O)
      for (const [k, row] of rows.entries()) observations.set(shown[row], k * O)
      const episode = rows.map((row) => playing.episodes[row])
      const actions = agents.actRows(observations, { particle, greedy, seed, episode, step })
      rows = rows.filter((row, k) => {
        const result = running.step(row, actionOf(spec, actions.subarray(k * A, (k + 1) * A), 0))
        shown[row].set(result.obs)
        watch?.(playing.episodes[row], result.obs, result)
        return !result.terminated && !result.truncated
      })
    }
  }

  return {
    play(request, watch) {
      const returns = new Float64Array(request.episodes)
      playing.particle = request.particle
      for (let first = 0; first < request.episodes; first += rows) {
        const count = Math.min(rows, request.episodes - first)
        playing.episodes = Array.from({ length: count }, (_, row) => first + row)
        playRows(request, watch)
        returns.set(counters.episodeReturn.subarray(0, count), first)
      }
      return returns
    },
    close: running.close,
  }
}
