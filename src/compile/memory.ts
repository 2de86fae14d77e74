import type { Node, View } from './graph.ts'
import { type Group, ownerOf } from './schedule.ts'

// Where everything stands: laid out once, and what is no longer read gives its place to what comes later.

const ALIGNMENT = 16
/** What SIMD writes behind the end of an array. */
const SLACK = 16
const FLOAT = 4

const bytesOf = (floats: number) => Math.ceil((floats * FLOAT + SLACK) / ALIGNMENT) * ALIGNMENT

/** A stretch of memory from the start of which places are given away and taken back. */
class Room {
  end = 0
  private free: { at: number; bytes: number }[] = []

  take(bytes: number): number {
    const fitting = this.free.filter((hole) => hole.bytes >= bytes)
    if (fitting.length === 0) {
      const at = this.end
      this.end += bytes
      return at
    }
    const hole = fitting.reduce((best, other) => (other.bytes < best.bytes ? other : best))
    const { at } = hole
    hole.at += bytes
    hole.bytes -= bytes
    this.free = this.free.filter((other) => other.bytes > 0)
    return at
  }

  giveBack(at: number, bytes: number): void {
    this.free.push({ at, bytes })
    this.free.sort((a, b) => a.at - b.at)
    this.free = this.free.reduce<typeof this.free>((joined, hole) => {
      const last = joined[joined.length - 1]
      if (last && last.at + last.bytes === hole.at) last.bytes += hole.bytes
      else joined.push({ ...hole })
      return joined
    }, [])
  }
}

export interface Memory {
  /** Bytes of everything. */
  readonly bytes: number
  /** Where the values of a node stand; of none that stays in registers. */
  readonly at: ReadonlyMap<Node, number>
}

/**
 * @param nodes all of a plan, of which `inRegisters` need no memory
 * @param outputs stay as they are until the next run, as constants, inputs and what depends on constants only do
 */
export function layOutMemory(
  nodes: readonly Node[],
  groups: readonly Group[],
  outputs: readonly View[],
  inRegisters: ReadonlySet<Node>,
): Memory {
  const room = new Room()
  const at = new Map<Node, number>()
  const stays = new Set([
    ...outputs.map(({ node }) => node),
    ...nodes.filter(({ constant, work }) => constant || work.kind === 'input'),
  ])
  const stored = nodes.filter((node) => !inRegisters.has(node))
  for (const node of stored) if (stays.has(node)) at.set(node, room.take(bytesOf(node.size)))
  const { made, last } = lifetimes(stored, groups)
  groups.forEach((_, k) => {
    for (const node of made.get(k) ?? []) if (!at.has(node)) at.set(node, room.take(bytesOf(node.size)))
    for (const node of last.get(k) ?? []) {
      if (!stays.has(node)) room.giveBack(at.get(node) as number, bytesOf(node.size))
    }
  })
  return { bytes: room.end, at }
}

/** What each group makes, and what it is the last to read. */
function lifetimes(nodes: readonly Node[], groups: readonly Group[]) {
  const groupOf = new Map<Node, number>()
  groups.forEach(({ nodes: members }, k) => void members.forEach((node) => void groupOf.set(node, k)))
  const placeOf = (node: Node) => groupOf.get(ownerOf(node))
  const lastUse = new Map<Node, number>()
  for (const node of nodes) {
    const place = placeOf(node)
    if (place !== undefined) lastUse.set(node, place)
  }
  groups.forEach(({ nodes: members }, k) => {
    for (const { args } of members) for (const { node } of args) lastUse.set(node, Math.max(k, lastUse.get(node) ?? 0))
  })
  const made = new Map<number, Node[]>()
  const last = new Map<number, Node[]>()
  const add = (to: Map<number, Node[]>, k: number, node: Node) => void to.set(k, [...(to.get(k) ?? []), node])
  for (const node of nodes) {
    const place = placeOf(node)
    if (place === undefined) continue
    add(made, place, node)
    add(last, lastUse.get(node) as number, node)
  }
  return { made, last }
}
