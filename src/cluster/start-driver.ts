import { platform } from '#platform'
import { UsageError } from '../core/errors.ts'
import type { RedisAddress } from './address.ts'
import { beat, type Driver, type Entry, takeNote, withdraw } from './driver.ts'
import { encodeMessage } from './messages.ts'
import { inWords, KEPT, keys, newId, ownQueue, ownRelease, type Release } from './names.ts'
import { clearQueue, removeQueue, sorted, type WorkerRecord, workersAt } from './register.ts'
import { connect } from './server.ts'

/** How a driver is started. */
export interface DriverOptions {
  readonly address: RedisAddress
  /** What workers become: a name of algorithms/workers/evaluators.ts, or WHOLE_RUNS. */
  readonly evaluator: string
  /** The setup of the evaluator, as plain data. */
  readonly posted: unknown
  /** Seconds that a worker may take for one job, and that the driver waits without any worker. Default 600. */
  readonly limit?: number
  /** Seconds to wait for the first worker. Default 60. */
  readonly patience?: number
}

/**
 * Connects to a server, leaves there what workers become, and waits for the first of them.
 *
 * @throws UsageError when there is no server, or no worker that computes the same bits
 */
export async function startDriver<E extends Entry>(
  options: DriverOptions,
  about: Pick<Driver, 'did' | 'backoff'>,
): Promise<Driver<E>> {
  const { address, evaluator, posted, limit = 600, patience = 60 } = options
  const server = await connect(address)
  try {
    const release = await ownRelease()
    const driver: Driver<E> = {
      ...{ server, release, run: newId(), limit, open: new Map(), workers: new Map(), ...about },
      ...{ setup: encodeMessage({ release, evaluator, setup: posted, limit }), queues: new Map() },
      ...{ told: [], seen: new Set() },
      at: { beat: platform.now(), look: 0, alone: platform.now() },
    }
    await server.call('SET', keys.setup(driver.run), driver.setup, 'PX', KEPT.setup)
    await firstWorker(driver, patience)
    // While it does something else.
    driver.at.alive = setInterval(() => void beat(driver).catch(() => {}), KEPT.setup / 6)
    return driver
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
const refusals = (others: readonly WorkerRecord[], own: Release): string[] =>
  others.map((other) => `Worker ${other.name} is ${inWords(other)}, not ${inWords(own)}, and gets no jobs.`)

/** Removes all that a driver has put on the server, and what workers that are no more have left there. */
export async function endDriver(driver: Driver): Promise<void> {
  clearInterval(driver.at.alive)
  const { server, run, queues, open, seen } = driver
  try {
    for (const entry of open.values()) await withdraw(driver, entry)
    await server.call('UNLINK', keys.setup(run), keys.answers(run))
    for (const queue of queues.values()) await queue.close()
    const alive = new Set((await workersAt(server)).map(({ id }) => id))
    const ofGone = new Set([...seen].filter((id) => !alive.has(id)).map(ownQueue))
    for (const name of ofGone) await removeQueue(server, name)
    for (const name of queues.keys()) if (!ofGone.has(name)) await clearQueue(server, name)
  } catch {
    // What is left there goes by itself.
  } finally {
    server.close()
  }
}
