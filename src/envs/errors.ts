import { show, UsageError } from '../core/errors.ts'
import { isClass } from '../core/require.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from './contract.ts'
import { type Action, type ActionSpace, type Box, box, contains } from './spaces.ts'

/** Evaluation plays episodes to their end: one of these takes seconds, whoever wrote the task. */
export const MAX_STEPS = 1_000_000

/** Throws a UsageError for a task whose episodes have no end. */
export function refuseEndless({ id, maxEpisodeSteps }: EnvironmentSpec): void {
  const isLimit = Number.isInteger(maxEpisodeSteps) && maxEpisodeSteps >= 1 && maxEpisodeSteps <= MAX_STEPS
  if (isLimit) return
  const allowed = `a whole number from 1 to ${MAX_STEPS}`
  throw new UsageError(`${id}: maxEpisodeSteps, the time limit, must be ${allowed}, got ${show(maxEpisodeSteps)}.`)
}

export const closedError = (name: string) => new UsageError(`${name}: this environment is closed.`)

/** The actions that a task takes: its space, or every finite one where it clips them itself. */
export function takenActions({ actionSpace, clipsActions }: EnvironmentSpec): ActionSpace {
  if (!clipsActions || actionSpace.kind !== 'box') return actionSpace
  const { low, high } = actionSpace
  // biome-ignore format: a pair
  return box(low.map(() => -Infinity), high.map(() => Infinity))
}

/** Throws a UsageError unless the action is a finite element of the space. */
export function checkAction(name: string, space: ActionSpace, action: Action): void {
  if (!contains(space, action) || !isFiniteAction(action))
    throw new UsageError(`${name}: an action is ${elementOf(space)}, got ${show(action)}.`)
}

function isFiniteAction(action: Action): boolean {
  if (typeof action === 'number') return Number.isFinite(action)
  for (let k = 0; k < action.length; k++) if (!Number.isFinite(action[k])) return false
  return true
}

/** What an element of the space is, in words. */
export function elementOf(space: ActionSpace): string {
  if (space.kind === 'discrete') return `a whole number from ${space.start ?? 0} to ${(space.start ?? 0) + space.n - 1}`
  if (space.kind === 'multi-binary') return `a list of ${counted(space.n, 'number')} that are 0 or 1`
  if (space.kind === 'multi-discrete') {
    const [from, to] = [
      space.n.map((_, k) => space.start?.[k] ?? 0),
      space.n.map((n, k) => n - 1 + (space.start?.[k] ?? 0)),
    ]
    return `a list of ${counted(space.n.length, 'whole number')} from ${show(from)} to ${show(to)}`
  }
  const { low, high } = space
  const count = low.length === 1 ? '1 finite number' : `${low.length} finite numbers`
  if (low.every((value) => value === -Infinity) && high.every((value) => value === Infinity)) return count
  const same = (bounds: readonly number[]) => bounds.every((value) => value === bounds[0])
  return same(low) && same(high)
    ? `${count} from ${low[0]} to ${high[0]}`
    : `${count} from ${show(low)} to ${show(high)}`
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

/** What a call is called in messages: step 0 is the reset. */
export const nameOf = (step: number) => (step === 0 ? 'reset' : `step ${step}`)

/**
 * What is wrong with what a task in TypeScript gave, or nothing.
 *
 * @param step counted from 1; 0 for reset
 */
export const problemOf = (space: Box, result: Reset | Step, step: number): string | undefined =>
  problemOfPromise(result) ??
  problemOfObservation(space, result?.obs) ??
  problemOfSize(result.obs) ??
  (step > 0 ? problemOfStep(result as Step) : undefined)

/**
 * The same of a task inside a wrapper: of any numbers, as the wrapper may scale them, and perhaps of parts, which
 * flattenObservation() checks.
 */
export function problemOfResult(
  { observationSpace }: EnvironmentSpec,
  result: Reset | Step,
  step: number,
): string | undefined {
  const promise = problemOfPromise(result)
  if (promise) return promise
  if (observationSpace.kind === 'box') {
    const problem = problemOfObservation(observationSpace, result?.obs)
    if (problem) return problem
  }
  if (typeof result !== 'object' || result === null) return `${show(result)}; an object is needed`
  return step > 0 ? problemOfStep(result as Step) : undefined
}

/** A promise is refused here; what it is rejected with is nobody's then. */
export function problemOfPromise(result: unknown): string | undefined {
  const { then } = (result ?? {}) as { then?: unknown }
  if (typeof then !== 'function') return undefined
  const nobodys = () => {}
  then.call(result, nobodys, nobodys)
  return 'a promise; create, reset and step must give their results at once'
}

/** What is wrong with what create() gave, as sentences without their ends. */
export function problemsOfInstance(made: unknown): string[] {
  const promise = problemOfPromise(made)
  if (promise) return [`create gave ${promise}`]
  const instance = made as Partial<Environment> | undefined
  const isCallable = (value: unknown) => typeof value === 'function' && !isClass(value)
  const missing = NEEDED.filter((name) => !isCallable(instance?.[name]))
  const wrong = OPTIONAL.filter((name) => instance?.[name] !== undefined && !isCallable(instance[name]))
  return [
    ...missing.map((name) => `create must give an object with a function ${name}`),
    ...(missing.length > 0 ? [] : wrong.map((name) => `the ${name} of what create gave must be a function`)),
  ]
}

const NEEDED = ['reset', 'step'] as const
const OPTIONAL = ['begin', 'beginReset', 'close', 'getState', 'setState'] as const

function problemOfObservation({ low }: Box, obs: ArrayLike<number>): string | undefined {
  const n = low.length
  const count = n === 1 ? '1 finite number' : `${n} finite numbers`
  const wrong = () => `the observation ${show(obs)}; an observation is ${count}`
  if (typeof obs !== 'object' || obs?.length !== n) return wrong()
  for (let k = 0; k < n; k++) if (!Number.isFinite(obs[k])) return wrong()
  return undefined
}

/** What is wrong with finite numbers that networks, whose numbers are float32, would take for infinite ones. */
export function problemOfSize(obs: ArrayLike<number>): string | undefined {
  for (let k = 0; k < obs.length; k++)
    if (!Number.isFinite(Math.fround(obs[k])))
      return `the observation ${show(obs)}; an observation is numbers that float32 holds, up to ± 3.4e38`
  return undefined
}

function problemOfStep({ reward, taskReward = 0, terminated, truncated }: Step): string | undefined {
  if (!Number.isFinite(reward)) return `the reward ${show(reward)}; a reward must be finite`
  if (!Number.isFinite(taskReward)) return `the taskReward ${show(taskReward)}; a reward must be finite`
  if (typeof terminated !== 'boolean') return `terminated ${show(terminated)}; it must be true or false`
  if (typeof truncated !== 'boolean') return `truncated ${show(truncated)}; it must be true or false`
  return undefined
}
