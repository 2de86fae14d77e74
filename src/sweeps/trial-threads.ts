import { workers } from '#workers'
import { RunError } from '../core/errors.ts'
import { errorOf, notStarted } from '../rl/pool-worker.ts'
import { STOPPED } from '../train/stopped.ts'
import type { TrialEvent, TrialOrder } from './training.ts'

/** What a thread answers; the last two end a trial. */
export type ThreadAnswer =
  | { readonly more: true; readonly event: TrialEvent }
  | { readonly end: true }
  | { readonly failure: { readonly name: string; readonly message: string; readonly stack?: string } }

/** Threads that train a trial each. */
export interface TrialThreads {
  /**
   * Trains a trial on a thread that has nothing to do, or a new one. Throws NoWorkers where none can be started, what
   * the trial throws, and STOPPED after stop().
   */
  perform(order: TrialOrder): AsyncGenerator<TrialEvent>
  /** Ends all of them, and what they are at. */
  stop(): void
}

interface Thread {
  /** What has come and was not taken yet; null: the thread is no more. */
  readonly answers: (ThreadAnswer | null)[]
  wake: () => void
  /** Why it is no more. */
  why: string
  readonly handle: ReturnType<typeof workers.startTrials>
}

/** @param threads of each for large networks, as tfjs: { threads } of train() */
export function trialThreads(threads: number): TrialThreads {
  const all = new Set<Thread>()
  const idle: Thread[] = []
  let isStopped = false
  return {
    async *perform(order) {
      const thread = takeIdle(idle) ?? begin(all)
      let isDone = false
      try {
        thread.handle.post({ order, threads })
        while (!isDone) {
          const answer = await next(thread)
          if (isStopped) throw STOPPED
          if (answer === null) throw new RunError(`Its thread ended: ${thread.why}.`)
          isDone = !('more' in answer)
          if ('failure' in answer) throw errorOf(answer.failure)
          if ('more' in answer) yield answer.event
        }
      } finally {
        if (isDone) idle.push(thread)
        else end(all, thread)
      }
    },
    stop() {
      isStopped = true
      for (const thread of all) end(all, thread)
    },
  }
}

/** One that has not ended while it waited. */
function takeIdle(idle: Thread[]): Thread | null {
  for (let thread = idle.pop(); thread; thread = idle.pop()) if (thread.answers.length === 0) return thread
  return null
}

function begin(all: Set<Thread>): Thread {
  const thread: Thread = { answers: [], wake: () => {}, why: 'it was stopped', handle: started() }
  all.add(thread)
  return thread

  function started(): Thread['handle'] {
    const tell = (answer: ThreadAnswer | null) => {
      thread.answers.push(answer)
      thread.wake()
    }
    try {
      return workers.startTrials({
        onMessage: (answer) => tell(answer as ThreadAnswer),
        onEnd(reason) {
          thread.why = reason
          tell(null)
        },
      })
    } catch (error) {
      throw notStarted(error as Error)
    }
  }
}

async function next(thread: Thread): Promise<ThreadAnswer | null> {
  while (thread.answers.length === 0) await new Promise<void>((wake) => Object.assign(thread, { wake }))
  return thread.answers.shift() as ThreadAnswer | null
}

function end(all: Set<Thread>, thread: Thread): void {
  all.delete(thread)
  thread.handle.stop()
  thread.answers.push(null)
  thread.wake()
}
