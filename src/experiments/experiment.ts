import { platform } from '#platform'
import { isExpected, RunError, show, UsageError } from '../core/errors.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { version } from '../core/version.ts'
import { freeze, type TaskDescription } from '../envs/description.ts'
import { sizeOf } from '../envs/spaces.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import { evaluateGrid } from '../rl/randomisation.ts'
import { continueRun } from '../train/continue-run.ts'
import { createRun, type FinishedRun, finishRun, readFinished, record } from '../train/record.ts'
import { restoreFrom } from '../train/resume.ts'
import type { Run } from '../train/run.ts'
import { fileOf, parseJson, reading, writing } from '../train/run-files.ts'
import { type AnyTrainStep, evaluate, train } from '../train/train.ts'
import { playedGoals, playGoals } from './multigoal/play.ts'
import type { RunGoals } from './multigoal/section.ts'
import {
  conflict,
  type Description,
  type ExperimentJob,
  type ExperimentOptions,
  equal,
  jobsOf,
  type Plan,
  planOf,
} from './plan.ts'
import { renderExperiment } from './report.ts'
import { merge } from './run-concurrently.ts'
import { type ExperimentSummary, encodeSummary, type RunRecord, summarise } from './summary.ts'
import { bestVisits, collectVisits, type RunVisits, readVisits, saveVisits, type Visits } from './visits.ts'

/**
 * A directory that holds an experiment:
 *
 *     experiment.json         what it is, and its statistics
 *     report.html             all of it to look at
 *     VARIANT/seed-N/         a run directory for each run
 */
const FILES = { summary: 'experiment.json', report: 'report.html' } as const

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
  await start(plan)
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

const keyOf = ({ variant, seed }: { readonly variant: string; readonly seed: number }) => `${variant} ${seed}`

/**
 * The runs that an earlier session has finished with the same settings.
 *
 * @throws UsageError when the directory holds something else, or an experiment with other settings
 */
async function keptJobs(
  { path, description, jobs }: Plan,
  overwrite: boolean,
  isShard: boolean,
): Promise<Set<ExperimentJob>> {
  const kept = new Set<ExperimentJob>()
  if (!(await files.exists(path))) return kept
  const has = (name: string) => files.exists(`${path}/${name}`)
  // Another shard may just be making it.
  for (let k = 0; isShard && k < 50 && !(await has(FILES.summary)); k++)
    await new Promise((resolve) => setTimeout(resolve, 100))
  if (!(await has(FILES.summary))) {
    // The report of a run, perhaps.
    if (await has(FILES.report)) throw new UsageError(`${show(path)} holds something else; choose another --out.`)
    if (!overwrite) throw new UsageError(`${show(path)} exists; choose another --out, or --overwrite it.`)
  }
  if (overwrite) return kept
  const difference = conflict(await readExperiment(path), description)
  if (difference) throw new UsageError(`${show(path)} holds ${difference}; choose another --out, or --overwrite it.`)
  for (const job of jobs) {
    if (await finishedJob(job, description)) kept.add(job)
  }
  return kept
}

/**
 * What a job has left that came to its end with these settings; null for an older or damaged run, which is done again.
 */
async function finishedJob(job: ExperimentJob, { iterations }: Description): Promise<FinishedRun | null> {
  try {
    const run = await readFinished(job.path)
    await readVisits(job.path)
    return run && isOf(run, job.config) && run.metrics.length === iterations ? run : null
  } catch (error) {
    if (isExpected(error)) return null
    throw error
  }
}

/**
 * Whether a run has the settings of a job; whichever version it is of, and where an early one does not tell its task.
 */
function isOf(
  { config: { version: _, ...config } }: Pick<FinishedRun, 'config'>,
  of: ExperimentJob['config'],
): boolean {
  const { export: __, ...task } = (config.task ?? of.task) as TaskDescription
  return equal({ ...config, task }, of)
}

/**
 * The summary that an experiment has left.
 *
 * @throws UsageError when there is none, or it is damaged
 */
