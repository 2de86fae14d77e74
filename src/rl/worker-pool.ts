import { workers } from '#workers'
import { isExpected, RunError, UsageError } from '../core/errors.ts'
import { threadCount } from '../core/thread-pool.ts'
import type { Evaluator, Job, Outcome } from './evaluator.ts'

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

/** What a worker is told: first what to be, then one job at a time. */
export type Order = { readonly evaluator: string; readonly setup: unknown } | { readonly job: Job }

/** What a worker answers: that it is ready, an outcome, or what went wrong. */
export type Answer =
  | { readonly ready: true }
  | { readonly outcome: Outcome }
  | { readonly failure: { readonly name: string; readonly message: string; readonly stack?: string } }

export interface WorkerPoolOptions<Setup> {
  /** Makes an evaluator on this thread. */
  readonly create: (setup: Setup) => Promise<Evaluator>
  /** The same by its name in algorithms/evaluators.ts, for workers. */
  readonly evaluator: string
  readonly setup: Setup
  /** The same setup without anything that cannot be posted. */
  readonly posted: unknown
  readonly workers: number
  /** Seconds that a worker may take for one job before it counts as dead. Default 600. */
  readonly limit?: number
}

/** Far longer than a job takes that ends at all. */
const LIMIT = 600

/** One job may take this many workers with it before it is given up. */
const LIVES = 2

/** So many workers are started in the place of others in one run: a task that ends more of them ends them all. */
const MOST_HIRED = 2

/**
 * Hires workers, or none. Each starts a tfjs of its own, without threads: the workers fill the cores already, and tfjs
 * has threads in browsers only (nn/tfjs.ts).
 *
 * @throws UsageError when a worker cannot be started
 */
export async function startWorkerPool<Setup>(options: WorkerPoolOptions<Setup>): Promise<WorkerPool> {
  const { create, setup, workers } = options
  if (workers === 0) return alone(await create(setup))
  const starts = await Promise.allSettled(Array.from({ length: workers }, () => startPoolWorker(options)))
  const hands = starts.filter((start) => start.status === 'fulfilled').map(({ value }) => value)
  const failed = starts.find((start) => start.status === 'rejected')
  if (!failed)
    return together(
      hands,
      () => create(setup),
      () => startPoolWorker(options),
    )
  for (const hand of hands) hand.stop()
  throw failed.reason
}

/** How many workers a setting means for n particles: 'auto' is one a core, and none where there is nothing to share. */
export function workersFor(wanted: number | 'auto', particles: number): number {
  const workers = Math.min(wanted === 'auto' ? threadCount() : wanted, particles)
  return wanted === 'auto' && workers < 2 ? 0 : workers
}

function alone(evaluator: Evaluator): WorkerPool {
  return {
    size: () => 0,
    evaluate: async (jobs) => jobs.map((job) => evaluator(job)),
    takeFailures: () => [],
    close: () => evaluator.close(),
  }
}

/** A job on its way. */
interface Entry {
  readonly job: Job
  readonly index: number
  lives: number
}

interface Round {
  readonly queue: Entry[]
  readonly outcomes: Outcome[]
  /** What evaluating a particle threw, by the index of its job. */
  readonly failures: Map<number, unknown>
}

