import type { Worker } from 'node:worker_threads'
import { platform } from '#platform'
import { importUnseen } from '../../dist/inline/import.js'
import { StorageError } from '../core/errors.ts'
import { errorOf, WorkerEnd } from '../rl/pool-worker.ts'
import type { SlotThread } from './slots.ts'

/** What happens while a run is done. */
interface On {
  news(event: unknown): void
  /** Its files, where it has a checkpoint. */
  kept(files: unknown): void
}

/** A thread that does whole runs. */
interface RunThread extends SlotThread {
  /** Does the run of a job. Throws a WorkerEnd when the thread ends first, and what the run throws. */
  perform(job: unknown, on: On): Promise<unknown>
}

/** What the thread is sent: an order, and a directory of its own. */
export interface ThreadOrder {
  readonly order: unknown
  readonly directory: string
}

/** What it answers; the last two end a run. */
export type ThreadAnswer =
  | { readonly news: unknown }
  | { readonly kept: Readonly<Record<string, Uint8Array>> }
  | { readonly alive: true }
  | { readonly outcome: Readonly<Record<string, Uint8Array>> }
  | { readonly failure: { readonly name: string; readonly message: string; readonly stack?: string } }

/** A job that is being done. */
interface Pending {
  readonly on: On
  readonly resolve: (outcome: unknown) => void
  readonly reject: (reason: Error) => void
}

/**
 * Starts a thread that does whole runs, each in a directory of its own. Node's modules are imported here, as a worker
 * of a cluster is for Node alone.
 *
 * @param limit seconds without a sign of life after which it is ended
 */
export async function startRunThread(limit: number, place: RunPlace): Promise<RunThread> {
  const threads = (await importUnseen('node:worker_threads')) as typeof import('node:worker_threads')
  // The path is the same from src/cluster/ and from dist/cluster/.
  const worker = new threads.Worker(new URL('../../dist/experiments/cluster/thread.js', import.meta.url))
  let pending: Pending | null = null
  let end: WorkerEnd | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  const ends = (reason: string) => {
    end ??= new WorkerEnd(reason)
    pending?.reject(end)
  }
  const isAlive = () => {
    clearTimeout(timer)
    timer = setTimeout(() => stop(`it gave no sign of life for ${limit} s`), limit * 1000)
  }
  const stop = (reason: string) => {
    ends(reason)
    void (worker as Worker).terminate()
  }
  worker.on('error', (error: Error) => ends(error.message))
  worker.on('exit', (code: number) => ends(`exit code ${code}`))
  worker.on('message', (answer: ThreadAnswer) => {
    isAlive()
    if ('news' in answer) pending?.on.news(answer.news)
    else if ('kept' in answer) pending?.on.kept(answer.kept)
    else if ('outcome' in answer) pending?.resolve(answer.outcome)
    else if ('failure' in answer) pending?.reject(failureOf(answer.failure))
  })
  return {
    end: () => end,
    stop: () => stop('it was stopped'),
    async perform(order, on) {
      const directory = place.next()
      try {
        return await new Promise((resolve, reject) => {
          if (end) return reject(end)
          pending = { on, resolve, reject }
          isAlive()
          worker.postMessage({ order, directory })
        })
      } finally {
        pending = null
        clearTimeout(timer)
        if (end) await (worker as Worker).terminate()
        await files.removeDirectory(directory)
      }
    },
  }
}

/** A disk that is full here may be free elsewhere: the run is tried again there. */
const failureOf = (failure: { name: string; message: string; stack?: string }): Error =>
  failure.name === StorageError.name ? new WorkerEnd(failure.message.replace(/\.$/, '')) : errorOf(failure)

const { files } = platform

const PREFIX = 'steinrl-runs-'

/** Where this process keeps runs until they are sent; gone when it ends its threads, or when another one starts. */
export interface RunPlace {
  /** A directory that is not there yet. */
  next(): string
  close(): Promise<void>
}

/** A place that nobody else has; what processes have left that are no more is removed. */
export async function runPlace(): Promise<RunPlace> {
  const { tmpdir } = (await importUnseen('node:os')) as typeof import('node:os')
  const top = tmpdir()
  const lockOf = (name: string) => files.lock(`${top}/${name}.lock`)
  for (const name of (await files.list(top)).filter((each) => new RegExp(`^${PREFIX}[-0-9a-f]+$`).test(each))) {
    const release = await lockOf(name)
    if (release) await files.removeDirectory(`${top}/${name}`)
    await release?.()
  }
  const own = PREFIX + crypto.randomUUID()
  const release = await lockOf(own)
  await files.makeDirectory(`${top}/${own}`)
  let count = 0
  return {
    next: () => `${top}/${own}/${count++}`,
    async close() {
      await files.removeDirectory(`${top}/${own}`)
      await release?.()
    },
  }
}
