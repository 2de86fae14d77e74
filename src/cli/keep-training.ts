import pc from 'picocolors'
import { isExpected, UsageError } from '../core/errors.ts'
import { check, float32, MOST_ITERATIONS, nonNegativeNumber, oneOf, wholeNumber } from '../core/schemas.ts'
import { quantile } from '../core/statistics.ts'
import { freeze } from '../envs/description.ts'
import { playEpisode } from '../play/episode.ts'
import type { Evaluation, ShownEpisode } from '../report/metrics.ts'
import { bestReturn, saveBest } from '../train/best-population.ts'
import { logTo, mlflow, runLoggers } from '../train/loggers.ts'
import {
  type Evaluated,
  evaluateEvery,
  everyIterations,
  keepBest,
  pipe,
  stopAt,
  stopWithoutImprovement,
  type WithBest,
} from '../train/loop.ts'
import { finishRun, record } from '../train/record.ts'
import { type Run, takeLock } from '../train/run.ts'
import { bestParticle } from '../train/run-directory.ts'
import { STOPPED } from '../train/stopped.ts'
import { type AnyTrainStep, evaluate } from '../train/train.ts'
import { type Interrupt, listenForInterrupt, oneByOne } from './interrupt.ts'
import { printEvaluation, printLine } from './print.ts'
import { iterationLine, progress } from './progress.ts'

/** What a training is told that is no setting of its algorithm: any of it may be another in a run that goes on. */
export interface KeepOptions {
  evalEpisodes: number
  evalEvery?: number
  keepBest: boolean
  stopAt?: number
  stopWithoutImprovement?: number
  log: readonly string[]
  json: boolean
  checkpointEvery: number
}

export const KEEP_OPTIONS: readonly (keyof KeepOptions)[] = [
  ...(['evalEpisodes', 'evalEvery', 'keepBest', 'stopAt', 'stopWithoutImprovement', 'log'] as const),
  ...(['json', 'checkpointEvery'] as const),
]

type EvaluatedStep = AnyTrainStep & Evaluated
type ShownStep = AnyTrainStep & Partial<Evaluated>

/** @throws UsageError for the first option that is not allowed */
export function checkKeeping(options: KeepOptions): void {
  const { evalEpisodes, checkpointEvery, evalEvery, stopAt: enough, stopWithoutImprovement: looks } = options
  check(wholeNumber('eval-episodes', 0, 1_000_000), evalEpisodes)
  check(nonNegativeNumber('checkpoint-every'), checkpointEvery)
  if (evalEvery !== undefined) check(wholeNumber('eval-every', 1, MOST_ITERATIONS), evalEvery)
  if (enough !== undefined) check(float32('stop-at'), enough)
  if (looks !== undefined) check(wholeNumber('stop-without-improvement', 1, MOST_ITERATIONS), looks)
  for (const name of options.log) check(oneOf('log', Object.keys(runLoggers)), name)
  // Where there is no server it is refused now, not when the first iteration is done.
  if (options.log.includes('mlflow')) mlflow({})
  if (options.keepBest && evalEvery === undefined)
    throw new UsageError(
      '--keep-best chooses by evaluation: say by --eval-every after how many iterations there is one.',
    )
}

/**
 * Trains into a run directory, and evaluates. A run whose first step fails, for want of memory perhaps, leaves no
 * directory and replaces none.
 */
export async function keepTraining(
  steps: AsyncGenerator<AnyTrainStep>,
  open: () => Promise<Run>,
  options: KeepOptions,
): Promise<void> {
  const { evalEpisodes, json, checkpointEvery } = options
  const interrupt = listenForInterrupt()
  const evaluated = options.evalEvery === undefined ? steps : evaluateEvery(options.evalEvery)(steps)
  const first = await interrupt.during(() => evaluated.next())
  const run = await open()
  // While it is evaluated too, when its training has given the lock back.
  const release = await takeLock(run.directory)
  let outcome = 'Failed.'
  let evaluation: Evaluation | null = null
  let acting: ShownEpisode | null = null
  let failure: unknown = null
  try {
    const recorded = record(run, withFirst(first, evaluated), { checkpointEvery })
    const { helped, reason } = await helpersOf(options, run, recorded)
    const last = await consume(helped, interrupt, json)
    outcome =
      last.iteration === last.iterations
        ? `Finished all ${last.iterations} iterations.`
        : `${reason() ?? 'Stopped by hand'} after iteration ${last.iteration} of ${last.iterations}.`
    if (evalEpisodes > 0 && !interrupt.requested)
      evaluation = await evaluateLast(last, run.config.seed as number, evalEpisodes, interrupt, json)
    if (evaluation) acting = await actingBest(last, evaluation, run.config.seed as number, interrupt)
  } catch (error) {
    if (isExpected(error)) outcome = `Failed. ${error.message}`
    failure = error
  }
  interrupt.release()
  // Where a run has failed, its report may fail for the same reason, which is said once.
  const report = await finishRun(run, outcome, evaluation, acting)
    .catch((error: unknown) => {
      throw failure ?? error
    })
    .finally(release)
  if (!json) console.log(`${outcome} Report: ${pc.cyan(report)}`)
  if (interrupt.requested) process.exitCode = interrupt.exitCode
  if (failure) throw failure
}

