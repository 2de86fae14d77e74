import { RunError, show, UsageError } from '../../core/errors.ts'
import { isRecord, requireFunction, requireThat } from '../../core/require.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from '../contract.ts'
import { asTask } from '../description-problems.ts'
import { problemOfResult } from '../errors.ts'
import { creatorOf } from '../instances.ts'
import type { Action } from '../spaces.ts'

/** Makes of a task the same task with something changed, so that wrappers compose from the inside out. */
export type Wrapper = (spec: EnvironmentSpec) => EnvironmentSpec

/** What a wrapper does to a task. */
export interface Change {
  /** What becomes of the description: spaces, threshold, limit. */
  readonly spec?: Partial<EnvironmentSpec>
  /** What is put around each instance. */
  around(env: Environment): Environment
}

/** What it takes to make a wrapper of this library again: its name in wrappers/named.ts and its options. */
export interface Remaking {
  /** Null where they cannot be written as JSON. */
  readonly options: Readonly<Record<string, unknown>> | null
  /** What it learns of the task: plain data that all instances share and write into. */
  readonly state?: object
}

/**
 * A wrapper from the change that it makes of a task.
 *
 * @param name as it stands in `wrappers` of the description
 * @param steps how many steps of the task one step of the wrapped one takes
 * @param remaking of a wrapper of this library; a task with one of one's own cannot be kept in a run directory
 */
export function wrapper(
  name: string,
  change: (inner: EnvironmentSpec) => Change,
  steps = 1,
  remaking: Remaking = { options: null },
): Wrapper {
  requireThat(typeof name === 'string' && name.length > 0, 'wrapper', 'a name', name)
  requireFunction('wrapper', change, '(task) => ({ spec, around })')
  requireThat(Number.isSafeInteger(steps) && steps > 0, 'wrapper', 'a whole number of steps from 1', steps)
  requireThat(isRecord(remaking), 'wrapper', 'what it takes to make it again, { options }', remaking)
  const wrapped: Wrapper = (inner) => {
    requireThat(isRecord(inner), name, 'a task', inner)
    asTask(inner)
    const create = creatorFor(name, inner)
    const { spec, around } = change(inner)
    const { configure } = inner
    return {
      ...inner,
      ...spec,
      wrappers: [...(inner.wrappers ?? []), name],
      // The module's default export is the task without the wrapper.
      module: undefined,
      made: { from: inner, by: { wrapper: name.replace(/\(.*$/, ''), ...remaking } },
      create: () => around(create()),
      configure: configure && ((constants) => wrapped(configure(constants))),
      limit: (maxEpisodeSteps) => wrapped(limited(inner, maxEpisodeSteps * steps)),
    }
  }
  return wrapped
}

function creatorFor(name: string, inner: EnvironmentSpec): () => Environment {
  const { id, core, create } = inner
  if (create) return checkedInstances(inner)
  const why = core ? 'its physics is in the core: use await wrap(task, ...wrappers)' : 'it has no create()'
  throw new UsageError(`${name} cannot be put around ${show(id)}, ${why}.`)
}

/** Where an instance has the memories of its wrappers. */
const MEMORIES = Symbol('memories')

/** What the wrappers around an instance remember between two steps, from the outside in: live, to be written into. */
export const memoriesOf = (env: object): readonly object[] =>
  (env as { readonly [MEMORIES]?: readonly object[] })[MEMORIES] ?? []

const remembering = (memories: readonly object[]) => ({ [MEMORIES]: memories })

/** Instances of a task whose results are checked before a wrapper makes something of them that looks right. */
function checkedInstances(inner: EnvironmentSpec): () => Environment {
  const create = creatorOf(inner)
  const checked = <R extends Reset>(result: R, step: 0 | 1): R => {
    const problem = problemOfResult(inner, result, step)
    if (problem === undefined) return result
    throw new RunError(`${inner.id}: ${step ? 'step' : 'reset'} gave ${problem}.`)
  }
  return () => {
    const env = create()
    return {
      ...remembering(memoriesOf(env)),
      reset: (options) => checked(env.reset(options), 0),
      step: (action) => checked(env.step(action), 1),
      begin: env.begin && ((action) => env.begin?.(action)),
      beginReset: env.beginReset && ((options) => env.beginReset?.(options)),
      close: env.close && (() => env.close?.()),
      get state() {
        return env.state
      },
      getState: env.getState && (() => env.getState?.()),
      setState: env.setState && ((state) => env.setState?.(state)),
    }
  }
}

/** The same task with another time limit. */
export function limited(spec: EnvironmentSpec, maxEpisodeSteps: number): EnvironmentSpec {
  requireThat(isRecord(spec), 'timeLimit', 'a task', spec)
  const made = { from: spec, by: { maxEpisodeSteps } }
  return spec.limit?.(maxEpisodeSteps) ?? { ...spec, maxEpisodeSteps, module: undefined, made }
}

/** What a wrapper changes of an instance, and what it remembers between two steps. */
interface Around<Memory extends object = object> extends Pick<Environment, 'reset' | 'step'> {
  /** What a step is begun with, where that is another action; default the same. */
  readonly given?: (action: Action) => Action
  /** Plain data, written into; saved and restored with the state of the instance. */
  readonly memory?: Memory
}

const same = (action: Action) => action

/** The instance with these functions instead of its own; its state and its end pass through. */
export function around(
  env: Omit<Environment, 'reset' | 'step'>,
  { reset, step, given = same, memory = {} }: Around,
): Environment {
  return {
    ...remembering([memory, ...memoriesOf(env)]),
    reset,
    step,
    begin: env.begin && ((action) => env.begin?.(given(action))),
    beginReset: env.beginReset && ((options) => env.beginReset?.(options)),
    close: env.close && (() => env.close?.()),
    get state() {
      return env.state
    },
    getState: env.getState && (() => ({ memory: { ...memory }, inner: env.getState?.() })),
    setState:
      env.setState &&
      ((state) => {
        const saved = state as { memory: object; inner: unknown }
        Object.assign(memory, saved.memory)
        env.setState?.(saved.inner)
      }),
  }
}

/** Whether an episode is over after this step, by itself or by its limit. */
export const isOver = ({ terminated, truncated }: Step, elapsed: number, maxEpisodeSteps: number): boolean =>
  terminated || truncated || elapsed >= maxEpisodeSteps
