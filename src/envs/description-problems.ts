import { show, UsageError } from '../core/errors.ts'
import { namesOf, unknownOptions } from '../core/options.ts'
import { isClass, isRecord } from '../core/require.ts'
import type { EnvironmentSpec } from './contract.ts'
import { MAX_STEPS } from './errors.ts'
import { isSpace, type Space } from './spaces.ts'

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
  for (const name of ['configure', 'limit', 'render'] as const)
    if (spec[name] !== undefined && typeof spec[name] !== 'function')
      problems.push(`its ${name} must be a function, got ${show(spec[name])}`)
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
  throw new UsageError(`${typeof spec.id === 'string' && spec.id ? spec.id : 'A task without an id'}: ${problem}.`)
}

function problemsOfSpace(name: string, space: Space | undefined, kinds: readonly string[]): string[] {
  if (!kinds.includes(space?.kind as string)) {
    const flat = name === 'observationSpace' && isSpace(space) ? '; flattenObservation() makes one of it' : ''
    return [`its ${name} must be a ${oneOf(kinds)}, got ${show(space)}${flat}`]
  }
  const { start } = space as { start?: unknown }
  if ([start].flat().some(Boolean)) return [`its ${name} starts at ${show(start)}; actions are counted from 0 here`]
  if (space?.kind === 'discrete')
    return Number.isInteger(space.n) && space.n >= 1
      ? []
      : [`n of its ${name} must be a whole number of at least 1, got ${show(space.n)}`]
  if (space?.kind === 'multi-discrete' || space?.kind === 'multi-binary') {
    const { n } = space
    return isSpace(space) ? [] : [`n of its ${name} must be made of whole numbers of at least 1, got ${show(n)}`]
  }
  const { low, high } = space as Extract<Space, { kind: 'box' }>
  if (!isList(low) || !isList(high))
    return [
      `low and high of its ${name} must be lists of numbers, as in box([-1], [1]), got ${show(low)} and ${show(high)}`,
    ]
  if (low.length === 0 || low.length !== high.length)
    return [`low and high of its ${name} must have the same length of at least 1, got ${low.length} and ${high.length}`]
  const k = low.findIndex((value, index) => !(value <= high[index]))
  return k < 0 ? [] : [`its ${name} must have low <= high, got ${low[k]} and ${high[k]} at ${k}`]
}

const oneOf = (kinds: readonly string[]) => kinds.join(', ').replace(/, ([^,]*)$/, ' or $1')

const isCore = (core: unknown) =>
  isRecord(core) && isRecord(core.constants) && Number.isSafeInteger(core.stateSize) && Number(core.stateSize) >= 0

const isList = (x: unknown): x is readonly number[] =>
  (Array.isArray(x) || ArrayBuffer.isView(x)) && Array.from(x as number[]).every((value) => typeof value === 'number')
