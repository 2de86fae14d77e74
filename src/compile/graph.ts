import type { Network } from '../nn/network.ts'
import type { OperatorName, ReductionName } from './operators.ts'
import {
  areApart,
  broadcast,
  isContiguous,
  isSingle,
  reshape,
  type Strided,
  sizeOf,
  stridesOf,
  transpose,
} from './views.ts'

// An expression as a graph: what is computed, from which views on what else. Whatever only looks at memory in another
// way (a reshape, a slice, a transpose, a broadcast) is a view and no node.

/** What a node does, beside its arguments. */
type Work =
  | { readonly kind: 'input' }
  | { readonly kind: 'constant' }
  | { readonly kind: 'map'; readonly operator: OperatorName }
  | { readonly kind: 'reduce'; readonly by: ReductionName; readonly reduced: number; readonly inner: number }
  | {
      readonly kind: 'product'
      readonly pairs: number
      readonly rows: number
      readonly terms: number
      readonly columns: number
      readonly transposedA: boolean
      readonly transposedB: boolean
    }
  /** Arguments side by side, each where its strides in the result say; what none covers is `fill`. */
  | { readonly kind: 'join'; readonly places: readonly Strided[]; readonly fill: number | null }
  | {
      readonly kind: 'pick'
      readonly outer: number
      readonly size: number
      readonly inner: number
      readonly count: number
    }
  | { readonly kind: 'addByIndex'; readonly size: number; readonly inner: number; readonly count: number }
  | ({
      readonly kind: 'accumulate'
      readonly exclusive: boolean
      readonly reverse: boolean
      readonly product: boolean
    } & Axis)
  | ({ readonly kind: 'place'; readonly smallest: boolean } & Axis)
  | { readonly kind: 'mlp'; readonly net: Network; readonly networks: number; readonly rows: number }
  | { readonly kind: 'mlpGradient'; readonly net: Network; readonly networks: number; readonly rows: number }
  | {
      readonly kind: 'logProb' | 'logProbGradient' | 'entropy' | 'entropyGradient'
      readonly rows: number
      readonly classes: number
    }
  /** Further memory that the node of its argument writes. */
  | { readonly kind: 'part' }

/** An array [outer, size, inner] and its middle axis. */
interface Axis {
  readonly outer: number
  readonly size: number
  readonly inner: number
}

export interface Node {
  readonly id: number
  readonly work: Work
  readonly args: readonly View[]
  /** Floats that it writes. */
  readonly size: number
  /** Whether it depends on nothing that changes from one run to the next. */
  readonly constant: boolean
  /** Of a constant. */
  readonly values: Float32Array | null
  /** The kernel of tfjs that it stands for. */
  readonly origin: string
}

export interface View extends Strided {
  readonly node: Node
}

export class Graph {
  readonly nodes: Node[] = []
  /** The kernel of tfjs that is being traced. */
  origin = ''
  private readonly known = new Map<string, Node>()
  private readonly networks = new Map<Network, number>()

  /** A node of its own, seen as `shape`. */
  private whole = (node: Node, shape: readonly number[]): View => ({
    node,
    shape: [...shape],
    strides: stridesOf(shape),
    offset: 0,
  })

  private create(
    work: Work,
    args: readonly View[],
    size: number,
    values: Float32Array | null,
    constant: boolean,
  ): Node {
    const node = { id: this.nodes.length, work, args, size, constant, values, origin: this.origin }
    this.nodes.push(node)
    return node
  }

  /** The node that does this already, or a new one. */
  node(work: Work, args: readonly View[], size: number): Node {
    const key = this.keyOf(work, args, size)
    const known = this.known.get(key)
    if (known) return known
    const constant = args.length > 0 && args.every((arg) => arg.node.constant)
    const node = this.create(work, args, size, null, constant)
    this.known.set(key, node)
    return node
  }

  /** A node that is never taken for another one. */
  newNode = (work: Work, args: readonly View[], size: number): Node => this.create(work, args, size, null, false)

