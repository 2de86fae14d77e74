import type { Arena } from '../core/arena.ts'
import { closeAll } from '../core/disposable.ts'
import { RunError, show, UsageError } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import { f32, u8, u32 } from '../core/layout.ts'
import { joinSeed, Purpose, type Seed } from '../core/random.ts'
import type { Environment, EnvironmentSpec } from '../envs/contract.ts'
import {
  actionOf,
  beginEpisode,
  beginStep,
  type Episodes,
  startEpisode,
  stepEpisode,
  type Telling,
} from '../envs/episodes.ts'
import { refuseEndless } from '../envs/errors.ts'
import { haveStates, loadInstances, playAgain, saveInstances } from '../envs/instance-states.ts'
import { creatorOf, openInstances } from '../envs/instances.ts'
import { type Action, actionSize, observationSize } from '../envs/spaces.ts'
import { appendTo, emptyLog, lastSteps, type StepLog } from '../envs/step-log.ts'
import type { Head, policyFields } from '../nn/policy.ts'
import type { ParticleState } from './evaluator.ts'
import { type CarriedFields, fixed, growing } from './particle-states.ts'
import {
  type batchFields,
  environmentFields,
  environmentState,
  writeBatch,
  writeEnvironments,
} from './rollout-layout.ts'
import { noRows, type PastRows } from './whole-episodes.ts'

/** Room for a seed that the op deriveSeed writes. */
export const seedFields = () => ({ episodeSeed: u32(2) })

type RolloutArena = Arena<
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
  /** Whether each rollout begins new episodes. Default false: they run on from one to the next. */
  readonly wholeEpisodes?: boolean
  readonly seed: Seed
}

/** Who rolls out. */
export interface Roller {
  /** Its number, which its random numbers depend on. */
  readonly particle: number
  /** [E] instances of a task in TypeScript; none where the physics is in the core. */
  readonly instances: readonly Environment[]
  /** What has been done in the running episodes of a task in TypeScript. */
  readonly log: StepLog
  /** The rows of the running episodes, where somebody learns from whole ones. */
  readonly past: PastRows
}

/** @throws UsageError for a task without a time limit */
export function createRoller({ spec, environments: E }: Task, particle: number): Roller {
  refuseEndless(spec)
  const count = spec.core ? 0 : E
  return {
    particle,
    instances: count > 0 ? openInstances(creatorOf(spec), count) : [],
    log: emptyLog(count * actionSize(spec)),
    past: noRows(E, observationSize(spec), actionSize(spec)),
  }
}

export const closeRoller = ({ instances }: Roller): void => closeAll(instances)

/** What a rollout in TypeScript works on. */
interface Running {
  readonly arena: RolloutArena
  readonly task: Task
  readonly roller: Roller
  readonly episodes: Episodes
  /** Whose episodes were begun, to be started when all have taken their step. */
  readonly begun: number[]
}

/** The running episodes of a roller, whose counters stand in the arena. */
function runningOf(arena: RolloutArena, task: Task, roller: Roller): Running {
  const { spec } = task
  const tell: Telling = (_, __, problem) => `${spec.id} gave particle ${roller.particle} ${problem}.`
  const episodes = { spec, instances: roller.instances, counters: arena.view, tell }
  return { arena, task, roller, episodes, begun: [] }
}

/** Writes the records that ops read the task from. */
export function writeTask(arena: RolloutArena, { spec, head, environments, steps, episodicReward }: Task): void {
  writeEnvironments(arena, spec, head, environments)
  writeBatch(arena, steps, episodicReward ?? false)
}

/** Starts the first episode of every environment of a particle, or the one with another number. */
export function startEnvironments(arena: RolloutArena, task: Task, roller: Roller, episode = 0): void {
  arena.view.episode.fill(episode)
  startEpisodes(arena, task, roller)
}

/** Starts the next episode where one is running, and the same again where it has not taken a step yet. */
export function restartEnvironments(arena: RolloutArena, task: Task, roller: Roller): void {
  const { episode, elapsed } = arena.view
  for (let e = 0; e < episode.length; e++) if (elapsed[e] > 0) episode[e]++
  startEpisodes(arena, task, roller)
}

function startEpisodes(arena: RolloutArena, task: Task, roller: Roller): void {
  const { spec, environments: E, seed } = task
  if (spec.core) arena.ops.resetEnvironments(arena.at.environments, roller.particle, seed.lo, seed.hi)
  else {
    const running = runningOf(arena, task, roller)
    for (let e = 0; e < E; e++) beginRow(running, e)
    for (let e = 0; e < E; e++) resetRow(running, e)
  }
}

/** What the environments of a particle carry from one rollout to the next. */
export function carryEnvironments({ view }: RolloutArena, { instances, log }: Roller): ParticleState {
  const fields = environmentState.map((name) => [name, view[name].slice()])
  const states = saveInstances(instances)
  // Who has the states needs no actions.
  const longest = haveStates(states) ? 0 : view.elapsed.reduce((a, b) => Math.max(a, b), 0)
  return { ...Object.fromEntries(fields), instances: states, history: lastSteps(log, longest) }
}

