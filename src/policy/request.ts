import { show, UsageError } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import { refuseUnknown } from '../core/options.ts'
import { Purpose } from '../core/random.ts'

/**
 * Who acts: the particle of a number; the best one; one that is drawn for each (seed, episode) or for each (seed,
 * episode, step), which is Thompson sampling; or all policies together, by the mean of their distributions over classes
 * or of their continuous actions.
 */
export type Who = number | 'best' | 'per-episode' | 'per-call' | 'mean'

/** Which particle acts, how, and with which random numbers. */
export interface ActOptions {
  /** Default 'best'. */
  particle?: Who
  /** The best action that is known (default), or one drawn: a function of (seed, episode, step) and the particle. */
  greedy?: boolean
  /** A whole number from 0; default 0. */
  seed?: number
  /** Number of the episode; default 0. Of several rows that of the first, which the others count on from, or a list. */
  episode?: number | ArrayLike<number>
  /** Steps taken in the episode before; default 0. */
  step?: number
}

/**
 * An action as the task's step() takes it: the number of a class, a list [A] of them where there are several choices at
 * once, or a vector [A] within the bounds of the task.
 */
export type AgentAction = number | Float32Array | Int32Array

/** What actions are: one of `size` classes, `size` choices at once among so many classes each, or `size` numbers. */
export interface ActionForm {
  readonly kind: 'discrete' | 'multi-discrete' | 'box'
  readonly size: number
  /** [size] classes of each of several choices. */
  readonly choices?: readonly number[]
}

/** A population that acts: n particles of one task. */
export interface Acting {
  /** n */
  readonly particles: number
  /** O, numbers of an observation. */
  readonly observations: number
  readonly actions: ActionForm
  /**
   * The action for one observation [O]. Where no particle is named the best one acts: that of the highest mean return
   * in the evaluation, or before there is one that of the highest last return in training, or particle 0 before any
   * episode has ended. Nothing is remembered between calls: who draws (greedy: false) counts `step` up, or the same
   * numbers are drawn again.
   *
   * @throws UsageError for an observation of another length or that is not finite, for options that are not allowed,
   *   and where the network overflows
   */
  act(observation: ArrayLike<number>, options?: ActOptions): AgentAction
  /**
   * The actions [rows × A] for observations [rows × O], one row after another. A class is one number, of several
   * choices each.
   */
  actRows(observations: ArrayLike<number>, options?: ActOptions): Float32Array
}

/** Options with their defaults, checked before anything is computed. */
export interface ActRequest {
  readonly who: Exclude<Who, 'best'>
  readonly greedy: boolean
  readonly seed: number
  readonly step: number
  episodeOf(row: number): number
}

/** Who there is to choose from. */
interface Candidates {
  readonly particles: number
  /** Who acts where nobody is named; null where that is not known. */
  readonly best: number | null
  /** Whether all of them can act as one. */
  readonly together: boolean
}

const MAX_EPISODE = 2147483647
const MAX_STEP = 4294967295

/** Throws a UsageError for the first option that is wrong. */
export function requestOf(candidates: Candidates, options: ActOptions, rows: number): ActRequest {
  refuseUnknown('act', options, ['particle', 'greedy', 'seed', 'episode', 'step'])
  const { particle = 'best', greedy = true, seed = 0, episode = 0, step = 0 } = options
  if (typeof greedy !== 'boolean') throw new UsageError(`greedy must be true or false, got ${show(greedy)}.`)
  return {
    who: whoActs(candidates, particle),
    greedy,
    seed: counter('seed', seed, Number.MAX_SAFE_INTEGER),
    step: counter('step', step, MAX_STEP),
    episodeOf: episodesOf(episode, rows),
  }
}

function whoActs({ best, particles: n, together }: Candidates, particle: Who): ActRequest['who'] {
  if (particle === 'per-episode' || particle === 'per-call') return particle
  if (particle === 'mean' && together) return particle
  if (particle !== 'best') {
    if (Number.isInteger(particle) && (particle as number) >= 0 && (particle as number) < n) return particle
    const numbers = n === 1 ? '0' : `a number from 0 to ${n - 1}`
    const words = together ? 'best, per-episode, per-call or mean' : 'best, per-episode or per-call'
    throw new UsageError(`particle must be ${numbers}, ${words}, got ${show(particle)}.`)
  }
  if (best !== null) return best
  if (n === 1) return 0
  throw new UsageError(
    'No particle is known to be the best, as the run was exported without an evaluation: choose a particle.',
  )
}

function episodesOf(episode: number | ArrayLike<number>, rows: number): (row: number) => number {
  if (typeof episode === 'number') {
    counter('episode', episode, MAX_EPISODE - rows)
    return (row) => episode + row
  }
  if (episode?.length !== rows)
    throw new UsageError(
      `episode must be a number or one for each of ${rows} rows, got ${show(episode?.length)} of them.`,
    )
  for (let r = 0; r < rows; r++) counter('episode', episode[r], MAX_EPISODE)
  return (row) => episode[row]
}

function counter(what: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value
  throw new UsageError(`${what} must be a whole number from 0 to ${max}, got ${show(value)}.`)
}

/** The particle that acts in a row, of n. */
export function particleOf({ who, seed, step, episodeOf }: ActRequest, n: number, row: number): number {
  if (typeof who === 'number') return who
  // A stream behind those of the particles and of all together.
  return deriveSeed(seed, Purpose.evaluate, n + 1, episodeOf(row), who === 'per-call' ? step : 0) % n
}

/** Refuses anything but an observation of O numbers. */
export function refuseLength(observation: ArrayLike<number>, O: number): void {
  if (observation?.length === O) return
  const count = O === 1 ? '1 number' : `${O} numbers`
  throw new UsageError(`An observation must be ${count}, got ${show(observation?.length ?? observation)}.`)
}

/** How many rows of O numbers there are. Throws a UsageError for none, or for a part of one. */
export function countRows(observations: ArrayLike<number>, O: number): number {
  const count = observations?.length / O
  if (Number.isInteger(count) && count > 0) return count
  const got = observations?.length === undefined ? show(observations) : `${observations.length} numbers`
  throw new UsageError(`Observations must be rows of ${O} numbers, got ${got}.`)
}

/** Number k of an observation as a float32 number. */
export function finite(value: number, k: number): number {
  const rounded = typeof value === 'number' ? Math.fround(value) : Number.NaN
  if (Number.isFinite(rounded)) return rounded
  throw new UsageError(`Number ${k} of an observation must be a finite float32 number, got ${show(value)}.`)
}

/** Refuses actions that are not finite. */
export function refuseOverflow(actions: Float32Array): void {
  if (!actions.every(Number.isFinite))
    throw new UsageError('The action is not finite: the parameters of the policy are too large for float32.')
}
