import { platform } from '#platform'
import { isExpected, RunError, StorageError } from '../core/errors.ts'
import { finite, meanOf, quantile, type Value } from '../core/statistics.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { statesOf, taskFrom } from '../envs/description.ts'
import type { IterationMetrics } from '../report/metrics.ts'
import { NoWorkers } from '../rl/pool-worker.ts'
import { decodeCheckpoint } from '../train/checkpoint.ts'
import { writing } from '../train/run-files.ts'
import { leaveIfStopped, STOPPED } from '../train/stopped.ts'
import { algorithmNamed } from '../train/train.ts'
import { externalOf, type Journal, type JournalTrial } from './journal.ts'
import { type SweepPlan, trialConfig } from './plan.ts'
import { type TrialEvent, type TrialOrder, trainTrial } from './training.ts'
import type { TrialThreads } from './trial-threads.ts'

/** How far a trial goes before those that go on are chosen. */
export interface Rung {
  readonly number: number
  /** Of its iterations. */
  readonly share: number
  readonly isLast: boolean
}

/** A trial moved on. */
export interface TrialProgress {
  /** Its number, from 0. */
  readonly trial: number
  /** What it tries, by the names of the settings. */
  readonly settings: Readonly<Record<string, unknown>>
  /** 'kept': it was done before this sweep went on; 'waiting': it is judged after a part of its iterations. */
  readonly status: 'kept' | 'training' | 'evaluating' | 'waiting' | 'finished' | 'pruned' | 'failed'
  /** Of the iteration that was done; null in other states than 'training'. */
  readonly metrics: IterationMetrics | null
  /** What it came to, where that is known. */
  readonly value: number | null
  /** Why it failed. */
  readonly reason: string | null
}

/** What the trial comes to at a rung, and what it takes to go on with measuring. */
interface RungRecord {
  readonly value: number
  /** The last ten values in training, and the last return of each particle. */
  readonly recent: readonly number[]
  readonly returns: readonly Value[]
}

/** As many values of a trial as its curve has at most. */
const CURVE = 100
/** Values of a curve are written this often, or when the trial ends. */
const WRITE_EVERY_MS = 1000
/** Iterations whose mean return judges a training. */
const WINDOW = 10

/** What is the same for all trials. */
export interface TrialSession {
  readonly plan: SweepPlan
  readonly journal: Journal
  /** Of each trial; 0 as soon as it is known that there are none. */
  workers: number
  /** Where algorithms without workers train their trials; null: in this thread. */
  threads: TrialThreads | null
  readonly stop: { readonly requested: boolean }
}

const { files } = platform

const rungName = (rung: number) => `rung ${rung}`

const recordOf = ({ attributes }: JournalTrial, rung: number) =>
  (attributes[rungName(rung)] as RungRecord | undefined) ?? null

/** What a trial came to at a rung; null where it has not been there. */
export const rungValue = (trial: JournalTrial, rung: Rung): number | null => recordOf(trial, rung.number)?.value ?? null

/** What a trial tries, from its representation in the journal. */
export function valuesOf(
  { dimensions }: Pick<SweepPlan, 'dimensions'>,
  { parameters }: JournalTrial,
): Readonly<Record<string, unknown>> {
  const there = dimensions.filter(({ name }) => Object.hasOwn(parameters, name))
  return Object.fromEntries(
    there.map((dimension) => [dimension.name, externalOf(dimension, parameters[dimension.name])]),
  )
}

/** What a trial goes on from behind a rung. */
const checkpointPath = ({ path }: SweepPlan, { number }: JournalTrial, rung: number) =>
  `${path}/trials/${number}-${rung}.checkpoint`

/** What a trial goes on from; null where it is not there or damaged: then the trial is done again from its start. */
async function leftBy(plan: SweepPlan, trial: JournalTrial, rung: number): Promise<Uint8Array | null> {
  try {
    const bytes = await files.read(checkpointPath(plan, trial, rung))
    await decodeCheckpoint(bytes)
    return bytes
  } catch {
    return null
  }
}

const forget = (plan: SweepPlan, trial: JournalTrial, rung: number) =>
  writing(plan.path, () => files.remove(checkpointPath(plan, trial, rung)), 'sweep')

/** Trains a trial up to a rung, from where it was left. What it ends by is in the journal when this is done. */
export async function* climb(session: TrialSession, trial: JournalTrial, rung: Rung): AsyncGenerator<TrialProgress> {
  const { plan, journal } = session
  const settings = valuesOf(plan, trial)
  const progress = (status: TrialProgress['status'], rest: Partial<TrialProgress> = {}): TrialProgress => ({
    ...{ trial: trial.number, settings, status, metrics: null, value: null, reason: null },
    ...rest,
  })
  if (trial.state !== 'running' || rungValue(trial, rung) !== null)
    return yield progress('kept', { value: trial.value ?? rungValue(trial, rung), reason: reasonOf(trial) })
  try {
    const value = yield* reach(session, trial, rung, progress)
    if (!rung.isLast) return yield progress('waiting', { value })
    await journal.end(trial, 'finished', value)
    yield progress('finished', { value })
  } catch (error) {
    if (error === STOPPED) return
    if (!isExpected(error) || error instanceof StorageError) throw error
    await journal.note(trial, { reason: error.message })
    await journal.end(trial, 'failed', null)
    yield progress('failed', { reason: error.message })
  }
  await forget(plan, trial, rung.number - 1)
}

