import { type Arena, u32 } from '../core/arena.ts'
import { RunError, show } from '../core/errors.ts'
import { joinSeed, Purpose, type Seed } from '../core/random.ts'
import type { Environment, EnvironmentSpec } from '../envs/contract.ts'
import type { policyFields } from '../nn/policy.ts'
import { type batchFields, writeBatch } from './batch.ts'
import { type environmentFields, observationSize, writeEnvironments } from './environments.ts'

/** Room for the seed of an episode. */
export const seedFields = () => ({ episodeSeed: u32(2) })

export type RolloutArena = Arena<
  ReturnType<typeof policyFields> &
    ReturnType<typeof environmentFields> &
    ReturnType<typeof batchFields> &
    ReturnType<typeof seedFields>
>

/** A task as a population runs it. */
export interface Task {
  readonly spec: EnvironmentSpec
  /** n */
  readonly particles: number
  /** E, environments of each particle. */
  readonly environments: number
  /** T, steps of each environment in one rollout. */
  readonly steps: number
  readonly seed: Seed
  /** [n × E] instances of a task in TypeScript; empty where the physics is in the core. */
  readonly instances: readonly Environment[]
}

/** Starts the first episode of every environment. */
export function startEnvironments(arena: RolloutArena, task: Task): void {
  const { spec, particles, environments, seed } = task
  writeEnvironments(arena, spec, environments)
  writeBatch(arena, task.steps)
  if (spec.core) arena.ops.resetEnvironments(arena.at.environments, 0, particles, seed.lo, seed.hi)
  else task.instances.forEach((_, row) => void resetRow(arena, task, row))
}

/**
 * T steps of every environment of the particles first … end − 1, into the rows of the batch. Episodes that end start
 * anew in the same step; those still running go on in the next rollout. `step` is the number of steps taken before.
 */
export function rollout(arena: RolloutArena, task: Task, first: number, end: number, step: number): void {
  const { ops, at } = arena
  const { lo, hi } = task.seed
  if (task.spec.core) ops.rollout(at.batch, at.environments, at.policy, first, end, step, lo, hi)
  else for (let i = first; i < end; i++) rolloutInTypeScript(arena, task, i, step)
}

/** The same loop for a task that is not in the core: only the policy runs in WASM. */
function rolloutInTypeScript(arena: RolloutArena, task: Task, i: number, step: number): void {
  const { ops, at, view } = arena
  const { environments: E, steps: T, seed } = task
  const O = observationSize(task.spec)
  for (let t = 0; t < T; t++) {
    const row = (i * T + t) * E
    view.observation.set(view.current.subarray(i * E * O, (i + 1) * E * O), row * O)
    view.time.set(view.elapsed.subarray(i * E, (i + 1) * E), row)
    const observations = at.current + i * E * O * 4
    ops.act(at.policy, i, observations, E, at.action + row * 4, 0, 0, Purpose.action, step + t, seed.lo, seed.hi)
    for (let e = 0; e < E; e++) stepRow(arena, task, i * E + e, row + e)
  }
}

/** Steps instance `at` and writes row `row` of the batch. */
function stepRow(arena: RolloutArena, task: Task, at: number, row: number): void {
  const { view } = arena
  const O = observationSize(task.spec)
  const { obs, reward, terminated, truncated } = task.instances[at].step(view.action[row])
  const i = Math.floor(at / task.environments)
  checkReward(task.spec, i, reward)
  view.nextObservation.set(obs, row * O)
  view.current.set(obs, at * O)
  view.reward[row] = reward
  view.elapsed[at]++
  view.episodeReturn[at] += reward
  view.terminated[row] = terminated ? 1 : 0
  view.truncated[row] = truncated || view.elapsed[at] >= task.spec.maxEpisodeSteps ? 1 : 0
  if (!view.terminated[row] && !view.truncated[row]) return
  view.finished[i]++
  view.finishedReturn[i] += view.episodeReturn[at]
  view.episode[at]++
  resetRow(arena, task, at)
}

function resetRow({ ops, at, view }: RolloutArena, task: Task, row: number): void {
  const { environments: E, seed } = task
  const i = Math.floor(row / E)
  ops.deriveSeed(at.episodeSeed, seed.lo, seed.hi, Purpose.episode, i, row % E, view.episode[row])
  const { obs } = task.instances[row].reset({ seed: joinSeed(view.episodeSeed) })
  view.current.set(obs, row * observationSize(task.spec))
  view.elapsed[row] = 0
  view.episodeReturn[row] = 0
}

function checkReward(spec: EnvironmentSpec, i: number, reward: number): void {
  if (!Number.isFinite(reward))
    throw new RunError(`${spec.id} gave particle ${i} the reward ${show(reward)}; a reward must be finite.`)
}
