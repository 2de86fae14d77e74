import { reasonOf, show, UsageError } from '../core/errors.ts'
import { namesOf, unknownOptions } from '../core/options.ts'
import { areNumbers, isClass, isList, isNumber, isRecord } from '../core/require.ts'
import type { EnvironmentSpec } from './contract.ts'
import { MAX_STEPS } from './errors.ts'
import { type ActionSpace, type Box, isSpace, type Space } from './spaces.ts'

const DESCRIBES = namesOf<EnvironmentSpec>({
  id: true,
  observationSpace: true,
  actionSpace: true,
  clipsActions: true,
  maxEpisodeSteps: true,
  rewardThreshold: true,
  core: true,
  create: true,
  module: true,
  configure: true,
  limit: true,
  wrappers: true,
  made: true,
  grid: true,
  transitions: true,
  render: true,
})

/** What is wrong about the description of a task, without playing it; empty when nothing is. */
export function problemsOfDescription(spec: EnvironmentSpec): string[] {
  try {
    return problemsOfMembers(spec)
  } catch (error) {
    // A getter or a proxy is the user's code.
    return [`reading its description failed: ${reasonOf(error)}`]
  }
}

/** What the members that need not be there must be, where they are. */
const OPTIONAL: readonly (readonly [keyof EnvironmentSpec, what: string, isRight: (value: unknown) => boolean])[] = [
  ['clipsActions', 'true or false', (value) => typeof value === 'boolean'],
  ['rewardThreshold', 'a finite number', isNumber],
  ...(['configure', 'limit', 'transitions', 'render'] as const).map(
    (name) => [name, 'a function', (value: unknown) => typeof value === 'function' && !isClass(value)] as const,
  ),
  [
    'wrappers',
    'a list of names',
    (value) => Array.isArray(value) && value.findIndex((one) => typeof one !== 'string') < 0,
  ],
  ['made', 'as the library writes it', (value) => isRecord(value) && isRecord(value.from) && isRecord(value.by)],
  ['grid', 'a grid of cells', (value) => isRecord(value) && [value.columns, value.low, value.high].every(areNumbers)],
]

function problemsOfMembers(spec: EnvironmentSpec): string[] {
  const { id, observationSpace, actionSpace, maxEpisodeSteps, core, create } = spec
  const problems = unknownOptions(spec, DESCRIBES).map((unknown) => `it has ${unknown}`)
  if (typeof id !== 'string' || id === '') problems.push(`its id must be a text, got ${show(id)}`)
  problems.push(...problemsOfSpace('observationSpace', observationSpace, ['box']))
  problems.push(...problemsOfSpace('actionSpace', actionSpace, ['box', 'discrete', 'multi-discrete', 'multi-binary']))
  if (!(Number.isInteger(maxEpisodeSteps) && maxEpisodeSteps >= 1 && maxEpisodeSteps <= MAX_STEPS))
    problems.push(
      `maxEpisodeSteps, the time limit, must be a whole number from 1 to ${MAX_STEPS}, got ${show(maxEpisodeSteps)}`,
    )
  if (core !== undefined && !isCore(core)) problems.push(`its core must be that of a built-in task, got ${show(core)}`)
  for (const [name, what, isRight] of OPTIONAL)
    if (spec[name] !== undefined && !isRight(spec[name]))
      problems.push(`its ${name} must be ${what}, got ${show(spec[name])}`)
  if (core && create) problems.push('it has both core and create; exactly one of them is allowed')
  if (isClass(create))
    problems.push(
      `create is the class ${create.name}, which must be made with new: write create: () => new ${create.name}()`,
    )
  if (!core && typeof create !== 'function') problems.push(`create must be a function, got ${show(create)}`)
  return problems
}

/**
 * The task, unless nobody could play by its description.
 *
 * @throws UsageError for the first thing that is wrong about it
 */
export function asTask(spec: EnvironmentSpec): EnvironmentSpec {
  if (spec === null || typeof spec !== 'object') throw new UsageError(`env must be an id or a task, got ${show(spec)}.`)
  const [problem] = problemsOfDescription(spec)
  if (problem === undefined) return spec
  throw new UsageError(`${idOf(spec) ?? 'A task without an id'}: ${problem}.`)
}

/** The id of what may be no task. */
export function idOf(spec: EnvironmentSpec): string | undefined {
  try {
    return typeof spec.id === 'string' && spec.id ? spec.id : undefined
  } catch {
    return undefined
  }
}

function problemsOfSpace(name: string, space: Space | undefined, kinds: readonly string[]): string[] {
  if (!kinds.includes(space?.kind as string)) {
    const flat = name === 'observationSpace' && isSpace(space) ? '; flattenObservation() makes one of it' : ''
    return [`its ${name} must be a ${oneOf(kinds)}, got ${show(space)}${flat}`]
  }
  return space?.kind === 'box' ? problemsOfBox(name, space) : problemsOfChoices(name, space as Choices)
}

type Choices = Exclude<ActionSpace, { kind: 'box' }>

function problemsOfChoices(name: string, space: Choices): string[] {
  const { kind, n, start } = space as Choices & { readonly start?: unknown }
  if (isTooLong(n) || (kind === 'multi-binary' && typeof n === 'number' && n > MOST_NUMBERS))
    return [`its ${name} must have at most ${MOST_NUMBERS} choices, got ${show(typeof n === 'number' ? n : n.length)}`]
  const starts: readonly unknown[] = isTooLong(start) ? [start] : [start].flat()
  if (!starts.every((first) => first === undefined || first === 0))
    return [`its ${name} starts at ${show(start)}; actions are counted from 0 here`]
  if (kind === 'discrete')
    return Number.isInteger(n) && n >= 1 && n <= MOST_NUMBERS
      ? []
      : [`n of its ${name} must be a whole number from 1 to ${MOST_NUMBERS}, got ${show(n)}`]
  return isSpace(space) ? [] : [`n of its ${name} must be made of whole numbers of at least 1, got ${show(n)}`]
}

function problemsOfBox(name: string, { low, high }: Box): string[] {
  const areLists = isList(low) && isList(high)
  const isLong = areLists && (isTooLong(low) || isTooLong(high))
  if (areLists && (isLong || low.length === 0 || low.length !== high.length)) {
    const most = isLong ? ` and at most ${MOST_NUMBERS}` : ''
    const lengths = `${low.length} and ${high.length}`
    return [`low and high of its ${name} must have the same length of at least 1${most}, got ${lengths}`]
  }
  if (!areNumbers(low) || !areNumbers(high))
    return [
      `low and high of its ${name} must be lists of numbers, as in box([-1], [1]), got ${show(low)} and ${show(high)}`,
    ]
  const k = Array.from(low).findIndex((value, index) => !(value <= high[index]))
  return k < 0 ? [] : [`its ${name} must have low <= high, got ${low[k]} and ${high[k]} at ${k}`]
}

/** What a network could not take in or give out: one layer of 16 units on it has 160 million weights. */
const MOST_NUMBERS = 10_000_000

const isTooLong = (list: unknown) => isList(list) && list.length > MOST_NUMBERS

const oneOf = (kinds: readonly string[]) => kinds.join(', ').replace(/, ([^,]*)$/, ' or $1')

const isCore = (core: unknown) =>
  isRecord(core) && isRecord(core.constants) && Number.isSafeInteger(core.stateSize) && Number(core.stateSize) >= 0
