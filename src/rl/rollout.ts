import type { Arena } from '../core/arena.ts'
import { RunError, show, UsageError } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import { u32 } from '../core/layout.ts'
import { joinSeed, Purpose, type Seed } from '../core/random.ts'
import type { Environment, EnvironmentSpec } from '../envs/contract.ts'
import { checkResult } from '../envs/errors.ts'
import type { Action } from '../envs/spaces.ts'
import type { Head, policyFields } from '../nn/policy.ts'
import { type batchFields, writeBatch } from './batch.ts'
import { type environmentFields, environmentState, observationSize, writeEnvironments } from './environments.ts'
import type { NumberArray, ParticleState } from './evaluator.ts'

/** Room for a seed that the op deriveSeed writes. */
export const seedFields = () => ({ episodeSeed: u32(2) })

export type RolloutArena = Arena<
  ReturnType<typeof policyFields> &
    ReturnType<typeof environmentFields> &
    ReturnType<typeof batchFields> &
    ReturnType<typeof seedFields>
>

/** A task as a particle runs it. */
export interface Task {
  readonly spec: EnvironmentSpec
  readonly head: Head
  /** E */
  readonly environments: number
  /** T, steps of each environment in one rollout. */
  readonly steps: number
  /** Whether the last step of an episode gets the rewards of all, and the others none. Default false. */
  readonly episodicReward?: boolean
  readonly seed: Seed
}

/** Who rolls out. */
export interface Roller {
  /** Its number, which its random numbers depend on. */
  readonly particle: number
  /** [E] instances of a task in TypeScript; none where the physics is in the core. */
  readonly instances: readonly Environment[]
  /** [instances] the actions of each running episode, one after the other. */
  readonly history: readonly number[][]
}

export function createRoller({ spec, environments: E }: Task, particle: number): Roller {
  const count = spec.core ? 0 : E
  return {
    particle,
    instances: Array.from({ length: count }, () => createInstance(spec)),
    history: Array.from({ length: count }, () => []),
  }
}

export function closeRoller({ instances }: Roller): void {
  for (const instance of instances) instance.close?.()
}

export function createInstance({ id, create }: EnvironmentSpec): Environment {
  if (create) return create()
  throw new UsageError(`The environment ${show(id)} has neither physics in the core nor create().`)
}

/** Writes the records that ops read the task from. */
export function writeTask(arena: RolloutArena, { spec, head, environments, steps, episodicReward }: Task): void {
  writeEnvironments(arena, spec, head, environments)
  writeBatch(arena, steps, episodicReward ?? false)
}

/** Starts the first episode of every environment of a particle, or the one with another number. */
export function startEnvironments(arena: RolloutArena, task: Task, roller: Roller, episode = 0): void {
  const { spec, environments: E, seed } = task
  arena.view.episode.fill(episode)
  if (spec.core) arena.ops.resetEnvironments(arena.at.environments, roller.particle, seed.lo, seed.hi)
  else for (let e = 0; e < E; e++) resetRow(arena, task, roller, e)
}

/** What the environments of a particle carry from one rollout to the next. */
export function carryEnvironments({ view }: RolloutArena, { history }: Roller): ParticleState {
  const fields = environmentState.map((name) => [name, view[name].slice()])
  return { ...Object.fromEntries(fields), history: Float32Array.from(history.flat()) }
}

/** Goes on where the environments were when `carried` was taken. */
export function resumeEnvironments(arena: RolloutArena, carried: ParticleState): void {
  for (const name of environmentState) arena.view[name].set(carried[name])
}

/**
 * Brings new instances of a task in TypeScript to where the episodes in the arena are: an episode is a function of its
 * seed and its actions.
 */
export function replayEpisodes(
  arena: RolloutArena,
  task: Task,
  { particle, instances, history }: Roller,
  actions: NumberArray,
): void {
  const { view } = arena
  const A = view.low.length
  let at = 0
  instances.forEach((instance, e) => {
    instance.reset({ seed: episodeSeed(arena, task, particle, e) })
    for (let k = 0; k < view.elapsed[e]; k++, at += A) {
      const action = actions.slice(at, at + A) as Float32Array
      history[e].push(...action)
      instance.step(actionFrom(task.spec, action, 0))
    }
  })
}

