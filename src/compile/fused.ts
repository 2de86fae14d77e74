import type { Node, View } from './graph.ts'
import { Operator, Reduction, Step } from './operators.ts'
import { type Group, isInline } from './schedule.ts'
import { collapse, isContiguous, isSingle } from './views.ts'

// A group of elementwise nodes as the steps that assembly/plan/fused.ts runs over each block.

/** Bytes of a register: a block of 256 floats and a vector of slack. */
export const REGISTER = 1040

/** Set in the address of an array that is passed over. */
const PASSED = 1

/** What stands in a register. */
interface Virtual {
  /** Its number, once it has one. */
  register: number
  /** Where it is last read. */
  last: number
}

interface ChainStep {
  readonly kind: number
  readonly to: number | Virtual
  readonly operands: readonly (number | Virtual)[]
}

interface Sources {
  /** Where the values of a node stand. */
  address(node: Node): number
  /** Where a table of numbers is kept. */
  table(values: readonly number[]): number
  readonly inRegisters: ReadonlySet<Node>
}

/** The shape and the strides of a view as assembly/plan/strided.ts reads them. */
function shapeTable(view: View): number[] {
  const { shape, strides } = collapse(view)
  const sizes = shape.length > 0 ? shape : [1]
  const steps = shape.length > 0 ? strides : [0]
  return [sizes.length, ...sizes, ...steps.map((step) => step * 4)]
}

/** The arguments of an instruction `fused`, and how many registers it needs. */
export function fusedWords(group: Group, sources: Sources, registers: number): { words: number[]; count: number } {
  const fills: { to: Virtual; from: number }[] = []
  const steps: ChainStep[] = []
  const known = new Map<string, Virtual>()
  const made = new Map<Node, number | Virtual>()

  const operand = (view: View): number | Virtual => {
    const inGroup = made.get(view.node)
    if (inGroup !== undefined && isInline(view)) return inGroup
    const from = sources.address(view.node) + view.offset * 4
    if (isSingle(view)) return remembered(`fill ${from}`, (to) => void fills.push({ to, from }))
    if (isContiguous(view)) return from | PASSED
    const table = shapeTable(view)
    return remembered(`load ${from} ${table}`, (to) => {
      const base = sources.address(view.node) + view.offset * 4
      steps.push({ kind: Step.load, to, operands: [base, sources.table(table), 0] })
    })
  }
  const remembered = (key: string, make: (to: Virtual) => void): Virtual => {
    const found = known.get(key)
    if (found) return found
    const virtual = { register: -1, last: -1 }
    known.set(key, virtual)
    make(virtual)
    return virtual
  }

  for (const node of group.nodes) {
    const { work } = node
    if (work.kind === 'map') {
      const operands = node.args.map(operand)
      const to = sources.inRegisters.has(node) ? { register: -1, last: -1 } : sources.address(node) | PASSED
      made.set(node, to)
      steps.push({ kind: Operator[work.operator], to, operands })
    } else if (work.kind === 'reduce') {
      const kind = Step.reduce + Reduction[work.by]
      steps.push({ kind, to: work.reduced, operands: [operand(node.args[0]), sources.address(node), work.inner] })
    }
  }
  const count = assignRegisters(steps, fills)
  const number = (value: number | Virtual) =>
    typeof value === 'number' ? value : registers + value.register * REGISTER
  const words = [group.elements, fills.length, steps.length]
  for (const { to, from } of fills) words.push(number(to), from)
  for (const { kind, to, operands } of steps) {
    words.push(kind, number(to), ...[0, 1, 2].map((k) => number(operands[k] ?? 0)))
  }
  return { words, count }
}

/**
 * Gives every value a register from its first step to its last; filled ones keep theirs. Returns how many there are.
 */
function assignRegisters(steps: readonly ChainStep[], fills: readonly { to: Virtual }[]): number {
  fills.forEach(({ to }, k) => {
    to.register = k
    to.last = Number.POSITIVE_INFINITY
  })
  steps.forEach(({ to, operands }, k) => {
    for (const value of [to, ...operands]) if (typeof value !== 'number') value.last = Math.max(value.last, k)
  })
  let count = fills.length
  const free: number[] = []
  steps.forEach(({ kind, to, operands }, k) => {
    // An operator may write where it reads.
    const ending = new Set(operands.filter((value): value is Virtual => typeof value !== 'number' && value.last === k))
    for (const value of ending) free.push(value.register)
    if (typeof to === 'number' || kind >= Step.reduce || to.register >= 0) return
    to.register = free.pop() ?? count++
    if (to.last === k) free.push(to.register)
  })
  return count
}
