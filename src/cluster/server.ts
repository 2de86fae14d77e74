import { platform } from '#platform'
import { importUnseen } from '../../dist/inline/import.js'
import { RunError, reasonOf, UsageError } from '../core/errors.ts'
import type { RedisAddress } from './address.ts'

// A Redis server as drivers, workers and the status of a cluster see it. What is used of ioredis and of BullMQ is
// stated here, so that the types of the library do not need them.

type Reply = string | number | Uint8Array | null

/** Commands that go to the server together. */
interface Pipeline {
  call(command: string, ...values: (string | number | Uint8Array)[]): Pipeline
  exec(): Promise<[Error | null, Reply][] | null>
}

/** What is used of a client of ioredis. */
interface Client {
  readonly options: { enableReadyCheck?: boolean }
  connect(): Promise<void>
  duplicate(): Client
  disconnect(): void
  on(event: 'error' | 'ready' | 'close', listener: (error: Error) => void): unknown
  pipeline(): Pipeline
  call(command: string, ...values: (string | number | Uint8Array)[]): Promise<unknown>
  callBuffer(command: string, ...values: (string | number | Uint8Array)[]): Promise<unknown>
}

/** A job of BullMQ as a processor is given it. */
export interface QueuedJob {
  readonly id?: string
  readonly data: unknown
}

export interface JobOptions {
  readonly jobId: string
  readonly attempts: number
  readonly backoff?: { readonly type: 'exponential'; readonly delay: number }
  readonly removeOnComplete: boolean
}

/** A job to be added. */
interface NewJob {
  readonly name: string
  readonly data: object
  readonly opts: JobOptions
}

/** What is used of BullMQ's Queue. */
export interface Queue {
  addBulk(jobs: readonly NewJob[]): Promise<unknown>
  /** Of all states. */
  getJobCounts(): Promise<Record<string, number>>
  /** A job that is being done stays. */
  remove(id: string): Promise<number>
  /** Removes the queue; with `force` also jobs that are being done. */
  obliterate(options: { readonly force: boolean }): Promise<void>
  close(): Promise<void>
}

/** What is used of BullMQ's Worker. */
export interface QueueWorker {
  /** Jobs at a time, from now on. */
  concurrency: number
  close(force?: boolean): Promise<void>
}

/** What tells of its errors. */
interface Telling {
  on(event: 'error', listener: (error: Error) => void): unknown
}

interface Engine {
  readonly Queue: new (name: string, options: object) => Queue & Telling
  readonly Worker: new (
    name: string,
    processor: (job: QueuedJob) => Promise<void>,
    options: object,
  ) => QueueWorker & Telling
}

/** All keys begin with it. */
export const PREFIX = 'steinrl'

/**
 * A worker that is killed has its job started elsewhere after at most the sum, where BullMQ's defaults take a minute.
 * Locks are renewed by the worker's main thread, which computes nothing.
 */
const TIMES = { lockDuration: 5000, stalledInterval: 2000 }

/** A connection to a server that has been looked at. */
export interface Server {
  /** The address without user and password. */
  readonly shown: string
  /** The reply to a command, texts as texts. */
  call(command: string, ...values: (string | number | Uint8Array)[]): Promise<unknown>
  /** The same with bytes as bytes. */
  bytes(command: string, ...values: (string | number | Uint8Array)[]): Promise<unknown>
  /** The replies to commands that go together. */
  together(commands: readonly (readonly (string | number | Uint8Array)[])[]): Promise<Reply[]>
  /** The next element of a list on a connection of its own; null after `seconds`. */
  next(list: string, seconds: number): Promise<Uint8Array | null>
  queue(name: string): Queue
  /** Takes jobs of a queue, `concurrency` at a time; told of each command that the server refuses it. */
  worker(
    name: string,
    process: (job: QueuedJob) => Promise<void>,
    options: { concurrency: number; maxStalledCount: number; onRefusal: (refusal: Refusal) => void },
  ): QueueWorker
  close(): void
}

/** Seconds without the server after which whoever waits for it gives up. */
const PATIENCE = 60

/** A connection that has been looked at, and what was last wrong with it. */
async function connected(address: RedisAddress, shown: string): Promise<{ client: Client; problem: () => string }> {
  const { Redis } = await packageNamed<{ Redis: new (address: string, options: object) => Client }>('ioredis')
  let isKnown = false
  let problem = ''
  const client = new Redis(address, {
    lazyConnect: true,
    // A server that is started again finds us waiting; one that never was there does not.
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => (isKnown ? Math.min(times * 100, 1000) : null),
    connectTimeout: 5000,
    // It asks INFO and, where that is not allowed, prints a line of its own: the first time we ask.
    enableReadyCheck: false,
  })
  client.on('error', ({ message }) => {
    problem = message
  })
  try {
    await client.connect()
    await untilLoaded(client)
    await refuse(client, shown)
    client.options.enableReadyCheck = true
  } catch (error) {
    client.disconnect()
    if (isRefusal(error)) throw new UsageError(new Refusal(shown, error).message)
    throw error instanceof UsageError ? error : noServer(shown, problem || (error as Error).message)
  }
  isKnown = true
  return { client, problem: () => problem }
}

/** What fails for want of the server is tried again when it is back. */
function quiet<T extends Telling>(made: T): T {
  made.on('error', () => {})
  return made
}

