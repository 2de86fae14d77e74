import { platform } from '#platform'
import { RunError, UsageError } from '../core/errors.ts'
import type { Job, Outcome } from '../rl/evaluator.ts'
import { errorOf } from '../rl/pool-worker.ts'
import type { WorkerPool } from '../rl/worker-pool.ts'
import type { RedisAddress } from './address.ts'
import { type Answer, decodeAnswer, decodeOutcome } from './answers.ts'
import { beat, type Driver, type Entry, post, takeNote } from './driver.ts'
import { firstAnswers } from './first-answers.ts'
import { look } from './lookout.ts'
import { encodeMessage } from './messages.ts'
import { inWords, KEPT, keys, newId, ownQueue, ownRelease, type Release, sharedQueue } from './names.ts'
import { clearQueue, sorted, type WorkerRecord, workersAt } from './register.ts'
import { connect } from './server.ts'

/** What a run on a cluster is made of. */
export interface ClusterPoolOptions {
  readonly address: RedisAddress
  /** What workers become: a name of algorithms/workers/evaluators.ts. */
  readonly evaluator: string
  /** The setup of the evaluator, as plain data. */
  readonly posted: unknown
  /** Seconds that a worker may take for one job, and that the driver waits without any worker. Default 600. */
  readonly limit?: number
  /** Seconds to wait for the first worker. Default 60. */
  readonly patience?: number
}

/**
 * Workers that are processes anywhere, behind a Redis server: jobs go through a queue of BullMQ, their bytes in keys
 * beside it, and answers come back through a list.
 *
 * @throws UsageError when there is no server, or no worker that computes the same bits
 */
export async function startClusterPool(options: ClusterPoolOptions): Promise<WorkerPool> {
  const { address, evaluator, posted, limit = 600, patience = 60 } = options
  const server = await connect(address)
  try {
    const release = await ownRelease()
    const driver: Driver = {
      ...{ server, release, run: newId(), limit, open: new Map(), workers: new Map(), lastBy: new Map() },
      ...{ setup: encodeMessage({ release, evaluator, setup: posted, limit }), queues: new Map() },
      ...{ told: [], seen: new Set(), answered: firstAnswers() },
      at: { beat: platform.now(), look: 0, alone: platform.now() },
    }
    await server.call('SET', keys.setup(driver.run), driver.setup, 'PX', KEPT.setup)
    await firstWorker(driver, patience)
    return poolOf(driver)
  } catch (error) {
    server.close()
    throw error
  }
}

