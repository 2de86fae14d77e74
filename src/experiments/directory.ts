import { platform } from '#platform'
import { isExpected, show, UsageError } from '../core/errors.ts'
import { requireText } from '../core/require.ts'
import type { TaskDescription } from '../envs/description.ts'
import { type FinishedRun, readFinished } from '../train/finished-run.ts'
import { parseJson, reading, writing } from '../train/run-files.ts'
import { compareVariants } from './comparison.ts'
import { playedGoals } from './multigoal/play.ts'
import type { RunGoals } from './multigoal/section.ts'
import {
  conflict,
  type Description,
  type ExperimentJob,
  type ExperimentOptions,
  equal,
  type Plan,
  planOf,
} from './plan.ts'
import { renderExperiment } from './report.ts'
import { type ExperimentSummary, encodeSummary, type RunRecord, summarise } from './summary.ts'
import { bestVisits, type RunVisits, readVisits } from './visits.ts'

/**
 * A directory that holds an experiment:
 *
 *     experiment.json         what it is, and its statistics
 *     report.html             all of it to look at
 *     VARIANT/seed-N/         a run directory for each run
 */
const FILES = { summary: 'experiment.json', report: 'report.html' } as const

const { files } = platform

/** A plan with the variants that earlier calls have left, whose runs are summarised with those of this one. */
export async function withEarlier(
  plan: Plan,
  options: ExperimentOptions,
  earlier: ExperimentSummary | null,
): Promise<Plan> {
  const now = labelsOf(plan.description)
  const more = earlier ? labelsOf(earlier).filter((label) => !now.includes(label)) : []
  const known = options.preset.variants.map(({ label }) => label)
  // One that the experiment does not have any more is a conflict, as is another experiment.
  if (more.length === 0 || !more.every((label) => known.includes(label))) return plan
  return planOf({ ...options, variants: [...now, ...more] })
}

/**
 * The summary that earlier calls have left; null where there is none.
 *
 * @throws UsageError when it is damaged
 */
export const earlierSummary = async (path: string): Promise<ExperimentSummary | null> =>
  (await hasSummary(path)) ? readExperiment(path) : null

export const hasSummary = (path: string): Promise<boolean> => files.exists(`${path}/${FILES.summary}`)

/** The labels of its variants. */
export const labelsOf = ({ variants }: Pick<Description, 'variants'>): string[] => variants.map(({ label }) => label)

/**
 * The runs that an earlier session has finished with the same settings.
 *
 * @throws UsageError when the directory holds something else, or an experiment with other settings
 */
export async function keptJobs(
  { path, description, jobs }: Plan,
  overwrite: boolean,
  isShard: boolean,
): Promise<Map<ExperimentJob, FinishedRun>> {
  const kept = new Map<ExperimentJob, FinishedRun>()
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
    const run = await finishedJob(job, description)
    if (run) kept.set(job, run)
  }
  return kept
}

/**
 * What a job has left that came to its end with these settings; null for an older or damaged run, which is done again.
 */
export async function finishedJob(
  job: ExperimentJob,
  { iterations }: Pick<Description, 'iterations'>,
): Promise<FinishedRun | null> {
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
export function isOf(
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
  requireText('readExperiment', 'the directory of an experiment', path)
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
 *
 * @param earlier what earlier calls have left, which goes on
 */
export async function startExperiment(plan: Plan, earlier: ExperimentSummary | null, isShard: boolean): Promise<void> {
  // What other shards have summarised by now stays.
  if (isShard && (await files.exists(`${plan.path}/${FILES.summary}`))) return
  await inDirectory(plan, async () => {
    await files.makeDirectory(plan.path)
    await writeSummary(plan, summaryOf(plan, new Map(earlier ? failuresOf(earlier, []) : []), new Map()))
  })
}

const inDirectory = ({ path }: Plan, write: () => Promise<void>) => writing(path, write, 'experiment')

const writeSummary = ({ path }: Plan, summary: ExperimentSummary) =>
  writeShared(`${path}/${FILES.summary}`, encodeSummary(summary))

/** Writes a file that other shards may be writing too: each renames one of its own to it. */
async function writeShared(path: string, data: string): Promise<void> {
  const own = `${path}.${crypto.randomUUID()}`
  try {
    await files.write(own, data)
    await files.rename(own, path)
  } catch (error) {
    await files.remove(own)
    throw error
  }
}

/** Why runs failed, by keyOf(). */
type Failures = ReadonlyMap<string, string | undefined>

/** What the jobs have left that came to their end. */
type Finished = ReadonlyMap<ExperimentJob, FinishedRun>

/** Of a run in its experiment. */
export const keyOf = ({ variant, seed }: { readonly variant: string; readonly seed: number }) => `${variant} ${seed}`

function summaryOf({ description, preset, jobs }: Plan, failures: Failures, finished: Finished): ExperimentSummary {
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
  return { ...rest, published: preset.published, variants: summaries, comparisons: compareVariants(summaries) }
}

async function readJobs({ jobs, description }: Plan): Promise<Finished> {
  const finished = new Map<ExperimentJob, FinishedRun>()
  for (const job of jobs) {
    const run = await finishedJob(job, description)
    if (run) finished.set(job, run)
  }
  return finished
}

/** Why runs failed that other calls did, by keyOf(). */
function failuresOf({ variants }: ExperimentSummary, own: readonly ExperimentJob[]): [string, string | undefined][] {
  const ours = own.map(keyOf)
  const runs = variants.flatMap(({ label, runs }) =>
    runs.map((run) => ({ ...run, key: keyOf({ variant: label, seed: run.seed }) })),
  )
  return runs
    .filter(({ key, outcome }) => outcome === 'failed' && !ours.includes(key))
    .map(({ key, reason }) => [key, reason])
}

/**
 * Writes experiment.json and report.html from what is on disk: a run counts the same whichever session it is of. Does
 * so again where another shard finished a run meanwhile, so that whichever shard writes last has all.
 *
 * @param own the runs of this call
 * @param failures why some of them failed, by keyOf()
 */
export async function conclude(
  options: ExperimentOptions,
  own: readonly ExperimentJob[],
  failures: ReadonlyMap<string, string>,
): Promise<void> {
  const asked = await planOf(options)
  // Calls with other variants may have begun meanwhile. What cannot be read is written anew.
  const earlier = await readExperiment(asked.path).catch(() => null)
  const others = earlier ? failuresOf(earlier, own) : []
  await writeConclusion(await withEarlier(asked, options, earlier), new Map([...others, ...failures]))
}

async function writeConclusion(plan: Plan, failures: Failures): Promise<void> {
  let finished: Finished
  let now = await readJobs(plan)
  do {
    finished = now
    await writeWhatIsFinished(plan, failures, finished)
    now = await readJobs(plan)
  } while (now.size > finished.size)
}

async function writeWhatIsFinished(plan: Plan, failures: Failures, finished: Finished): Promise<void> {
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
    await writeShared(`${plan.path}/${FILES.report}`, page)
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
