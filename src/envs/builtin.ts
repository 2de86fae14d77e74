import { calledHere } from '../core/elsewhere.ts'
import { show, UsageError } from '../core/errors.ts'
import { listed, nearest } from '../core/nearest.ts'
import type { EnvironmentSpec } from './contract.ts'
import type { CellGrid } from './grid.ts'
import type { Scene } from './render.ts'
import type { Transitions } from './transitions.ts'

/** A constant of the physics, or what a choice is between: words, true and false. */
export type ConstantValue = number | string | boolean

interface TextConstant {
  readonly value: string
  /** Throws a UsageError for a text that is not allowed. */
  numbers(text: string): Readonly<Record<string, number>>
}

/** A task whose physics is in the core, with all that follows from its constants. */
export interface BuiltIn<Name extends string = string> {
  readonly id: string
  /** Its number in assembly/envs/environments.ts. */
  readonly kind: number
  /** Numbers of a state row. */
  readonly stateSize: number
  /** Defaults, in the order in which the class in assembly/envs reads them. */
  readonly constants: Readonly<Record<Name, number>>
  /** Constants that are choices: what they are between, each standing in the core as its place. */
  readonly words?: Readonly<Partial<Record<Name, readonly (string | boolean)[]>>>
  /** Constants that are texts, with their defaults and what they are as numbers by name, which follow the others. */
  readonly texts?: Readonly<Record<string, TextConstant>>
  readonly maxEpisodeSteps: number
  /** Whether actions beyond the box are clipped by the physics. */
  readonly clipsActions?: boolean
  /** Mean return at which the task counts as solved, which may depend on the constants. */
  readonly rewardThreshold?: number | ((constants: Readonly<Record<Name, number>>) => number)
  /** Throws a UsageError for constants that do not go together. */
  check?(constants: Readonly<Record<Name, number>>): void
  /** The spaces, which may depend on the constants. */
  spaces(constants: Readonly<Record<Name, number>>): Pick<EnvironmentSpec, 'observationSpace' | 'actionSpace'>
  /** Cells over the observations, which may depend on the constants. */
  grid?(constants: Readonly<Record<Name, number>>): CellGrid
  /** P of a task whose states are numbered. */
  transitions?(constants: Readonly<Record<Name, number>>): Transitions
  /** A picture of a state row. */
  render?(state: ArrayLike<number>, constants: Readonly<Record<Name, number>>): Scene
}

/**
 * The specification of a built-in task, with some of its constants replaced.
 *
 * @throws UsageError for a constant that the task does not have, or a value that is not allowed
 */
export function specOf<Name extends string>(
  task: BuiltIn<Name>,
  overrides: Readonly<Record<string, ConstantValue>> = {},
): EnvironmentSpec {
  const { id, kind, stateSize, maxEpisodeSteps, clipsActions, rewardThreshold } = task
  const constants: Record<Name, number> = { ...task.constants }
  const given: Record<string, string> = {}
  for (const [name, { value }] of Object.entries(task.texts ?? {})) given[name] = value
  for (const [name, value] of Object.entries(overrides)) {
    if (Object.hasOwn(given, name)) given[name] = String(value)
    else constants[name as Name] = constantOf(task, name, value)
  }
  const read = Object.entries(given).map(([name, text]) => task.texts?.[name].numbers(text) ?? {})
  Object.assign(constants, ...read)
  task.check?.(constants)
  return {
    id,
    ...task.spaces(constants),
    maxEpisodeSteps,
    clipsActions,
    rewardThreshold: typeof rewardThreshold === 'function' ? rewardThreshold(constants) : rewardThreshold,
    core: {
      kind,
      stateSize,
      constants,
      ...(task.words && { words: task.words as Record<string, readonly (string | boolean)[]> }),
      ...(task.texts && { texts: { given, numbers: read.flatMap(Object.keys) } }),
    },
    grid: task.grid?.(constants),
    ...(task.transitions && { transitions: () => task.transitions?.(constants) as Transitions }),
    render: task.render && ((state) => task.render?.(state, constants) as Scene),
    configure: (more) => specOf(task, { ...overrides, ...more }),
  }
}

function constantOf<Name extends string>(task: BuiltIn<Name>, name: string, value: ConstantValue): number {
  if (!Object.hasOwn(task.constants, name)) {
    const names = [...Object.keys(task.constants), ...Object.keys(task.texts ?? {})]
    const meant = calledHere(name, names) ?? nearest(name, names)
    throw new UsageError(`${task.id} has no constant ${show(name)}; it has ${listed(names, meant)}.`)
  }
  const words = task.words?.[name as Name]
  if (words) {
    // A command line gives true and false as words.
    const place = words.findIndex((word) => String(word) === value || word === value)
    if (place >= 0) return place
    throw new UsageError(`${task.id}: ${name} must be one of ${words.join(', ')}, got ${show(value)}.`)
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new UsageError(`${task.id}: ${name} must be a finite number, got ${show(value)}.`)
}
