import { workers } from '#workers'
import { isExpected, RunError, UsageError } from '../core/errors.ts'
import type { Job, Outcome } from './evaluator.ts'

/** What a worker is sent: first what to become, then one job at a time. */
export type Order = { readonly evaluator: string; readonly setup: unknown } | { readonly job: Job }

/** What a worker answers: that it is ready, an outcome, or what went wrong. */
export type Answer =
  | { readonly ready: true }
  | { readonly outcome: Outcome }
  | { readonly failure: { readonly name: string; readonly message: string; readonly stack?: string } }

/** Why a worker is no more. */
export class WorkerEnd extends Error {}

/** Why there are no workers for a task, where this thread could do without. */
export class NoWorkers extends UsageError {}

/** One worker of a pool. */
export interface PoolWorker {
  /** Throws a WorkerEnd when the worker ends first, and whatever evaluating the particle threw. */
  evaluate(job: Job): Promise<Outcome>
  /** Why it is no more; null while it is alive. */
  end(): WorkerEnd | null
  /** Ends it, unless workers are kept and it has nothing to do: then the next pool has it. */
  stop(): void
}

export interface PoolWorkerOptions {
  /** What it becomes: a name of algorithms/workers/evaluators.ts. */
  readonly evaluator: string
  /** The setup of the evaluator without anything that cannot be posted. */
  readonly posted: unknown
  /** Seconds that it may take for one job before it is stopped. Default 600. */
  readonly limit?: number
}

/** Seconds: far longer than a job takes that ends at all. */
const LIMIT = 600

/** A worker, whatever it is at the moment. */
interface Link {
  /** Throws a WorkerEnd when the worker ends first, and what the worker answers to have failed. */
  ask(order: Order, within: number): Promise<Answer>
  end(): WorkerEnd | null
  /** Whether it owes an answer. */
  isAsked(): boolean
  stop(): void
}

/** Workers that wait for the next pool, and how many callers want them to. */
const kept = { links: [] as Link[], by: 0 }

/**
 * From now on workers of pools that are closed wait for the next pool, which has them at once instead of after a start;
 * until what this gives is called. Several callers may want it at a time.
 */
export function keepWorkers(): () => void {
  let wanted = true
  kept.by++
  return () => {
    if (wanted) kept.by--
    wanted = false
    if (kept.by === 0) for (const link of kept.links.splice(0)) link.stop()
  }
}

/** @throws NoWorkers when the worker cannot be started; UsageError for what it cannot become */
export async function startPoolWorker({ evaluator, posted, limit = LIMIT }: PoolWorkerOptions): Promise<PoolWorker> {
  const link = takeKept() ?? connect()
  try {
    await link.ask({ evaluator, setup: posted }, LIMIT)
  } catch (error) {
    link.stop()
    if (!(error instanceof WorkerEnd)) throw error
    throw notStarted(error)
  }
  return {
    end: link.end,
    evaluate: async (job) => ((await link.ask({ job }, limit)) as { outcome: Outcome }).outcome,
    stop() {
      if (kept.by > 0 && !link.isAsked() && !link.end()) kept.links.push(link)
      else link.stop()
    },
  }
}

/** One that has not ended while it waited. */
function takeKept(): Link | null {
  for (let link = kept.links.pop(); link; link = kept.links.pop()) if (!link.end()) return link
  return null
}

function connect(): Link {
  let pending: { resolve(answer: Answer): void; reject(reason: Error): void } | null = null
  let end: WorkerEnd | null = null
  const worker = startOrRefuse({
    onMessage: (answer) => pending?.resolve(answer as Answer),
    onEnd: (reason) => {
      end = new WorkerEnd(reason)
      pending?.reject(end)
    },
  })
  return {
    async ask(order, within) {
      if (end) throw end
      let timer: ReturnType<typeof setTimeout> | undefined
      const answer = await new Promise<Answer>((resolve, reject) => {
        pending = { resolve, reject }
        timer = setTimeout(() => {
          end = new WorkerEnd(`it gave no answer within ${within} s`)
          worker.stop()
          reject(end)
        }, within * 1000)
        // A pool closed with a job on its way leaves this timer behind, and the program has to be able to end.
        if (typeof timer === 'object') timer.unref()
        worker.post(order)
      }).finally(() => {
        pending = null
        clearTimeout(timer)
      })
      if ('failure' in answer) throw errorOf(answer.failure)
      return answer
    },
    end: () => end,
    isAsked: () => pending !== null,
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

export const notStarted = ({ message }: Error) =>
  new NoWorkers(`A worker could not be started (${message}); workers: 0 evaluates in this thread.`)

/** An error as it was thrown in the worker. */
export function errorOf({ name, message, stack }: { name: string; message: string; stack?: string }): Error {
  const kinds: Readonly<Record<string, new (message: string) => Error>> = {
    RunError,
    UsageError,
    TypeError,
    RangeError,
  }
  const error = new (kinds[name] ?? Error)(message)
  return isExpected(error) ? error : Object.assign(error, { stack })
}
