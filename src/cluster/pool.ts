import { platform } from '#platform'
import { RunError } from '../core/errors.ts'
import type { Job, Outcome } from '../rl/evaluator.ts'
import { errorOf } from '../rl/pool-worker.ts'
import type { WorkerPool } from '../rl/worker-pool.ts'
import { type Answer, type By, decodeOutcome } from './answers.ts'
import { type Driver, type Entry, heard, newEntry, post, threadsOf } from './driver.ts'
import { type FirstAnswers, firstAnswers } from './first-answers.ts'
import { look } from './lookout.ts'
import { encodeMessage, messageMemory } from './messages.ts'
import { keys, ownQueue } from './names.ts'
import { type DriverOptions, endDriver, startDriver } from './start-driver.ts'

/** A particle on its way. */
interface Evaluation extends Entry {
  readonly job: Job
  readonly index: number
}

/** A driver of evaluations. */
interface Evaluations {
  readonly driver: Driver<Evaluation>
  /** Who has the rows of a particle's last rollout. */
  readonly lastBy: Map<number, By>
  readonly answered: FirstAnswers
}

/**
 * Workers that are processes anywhere, behind a Redis server: jobs go through a queue of BullMQ, their bytes in keys
 * beside it, and answers come back through a list.
 *
 * @throws UsageError when there is no server, or no worker that computes the same bits
 */
export async function startClusterPool(options: DriverOptions): Promise<WorkerPool> {
  const driver = await startDriver<Evaluation>(options, { did: 'evaluated', backoff: undefined })
  return poolOf({ driver, lastBy: new Map(), answered: firstAnswers() })
}

function poolOf(evaluations: Evaluations): WorkerPool {
  const { driver } = evaluations
  const { server, open, told } = driver
  const memory = messageMemory()
  let count = 0
  let isClosed = false
  return {
    size: () => threadsOf(driver),
    async evaluate(jobs) {
      const round: Round = { outcomes: [], failures: new Map() }
      memory.clear()
      const entries = jobs.map((job, index): Evaluation => {
        const about = { job, index, what: `particle ${job.particle}`, bytes: encodeMessage(job, memory.allocate) }
        return { ...newEntry(driver, count++), ...about, ...placeOf(evaluations, job) }
      })
      for (const entry of entries) open.set(entry.id, entry)
      await post(driver, entries)
      while (open.size > 0) {
        const bytes = await server.next(keys.answers(driver.run), 1)
        if (bytes) take(evaluations, round, bytes)
        if (platform.now() - driver.at.look > 1000)
          for (const { entry, error } of await look(driver)) fail(driver, round, entry, error)
      }
      // Nobody waits for it; what stays goes by itself.
      void server.call('UNLINK', ...entries.map(({ id }) => keys.job(id))).catch(() => {})
      if (round.failures.size > 0) throw round.failures.get(Math.min(...round.failures.keys()))
      return round.outcomes
    },
    takeFailures: () => told.splice(0),
    close() {
      if (isClosed) return
      isClosed = true
      void endDriver(driver)
    },
  }
}

interface Round {
  readonly outcomes: Outcome[]
  /** What evaluating a particle threw, by the index of its job. */
  readonly failures: Map<number, unknown>
}

/** A later pass, and a running episode in TypeScript, are for whoever has the rows and the instances. */
function placeOf({ driver, lastBy }: Evaluations, { pass, particle, carried }: Job): Partial<Entry> {
  const by = lastBy.get(particle)
  const isBound = pass > 0 || (carried?.history?.length ?? 0) > 0
  if (!isBound || !by || !driver.workers.has(by.worker)) return {}
  return { queue: ownQueue(by.worker), owner: by.worker, thread: by.thread }
}

function fail({ open }: Evaluations['driver'], { failures }: Round, { id, index }: Evaluation, error: Error): void {
  open.delete(id)
  failures.set(index, error)
}

function take(evaluations: Evaluations, round: Round, bytes: Uint8Array): void {
  const { driver, answered } = evaluations
  const { open, told } = driver
  const answer = heard(driver, bytes)
  if (!answer) return
  const { id } = answer
  const entry = open.get(id)
  if (!entry) {
    const text = answered.compare(answer)
    if (text) told.push(text)
    return
  }
  settle(evaluations, round, entry, answer)
}

/** What an answer means for the job that it is to. */
function settle(evaluations: Evaluations, round: Round, entry: Evaluation, answer: Answer): void {
  const { driver, lastBy, answered } = evaluations
  const { open, told } = driver
  const { job, index, id } = entry
  const { by } = answer
  if ('died' in answer)
    told.push(`A thread of worker ${by.name} died while it evaluated particle ${job.particle} (${answer.died}).`)
  else if ('failure' in answer) fail(driver, round, entry, errorOf(answer.failure))
  else if ('outcome' in answer)
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
