import { fromJson } from '../core/json.ts'
import { isSame, KEPT, keys, ownQueue, type Release, sharedQueue } from './names.ts'
import type { Server } from './server.ts'

/** What a worker tells of itself, again and again. */
export interface WorkerRecord extends Release {
  readonly id: string
  /** Its machine and its number there. */
  readonly name: string
  /** Jobs at a time. */
  readonly threads: number
  /** Jobs that are being done. */
  readonly running: number
  readonly done: number
  /** Jobs that it was given after another attempt. */
  readonly retries: number
  /** Seconds of its last jobs, in the mean and of the slowest in twenty; null before the first. */
  readonly mean: number | null
  readonly p95: number | null
}

/** Milliseconds between two signs of life, and after which a worker without one is no more. */
export const BEAT = { every: 1000, until: 5000 } as const

/** Tells the others that a worker is alive, and keeps what goes by itself some time after its last worker. */
export const tell = (server: Server, record: WorkerRecord): Promise<unknown> =>
  server.together([
    ['SADD', keys.workers, record.id],
    ['SET', keys.worker(record.id), JSON.stringify(record), 'PX', BEAT.until],
    // BullMQ's look for stalled jobs would make it, and it would stay if the worker died before its next sign of life.
    ...[sharedQueue(record), ownQueue(record.id)].map((queue) => ['HSETNX', keys.ofQueue(queue, 'meta'), ...META]),
    ...[
      keys.workers,
      ...keysOf(sharedQueue(record), LASTING),
      ...keysOf(ownQueue(record.id), [...LASTING, ...OF_JOBS]),
    ].map((key) => ['PEXPIRE', key, KEPT.queue]),
  ])

/** A worker takes its leave, and clears away the queues that nobody needs any more. */
export async function leave(server: Server, record: Pick<WorkerRecord, 'id'> & Release): Promise<void> {
  await server.together([
    ['SREM', keys.workers, record.id],
    ['DEL', keys.worker(record.id)],
  ])
  const { fitting } = sorted(await workersAt(server), record)
  const queues = [ownQueue(record.id), ...(fitting.length === 0 ? [sharedQueue(record)] : [])]
  for (const queue of queues) await clearQueue(server, queue)
}

/** What BullMQ writes into the hash of a queue that has none: how many events it keeps. */
const META = ['opts.maxLenEvents', '10000']

/** What BullMQ keeps of a queue without jobs. */
const LASTING = ['events', 'meta', 'marker', 'id']

/** The same, and what goes by itself: it says that stalled jobs were looked for a moment ago. */
const OF_EMPTY_QUEUE = [...LASTING, 'stalled-check']

/** What it keeps of jobs; those that are for one worker alone are nobody's without it. */
const OF_JOBS = ['wait', 'active', 'delayed', 'failed', 'stalled']

const keysOf = (queue: string, names: readonly string[]) => names.map((name) => keys.ofQueue(queue, name))

/** Removes what is left of a queue, unless there are jobs in it, of another run perhaps. */
export async function clearQueue(server: Server, name: string): Promise<void> {
  const queue = server.queue(name)
  const counts = Object.values(await queue.getJobCounts())
  await queue.close()
  if (counts.every((count) => count === 0)) await server.call('UNLINK', ...keysOf(name, OF_EMPTY_QUEUE))
}

/** Removes the queue of a worker that is no more, also jobs that it held a lock on. */
export async function removeQueue(server: Server, name: string): Promise<void> {
  const queue = server.queue(name)
  await queue.obliterate({ force: true })
  await queue.close()
  await server.call('UNLINK', ...keysOf(name, OF_EMPTY_QUEUE))
}

/** The workers that are alive, in the order of their names; what is left of others is cleared away. */
export async function workersAt(server: Server): Promise<WorkerRecord[]> {
  const ids = ((await server.call('SMEMBERS', keys.workers)) as string[]).map(String)
  if (ids.length === 0) return []
  const texts = (await server.call('MGET', ...ids.map(keys.worker))) as (string | null)[]
  const records = texts.map((text, k) => (text === null ? null : recordOf(text, ids[k])))
  const gone = ids.filter((_, k) => texts[k] === null)
  if (gone.length > 0) await server.call('SREM', keys.workers, ...gone)
  const alive = records.filter((record) => record !== null)
  return alive.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** Null for what another program, or another version, has put there. */
function recordOf(text: string, id: string): WorkerRecord | null {
  try {
    const record = fromJson(text) as WorkerRecord
    const isRecord =
      record.id === id &&
      [record.name, record.version, record.core].every((word) => typeof word === 'string') &&
      [record.threads, record.running, record.done, record.retries].every((count) => Number.isSafeInteger(count))
    return isRecord ? record : null
  } catch {
    return null
  }
}

/** Those that compute the same bits, and those that may not. */
export function sorted(records: readonly WorkerRecord[], own: Release) {
  return {
    fitting: records.filter((record) => isSame(record, own)),
    others: records.filter((record) => !isSame(record, own)),
  }
}
