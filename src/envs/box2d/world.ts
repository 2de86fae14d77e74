import { UsageError } from '../../core/errors.ts'
import type { Planck, Vector, World } from './engine.ts'
import type { Island, MovingBody, TimeStep } from './inside.ts'
import { solveImpact, solveIsland } from './island.ts'
import { createRounds } from './rounds.ts'

// Box2D sorts the pairs of shapes that came near each other before it makes contacts of them; planck takes them as its
// tree finds them. Contacts are solved one after the other, so where a body lies deep in another one after a step, as a
// walker that begins above its feet does, the order decides where it goes: by 0.3 rad in the first step of
// BipedalWalker-v3, 3e-5 with the pairs sorted.

/** planck's search for pairs from the inside. */
interface BroadPhase {
  readonly m_moveBuffer: (number | null)[]
  readonly m_tree: {
    getFatAABB(proxy: number): object
    getUserData(proxy: number): object
    query(box: object, report: (proxy: number) => boolean): void
  }
  updatePairs(add: (a: object, b: object) => void): void
}

interface Solver extends Island {
  solveIsland(step: TimeStep): void
  solveIslandTOI(step: TimeStep, a: MovingBody, b: MovingBody): void
}

/** planck's world from the inside. */
interface Inside {
  readonly m_broadPhase: BroadPhase
  readonly m_solver: Solver
}

/** More than any task has shapes. */
const MOST_PROXIES = 0x100000

/** A world that makes contacts in Box2D's order, and takes steps without rounds that change nothing. */
export function orderedWorld(planck: Planck, gravity: Vector): World {
  const world = new planck.World({ gravity })
  const { m_broadPhase: phase, m_solver: solver } = world as World & Partial<Inside>
  const isKnown = typeof phase?.updatePairs === 'function' && Array.isArray(phase.m_moveBuffer)
  if (!isKnown || typeof solver?.solveIsland !== 'function')
    throw new UsageError('This planck is not 1.4, whose worlds the library knows: npm install planck@1.4.')
  const rounds = createRounds()
  solver.solveIsland = (step) => solveIsland(solver, gravity, step, rounds)
  solver.solveIslandTOI = (step, a, b) => solveImpact(solver, step, [a, b], rounds)
  const pairs: number[] = []
  let moved = 0
  const report = (proxy: number) => {
    if (proxy < moved) pairs.push(proxy * MOST_PROXIES + moved)
    if (proxy > moved) pairs.push(moved * MOST_PROXIES + proxy)
    return true
  }
  phase.updatePairs = (add) => {
    if (phase.m_moveBuffer.length === 0) return
    pairs.length = 0
    for (let next = phase.m_moveBuffer.pop(); next !== undefined; next = phase.m_moveBuffer.pop()) {
      if (next === null) continue
      moved = next
      phase.m_tree.query(phase.m_tree.getFatAABB(moved), report)
    }
    pairs.sort((a, b) => a - b)
    let last = -1
    for (const pair of pairs) {
      const first = Math.floor(pair / MOST_PROXIES)
      if (pair !== last) add(phase.m_tree.getUserData(first), phase.m_tree.getUserData(pair - first * MOST_PROXIES))
      last = pair
    }
  }
  return world
}
