import { UsageError } from '../../core/errors.ts'
import { areClear, type ListedContact } from './clear.ts'
import type { Vector, World } from './engine.ts'
import type { Island, MovingBody, TimeStep } from './inside.ts'
import { solveImpact, solveIsland } from './island.ts'
import type { Tools } from './task.ts'

// Box2D sorts the pairs of shapes that came near each other before it makes contacts of them; planck takes them as its
// tree finds them. Contacts are solved one after the other, so where a body lies deep in another one after a step, as a
// walker that begins above its feet does, the order decides where it goes: by 0.3 rad in the first step of
// BipedalWalker-v3, 3e-5 with the pairs sorted.

interface Node {
  id: number
  userData: object | null
  parent: Node | null
  child1: Node | null
  child2: Node | null
}

interface Tree {
  m_root: Node | null
  /** By their numbers, from 1. */
  readonly m_nodes: Record<number, Node | undefined>
  m_lastProxyId: number
  getFatAABB(proxy: number): object
  getUserData(proxy: number): object
  query(box: object, report: (proxy: number) => boolean): void
  allocateNode(): Node
  freeNode(node: Node): void
}

/** planck's search for pairs from the inside. */
interface BroadPhase {
  readonly m_moveBuffer: (number | null)[]
  readonly m_tree: Tree
  updatePairs(add: (a: object, b: object) => void): void
}

interface Solver extends Island {
  readonly m_stack: MovingBody[]
  clear(): void
  solveWorldTOI(step: TimeStep): void
  solveIsland(step: TimeStep): void
  solveIslandTOI(step: TimeStep, a: MovingBody, b: MovingBody): void
}

interface ListedBody {
  readonly m_fixtureList: ListedFixture | null
  readonly m_next: ListedBody | null
}

interface ListedFixture {
  readonly m_proxies: unknown[]
  readonly m_next: ListedFixture | null
}

/** planck's world from the inside. */
interface Inside {
  readonly m_broadPhase: BroadPhase
  readonly m_solver: Solver
  readonly m_contactList: ListedContact | null
  destroyContact(contact: ListedContact): void
  readonly m_bodyList: ListedBody | null
  /** Whether no time of impact is left from before. */
  readonly m_stepComplete: boolean
}

/** More than any task has shapes. */
const MOST_PROXIES = 0x100000

/** Those of one search at a time. */
const pairs: number[] = []

/** A world that makes contacts in Box2D's order, and takes steps without rounds that change nothing. */
export function orderedWorld({ planck, rounds }: Tools, gravity: Vector): { world: World; end(): void } {
  const world = new planck.World({ gravity }) as World & Inside
  const { m_broadPhase: phase, m_solver: solver } = world as Partial<Inside>
  const isKnown = typeof phase?.updatePairs === 'function' && Array.isArray(phase.m_moveBuffer)
  if (!isKnown || typeof solver?.solveWorldTOI !== 'function' || !Array.isArray(solver.m_stack))
    throw new UsageError('This planck is not 1.4, whose worlds the library knows: npm install planck@1.4.')
  const free = keepNodes(phase.m_tree)
  // A list that is set to no length loses its room, and has to grow again.
  const lists: unknown[][] = [solver.m_stack, solver.m_bodies, solver.m_contacts, solver.m_joints]
  solver.clear = () => {
    for (const list of lists) while (list.length > 0) list.pop()
  }
  const { solveWorldTOI: solveImpacts } = solver
  solver.solveWorldTOI = (step) => {
    if (!world.m_stepComplete || !areClear(world.m_contactList)) solveImpacts.call(solver, step)
  }
  solver.solveIsland = (step) => solveIsland(solver, gravity, step, rounds)
  solver.solveIslandTOI = (step, a, b) => solveImpact(solver, step, [a, b], rounds)
  let moved = 0
  const report = (proxy: number) => {
    if (proxy < moved) pairs.push(proxy * MOST_PROXIES + moved)
    if (proxy > moved) pairs.push(moved * MOST_PROXIES + proxy)
    return true
  }
  phase.updatePairs = (add) => {
    if (phase.m_moveBuffer.length === 0) return
    while (pairs.length > 0) pairs.pop()
    for (let next = phase.m_moveBuffer.pop(); next !== undefined; next = phase.m_moveBuffer.pop()) {
      if (next === null) continue
      moved = next
      phase.m_tree.query(phase.m_tree.getFatAABB(moved), report)
    }
    if (pairs.length > 1) pairs.sort((a, b) => a - b)
    let last = -1
    for (const pair of pairs) {
      const first = Math.floor(pair / MOST_PROXIES)
      if (pair !== last) add(phase.m_tree.getUserData(first), phase.m_tree.getUserData(pair - first * MOST_PROXIES))
      last = pair
    }
  }
  return { world, end: () => takeApart(world, free) }
}

/** Nodes of trees whose worlds have been taken apart. */
const spare: Node[] = []

/**
 * Takes a world apart, whose contacts and nodes the next ones use. What has got old would keep young parts from being
 * collected as garbage early, even where it is garbage itself.
 */
function takeApart(world: Inside, free: Node[]): void {
  for (let contact = world.m_contactList; contact; contact = world.m_contactList) world.destroyContact(contact)
  world.m_solver.clear()
  const { m_tree: tree } = world.m_broadPhase
  for (let id = 1; id <= tree.m_lastProxyId; id++) {
    const node = tree.m_nodes[id]
    if (!node) continue
    unlink(node)
    spare.push(node)
    tree.m_nodes[id] = undefined
  }
  tree.m_root = null
  tree.m_lastProxyId = 0
  while (free.length > 0) free.pop()
  for (let body = world.m_bodyList; body; body = body.m_next)
    for (let fixture = body.m_fixtureList; fixture; fixture = fixture.m_next)
      while (fixture.m_proxies.length > 0) fixture.m_proxies.pop()
}

/** A node that a tree is done with is its next one, with its number, where planck deletes it from a list. */
function keepNodes(tree: Tree): Node[] {
  const free: Node[] = []
  const { allocateNode: create } = tree
  tree.allocateNode = () => free.pop() ?? reuse(tree) ?? create.call(tree)
  tree.freeNode = (node) => {
    unlink(node)
    free.push(node)
  }
  return free
}

function reuse(tree: Tree): Node | undefined {
  const node = spare.pop()
  if (!node) return
  node.id = ++tree.m_lastProxyId
  tree.m_nodes[node.id] = node
  return node
}

function unlink(node: Node): void {
  node.userData = null
  node.parent = null
  node.child1 = null
  node.child2 = null
}
