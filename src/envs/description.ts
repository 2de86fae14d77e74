import * as v from 'valibot'
import { importUnseen } from '../../dist/inline/import.js'
import { reasonOf, show, UsageError } from '../core/errors.ts'
import { refuseDeep } from '../core/json.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { refuseUnknown } from '../core/options.ts'
import { isRecord, requireThat } from '../core/require.ts'
import { check } from '../core/schemas.ts'
import { configured, type MakeOptions } from './configured.ts'
import type { EnvironmentSpec, Making } from './contract.ts'
import { asTask } from './description-problems.ts'
import { inTypeScript } from './instances.ts'
import { taskNamed } from './named.ts'
import { isPythonId } from './python.ts'
import { environments } from './registry.ts'
import { actTheSame } from './same.ts'
import { stepLimit } from './schemas.ts'
import { wrapperNamed } from './wrappers/named.ts'
import { limited } from './wrappers/wrapper.ts'

// A task as plain data: what a run directory keeps of it, and what workers are sent.

/** What it takes to make a task again. */
export interface TaskDescription {
  readonly id: string
  /** The constants of its physics, or the options of a MuJoCo task that are not the default ones. */
  readonly constants?: Readonly<Record<string, unknown>>
  readonly maxEpisodeSteps: number
  /** Around it, the first one innermost. */
  readonly wrappers?: readonly WrapperDescription[]
  /** Whether physics in the core is stepped from TypeScript although there is no wrapper. */
  readonly inTypeScript?: boolean
  /** Where a task of one's own comes from: the address of its module and the name of the export. */
  readonly module?: string
  readonly export?: string
}

/** A wrapper by its name with its options and state, as a run directory keeps it. */
export interface WrapperDescription {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
}

const record = v.record(v.string(), v.unknown())

const schema = v.object({
  id: v.string(),
  constants: v.optional(record),
  maxEpisodeSteps: stepLimit,
  wrappers: v.optional(v.array(v.object({ name: v.string(), options: record }))),
  inTypeScript: v.optional(v.boolean()),
  module: v.optional(v.string()),
  export: v.optional(v.string()),
})

/** @throws UsageError for what is no description of a task, or is nested deeper than 100 levels */
export function parseTask(given: unknown): TaskDescription {
  // What copies it calls itself for every level.
  refuseDeep(given, 'The description of a task')
  return check(schema, JSON.parse(JSON.stringify(given ?? null, withoutBigIntegers), withInfinities))
}

/** JSON has no word for them. */
const withoutBigIntegers = (_: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)

/** JSON knows no infinite numbers: the range of a MuJoCo task may end nowhere. */
const withInfinities = (_: string, value: unknown) =>
  value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : value

const withoutInfinities = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value

/**
 * What it takes to make this task again.
 *
 * @throws UsageError, which names it, for what cannot be written down: a wrapper of one's own, a function, a task
 *   without module
 */
export function describeTask(spec: EnvironmentSpec): TaskDescription {
  requireThat(isRecord(spec) && typeof spec.id === 'string', 'describeTask', 'a task', spec)
  asTask(spec)
  const described = { ...rootOf(spec), maxEpisodeSteps: spec.maxEpisodeSteps }
  const wrappers = wrappersOf(spec)
  const isStepped = makingsOf(spec).some(({ by }) => 'inTypeScript' in by)
  const task = {
    ...described,
    ...(wrappers.length > 0 ? { ...limitOfInner(spec), wrappers } : isStepped && { inTypeScript: true }),
  }
  return JSON.parse(JSON.stringify(task, withoutInfinities))
}

/** How the task was made, the last thing first. */
function makingsOf(spec: EnvironmentSpec): { readonly by: Making; readonly from: EnvironmentSpec }[] {
  return spec.made ? [spec.made, ...makingsOf(spec.made.from)] : []
}

type Wrapping = Extract<Making, { wrapper: string }>

const isWrapping = (by: Making): by is Wrapping => 'wrapper' in by

/** From the inside out. */
const wrappingsOf = (spec: EnvironmentSpec): Wrapping[] =>
  makingsOf(spec)
    .map(({ by }) => by)
    .filter(isWrapping)
    .reverse()

