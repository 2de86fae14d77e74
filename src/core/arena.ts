import { allocate, type Layout, layOut, type Pointers, place, type Views, viewsOf } from './layout.ts'
import { type CoreModule, instantiateCore, instantiateCoreSync } from './module.ts'
import type { Ops } from './ops.ts'
import type { WasmMemory } from './runtime-types.ts'
import { alone, type ThreadPool } from './thread-pool.ts'

/** A core instance and its memory: `at` holds the address of each field, `view` a typed array on it. */
export interface Arena<L extends Layout> {
  readonly ops: Ops
  readonly memory: WasmMemory
  readonly at: Pointers<L>
  readonly view: Views<L>
  readonly threadPool: ThreadPool
}

/**
 * Lays out the given fields, all zero, in a memory with an instance of the core: one of their own, or, where they are
 * small, one that they share with others, as a process has room for some ten thousand memories only.
 */
export async function createArena<L extends Layout>(module: CoreModule, layout: L): Promise<Arena<L>> {
  if (isSmall(layout)) return createSmallArena(module, layout)
  const arena = layOut(layout)
  const ops = await instantiateCore(module, arena.memory)
  return { ...arena, ops, threadPool: alone(ops) }
}

/** The same without waiting. */
export function createArenaSync<L extends Layout>(module: CoreModule, layout: L): Arena<L> {
  if (isSmall(layout)) return createSmallArena(module, layout)
  const arena = layOut(layout)
  const ops = instantiateCoreSync(module, arena.memory)
  return { ...arena, ops, threadPool: alone(ops) }
}

/** A page of WASM. */
const COMMON_BYTES = 65_536
const SMALL_BYTES = COMMON_BYTES / 16

const isSmall = (layout: Layout) => place(layout).end <= SMALL_BYTES

/** A memory that is filled from its beginning, and goes when nothing in it is referenced any more. */
interface Common {
  readonly memory: WasmMemory
  readonly ops: Ops
  used: number
}

const commons = new WeakMap<CoreModule, Common>()

function createSmallArena<L extends Layout>(module: CoreModule, layout: L): Arena<L> {
  let common = commons.get(module)
  if (!common || place(layout, common.used).end > COMMON_BYTES) {
    const memory = allocate(COMMON_BYTES)
    common = { memory, ops: instantiateCoreSync(module, memory), used: 0 }
    commons.set(module, common)
  }
  const { memory, ops, used } = common
  const { at, end } = place(layout, used)
  common.used = end
  return { ops, memory, at, view: viewsOf(layout, at, memory), threadPool: alone(ops) }
}
