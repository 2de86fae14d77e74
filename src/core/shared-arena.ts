import { startThread } from '#threads'
import type { Arena } from './arena.ts'
import { type Layout, layOut } from './layout.ts'
import { type CoreModule, instantiateCore } from './module.ts'
import type { Ops } from './ops.ts'
import { ControlBlock, call, opNames, type ThreadPool } from './thread-pool.ts'

/**
 * An arena on a memory that `threads` threads share.
 *
 * @param module the build for shared memory, compileThreadedCore()
 */
export async function createSharedArena<L extends Layout>(
  module: CoreModule,
  layout: L,
  threads: number,
): Promise<Arena<L>> {
  const arena = layOut(layout, true)
  const ops = await instantiateCore(module, arena.memory)
  return { ...arena, ops, threadPool: await startThreadPool(module, arena.memory, ops, threads) }
}

type Thread = Awaited<ReturnType<typeof startThread>>

/**
 * Starts size − 1 threads on a shared memory. They end by close(), with the process, or when the pool is no longer
 * referenced.
 */
async function startThreadPool(
  module: CoreModule,
  memory: WebAssembly.Memory,
  ops: Ops,
  size: number,
): Promise<ThreadPool> {
  const control = new SharedArrayBuffer(ControlBlock.bytes(size))
  const starts = Array.from({ length: size - 1 }, (_, k) => startThread({ module, memory, control, thread: k + 1 }))
  const threads = await allOrNone(starts)
  const names = opNames(ops)
  const counters = new Int32Array(control, 0, 4)
  const slots = new Float64Array(control, ControlBlock.header)
  const threadPool: ThreadPool = {
    size,
    run(op, jobs) {
      const code = names.indexOf(op)
      for (let thread = 1; thread < size; thread++) {
        const args = jobs[thread]
        const slot = thread * ControlBlock.slots
        slots[slot] = args ? code : -1
        if (!args) continue
        slots[slot + 1] = args.length
        slots.set(args, slot + 2)
      }
      Atomics.store(counters, ControlBlock.done, 0)
      Atomics.add(counters, ControlBlock.round, 1)
      Atomics.notify(counters, ControlBlock.round)
      call(ops, op, jobs[0])
      // A page's main thread must not sleep, and the others are about to be done.
      while (Atomics.load(counters, ControlBlock.done) < size - 1);
      if (Atomics.load(counters, ControlBlock.failed) > 0) throw new Error(`A thread failed while it ran ${op}.`)
    },
    close: () => stopAll(threads),
  }
  stoppedWhenCollected.register(threadPool, threads)
  return threadPool
}

/** The threads; where one cannot be started, the others end. */
async function allOrNone(starts: readonly Promise<Thread>[]): Promise<Thread[]> {
  const settled = await Promise.allSettled(starts)
  const threads = settled.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value)
  const failed = settled.find((outcome) => outcome.status === 'rejected')
  if (!failed) return threads
  stopAll(threads)
  throw failed.reason
}

function stopAll(threads: readonly Thread[]): void {
  for (const thread of threads) thread.stop()
}

const stoppedWhenCollected = new FinalizationRegistry(stopAll)
