import type { Node } from '../graph.ts'
import type { OperatorName } from '../operators.ts'
import type { Group } from '../schedule.ts'
import type { FunctionBody } from './binary.ts'
import { Code, FLOAT, LANES, Locals, VECTOR } from './code.ts'
import { foldColumns, folds, RowFold } from './folds.ts'
import { foldsRows, type Nest, nestOf } from './nest.ts'
import { type AddressOf, Operands } from './operands.ts'
import { isWritten, type Operand, writeOperator } from './operators.ts'

// The function of a group of elementwise nodes and reductions: loops over rows, the innermost one by vectors of four
// floats, with all values in locals.

/** Bytes of a block of assembly/plan/fused.ts: sums of rows begin anew with each. */
const BLOCK = 1024

interface Sources {
  readonly addressOf: AddressOf
  /** Nodes without memory. */
  readonly inRegisters: ReadonlySet<Node>
}

/** The function of a group, or null where its form is none of these. */
export function functionOf(group: Group, sources: Sources): FunctionBody | null {
  if (!group.nodes.every(({ work }) => work.kind !== 'map' || isWritten(work.operator))) return null
  const nest = nestOf(group)
  // Of shorter rows lanes stay empty.
  if (!nest || (nest.row < LANES && nest.sizes.length > 1)) return null
  const isApart = group.nodes.some(({ args }) =>
    args.some((view) => ![0, 1].includes(nest.ofView(view)[nest.sizes.length - 1])),
  )
  // Lanes behind the end of a row would be read from anywhere.
  if (isApart && nest.row % LANES !== 0) return null
  return new GroupFunction(group, nest, sources).body()
}

type Reduce = Extract<Node['work'], { kind: 'reduce' }>

class GroupFunction {
  private readonly locals = new Locals()
  private readonly operands: Operands
  private readonly rowFolds = new Map<Node, RowFold>()
  private readonly group: Group
  private readonly nest: Nest
  private readonly inRegisters: ReadonlySet<Node>

  constructor(group: Group, nest: Nest, { addressOf, inRegisters }: Sources) {
    this.group = group
    this.nest = nest
    this.inRegisters = inRegisters
    this.operands = new Operands(nest, addressOf, this.locals)
    for (const node of group.nodes) {
      const { work, size } = node
      if (work.kind !== 'reduce' || nest.columns > 1) continue
      if (foldsRows(node)) {
        const place = this.operands.placeOf(node, nest.ofReduction(1, work.reduced))
        this.rowFolds.set(node, new RowFold(work.by, place, this.locals))
      } else this.operands.fill(addressOf(node), size, folds[work.by].neutral)
    }
  }

  body(): FunctionBody {
    const { nest, operands, locals } = this
    const row = this.rowFolds.size > 0 ? this.foldedRow() : this.plainRow()
    for (const fold of this.rowFolds.values()) fold.clear(operands.beforeRow)
    let inside = new Code().append(operands.beforeRow).append(row)
    for (let level = nest.sizes.length - 2; level >= 0; level--) {
      const counter = locals.add('i32')
      const next = new Code().get(counter).int(1).scalar('i32Add').tee(counter).int(nest.sizes[level]).scalar('isBelow')
      inside = new Code()
        .int(0)
        .set(counter)
        .loop(inside.append(operands.advance(level)), next)
    }
    return { locals, code: new Code().append(operands.before).append(inside) }
  }

  /** A row of which nothing is folded to one number. */
  private plainRow(): Code {
    const { index } = this.operands
    const bytes = this.nest.row * FLOAT
    const whole = bytes - (bytes % VECTOR)
    const code = new Code().int(0).set(index)
    if (whole > 0) code.loop(this.vector(null).code, this.nextVector().int(whole).scalar('isBelow'))
    if (whole < bytes) {
      const rest = this.locals.add('i32')
      code
        .int(bytes - whole)
        .set(rest)
        .append(this.vector(rest).code)
    }
    return code
  }

  /** A row in parts that end where it ends or a block does. */
  private foldedRow(): Code {
    const { nest, operands, locals } = this
    const { index } = operands
    const bytes = nest.row * FLOAT
    const { pointer } = operands.place(nest.whole, 0)
    const [length, left, end] = [locals.add('i32'), locals.add('i32'), locals.add('i32')]
    const part = new Code()
    part
      .int(BLOCK)
      .get(pointer)
      .get(index)
      .scalar('i32Add')
      .int(BLOCK - 1)
      .scalar('i32And')
      .scalar('i32Subtract')
      .set(length)
    part.int(bytes).get(index).scalar('i32Subtract').tee(left)
    part.get(length).get(left).get(length).scalar('isBelow').scalar('pick').tee(length)
    part.get(index).scalar('i32Add').set(end)
    this.each((fold) => fold.begin(part))
    part.append(this.longPart(length)).append(this.wholeVectors(end))
    this.each((fold) => fold.lanes(part))
    if (nest.row % LANES !== 0) part.append(this.lastLanes(end))
    this.each((fold) => fold.store(part))
    part.get(end).set(index)
    return new Code().int(0).set(index).loop(part, new Code().get(index).int(bytes).scalar('isBelow'))
  }

