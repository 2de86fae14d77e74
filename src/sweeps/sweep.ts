import { platform } from '#platform'
import { reasonOf as faultOf, show, UsageError } from '../core/errors.ts'
import { isRecord, requireText, requireThat } from '../core/require.ts'
import { check, oneOf, wholeNumber } from '../core/schemas.ts'
import { version } from '../core/version.ts'
import { findTask, parseTask } from '../envs/description.ts'
import { equal } from '../experiments/plan.ts'
import { concluded, merge } from '../experiments/run-concurrently.ts'
import { keepWorkers } from '../rl/pool-worker.ts'
import { writing } from '../train/run-files.ts'
import { commandOf } from './command.ts'
import {
  distributionOf,
  internalOf,
  type Journal,
  type JournalStudy,
  type JournalTrial,
  openJournal,
  readJournal,
  type TrialState,
} from './journal.ts'
import { planOf, type SweepDescription, type SweepOptions, type SweepPlan } from './plan.ts'
import { FILES, isReplacing, setAside, settleReplaced } from './replaced.ts'
import { renderSweep } from './report.ts'
import type { SweepResult, SweepTrial } from './result.ts'
import { randomSampler, sobolSampler } from './samplers.ts'
import { type Dimension, dimensionsOf, valueAt } from './space.ts'
import {
  climb,
  prune,
  type Rung,
  reasonOf,
  rungValue,
  type TrialProgress,
  type TrialSession,
  valuesOf,
} from './trial.ts'
import { trialThreads } from './trial-threads.ts'

const { files } = platform

/** As of workers. */
const MOST_JOBS = 256

/** One trial moved on. */
export interface SweepProgress extends TrialProgress {
  readonly trials: {
    readonly finished: number
    readonly pruned: number
    readonly failed: number
    readonly total: number
  }
  /** The best value so far; null before the first. */
  readonly best: number | null
}

/**
 * Tries settings of an algorithm, several trials at a time, and leaves a directory with a journal that Optuna opens and
 * a report. Whenever it is interrupted and taken up again, the results are the same: those of random numbers, Sobol
 * sequences and successive halving are a function of the options. Trials that fail are recorded and do not stop the
 * others.
 *
 * Source of successive halving: Jamieson & Talwalkar 2016.
 *
 * @throws UsageError for options that are not allowed, and a directory that holds another sweep; StorageError where it
 *   cannot be written
 */
export async function* runSweep(options: SweepOptions): AsyncGenerator<SweepProgress> {
  const plan = await located(await planOf(options))
  const jobs = check(wholeNumber('jobs', 1, MOST_JOBS), options.jobs ?? platform.threads.count())
  const release = await taken(plan, options.overwrite ?? false)
  const endWorkers = keepWorkers()
  try {
    const journal = await opened(plan)
    const limit = Math.max(Math.min(jobs, plan.trials), 1)
    const stop = { requested: false }
    const workers = workersOf(jobs, limit)
    const threads = workers > 0 ? trialThreads(workers) : null
    const session: TrialSession = { plan, journal, workers, threads, stop }
    const onStop = () => {
      stop.requested = true
      threads?.stop()
    }
    const begin = await beginner(plan, journal)
    const steps = climbing(session, begin.trial, (starts) => merge(starts, limit, onStop))
    const end = async () => {
      threads?.stop()
      await begin.end()
      await conclude(plan)
    }
    let isFirst = options.overwrite === true
    for await (const progress of concluded(steps, end)) {
      if (isFirst && progress.status === 'finished') {
        isFirst = false
        await writing(plan.path, () => settleReplaced(plan.path), 'sweep')
      }
      yield counted(plan, journal, progress)
    }
  } finally {
    endWorkers()
    await writing(plan.path, () => settleReplaced(plan.path), 'sweep').finally(release)
  }
}

/** With the export by which the module of a task of one's own has it. */
async function located(plan: SweepPlan): Promise<SweepPlan> {
  return { ...plan, description: { ...plan.description, task: await findTask(plan.spec) } }
}

/** The cores that are left when there are few trials at a time evaluate for these; one job is this thread alone. */
function workersOf(jobs: number, limit: number): number {
  const cores = platform.threads.count()
  return jobs === 1 || cores === 1 ? 0 : Math.max(Math.floor(cores / limit), 1)
}