/**
 * T steps of every environment of a particle, into the rows of the batch. Episodes that end start anew in the same step;
 * those still running go on in the next rollout. `step` is the number of steps taken before.
 */
export function rollout(arena: RolloutArena, task: Task, roller: Roller, step: number): void {
  const { ops, at, view } = arena
  const { lo, hi } = task.seed
  view.finished[0] = 0
  view.finishedReturn[0] = 0
  if (task.spec.core) ops.rollout(at.batch, at.environments, at.policy, roller.particle, step, lo, hi)
  else rolloutInTypeScript(arena, task, roller, step)
}

/** The same loop for a task that is not in the core: only the policy runs in WASM. */
function rolloutInTypeScript(arena: RolloutArena, task: Task, roller: Roller, step: number): void {
  const { ops, at, view } = arena
  const { environments: E, steps: T, seed } = task
  const O = observationSize(task.spec)
  const A = view.low.length
  for (let t = 0; t < T; t++) {
    view.observation.set(view.current, t * E * O)
    view.time.set(view.elapsed, t * E)
    const action = at.action + t * E * A * 4
    // biome-ignore format: one op, one line
    ops.act(at.policy, 0, at.current, E, action, 0, 0, Purpose.action, roller.particle, step + t, seed.lo, seed.hi)
    const given = new Float32Array(arena.memory.buffer, ops.boundActions(at.environments, action, E), E * A)
    for (let e = 0; e < E; e++) stepRow(arena, task, roller, e, t * E + e, actionFrom(task.spec, given, e))
  }
}

/** Action `row` of [rows, A] as an environment takes it. */
export function actionFrom({ actionSpace }: EnvironmentSpec, actions: Float32Array, row: number): Action {
  if (actionSpace.kind === 'discrete') return actions[row]
  const A = actionSpace.low.length
  return actions.slice(row * A, (row + 1) * A)
}

/** Steps instance e and writes row `row` of the batch. */
function stepRow(arena: RolloutArena, task: Task, roller: Roller, e: number, row: number, action: Action): void {
  const { view } = arena
  const O = observationSize(task.spec)
  const result = roller.instances[e].step(action)
  const { obs, reward, terminated, truncated } = result
  if (typeof action === 'number') roller.history[e].push(action)
  else roller.history[e].push(...Array.from(action))
  checkReward(task.spec, roller.particle, reward)
  checkResult(task.spec.id, task.spec.observationSpace, result, view.elapsed[e] + 1)
  view.nextObservation.set(obs, row * O)
  view.current.set(obs, e * O)
  view.reward[row] = reward
  view.elapsed[e]++
  view.episodeReturn[e] += reward
  view.terminated[row] = terminated ? 1 : 0
  view.truncated[row] = truncated || view.elapsed[e] >= task.spec.maxEpisodeSteps ? 1 : 0
  const isOver = view.terminated[row] === 1 || view.truncated[row] === 1
  if (task.episodicReward) view.reward[row] = isOver ? view.episodeReturn[e] : 0
  if (!isOver) return
  view.finished[0]++
  view.finishedReturn[0] += view.episodeReturn[e]
  view.episode[e]++
  resetRow(arena, task, roller, e)
}

function resetRow(arena: RolloutArena, task: Task, { particle, instances, history }: Roller, e: number): void {
  const { view } = arena
  const result = instances[e].reset({ seed: episodeSeed(arena, task, particle, e) })
  checkResult(task.spec.id, task.spec.observationSpace, result, 0)
  const { obs } = result
  view.current.set(obs, e * observationSize(task.spec))
  view.elapsed[e] = 0
  view.episodeReturn[e] = 0
  history[e].length = 0
}

const episodeSeed = ({ view }: RolloutArena, { seed }: Task, particle: number, e: number) =>
  deriveSeed(joinSeed([seed.lo, seed.hi]), Purpose.episode, particle, e, view.episode[e])

export function checkReward(spec: EnvironmentSpec, particle: number, reward: number): void {
  if (!Number.isFinite(reward))
    throw new RunError(`${spec.id} gave particle ${particle} the reward ${show(reward)}; a reward must be finite.`)
}