  /** Of 32 floats and more, four vectors at a time go to an accumulator each. */
  private longPart(length: number): Code {
    const { index } = this.operands
    const end = this.locals.add('i32')
    const { code, operandOf } = this.vector(null)
    this.each((fold, node) => fold.inTurn(code, operandOf(node)))
    const inside = new Code()
      .get(index)
      .get(length)
      .int(-4 * VECTOR)
      .scalar('i32And')
      .scalar('i32Add')
      .set(end)
    inside.loop(code, this.nextVector().get(end).scalar('isBelow'))
    this.each((fold) => fold.together(inside))
    return new Code()
      .get(length)
      .int(8 * VECTOR)
      .scalar('isAtLeast')
      .if(inside)
  }

  private wholeVectors(end: number): Code {
    const { index } = this.operands
    const fits = (code: Code) => code.int(VECTOR).scalar('i32Add').get(end).scalar('isAtMost')
    const { code, operandOf } = this.vector(null)
    this.each((fold, node) => fold.add(code, operandOf(node)))
    return fits(new Code().get(index)).if(new Code().loop(code, fits(this.nextVector())))
  }

  private lastLanes(end: number): Code {
    const { index } = this.operands
    const rest = this.locals.add('i32')
    const { code, operandOf } = this.vector(rest)
    this.each((fold, node) => fold.addLanes(code, operandOf(node), rest))
    return new Code().get(end).get(index).scalar('i32Subtract').tee(rest).if(code)
  }

  private each(run: (fold: RowFold, node: Node) => void): void {
    for (const [node, fold] of this.rowFolds) run(fold, node)
  }

  /** Leaves the index of the next vector. */
  private nextVector(): Code {
    const { index } = this.operands
    return new Code().get(index).int(VECTOR).scalar('i32Add').tee(index)
  }

  /**
   * What is computed of four elements, but the folds of rows, of which it tells the operands. What is stored behind the
   * end of a row, where that has a local with the bytes of its rest, the next row overwrites.
   */
  private vector(rest: number | null): { code: Code; operandOf: (node: Node) => number } {
    const { operands, locals, nest } = this
    const folded = new Map<Node, number>()
    const code = new Code()
    operands.nextVector()
    for (let column = 0; column < nest.columns; column++) {
      operands.nextColumn()
      for (const node of this.group.nodes) {
        const { work } = node
        const read = node.args.map((view) => operands.load(code, view, column))
        if (work.kind === 'map') this.map(node, work.operator, code, read, column)
        else if (work.kind !== 'reduce') continue
        else if (nest.columns > 1) this.foldTwo(node, work, code, read[0].local, folded)
        else if (this.rowFolds.has(node)) folded.set(node, read[0].local)
        else {
          const place = operands.placeOf(node, nest.ofReduction(work.inner, work.reduced))
          foldColumns(work.by, code, place, read[0].local, rest, locals)
        }
      }
    }
    return { code: operands.pointHere().append(code), operandOf: (node) => folded.get(node) as number }
  }

  private map(node: Node, operator: OperatorName, code: Code, read: readonly Operand[], column: number): void {
    const { operands, locals, nest } = this
    const local = locals.add('v128')
    writeOperator(operator, code, read, operands.number)
    code.set(local)
    operands.make(node, local)
    if (this.inRegisters.has(node)) return
    const { offset, ...place } = operands.placeOf(node, nest.whole)
    operands.store(code, { ...place, offset: offset + column * FLOAT }, local)
  }

  /** The first column is kept, and folded with the second one. */
  private foldTwo(node: Node, work: Reduce, code: Code, x: number, first: Map<Node, number>): void {
    const { operands, locals, nest } = this
    const kept = first.get(node)
    first.set(node, x)
    if (kept === undefined) return
    const local = locals.add('v128')
    code.get(kept).get(x).vector(folds[work.by].vector).set(local)
    operands.store(code, operands.placeOf(node, nest.ofReduction(1, work.reduced)), local)
  }
}
