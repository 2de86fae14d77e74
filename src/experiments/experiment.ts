import { platform } from '#platform'
import { check, RunError, show, UsageError, wholeNumber } from '../core/errors.ts'
import { environmentSpec } from '../envs/registry.ts'
import { sizeOf } from '../envs/spaces.ts'
import { playGoals } from '../train/goals.ts'
import type { IterationMetrics } from '../train/metrics.ts'
import {
  createRun,
  fileOf,
  finishRun,
  parseJson,
  readFinished,
  reading,
  record,
  writing,
} from '../train/run-directory.ts'
import { type AnyTrainStep, evaluate, train } from '../train/train.ts'
import type { RunGoals } from './goals.ts'
import { merge } from './merge.ts'
import { conflict, type ExperimentOptions, equal, type Job, type Plan, planOf } from './plan.ts'
import { renderExperiment } from './report.ts'
import { type ExperimentSummary, encodeSummary, type RunRecord, summarise } from './summary.ts'
import { bestVisits, type RunVisits } from './visitation.ts'
import { collectVisits, readVisits, saveVisits } from './visited.ts'

/**
 * A directory that holds an experiment:
 *
 *     experiment.json         what it is, and its statistics
 *     report.html             all of it to look at
 *     VARIANT/seed-N/         a run directory for each run
 */
const FILES = { summary: 'experiment.json', report: 'report.html' } as const

const { files } = platform

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
 * Runs an experiment, several runs at a time, and leaves its directory. Finished runs are kept, others start over: whenever
 * it is interrupted and taken up again, the summary is the same. A consumer that leaves the loop stops it; what is
 * finished by then is summarised and reported.
 *
 * @throws UsageError for settings that are not allowed, or a directory that holds something else; a run that fails for a
 *   value that is not finite does not stop the others
 */