async function firstWorker(driver: Driver, patience: number): Promise<void> {
  const { server, release } = driver
  const until = platform.now() + patience * 1000
  let isTold = false
  while (true) {
    const { fitting, others } = sorted(await workersAt(server), release)
    takeNote(driver, fitting)
    if (fitting.length > 0) return void driver.told.push(...refusals(others, release))
    if (platform.now() >= until) {
      await server.call('DEL', keys.setup(driver.run))
      const start = `start one by npx steinrl worker ${server.shown}`
      const [other] = refusals(others, release)
      throw new UsageError(
        other
          ? `${other.replace(/\.$/, '')}, and there is no other: ${start}.`
          : `No worker is at ${server.shown}: ${start}.`,
      )
    }
    if (!isTold) platform.warn(`Waits up to ${patience} s for a worker at ${server.shown}.`)
    isTold = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** In a sentence each, why workers get nothing to do. */
export const refusals = (others: readonly WorkerRecord[], own: Release): string[] =>
  others.map((other) => `Worker ${other.name} is ${inWords(other)}, not ${inWords(own)}, and gets no jobs.`)

function poolOf(driver: Driver): WorkerPool {
  const { server, open, told } = driver
  let count = 0
  let isClosed = false
  const alive = setInterval(() => void beat(driver).catch(() => {}), KEPT.setup / 6)
  return {
    size: () => [...driver.workers.values()].reduce((sum, { threads }) => sum + threads, 0),
    async evaluate(jobs) {
      const round: Round = { outcomes: [], failures: new Map() }
      const entries = jobs.map((job, index) => {
        const id = `${driver.run}-${count++}`
        return { id, job, index, bytes: encodeMessage(job), ...placeOf(driver, job), lost: 0, isMissing: false }
      })
      for (const entry of entries) open.set(entry.id, entry)
      await post(driver, entries)
      while (open.size > 0) {
        const bytes = await server.next(keys.answers(driver.run), 1)
        if (bytes) take(driver, round, bytes)
        if (platform.now() - driver.at.look > 1000)
          for (const { entry, error } of await look(driver)) fail(driver, round, entry, error)
      }
      await server.call('UNLINK', ...entries.map(({ id }) => keys.job(id)))
      if (round.failures.size > 0) throw round.failures.get(Math.min(...round.failures.keys()))
      return round.outcomes
    },
    takeFailures: () => told.splice(0),
    close() {
      if (isClosed) return
      isClosed = true
      clearInterval(alive)
      void leaveNothing(driver).finally(() => server.close())
    },
  }
}

interface Round {
  readonly outcomes: Outcome[]
  /** What evaluating a particle threw, by the index of its job. */
  readonly failures: Map<number, unknown>
}

/** A later pass, and a running episode in TypeScript, are for whoever has the rows and the instances. */
function placeOf(driver: Driver, { pass, particle, carried }: Job): Pick<Entry, 'queue' | 'owner'> {
  const by = driver.lastBy.get(particle)
  const isBound = pass > 0 || (carried?.history?.length ?? 0) > 0
  if (isBound && by && driver.workers.has(by.worker)) return { queue: ownQueue(by.worker), owner: by.worker }
  return { queue: sharedQueue(driver.release), owner: null }
}

function fail({ open }: Driver, { failures }: Round, { id, index }: Entry, error: Error): void {
  open.delete(id)
  failures.set(index, error)
}

function take(driver: Driver, round: Round, bytes: Uint8Array): void {
  const { open, told, answered } = driver
  let answer: Answer
  try {
    answer = decodeAnswer(bytes)
  } catch (error) {
    told.push(`An answer was dropped: ${(error as Error).message}`)
    return
  }
  const { id } = answer
  const entry = open.get(id)
  if (!entry) {
    const text = answered.compare(answer)
    if (text) told.push(text)
    return
  }
  settle(driver, round, entry, answer)
}

/** What an answer means for the job that it is to. */
function settle(driver: Driver, round: Round, entry: Entry, answer: Answer): void {
  const { open, told, lastBy, answered } = driver
  const { job, index, id } = entry
  const { by } = answer
  if ('died' in answer)
    told.push(`A thread of worker ${by.name} died while it evaluated particle ${job.particle} (${answer.died}).`)
  else if ('failure' in answer) fail(driver, round, entry, errorOf(answer.failure))
  else
    try {
      round.outcomes[index] = decodeOutcome(answer.outcome, job.theta.length)
      open.delete(id)
      if (job.pass === 0) lastBy.set(job.particle, by)
      answered.keep(id, { outcome: answer.outcome, particle: job.particle, by })
    } catch (error) {
      const why = (error as Error).message
      const sentence = `Worker ${by.name} sent no outcome of particle ${job.particle}: ${why}`
      fail(driver, round, entry, new RunError(sentence))
    }
}

/** Removes all that a run has put on the server, and what workers that are no more have left there. */
async function leaveNothing({ server, run, queues, open, seen }: Driver): Promise<void> {
  try {
    for (const { id, queue } of open.values()) await queues.get(queue)?.remove(id)
    await server.call('UNLINK', keys.setup(run), keys.answers(run), ...[...open.keys()].map(keys.job))
    for (const queue of queues.values()) await queue.close()
    const alive = new Set((await workersAt(server)).map(({ id }) => id))
    const ofGone = [...seen].filter((id) => !alive.has(id)).map(ownQueue)
    for (const name of new Set([...queues.keys(), ...ofGone])) await clearQueue(server, name)
  } catch {
    // What is left there goes by itself.
  }
}
