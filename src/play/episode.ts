import { isExpected, RunError, reasonOf, show, UsageError } from '../core/errors.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { requireFunction, requireSignal } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import { check, seedSchema } from '../core/schemas.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { withoutLearning } from '../envs/description.ts'
import { requireScene, type Scene } from '../envs/render.ts'
import { type Agents, requireAgents } from '../rl/agents.ts'
import { playEpisodes } from '../rl/play.ts'

/** Who plays an episode, and how. */
export interface EpisodeOptions {
  /** Of loadAgents(), or of a step of train(). */
  readonly agents: Agents
  /** Default: the best one. */
  readonly particle?: number | 'best'
  /** The best action that is known (default), or one drawn. */
  readonly greedy?: boolean
  /** Of the initial state and of what is drawn: a whole number from 0; default 0. */
  readonly seed?: number
  /** As of an AbortController: an episode that is not waited for any more is left, and rejects with its reason. */
  readonly signal?: StopSignal
  /** The WASM core; default: this package's steinrl.wasm. */
  readonly core?: CoreSource
}

const EPISODE_OPTIONS = namesOf<EpisodeOptions>({
  agents: true,
  particle: true,
  greedy: true,
  seed: true,
  signal: true,
  core: true,
})

/** One episode of T steps as plain data; names and lengths as in Minari and Gymnasium. */
export interface Episode {
  readonly particle: number
  readonly seed: number
  readonly greedy: boolean
  /** The sum of the rewards, which are the task's own where the policy learned from normalised ones. */
  readonly return: number
  /** [T + 1, O]; the first is that of the reset. */
  readonly observations: readonly (readonly number[])[]
  /** [T] numbers of classes, or [T, A]. */
  readonly actions: readonly (number | readonly number[])[]
  /** [T] */
  readonly rewards: readonly number[]
  /** [T] */
  readonly terminated: readonly boolean[]
  /** [T] */
  readonly truncated: readonly boolean[]
}

/** What playEpisode() gives. */
export interface PlayedEpisode {
  readonly episode: Episode
  /** [T + 1] the pictures, the first that of the reset; null for a task without one. */
  readonly scenes: readonly Scene[] | null
}

/**
 * Lets a particle play one episode to its end: episode 0 of an evaluation with the same seed, so that its return is the
 * one of evaluate() with `episodes: 1`.
 *
 * @throws UsageError for agents without a task, a particle that there is not, a task without a time limit; RunError for
 *   an observation or a reward that is not finite, and where the task's render fails
 */
export async function playEpisode(options: EpisodeOptions): Promise<PlayedEpisode> {
  requireOptions('playEpisode', options, EPISODE_OPTIONS)
  requireAgents('playEpisode', options.agents)
  requireFunction('agents.actRows', options.agents.actRows, '(observations) => …')
  const { agents, greedy = true, seed = 0, signal, core } = options
  requireSignal(signal)
  check(seedSchema, seed)
  if (typeof greedy !== 'boolean') throw new UsageError(`greedy must be true or false, got ${show(greedy)}.`)
  const particle = particleOf(agents, options.particle ?? 'best')
  // What it throws says why the task is not known.
  if (!agents.task) agents.act([])
  const spec = agents.task as NonNullable<Agents['task']>
  const observations: number[][] = []
  const [actions, rewards]: [Episode['actions'][number][], number[]] = [[], []]
  const [terminated, truncated]: [boolean[], boolean[]] = [[], []]
  const scenes: Scene[] = []
  const module = await compileCore(core)
  const play = () =>
    playEpisodes(
      module,
      { spec, agents, particle, greedy, episodes: 1, seed, signal },
      (_, observation, step, state) => {
        observations.push(Array.from(observation))
        if (spec.render && state) scenes.push(pictureOf(spec, state))
        if (!step) return
        actions.push(typeof step.action === 'number' ? step.action : Array.from(step.action))
        rewards.push(step.taskReward ?? step.reward)
        terminated.push(step.terminated)
        truncated.push(step.truncated)
      },
    )
  const [total] = await withoutLearning(spec, play)
  const episode = { particle, seed, greedy, return: total, observations, actions, rewards, terminated, truncated }
  return { episode, scenes: scenes.length > 0 ? scenes : null }
}

/** @throws RunError where the task's own function fails or gives no picture */
function pictureOf({ id, render }: EnvironmentSpec, state: ArrayLike<number>): Scene {
  try {
    const scene = (render as NonNullable<typeof render>)(state)
    requireScene(`The picture of ${id}`, scene)
    return scene
  } catch (error) {
    if (isExpected(error)) throw error
    throw new RunError(`The render of ${id} failed: ${reasonOf(error)}.`, { cause: error })
  }
}

function particleOf({ particles, best }: Agents, particle: number | 'best'): number {
  if (particle === 'best') {
    if (best !== null) return best
    if (particles === 1) return 0
    throw new UsageError('The run has no evaluation, which tells the best particle: choose one by its number.')
  }
  if (Number.isInteger(particle) && particle >= 0 && particle < particles) return particle
  throw new UsageError(`particle must be best or a number from 0 to ${particles - 1}, got ${show(particle)}.`)
}