/** The fields of that. */
export function carriedEnvironments({ spec, environments: E }: Task): CarriedFields {
  const fields = environmentFields(spec, E)
  const taken = environmentState.map((name) => [name, fields[name]])
  const history = f32(spec.core ? 1 : E * actionSize(spec))
  return { ...fixed(Object.fromEntries(taken)), ...growing({ instances: u8(1), history }) }
}

/** Throws a UsageError where the arrays that `carriedEnvironments` lists do not fit each other. */
export function refuseEnvironments({ spec, environments: E }: Task, { elapsed, history, instances }: ParticleState) {
  const late = elapsed.findIndex((steps) => steps >= spec.maxEpisodeSteps)
  if (late >= 0)
    throw new UsageError(
      `its episode of environment ${late} has ${elapsed[late]} steps, beyond the limit of ${spec.id}.`,
    )
  const longest = spec.core || haveStates(instances) ? 0 : (elapsed as Int32Array).reduce((a, b) => Math.max(a, b), 0)
  const needed = longest * E * actionSize(spec)
  if (history.length !== needed)
    throw new UsageError(`its history has ${history.length} numbers, but its episodes have ${needed}.`)
}

/** Goes on where the environments were when `carried` was taken. */
export function resumeEnvironments(arena: RolloutArena, carried: ParticleState): void {
  for (const name of environmentState) arena.view[name].set(carried[name])
}

/**
 * Brings new instances of a task in TypeScript to where the episodes in the arena are: by their own states, or by the
 * actions since, as an episode is a function of its seed and its actions.
 *
 * @param carried with `history` [steps, E, A], the last actions, as many as the longest running episode has steps
 * @throws RunError where the same seed and actions lead elsewhere
 */
export function replayEpisodes(arena: RolloutArena, task: Task, roller: Roller, carried: ParticleState): void {
  const { instances, log, particle } = roller
  if (instances.length === 0) return
  const { view } = arena
  const { history } = carried
  if (haveStates(carried.instances)) loadInstances(instances, carried.instances)
  else
    playAgain(task.spec, instances, {
      ...{ history: history as Float32Array, elapsed: view.elapsed, shown: view.current },
      saved: carried.instances,
      seedOf: (e) => episodeSeed(arena, task, particle, e),
    })
  appendTo(log, history)
}

/**
 * T steps of every environment of a particle, into the rows of the batch. Episodes that end start anew in the same
 * step; those still running go on in the next rollout. `step` is the number of steps taken before.
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
  const running = runningOf(arena, task, roller)
  for (let t = 0; t < T; t++) {
    view.observation.set(view.current, t * E * O)
    view.time.set(view.elapsed, t * E)
    const action = at.action + t * E * A * 4
    // biome-ignore format: one op, one line
    ops.act(at.policy, 0, at.current, E, action, 0, 0, Purpose.action, roller.particle, step + t, seed.lo, seed.hi)
    const given = new Float32Array(arena.memory.buffer, ops.boundActions(at.environments, action, E), E * A)
    appendTo(roller.log, given)
    for (let e = 0; e < E; e++) beginStep(running.episodes, e, given)
    for (let e = 0; e < E; e++) stepRow(running, e, t * E + e, actionOf(task.spec, given, e))
    for (const e of running.begun.splice(0)) resetRow(running, e)
  }
}

/** Steps instance e and writes row `row` of the batch. */
function stepRow(running: Running, e: number, row: number, action: Action): void {
  const { arena, task, episodes } = running
  const { view } = arena
  const { obs, reward, terminated, truncated } = stepEpisode(episodes, e, action)
  view.nextObservation.set(obs, row * observationSize(task.spec))
  view.current.set(obs, e * observationSize(task.spec))
  view.terminated[row] = terminated ? 1 : 0
  view.truncated[row] = truncated ? 1 : 0
  const isOver = terminated || truncated
  view.reward[row] = reward
  if (task.episodicReward) view.reward[row] = isOver ? view.episodeReturn[e] : 0
  if (!isOver) return
  view.finished[0]++
  view.finishedReturn[0] += view.episodeReturn[e]
  view.episode[e]++
  if (beginRow(running, e)) running.begun.push(e)
  else resetRow(running, e)
}

const beginRow = ({ arena, task, roller, episodes }: Running, e: number) =>
  beginEpisode(episodes, e, episodeSeed(arena, task, roller.particle, e))

function resetRow({ arena, task, roller, episodes }: Running, e: number): void {
  const { obs } = startEpisode(episodes, e, episodeSeed(arena, task, roller.particle, e))
  arena.view.current.set(obs, e * observationSize(task.spec))
}

const episodeSeed = ({ view }: RolloutArena, { seed }: Task, particle: number, e: number) =>
  deriveSeed(joinSeed([seed.lo, seed.hi]), Purpose.episode, particle, e, view.episode[e])

export function checkReward(spec: EnvironmentSpec, particle: number, reward: number): void {
  if (!Number.isFinite(reward))
    throw new RunError(`${spec.id} gave particle ${particle} the reward ${show(reward)}; a reward must be finite.`)
}
