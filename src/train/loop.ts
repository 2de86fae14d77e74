import { UsageError } from '../core/errors.ts'
import { refuseUnknown, requireOptions } from '../core/options.ts'
import { isNumber, requireFunction, requireThat } from '../core/require.ts'
import { check, float32, oneOf, seedSchema, wholeNumber } from '../core/schemas.ts'
import { quantile } from '../core/statistics.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import type { Evaluation, IterationMetrics } from '../report/metrics.ts'
import { type Agents, withBest } from '../rl/agents.ts'
import { bestParticle } from './run-directory.ts'
import { evaluate } from './train.ts'

// What stands around the loop of train(): each helper is given steps and passes them on, one at a time.

/** What the helpers need of a step of train(), whichever algorithm it is of. */
export interface LoopStep {
  readonly iteration: number
  readonly iterations: number
  readonly metrics: IterationMetrics
  readonly spec: EnvironmentSpec
  agents(): Agents
  checkpoint(): Promise<Uint8Array>
}

/** Passes the steps of train() on as they are: what it does stands beside them. */
export type StepHelper = <S extends LoopStep>(steps: AsyncIterable<S>) => AsyncGenerator<S>

/** What evaluateEvery() adds to a step. */
export interface Evaluated {
  /** Of the particles after this iteration; null where it was not evaluated. */
  readonly evaluation: Evaluation | null
}

/** How evaluateEvery() evaluates. */
export interface EvaluateEveryOptions {
  /** Of each particle and each way to act; default 20. */
  readonly episodes?: number
  /** Of initial states and of what is drawn, the same in every evaluation; default 0. */
  readonly seed?: number
}

