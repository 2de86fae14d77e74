import { platform } from '#platform'
import type { CoreModule } from './module.ts'
import type { Ops } from './ops.ts'
import type { WasmMemory } from './runtime-types.ts'

/** Threads that run an op in parts, each with its own instance of the core on the same memory. */
export interface ThreadPool {
  readonly size: number
  /** Runs an op once for each list of arguments, at most `size` of them, and returns when all are done. */
  run(op: keyof Ops, jobs: readonly (readonly number[])[]): void
  /** Ends the threads; nothing can be run afterwards. */
  close(): void
}

/** What a thread is started with. */
export interface ThreadStart {
  readonly module: CoreModule
  readonly memory: WasmMemory
  readonly control: SharedArrayBuffer
  /** Its number, from 1; 0 is the thread that gives the work. */
  readonly thread: number
  /** How many there are. */
  readonly size: number
}

/**
 * Where work is posted: [round, threads done, threads that failed], then for each thread [op, number of arguments,
 * …arguments], then for each the last round whose part somebody has claimed. Addresses and sizes are exact in float64,
 * and so are the float arguments.
 */
export const ControlBlock = {
  round: 0,
  done: 1,
  failed: 2,
  header: 16,
  slots: 24,
  claims: (size: number) => 16 + size * 24 * 8,
  bytes: (size: number) => 16 + size * 24 * 8 + size * 4,
} as const

/** From this many multiplications and additions a pass through networks takes so long that a second thread pays. */
export const SHARED_FLOPS = 1e6

/** Whether a part of a round is the caller's to do: whoever comes first does it, the thread or the one that gives. */
export const claim = (claims: Int32Array, thread: number, round: number): boolean =>
  Atomics.compareExchange(claims, thread, (round - 1) | 0, round) === ((round - 1) | 0)

/** Does a part of a round; what it throws is counted, as the thread that gives the work tells of it. */
export function attempt(counters: Int32Array, part: () => void): void {
  try {
    part()
  } catch {
    Atomics.add(counters, ControlBlock.failed, 1)
  }
}

/** This thread alone. */
export const alone = (ops: Ops): ThreadPool => ({
  size: 1,
  run: (op, jobs) => jobs.forEach((args) => void call(ops, op, args)),
  close: () => {},
})

export function call(ops: Ops, op: keyof Ops, args: readonly number[]): void {
  const run = ops[op] as (...args: readonly number[]) => unknown
  run(...args)
}

/** The names of the ops in an order that all threads agree on. */
export const opNames = (ops: Ops) => Object.keys(ops).sort() as (keyof Ops)[]

/** Whether this runtime can share memory between threads. */
export const canShare = () => typeof SharedArrayBuffer === 'function' && platform.threads.available()

/** How many threads run at once on this machine. */
export const threadCount = () => platform.threads.count()
