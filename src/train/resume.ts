import * as v from 'valibot'
import type { Algorithm } from '../algorithms/algorithm.ts'
import type { Workers } from '../cluster/address.ts'
import { isExpected, show, UsageError } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import { encodePlain } from '../core/plain.ts'
import { finiteSchema } from '../core/schemas.ts'
import { partsOf, type ReadContent, restore, type StatePart } from '../core/state.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { describeTask, findTask, parseTask, statesOf, type TaskDescription, taskFrom } from '../envs/description.ts'
import { taskNamed } from '../envs/named.ts'
import { type Checkpoint, type CheckpointAbout, decodeCheckpoint, spacesOf } from './checkpoint.ts'
import { readCheckpoint } from './checkpoint-files.ts'
import { inBytes } from './run-files.ts'
import { singlePolicyOf } from './single-policies.ts'

/** A run that goes on: where from, and what may be another than it was. */
export interface ResumeOptions {
  /** The directory of a run, or the bytes of a checkpoint. */
  readonly resume: string | Uint8Array | Checkpoint
  /** Begins a new run with the population alone, in which any setting may be another. Default false. */
  readonly fork?: boolean
  /** Of the whole run; default: as before. */
  readonly iterations?: number
  /** Default: this thread. */
  readonly workers?: Workers
  readonly workerLimit?: number
  /** The task, where it is one of one's own that cannot be found again. */
  readonly env?: string | EnvironmentSpec
  readonly core?: CoreSource
  /** Settings, which must be what they were unless it is a fork. */
  readonly [setting: string]: unknown
}

/** What does not change the bits of a run. */
const FREE = ['resume', 'fork', 'algorithm', 'env', 'iterations', 'workers', 'workerLimit', 'core', 'tfjs']

/** The checkpoint to go on from. Throws a UsageError where there is none, or it cannot be read. */
export async function checkpointOf(source: unknown): Promise<Checkpoint> {
  if (source instanceof Uint8Array) return inBytes('checkpoint', () => decodeCheckpoint(source))
  if (typeof source === 'object' && source !== null && 'about' in source && 'content' in source)
    return source as Checkpoint
  if (typeof source !== 'string')
    throw new UsageError(`resume takes the directory of a run or the bytes of a checkpoint, got ${show(source)}.`)
  const found = await readCheckpoint(source)
  if (found) return found
  throw new UsageError(`${show(source)} has no checkpoint to go on from.`)
}

/**
 * All settings of a run that goes on: those it had, and what may change.
 *
 * @throws UsageError for a setting that may not change, which it names, and for another task
 */
export async function continued(
  checkpoint: Checkpoint,
  given: Readonly<Record<string, unknown>>,
  { config: configOf, followsIterations }: Pick<Algorithm<object, unknown, unknown>, 'config' | 'followsIterations'>,
) {
  refuseOtherIteration(checkpoint)
  const { about } = checkpoint
  const { algorithm, env: _, iterations: before, task, ...settings } = about.config
  const { resume: __, fork = false, ...rest } = given
  if (given.algorithm !== undefined) refuseOtherAlgorithm(about.config, given.algorithm)
  const env = await taskOf(about, given)
  const options = { ...settings, ...defined(rest), algorithm, env } as Record<string, unknown> & {
    env: EnvironmentSpec
  }
  if (fork) return { iterations: before, ...options }
  // A setting that is newer than the run had its default.
  const had = configOf(withoutRun({ ...settings, env })) as Readonly<Record<string, unknown>>
  const changed = changedSetting(had, configOf(withoutRun(options)))
  if (changed)
    throw new UsageError(
      `The run has ${changed} ${show(had[changed])}, not ${show(given[changed])}: go on with it, or ${FORK}.`,
    )
  const iterations = (given.iterations ?? before) as number
  if (iterations <= about.iteration)
    throw new UsageError(
      `The run has done ${about.iteration} iterations: to go on it needs more than that, got iterations ${iterations}.`,
    )
  const [schedule] = iterations === before ? [] : (followsIterations?.(settings) ?? [])
  if (schedule)
    throw new UsageError(
      `The run's ${schedule} goes over its ${before} iterations, so it cannot have ${iterations}: ${FORK}.`,
    )
  return { ...options, iterations }
}

/** How another run begins with this one's population. */
const FORK = 'fork the run, with --fork and --out on the command line, with fork: true in a program'

/** @throws UsageError for an algorithm that is not that of the run, by either of its names where one policy learns */
export function refuseOtherAlgorithm(config: Readonly<Record<string, unknown>>, given: unknown): void {
  const name = singlePolicyOf(config) ?? config.algorithm
  if (given === name || given === config.algorithm) return
  throw new UsageError(`The run is one of ${name}; it cannot go on with ${show(given)}.`)
}

const defined = (options: object) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

const withoutRun = (options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).filter(([name]) => name === 'env' || !FREE.includes(name)))