const wrappersOf = (spec: EnvironmentSpec): WrapperDescription[] =>
  wrappingsOf(spec).map(({ wrapper, options }) => {
    if (options) return { name: wrapper, options }
    throw new UsageError(`${spec.id} is wrapped by ${wrapper}, which cannot be written down and made again elsewhere.`)
  })

/** The task that wrappers are around has the limit; it follows from that what the wrapped one has. */
function limitOfInner(spec: EnvironmentSpec): { maxEpisodeSteps: number } {
  const wrapped = makingsOf(spec).filter(({ by }) => isWrapping(by))
  return { maxEpisodeSteps: wrapped[wrapped.length - 1].from.maxEpisodeSteps }
}

function rootOf(spec: EnvironmentSpec): Omit<TaskDescription, 'maxEpisodeSteps'> {
  const { id, core, made, module } = spec
  if (core) {
    if (environments[id]?.core?.kind !== core.kind)
      throw new UsageError(`${show(id)} is no id of a built-in task, by which its physics could be found again.`)
    const { constants, words = {}, texts } = core
    const given = Object.entries(constants).filter(([name]) => !texts?.numbers.includes(name))
    const named = given.map(([name, value]) => [name, words[name]?.[value] ?? value])
    return { id, constants: { ...Object.fromEntries(named), ...texts?.given } }
  }
  if (made) {
    const root = rootOf(made.from)
    if (!('constants' in made.by)) return root
    if (root.constants && root.module) throw new UsageError(`${id} is configured twice: give all constants at once.`)
    return { ...root, constants: { ...root.constants, ...made.by.constants } }
  }
  if (module !== undefined) return { id, module: String(module) }
  // What mujoco() begins with.
  if (!spec.create) return { id }
  throw new UsageError(
    `${id} cannot be made again elsewhere, by a worker or from a run: export it from a module and write module: import.meta.url into its description.`,
  )
}

/**
 * The same, after a look into the module of a task of one's own: whether it exports this very task, or one that acts
 * the same.
 *
 * @throws UsageError where it does not, so that whoever loads it would have another one
 */
export async function findTask(spec: EnvironmentSpec): Promise<TaskDescription> {
  const task = describeTask(spec)
  if (task.module === undefined) return task
  const root = makingsOf(spec).at(-1)?.from ?? spec
  const exports = Object.entries(await loadModule(task.id, task.module))
  const tasks = exports.filter(([, value]) => (value as EnvironmentSpec | null)?.id === root.id) as [
    string,
    EnvironmentSpec,
  ][]
  const [name] =
    tasks.find(([, value]) => isIt(value, root)) ?? tasks.find(([, value]) => actTheSame(root, value)) ?? []
  if (name !== undefined) return { ...task, export: name }
  throw new UsageError(
    `${task.id} is not what its module ${show(task.module)} exports: whoever loads it would have another task. Export it by a name of its own, or make it by configured(task, { constants }).`,
  )
}

/** Whether it is that task, or a copy of it that knows its module. */
const isIt = (value: EnvironmentSpec, root: EnvironmentSpec) =>
  Object.entries({ ...value, ...root }).every(
    ([name, of]) => name === 'module' || of === value[name as keyof EnvironmentSpec],
  )

/** Modules are code: only those that the user has on disk, or the page that it is of. */
const LOADABLE = /^(file:|\/|\.\.?\/|[a-zA-Z]:[\\/])/

/**
 * What a module of the user's exports.
 *
 * @param of what it makes, for the error
 * @throws UsageError for a module that cannot be loaded
 */
export async function loadModule(of: string, module: string): Promise<Record<string, unknown>> {
  try {
    return await importUnseen(module)
  } catch (error) {
    throw new UsageError(`The module ${show(module)} of ${of} cannot be loaded: ${whyNotLoaded(error)}.`)
  }
}

