import { platform } from '#platform'
import { RunError } from '../core/errors.ts'
import type { Job } from '../rl/evaluator.ts'
import type { By } from './answers.ts'
import type { FirstAnswers } from './first-answers.ts'
import { KEPT, keys, MOST_DEATHS, type Release } from './names.ts'
import type { WorkerRecord } from './register.ts'
import type { Queue, Server } from './server.ts'

/** A job on its way. */
export interface Entry {
  readonly id: string
  readonly job: Job
  readonly index: number
  readonly bytes: Uint8Array
  /** Where it waits. */
  queue: string
  /** Whose queue that is; null for the one of all. */
  owner: string | null
  /** Times that it was gone without an answer. */
  lost: number
  /** Whether it was gone when it was last looked for. */
  isMissing: boolean
}

/** What a driver knows. */
export interface Driver {
  readonly server: Server
  readonly release: Release
  readonly run: string
  readonly setup: Uint8Array
  readonly limit: number
  readonly queues: Map<string, Queue>
  /** Jobs without an answer. */
  readonly open: Map<string, Entry>
  /** Workers that fit, by id. */
  workers: Map<string, WorkerRecord>
  /** The ids of all that ever were. */
  readonly seen: Set<string>
  /** Who has the rows of a particle's last rollout. */
  readonly lastBy: Map<number, By>
  readonly answered: FirstAnswers
  /** What is to be told, in one sentence each. */
  readonly told: string[]
  /** When the driver last gave a sign of life, when it last looked, and since when there is no worker. */
  readonly at: { beat: number; look: number; alone: number }
}

/** These workers are alive, and no others. */
export function takeNote(driver: Driver, workers: readonly WorkerRecord[]): void {
  driver.workers = new Map(workers.map((worker) => [worker.id, worker]))
  for (const { id } of workers) driver.seen.add(id)
}

/** Puts jobs where workers find them. */
export async function post(driver: Driver, entries: readonly Entry[]): Promise<void> {
  const { server, queues, run, lastBy } = driver
  await server.together(entries.map(({ id, bytes }) => ['SET', keys.job(id), bytes, 'PX', KEPT.job]))
  for (const name of new Set(entries.map(({ queue }) => queue))) {
    if (!queues.has(name)) queues.set(name, server.queue(name))
    const jobs = entries.filter(({ queue }) => queue === name)
    await (queues.get(name) as Queue).addBulk(
      jobs.map(({ id, job, owner }) => ({
        name: `particle ${job.particle}`,
        data: { run, thread: owner === null ? null : (lastBy.get(job.particle)?.thread ?? null) },
        opts: { jobId: id, attempts: MOST_DEATHS, removeOnComplete: true },
      })),
    )
  }
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
