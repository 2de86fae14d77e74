import { closeAll } from '../../core/disposable.ts'
import { RunError } from '../../core/errors.ts'
import { decodeText } from '../../core/text.ts'
import type { Environment, Info, Step } from '../contract.ts'
import type { Action } from '../spaces.ts'
import { type BridgeProcess, CLOSE, OPEN, RESET, STEP } from './bridge.ts'

// Rows of one task over some processes: all steps that were begun go to a process as one message, and so do all
// episodes.

/** A row of a task in one of the processes. */
interface Row {
  readonly number: number
  readonly host: Host
  /** What was begun of it: a step with an action, or an episode; null between two of them. */
  begun: Begun | null
  /** The result of that, once it is here. */
  result: Step | null
}

type Begun = { readonly action: Float32Array } | { readonly seed: number }

/** A process with its rows. */
interface Host {
  readonly bridge: BridgeProcess
  readonly rows: Set<Row>
  /** Whose steps or episodes were begun and not sent yet. */
  waiting: Row[]
  /** Whose steps are being taken, or whose episodes are being started. */
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
  const begin = (begun: Begun) => {
    row.begun = begun
    host.waiting.push(row)
  }
  /** Nothing of what was begun and is not wanted any more is left. */
  const quiet = () => {
    host.waiting = host.waiting.filter((other) => other !== row)
    settle(sizes, host)
    row.begun = null
    row.result = null
  }
  const result = (): Step => {
    if (!row.result) {
      for (const one of hosts) send(sizes, one)
      // Who was asked last answers last, mostly: then this thread sleeps once a step, not once for each of them.
      for (let k = hosts.length - 1; k >= 0; k--) settle(sizes, hosts[k])
    }
    const found = row.result as Step | null
    row.begun = null
    row.result = null
    if (found) return found
    throw new RunError(`${sizes.id}: the request that this was a part of has failed.`)
  }
  const beginReset = ({ seed }: { readonly seed: number }) => {
    if (row.begun) quiet()
    begin({ seed })
  }
  const beginStep = (action: Action) =>
    begin({ action: typeof action === 'number' ? Float32Array.of(action) : Float32Array.from(action) })
  let open = true
  return {
    beginReset,
    reset({ seed }) {
      if (!row.begun || !('seed' in row.begun) || row.begun.seed !== seed) beginReset({ seed })
      const { obs, info } = result()
      return { obs, info }
    },
    begin: beginStep,
    step(action) {
      if (!row.begun) beginStep(action)
      else if (!('action' in row.begun) || !isSame(row.begun.action, action))
        throw new RunError(
          `${sizes.id}: a step was begun with another action; a wrapper that changes it has to change begin, too.`,
        )
      return result()
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

/** One message with all steps that were begun; if there are none, with all episodes. */
function send(sizes: Sizes, host: Host): void {
  const { waiting, moving, bridge } = host
  if (waiting.length === 0 || moving.length > 0) return
  const steps = waiting.filter(({ begun }) => begun && 'action' in begun)
  host.moving = steps.length > 0 ? steps : waiting
  host.waiting = steps.length > 0 ? waiting.filter((row) => !steps.includes(row)) : []
  if (steps.length > 0) bridge.send(STEP, stepRequest(sizes, steps))
  else bridge.send(RESET, resetRequest(waiting))
}

function stepRequest({ actions: A }: Sizes, rows: readonly Row[]): Uint8Array {
  const n = rows.length
  const body = new ArrayBuffer(4 + 4 * n + 4 * n * A)
  new Uint32Array(body, 0, 1 + n).set([n, ...rows.map(({ number }) => number)])
  const actions = new Float32Array(body, 4 + 4 * n, n * A)
  rows.forEach(({ begun }, k) => {
    actions.set((begun as { readonly action: Float32Array }).action, k * A)
  })
  return new Uint8Array(body)
}

function resetRequest(rows: readonly Row[]): Uint8Array {
  const n = rows.length
  const body = new DataView(new ArrayBuffer(4 + 4 * n + 8 * n))
  body.setUint32(0, n, true)
  rows.forEach(({ number, begun }, k) => {
    body.setUint32(4 + 4 * k, number, true)
    body.setFloat64(4 + 4 * n + 8 * k, (begun as { readonly seed: number }).seed, true)
  })
  return bytesOf(body)
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

/** Of steps; of episodes that were started there are no rewards and flags. */
function takeResults({ observations: O }: Sizes, rows: readonly Row[], { buffer }: Uint8Array<ArrayBuffer>): void {
  const n = rows.length
  const isStep = rows[0].begun !== null && 'action' in rows[0].begun
  const [shown, flagged] = isStep ? [8 * n, 2 * n] : [0, 0]
  const reward = new Float64Array(buffer, 0, isStep ? n : 0)
  const obs = new Float32Array(buffer, shown, n * O)
  const flags = new Uint8Array(buffer, shown + 4 * n * O, flagged)
  const infos = infoIn<readonly Info[]>(buffer, shown + 4 * n * O + flagged)
  rows.forEach((row, k) => {
    row.result = {
      obs: obs.subarray(k * O, (k + 1) * O),
      reward: reward[k] ?? 0,
      terminated: flags[k] === 1,
      truncated: flags[n + k] === 1,
      info: infos?.[k] ?? NO_INFO,
    }
  })
}

const NO_INFO: Info = {}

const infoIn = <T>(buffer: ArrayBuffer, from: number): T | null =>
  from < buffer.byteLength ? (JSON.parse(decodeText(new Uint8Array(buffer, from))) as T) : null