/** @throws UsageError for what is no loop of steps */
export function requireSteps(taker: string, steps: AsyncIterable<unknown>): void {
  const isLoop = typeof (steps as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === 'function'
  requireThat(isLoop, taker, 'the steps of train()', steps)
}

const MOST = 1_000_000_000
const every = (of: string, iterations: number) => check(wholeNumber(of, 1, MOST), iterations)

/**
 * Evaluates all particles after every k-th iteration and after the last one, greedily and sampled: `step.evaluation`.
 * What is learned stays the same to the bit: wrappers only use the statistics that they have.
 *
 *     for await (const { iteration, evaluation } of evaluateEvery(10)(train({ env: 'CartPole-v1' }))) …
 *
 * @param k iterations, from 1
 * @throws UsageError for a number that is not allowed, and for what evaluate() refuses
 */
export function evaluateEvery(k: number, options: EvaluateEveryOptions = {}) {
  every('evaluateEvery', k)
  refuseUnknown('evaluateEvery', options, ['episodes', 'seed'])
  const { episodes = 20, seed = 0 } = options
  check(wholeNumber('episodes', 1, 1_000_000), episodes)
  check(seedSchema, seed)
  return async function* <S extends LoopStep>(steps: AsyncIterable<S>): AsyncGenerator<S & Evaluated> {
    requireSteps('evaluateEvery', steps)
    for await (const step of steps) {
      const isDue = step.iteration % k === 0 || step.iteration === step.iterations
      yield { ...step, evaluation: isDue ? await evaluateNow(step, episodes, seed) : null }
    }
  }
}

const evaluateNow = ({ spec, agents }: LoopStep, episodes: number, seed: number): Promise<Evaluation> =>
  evaluate({ spec, ...agents(), episodes, seed })

/** What ends a run, and whom it tells. */
export interface StopOptions {
  /** Whose mean return counts: that of the best particle or the median over all. Default 'best'. */
  readonly of?: 'best' | 'median'
  /** Told why, in a sentence, after the last step. */
  readonly onStop?: (reason: string) => void
}

/** When stopAt() ends a run. */
export interface StopAtOptions extends StopOptions {
  /** The mean return that is enough. */
  readonly return: number
}

/**
 * Ends the loop with the first step whose mean return is at least this: that of the greedy evaluation where steps have
 * one, and before it nothing counts; else the last mean return in training.
 *
 *     for await (const step of pipe(train({ env: 'CartPole-v1' }), evaluateEvery(5), stopAt({ return: 475 }))) …
 *
 * @throws UsageError for an option that is not allowed
 */
export function stopAt(options: StopAtOptions): StepHelper {
  requireOptions('stopAt', options, ['return', 'of', 'onStop'])
  const enough = check(float32('return'), options.return)
  const { of, onStop } = stopping(options)
  return async function* (steps) {
    requireSteps('stopAt', steps)
    const look = looking(of)
    for await (const step of steps) {
      yield step
      const found = look(step)
      if (found === null || found.value < enough) continue
      onStop?.(`Reached a mean return of ${rounded(found.value)} in ${found.where}`)
      return
    }
  }
}

/** When stopWithoutImprovement() ends a run. */
export interface StopWithoutImprovementOptions extends StopOptions {
  /** The mean returns of the looks of an earlier part of the run, which goes on as one that was not stopped. */
  readonly earlier?: readonly number[]
}

/**
 * Ends the loop when the mean return has not risen over its highest for k looks in a row. Where steps have evaluations
 * each of them is a look, else each iteration in which an episode ended.
 *
 * @param k looks, from 1
 * @throws UsageError for an option that is not allowed
 */
export function stopWithoutImprovement(k: number, options: StopWithoutImprovementOptions = {}): StepHelper {
  every('stopWithoutImprovement', k)
  refuseUnknown('stopWithoutImprovement', options, ['of', 'onStop', 'earlier'])
  const { earlier = [] } = options
  const areReturns = Array.isArray(earlier) && earlier.every(isNumber)
  requireThat(areReturns, 'stopWithoutImprovement', 'a list of mean returns as earlier', earlier)
  const { of, onStop } = stopping(options)
  return async function* (steps) {
    requireSteps('stopWithoutImprovement', steps)
    const look = looking(of)
    let seen = unseen
    for (const value of earlier) {
      seen = lookedAt(seen, value)
      // Here the earlier part ended, to go on in spite of it.
      if (seen.without >= k) seen = unseen
    }
    for await (const step of steps) {
      yield step
      const found = look(step)
      if (found === null) continue
      seen = lookedAt(seen, found.value)
      if (seen.without < k) continue
      const looks = found.isEvaluation ? 'evaluations' : 'iterations'
      onStop?.(`No improvement over ${rounded(seen.highest)} in ${k} ${looks}`)
      return
    }
  }
}

/** The highest of the looks so far, and how many there were since. */
interface Seen {
  readonly highest: number
  readonly without: number
}

const unseen: Seen = { highest: Number.NEGATIVE_INFINITY, without: 0 }

const lookedAt = ({ highest, without }: Seen, value: number): Seen =>
  value > highest ? { highest: value, without: 0 } : { highest, without: without + 1 }

function stopping({ of = 'best', onStop }: StopOptions) {
  if (onStop !== undefined) requireFunction('onStop', onStop, '(reason) => …')
  return { of: check(oneOf('of', ['best', 'median']), of), onStop }
}

const rounded = (value: number) => String(Math.round(value * 100) / 100)

/** The mean return that a step shows; null where it shows none. */
function looking(of: 'best' | 'median') {
  return (step: LoopStep & Partial<Evaluated>) => {
    const isEvaluation = 'evaluation' in step
    const returns = isEvaluation ? (step.evaluation?.greedy ?? []) : step.metrics.returns
    const value = quantile(returns, of === 'best' ? 1 : 0.5)
    return value === null ? null : { value, isEvaluation, where: isEvaluation ? 'evaluation' : 'training' }
  }
}

/** The best particle so far. */
export interface Best {
  readonly iteration: number
  readonly particle: number
  /** Its mean return over the episodes of the evaluation, acting greedily. */
  readonly meanReturn: number
  /** All particles as they were; this one acts where none is named. */
  readonly agents: Agents
}

/** What keepBest() must surpass. */
export interface KeepBestOptions {
  /** Only a higher mean return counts: that of an earlier part of the run. */
  readonly above?: number
}

/** What keepBest() adds to a step. */
export interface WithBest {
  /** The best particle until now; null before the first evaluation. */
  readonly best: Best | null
}

/**
 * Remembers the particle of the highest mean return in evaluation, not in training; the first of equals. It stands
 * behind evaluateEvery():
 *
 *     let best = null
 *     for await (const step of pipe(train({ env: 'CartPole-v1' }), evaluateEvery(5), keepBest())) best = step.best
 *     const action = best?.agents.act(observation)
 *
 * @throws UsageError for an option that is not allowed, and where steps are not evaluated
 */
export function keepBest(options: KeepBestOptions = {}) {
  refuseUnknown('keepBest', options, ['above'])
  const { above = Number.NEGATIVE_INFINITY } = options
  requireThat(typeof above === 'number' && !Number.isNaN(above), 'keepBest', 'a mean return as above', above)
  return async function* <S extends LoopStep & Evaluated>(steps: AsyncIterable<S>): AsyncGenerator<S & WithBest> {
    requireSteps('keepBest', steps)
    let best: Best | null = null
    for await (const step of steps) {
      const found = bestOfStep(step)
      if (found && found.meanReturn > (best?.meanReturn ?? above))
        best = { ...found, iteration: step.iteration, agents: withBest(step.agents(), found.particle) }
      yield { ...step, best }
    }
  }
}

function bestOfStep(step: LoopStep & Evaluated): Pick<Best, 'particle' | 'meanReturn'> | null {
  if (!('evaluation' in step))
    throw new UsageError(
      'keepBest chooses by evaluation: put evaluateEvery before it, as pipe(train(…), evaluateEvery(10), keepBest()).',
    )
  if (step.evaluation === null) return null
  const { greedy } = step.evaluation
  const particle = bestParticle(step.evaluation, greedy.length)
  return { particle, meanReturn: greedy[particle] }
}

/**
 * Calls a function after every k-th iteration and after the last one, and waits for what it returns.
 *
 * @param k iterations, from 1
 * @param f is given the step
 * @throws UsageError for a number that is not allowed; what f throws ends the loop
 */
export function everyIterations<S extends LoopStep>(k: number, f: (step: S) => unknown) {
  every('everyIterations', k)
  if (typeof f !== 'function')
    throw new UsageError('everyIterations calls a function: everyIterations(10, (step) => …).')
  return async function* <T extends S>(steps: AsyncIterable<T>): AsyncGenerator<T> {
    requireSteps('everyIterations', steps)
    for await (const step of steps) {
      if (step.iteration % k === 0 || step.iteration === step.iterations) await f(step)
      yield step
    }
  }
}

/**
 * Hands over a checkpoint after every k-th iteration and after the last one: bytes from which train({ resume: bytes })
 * goes on. In a run directory record() does so by itself.
 *
 * @param k iterations, from 1
 * @param keep stores the bytes, and is waited for
 * @throws UsageError for a number that is not allowed
 */
export function checkpointEvery<S extends LoopStep>(k: number, keep: (bytes: Uint8Array, step: S) => unknown) {
  requireFunction('keep', keep, '(bytes, step) => …')
  return everyIterations(k, async (step: S) => keep(await step.checkpoint(), step))
}

/** A helper, or anything that is given steps and passes steps on. */
export type Passing<S, T> = (steps: AsyncIterable<S>) => AsyncIterable<T>

/** Leads steps through helpers, from left to right: pipe(steps, a, b) is b(a(steps)). */
export function pipe<A, B>(steps: AsyncIterable<A>, a: Passing<A, B>): AsyncIterable<B>
export function pipe<A, B, C>(steps: AsyncIterable<A>, a: Passing<A, B>, b: Passing<B, C>): AsyncIterable<C>
export function pipe<A, B, C, D>(
  steps: AsyncIterable<A>,
  a: Passing<A, B>,
  b: Passing<B, C>,
  c: Passing<C, D>,
): AsyncIterable<D>
export function pipe<A, B, C, D, E>(
  steps: AsyncIterable<A>,
  a: Passing<A, B>,
  b: Passing<B, C>,
  c: Passing<C, D>,
  d: Passing<D, E>,
): AsyncIterable<E>
export function pipe<A, B, C, D, E>(
  steps: AsyncIterable<A>,
  a: Passing<A, B>,
  b: Passing<B, C>,
  c: Passing<C, D>,
  d: Passing<D, E>,
  ...more: readonly Passing<E, E>[]
): AsyncIterable<E>
export function pipe(steps: AsyncIterable<unknown>, ...helpers: readonly ((steps: never) => unknown)[]): unknown {
  requireSteps('pipe', steps)
  for (const helper of helpers)
    requireThat(typeof helper === 'function', 'pipe', 'helpers, which are functions', helper)
  return helpers.reduce<AsyncIterable<unknown>>((passed, helper) => {
    const next = helper(passed as never) as AsyncIterable<unknown>
    requireSteps('pipe', next)
    return next
  }, steps)
}
