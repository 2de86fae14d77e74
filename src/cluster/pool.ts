import { platform } from '#platform'
import { RunError } from '../core/errors.ts'
import type { Job, Outcome } from '../rl/evaluator.ts'
import { errorOf } from '../rl/pool-worker.ts'
import type { WorkerPool } from '../rl/worker-pool.ts'
import { type Answer, type By, decodeOutcomes } from './answers.ts'
import { blockSizes, particlesInWords } from './blocks.ts'
import { type Driver, type Entry, heard, newEntry, post, threadsOf } from './driver.ts'
import { type FirstAnswers, firstAnswers } from './first-answers.ts'
import { look } from './lookout.ts'
import { encodeMessage, messageMemory } from './messages.ts'
import { keys, ownQueue } from './names.ts'
import { type DriverOptions, endDriver, startDriver } from './start-driver.ts'

/** One to be evaluated, and where its outcome goes. */
interface Indexed {
  readonly job: Job
  readonly index: number
}

/** Particles on their way together. */
interface Evaluation extends Entry {
  readonly block: readonly Indexed[]
}

/** A driver of evaluations. */
interface Evaluations {
  readonly driver: Driver<Evaluation>
  /** Who has the rows of a particle's last rollout. */
  readonly lastBy: Map<number, By>
  /** Milliseconds of an evaluation in the round before, by whether it was a rollout or a later pass. */
  readonly pace: { rollout: number | null; pass: number | null }
  readonly answered: FirstAnswers
}

/**
 * Workers that are processes anywhere, behind a Redis server: jobs, of several particles each where evaluations are
 * short, go through a queue of BullMQ, their bytes in keys beside it, and answers come back through a list.
 *
 * @throws UsageError when there is no server, or no worker that computes the same bits
 */
export async function startClusterPool(options: DriverOptions): Promise<WorkerPool> {
  const driver = await startDriver<Evaluation>(options, { did: 'evaluated', backoff: undefined })
  return poolOf({ driver, lastBy: new Map(), pace: { rollout: null, pass: null }, answered: firstAnswers() })
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
      const kind = jobs.some(({ pass }) => pass > 0) ? 'pass' : 'rollout'
      const started = platform.now()
      memory.clear()
      const entries = blocksOf(evaluations, jobs, evaluations.pace[kind]).map(({ block, place }): Evaluation => {
        let bytes: Uint8Array | undefined
        return {
          ...newEntry(driver, count++),
          ...place,
          ...{ block, what: particlesInWords(particlesOf(block)) },
          // When it is posted: workers begin with the first ones before the others are encoded.
          get bytes() {
            bytes ??= encodeMessage(
              block.map(({ job }) => job),
              memory.allocate,
            )
            return bytes
          },
        }
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
      evaluations.pace[kind] = ((platform.now() - started) * threadsOf(driver)) / jobs.length
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
  /** What evaluating particles threw, by the index of the first of them. */
  readonly failures: Map<number, unknown>
}

const particlesOf = (block: readonly Indexed[]) => block.map(({ job }) => job.particle)

/** Particles that go together, of one place each. */
function blocksOf(evaluations: Evaluations, jobs: readonly Job[], ms: number | null) {
  const places = new Map<string, { place: Partial<Entry>; all: Indexed[] }>()
  for (const [index, job] of jobs.entries()) {
    const place = placeOf(evaluations, job)
    const name = `${place.owner} ${place.thread}`
    if (!places.has(name)) places.set(name, { place, all: [] })
    places.get(name)?.all.push({ job, index })
  }
  return [...places.values()].flatMap(({ place, all }) => {
    // Of one thread there is nothing to share.
    const threads = place.owner === undefined ? threadsOf(evaluations.driver) : 1
    return blockSizes(all.length, threads, ms).map((size) => ({ place, block: all.splice(0, size) }))
  })
}

/** A later pass, and a running episode in TypeScript, are for whoever has the rows and the instances. */
function placeOf({ driver, lastBy }: Evaluations, { pass, particle, carried }: Job): Partial<Entry> {
  const by = lastBy.get(particle)
  const isBound = pass > 0 || (carried?.history?.length ?? 0) > 0
  if (!isBound || !by || !driver.workers.has(by.worker)) return {}
  return { queue: ownQueue(by.worker), owner: by.worker, thread: by.thread }
}

function fail({ open }: Evaluations['driver'], { failures }: Round, { id, block }: Evaluation, error: Error): void {
  open.delete(id)
  failures.set(block[0].index, error)
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

/** What an answer means for the particles that it is of. */
function settle(evaluations: Evaluations, round: Round, entry: Evaluation, answer: Answer): void {
  const { driver, lastBy, answered } = evaluations
  const { open, told } = driver
  const { block, id, what } = entry
  const { by } = answer
  if ('died' in answer) told.push(`A thread of worker ${by.name} died while it evaluated ${what} (${answer.died}).`)
  else if ('failure' in answer) fail(driver, round, entry, errorOf(answer.failure))
  else if ('outcome' in answer)
    try {
      const sizes = block.map(({ job }) => job.theta.length)
      const outcomes = decodeOutcomes(answer.outcome, sizes)
      for (const [k, { job, index }] of block.entries()) {
        round.outcomes[index] = outcomes[k]
        if (job.pass === 0) lastBy.set(job.particle, by)
      }
      open.delete(id)
      answered.keep(id, { outcome: answer.outcome, particles: particlesOf(block), by })
    } catch (error) {
      const sentence = `Worker ${by.name} sent no outcome of ${what}: ${(error as Error).message}`
      fail(driver, round, entry, new RunError(sentence))
    }
}