  private keyOf(work: Work, args: readonly View[], size: number): string {
    let key = `${size}`
    for (const value of Object.values(work)) key += ` ${typeof value === 'object' ? this.nameOf(value) : value}`
    for (const { node, shape, strides, offset } of args) key += `|${node.id}:${shape}:${strides}:${offset}`
    return key
  }

  private nameOf(value: Network | readonly Strided[] | null): string {
    if (value === null || !('layers' in value)) return JSON.stringify(value)
    if (!this.networks.has(value)) this.networks.set(value, this.networks.size)
    return `network ${this.networks.get(value)}`
  }

  input = (shape: readonly number[]): View =>
    this.whole(this.create({ kind: 'input' }, [], sizeOf(shape), null, false), shape)

  /** Values that do not change. */
  constant(values: Float32Array, shape: readonly number[]): View {
    if (values.length > 1 && values.every((value) => Object.is(value, values[0])))
      return broadcast(this.number(values[0]), shape)
    const key = values.length === 1 ? `constant ${Object.is(values[0], -0) ? '-0' : values[0]}` : ''
    let node = this.known.get(key)
    if (!node) {
      node = this.create({ kind: 'constant' }, [], values.length, values, true)
      if (key) this.known.set(key, node)
    }
    return this.whole(node, shape)
  }

  number = (value: number): View => this.constant(Float32Array.of(value), [])

  /** The number that all elements are known to be, or null. */
  known1 = (view: View): number | null =>
    view.node.values && isSingle(view) ? (view.node.values[view.offset] as number) : null

  /** f of every element of views that are broadcast to `shape`. */
  map(operator: OperatorName, args: readonly View[], shape: readonly number[]): View {
    const simpler = this.simplified(operator, args, shape)
    if (simpler) return simpler
    if (sizeOf(shape) > 1 && args.every(isSingle)) {
      const single = args.map((arg) => ({ ...arg, shape: [], strides: [] }))
      return broadcast(this.map(operator, single, []), shape)
    }
    const seen = args.map((arg) => broadcast(arg, shape))
    return this.whole(this.node({ kind: 'map', operator }, seen, sizeOf(shape)), shape)
  }

  private simplified(operator: OperatorName, args: readonly View[], shape: readonly number[]): View | null {
    const [a, b] = args
    const [x, y] = args.map(this.known1)
    const folded = foldNumbers(operator, x, y)
    if (folded !== null) return broadcast(this.number(folded), shape)
    if (operator === 'multiply' && x === 1) return broadcast(b, shape)
    if (operator === 'multiply' && y === 1) return broadcast(a, shape)
    if (operator === 'multiply' && x === -1) return this.map('negate', [b], shape)
    if (operator === 'multiply' && y === -1) return this.map('negate', [a], shape)
    if (operator === 'add' && x === 0) return broadcast(b, shape)
    if ((operator === 'add' || operator === 'subtract') && y === 0) return broadcast(a, shape)
    if (operator === 'subtract' && x === 0) return this.map('negate', [b], shape)
    if (operator === 'divide' && y === 1) return broadcast(a, shape)
    if (operator === 'power' && y !== null) return this.simplerPower(a, y, shape)
    return operator === 'add' ? this.sideBySide(a, b, shape) : null
  }

  /**
   * The sum of two arrays that are zero but for boxes, where these do not overlap. The gradient of a slice is such an
   * array, so that T slices cost one pass over their array and not T.
   */
  private sideBySide(a: View, b: View, shape: readonly number[]): View | null {
    const [first, second] = [boxesOf(a), boxesOf(b)]
    if (!first || !second || a.node.size !== b.node.size || !areApart(first, second)) return null
    const work = { kind: 'join', places: [...first, ...second], fill: 0 } as const
    return this.whole(this.newNode(work, [...a.node.args, ...b.node.args], a.node.size), shape)
  }

  private simplerPower(a: View, exponent: number, shape: readonly number[]): View | null {
    if (exponent === 0) return broadcast(this.number(1), shape)
    if (exponent === 1) return broadcast(a, shape)
    if (exponent === 2) return this.map('square', [a], shape)
    if (exponent === 3) return this.map('multiply', [this.map('square', [a], shape), a], shape)
    if (exponent === -1) return this.map('reciprocal', [a], shape)
    return null
  }

