import { RunError } from '../core/errors.ts'
import { BEAT } from './register.ts'
import { Refusal } from './server.ts'

/** What a worker does where its server is away. */
interface Away {
  /** The address without user and password. */
  readonly shown: string
  /** Seconds after which it gives up. */
  readonly limit: number
  /** Told when the server has not answered for some seconds, and when it does again. */
  readonly onNote: (sentence: string) => void
}

/** The signs of life that a worker gives. */
interface Beats {
  /** Why it cannot go on, when the server has been away for too long; resolved never before. */
  readonly lost: Promise<RunError>
  stop(): void
}

/**
 * Gives a sign of life again and again, one at a time. The answers tell whether the server is there, also where it
 * hangs or the network swallows what is sent; the connection itself tries again by its own back-off.
 */
export function startBeats(beat: () => Promise<unknown>, { shown, limit, onNote }: Away): Beats {
  /** Milliseconds without an answer in which this process was awake: one that was stopped has waited for nobody. */
  let silent = 0
  let isPending = false
  let isTold = false
  /** What the server says, where it is there. */
  let refusal: string | null = null
  let timer: ReturnType<typeof setInterval> | undefined
  const give = async () => {
    isPending = true
    try {
      await beat()
      silent = 0
      refusal = null
      if (isTold) onNote(`The Redis server at ${shown} answers again.`)
      isTold = false
    } catch (error) {
      // It is given again.
      refusal = error instanceof Refusal ? error.message : null
    } finally {
      isPending = false
    }
  }
  const lost = new Promise<RunError>((resolve) => {
    timer = setInterval(() => {
      silent += BEAT.every
      if (silent > limit * 1000) {
        clearInterval(timer)
        const why = refusal ? `${refusal} It has done so` : `The Redis server at ${shown} has not answered`
        resolve(new RunError(`${why} for ${limit} s: the worker ends.`))
        return
      }
      if (silent > BEAT.until && !isTold) {
        isTold = true
        const why = refusal ? `${refusal} The` : `The Redis server at ${shown} does not answer; the`
        onNote(`${why} worker waits for it, up to ${limit} s.`)
      }
      if (!isPending) void give()
    }, BEAT.every)
  })
  return { lost, stop: () => clearInterval(timer) }
}