function changedSetting(before: Readonly<Record<string, unknown>>, now: object): string | undefined {
  return Object.entries(now).find(([name, value]) => encodePlain(value) !== encodePlain(before[name]))?.[0]
}

/** The task that the run was of; throws a UsageError for another one. */
async function taskOf(
  { config: { env: id, task }, spaces }: CheckpointAbout,
  given: Readonly<Record<string, unknown>>,
) {
  const description = task && parseTask(task)
  if (given.env === undefined) {
    if (!description) throw new UsageError(`The task of the run, ${show(id)}, cannot be made again: give it as env.`)
    return taskFrom(description, { core: given.core as CoreSource, fromFile: true })
  }
  const spec = await taskNamed(given.env as string | EnvironmentSpec)
  if (given.fork) return spec
  const other = description ? difference(description, described(spec)) : null
  if (other) throw new UsageError(`The task is not that of the run: ${other}.`)
  if (spacesOf(spec) !== spaces)
    throw new UsageError(`The spaces or the time limit of ${spec.id} are not those of the run.`)
  return spec
}

function described(spec: EnvironmentSpec): TaskDescription | null {
  try {
    return describeTask(spec)
  } catch (error) {
    if (isExpected(error)) return null
    throw error
  }
}

/** What differs between two tasks, as a part of a sentence; where their modules are is no matter. */
function difference(before: TaskDescription, now: TaskDescription | null): string | null {
  if (!now) return `${show(before.id)} could be made again, and this one cannot`
  const names = ['id', 'constants', 'maxEpisodeSteps', 'wrappers'] as const
  const name = names.find((each) => encodePlain(before[each] ?? null) !== encodePlain(now[each] ?? null))
  if (!name) return null
  const [old, found] = [before[name], now[name]].map((value) => show(value).slice(0, 80))
  return `${name} ${found}, not ${old}`
}

/** The task as it is written down; null where it cannot be made again. */
export async function writtenTask(spec: EnvironmentSpec): Promise<Record<string, unknown> | null> {
  try {
    return { ...(await findTask(spec)) }
  } catch (error) {
    if (isExpected(error)) return null
    throw error
  }
}

/** What the wrappers of a task have learned so far. */
export function learnedPart(spec: EnvironmentSpec): StatePart {
  const states = statesOf(spec).map((state, k): [string, StatePart | null] => [
    `wrapper${k}`,
    state && recordPart(state),
  ])
  return partsOf(Object.fromEntries(states))
}

/** A record of numbers, lists of numbers and flags, as statistics are. */
function recordPart(record: object): StatePart {
  return {
    save(to) {
      for (const [name, value] of Object.entries(record)) to.array(name, Float64Array.from([value].flat(), Number))
    },
    load(from) {
      const found = Object.entries(record).map(([name, value]) => {
        const numbers = from.array(name, new Float64Array([value].flat().length))
        if (Array.isArray(value)) return [name, [...numbers]]
        return [name, typeof value === 'boolean' ? numbers[0] === 1 : numbers[0]]
      })
      return () => {
        Object.assign(record, Object.fromEntries(found))
      }
    },
  }
}

/**
 * Puts some of what a checkpoint holds to where it was: the whole run, its population alone, or what was kept beside.
 *
 * @throws UsageError where they do not fit each other; nothing is changed then
 */
export function restoreFrom({ content }: Checkpoint, name: 'whole' | 'beside', part: StatePart): void {
  restoreNamed(content, name, part)
}

/** Throws a UsageError where the counters of a state are not those that its checkpoint names. */
function refuseOtherIteration({ about: { iteration }, content: { values } }: Checkpoint): void {
  const found = values['whole.rest.counters.iteration']
  if (found !== undefined && found !== iteration)
    throw new UsageError(`The checkpoint is of iteration ${iteration}, but its state of ${show(found)}.`)
}

export function restorePopulation({ content }: Checkpoint, population: StatePart): void {
  restoreNamed(content, 'whole.population', population)
}

function restoreNamed({ arrays, values, logs }: ReadContent, name: string, part: StatePart): void {
  const own = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([each]) => each.startsWith(`${name}.`))
        .map(([each, value]) => [each.slice(name.length + 1), value]),
    )
  try {
    restore(part, { arrays: own(arrays), values: own(values), logs: own(logs) })
  } catch (error) {
    if (isExpected(error)) throw new UsageError(`The checkpoint does not fit: ${error.message}`)
    throw error
  }
}

/** Cells that were visited. */
export const cellsPart = (seen: Set<number>): StatePart => ({
  save: (to) => to.array('cells', Uint32Array.from(seen)),
  load(from) {
    const cells = from.array('cells', new Uint32Array(0), 'any')
    return () => {
      for (const cell of cells) seen.add(cell)
    }
  },
})

/** A list of numbers and nulls. */
export const listPart = (list: (number | null)[]): StatePart => ({
  save: (to) => to.value('list', [...list]),
  load(from) {
    const found = from.value('list', v.array(v.nullable(finiteSchema)))
    return () => void list.splice(0, list.length, ...found)
  },
})