/** Takes the directory; what it holds is this sweep, or goes where it is to be replaced. */
async function taken({ path }: SweepPlan, overwrite: boolean): Promise<() => Promise<void>> {
  let release: (() => Promise<void>) | null = null
  const has = (name: string) => files.exists(`${path}/${name}`)
  const isEmpty = !(await has(FILES.journal)) && !(await isReplacing(path))
  if ((await files.exists(path)) && isEmpty && (await has(FILES.report)))
    throw new UsageError(`${show(path)} holds something else; choose another --out.`)
  await writing(
    path,
    async () => {
      await files.makeDirectory(path)
      release = await files.lock(`${path}/${FILES.lock}`)
      if (!release) return
      await settleReplaced(path)
      if (overwrite) await setAside(path)
    },
    'sweep',
  )
  if (release) return release
  throw new UsageError(`${show(path)} is being swept by another process; wait for its end, or choose another --out.`)
}

/** The journal of this sweep, begun or taken up. */
async function opened({ path, name, description }: SweepPlan): Promise<Journal> {
  const refuse = (earlier: JournalStudy) => {
    const difference = conflict(earlier, name, description)
    if (difference) throw new UsageError(`${show(path)} holds ${difference}; choose another --out, or --overwrite it.`)
    tellOfVersion(path, earlier)
  }
  const isMaximised = description.direction === 'maximise'
  const attributes = { steinrl: description, version }
  return openJournal(`${path}/${FILES.journal}`, { name, isMaximised, attributes }, refuse)
}

/** Journals before this one do not tell theirs. */
function tellOfVersion(path: string, { attributes: { version: made } }: JournalStudy): void {
  if (typeof made === 'string' && made !== version)
    platform.warn(
      `${path} is of steinrl ${made} and goes on by ${version}: what its trials come to may differ in last bits.`,
    )
}

/** Why a sweep cannot go on with a journal, as a part of a sentence; null when it can. */
function conflict({ name: other, attributes }: JournalStudy, name: string, now: SweepDescription): string | null {
  const earlier = attributes.steinrl as Readonly<Record<string, unknown>> | undefined
  if (!earlier || typeof earlier !== 'object') return `the study ${show(other)}, which is not of steinrl`
  if (other !== name) return `the sweep ${show(other)}, not ${show(name)}`
  const names = Object.keys(now) as (keyof SweepDescription)[]
  const changed = names.find((each) => !equal(earlier[each], now[each]))
  return changed ? `a sweep with ${changed} ${show(earlier[changed])}, not ${show(now[changed])}` : null
}

/** Begins the trials of a number that are not there yet. */
async function beginner({ path, name, dimensions, description, foreign }: SweepPlan, journal: Journal) {
  if (foreign) {
    const distributions = Object.fromEntries(dimensions.map((each) => [each.name, distributionOf(each)]))
    const sampler = await foreign.start(`${path}/${FILES.journal}`, name, distributions)
    let last: Promise<unknown> = Promise.resolve()
    const ask = async () => {
      const { id, parameters } = await sampler.ask()
      return journal.adopt(id, parameters)
    }
    return {
      // One after the other, so that their numbers are in order.
      trial: (number: number): Promise<JournalTrial> => {
        const next = last.then(() => journal.trials[number] ?? ask())
        last = next.catch(() => {})
        return next
      },
      end: () => sampler.end(),
    }
  }
  const sampler = (description.sampler === 'sobol' ? sobolSampler : randomSampler)(description.seed, dimensions.length)
  return {
    async trial(number: number): Promise<JournalTrial> {
      const there = journal.trials[number]
      if (there) return there
      const place = sampler(number)
      const internal = (each: Dimension, d: number) => internalOf(each, valueAt(each, place[d]))
      return journal.begin(dimensions, Object.fromEntries(dimensions.map((each, d) => [each.name, internal(each, d)])))
    },
    end: async () => {},
  }
}

/**
 * 1, 3, 9, …: successive halving ends with the last trial at all of its iterations; the other samplers have one rung.
 */
function rungsOf({ description, trials }: Pick<SweepPlan, 'description' | 'trials'>): (Rung & { size: number })[] {
  const sizes = [trials]
  while (description.trials !== null && sizes[0] > 2) sizes.unshift(Math.floor(sizes[0] / 3))
  let share = 1
  const rungs = sizes.map((size, k) => {
    const rung = { number: sizes.length - 1 - k, share, isLast: k === 0, size }
    share /= 3
    return rung
  })
  return rungs.reverse()
}

