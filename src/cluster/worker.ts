import { isExpected, type RunError, UsageError } from '../core/errors.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { requireFunction, requireText, requireThat } from '../core/require.ts'
import { check, positiveNumber, wholeNumber } from '../core/schemas.ts'
import type { Outcome } from '../rl/evaluator.ts'
import { startPoolWorker, WorkerEnd } from '../rl/pool-worker.ts'
import { type RedisAddress, requireAddress } from './address.ts'
import { type By, decodeJobs, encodeAnswer, type Said } from './answers.ts'
import { startBeats } from './beats.ts'
import { decodeMessage, encodeMessage, messageMemory } from './messages.ts'
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
  WHOLE_RUNS,
} from './names.ts'
import { leave, tell } from './register.ts'
import { type RunPlace, runPlace, startRunThread } from './run-thread.ts'
import { connect, type QueuedJob, type QueueWorker, type Refusal, type Server } from './server.ts'
import { createSlots, type Slots } from './slots.ts'
import { type KnownTasks, tasksOf, withKnownTask } from './tasks.ts'

/** What threads become for a run. */
interface Role {
  readonly evaluator: string
  readonly posted: unknown
  readonly limit: number
}

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
  /** Seconds without an answer of the server after which it gives up. Default 600. */
  readonly serverLimit?: number
  /** Told in a sentence that the server does not answer, and that it does again. */
  readonly onNote?: (sentence: string) => void
}

/** A worker that takes jobs until it is closed. */
export interface ClusterWorker {
  /** What it says of itself when it begins, in one sentence. */
  readonly introduction: string
  /** Resolved when the server has been away for too long, with an error that says so: then it is to be closed. */
  readonly lost: Promise<RunError>
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
  readonly place: RunPlace
  /** Whole runs that are being done, by their jobs. */
  readonly wholeRuns: Map<string, { stop(): void }>
}

const OPTIONS = namesOf<ClusterWorkerOptions>({
  ...{ address: true, threads: true, imports: true, name: true, serverLimit: true, onNote: true },
})

/** Threads of one worker. */
const MOST_THREADS = 256

/** Jobs whose seconds are kept for the mean. */
const MOST_SECONDS = 256

/**
 * Starts a worker of a cluster: it evaluates particles of any training on the server that is of the same release, and
 * does whole runs of experiments.
 *
 * @throws UsageError when there is no server, or a file cannot be imported
 */
export async function startClusterWorker(options: ClusterWorkerOptions): Promise<ClusterWorker> {
  requireOptions('startClusterWorker', options, OPTIONS)
  const { address, threads = 1, imports = [], name, serverLimit = 600, onNote = () => {} } = options
  check(wholeNumber('threads', 1, MOST_THREADS), threads)
  check(positiveNumber('serverLimit'), serverLimit)
  requireFunction('onNote', onNote, '(sentence) => …')
  requireText('startClusterWorker', 'the name of the worker', name)
  const areFiles = Array.isArray(imports) && imports.every((file) => typeof file === 'string')
  requireThat(areFiles, 'startClusterWorker', 'imports as a list of files', imports)
  requireAddress('startClusterWorker', address)
  const tasks = await tasksOf(imports)
  const server = await connect(address)
  try {
    return await begin(server, tasks, { threads, name, serverLimit, onNote })
  } catch (error) {
    server.close()
    throw error
  }
}

type Begun = Required<Pick<ClusterWorkerOptions, 'threads' | 'name' | 'serverLimit' | 'onNote'>>

/** Gives the first sign of life, and takes jobs from then on. */
async function begin(
  server: Server,
  tasks: KnownTasks,
  { threads, name, serverLimit, onNote }: Begun,
): Promise<ClusterWorker> {
  const [release, id, slots] = [await ownRelease(), newId(), createSlots(threads)]
  const counts = { done: 0, retries: 0, seconds: [] }
  const beat = () => tell(server, { ...release, id, name, threads, running: slots.running(), ...told(counts) })
  await beat()
  const mine = { roles: new Map(), wholeRuns: new Map(), place: await runPlace(), counts }
  const state: State = { server, release, id, name, tasks, slots, ...mine }
  const both = () => Promise.all([beat(), forget(state)])
  const beats = startBeats(both, { shown: server.shown, limit: serverLimit, onNote })
  let isLost = false
  const lost = beats.lost.then((error) => {
    isLost = true
    return error
  })
  let shared: QueueWorker | null = null
  const take = (job: QueuedJob) => {
    // The next job's way is over when this one is done.
    if (shared) shared.concurrency = isAhead(job) ? threads + AHEAD : threads
    return perform(state, job)
  }
  const refusals = new Set<string>()
  const onRefusal = ({ message }: Refusal) => {
    if (!refusals.has(message)) onNote(`${message} The worker gets no jobs as long as that lasts.`)
    refusals.add(message)
  }
  const queues = [sharedQueue(release), ownQueue(id)].map((queue) =>
    server.worker(queue, take, { concurrency: threads, maxStalledCount: MOST_DEATHS - 1, onRefusal }),
  )
  shared = queues[0]
  return {
    introduction: `Worker ${name} takes jobs from ${server.shown} for ${inWords(release)}, ${threads} at a time.`,
    lost,
    async close() {
      // The driver gives them to others, who go on from their last checkpoints.
      for (const run of state.wholeRuns.values()) run.stop()
      // Without the server nobody would hear of their end.
      const closed = Promise.all(queues.map((queue) => queue.close(isLost)))
      if (isLost) void closed.catch(() => {})
      else await closed
      beats.stop()
      slots.close()
      await state.place.close()
      if (!isLost) await leave(server, { ...release, id }).catch(() => {})
      server.close()
    },
  }
}

