import { setImmediate } from 'node:timers/promises'
import { STOPPED } from '../train/stopped.ts'

/**
 * Asks for a clean stop: Ctrl-C, what ends services and jobs (SIGTERM), a terminal that is closed (SIGHUP), or a reader
 * of our output that left. The second signal ends the process at once.
 */
export interface Interrupt {
  readonly requested: boolean
  /** What shells expect of a process that the signal ended. */
  readonly exitCode: number
  /** Aborted once a stop is asked for, with STOPPED as its reason. */
  readonly signal: AbortSignal
  /**
   * One iteration. Where the one before kept this thread busy for so long that nobody could have been asked to stop, a
   * signal ends the process at once in this one: there is what was saved until then.
   */
  during<T>(iteration: () => Promise<T>): Promise<T>
  /** From now on the first signal asks for a stop: for work that looks at `requested` between steps of its own. */
  listen(): void
  release(): void
}

/** By signal; what a shell adds 128 to. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const
/** Of a reader that left; Node ignores the signal itself. */
const SIGPIPE = 13

const BUSY_MS = 1000
const TICK_MS = 50

export function listenForInterrupt(): Interrupt {
  let by: keyof typeof SIGNALS | 'SIGPIPE' | null = null
  const stop = new AbortController()
  /** Of the last two: the first iteration of a run is handed on by one that only saves it. */
  let busy = [Number.POSITIVE_INFINITY, 0]
  const listeners = (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).map((signal) => {
    const listener = () => {
      by = signal
      ignore()
      stop.abort(STOPPED)
    }
    return [signal, listener] as const
  })
  let isListening = false
  const listen = () => {
    if (isListening) return
    isListening = true
    for (const [signal, listener] of listeners) process.on(signal, listener)
  }
  const ignore = () => {
    isListening = false
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
  const onError = () => {
    by ??= 'SIGPIPE'
    stop.abort(STOPPED)
  }
  for (const stream of [process.stdout, process.stderr]) stream.once('error', onError)
  return {
    get requested() {
      return by !== null
    },
    signal: stop.signal,
    get exitCode() {
      return 128 + { ...SIGNALS, SIGPIPE }[by ?? 'SIGINT']
    },
    async during(iteration) {
      if (Math.max(...busy) > BUSY_MS && isListening) {
        // One that has arrived already would be lost with its listener.
        for (let turn = 0; turn < 2; turn++) await setImmediate()
        if (by === null) ignore()
      }
      const gap = longestGap()
      try {
        return await iteration()
      } finally {
        busy = [gap.end(), busy[0]]
        if (by === null) listen()
      }
    },
    listen,
    release() {
      ignore()
      for (const stream of [process.stdout, process.stderr]) stream.off('error', onError)
    },
  }
}

/** The longest time in which no timer had its turn, in ms. */
function longestGap() {
  let longest = 0
  let last = performance.now()
  const tick = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(tick, TICK_MS).unref()
  return {
    end(): number {
      clearInterval(timer)
      tick()
      return longest
    },
  }
}

/**
 * Work that writes nothing before its end: the first signal ends it in a sentence, the second one at once.
 *
 * @param work leaves by what the signal of the interrupt is aborted with
 */
export async function orStopped(json: boolean, work: (interrupt: Interrupt) => Promise<void>): Promise<void> {
  const interrupt = listenForInterrupt()
  interrupt.listen()
  try {
    await work(interrupt)
  } catch (error) {
    if (error !== STOPPED) throw error
    if (!json) console.log('Stopped by hand; nothing was written.')
  } finally {
    interrupt.release()
    if (interrupt.requested) process.exitCode = interrupt.exitCode
  }
}

/** Every step with a turn of its own for signals. */
export async function* oneByOne<T>(steps: AsyncIterable<T>, interrupt: Interrupt): AsyncGenerator<T> {
  const iterator = steps[Symbol.asyncIterator]()
  try {
    while (true) {
      const { done, value } = await interrupt.during(() => iterator.next())
      if (done) return
      yield value
    }
  } finally {
    await iterator.return?.()
  }
}
