import { startThread } from '#threads'
import type { Arena } from './arena.ts'
import { type Layout, layOut } from './layout.ts'
import { type CoreModule, instantiateCore } from './module.ts'
import type { Ops } from './ops.ts'
import { attempt, ControlBlock, call, claim, opNames, type ThreadPool } from './thread-pool.ts'

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
export async function startThreadPool(
  module: CoreModule,
  memory: WebAssembly.Memory,
  ops: Ops,
  size: number,
): Promise<ThreadPool> {
  const control = new SharedArrayBuffer(ControlBlock.bytes(size))
  const starts = Array.from({ length: size - 1 }, (_, k) =>
    startThread({ module, memory, control, thread: k + 1, size }),
  )
  const threads = await allOrNone(starts)
  const names = opNames(ops)
  const counters = new Int32Array(control, 0, 4)
  const slots = new Float64Array(control, ControlBlock.header, size * ControlBlock.slots)
  const claims = new Int32Array(control, ControlBlock.claims(size), size)
  const threadPool: ThreadPool = {
    size,
    run(op, jobs) {
      const code = names.indexOf(op)
      for (let thread = 1; thread < size; thread++) {
        const args = jobs[thread]
        if (!args) continue
        const slot = thread * ControlBlock.slots
        slots[slot] = code
        slots[slot + 1] = args.length
        slots.set(args, slot + 2)
      }
      Atomics.store(counters, ControlBlock.done, 0)
      const round = (Atomics.load(counters, ControlBlock.round) + 1) | 0
      // What nobody has to do is nobody's.
      for (let thread = 1; thread < size; thread++) if (!jobs[thread]) Atomics.store(claims, thread, round)
      Atomics.store(counters, ControlBlock.round, round)
      Atomics.notify(counters, ControlBlock.round)
      call(ops, op, jobs[0])
      // The part of a thread that has not begun, on a busy machine, is done here.
      let others = 0
      for (let thread = 1; thread < Math.min(size, jobs.length); thread++) {
        if (!claim(claims, thread, round)) others++
        else attempt(counters, () => call(ops, op, jobs[thread]))
      }
      // A page's main thread must not sleep, and the others are about to be done.
      while (Atomics.load(counters, ControlBlock.done) < others);
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
