import { platform } from '#platform'
import { errorOf } from '../rl/pool-worker.ts'
import type { RedisAddress } from './address.ts'
import { type Driver, type Entry, heard, newEntry, post, threadsOf, withdraw } from './driver.ts'
import { look } from './lookout.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import { keys, MOST_DEATHS, WHOLE_RUNS } from './names.ts'
import { endDriver, startDriver } from './start-driver.ts'

/** What is heard of a run that is done elsewhere; each is to be checked by whoever knows what it should be. */
type RunEvent =
  | { readonly news: readonly unknown[] }
  /** Its job with the files of a checkpoint. */
  | { readonly kept: unknown }
  /** What it has left; the last event. */
  | { readonly outcome: unknown }
  /** A sentence about workers. */
  | { readonly note: string }
  /** Why nobody can do it; the last event. */
  | { readonly givenUp: Error }

/** Workers of a cluster that do whole runs. */
export interface WholeRuns {
  /** Runs at a time of all workers together. */
  size(): number
  /** Has a run done, which a person is told as `what`; ends early when all are stopped. */
  perform(what: string, job: object): AsyncGenerator<RunEvent>
  /** Ends all that is going on. */
  stop(): void
  /** Leaves nothing on the server. */
  close(): Promise<void>
}

/** A run on its way. */
interface RunEntry extends Entry {
  readonly events: (RunEvent | Error | null)[]
  wake: () => void
  /** Threads that died while they did it. */
  deaths: number
}

/** Seconds that a run may give no sign of life. */
const SILENCE = 600

/** Milliseconds before a run is tried again, twice as many each time. */
const BACKOFF = { type: 'exponential', delay: 1000 } as const

/**
 * Connects to the workers at a Redis server, for whole runs.
 *
 * @throws UsageError when there is no server, or no worker that computes the same bits
 */
export async function startWholeRuns(address: RedisAddress): Promise<WholeRuns> {
  const options = { address, evaluator: WHOLE_RUNS, posted: null, limit: SILENCE }
  const driver = await startDriver<RunEntry>(options, { did: 'did', backoff: BACKOFF })
  const { open } = driver
  const state = { isClosed: false, isStopped: false, failure: null as Error | null }
  let count = 0
  const endAll = (end: Error | null) => {
    for (const entry of open.values()) tell(entry, end)
  }
  const listening = listen(driver, state).catch((error: Error) => {
    if (state.isClosed) return
    state.failure = error
    endAll(error)
  })
  return {
    size: () => threadsOf(driver),
    async *perform(what, job) {
      if (state.failure) throw state.failure
      const about = { what, bytes: encodeMessage(job), events: [], wake: () => {}, deaths: 0 }
      const entry: RunEntry = { ...newEntry(driver, count++), ...about }
      open.set(entry.id, entry)
      await post(driver, [entry])
      try {
        while (!state.isStopped) {
          const event = entry.events.shift()
          if (event === undefined) await new Promise<void>((wake) => Object.assign(entry, { wake }))
          else if (event instanceof Error) throw event
          else if (event) yield event
          if (event === null || (event && ('outcome' in event || 'givenUp' in event))) return
        }
      } finally {
        open.delete(entry.id)
        if (!state.failure) await withdraw(driver, entry).catch(() => {})
      }
    },
    stop() {
      state.isStopped = true
      endAll(null)
    },
    async close() {
      state.isClosed = true
      await listening
      await endDriver(driver)
    },
  }
}

function tell(entry: RunEntry, ...events: (RunEvent | Error | null)[]): void {
  entry.events.push(...events)
  entry.wake()
}

/** Hears what workers say, until the driver is closed. */
async function listen(driver: Driver<RunEntry>, state: { readonly isClosed: boolean }): Promise<void> {
  const { server, open, told, at } = driver
  while (!state.isClosed) {
    const bytes = await server.next(keys.answers(driver.run), 1)
    if (bytes) await hear(driver, bytes)
    if (platform.now() - at.look > 1000)
      for (const { entry, error } of await look(driver)) {
        open.delete(entry.id)
        tell(entry, { givenUp: error })
      }
    // To whichever comes first: it is about all of them.
    const [entry] = open.values()
    if (entry) tell(entry, ...told.splice(0).map((note) => ({ note })))
  }
}

async function hear(driver: Driver<RunEntry>, bytes: Uint8Array): Promise<void> {
  const { open, server } = driver
  const answer = heard(driver, bytes)
  const entry = answer && open.get(answer.id)
  if (!entry) return
  // It is alive: to be lost after this is another matter.
  entry.lost = 0
  if ('news' in answer) tell(entry, { news: answer.news })
  else if ('failure' in answer) end(driver, entry, errorOf(answer.failure))
  else if ('died' in answer) {
    tell(entry, { note: `A thread of worker ${answer.by.name} died of it (${answer.died}).` })
    entry.deaths++
    if (entry.deaths >= MOST_DEATHS)
      end(driver, entry, { givenUp: new Error(`${MOST_DEATHS} workers died while they did ${entry.what}.`) })
  } else if ('kept' in answer) {
    const kept = (await server.bytes('GET', keys.job(entry.id))) as Uint8Array | null
    if (!kept) return
    entry.bytes = kept
    await decoded(driver, entry, kept, (kept) => tell(entry, { kept }))
  } else await decoded(driver, entry, answer.outcome, (outcome) => end(driver, entry, { outcome }))
}

function end({ open }: Driver<RunEntry>, entry: RunEntry, event: RunEvent | Error): void {
  open.delete(entry.id)
  tell(entry, event)
}

/** What is damaged is told and dropped: the job is then done again. */
async function decoded(
  { told }: Driver<RunEntry>,
  { what }: RunEntry,
  bytes: Uint8Array,
  use: (value: unknown) => void,
): Promise<void> {
  try {
    use(decodeMessage(bytes))
  } catch (error) {
    told.push(`What was sent of ${what} was dropped: ${(error as Error).message}`)
  }
}
