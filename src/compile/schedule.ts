import { isElementwise, type Node, type View } from './graph.ts'
import { isContiguous, sizeOf } from './views.ts'

// Which nodes run in one pass over the memory, and in what order.

/** Nodes that run together: one, or elementwise ones and reductions over the same number of elements. */
export interface Group {
  /** Elements of a pass; 0 for any other node. */
  readonly elements: number
  /** In order. */
  nodes: Node[]
  /** What has to run before. */
  readonly before: Set<Group>
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
  const visit = (node: Node) => {
    if (found.has(node)) return
    found.add(node)
    for (const arg of node.args) visit(arg.node)
  }
  for (const { node } of outputs) visit(node)
  return [...found].sort((a, b) => a.id - b.id)
}

const isLeaf = ({ work }: Node) => work.kind === 'input' || work.kind === 'constant' || work.kind === 'part'

export function schedule(nodes: readonly Node[]): Group[] {
  const groupOf = new Map<Node, Group>()
  const groups = new Set<Group>()
  const groupOfView = ({ node }: View) => groupOf.get(ownerOf(node))
  for (const node of nodes) {
    if (isLeaf(node)) continue
    const group = isElementwise(node) ? joined(node, groupOfView, groups, groupOf) : alone(node, 0, groups)
    if (!group.nodes.includes(node)) group.nodes.push(node)
    groupOf.set(node, group)
    for (const arg of node.args) {
      const other = groupOfView(arg)
      if (other && other !== group) group.before.add(other)
    }
  }
  return inOrder(groups)
}

function alone(node: Node, elements: number, groups: Set<Group>): Group {
  const group = { elements, nodes: [node], before: new Set<Group>() }
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
      merge(chosen, group, groups, groupOf)
    }
  }
  return chosen ?? alone(node, elements, groups)
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

function dependsOn(group: Group, on: Group, seen = new Set<Group>()): boolean {
  if (group === on) return true
  if (seen.has(group)) return false
  seen.add(group)
  for (const other of group.before) if (dependsOn(other, on, seen)) return true
  return false
}

/** Whether two groups read nothing of each other but element by element, and no third one stands between them. */
function canMerge(a: Group, b: Group, groupOfView: (view: View) => Group | undefined): boolean {
  const between = (from: Group, to: Group) => [...from.before].some((other) => other !== to && dependsOn(other, to))
  const waits = (from: Group, to: Group) =>
    from.nodes.some(({ args }) => args.some((arg) => groupOfView(arg) === to && !isInline(arg)))
  return !between(a, b) && !between(b, a) && !waits(a, b) && !waits(b, a)
}

function merge(into: Group, from: Group, groups: Set<Group>, groupOf: Map<Node, Group>): void {
  into.nodes = [...into.nodes, ...from.nodes].sort((a, b) => a.id - b.id)
  for (const node of from.nodes) groupOf.set(node, into)
  for (const other of from.before) into.before.add(other)
  groups.delete(from)
  for (const group of groups) if (group.before.delete(from)) group.before.add(into)
  into.before.delete(into)
}

function inOrder(groups: ReadonlySet<Group>): Group[] {
  const order: Group[] = []
  const seen = new Set<Group>()
  const visit = (group: Group) => {
    if (seen.has(group)) return
    seen.add(group)
    for (const other of group.before) visit(other)
    order.push(group)
  }
  for (const group of groups) visit(group)
  return order
}
