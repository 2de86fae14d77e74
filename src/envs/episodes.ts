import { RunError } from '../core/errors.ts'
import { failureOf } from '../core/own-code.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from './contract.ts'
import { nameOf, problemOf, refuseEndless } from './errors.ts'
import { openInstances } from './instances.ts'
import { type Action, sizeOf } from './spaces.ts'

/** What is counted of the running episode of each row, wherever that is kept. */
interface EpisodeCounters {
  /** [rows] steps since the last reset. */
  readonly elapsed: Int32Array
  /** [rows] the task's rewards since the last reset. */
  readonly episodeReturn: Float64Array
}

export const episodeCounters = (rows: number): EpisodeCounters => ({
  elapsed: new Int32Array(rows),
  episodeReturn: new Float64Array(rows),
})

/** What is said of a problem: `problem` completes "gave …", `step` is 0 for a reset. */
export type Telling = (row: number, step: number, problem: string) => string

/** Names the row and the step in what it throws. */
export const namingRow =
  (nameOfRow: (row: number) => string): Telling =>
  (row, step, problem) =>
    `${nameOfRow(row)}: ${nameOf(step)} gave ${problem}.`

/** Instances of a task, a row each, and what is counted of their episodes. */
export interface Episodes {
  readonly spec: EnvironmentSpec
  readonly instances: readonly Environment[]
  readonly counters: EpisodeCounters
  readonly tell: Telling
}

/**
 * Instances for as many rows as there are counters.
 *
 * @throws UsageError for a task without a time limit
 */
export function openEpisodes(
  spec: EnvironmentSpec,
  create: () => Environment,
  counters: EpisodeCounters,
  tell: Telling,
): Episodes {
  refuseEndless(spec)
  return { spec, instances: openInstances(create, counters.elapsed.length), counters, tell }
}

/**
 * Begins the episode that startEpisode() of the same row and seed then starts, where the task knows how, so that all
 * rows start together. Whether it does.
 */
export function beginEpisode({ spec, instances }: Episodes, row: number, seed: number): boolean {
  const instance = instances[row]
  if (!instance.beginReset) return false
  try {
    instance.beginReset({ seed })
  } catch (error) {
    throw failed(spec, 0, error)
  }
  return true
}

/**
 * Starts the episode of a seed in a row.
 *
 * @throws RunError when the instance throws, or gives what its contract does not allow
 */
export function startEpisode(episodes: Episodes, row: number, seed: number): Reset {
  const { spec, instances, counters } = episodes
  let result: Reset
  try {
    const { obs, info } = givenBy(episodes, row, instances[row].reset({ seed }), 0)
    result = { obs, info }
  } catch (error) {
    throw failed(spec, 0, error)
  }
  counters.elapsed[row] = 0
  counters.episodeReturn[row] = 0
  return result
}

/**
 * Begins the step of a row that stepEpisode() then ends, where the task knows how, so that all rows move together.
 *
 * @param actions [·, A] with the action of the row at `k`
 */
export function beginStep({ spec, instances, counters }: Episodes, row: number, actions: Float32Array, k = row): void {
  const instance = instances[row]
  if (!instance.begin) return
  try {
    instance.begin(actionOf(spec, actions, k))
  } catch (error) {
    throw failed(spec, counters.elapsed[row] + 1, error)
  }
}

/**
 * One step of a row. Steps and rewards are counted; `truncated` where the time limit cuts.
 *
 * @throws RunError when the instance throws, or gives what its contract does not allow
 */
export function stepEpisode(episodes: Episodes, row: number, action: Action): Step {
  const { spec, instances, counters } = episodes
  const step = ++counters.elapsed[row]
  let result: Step
  try {
    const given = givenBy(episodes, row, instances[row].step(action), step)
    const { obs, reward, taskReward, terminated, truncated, info } = given
    result = { obs, reward, terminated, truncated: truncated || step >= spec.maxEpisodeSteps, info }
    if (taskReward !== undefined) result = { ...result, taskReward }
  } catch (error) {
    throw failed(spec, step, error)
  }
  counters.episodeReturn[row] += result.taskReward ?? result.reward
  return result
}

const failed = ({ id }: EnvironmentSpec, step: number, error: unknown) => failureOf(`${id}: ${nameOf(step)}`, error)

/** What a reset or a step gave, unless the contract does not allow it; what it is read from may be the task's code. */
function givenBy<R extends Reset | Step>({ spec, tell }: Episodes, row: number, result: R, step: number): R {
  const problem = problemOf(spec.observationSpace, result, step)
  if (problem) throw new RunError(tell(row, step, problem))
  return result
}

/** Action `row` of [rows, A] as an instance takes it. */
export function actionOf({ actionSpace }: EnvironmentSpec, actions: Float32Array, row: number): Action {
  if (actionSpace.kind === 'discrete') return actions[row]
  const A = sizeOf(actionSpace)
  const action = actions.slice(row * A, (row + 1) * A)
  return actionSpace.kind === 'box' ? action : Int32Array.from(action)
}