function together(
  hands: readonly PoolWorker[],
  createHere: () => Promise<Evaluator>,
  hire: () => Promise<PoolWorker>,
): WorkerPool {
  const alive = new Set(hands)
  /** Who has the rows of a particle's last rollout. */
  const holders = new Map<number, PoolWorker>()
  let losses: string[] = []
  /** Workers that took the place of others. */
  let hired = 0
  let here: Promise<Evaluator> | null = null

  /** Takes jobs until none is left or the worker dies. */
  async function work(hand: PoolWorker, { queue, outcomes, failures }: Round): Promise<void> {
    for (let entry = takeFor(hand, queue); entry; entry = takeFor(hand, queue)) {
      const before = hand.death()
      // No job is to blame.
      if (before) {
        alive.delete(hand)
        losses.push(`A worker died between two particles (${before.message}); ${alive.size} are left.`)
        queue.unshift(entry)
        return
      }
      try {
        holders.set(entry.job.particle, hand)
        outcomes[entry.index] = await hand.evaluate(entry.job)
      } catch (error) {
        if (error instanceof Death) return bury(hand, entry, error, { queue, outcomes, failures })
        failures.set(entry.index, error)
      }
    }
  }

  function bury(hand: PoolWorker, entry: Entry, { message }: Death, { queue, failures }: Round): void {
    alive.delete(hand)
    const { particle } = entry.job
    losses.push(`A worker died while it evaluated particle ${particle} (${message}); ${alive.size} are left.`)
    entry.lives--
    if (entry.lives > 0) queue.unshift(entry)
    else failures.set(entry.index, new RunError(`${LIVES} workers died while they evaluated particle ${particle}.`))
  }

  /** A job that has ended a worker would end this thread, too: it is tried on another worker, or given up. */
  async function hireFor({ queue, failures }: Round): Promise<boolean> {
    const suspect = queue.find(({ lives }) => lives < LIVES)
    if (!suspect) return false
    hired++
    const added =
      hired > MOST_HIRED ? new Error(`${hands.length + MOST_HIRED} workers died in this run.`) : await attempt(hire)
    if (!(added instanceof Error)) return alive.add(added) !== undefined
    const text = `A worker died while it evaluated particle ${suspect.job.particle}. ${added.message}`
    failures.set(suspect.index, new RunError(text))
    return false
  }

  /** Its own particles first, which it may know from the last time, then anybody's. */
  function takeFor(hand: PoolWorker, queue: Entry[]): Entry | undefined {
    const isOwn = ({ index }: Entry) => index % hands.length === hands.indexOf(hand)
    const open = queue.filter(({ job }) => isOpenTo(hand, job))
    const entry = open.find(isOwn) ?? open[0]
    return entry && queue.splice(queue.indexOf(entry), 1)[0]
  }

  /**
   * A later pass is for whoever has the rows, and a running episode in TypeScript for whoever has the instances: to
   * collect or to play them again takes longer than to wait, and the longer the older the episode is.
   */
  function isOpenTo(hand: PoolWorker, { pass, particle, carried }: Job): boolean {
    const holder = holders.get(particle)
    const isBound = pass > 0 || (carried?.history?.length ?? 0) > 0
    return !isBound || holder === hand || !holder || !alive.has(holder)
  }

  return {
    size: () => alive.size,
    async evaluate(jobs) {
      const queue = jobs.map((job, index): Entry => ({ job, index, lives: LIVES }))
      const round: Round = { queue, outcomes: [], failures: new Map() }
      // A worker that dies late leaves its job when the others are done already.
      while (queue.length > 0 && (alive.size > 0 || (await hireFor(round))))
        await Promise.all([...alive].map((hand) => work(hand, round)))
      // A round that has failed needs no more outcomes.
      if (queue.length > 0 && round.failures.size === 0) {
        here ??= createHere()
        const evaluator = await here
        for (const { job, index } of queue) round.outcomes[index] = evaluator(job)
      }
      // The first in the order of the jobs, whoever was faster.
      if (round.failures.size > 0) throw round.failures.get(Math.min(...round.failures.keys()))
      return round.outcomes
    },
    takeFailures() {
      const taken = losses
      losses = []
      return taken
    },
    close() {
      for (const hand of alive) hand.stop()
      alive.clear()
      here?.then((evaluator) => evaluator.close())
    },
  }
}

const attempt = <T>(make: () => Promise<T>): Promise<T | Error> => make().catch((error: Error) => error)

/** Why a worker is no more. */
class Death extends Error {}

/** One worker. */
interface PoolWorker {
  evaluate(job: Job): Promise<Outcome>
  /** Why it is no more; null while it is. */
  death(): Death | null
  stop(): void
}

async function startPoolWorker({
  evaluator,
  posted,
  limit = LIMIT,
}: Pick<WorkerPoolOptions<unknown>, 'evaluator' | 'posted' | 'limit'>): Promise<PoolWorker> {
  let owed: { resolve(answer: Answer): void; reject(reason: Error): void } | null = null
  let death: Death | null = null
  const worker = startOrRefuse({
    onMessage: (answer) => owed?.resolve(answer as Answer),
    onEnd: (reason) => {
      death = new Death(reason)
      owed?.reject(death)
    },
  })

  async function ask(order: Order, within = limit): Promise<Answer> {
    if (death) throw death
    let timer: ReturnType<typeof setTimeout> | undefined
    const answer = await new Promise<Answer>((resolve, reject) => {
      owed = { resolve, reject }
      timer = setTimeout(() => {
        death = new Death(`it gave no answer within ${within} s`)
        worker.stop()
        reject(death)
      }, within * 1000)
      // A pool closed with a job on its way leaves this timer behind, and the program has to be able to end.
      if (typeof timer === 'object') timer.unref()
      worker.post(order)
    }).finally(() => clearTimeout(timer))
    if ('failure' in answer) throw revived(answer.failure)
    return answer
  }

  try {
    await ask({ evaluator, setup: posted }, LIMIT)
  } catch (error) {
    worker.stop()
    if (!(error instanceof Death)) throw error
    throw notStarted(error)
  }
  return {
    death: () => death,
    evaluate: async (job) => ((await ask({ job })) as { outcome: Outcome }).outcome,
    stop: () => worker.stop(),
  }
}

/** Where workers are forbidden, or a bundle has no file for them, the runtime may refuse at once. */
function startOrRefuse(listener: Parameters<typeof workers.start>[0]) {
  try {
    return workers.start(listener)
  } catch (error) {
    throw notStarted(error as Error)
  }
}

const notStarted = ({ message }: Error) =>
  new UsageError(`A worker could not be started (${message}); workers: 0 evaluates in this thread.`)

/** An error as it was thrown in the worker. */
function revived({ name, message, stack }: { name: string; message: string; stack?: string }): Error {
  const kinds: Readonly<Record<string, new (message: string) => Error>> = {
    RunError,
    UsageError,
    TypeError,
    RangeError,
  }
  const error = new (kinds[name] ?? Error)(message)
  return isExpected(error) ? error : Object.assign(error, { stack })
}
