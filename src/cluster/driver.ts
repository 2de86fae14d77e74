import { platform } from '#platform'
import { RunError } from '../core/errors.ts'
import { type Answer, decodeAnswer } from './answers.ts'
import { KEPT, keys, MOST_DEATHS, type Release, sharedQueue } from './names.ts'
import type { WorkerRecord } from './register.ts'
import type { JobOptions, Queue, Server } from './server.ts'

/** A job on its way. */
export interface Entry {
  readonly id: string
  /** As a person is told it: particle 3. */
  readonly what: string
  bytes: Uint8Array
  /** Where it waits. */
  queue: string
  /** Whose queue that is; null for the one of all. */
  owner: string | null
  /** Which of its owner's threads it is for. */
  thread: number | null
  /** Times that it was gone without an answer. */
  lost: number
  /** Whether it was gone when it was last looked for. */
  isMissing: boolean
}

/** A job for anybody that was not given away yet. */
export const newEntry = ({ run, release }: Pick<Driver, 'run' | 'release'>, count: number) => ({
  ...{ id: `${run}-${count}`, queue: sharedQueue(release), owner: null, thread: null, lost: 0, isMissing: false },
})

/** What a driver knows. */
export interface Driver<E extends Entry = Entry> {
  readonly server: Server
  readonly release: Release
  readonly run: string
  readonly setup: Uint8Array
  readonly limit: number
  readonly queues: Map<string, Queue>
  /** Jobs without an answer. */
  readonly open: Map<string, E>
  /** Workers that fit, by id. */
  workers: Map<string, WorkerRecord>
  /** The ids of all that ever were. */
  readonly seen: Set<string>
  /** What workers do with its jobs, as a person is told it: evaluated. */
  readonly did: string
  /** How a job is tried again. */
  readonly backoff: JobOptions['backoff']
  /** What is to be told, in one sentence each. */
  readonly told: string[]
  /** When the driver last gave a sign of life, when it last looked, and since when there is no worker. */
  readonly at: { beat: number; look: number; alone: number; alive?: ReturnType<typeof setInterval> }
}

/** Jobs at a time of all workers together. */
export const threadsOf = ({ workers }: Driver): number =>
  [...workers.values()].reduce((sum, { threads }) => sum + threads, 0)

/** These workers are alive, and no others. */
export function takeNote(driver: Driver, workers: readonly WorkerRecord[]): void {
  driver.workers = new Map(workers.map((worker) => [worker.id, worker]))
  for (const { id } of workers) driver.seen.add(id)
}

/** Puts jobs where workers find them. */
export async function post(driver: Driver, entries: readonly Entry[]): Promise<void> {
  const threads = threadsOf(driver)
  // Workers begin with the first while the bytes of the others are on their way.
  const others = entries.slice(threads)
  await postTogether(driver, entries.slice(0, threads), others)
  if (others.length > 0) await postTogether(driver, others)
}

/** The same in one go, before `others`. */
async function postTogether(driver: Driver, entries: readonly Entry[], others: readonly Entry[] = []): Promise<void> {
  const { server, queues, run, backoff } = driver
  // On one connection, so that the bytes are there before the job is, without a wait in between.
  const sent: Promise<unknown>[] = entries.map(({ id, bytes }) =>
    server.call('SET', keys.job(id), bytes, 'PX', KEPT.job),
  )
  for (const name of new Set(entries.map(({ queue }) => queue))) {
    if (!queues.has(name)) queues.set(name, server.queue(name))
    const isThere = ({ queue }: Entry) => queue === name
    const jobs = entries.filter(isThere)
    const many = jobs.length + others.filter(isThere).length - 2 * threadsOf(driver)
    const added = (queues.get(name) as Queue).addBulk(
      jobs.map(({ id, what, thread }, k) => ({
        name: what,
        // Enough jobs come behind it that a worker may fetch the next one while it does this one.
        data: { run, thread, ...(k < many && { ahead: true }) },
        opts: { jobId: id, attempts: MOST_DEATHS, removeOnComplete: true, ...(backoff && { backoff }) },
      })),
    )
    sent.push(added)
    // What a worker leaves in its own queue is for nobody else; nothing waits for it.
    const own = jobs.filter(({ owner }) => owner !== null)
    const kept = () => server.together(own.map(({ id }) => ['PEXPIRE', keys.ofQueue(name, id), KEPT.job]))
    if (own.length > 0) void added.then(kept).catch(() => {})
  }
  await Promise.all(sent)
}

/** Keeps the keys of a run; they are gone some time after its driver. */
export async function beat(driver: Driver): Promise<void> {
  const { server, run, setup, at } = driver
  const slept = platform.now() - at.beat > KEPT.setup / 2
  const isThere = Number(await server.call('PEXPIRE', keys.setup(run), KEPT.setup)) === 1
  // A machine that slept has let them go by itself.
  if (!isThere && slept) await server.call('SET', keys.setup(run), setup, 'PX', KEPT.setup)
  else if (!isThere)
    throw new RunError(
      `The Redis server at ${server.shown} has lost the data of this run: it was flushed, or started again without ` +
        'appendonly yes. The run can go on from its last checkpoint.',
    )
  at.beat = platform.now()
}

/** Takes a job back that nobody is to do any more. */
export async function withdraw({ server, queues }: Driver, { id, queue }: Entry): Promise<void> {
  await queues.get(queue)?.remove(id)
  await server.call('UNLINK', keys.job(id))
}

/** An answer to a driver; null for what is none, which is told. */
export function heard({ told }: Driver, bytes: Uint8Array): Answer | null {
  try {
    return decodeAnswer(bytes)
  } catch (error) {
    told.push(`An answer was dropped: ${(error as Error).message}`)
    return null
  }
}