export async function* runExperiment(options: ExperimentOptions): AsyncGenerator<ExperimentProgress> {
  const plan = planOf(options)
  const jobs = check(wholeNumber('jobs', 1), options.jobs ?? platform.threads.count())
  const kept = await keptJobs(plan, options.overwrite ?? false)
  await start(plan, kept)
  const pending = plan.jobs.filter((job) => !kept.has(job))
  const limit = Math.max(Math.min(jobs, pending.length), 1)
  // The cores that are left when there are few runs evaluate for these.
  const workers = Math.max(Math.floor(platform.threads.count() / limit), 1)
  const failures = new Map<string, string>()
  const runs = { finished: kept.size, failed: 0, total: plan.jobs.length }
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
    const starts = pending.map((job) => () => runJob(job, plan.description.evaluationEpisodes, workers, stop))
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
async function keptJobs({ path, description, jobs }: Plan, overwrite: boolean): Promise<Set<Job>> {
  const kept = new Set<Job>()
  if (!(await files.exists(path))) return kept
  const has = (name: string) => files.exists(`${path}/${name}`)
  if (!(await has(FILES.summary))) {
    // The report of a run, perhaps.
    if (await has(FILES.report)) throw new UsageError(`${show(path)} holds something else; choose another --out.`)
    if (!overwrite) throw new UsageError(`${show(path)} exists; choose another --out, or --overwrite it.`)
  }
  if (overwrite) return kept
  const difference = conflict(await readExperiment(path), description)
  if (difference) throw new UsageError(`${show(path)} holds ${difference}; choose another --out, or --overwrite it.`)
  for (const job of jobs) {
    const run = await readFinished(job.path)
    if (run && equal(run.config, job.config) && run.metrics.length === description.iterations) kept.add(job)
  }
  return kept
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

/** Leaves what the experiment is, so that it can be taken up after any end; runs that are to start over are not finished any more. */
async function start(plan: Plan, kept: ReadonlySet<Job>): Promise<void> {
  const nothing = async () => null
  await inDirectory(plan, async () => {
    await files.makeDirectory(plan.path)
    for (const job of plan.jobs) if (!kept.has(job)) await files.remove(fileOf(job.path, 'evaluation'))
    await writeSummary(plan, await summaryOf(plan, new Map(), nothing))
  })
}

const inDirectory = ({ path }: Plan, write: () => Promise<void>) => writing(path, write, 'experiment')

const writeSummary = ({ path }: Plan, summary: ExperimentSummary) =>
  files.write(`${path}/${FILES.summary}`, encodeSummary(summary))

/** Thrown to leave an evaluation that nobody waits for. */
const STOPPED = Symbol('stopped')

async function* runJob(
  { variant, seed, path, options, config }: Job,
  episodes: number,
  workers: number,
  stop: { readonly requested: boolean },
): AsyncGenerator<RunProgress> {
  const progress = (status: RunProgress['status'], rest: Partial<RunProgress> = {}): RunProgress => ({
    ...{ variant, seed, status, metrics: null, notes: [] },
    ...rest,
  })
  const run = await createRun(path, config, { overwrite: true })
  const visits = collectVisits()
  let last: AnyTrainStep | undefined
  try {
    for await (const step of record(run, train({ ...options, workers }))) {
      last = step
      visits.add(step.visited())
      yield progress('training', { metrics: step.metrics, notes: step.losses })
    }
    yield progress('evaluating')
    const { iterations, agents } = last as AnyTrainStep
    const spec = environmentSpec(options.env)
    const onProgress = () => {
      if (stop.requested) throw STOPPED
    }
    const evaluation = await evaluate({ spec, ...agents(), episodes, seed, onProgress })
    const goals = await playGoals(spec, agents(), seed)
    if (goals) evaluation.goals = goals
    const observations = visits.tensor(sizeOf(spec.observationSpace))
    if (observations) await saveVisits(path, observations)
    await finishRun(run, `Finished all ${iterations} iterations.`, evaluation)
    yield progress('finished')
  } catch (error) {
    if (error === STOPPED) return
    if (!(error instanceof RunError)) throw error
    await finishRun(run, `Failed. ${error.message}`, null)
    yield progress('failed', { notes: [error.message] })
  }
}

type ReadFinished = (job: Job) => Promise<RunRecord['finished']>

async function summaryOf(
  { description, preset, jobs }: Plan,
  failures: ReadonlyMap<string, string>,
  read: ReadFinished,
): Promise<ExperimentSummary> {
  const { variants, ...rest } = description
  const summaries = []
  for (const variant of variants) {
    const records: RunRecord[] = []
    for (const job of jobs.filter(({ variant: label }) => label === variant.label))
      records.push({ seed: job.seed, failure: failures.get(keyOf(job)), finished: await read(job) })
    summaries.push(summarise(variant, records))
  }
  return { ...rest, published: preset.published, variants: summaries }
}

/** Writes experiment.json and report.html from what is on disk: a run counts the same whichever session it is of. */
async function conclude(plan: Plan, failures: ReadonlyMap<string, string>): Promise<void> {
  const { iterations } = plan.description
  const totals = { seconds: 0, transitions: 0 }
  const read: ReadFinished = async (job) => {
    const run = await readFinished(job.path)
    // A damaged or older run that this session did not come to.
    if (!run || !equal(run.config, job.config) || run.metrics.length !== iterations) return null
    totals.seconds += run.metrics[iterations - 1].seconds
    totals.transitions += run.metrics[iterations - 1].transitions
    return run
  }
  const summary = await summaryOf(plan, failures, read)
  const visits = await bestVisitsOf(plan, summary)
  const goals = await goalsOfFirst(plan)
  const page = await renderExperiment(summary, { ...totals, figure: plan.preset.figure, visits, goals })
  await inDirectory(plan, async () => {
    await writeSummary(plan, summary)
    await files.write(`${plan.path}/${FILES.report}`, page)
  })
}

/** Of the first run of every variant that has finished, chosen by its seed and not by what it shows. */
async function goalsOfFirst({ jobs, description }: Plan): Promise<RunGoals[]> {
  const all: RunGoals[] = []
  for (const { label } of description.variants) {
    for (const job of jobs.filter(({ variant }) => variant === label)) {
      const goals = (await readFinished(job.path))?.evaluation.goals
      if (!goals) continue
      all.push({ variant: label, seed: job.seed, goals })
      break
    }
  }
  return all
}

/** Of the best run of every variant. */
async function bestVisitsOf({ jobs }: Plan, { variants }: ExperimentSummary): Promise<RunVisits[]> {
  const all: RunVisits[] = []
  for (const { label, runs } of variants) {
    const ranked = [...runs].sort((a, b) => (b.measures?.best ?? -Infinity) - (a.measures?.best ?? -Infinity))
    const job = jobs.find(({ variant, seed }) => variant === label && seed === ranked[0].seed) as Job
    const visits = ranked[0].measures && (await readVisits(job.path))
    const run = visits && (await readFinished(job.path))
    if (run) all.push(bestVisits(label, job.seed, visits, run.evaluation))
  }
  return all
}
