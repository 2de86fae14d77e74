import { floatBits, padded } from '../core/layout.ts'
import { mlpScratch, mlpStruct, outputFloats } from '../nn/fused.ts'
import { ActivationKind, type Network } from '../nn/network.ts'
import { fusedWords } from './fused.ts'
import type { Node, View } from './graph.ts'
import { Instruction } from './operators.ts'
import type { Group } from './schedule.ts'

// The words that assembly/plan/run.ts reads.

/** Addresses of what instructions refer to. */
interface Addresses {
  of(node: Node): number
  /** Where further memory of a node is that something reads, or 0. */
  ofPart(node: Node): number
  /** Where tables of numbers begin that instructions point to. */
  readonly tables: number
  /** Registers of a block. */
  readonly registers: number
  /** Memory that an instruction may use while it runs. */
  readonly scratch: number
}

/** What a program reads of its nodes. */
export interface Uses {
  /** Nodes that stay in registers. */
  readonly inRegisters: ReadonlySet<Node>
  /** Nodes that are read themselves, not only a part of them. */
  readonly read: ReadonlySet<Node>
}

/** The instructions of some groups. */
export class Program {
  readonly words: number[] = []
  readonly tables: number[] = []
  /** The node that each instruction computes; of a fused group the last one. */
  readonly nodes: Node[] = []
  /** Groups of elementwise nodes that run every time, by the numbers of their instructions. */
  readonly fused = new Map<number, Group>()
  /** What it needs of the memory that instructions share. */
  registers = 0
  scratchFloats = 0
  readonly uses: Uses
  readonly to: Addresses

  /** How much of it comes first and is run only once: what depends on constants only. */
  readonly setup: { readonly words: number; readonly instructions: number }

  constructor(groups: readonly Group[], uses: Uses, to: Addresses) {
    this.uses = uses
    this.to = to
    const isConstant = (group: Group) => group.nodes[0].constant
    for (const group of groups) if (isConstant(group)) this.group(group)
    this.setup = { words: this.words.length, instructions: this.nodes.length }
    for (const group of groups) if (!isConstant(group)) this.group(group)
  }

  private group(group: Group): void {
    const node = group.nodes[group.nodes.length - 1]
    if (group.elements === 0) {
      this.single(node)
      return
    }
    const table = (values: readonly number[]) => this.table(values)
    const sources = { address: this.to.of, table, inRegisters: this.uses.inRegisters }
    const { words, count } = fusedWords(group, sources, this.to.registers)
    this.registers = Math.max(this.registers, count)
    if (!group.nodes[0].constant) this.fused.set(this.nodes.length, group)
    this.write(Instruction.fused, words, node)
  }

  private table(values: readonly number[]): number {
    const at = this.to.tables + this.tables.length * 4
    this.tables.push(...values)
    return at
  }

  private write(kind: number, args: readonly number[], node: Node): void {
    this.words.push(kind, args.length + 2, ...args)
    this.nodes.push(node)
  }

  private single(node: Node): void {
    const { work } = node
    const args = node.args.map((arg) => this.to.of(arg.node) + arg.offset * 4)
    const out = this.to.of(node)
    switch (work.kind) {
      case 'product':
        this.product(node, work, args)
        break
      case 'join':
        this.join(node, work, args)
        break
      case 'pick':
        this.write(Instruction.pick, [out, ...args, work.outer, work.size, work.inner, work.count], node)
        break
      case 'addByIndex':
        this.write(Instruction.addByIndex, [out, ...args, work.size, work.inner, work.count], node)
        break
      case 'accumulate': {
        const flags = [work.exclusive, work.reverse, work.product].map(Number)
        this.write(Instruction.accumulate, [out, ...args, work.outer, work.size, work.inner, ...flags], node)
        break
      }
      case 'place': {
        const { outer, size, inner, smallest } = work
        this.write(Instruction.place, [out, ...args, outer, size, inner, Number(smallest)], node)
        break
      }
      case 'mlp': {
        const [theta, x, known] = args
        const at = { theta, x, y: out, outputs: known ?? this.to.ofPart(node), known: known === undefined ? 0 : 1 }
        this.write(Instruction.mlpForward, this.mlp(work, at), node)
        break
      }
      case 'mlpGradient': {
        const [theta, x, y, outputs, dy] = args
        const dx = this.to.ofPart(node)
        const pass = this.mlp(work, { theta, x, y, outputs, dy, gradient: out, dx })
        const flags = [Number(this.uses.read.has(node)), Number(dx !== 0)]
        this.write(Instruction.mlpBackward, [...flags, ...pass], node)
        break
      }
      case 'logProb':
      case 'logProbGradient':
      case 'entropy':
      case 'entropyGradient':
        this.write(Instruction[work.kind], [out, ...args, work.rows, work.classes], node)
        break
      default:
        throw new Error(`There is no instruction for ${work.kind}.`)
    }
  }

