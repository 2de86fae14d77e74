import { platform } from '#platform'
import { RunError, UsageError } from '../../core/errors.ts'
import { decodeText } from '../../core/text.ts'
import type { Child } from '../../platform/platform.ts'

// One process of python/bridge.py, which says what travels.

/** The operations of the bridge. */
export const LOAD = 0
export const OPEN = 1
export const RESET = 2
export const STEP = 3
export const CLOSE = 4

/** What an answer begins with. */
const MAGIC = 0x52545331
const HEADER = 12
/** Bytes that are read at a time, as many as a pipe holds. */
const ROOM = 65536

/** Seconds that may pass at least until a task is loaded: what it imports may be large. */
const LOADING = 60

/** What the bridge answers where something failed. */
export interface Failure {
  /** What was refused, or 'error' for what Python raised. */
  readonly kind: string
  readonly message: string
}

/** A process that carries out one request after the other. */
export interface BridgeProcess {
  /** Sends a request without waiting for its answer. */
  send(operation: number, body: Uint8Array): void
  /**
   * Waits for the answer to the request sent last.
   *
   * @throws what `refuse` makes of a failure; RunError where the process ended or wrote something else
   */
  receive(): Uint8Array<ArrayBuffer>
  /** Whether it can still be asked. */
  readonly alive: boolean
  stop(): void
}

/**
 * @param id of the task, which messages begin with
 * @param limit seconds that it may take for steps and resets, before it ends itself
 * @param refuse the error for a failure
 */
export function bridgeProcess(
  { id, limit }: { readonly id: string; readonly limit: number },
  child: Child,
  refuse: (failure: Failure) => Error,
): BridgeProcess {
  let broken: string | null = null
  let sent = 0
  let most = limit
  const breakDown = (why: string) => {
    broken = `${id}: ${why}`
    child.stop()
    return new RunError(broken)
  }
  const ended = () =>
    breakDown(
      platform.now() - sent < most * 1000
        ? 'its Python process has ended in the middle of a request; what it printed stands above, if it did.'
        : `its Python process took more than ${most} s for a request and was ended; where it was stands above. python(id, { limit }) or the variable PYTHON_LIMIT gives it more.`,
    )
  const room = new Uint8Array(ROOM)
  /** Bytes from `from` to at least `to`. How many there are then. */
  const readTo = (bytes: Uint8Array, from: number, to: number) => {
    let at = from
    while (at < to) {
      const count = child.read(bytes, at)
      if (count === 0) throw ended()
      at += count
    }
    return at
  }
  return {
    send(operation, body) {
      if (broken !== null) throw new RunError(broken)
      most = operation === STEP || operation === RESET ? limit : Math.max(limit, LOADING)
      const request = new Uint8Array(16 + body.length)
      const view = new DataView(request.buffer)
      view.setUint32(0, operation, true)
      view.setUint32(4, body.length, true)
      view.setFloat64(8, most, true)
      request.set(body, 16)
      sent = platform.now()
      if (!child.write(request)) throw ended()
    },
    receive() {
      if (broken !== null) throw new RunError(broken)
      // Mostly the whole answer comes at once.
      const came = readTo(room, 0, HEADER)
      const header = new DataView(room.buffer)
      const length = header.getUint32(8, true)
      if (header.getUint32(0, true) !== MAGIC || came > HEADER + length)
        throw breakDown(
          'its Python process wrote something else into the pipe of answers; tasks may print, not write to descriptor 4.',
        )
      const body = new Uint8Array(length)
      body.set(room.subarray(HEADER, came))
      readTo(body, came - HEADER, body.length)
      if (header.getUint32(4, true) === 0) return body
      throw refuse(JSON.parse(decodeText(body)) as Failure)
    },
    get alive() {
      return broken === null
    },
    stop: () => child.stop(),
  }
}

/** What Python raised while it moved the task. */
export const raised =
  (id: string) =>
  ({ message }: Failure): Error =>
    new RunError(`${id} raised ${message}`)

/** What was refused before the task ran. */
export const refused =
  (id: string, command: string) =>
  ({ kind, message }: Failure): Error => {
    const sentences: Readonly<Record<string, string>> = {
      gymnasium: `${command} has no Gymnasium (${message}): ${command} -m pip install gymnasium.`,
      observation: `its observations hold the space ${message}, which has no vector of fixed length.`,
      action: `its actions are ${message}; Discrete, MultiDiscrete, MultiBinary and Box of real numbers are allowed.`,
    }
    return new UsageError(`${id}: ${sentences[kind] ?? `Python says ${message}`}`)
  }
