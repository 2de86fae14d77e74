import type { Node, View } from '../graph.ts'
import { isInline } from '../schedule.ts'
import { isSingle } from '../views.ts'
import { Code, FLOAT, type Locals, VECTOR } from './code.ts'
import type { Nest, Steps } from './nest.ts'
import type { Operand } from './operators.ts'

/** Where the values of a node stand. */
export type AddressOf = (node: Node) => number

/** What goes on through the loops by the same steps: locals of an address in a row, and of the vector in hand. */
interface Pointer {
  readonly steps: Steps
  readonly pointer: number
  readonly here: number
}

/** An array as a pointer and bytes to be added to it. */
export type Place = Pointer & { readonly offset: number }

/** What the function of a group reads: where it stands, and the locals that it is in. */
export class Operands {
  /** What is done once, and before each row. */
  readonly before = new Code()
  readonly beforeRow = new Code()
  /** Where the vector in hand begins, in bytes from the begin of the row. */
  readonly index: number
  private readonly pointers = new Map<string, Pointer>()
  /** Locals of what is the same in the whole group or in a row, and of what is loaded of the vector in hand. */
  private readonly kept = new Map<string, number>()
  private readonly loaded = new Map<string, number>()
  /** Those of nodes of the group. */
  private readonly made = new Map<Node, number>()
  private readonly locals: Locals
  private readonly nest: Nest
  private readonly addressOf: AddressOf

  constructor(nest: Nest, addressOf: AddressOf, locals: Locals) {
    this.nest = nest
    this.addressOf = addressOf
    this.locals = locals
    this.index = locals.add('i32')
  }

  /** The local that has a number in all lanes. */
  number = (value: number): number =>
    this.keep(`number ${Object.is(value, -0) ? '-0' : value}`, (local) => {
      this.before.float(value).vector('splat').set(local)
    })

  /** The place of an array that begins at an address. */
  place(steps: Steps, address: number): Place {
    // Bytes that are added to a pointer are not negative, and neither is a pointer.
    const isBackward = steps.some((step) => step < 0)
    const key = `${steps}${isBackward ? ` from ${address}` : ''}`
    let pointer = this.pointers.get(key)
    if (!pointer) {
      pointer = { steps, pointer: this.locals.add('i32'), here: this.locals.add('i32') }
      this.pointers.set(key, pointer)
      this.before.int(isBackward ? address : 0).set(pointer.pointer)
    }
    return { ...pointer, offset: isBackward ? 0 : address }
  }

  /** A node's own array. */
  placeOf = (node: Node, steps: Steps): Place => this.place(steps, this.addressOf(node))

  /** Four elements of a column of a view, loaded where they are not yet. */
  load(code: Code, view: View, column: number): Operand {
    const { node, offset } = view
    const made = this.made.get(node)
    if (made !== undefined && isInline(view)) return { local: made, known: null }
    const address = this.addressOf(node) + (offset + column * this.nest.columnStep(view)) * FLOAT
    if (isSingle(view)) {
      const local = this.keep(`single ${address}`, (local) => {
        this.before.int(0).vector('load32Splat').at(address).set(local)
      })
      return { local, known: node.values ? (node.values[offset] as number) : null }
    }
    const steps = this.nest.ofView(view)
    const key = `${address} ${steps}`
    const place = this.place(steps, address)
    const step = steps[steps.length - 1]
    if (step === 0) {
      const local = this.keep(key, (local) => {
        this.beforeRow.get(place.pointer).vector('load32Splat').at(place.offset).set(local)
      })
      return { local, known: null }
    }
    const known = this.loaded.get(key)
    if (known !== undefined) return { local: known, known: null }
    const local = this.locals.add('v128')
    if (step === 1) code.get(place.here).vector('load').at(place.offset).set(local)
    else this.loadApart(code, place, step * FLOAT, local)
    this.loaded.set(key, local)
    return { local, known: null }
  }

  /** Four elements that do not follow each other. */
  private loadApart(code: Code, { pointer, offset }: Place, step: number, local: number): void {
    const here = this.locals.add('i32')
    // Of a view that goes backward the last lane has the lowest address.
    const low = step < 0 ? 3 * step : 0
    this.pointApart(code, pointer, step).int(low).scalar('i32Add').set(here)
    code
      .get(here)
      .vector('load32Zero')
      .at(offset - low)
      .set(local)
    for (const lane of [1, 2, 3])
      code
        .get(here)
        .get(local)
        .vector('load32Lane')
        .at(offset - low + lane * step)
        .write(lane)
        .set(local)
  }

  /** Leaves the address of the first of four elements that are `step` bytes apart. */
  private pointApart(code: Code, pointer: number, step: number): Code {
    return code
      .get(this.index)
      .int(step / FLOAT)
      .scalar('i32Multiply')
      .get(pointer)
      .scalar('i32Add')
  }

  /** Stores four elements that may stand apart. */
  store(code: Code, { steps, pointer, here, offset }: Place, local: number): void {
    const step = steps[steps.length - 1] * FLOAT
    if (step === FLOAT) {
      code.get(here).get(local).vector('store').at(offset)
      return
    }
    const first = this.locals.add('i32')
    this.pointApart(code, pointer, step).set(first)
    for (const lane of [0, 1, 2, 3])
      code
        .get(first)
        .get(local)
        .vector('store32Lane')
        .at(offset + lane * step)
        .write(lane)
  }

  /** That a node's four elements are in a local. */
  make(node: Node, local: number): void {
    this.made.set(node, local)
  }

  /** Begins with another column of the vector in hand. */
  nextColumn(): void {
    this.made.clear()
  }

  /** Begins with another vector. */
  nextVector(): void {
    this.loaded.clear()
  }

  /** Sets the pointers to the vector in hand. */
  pointHere(): Code {
    const code = new Code()
    for (const { steps, pointer, here } of this.pointers.values())
      if (steps[steps.length - 1] === 1) code.get(pointer).get(this.index).scalar('i32Add').set(here)
    return code
  }

  /** Takes the pointers to what follows in a loop that has others in it. */
  advance(level: number): Code {
    const code = new Code()
    const { sizes } = this.nest
    for (const { steps, pointer } of this.pointers.values()) {
      const inside = level + 2 < sizes.length ? steps[level + 1] * sizes[level + 1] : 0
      const by = (steps[level] - inside) * FLOAT
      if (by !== 0) code.get(pointer).int(by).scalar('i32Add').set(pointer)
    }
    return code
  }

  /** Fills an array with a number, before all. */
  fill(address: number, count: number, value: number): void {
    const vector = this.number(value)
    const at = this.locals.add('i32')
    const next = new Code().get(at).int(VECTOR).scalar('i32Add').tee(at)
    this.before
      .int(0)
      .set(at)
      .loop(new Code().get(at).get(vector).vector('store').at(address), next.int(count * FLOAT).scalar('isBelow'))
  }

  private keep(key: string, make: (local: number) => void): number {
    const known = this.kept.get(key)
    if (known !== undefined) return known
    const local = this.locals.add('v128')
    this.kept.set(key, local)
    make(local)
    return local
  }
}
