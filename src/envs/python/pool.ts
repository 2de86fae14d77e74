import { closeAll } from '../../core/disposable.ts'
import { RunError } from '../../core/errors.ts'
import { decodeText } from '../../core/text.ts'
import type { Environment, Info, Reset, Step } from '../contract.ts'
import type { Action } from '../spaces.ts'
import { type BridgeProcess, CLOSE, OPEN, RESET, STEP } from './bridge.ts'

// Rows of one task over some processes: all steps that were begun go to a process as one message.

/** A row of a task in one of the processes. */
interface Row {
  readonly number: number
  readonly host: Host
  /** What its running step was begun with; null between steps. */
  begun: Float32Array | null
  /** The result of that, once it is here. */
  result: Step | null
}

/** A process with its rows. */
interface Host {
  readonly bridge: BridgeProcess
  readonly rows: Set<Row>
  /** Whose steps were begun and not sent yet. */
  waiting: Row[]
  /** Whose steps are being taken. */
  moving: Row[]
}

/** What is known of the numbers of a task. */
interface Sizes {
  readonly id: string
  /** O */
  readonly observations: number
  /** A */
  readonly actions: number
}

/** Where instances of a task come from. */
interface RowPool {
  create(): Environment
  /** Ends the processes that have no rows. */
  stopIdle(): void
}

/**
 * @param first a process that has loaded the task
 * @param start one more
 * @param most how many processes there may be
 */
export function rowPool(sizes: Sizes, first: BridgeProcess, start: () => BridgeProcess, most: number): RowPool {
  const hosts: Host[] = [hostOf(first)]
  let made = 0

  /** The process with the fewest rows; a new one where all have some and there may be more. */
  function hostForNext(): Host {
    const idlest = hosts.reduce((a, b) => (b.rows.size < a.rows.size ? b : a), hosts[0])
    if (idlest && (idlest.rows.size === 0 || hosts.length >= most)) return idlest
    const host = hostOf(start())
    hosts.push(host)
    return host
  }

  function drop(host: Host): void {
    host.bridge.stop()
    hosts.splice(hosts.indexOf(host), 1)
  }

  return {
    create() {
      const host = hostForNext()
      const row: Row = { number: made++, host, begun: null, result: null }
      settle(sizes, host)
      ask(host, OPEN, Uint32Array.of(row.number))
      host.rows.add(row)
      return instance(sizes, hosts, row, () => {
        host.rows.delete(row)
        if (host.rows.size === 0) drop(host)
      })
    },
    stopIdle() {
      for (const host of [...hosts]) if (host.rows.size === 0) drop(host)
    },
  }
}

const hostOf = (bridge: BridgeProcess): Host => ({ bridge, rows: new Set(), waiting: [], moving: [] })

function ask({ bridge }: Host, operation: number, body: ArrayBufferView): Uint8Array<ArrayBuffer> {
  bridge.send(operation, bytesOf(body))
  return bridge.receive()
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength)

function instance(sizes: Sizes, hosts: readonly Host[], row: Row, onClose: () => void): Environment {
  const { host } = row
  const begin = (action: Action) => {
    row.begun = typeof action === 'number' ? Float32Array.of(action) : Float32Array.from(action)
    host.waiting.push(row)
  }
  /** Nothing of a step that was begun and is not wanted any more is left. */
  const quiet = () => {
    host.waiting = host.waiting.filter((other) => other !== row)
    settle(sizes, host)
    row.begun = null
    row.result = null
  }
  let open = true
  return {
    reset({ seed }) {
      quiet()
      const request = new DataView(new ArrayBuffer(12))
      request.setUint32(0, row.number, true)
      request.setFloat64(4, seed, true)
      return resetOf(sizes, ask(host, RESET, request))
    },
    begin,
    step(action) {
      if (!row.begun) begin(action)
      else if (!isSame(row.begun, action))
        throw new RunError(
          `${sizes.id}: a step was begun with another action; a wrapper that changes it has to change begin, too.`,
        )
      if (!row.result) {
        for (const one of hosts) send(sizes, one)
        settle(sizes, host)
      }
      const result = row.result as Step | null
      row.begun = null
      row.result = null
      return result as Step
    },
    close() {
      if (!open) return
      open = false
      closeAll([
        {
          close() {
            if (!host.bridge.alive) return
            quiet()
            ask(host, CLOSE, Uint32Array.of(row.number))
          },
        },
        { close: onClose },
      ])
    },
  }
}

function isSame(begun: Float32Array, action: Action): boolean {
  const numbers = typeof action === 'number' ? [action] : action
  return begun.length === numbers.length && begun.every((value, k) => Object.is(value, Math.fround(numbers[k])))
}

/** One message with all steps that were begun. */
function send({ actions: A }: Sizes, host: Host): void {
  const { waiting, moving, bridge } = host
  if (waiting.length === 0 || moving.length > 0) return
  const n = waiting.length
  const body = new ArrayBuffer(4 + 4 * n + 4 * n * A)
  new Uint32Array(body, 0, 1)[0] = n
  const numbers = new Uint32Array(body, 4, n)
  const actions = new Float32Array(body, 4 + 4 * n, n * A)
  waiting.forEach((row, k) => {
    numbers[k] = row.number
    actions.set(row.begun as Float32Array, k * A)
  })
  host.moving = waiting
  host.waiting = []
  bridge.send(STEP, new Uint8Array(body))
}

/** Takes the results of what a process is doing, and then of what waits for it. */
function settle(sizes: Sizes, host: Host): void {
  while (host.moving.length > 0 || host.waiting.length > 0) {
    send(sizes, host)
    const rows = host.moving
    host.moving = []
    takeResults(sizes, rows, host.bridge.receive())
  }
}

function takeResults({ observations: O }: Sizes, rows: readonly Row[], { buffer }: Uint8Array<ArrayBuffer>): void {
  const n = rows.length
  const reward = new Float64Array(buffer, 0, n)
  const obs = new Float32Array(buffer, 8 * n, n * O)
  const flags = new Uint8Array(buffer, 8 * n + 4 * n * O, 2 * n)
  const infos = infoIn<readonly Info[]>(buffer, 8 * n + 4 * n * O + 2 * n)
  rows.forEach((row, k) => {
    row.result = {
      obs: obs.subarray(k * O, (k + 1) * O),
      reward: reward[k],
      terminated: flags[k] === 1,
      truncated: flags[n + k] === 1,
      info: infos?.[k] ?? NO_INFO,
    }
  })
}

const resetOf = ({ observations: O }: Sizes, { buffer }: Uint8Array<ArrayBuffer>): Reset => ({
  obs: new Float32Array(buffer, 0, O),
  info: infoIn<Info>(buffer, 4 * O) ?? NO_INFO,
})

const NO_INFO: Info = {}

const infoIn = <T>(buffer: ArrayBuffer, from: number): T | null =>
  from < buffer.byteLength ? (JSON.parse(decodeText(new Uint8Array(buffer, from))) as T) : null