/**
 * Connects to a Redis server and looks at it.
 *
 * @throws UsageError when the packages are not installed, no server answers, it refuses the password or a command, or
 *   it is too old
 */
export async function connect(address: RedisAddress, patience = PATIENCE): Promise<Server> {
  const shown = withoutSecrets(address)
  const { Queue, Worker } = await packageNamed<Engine>('bullmq')
  const { client, problem } = await connected(address, shown)
  let blocking: Client | null = null
  const common = { connection: client, prefix: PREFIX, skipVersionCheck: true }
  const told = (error: unknown) => (isRefusal(error) ? new Refusal(shown, error) : error)
  /** Commands wait for a server that is away, but not for ever. */
  async function answered<T>(reply: Promise<T>, seconds = patience): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const limit = new Promise<never>((_, reject) => {
      const why = problem() ? ` (${problem()})` : ''
      const message = `The Redis server at ${shown} has not answered for ${seconds} s${why}.`
      timer = setTimeout(() => reject(new RunError(message)), seconds * 1000)
    })
    try {
      return await Promise.race([reply, limit])
    } catch (error) {
      throw told(error)
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    shown,
    call: (command, ...values) => answered(client.call(command, ...values.map(asSent))),
    bytes: (command, ...values) => answered(client.callBuffer(command, ...values.map(asSent))),
    async together(commands) {
      if (commands.length === 0) return []
      const pipeline = client.pipeline()
      for (const [command, ...values] of commands) pipeline.call(String(command), ...values.map(asSent))
      const replies = (await answered(pipeline.exec())) ?? []
      return replies.map(([error, reply]) => {
        if (error) throw told(error)
        return reply
      })
    },
    async next(list, seconds) {
      blocking ??= quiet(client.duplicate())
      const reply = await answered(blocking.callBuffer('BLPOP', list, seconds), patience + seconds)
      return (reply as [unknown, Uint8Array] | null)?.[1] ?? null
    },
    queue(name) {
      const queue = quiet(new Queue(name, { ...common, skipMetasUpdate: true }))
      return {
        addBulk: (jobs) => answered(queue.addBulk(jobs)),
        getJobCounts: () => answered(queue.getJobCounts()),
        remove: (id) => answered(queue.remove(id)),
        obliterate: (options) => answered(queue.obliterate(options)),
        close: () => queue.close(),
      }
    },
    worker(name, process, { onRefusal, ...options }) {
      const worker = new Worker(name, process, { ...common, ...TIMES, ...options })
      worker.on('error', (error) => {
        if (isRefusal(error)) onRefusal(new Refusal(shown, error))
      })
      return worker
    },
    close() {
      client.disconnect()
      blocking?.disconnect()
    },
  }
}

/** What is no Buffer would be sent as text. */
const asSent = (value: string | number | Uint8Array) =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value

function withoutSecrets(address: RedisAddress): string {
  try {
    const { protocol, host, pathname } = new URL(address)
    if (host !== '') return `${protocol}//${host}${pathname}`
  } catch {}
  throw new UsageError('A Redis server has an address like redis://user:password@host:6379, which this one has not.')
}

/** Bundlers do not see them: they are for Node, and installed by whoever has a cluster. */
async function packageNamed<T>(name: 'ioredis' | 'bullmq'): Promise<T> {
  try {
    return (await importUnseen(name)) as T
  } catch (cause) {
    throw new UsageError(
      'A cluster needs the packages bullmq and ioredis, which are not installed here: npm install bullmq@6 ioredis@6.',
      { cause },
    )
  }
}

/** A command that the server refuses: it is there, and does not want to. */
export class Refusal extends RunError {
  constructor(shown: string, error: Error) {
    super(`The Redis server at ${shown} refused a command (${reasonOf(error)}).`)
  }
}

const isRefusal = (error: unknown): error is Error => (error as Error | null)?.name === 'ReplyError'

function noServer(shown: string, problem: string): UsageError {
  if (/WRONGPASS|NOAUTH/.test(problem))
    return new UsageError(`The Redis server at ${shown} refuses this user and password (${problem.split(' ')[0]}).`)
  return new UsageError(`No Redis server answers at ${shown} (${reasonOf(problem)}).`)
}

/** The first that BullMQ's scripts are written for. */
const OLDEST = [6, 2] as const

/** A server that was just started reads its data first, and answers little else than this. */
async function untilLoaded(client: Client): Promise<void> {
  while (/^loading:1/m.test(String(await client.call('INFO', 'persistence'))))
    await new Promise((resolve) => setTimeout(resolve, 100))
}

/** Servers of which it has been said that they may throw away keys. */
const warned = new Set<string>()

async function refuse(client: Client, shown: string): Promise<void> {
  const [, version = ''] = /redis_version:(\S+)/.exec(String(await client.call('INFO', 'server'))) ?? []
  const [major, minor] = version.split('.').map(Number)
  if (!(major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])))
    throw new UsageError(
      `Redis ${version || 'of no version'} at ${shown} is too old: take ${OLDEST.join('.')} or newer.`,
    )
  const [, policy] = /maxmemory_policy:(\S+)/.exec(String(await client.call('INFO', 'memory'))) ?? []
  if (policy === undefined || policy === 'noeviction' || warned.has(shown)) return
  warned.add(shown)
  platform.warn(
    `The Redis server at ${shown} may throw away keys when memory is short (maxmemory-policy ${policy}): set noeviction.`,
  )
}