async function* climbing(
  session: TrialSession,
  begin: (number: number) => Promise<JournalTrial>,
  together: (starts: (() => AsyncGenerator<TrialProgress>)[]) => AsyncGenerator<TrialProgress>,
): AsyncGenerator<TrialProgress> {
  const { plan } = session
  let numbers = Array.from({ length: plan.trials }, (_, k) => k)
  let last: Rung | null = null
  for (const rung of rungsOf(plan)) {
    const start = (number: number) =>
      async function* () {
        yield* climb(session, await begin(number), rung)
      }
    if (last) {
      const goOn = chosen(session, numbers, rung.size, last)
      yield* pruned(session, numbers, goOn, last)
      numbers = goOn
    }
    yield* together(numbers.map(start))
    last = rung
  }
}

/** The best of those that are at a rung, the first of equals. */
function chosen({ plan, journal }: TrialSession, numbers: readonly number[], size: number, rung: Rung): number[] {
  const sign = plan.description.direction === 'maximise' ? -1 : 1
  const valued = numbers.flatMap((number) => {
    const value = rungValue(journal.trials[number], rung)
    return value === null ? [] : [{ number, value }]
  })
  return valued
    .sort((a, b) => sign * (a.value - b.value) || a.number - b.number)
    .slice(0, size)
    .map(({ number }) => number)
}

async function* pruned(
  session: TrialSession,
  numbers: readonly number[],
  goOn: readonly number[],
  rung: Rung,
): AsyncGenerator<TrialProgress> {
  for (const number of numbers) {
    const trial = session.journal.trials[number]
    if (goOn.includes(number) || trial.state !== 'running') continue
    const value = await prune(session, trial, rung)
    const settings = valuesOf(session.plan, trial)
    yield { trial: number, settings, status: 'pruned', metrics: null, value, reason: null }
  }
}

function counted(
  { trials: total, description }: SweepPlan,
  { trials }: Journal,
  progress: TrialProgress,
): SweepProgress {
  const count = (state: TrialState) => trials.filter((trial) => trial.state === state).length
  const counts = { finished: count('finished'), pruned: count('pruned'), failed: count('failed'), total }
  return { ...progress, trials: counts, best: bestOf(trials, description.direction)?.value ?? null }
}

/** The best of those that came to their end, the first of equals. */
function bestOf<T extends { readonly state: TrialState; readonly value: number | null }>(
  trials: readonly T[],
  direction: SweepDescription['direction'],
): T | null {
  const sign = direction === 'maximise' ? 1 : -1
  const done = trials.filter(({ state, value }) => state === 'finished' && value !== null)
  return done.reduce<T | null>(
    (best, trial) => (best && sign * (trial.value as number) <= sign * (best.value as number) ? best : trial),
    null,
  )
}

/**
 * What a sweep has come to, from its directory.
 *
 * @throws UsageError when there is none, it is damaged, or the study is not of steinrl
 */
export async function readSweep(path: string): Promise<SweepResult> {
  requireText('readSweep', 'the directory of a sweep', path)
  const { name, attributes, trials: found } = await readJournal(`${path}/${FILES.journal}`)
  const description = attributes.steinrl as SweepDescription | undefined
  if (!description?.space) throw new UsageError(`${show(path)} holds the study ${show(name)}, which is not of steinrl.`)
  refuseDamaged(path, description)
  const dimensions = dimensionsOf(description.algorithm, description.space)
  const numbered = (value: unknown) => (typeof value === 'number' ? value : null)
  const trials = found.map((trial): SweepTrial => {
    const { number, state, value, attributes } = trial
    const { seconds, iterations, transitions } = attributes
    return {
      ...{ number, state, value, settings: valuesOf({ dimensions }, trial), reason: reasonOf(trial) },
      ...{ seconds: numbered(seconds), iterations: numbered(iterations), transitions: numbered(transitions) },
    }
  })
  const best = bestOf(trials, description.direction)
  return { name, description, trials, best, command: best && commandOf(description, best) }
}

/** @throws UsageError for a study whose attribute says less than it takes to train a trial again */
function refuseDamaged(path: string, { task, settings, direction }: SweepDescription): void {
  try {
    parseTask(task)
    check(oneOf('direction', ['maximise', 'minimise']), direction)
    requireThat(isRecord(settings), 'A sweep', 'settings as a record', settings)
  } catch (error) {
    throw new UsageError(`The description of the sweep in ${show(path)} is damaged: ${faultOf(error)}.`)
  }
}

/** Writes the report from what is on disk. */
async function conclude({ path }: SweepPlan): Promise<void> {
  const page = await renderSweep(await readSweep(path))
  await writing(path, () => files.write(`${path}/${FILES.report}`, page), 'sweep')
}
