import type { Arena } from './arena.ts'
import { allocate, type Layout, place, viewsOf } from './layout.ts'
import { compileThreadedCore, instantiateCore } from './module.ts'
import { startThreadPool } from './shared-arena.ts'
import { canShare, type ThreadPool } from './thread-pool.ts'

/** Threads that work together on what is computed again and again, on one memory that all of it shares. */
export interface Team {
  readonly threadPool: ThreadPool
  /**
   * The fields, all zero, in the memory of the team, or null where no room is left. The memory is given back once the
   * arena is no longer referenced: a view must not outlive it.
   */
  arena<L extends Layout>(layout: L): Arena<L> | null
}

/** Of the memory, which the system gives as it is used. */
const BYTES = 1 << 27

let isRefused = false

/** For a process whose cores others fill already: no team is started in it. */
export function refuseTeams(): void {
  isRefused = true
}

let starting: { readonly size: number; readonly team: Promise<Team | null> } | null = null

/** The team of this process, of `size` threads together with this one; null where threads cannot be started. */
export function startTeam(size: number): Promise<Team | null> {
  if (size < 2 || isRefused || !canShare()) return Promise.resolve(null)
  if (starting?.size === size) return starting.team
  // A page's security policy may refuse threads; one does the same.
  const team = createTeam(size).catch(() => null)
  starting = { size, team }
  return team
}

interface Range {
  readonly start: number
  readonly end: number
}

async function createTeam(size: number): Promise<Team> {
  const module = await compileThreadedCore()
  const memory = allocate(BYTES, true)
  const ops = await instantiateCore(module, memory)
  const threadPool = await startThreadPool(module, memory, ops, size)
  /** In the order of their addresses. */
  const taken: Range[] = []
  const givenBack = new FinalizationRegistry((range: Range) => taken.splice(taken.indexOf(range), 1))
  return {
    threadPool,
    arena(layout) {
      const bytes = place(layout).end
      const after = taken.findIndex(({ start }, k) => start - (taken[k - 1]?.end ?? 0) >= bytes)
      const index = after < 0 ? taken.length : after
      const start = taken[index - 1]?.end ?? 0
      const { at, end } = place(layout, start)
      if (end > BYTES) return null
      const range = { start, end }
      taken.splice(index, 0, range)
      new Uint8Array(memory.buffer, start, end - start).fill(0)
      const arena = { ops, memory, at, view: viewsOf(layout, at, memory), threadPool }
      givenBack.register(arena, range)
      return arena
    },
  }
}
