import { platform } from '#platform'
import { isExpected, RunError, UsageError } from '../core/errors.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { version } from '../core/version.ts'
import { freeze } from '../envs/description.ts'
import { sizeOf } from '../envs/spaces.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import { evaluateGrid } from '../rl/randomisation.ts'
import { continueRun } from '../train/continue-run.ts'
import { createRun, finishRun, record } from '../train/record.ts'
import { restoreFrom } from '../train/resume.ts'
import type { Run } from '../train/run.ts'
import { fileOf } from '../train/run-files.ts'
import { type AnyTrainStep, evaluate, train } from '../train/train.ts'
import { conclude, isOf, keptJobs, keyOf, startExperiment } from './directory.ts'
import { playGoals } from './multigoal/play.ts'
import { type Description, type ExperimentJob, type ExperimentOptions, jobsOf, planOf } from './plan.ts'
import { merge } from './run-concurrently.ts'
import { collectVisits, saveVisits, type Visits } from './visits.ts'

const { files } = platform

/** As of workers. */
const MOST_JOBS = 256

/** One run moved on. */
export interface ExperimentProgress {
  readonly variant: string
  readonly seed: number
  /** 'kept': it was finished before this experiment went on. */
  readonly status: 'kept' | 'training' | 'evaluating' | 'finished' | 'failed'
  /** Of the iteration that was done; null in other states than 'training'. */
  readonly metrics: IterationMetrics | null
  /** Why it failed, or what became of workers, a sentence each. */
  readonly notes: readonly string[]
  readonly runs: { readonly finished: number; readonly failed: number; readonly total: number }
  /** Share of the iterations of this session that are done, 0 … 1. */
  readonly share: number
}

type RunProgress = Omit<ExperimentProgress, 'runs' | 'share'>

/**
 * Runs an experiment, several runs at a time, and leaves its directory. Finished runs are kept, others go on from
 * their last checkpoint: whenever it is interrupted and taken up again, the summary is the same. A consumer that leaves
 * the loop stops it; what is finished by then is summarised and reported.
 *
 * @throws UsageError for settings that are not allowed, or a directory that holds something else; a run that fails for
 *   a value that is not finite does not stop the others
 */
export async function* runExperiment(options: ExperimentOptions): AsyncGenerator<ExperimentProgress> {
  const plan = planOf(options)
  const jobs = check(wholeNumber('jobs', 1, MOST_JOBS), options.jobs ?? platform.threads.count())
  const own = jobsOf(plan, options.shard)
  if (options.shard && options.overwrite)
    throw new UsageError('A shard cannot overwrite an experiment: the others may have begun already.')
  const found = await keptJobs(plan, options.overwrite ?? false, options.shard !== undefined)
  const kept = own.filter((job) => found.has(job))
  await startExperiment(plan, options.shard !== undefined)
  const pending = own.filter((job) => !found.has(job))
  const limit = Math.max(Math.min(jobs, pending.length), 1)
  // The cores that are left when there are few runs evaluate for these.
  const workers = Math.max(Math.floor(platform.threads.count() / limit), 1)
  const failures = new Map<string, string>()
  const runs = { finished: kept.length, failed: 0, total: own.length }
  let iterations = 0
  const seen = (progress: RunProgress): ExperimentProgress => {
    if (progress.status === 'training') iterations++
    if (progress.status === 'finished') runs.finished++
    if (progress.status === 'failed') runs.failed++
    const share = pending.length === 0 ? 1 : iterations / (pending.length * plan.description.iterations)
    return { ...progress, runs: { ...runs }, share }
  }
  const stop = { requested: false }
  try {
    for (const { variant, seed } of kept) yield seen({ variant, seed, status: 'kept', metrics: null, notes: [] })
    const takesUp = !options.overwrite
    const starts = pending.map((job) => () => runJob(job, plan.description, { workers, stop, takesUp }))
    const onStop = () => {
      stop.requested = true
    }
    for await (const progress of merge(starts, limit, onStop)) {
      if (progress.status === 'failed') failures.set(keyOf(progress), progress.notes[0])
      yield seen(progress)
    }
  } finally {
    await conclude(plan, failures)
  }
}

/** Thrown to leave an evaluation that nobody waits for. */
const STOPPED = Symbol('stopped')

/** What is the same for all jobs. */
interface Session {
  readonly workers: number
  readonly stop: { readonly requested: boolean }
  /** Whether runs that were stopped go on. */
  readonly takesUp: boolean
}

async function* runJob(
  { variant, seed, path, options, config }: ExperimentJob,
  { evaluationEpisodes: episodes, grid }: Description,
  { workers, stop, takesUp }: Session,
): AsyncGenerator<RunProgress> {
  const progress = (status: RunProgress['status'], rest: Partial<RunProgress> = {}): RunProgress => ({
    ...{ variant, seed, status, metrics: null, notes: [] },
    ...rest,
  })
  const visits = collectVisits()
  const run = (takesUp && (await taken(path, config, visits))) || (await createRun(path, config, { overwrite: true }))
  let last: AnyTrainStep | undefined
  try {
    const steps: AsyncIterable<AnyTrainStep> = run.checkpoint
      ? train({ resume: run.checkpoint, env: options.env, workers })
      : train({ ...options, workers })
    for await (const step of record(run, steps, { beside: visits.part })) {
      last = step
      visits.add(step.visited())
      yield progress('training', { metrics: step.metrics, notes: step.losses })
    }
    yield progress('evaluating')
    const { iterations, agents } = last as AnyTrainStep
    const { spec } = last as AnyTrainStep
    freeze(spec)
    const onProgress = () => {
      if (stop.requested) throw STOPPED
    }
    const evaluation = await evaluate({ spec, ...agents(), episodes, seed, onProgress })
    const goals = await playGoals(spec, agents(), seed)
    if (goals) evaluation.extras = { goals }
    if (grid) {
      const { ranges, points, episodes } = grid
      evaluation.grid = await evaluateGrid({ spec, ...agents(), ranges, points, episodes, seed, onProgress })
    }
    const observations = visits.tensor(sizeOf(spec.observationSpace))
    if (observations) await saveVisits(path, observations)
    await finishRun(run, `Finished all ${iterations} iterations.`, evaluation)
    // Nobody goes on with it, and a replay may be large.
    await files.removeDirectory(fileOf(path, 'checkpoint'))
    yield progress('finished')
  } catch (error) {
    if (error === STOPPED) return
    if (!(error instanceof RunError)) throw error
    await finishRun(run, `Failed. ${error.message}`, null)
    yield progress('failed', { notes: [error.message] })
  }
}

/** A run of these settings that was stopped, at its last checkpoint; null where it is done anew. */
async function taken(path: string, config: ExperimentJob['config'], visits: Visits): Promise<Run | null> {
  let run: Run | null = null
  try {
    run = await continueRun(path, { before: Number(config.iterations) })
    const { checkpoint } = run
    if (!checkpoint || checkpoint.about.version !== version || !isOf(run, config)) return await givenBack(run)
    restoreFrom(checkpoint, 'beside', visits.part)
    return run
  } catch (error) {
    if (!isExpected(error)) throw error
    // What is damaged, or of another version, is done again.
    return givenBack(run)
  }
}

async function givenBack(run: Run | null): Promise<null> {
  await run?.release()
  return null
}
