import { platform } from '#platform'
import type { CoreModule } from './module.ts'
import type { Ops } from './ops.ts'

/** Threads that run an op in parts, each with its own instance of the core on the same memory. */
export interface ThreadPool {
  readonly size: number
  /** Runs an op once for each list of arguments, at most `size` of them, and returns when all are done. */
  run(op: keyof Ops, jobs: readonly (readonly number[])[]): void
}

/** What a thread is started with. */
export interface ThreadStart {
  readonly module: CoreModule
  readonly memory: WebAssembly.Memory
  readonly board: SharedArrayBuffer
  /** Its number, from 1; 0 is the thread that gives the work. */
  readonly member: number
}

/**
 * Where work is posted: [round, threads done, of the round], then for each thread [op, number of arguments, …arguments].
 * Addresses and sizes are exact in float64, and so are the float arguments.
 */
export const Board = { round: 0, done: 1, header: 16, slots: 24, bytes: (size: number) => 16 + size * 24 * 8 } as const

/** This thread alone. */
export const alone = (ops: Ops): ThreadPool => ({
  size: 1,
  run: (op, jobs) => jobs.forEach((args) => void call(ops, op, args)),
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

/** Starts size − 1 threads on a shared memory. They end with the process, or when the thread pool is no longer referenced. */
export async function startThreadPool(
  module: CoreModule,
  memory: WebAssembly.Memory,
  ops: Ops,
  size: number,
): Promise<ThreadPool> {
  const board = new SharedArrayBuffer(Board.bytes(size))
  const threads = await Promise.all(
    Array.from({ length: size - 1 }, (_, k) => platform.threads.start({ module, memory, board, member: k + 1 })),
  )
  const names = opNames(ops)
  const control = new Int32Array(board, 0, 4)
  const slots = new Float64Array(board, Board.header)
  const threadPool: ThreadPool = {
    size,
    run(op, jobs) {
      const code = names.indexOf(op)
      for (let member = 1; member < size; member++) {
        const args = jobs[member]
        const slot = member * Board.slots
        slots[slot] = args ? code : -1
        if (!args) continue
        slots[slot + 1] = args.length
        slots.set(args, slot + 2)
      }
      Atomics.store(control, Board.done, 0)
      Atomics.add(control, Board.round, 1)
      Atomics.notify(control, Board.round)
      call(ops, op, jobs[0])
      // A page's main thread must not sleep, and the others are about to be done.
      while (Atomics.load(control, Board.done) < size - 1);
    },
  }
  dismissals.register(threadPool, threads)
  return threadPool
}

const dismissals = new FinalizationRegistry((threads: readonly { stop(): void }[]) => {
  for (const thread of threads) thread.stop()
})