  /** The same elements one after the other. */
  contiguous = (view: View): View =>
    isContiguous(view)
      ? view
      : this.whole(this.node({ kind: 'map', operator: 'copy' }, [view], sizeOf(view.shape)), view.shape)

  reshape = (view: View, shape: readonly number[]): View =>
    reshape(view, shape) ?? (reshape(this.contiguous(view), shape) as View)

  /** Folds the axes away; of all of them where none is named. */
  reduce(by: ReductionName, view: View, axes: readonly number[], keepDims: boolean): View {
    const isReduced = view.shape.map((_, axis) => axes.includes(axis))
    const shape = view.shape.flatMap((size, axis) => (isReduced[axis] ? (keepDims ? [1] : []) : [size]))
    const repeated = view.shape.filter((_, axis) => isReduced[axis] && view.strides[axis] === 0)
    if (by === 'sum' && sizeOf(repeated) > 1) {
      const begin = { ...view, shape: view.shape.map((size, k) => (isReduced[k] && view.strides[k] === 0 ? 1 : size)) }
      const once = this.reduce(by, begin, axes, keepDims)
      return this.map('multiply', [once, this.number(sizeOf(repeated))], shape)
    }
    const kept = sizeOf(shape)
    if (kept === sizeOf(view.shape)) return this.reshape(view, shape)
    const { ordered, reduced, inner } = middle(view, isReduced)
    const node = this.node({ kind: 'reduce', by, reduced, inner }, [ordered], kept)
    return this.whole(node, shape)
  }

  /** The result of any other work. */
  compute = (work: Work, args: readonly View[], shape: readonly number[]): View =>
    this.whole(this.node(work, args, sizeOf(shape)), shape)

  part = (node: Node, name: number, size: number): Node =>
    this.node({ kind: 'part' }, [{ node, shape: [], strides: [], offset: name }], size)
}

/** Where the arguments of a join stand that a view shows all of and that is 0 around them. */
function boxesOf({ node: { work, size }, shape, strides, offset }: View): readonly Strided[] | null {
  const isWhole = offset === 0 && isContiguous({ shape, strides, offset }) && sizeOf(shape) === size
  return work.kind === 'join' && work.fill === 0 && isWhole ? work.places : null
}

/** A view whose reduced axes lie next to each other: [outer, reduced, inner], or else with them last. */
function middle(view: View, isReduced: readonly boolean[]): { ordered: View; reduced: number; inner: number } {
  const axes = view.shape.map((_, axis) => axis)
  const real = axes.filter((axis) => view.shape[axis] !== 1)
  const runs = real.filter((axis, k) => isReduced[axis] && !(k > 0 && isReduced[real[k - 1]])).length
  const reduced = sizeOf(real.filter((axis) => isReduced[axis]).map((axis) => view.shape[axis]))
  if (runs > 1) {
    const order = [...axes.filter((axis) => !isReduced[axis]), ...axes.filter((axis) => isReduced[axis])]
    return { ordered: transpose(view, order), reduced, inner: 1 }
  }
  const last = real.reduce((found, axis, k) => (isReduced[axis] ? k : found), -1)
  const inner = sizeOf(real.slice(last + 1).map((axis) => view.shape[axis]))
  return { ordered: view, reduced, inner }
}

/** Of numbers that are known already, where one operation of float32 gives the same bits everywhere. */
function foldNumbers(operator: OperatorName, x: number | null, y: number | null | undefined): number | null {
  if (x === null) return null
  if (operator === 'negate') return -x
  if (y === null || y === undefined) return null
  if (operator === 'add') return Math.fround(x + y)
  if (operator === 'subtract') return Math.fround(x - y)
  if (operator === 'multiply') return Math.fround(x * y)
  if (operator === 'divide') return Math.fround(x / y)
  return null
}

/** Whether two nodes count as one pass over the memory. */
export const isElementwise = ({ work }: Node) => work.kind === 'map' || work.kind === 'reduce'
