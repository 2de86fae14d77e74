import { coreBytes } from '../core/module.ts'
import { version } from '../core/version.ts'
import { PREFIX } from './server.ts'

// Names of keys and queues. BullMQ allows no colon in the names of queues and in the ids of jobs.

/** What workers become that do whole runs. */
export const WHOLE_RUNS = 'whole-runs'

/** What two sides must have in common to compute the same bits. */
export interface Release {
  readonly version: string
  /** SHA-256 of the core. */
  readonly core: string
}

/** Of this package. */
export async function ownRelease(): Promise<Release> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await coreBytes()))
  return { version, core: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') }
}

/** As a person is told it: steinrl 0.1.0 with the core 3fa90b. */
export const inWords = ({ version, core }: Release) => `steinrl ${version} with the core ${core.slice(0, 12)}`

export const isSame = (a: Release, b: Release) => a.version === b.version && a.core === b.core

/** Jobs for any worker of a release: others never see them. */
export const sharedQueue = ({ version, core }: Release) => `jobs-${version}-${core.slice(0, 12)}`

/** Jobs for whoever has the rows of a particle. */
export const ownQueue = (worker: string) => `worker-${worker}`

export const keys = {
  /** Set of the ids of workers. */
  workers: `${PREFIX}:workers`,
  /** What a worker tells of itself; gone when it gives no sign of life. */
  worker: (id: string) => `${PREFIX}:worker:${id}`,
  /** What workers become for a run; gone when its driver gives no sign of life. */
  setup: (run: string) => `${PREFIX}:setup:${run}`,
  /** The bytes of a job. */
  job: (id: string) => `${PREFIX}:job:${id}`,
  /** List of the answers to a driver. */
  answers: (run: string) => `${PREFIX}:answers:${run}`,
  /** A key of BullMQ, which keeps a job at its id. */
  ofQueue: (queue: string, name: string) => `${PREFIX}:${queue}:${name}`,
} as const

/** A new name that nobody else has. */
export const newId = () => crypto.randomUUID().slice(0, 13)

/** Milliseconds that a run's keys stay without a sign of life of its driver, those of a job, and an empty queue's. */
export const KEPT = { setup: 60_000, job: 3_600_000, queue: 15_000 } as const

/** Workers that may die of one job before it is given up: machines that are lent out go without being to blame. */
export const MOST_DEATHS = 3
