import { platform } from '#platform'
import { RunError } from '../core/errors.ts'
import { beat, type Driver, type Entry, post, takeNote, withdraw } from './driver.ts'
import { KEPT, keys, MOST_DEATHS, sharedQueue } from './names.ts'
import { sorted, workersAt } from './register.ts'

// What a driver does about jobs without an answer.

/** Times that a job may be gone from the server without an answer. */
const MOST_LOST = 5

/** Jobs that are looked after at a time: a look at thousands each second would cost more than their way. */
const MOST_LOOKED_AT = 256

/** A job that is given up, and why. */
interface GivenUp<E extends Entry> {
  readonly entry: E
  readonly error: Error
}

/**
 * Looks after workers and open jobs: tells who has gone, and adds jobs again that are nowhere, or wait for a worker
 * that is no more.
 *
 * @returns jobs that are given up
 * @throws RunError when the server has lost the run, or there is no worker for too long
 */
export async function look<E extends Entry>(driver: Driver<E>): Promise<GivenUp<E>[]> {
  driver.at.look = platform.now()
  await beat(driver)
  await lookAtWorkers(driver)
  const givenUp: GivenUp<E>[] = []
  const again: E[] = []
  const { did } = driver
  for (const { entry, isThere, isFailed } of await placesOf(driver)) {
    const isOrphan = entry.owner !== null && !driver.workers.has(entry.owner)
    if (isFailed) {
      const { reason, isOfWorkers } = await reasonOf(driver, entry)
      if (isOfWorkers)
        givenUp.push({ entry, error: new RunError(`${MOST_DEATHS} workers died while they ${did} ${entry.what}.`) })
      else if (entry.lost++ < MOST_LOST) again.push(entry)
      else givenUp.push({ entry, error: new RunError(`No worker ${did} ${entry.what}: ${reason}`) })
    } else if (isOrphan) again.push(entry)
    else if (isThere) entry.isMissing = false
    else if (!entry.isMissing) entry.isMissing = true
    else if (entry.lost++ < MOST_LOST) again.push(entry)
    else
      givenUp.push({
        entry,
        error: new RunError(`The job of ${entry.what} was lost ${MOST_LOST} times.`),
      })
  }
  await addAgain(driver, again)
  for (const { entry } of givenUp) await withdraw(driver, entry)
  return givenUp
}

async function lookAtWorkers(driver: Driver): Promise<void> {
  const { server, release, told, workers, limit, at } = driver
  const { fitting } = sorted(await workersAt(server), release)
  takeNote(driver, fitting)
  for (const [id, { name }] of workers)
    if (!driver.workers.has(id))
      told.push(`Worker ${name} has gone or gives no sign of life; ${driver.workers.size} are left.`)
  const now = platform.now()
  if (driver.workers.size > 0) at.alone = now
  else if (now - at.alone > limit * 1000)
    throw new RunError(
      `No worker has been at ${server.shown} for ${limit} s; the run can go on from its last checkpoint.`,
    )
}

/** Where the open jobs are. An answer stands in the list before its job goes. */
async function placesOf<E extends Entry>({ server, open, run }: Driver<E>) {
  // Those that are being done, and the next ones: the others wait behind them.
  const entries = [...open.values()].slice(0, MOST_LOOKED_AT)
  const replies = await server.together([
    ...entries.flatMap(({ id, queue }) => [
      ['EXISTS', keys.ofQueue(queue, id)],
      ['ZSCORE', keys.ofQueue(queue, 'failed'), id],
      ['PEXPIRE', keys.job(id), KEPT.job],
    ]),
    ['LLEN', keys.answers(run)],
  ])
  const areAnswered = Number(replies.at(-1)) > 0
  return entries.map((entry, k) => ({
    entry,
    isThere: areAnswered || Number(replies[3 * k]) === 1,
    isFailed: replies[3 * k + 1] !== null,
  }))
}

/** Why BullMQ has given a job up, and whether its workers died of it. */
async function reasonOf({ server }: Driver, { queue, id }: Entry) {
  const reason = String(await server.call('HGET', keys.ofQueue(queue, id), 'failedReason'))
  return { reason, isOfWorkers: /stalled|died/.test(reason) }
}

/** Under the same id, with what is left of it taken away before. */
async function addAgain(driver: Driver, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    await driver.queues.get(entry.queue)?.remove(entry.id)
    Object.assign(entry, { queue: sharedQueue(driver.release), owner: null, thread: null, isMissing: false })
  }
  if (entries.length > 0) await post(driver, entries)
}