const told = ({ done, retries, seconds }: State['counts']) => {
  const rising = [...seconds].sort((a, b) => a - b)
  const mean = rising.length > 0 ? rising.reduce((sum, x) => sum + x, 0) / rising.length : null
  return { done, retries, mean, p95: rising[Math.ceil(0.95 * rising.length) - 1] ?? null }
}

/** Jobs that a worker fetches before it has a thread for them, where many more wait. */
const AHEAD = 1

const isAhead = ({ data }: QueuedJob) => (data as { ahead?: unknown } | null)?.ahead === true

/** Threads for runs that are over, and whole runs that nobody waits for. */
async function forget({ server, roles, slots, wholeRuns }: State): Promise<void> {
  const jobs = [...wholeRuns.keys()]
  const areWanted = await server.together(jobs.map((id) => ['EXISTS', keys.job(id)]))
  for (const [k, id] of jobs.entries()) if (Number(areWanted[k]) === 0) wholeRuns.get(id)?.stop()
  const runs = [...roles.keys()]
  const replies = await server.together(runs.map((run) => ['EXISTS', keys.setup(run)]))
  for (const [k, run] of runs.entries()) if (Number(replies[k]) === 0) roles.delete(run)
  slots.keepOnly(new Set(roles.keys()))
}

/** Of outcomes until they stand in their answers. */
const outcomes = messageMemory()

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
  let done: { outcome: unknown; thread: number } | null
  try {
    const role = await roleFor(state, run)
    // Of a driver that is no more.
    if (!role) return void (await server.call('UNLINK', keys.job(id)))
    done =
      role.evaluator === WHOLE_RUNS
        ? await wholeRun(state, role, id, run, bytes)
        : await evaluated(state, role, run, wanted, bytes)
  } catch (error) {
    if (!(error instanceof WorkerEnd)) return answer(state, run, id, by, { failure: plainOf(error) })
    counts.retries++
    await answer(state, run, id, by, { died: error.message })
    throw new Error(`A thread died: ${error.message}.`)
  }
  if (!done) return
  counts.done++
  counts.seconds.push((performance.now() - started) / 1000)
  if (counts.seconds.length > MOST_SECONDS) counts.seconds.shift()
  // It goes before BullMQ's end of the job, on one connection; where it is lost the driver adds the job again.
  outcomes.clear()
  const outcome = encodeMessage(done.outcome, outcomes.allocate)
  void answer(state, run, id, { ...by, thread: done.thread }, { outcome }).catch(() => {})
}

async function evaluated({ slots }: State, role: Role, run: string, wanted: number | null, bytes: Uint8Array) {
  const jobs = decodeJobs(bytes)
  const start = () => startPoolWorker(role)
  return slots.on(run, wanted, start, async (worker, thread) => {
    const outcome: Outcome[] = []
    for (const job of jobs) outcome.push(await worker.evaluate(job))
    return { outcome, thread }
  })
}

/** Milliseconds in which what a whole run comes to is sent together. */
const NEWS_EVERY = 200

/** Null where nobody waits for it any more, or others are to go on with it. */
async function wholeRun(state: State, { limit }: Role, id: string, run: string, bytes: Uint8Array) {
  const { server, slots, wholeRuns, place } = state
  const job = decodeMessage(bytes) as object
  const news: unknown[] = []
  let sent: Promise<unknown> = Promise.resolve()
  let failure: unknown = null
  const send = (what: () => Promise<unknown>) => {
    sent = sent.then(what).catch((error: unknown) => {
      failure ??= error
    })
  }
  let isStopped = false
  try {
    const start = () => startRunThread(limit, place)
    return await slots.on(run, null, start, async (worker, thread) => {
      const by = { worker: state.id, name: state.name, thread }
      const tell = () => {
        const events = news.splice(0)
        if (events.length > 0) send(() => answer(state, run, id, by, { news: events }))
      }
      const timer = setInterval(tell, NEWS_EVERY)
      wholeRuns.set(id, {
        stop() {
          isStopped = true
          worker.stop()
        },
      })
      try {
        const outcome = await worker.perform(job, {
          news: (event) => void news.push(event),
          kept(files) {
            tell()
            const next = encodeMessage({ ...job, files })
            send(() => server.call('SET', keys.job(id), next, 'XX', 'PX', KEPT.job))
            send(() => answer(state, run, id, by, { kept: true }))
          },
        })
        tell()
        await sent
        if (failure) throw failure
        return { outcome, thread }
      } finally {
        clearInterval(timer)
        wholeRuns.delete(id)
      }
    })
  } catch (error) {
    if (isStopped) return null
    throw error
  }
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
    const posted = evaluator === WHOLE_RUNS ? null : withKnownTask(setup, tasks)
    return { evaluator, posted, limit: limit as number }
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
