import { isExpected, UsageError } from '../core/errors.ts'
import type { Outcome } from '../rl/evaluator.ts'
import { WorkerEnd } from '../rl/pool-worker.ts'
import type { RedisAddress } from './address.ts'
import { type By, decodeJob, encodeAnswer, type Said } from './answers.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import {
  inWords,
  isSame,
  KEPT,
  keys,
  MOST_DEATHS,
  newId,
  ownQueue,
  ownRelease,
  type Release,
  sharedQueue,
} from './names.ts'
import { BEAT, leave, tell } from './register.ts'
import { connect, type QueuedJob, type Server } from './server.ts'
import { createSlots, type Role, type Slots } from './slots.ts'
import { type KnownTasks, tasksOf, withKnownTask } from './tasks.ts'

/** How a worker of a cluster is started. */
export interface ClusterWorkerOptions {
  /** Where it takes jobs from. */
  readonly address: RedisAddress
  /** Jobs at a time, each on a thread of its own. Default 1. */
  readonly threads?: number
  /** Files of tasks of one's own; no other code is run for whoever can write to the server. */
  readonly imports?: readonly string[]
  /** What it is called in reports: its machine and its number there. */
  readonly name: string
}

/** A worker that takes jobs until it is closed. */
export interface ClusterWorker {
  /** What it says of itself when it begins, in one sentence. */
  readonly introduction: string
  /** Takes no more jobs, ends those that it has and takes its leave. */
  close(): Promise<void>
}

/** What a worker knows. */
interface State {
  readonly server: Server
  readonly release: Release
  readonly id: string
  readonly name: string
  readonly tasks: KnownTasks
  readonly slots: Slots
  /** What threads become for each run; null for one that is over. */
  readonly roles: Map<string, Promise<Role | null>>
  readonly counts: { done: number; retries: number; seconds: number[] }
}

/** Jobs whose seconds are kept for the mean. */
const MOST_SECONDS = 256

/**
 * Starts a worker of a cluster: it evaluates particles of any run on the server that is of the same release.
 *
 * @throws UsageError when there is no server, or a file cannot be imported
 */
export async function startClusterWorker(options: ClusterWorkerOptions): Promise<ClusterWorker> {
  const { address, threads = 1, imports = [], name } = options
  const tasks = await tasksOf(imports)
  const server = await connect(address)
  const [release, id, slots] = [await ownRelease(), newId(), createSlots(threads)]
  const counts = { done: 0, retries: 0, seconds: [] }
  const state: State = { server, release, id, name, tasks, slots, roles: new Map(), counts }
  const beat = () => tell(server, { ...release, id, name, threads, running: slots.running(), ...told(counts) })
  await beat()
  const beats = setInterval(() => {
    void beat().catch(() => {})
    void forget(state).catch(() => {})
  }, BEAT.every)
  const take = (job: QueuedJob) => perform(state, job)
  const queues = [sharedQueue(release), ownQueue(id)].map((queue) =>
    server.worker(queue, take, { concurrency: threads, maxStalledCount: MOST_DEATHS - 1 }),
  )
  return {
    introduction: `Worker ${name} takes jobs from ${server.shown} for ${inWords(release)}, ${threads} at a time.`,
    async close() {
      await Promise.all(queues.map((queue) => queue.close()))
      clearInterval(beats)
      slots.close()
      await leave(server, { ...release, id }).catch(() => {})
      server.close()
    },
  }
}

const told = ({ done, retries, seconds }: State['counts']) => {
  const rising = [...seconds].sort((a, b) => a - b)
  const mean = rising.length > 0 ? rising.reduce((sum, x) => sum + x, 0) / rising.length : null
  return { done, retries, mean, p95: rising[Math.ceil(0.95 * rising.length) - 1] ?? null }
}

/** Threads for runs that are over. */
async function forget({ server, roles, slots }: State): Promise<void> {
  const runs = [...roles.keys()]
  const replies = await server.together(runs.map((run) => ['EXISTS', keys.setup(run)]))
  for (const [k, run] of runs.entries()) if (Number(replies[k]) === 0) roles.delete(run)
  slots.keepOnly(new Set(roles.keys()))
}

/** One job of BullMQ. What it throws is thrown to BullMQ, which has it tried again. */
async function perform(state: State, { id = '', data }: QueuedJob): Promise<void> {
  const { server, name, counts } = state
  const { run, thread } = (data ?? {}) as { run?: unknown; thread?: unknown }
  if (typeof run !== 'string') return
  const wanted = Number.isSafeInteger(thread) ? (thread as number) : null
  const bytes = (await server.bytes('GET', keys.job(id))) as Uint8Array | null
  // Nobody waits for it.
  if (!bytes) return
  const by = { worker: state.id, name, thread: wanted ?? 0 }
  const started = performance.now()
  let role: Role | null
  let job: ReturnType<typeof decodeJob>
  try {
    role = await roleFor(state, run)
    job = decodeJob(bytes)
  } catch (error) {
    if (!isExpected(error)) throw error
    return answer(state, run, id, by, { failure: plainOf(error) })
  }
  if (!role) return
  let done: { outcome: Outcome; thread: number }
  try {
    done = await state.slots.evaluate(run, role, job, wanted)
  } catch (error) {
    if (!(error instanceof WorkerEnd)) return answer(state, run, id, by, { failure: plainOf(error) })
    counts.retries++
    await answer(state, run, id, by, { died: error.message })
    throw new Error(`A thread died: ${error.message}.`)
  }
  counts.done++
  counts.seconds.push((performance.now() - started) / 1000)
  if (counts.seconds.length > MOST_SECONDS) counts.seconds.shift()
  await answer(state, run, id, { ...by, thread: done.thread }, { outcome: encodeMessage(done.outcome) })
}

const plainOf = (error: unknown) => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  return { name, message, stack }
}

/** Null for a run that is over. */
function roleFor(state: State, run: string): Promise<Role | null> {
  const known = state.roles.get(run)
  if (known) return known
  const role = readRole(state, run)
  state.roles.set(run, role)
  role.catch(() => state.roles.delete(run))
  return role
}

async function readRole({ server, release, name, tasks }: State, run: string): Promise<Role | null> {
  const bytes = (await server.bytes('GET', keys.setup(run))) as Uint8Array | null
  if (!bytes) return null
  try {
    const { release: of, evaluator, setup, limit } = (decodeMessage(bytes) ?? {}) as Record<string, unknown>
    const { version, core } = (of ?? {}) as Partial<Release>
    if (typeof version !== 'string' || typeof core !== 'string') throw new UsageError('it names no version.')
    if (!isSame({ version, core }, release))
      throw new UsageError(`it is of ${inWords({ version, core })}, and this is ${inWords(release)}.`)
    if (typeof evaluator !== 'string' || !Number.isFinite(limit)) throw new UsageError('it names no evaluator.')
    return { evaluator, posted: withKnownTask(setup, tasks), limit: limit as number }
  } catch (error) {
    if (!isExpected(error)) throw error
    throw new UsageError(`Worker ${name} cannot take part in this run: ${error.message}`)
  }
}

/** To the driver, if it is still there. */
const PUSH = `if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[1])
return redis.call('PEXPIRE', KEYS[2], ARGV[2])`

async function answer({ server }: State, run: string, id: string, by: By, said: Said): Promise<void> {
  const bytes = encodeAnswer({ id, by, ...said })
  await server.call('EVAL', PUSH, 2, keys.setup(run), keys.answers(run), bytes, KEPT.job)
}