export const reasonOf = ({ attributes }: JournalTrial) =>
  typeof attributes.reason === 'string' ? attributes.reason : null

/** Ends a trial that is not among those that go on. */
export async function prune({ plan, journal }: TrialSession, trial: JournalTrial, rung: Rung): Promise<number | null> {
  const value = rungValue(trial, rung)
  await journal.end(trial, 'pruned', value)
  await forget(plan, trial, rung.number)
  return value
}

async function* reach(
  session: TrialSession,
  trial: JournalTrial,
  rung: Rung,
  progress: (status: TrialProgress['status'], rest?: Partial<TrialProgress>) => TrialProgress,
): AsyncGenerator<TrialProgress, number> {
  const { plan, journal } = session
  const { objective } = plan.description
  const { task: _, ...config } = trialConfig(plan, valuesOf(plan, trial))
  const { iterations } = config
  const last = Math.max(Math.floor(iterations * rung.share + 1e-9), 1)
  const before = rung.number > 0 ? await leftBy(plan, trial, rung.number - 1) : null
  const measured = measuring(plan, before ? recordOf(trial, rung.number - 1) : null)
  const curve = curveOf(journal, trial, Math.ceil(iterations / CURVE))
  const episodes = objective.by === 'evaluation' ? objective.episodes : 0
  const order = { task: plan.description.task, config, before, last, episodes, goesOn: !rung.isLast }
  let metrics: IterationMetrics | null = null
  let value: Value = null
  for await (const event of trained(session, order)) {
    if ('metrics' in event) {
      metrics = event.metrics
      await curve.add(metrics.iteration, measured.add(metrics), metrics.iteration === last)
      yield progress('training', { metrics })
    } else if ('evaluating' in event) yield progress('evaluating')
    else {
      value = episodes > 0 ? particleOf(objective.of, event.greedy) : measured.value()
      const { seconds, transitions } = metrics as IterationMetrics
      await journal.note(trial, { seconds, transitions, iterations })
      if (event.checkpoint) await leave(plan, trial, rung, event.checkpoint)
    }
  }
  if (finite(value ?? undefined) === null) throw new RunError('No episode ended, so that there is nothing to judge by.')
  if (!rung.isLast) {
    await journal.note(trial, { [rungName(rung.number)]: { value, ...measured.state() } })
    await forget(plan, trial, rung.number - 1)
  }
  return value as number
}

/** What wrappers learn in a trial is no other trial's: then each has a task of its own. */
const taskOfTrial = async ({ spec, description }: SweepPlan): Promise<EnvironmentSpec> =>
  statesOf(spec).every((state) => state === null) ? spec : taskFrom(description.task)

/** Trains a trial by threads or workers; where none can be had, this thread comes to the same bits. */
async function* trained(session: TrialSession, order: TrialOrder): AsyncGenerator<TrialEvent> {
  const { plan, stop } = session
  // Threads and workers are had before the first iteration.
  if (session.threads && !('workers' in algorithmNamed(plan.description.algorithm).settings))
    try {
      return yield* session.threads.perform(order)
    } catch (error) {
      if (!(error instanceof NoWorkers)) throw error
      session.threads = null
    }
  const env = await taskOfTrial(plan)
  const here = (workers: number) => trainTrial(order, env, { workers }, () => leaveIfStopped(stop))
  try {
    yield* here(session.workers)
  } catch (error) {
    if (!(error instanceof NoWorkers)) throw error
    session.workers = 0
    yield* here(0)
  }
}

/** Keeps what the trial goes on from, if it is among the best. */
async function leave(plan: SweepPlan, trial: JournalTrial, rung: Rung, bytes: Uint8Array): Promise<void> {
  await writing(
    plan.path,
    async () => {
      await files.makeDirectory(`${plan.path}/trials`)
      await files.write(checkpointPath(plan, trial, rung.number), bytes)
    },
    'sweep',
  )
}

const particleOf = (of: 'best' | 'median', returns: readonly Value[]): Value =>
  quantile(returns, of === 'best' ? 1 : 0.5)

/** What the trial comes to in training; a particle of which no episode ended keeps the return it had. */
function measuring({ description }: SweepPlan, before: RungRecord | null) {
  const { of } = description.objective
  const returns: Value[] = [...(before?.returns ?? [])]
  const recent: number[] = [...(before?.recent ?? [])]
  return {
    add(metrics: IterationMetrics): Value {
      metrics.returns.forEach((value, i) => {
        returns[i] = finite(value) ?? returns[i] ?? null
      })
      const now = particleOf(of, returns)
      if (now !== null) recent.push(now)
      if (recent.length > WINDOW) recent.shift()
      return now
    },
    value: (): Value => meanOf(recent),
    state: () => ({ recent, returns }),
  }
}

/** The learning curve of a trial in the journal, every so many iterations. */
function curveOf(journal: Journal, trial: JournalTrial, every: number) {
  const waiting: [number, number][] = []
  let written = platform.now()
  return {
    async add(iteration: number, value: Value, isLast: boolean): Promise<void> {
      if (value !== null && (iteration % every === 0 || isLast)) waiting.push([iteration, value])
      if (waiting.length === 0 || (!isLast && platform.now() - written < WRITE_EVERY_MS)) return
      written = platform.now()
      await journal.report(trial, waiting.splice(0))
    },
  }
}
