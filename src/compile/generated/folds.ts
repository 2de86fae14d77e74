import type { ReductionName } from '../operators.ts'
import { Code, FLOAT, type Locals, type ScalarName, type VectorName } from './code.ts'
import type { Place } from './operands.ts'

// Reductions, in the order of assembly/plan/reductions.ts.

/** How numbers are folded, and the number that leaves every other one as it is. */
export const folds: Readonly<
  Record<ReductionName, { vector: VectorName; scalar: ScalarName; readonly neutral: number }>
> = {
  sum: { vector: 'add', scalar: 'f32Add', neutral: -0 },
  max: { vector: 'maximum', scalar: 'f32Maximum', neutral: Number.NEGATIVE_INFINITY },
  min: { vector: 'minimum', scalar: 'f32Minimum', neutral: Number.POSITIVE_INFINITY },
  product: { vector: 'multiply', scalar: 'f32Multiply', neutral: 1 },
}

/** For lanes 0, 1, 2 those instructions whose lane is among the first `rest` bytes. */
function eachOfRest(code: Code, rest: number, inside: (lane: number) => Code): void {
  for (const lane of [0, 1, 2])
    code
      .int(lane * FLOAT)
      .get(rest)
      .scalar('isBelow')
      .if(inside(lane))
}

/** The fold of rows to one number each, a part of a row after the other. */
export class RowFold {
  /** Accumulators of four lanes. */
  private readonly parts: readonly number[]
  private readonly value: number
  private readonly by: (typeof folds)[ReductionName]
  private readonly to: Place

  constructor(by: ReductionName, to: Place, locals: Locals) {
    this.by = folds[by]
    this.to = to
    this.parts = [0, 1, 2, 3].map(() => locals.add('v128'))
    this.value = locals.add('f32')
  }

  /** Before a row. */
  clear(code: Code): void {
    code.get(this.to.pointer).float(this.by.neutral).scalar('f32Store').at(this.to.offset)
  }

  /** Before a part of a row. */
  begin(code: Code): void {
    const [first, ...others] = this.parts
    code.float(this.by.neutral).vector('splat').set(first)
    for (const other of others) code.get(first).set(other)
  }

  /** Into the accumulator whose turn it is. */
  inTurn(code: Code, x: number): void {
    const [a, b, c, d] = this.parts
    code.get(a).get(x).vector(this.by.vector)
    code.get(b).set(a).get(c).set(b).get(d).set(c).set(d)
  }

  /** The accumulators to the first one. */
  together(code: Code): void {
    const [a, b, c, d] = this.parts
    const { vector } = this.by
    code.get(a).get(b).vector(vector).get(c).get(d).vector(vector).vector(vector).set(a)
  }

  /** Into the first one. */
  add(code: Code, x: number): void {
    code.get(this.parts[0]).get(x).vector(this.by.vector).set(this.parts[0])
  }

  /** The lanes of the first accumulator to one number. */
  lanes(code: Code): void {
    const [s] = this.parts
    const turned = [2, 3, 0, 1].flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * FLOAT + byte))
    code
      .get(s)
      .get(s)
      .get(s)
      .vector('shuffle')
      .write(...turned)
      .vector(this.by.vector)
      .set(s)
    for (const lane of [0, 1]) code.get(s).vector('extractLane').write(lane)
    code.scalar(this.by.scalar).set(this.value)
  }

  /** And the lanes of x that are among `rest` bytes. */
  addLanes(code: Code, x: number, rest: number): void {
    const { by, value } = this
    eachOfRest(code, rest, (lane) =>
      new Code().get(value).get(x).vector('extractLane').write(lane).scalar(by.scalar).set(value),
    )
  }

  /** After a part of a row. */
  store(code: Code): void {
    const { pointer, offset } = this.to
    code.get(pointer).get(pointer).scalar('f32Load').at(offset).get(this.value)
    code.scalar(this.by.scalar).scalar('f32Store').at(offset)
  }
}

/** Folds x into the vector of an array of sums; of `rest` bytes where there is such a local. */
export function foldColumns(
  by: ReductionName,
  code: Code,
  { here, offset }: Place,
  x: number,
  rest: number | null,
  locals: Locals,
): void {
  const folded = locals.add('v128')
  code.get(here).vector('load').at(offset).get(x).vector(folds[by].vector).set(folded)
  if (rest === null) code.get(here).get(folded).vector('store').at(offset)
  // Behind the row there are other sums.
  else
    eachOfRest(code, rest, (lane) =>
      new Code()
        .get(here)
        .get(folded)
        .vector('store32Lane')
        .at(offset + lane * FLOAT)
        .write(lane),
    )
}
