import { platform } from '#platform'
import { isRedisAddress, type RedisAddress } from '../cluster/address.ts'
import { UsageError } from '../core/errors.ts'
import { check, nonNegativeNumber, wholeNumber } from '../core/schemas.ts'
import { version } from '../core/version.ts'
import { keepWorkers } from '../rl/pool-worker.ts'
import type { FinishedRun } from '../train/finished-run.ts'
import { runElsewhere } from './cluster/elsewhere.ts'
import {
  conclude,
  earlierSummary,
  hasSummary,
  keptJobs,
  keyOf,
  labelsOf,
  startExperiment,
  withEarlier,
} from './directory.ts'
import { type ExperimentJob, type ExperimentOptions, jobsOf, type Plan, planOf } from './plan.ts'
import { concluded, merge } from './run-concurrently.ts'
import { type RunProgress, runJob } from './run-job.ts'

/** As of workers. */
const MOST_JOBS = 256

/** One run moved on. */
export interface ExperimentProgress extends RunProgress {
  readonly runs: { readonly finished: number; readonly failed: number; readonly total: number }
  /** Share of the iterations of this session that are done, 0 … 1. */
  readonly share: number
}

/**
 * Runs an experiment, several runs at a time, and leaves its directory. Finished runs are kept, others go on from
 * their last checkpoint: whenever it is interrupted and taken up again, the summary is the same. A consumer that leaves
 * the loop stops it; what is finished by then is summarised and reported.
 *
 * @throws UsageError for settings that are not allowed, or a directory that holds something else; a run that fails for
 *   a value that is not finite does not stop the others
 */
export async function* runExperiment(options: ExperimentOptions): AsyncGenerator<ExperimentProgress> {
  const asked = await planOf(options)
  const earlier = options.overwrite ? null : await earlierSummary(asked.path)
  const plan = await withEarlier(asked, options, earlier)
  const isAsked = ({ variant }: ExperimentJob) => labelsOf(asked.description).includes(variant)
  const own = jobsOf(plan.jobs.filter(isAsked), options.shard)
  if (options.shard && options.overwrite)
    throw new UsageError('A shard cannot overwrite an experiment: the others may have begun already.')
  const found = await keptJobs(plan, options.overwrite ?? false, options.shard !== undefined)
  const kept = own.map((job) => [job, found.get(job)] as const).filter((entry): entry is Kept => entry[1] !== undefined)
  const pending = own.filter((job) => !found.has(job))
  const hands = await handsFor(options, plan, pending.length)
  try {
    const begin = async () => startExperiment(plan, earlier, options.shard !== undefined)
    // What is replaced stays until something is there in its place.
    let isBegun = !options.overwrite || !(await hasSummary(plan.path))
    if (isBegun) await begin()
    for await (const progress of runsOf(options, plan, kept, pending, hands, () => isBegun)) {
      if (!isBegun && BEGINNING.includes(progress.status)) {
        isBegun = true
        await begin()
      }
      yield progress
    }
  } finally {
    await hands.close()
  }
}

/** What a run tells once its files have the place of what was there, or it has come to its end. */
const BEGINNING: readonly string[] = ['training', 'finished', 'failed']

type Kept = readonly [ExperimentJob, FinishedRun]

/** What is to be said of a run that was finished before: whether it is of another version. */
const notesOf = ({ config }: FinishedRun): string[] =>
  config.version === version ? [] : [`It is of steinrl ${config.version ?? 'before 0.1.0'} and stays as it is.`]

/** Those that are kept, then what becomes of the others; whenever it ends, what is finished is reported. */
async function* runsOf(
  options: ExperimentOptions,
  plan: Plan,
  kept: readonly Kept[],
  pending: readonly ExperimentJob[],
  hands: Hands,
  isBegun: () => boolean,
): AsyncGenerator<ExperimentProgress> {
  const failures = new Map<string, string>()
  const runs = { finished: kept.length, failed: 0, total: kept.length + pending.length }
  const whole = pending.length * plan.description.iterations
  let iterations = 0
  const seen = (progress: RunProgress): ExperimentProgress => {
    if (progress.metrics) iterations++
    if (progress.status === 'finished') runs.finished++
    if (progress.status === 'failed') runs.failed++
    return { ...progress, runs: { ...runs }, share: whole === 0 ? 1 : Math.min(iterations / whole, 1) }
  }
  async function* all(): AsyncGenerator<RunProgress> {
    for (const [{ variant, seed }, run] of kept)
      yield { variant, seed, status: 'kept', metrics: null, notes: notesOf(run) }
    yield* merge(
      pending.map((job) => () => hands.run(job)),
      hands.limit,
      hands.stop,
    )
  }
  const own = [...kept.map(([job]) => job), ...pending]
  const conclusion = async () => {
    if (isBegun()) await conclude(options, own, failures)
  }
  for await (const progress of concluded(all(), conclusion)) {
    if (progress.status === 'failed') failures.set(keyOf(progress), progress.notes[0])
    yield seen(progress)
  }
}

/** Who does runs. */
interface Hands {
  run(job: ExperimentJob): AsyncGenerator<RunProgress>
  /** Runs at a time, as it is now. */
  limit(): number
  /** What is going on is to end. */
  stop(): void
  close(): Promise<void>
}

/** Runs that are ready for each thread of a cluster beside the one that it does, so that it does not wait. */
const READY = 1

/** @throws UsageError for settings that are not allowed, and where there is no server or no worker */
async function handsFor(
  { jobs = platform.threads.count(), overwrite = false, checkpointEvery = 30 }: ExperimentOptions,
  { description }: Plan,
  pending: number,
): Promise<Hands> {
  const session = { takesUp: !overwrite, checkpointEvery: check(nonNegativeNumber('checkpointEvery'), checkpointEvery) }
  if (isRedisAddress(jobs)) return pending === 0 ? nobody : handsAt(jobs, description, session)
  const limit = Math.max(Math.min(check(wholeNumber('jobs', 1, MOST_JOBS), jobs), pending), 1)
  // The cores that are left when there are few runs evaluate for these.
  const workers = Math.max(Math.floor(platform.threads.count() / limit), 1)
  const stop = { requested: false }
  const endWorkers = keepWorkers()
  return {
    ...nobody,
    run: (job) => runJob(job, description, { ...session, workers, stop }),
    limit: () => limit,
    stop() {
      stop.requested = true
    },
    close: async () => endWorkers(),
  }
}

const nobody: Hands = {
  async *run() {},
  limit: () => 1,
  stop() {},
  async close() {},
}

async function handsAt(
  address: RedisAddress,
  description: Plan['description'],
  session: { readonly takesUp: boolean; readonly checkpointEvery: number },
): Promise<Hands> {
  const { startWholeRuns } = await import('../cluster/whole-runs.ts')
  const workers = await startWholeRuns(address)
  return {
    run: (job) => runElsewhere(job, description, { ...session, workers }),
    limit: () => Math.max(workers.size(), 1) * (1 + READY),
    stop: workers.stop,
    close: workers.close,
  }
}
