import { type Layout, layOut, type Pointers, type Views } from './layout.ts'
import { type CoreModule, instantiateCore, instantiateCoreSync } from './module.ts'
import type { Ops } from './ops.ts'
import { alone, startThreadPool, type ThreadPool } from './thread-pool.ts'

/** A core instance and its memory: `at` holds the address of each field, `view` a typed array on it. */
export interface Arena<L extends Layout> {
  readonly ops: Ops
  readonly memory: WebAssembly.Memory
  readonly at: Pointers<L>
  readonly view: Views<L>
  readonly threadPool: ThreadPool
}

/** Instantiates the core on a new memory that holds exactly the given fields, all zero. */
export async function createArena<L extends Layout>(module: CoreModule, layout: L): Promise<Arena<L>> {
  const arena = layOut(layout)
  const ops = await instantiateCore(module, arena.memory)
  return { ...arena, ops, threadPool: alone(ops) }
}

/** The same without waiting. */
export function createArenaSync<L extends Layout>(module: CoreModule, layout: L): Arena<L> {
  const arena = layOut(layout)
  const ops = instantiateCoreSync(module, arena.memory)
  return { ...arena, ops, threadPool: alone(ops) }
}

/**
 * The same on a memory that `threads` threads share.
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