/** What the runtime says, without the file of ours that imported it, and what to do about TypeScript. */
function whyNotLoaded(error: unknown): string {
  const why = reasonOf(error).replace(/ imported from \S*[\\/]dist[\\/]inline[\\/]import\.js$/, '')
  const isTypeScript = /^Unknown file extension "\.[cm]?ts"/.test(why)
  return isTypeScript ? `${why}; Node runs TypeScript from 22.18 on, and before that with tsx: node --import tsx` : why
}

/** What it takes to make a task again beside its description. */
export interface TaskOptions {
  /** What its wrappers have learned before, [wrappers]; null for those that learn nothing. */
  readonly states?: readonly (object | null)[]
  readonly core?: CoreSource
  /**
   * Whether the description comes from a file, which may be somebody else's: then a module must lie on this machine.
   */
  readonly fromFile?: boolean
  /** The most processes that a task in Python runs in; default as for python(). */
  readonly processes?: number
}

/**
 * Makes a task from its description.
 *
 * @throws UsageError for a task, a wrapper or an option that does not exist, and for a module that cannot be loaded or
 *   exports something else
 */
export async function taskFrom(given: TaskDescription, options: TaskOptions = {}): Promise<EnvironmentSpec> {
  requireThat(isRecord(given) && typeof given.id === 'string', 'taskFrom', 'what describeTask() gives', given)
  refuseUnknown('taskFrom', options, ['states', 'core', 'fromFile', 'processes'])
  const task = parseTask(given)
  const { states = [], core } = options
  requireThat(Array.isArray(states), 'taskFrom', 'states as a list, one for each wrapper', states)
  let spec = await rootFrom(task, options)
  if (spec.maxEpisodeSteps !== task.maxEpisodeSteps) spec = limited(spec, task.maxEpisodeSteps)
  const { wrappers = [] } = task
  if (spec.core && (wrappers.length > 0 || task.inTypeScript)) spec = inTypeScript(spec, await compileCore(core))
  return wrappers.reduce(
    (inner, { name, options }, k) => wrapperNamed(name, options, states[k] ?? undefined)(inner),
    spec,
  )
}

async function rootFrom(task: TaskDescription, { core, fromFile, processes }: TaskOptions): Promise<EnvironmentSpec> {
  const { id, module, maxEpisodeSteps } = task
  const constants = task.constants as MakeOptions['constants']
  if (module !== undefined) return configured(await exported(task, fromFile), { constants })
  return taskNamed(id, { constants, core, processes, ...(isPythonId(id) && { maxEpisodeSteps }) })
}

async function exported({ id, module = '', export: name = 'default' }: TaskDescription, fromFile = false) {
  if (fromFile && !LOADABLE.test(module))
    throw new UsageError(`The module of ${id} must be a file, got ${show(module.slice(0, 60))}.`)
  const spec = (await loadModule(id, module))[name] as EnvironmentSpec | undefined
  // It need not know where it is: whoever exports the policies of its run describes it again.
  if (typeof spec === 'object' && spec?.id === id) return spec.module === undefined ? { ...spec, module } : spec
  throw new UsageError(`The export ${name} of ${show(module)} is not the task ${id}.`)
}

/** What the wrappers of a task have learned so far, [wrappers]; live, to be copied. */
export const statesOf = (spec: EnvironmentSpec): (object | null)[] =>
  wrappingsOf(spec).map(({ state }) => state ?? null)

/** From now on what the wrappers of a task have learned is used and no longer changed: for evaluation. */
export function freeze(spec: EnvironmentSpec): void {
  for (const state of statesOf(spec)) if (state) Object.assign(state, { frozen: true })
}

/**
 * While particles play, what the wrappers of their task have learned is used and not changed: to evaluate in the middle
 * of a training changes nothing of it. Statistics that have counted nothing yet go on counting.
 */
export async function withoutLearning<T>(spec: EnvironmentSpec, play: () => Promise<T>): Promise<T> {
  const states = statesOf(spec) as readonly ({ frozen?: boolean; readonly count?: number } | null)[]
  const learning = states.filter((state) => state !== null && state.frozen === false && Number(state.count) >= 1)
  for (const state of learning) Object.assign(state as object, { frozen: true })
  try {
    return await play()
  } finally {
    for (const state of learning) Object.assign(state as object, { frozen: false })
  }
}
