import { isElementwise, type Node, type View } from './graph.ts'
import { isContiguous, sizeOf } from './views.ts'

// Which nodes run in one pass over the memory, and in what order.

/** Nodes that run together: one, or elementwise ones and reductions over the same number of elements. */
export interface Group {
  /** Elements of a pass; 0 for any other node. */
  readonly elements: number
  /** In order once all groups are known. */
  readonly nodes: Node[]
  /** What has to run before. */
  readonly before: Set<Group>
  /** What has it before. */
  readonly after: Set<Group>
}

/** Elements that a node passes over. */
const elementsOf = ({ work, args, size }: Node) => (work.kind === 'reduce' ? sizeOf(args[0].shape) : size)

/** What a node reads, with the owner in the place of a part of its memory. */
export const ownerOf = (node: Node): Node => (node.work.kind === 'part' ? node.args[0].node : node)

/** Whether a view reads element i of its node for element i, so that both can be in one pass. */
export const isInline = (view: View) =>
  view.node.work.kind === 'map' && view.offset === 0 && isContiguous(view) && sizeOf(view.shape) === view.node.size

/** All that the outputs need, in an order in which everything comes after what it reads. */
export function reachable(outputs: readonly View[]): Node[] {
  const found = new Set<Node>()
  const ahead = outputs.map(({ node }) => node)
  for (let node = ahead.pop(); node; node = ahead.pop()) {
    if (found.has(node)) continue
    found.add(node)
    for (const arg of node.args) ahead.push(arg.node)
  }
  return [...found].sort((a, b) => a.id - b.id)
}

const isLeaf = ({ work }: Node) => work.kind === 'input' || work.kind === 'constant' || work.kind === 'part'

export function schedule(nodes: readonly Node[]): Group[] {
  const groupOf = new Map<Node, Group>()
  const groups = new Set<Group>()
  const groupOfView = ({ node }: View) => groupOf.get(ownerOf(node))
  for (const node of nodes) {
    if (isLeaf(node)) continue
    const group = isElementwise(node) ? joined(node, groupOfView, groups, groupOf) : alone(0, groups)
    group.nodes.push(node)
    groupOf.set(node, group)
    for (const arg of node.args) {
      const other = groupOfView(arg)
      if (other && other !== group) follow(group, other)
    }
  }
  for (const { nodes } of groups) nodes.sort((a, b) => a.id - b.id)
  return inOrder(groups)
}

function follow(group: Group, other: Group): void {
  group.before.add(other)
  other.after.add(group)
}

function alone(elements: number, groups: Set<Group>): Group {
  const group: Group = { elements, nodes: [], before: new Set(), after: new Set() }
  groups.add(group)
  return group
}

/** The group that a node can join, with those joined that it reads from, or one of its own. */
function joined(
  node: Node,
  groupOfView: (view: View) => Group | undefined,
  groups: Set<Group>,
  groupOf: Map<Node, Group>,
): Group {
  const elements = elementsOf(node)
  const fits = (group: Group) => group.elements === elements && group.nodes[0].constant === node.constant
  let chosen: Group | null = null
  for (const arg of node.args) {
    const group = groupOfView(arg)
    if (!group || group === chosen || !isInline(arg) || !fits(group)) continue
    if (chosen === null) {
      if (canJoin(node, group, groupOfView)) chosen = group
    } else if (canMerge(chosen, group, groupOfView) && canJoin(node, group, groupOfView, chosen)) {
      chosen = merged(chosen, group, groups, groupOf)
    }
  }
  return chosen ?? alone(elements, groups)
}

/** Whether nothing that a node reads has to wait for the end of a group that it is to be part of. */
function canJoin(
  node: Node,
  group: Group,
  groupOfView: (view: View) => Group | undefined,
  also: Group = group,
): boolean {
  return node.args.every((arg) => {
    const other = groupOfView(arg)
    if (!other) return true
    if (other === group || other === also) return isInline(arg)
    return !dependsOn(other, group) && !dependsOn(other, also)
  })
}

/** Looks from both ends in turn: mostly one of them has little behind it. */
function dependsOn(group: Group, on: Group): boolean {
  const search = (from: Group, goal: Group, side: 'before' | 'after') => ({
    ...{ ahead: [from], seen: new Set<Group>(), goal, side },
  })
  const both = [search(group, on, 'before'), search(on, group, 'after')]
  for (;;) {
    for (const { ahead, seen, goal, side } of both) {
      const next = ahead.pop()
      if (!next) return false
      if (next === goal) return true
      if (seen.has(next)) continue
      seen.add(next)
      ahead.push(...next[side])
    }
  }
}

/** Whether two groups read nothing of each other but element by element, and no third one stands between them. */
function canMerge(a: Group, b: Group, groupOfView: (view: View) => Group | undefined): boolean {
  const between = (from: Group, to: Group) => [...from.before].some((other) => other !== to && dependsOn(other, to))
  const waits = (from: Group, to: Group) =>
    from.before.has(to) && from.nodes.some(({ args }) => args.some((arg) => groupOfView(arg) === to && !isInline(arg)))
  return !between(a, b) && !between(b, a) && !waits(a, b) && !waits(b, a)
}

/** The larger of two groups, with the other one in it. */
function merged(one: Group, another: Group, groups: Set<Group>, groupOf: Map<Node, Group>): Group {
  const [into, from] = one.nodes.length < another.nodes.length ? [another, one] : [one, another]
  for (const node of from.nodes) {
    into.nodes.push(node)
    groupOf.set(node, into)
  }
  for (const other of from.before) {
    other.after.delete(from)
    follow(into, other)
  }
  for (const other of from.after) {
    other.before.delete(from)
    follow(other, into)
  }
  into.before.delete(into)
  into.after.delete(into)
  groups.delete(from)
  return into
}

function inOrder(groups: ReadonlySet<Group>): Group[] {
  const order = new Set<Group>()
  for (const group of groups) {
    const ahead = [group]
    for (let next = ahead.at(-1); next; next = ahead.at(-1)) {
      const missing = order.has(next) ? [] : [...next.before].filter((other) => !order.has(other))
      ahead.push(...missing)
      if (missing.length > 0) continue
      order.add(next)
      ahead.pop()
    }
  }
  return [...order]
}