async function* withFirst(
  first: IteratorResult<ShownStep>,
  steps: AsyncGenerator<ShownStep>,
): AsyncGenerator<ShownStep> {
  if (!first.done) yield first.value
  yield* steps
}

/** Shows every step; returns the last one, which is not the run's last when Ctrl-C came. */
async function consume(steps: AsyncIterable<ShownStep>, interrupt: Interrupt, json: boolean): Promise<AnyTrainStep> {
  const line = json ? null : progress()
  let last: AnyTrainStep | undefined
  let returns: (number | null)[] = []
  try {
    for await (const step of oneByOne(steps, interrupt)) {
      last = step
      // A particle whose episodes are all still running keeps the return it had.
      returns = step.metrics.returns.map((value, i) => value ?? returns[i] ?? null)
      if (json) printLine(step.evaluation ? { ...step.metrics, evaluation: step.evaluation } : step.metrics)
      for (const loss of step.losses) console.error(loss)
      line?.update(
        iterationLine(
          step.metrics,
          step.iterations,
          returns.filter((value) => value !== null),
        ),
      )
      if (interrupt.requested) break
    }
  } finally {
    line?.stop()
  }
  return last as AnyTrainStep
}

/** What an earlier part of the run showed to who looks for improvement. */
const looksOf = ({ evaluations, metrics }: Run, { evalEvery }: KeepOptions): number[] =>
  (evalEvery === undefined ? metrics.map(({ returns }) => returns) : evaluations.map(({ greedy }) => greedy))
    .map((returns) => quantile(returns, 1))
    .filter((value) => value !== null)

/** What options put around the steps that are recorded, and why they ended them, if they did. */
async function helpersOf(options: KeepOptions, run: Run, recorded: AsyncIterable<ShownStep>) {
  const { keepBest: isKept, stopAt: enough, stopWithoutImprovement: looks } = options
  let reason: string | null = null
  const onStop = (why: string) => {
    reason = why
  }
  let helped: AsyncIterable<ShownStep> = recorded
  if (options.log.length > 0) helped = logTo(...options.log.map((name) => runLoggers[name](run)))(helped)
  if (isKept) {
    const save = everyIterations(1, async (step: EvaluatedStep & WithBest) => {
      if (step.evaluation && step.best?.iteration === step.iteration) await saveBest(run, step, step.evaluation)
    })
    helped = pipe(helped as AsyncIterable<EvaluatedStep>, keepBest({ above: await bestReturn(run) }), save)
  }
  if (enough !== undefined) helped = stopAt({ return: enough, onStop })(helped)
  if (looks !== undefined) helped = stopWithoutImprovement(looks, { onStop, earlier: looksOf(run, options) })(helped)
  return { helped, reason: () => reason }
}

/** Null when Ctrl-C came before the last particle. */
async function evaluateLast(
  { spec, agents }: AnyTrainStep,
  seed: number,
  episodes: number,
  interrupt: Interrupt,
  json: boolean,
): Promise<Evaluation | null> {
  const line = json ? null : progress()
  let evaluation: Evaluation
  freeze(spec)
  try {
    evaluation = await evaluate({
      spec,
      ...agents(),
      episodes,
      seed,
      signal: interrupt.signal,
      onProgress: (done, total) => line?.update(`evaluating ${done}/${total}`),
    })
  } catch (error) {
    if (error === STOPPED) return null
    throw error
  } finally {
    line?.stop()
  }
  if (json) printLine({ evaluation })
  else printEvaluation(evaluation)
  return evaluation
}

/**
 * An episode of the best particle, as the report shows it; null for a task without a picture, or whose picture fails,
 * which costs nothing else of the run, and when Ctrl-C came.
 */
async function actingBest(
  { spec, agents }: AnyTrainStep,
  evaluation: Evaluation,
  seed: number,
  { signal }: Interrupt,
): Promise<ShownEpisode | null> {
  if (!spec.render) return null
  const population = agents()
  const particle = bestParticle(evaluation, population.particles)
  try {
    const { episode, scenes } = await playEpisode({ agents: population, particle, seed, signal })
    return scenes && { particle, return: episode.return, scenes }
  } catch (error) {
    if (error === STOPPED) return null
    if (!isExpected(error)) throw error
    console.error(`The report shows no episode: ${error.message}`)
    return null
  }
}
