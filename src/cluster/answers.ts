import { UsageError } from '../core/errors.ts'
import { areFinite, isCount } from '../core/require.ts'
import type { Job, Outcome } from '../rl/evaluator.ts'
import { decodeMessage, encodeMessage } from './messages.ts'

/** Who has done a job. */
export interface By {
  readonly worker: string
  readonly name: string
  /** Which of its threads. */
  readonly thread: number
}

/**
 * What came of a job: its outcome as bytes, what doing it threw, or why its thread is no more. Of a whole run also what
 * it has come to, and that a checkpoint lies at its job's key.
 */
export type Said =
  | { readonly outcome: Uint8Array }
  | { readonly news: readonly unknown[] }
  | { readonly kept: true }
  | { readonly failure: { readonly name: string; readonly message: string; readonly stack?: string } }
  | { readonly died: string }

export type Answer = { readonly id: string; readonly by: By } & Said

export const encodeAnswer = (answer: Answer): Uint8Array => encodeMessage(answer)

const isText = (value: unknown): value is string => typeof value === 'string'

/** @throws UsageError, as the end of a sentence, for what is no answer */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const { id, by, ...said } = (decodeMessage(bytes) ?? {}) as Record<string, unknown>
  const { worker, name, thread } = (by ?? {}) as Record<string, unknown>
  const { outcome, failure, died, news, kept } = said
  const isKnown =
    outcome instanceof Uint8Array ||
    isText(died) ||
    Array.isArray(news) ||
    kept === true ||
    (isText((failure as { name?: unknown })?.name) && isText((failure as { message?: unknown }).message))
  if (isText(id) && isText(worker) && isText(name) && Number.isSafeInteger(thread) && isKnown)
    return { id, by: { worker, name, thread }, ...said } as Answer
  throw new UsageError('it is no answer to a job.')
}

const isArray = (value: unknown): boolean => ArrayBuffer.isView(value)
const isRecordOfArrays = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value as object).every(isArray))

/**
 * The evaluations that are a job.
 *
 * @throws UsageError, as the end of a sentence, for what is no job
 */
export function decodeJobs(bytes: Uint8Array): Job[] {
  const jobs = decodeMessage(bytes)
  if (Array.isArray(jobs) && jobs.length > 0 && jobs.every(isJob)) return jobs
  throw new UsageError('it is no job.')
}

function isJob(value: unknown): value is Job {
  const { particle, step, pass, theta, behaviour, carried, context } = (value ?? {}) as Partial<Job>
  return (
    [particle, step, pass].every(isCount) &&
    theta instanceof Float32Array &&
    behaviour instanceof Float32Array &&
    [carried, context].every((each) => each !== undefined && isRecordOfArrays(each))
  )
}

/**
 * The outcomes of a job, of policies of these numbers of parameters.
 *
 * @throws UsageError, as the end of a sentence, for what is none
 */
export function decodeOutcomes(bytes: Uint8Array, sizes: readonly number[]): Outcome[] {
  const outcomes = decodeMessage(bytes)
  if (Array.isArray(outcomes) && outcomes.length === sizes.length)
    return outcomes.map((outcome, k) => requireOutcome(outcome, sizes[k]))
  throw new UsageError(`it has not ${sizes.length} outcomes.`)
}

function requireOutcome(outcome: unknown, size: number): Outcome {
  const { gradient, carried, exploration, info, visited, probes = null } = (outcome ?? {}) as Partial<Outcome>
  const isGradient = (value: unknown) => value instanceof Float32Array && value.length === size && areFinite(value)
  if (!isGradient(gradient)) throw new UsageError(`its gradient has not ${size} finite numbers.`)
  if (exploration !== null && !isGradient(exploration))
    throw new UsageError(`its exploration gradient has not ${size} finite numbers.`)
  const isOutcome =
    [carried, visited, probes].every((value) => value !== undefined && isRecordOfArrays(value)) &&
    (info === null || (isCount(info?.episodes) && Number.isFinite(info?.entropy)))
  if (isOutcome) return outcome as Outcome
  throw new UsageError('it is no outcome.')
}
