import { platform } from '#platform'
import { RunError } from '../core/errors.ts'
import { threadCount } from '../core/thread-pool.ts'
import { asNow } from '../nn/tfjs.ts'
import type { Evaluator, Job, Outcome } from './evaluator.ts'
import { type PoolWorker, type PoolWorkerOptions, startPoolWorker, WorkerEnd } from './pool-worker.ts'

/** Whoever evaluates the particles of a population: this thread, or workers on other ones. */
export interface WorkerPool {
  /** Workers that are alive; 0 means this thread. */
  size(): number
  /** The outcomes of the jobs, in their order. Their bits do not depend on who evaluates them. */
  evaluate(jobs: readonly Job[]): Promise<Outcome[]>
  /** What became of workers that died since the last call, in one sentence each. */
  takeFailures(): string[]
  /** Ends the workers, and closes the environments of this thread. */
  close(): void
}

interface WorkerPoolOptions<Setup> extends PoolWorkerOptions {
  /** Makes an evaluator on this thread. */
  readonly create: (setup: Setup) => Promise<Evaluator>
  readonly setup: Setup
  readonly workers: number
}

/** Workers that may die of one job before the job is given up. */
const ATTEMPTS = 2

/** Workers started in the place of others in one run, at most: a task that ends more of them ends them all. */
const MOST_REPLACEMENTS = 2

/**
 * Starts workers, or none. Each starts a tfjs of its own, without threads: the workers fill the cores already, and tfjs
 * has threads in browsers only (nn/tfjs.ts).
 *
 * @throws UsageError when a worker cannot be started
 */
export async function startWorkerPool<Setup>(options: WorkerPoolOptions<Setup>): Promise<WorkerPool> {
  const { create, setup, workers } = options
  if (workers === 0) return thisThread(await create(setup))
  const starts = await Promise.allSettled(Array.from({ length: workers }, () => startPoolWorker(options)))
  const started = starts.filter((start) => start.status === 'fulfilled').map(({ value }) => value)
  const failed = starts.find((start) => start.status === 'rejected')
  if (!failed)
    return poolOf(
      started,
      () => startPoolWorker(options),
      () => create(setup),
    )
  for (const worker of started) worker.stop()
  throw failed.reason
}

/** How many workers a setting means for n particles: 'auto' is one a core, and none where there is nothing to share. */
export function workersFor(wanted: number | 'auto', particles: number): number {
  const workers = Math.min(wanted === 'auto' ? threadCount() : wanted, particles)
  return wanted === 'auto' && workers < 2 ? 0 : workers
}

/** Milliseconds that particles are evaluated before signals, and files that are being written, have their turn. */
const BUSY = 1

/** Evaluates as the work that begins here computes, whoever asks. */
function thisThread(evaluator: Evaluator): WorkerPool {
  const evaluate = asNow(evaluator)
  return {
    size: () => 0,
    async evaluate(jobs) {
      const outcomes: Outcome[] = []
      let since = platform.now()
      for (const job of jobs) {
        outcomes.push(evaluate(job))
        if (platform.now() - since < BUSY) continue
        await platform.breathe()
        since = platform.now()
      }
      return outcomes
    },
    takeFailures: () => [],
    close: () => evaluator.close(),
  }
}

function poolOf(
  started: readonly PoolWorker[],
  startAnother: () => Promise<PoolWorker>,
  createHere: () => Promise<Evaluator>,
): WorkerPool {
  const pool: Pool = {
    started,
    alive: new Set(started),
    lastWorker: new Map(),
    startAnother,
    ...{ replaced: 0, died: [] },
  }
  let here: Promise<Evaluator> | null = null
  return {
    size: () => pool.alive.size,
    async evaluate(jobs) {
      const round = await shareOut(pool, jobs)
      // A round that has failed needs no more outcomes.
      if (round.queue.length > 0 && round.failures.size === 0) {
        here ??= createHere()
        const evaluator = await here
        for (const { job, index } of round.queue) round.outcomes[index] = evaluator(job)
      }
      // The first in the order of the jobs, whoever was faster.
      if (round.failures.size > 0) throw round.failures.get(Math.min(...round.failures.keys()))
      return round.outcomes
    },
    takeFailures: () => pool.died.splice(0),
    close() {
      for (const worker of pool.alive) worker.stop()
      pool.alive.clear()
      here?.then((evaluator) => evaluator.close())
    },
  }
}