  /** Scratch memory of fields of so many floats, each aligned. */
  private scratch(...fields: readonly number[]): number[] {
    let floats = 0
    const at = fields.map((size) => {
      const offset = floats
      floats += padded(size)
      return this.to.scratch + offset * 4
    })
    this.scratchFloats = Math.max(this.scratchFloats, floats)
    return at
  }

  private product(node: Node, work: Extract<Node['work'], { kind: 'product' }>, [a, b]: readonly number[]): void {
    const { pairs, rows, terms, columns, transposedA, transposedB } = work
    const [strips, tile] = this.scratch(
      Math.ceil(columns / 16) * 16 * terms + STRIP_SLACK,
      TILE_ROWS * Math.ceil(columns / 4) * 4,
    )
    const [first, second] = node.args
    const words = [
      ...[pairs, rows, terms, columns, this.to.of(node)],
      ...[a, first.strides[0] * 4, (transposedA ? rows : terms) * 4, Number(transposedA)],
      ...[b, second.strides[0] * 4, Number(transposedB), strips, tile],
    ]
    this.write(Instruction.product, words, node)
  }

  private join(node: Node, work: Extract<Node['work'], { kind: 'join' }>, args: readonly number[]): void {
    const out = this.to.of(node)
    if (work.fill !== null) this.write(Instruction.fill, [out, floatBits(work.fill), node.size], node)
    node.args.forEach((arg, k) => {
      const { offset, strides } = work.places[k]
      this.write(Instruction.copy, [out + offset * 4, args[k], ...copyTable(arg, strides)], node)
    })
  }

  private mlp(
    { net, networks, rows }: { net: Network; networks: number; rows: number },
    at: Partial<Record<(typeof mlpStruct.names)[number], number>>,
  ): number[] {
    const sizes = mlpScratch(net)
    // Outputs of the layers that no gradient reads come last.
    const unreadFloats = at.outputs === 0 ? networks * rows * outputFloats(net) : 0
    const [strips, tile, terms, unread] = this.scratch(sizes.strips, sizes.tile, sizes.terms, unreadFloats)
    const values: Partial<Record<(typeof mlpStruct.names)[number], number>> = {
      ...{ networks, rows, layers: net.layers.length, strips, tile, terms },
      widths: this.table(net.widths),
      kinds: this.table(net.layers.map(({ activation }) => ActivationKind[activation])),
      ...at,
      outputs: at.outputs || unread,
    }
    return mlpStruct.names.map((name) => values[name] ?? 0)
  }
}

/** Rows of a tile, as in assembly/plan/products.ts, and what packing writes behind the last strip. */
const TILE_ROWS = 64
const STRIP_SLACK = 48

/** A shape, the strides that it is read by and those that it is written by, as in assembly/plan/strided.ts. */
function copyTable(view: View, strides: readonly number[]): number[] {
  const axes = view.shape.map((_, axis) => axis).filter((axis) => view.shape[axis] !== 1)
  const real = axes.length > 0 ? axes : [0]
  const joined: { size: number; from: number; to: number }[] = []
  for (const axis of real) {
    const [size, from, to] = [view.shape[axis] ?? 1, view.strides[axis] ?? 0, strides[axis] ?? 0]
    const last = joined[joined.length - 1]
    if (last && last.from === size * from && last.to === size * to)
      Object.assign(last, { size: last.size * size, from, to })
    else joined.push({ size, from, to })
  }
  return [
    joined.length,
    ...joined.map(({ size }) => size),
    ...joined.map(({ from }) => from * 4),
    ...joined.map(({ to }) => to * 4),
  ]
}