export async function readExperiment(path: string): Promise<ExperimentSummary> {
  return reading(`${path}/${FILES.summary}`, (bytes) => {
    const summary = parseJson(bytes)
    const isSummary = Array.isArray(summary?.seeds) && Array.isArray(summary?.variants)
    if (!isSummary) throw new UsageError('it describes no experiment.')
    return summary as ExperimentSummary
  })
}

/**
 * Leaves what the experiment is, so that it can be taken up after any end; a run that starts over is kept until the new
 * one has saved its particles.
 */
async function start(plan: Plan): Promise<void> {
  await inDirectory(plan, async () => {
    await files.makeDirectory(plan.path)
    await writeSummary(plan, summaryOf(plan, new Map(), new Map()))
  })
}

const inDirectory = ({ path }: Plan, write: () => Promise<void>) => writing(path, write, 'experiment')

const writeSummary = ({ path }: Plan, summary: ExperimentSummary) =>
  files.write(`${path}/${FILES.summary}`, encodeSummary(summary))

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

/** What the jobs have left that came to their end. */
type Finished = ReadonlyMap<ExperimentJob, FinishedRun>

function summaryOf(
  { description, preset, jobs }: Plan,
  failures: ReadonlyMap<string, string>,
  finished: Finished,
): ExperimentSummary {
  const { variants, ...rest } = description
  const recordOf = (job: ExperimentJob): RunRecord => ({
    seed: job.seed,
    failure: failures.get(keyOf(job)),
    finished: finished.get(job) ?? null,
  })
  const summaries = variants.map((variant) => {
    const records = jobs.filter(({ variant: label }) => label === variant.label).map(recordOf)
    return summarise(variant, records, description.grid)
  })
  return { ...rest, published: preset.published, variants: summaries }
}

async function readJobs({ jobs, description }: Plan): Promise<Finished> {
  const finished = new Map<ExperimentJob, FinishedRun>()
  for (const job of jobs) {
    const run = await finishedJob(job, description)
    if (run) finished.set(job, run)
  }
  return finished
}

/** Writes experiment.json and report.html from what is on disk: a run counts the same whichever session it is of. */
async function conclude(plan: Plan, failures: ReadonlyMap<string, string>): Promise<void> {
  const finished = await readJobs(plan)
  const last = [...finished.values()].map(({ metrics }) => metrics[metrics.length - 1])
  const totals = {
    seconds: last.reduce((sum, { seconds }) => sum + seconds, 0),
    transitions: last.reduce((sum, { transitions }) => sum + transitions, 0),
  }
  const summary = summaryOf(plan, failures, finished)
  const visits = await bestVisitsOf(plan, summary, finished)
  const goals = goalsOfFirst(plan, finished)
  const page = await renderExperiment(summary, { ...totals, figure: plan.preset.figure, visits, goals })
  await inDirectory(plan, async () => {
    await writeSummary(plan, summary)
    await files.write(`${plan.path}/${FILES.report}`, page)
  })
}

/** Of the first run of every variant that has finished, chosen by its seed and not by what it shows. */
function goalsOfFirst({ jobs, description }: Plan, finished: Finished): RunGoals[] {
  return description.variants.flatMap(({ label }) => {
    const goalsOfJob = (job: ExperimentJob) => playedGoals(finished.get(job)?.evaluation)
    const job = jobs.find((one) => one.variant === label && goalsOfJob(one))
    const goals = job && goalsOfJob(job)
    return goals ? [{ variant: label, seed: job.seed, goals }] : []
  })
}

/** Of the best run of every variant. */
async function bestVisitsOf({ jobs }: Plan, { variants }: ExperimentSummary, finished: Finished): Promise<RunVisits[]> {
  const all: RunVisits[] = []
  for (const { label, runs } of variants) {
    const ranked = [...runs].sort((a, b) => (b.measures?.best ?? -Infinity) - (a.measures?.best ?? -Infinity))
    const job = jobs.find(({ variant, seed }) => variant === label && seed === ranked[0].seed) as ExperimentJob
    const run = finished.get(job)
    const visits = run && (await readVisits(job.path))
    if (visits) all.push(bestVisits(label, job.seed, visits, run.evaluation))
  }
  return all
}