interface Pool {
  /** Those that it began with: worker k of n has the particles k, k + n, … for its own. */
  readonly started: readonly PoolWorker[]
  readonly alive: Set<PoolWorker>
  /** The worker that has the rows of a particle's last rollout. */
  readonly lastWorker: Map<number, PoolWorker>
  readonly startAnother: () => Promise<PoolWorker>
  /** Workers that took the place of others. */
  replaced: number
  /** What became of workers, in one sentence each. */
  readonly died: string[]
}

/** A job that waits, or is on its way. */
interface Entry {
  readonly job: Job
  readonly index: number
  attemptsLeft: number
}

interface Round {
  readonly queue: Entry[]
  readonly outcomes: Outcome[]
  /** What evaluating a particle threw, by the index of its job. */
  readonly failures: Map<number, unknown>
}

/** Jobs are left in the queue where no worker is. */
async function shareOut(pool: Pool, jobs: readonly Job[]): Promise<Round> {
  const queue = jobs.map((job, index): Entry => ({ job, index, attemptsLeft: ATTEMPTS }))
  const round: Round = { queue, outcomes: [], failures: new Map() }
  // A worker that dies late leaves its job when the others are done already.
  while (queue.length > 0 && (pool.alive.size > 0 || (await replaceFor(pool, round))))
    await Promise.all([...pool.alive].map((worker) => work(pool, worker, round)))
  return round
}

/** Takes jobs until none is left or the worker dies. */
async function work(pool: Pool, worker: PoolWorker, round: Round): Promise<void> {
  const { queue, outcomes, failures } = round
  for (let entry = takeEntry(pool, worker, queue); entry; entry = takeEntry(pool, worker, queue)) {
    const before = worker.end()
    if (before) {
      // No job is to blame.
      retire(pool, worker, 'between two particles', before)
      queue.unshift(entry)
      return
    }
    try {
      pool.lastWorker.set(entry.job.particle, worker)
      outcomes[entry.index] = await worker.evaluate(entry.job)
    } catch (error) {
      if (error instanceof WorkerEnd) {
        retire(pool, worker, `while it evaluated particle ${entry.job.particle}`, error)
        tryAgain(entry, round, error)
        return
      }
      failures.set(entry.index, error)
    }
  }
}

function retire({ alive, died }: Pool, worker: PoolWorker, when: string, { message }: WorkerEnd): void {
  alive.delete(worker)
  died.push(`A worker died ${when} (${message}); ${alive.size} are left.`)
}

/** Puts back a job of which a worker died, or gives it up. */
function tryAgain(entry: Entry, { queue, failures }: Round, { message }: WorkerEnd): void {
  const { job, index } = entry
  entry.attemptsLeft--
  if (entry.attemptsLeft > 0) queue.unshift(entry)
  else {
    const text = `${ATTEMPTS} workers died while they evaluated particle ${job.particle} (${message}).`
    failures.set(index, new RunError(text))
  }
}

/** A job that has ended a worker would end this thread, too: it is tried on another worker, or given up. */
async function replaceFor(pool: Pool, { queue, failures }: Round): Promise<boolean> {
  const suspect = queue.find(({ attemptsLeft }) => attemptsLeft < ATTEMPTS)
  if (!suspect) return false
  pool.replaced++
  const another =
    pool.replaced > MOST_REPLACEMENTS
      ? new Error(`${pool.started.length + MOST_REPLACEMENTS} workers died in this run.`)
      : await pool.startAnother().catch((error: Error) => error)
  if (!(another instanceof Error)) return pool.alive.add(another) !== undefined
  const text = `A worker died while it evaluated particle ${suspect.job.particle}. ${another.message}`
  failures.set(suspect.index, new RunError(text))
  return false
}

/** Its own particles first, which it may know from the last time, then anybody's. */
function takeEntry(pool: Pool, worker: PoolWorker, queue: Entry[]): Entry | undefined {
  const { started } = pool
  const isOwn = ({ index }: Entry) => index % started.length === started.indexOf(worker)
  const open = queue.filter(({ job }) => isOpenTo(pool, worker, job))
  const entry = open.find(isOwn) ?? open[0]
  return entry && queue.splice(queue.indexOf(entry), 1)[0]
}

/**
 * A later pass is for whoever has the rows, and a running episode in TypeScript for whoever has the instances: to
 * collect or to play them again takes longer than to wait, and the longer the older the episode is.
 */
function isOpenTo({ lastWorker, alive }: Pool, worker: PoolWorker, { pass, particle, carried }: Job): boolean {
  const last = lastWorker.get(particle)
  const isBound = pass > 0 || (carried?.history?.length ?? 0) > 0
  return !isBound || last === worker || !last || !alive.has(last)
}
