import type { OperatorName } from '../operators.ts'
import type { Code, VectorName } from './code.ts'

// The instructions of operators on four floats: those of assembly/plan/operators.ts. Functions that take many, as exp,
// are not among them: the core has them in loops that keep their constants in registers.

/** A local, and the number that all its lanes are known to be. */
export interface Operand {
  readonly local: number
  readonly known: number | null
}

/** The local that has a number in all lanes. */
type NumberLocal = (value: number) => number

/** Leaves the result on the stack. */
type Emit = (code: Code, operands: readonly Operand[], number: NumberLocal) => void

const plain =
  (instruction: VectorName): Emit =>
  (code, operands) => {
    for (const { local } of operands) code.get(local)
    code.vector(instruction)
  }

/** 1 where an instruction finds it so, 0 elsewhere. */
const comparison =
  (instruction: VectorName): Emit =>
  (code, operands, number) => {
    plain(instruction)(code, operands, number)
    code.get(number(1)).vector('and')
  }

const isTrue = (code: Code, { local }: Operand, number: NumberLocal) =>
  code.get(local).get(number(0)).vector('notEqual')

const logical =
  (instruction: VectorName): Emit =>
  (code, [a, b], number) => {
    isTrue(code, a, number)
    isTrue(code, b, number).vector(instruction).get(number(1)).vector('and')
  }

/**
 * The larger or the smaller one. Of a number that is known one or two instructions do it, where the one for two vectors
 * takes eight on x64 for what it says of −0 and NaN.
 */
const bound =
  (instruction: 'maximum' | 'minimum', short: VectorName): Emit =>
  (code, operands, number) => {
    const [x, limit] = operands[0].known === null ? operands : [operands[1], operands[0]]
    const { known } = limit
    if (known === null || Number.isNaN(known) || Object.is(known, -0)) plain(instruction)(code, operands, number)
    else if (known !== 0 || instruction === 'minimum') code.get(x.local).get(limit.local).vector(short)
    else code.get(x.local).get(x.local).get(limit.local).vector('lessEqual').vector('andNot')
  }

const emitters: Partial<Record<OperatorName, Emit>> = {
  copy: (code, [x]) => void code.get(x.local),
  negate: plain('negate'),
  absolute: plain('absolute'),
  squareRoot: plain('squareRoot'),
  reciprocal: (code, [x], number) => void code.get(number(1)).get(x.local).vector('divide'),
  square: (code, [x]) => void code.get(x.local).get(x.local).vector('multiply'),
  floor: plain('floor'),
  ceil: plain('ceil'),
  round: plain('nearest'),
  truncate: plain('truncate'),
  sign: (code, [{ local: x }], number) => {
    code.get(x)
    for (const side of ['greater', 'less'] as const)
      code.get(x).get(number(0)).vector(side).get(number(1)).vector('and')
    code.vector('subtract').get(x).get(x).vector('notEqual').vector('choose')
  },
  not: (code, [x], number) => void code.get(x.local).get(number(0)).vector('equal').get(number(1)).vector('and'),
  step: (code, [{ local: x }], number) => {
    code.get(x).get(x).get(number(0)).vector('greater').get(number(1)).vector('and')
    code.get(x).get(x).vector('notEqual').vector('choose')
  },
  add: plain('add'),
  subtract: plain('subtract'),
  multiply: plain('multiply'),
  divide: plain('divide'),
  maximum: bound('maximum', 'larger'),
  minimum: bound('minimum', 'lesser'),
  equal: comparison('equal'),
  notEqual: comparison('notEqual'),
  greater: comparison('greater'),
  greaterEqual: comparison('greaterEqual'),
  and: logical('and'),
  or: logical('or'),
  select: (code, [a, b, c], number) => {
    code.get(b.local).get(c.local)
    isTrue(code, a, number).vector('choose')
  },
  multiplyAdd: (code, [a, b, c]) => void code.get(a.local).get(b.local).vector('multiply').get(c.local).vector('add'),
}

/** Whether code can be written of an operator. */
export const isWritten = (name: OperatorName) => name in emitters

/** Leaves f of the operands on the stack. */
export function writeOperator(name: OperatorName, code: Code, operands: readonly Operand[], number: NumberLocal): void {
  const emit = emitters[name]
  if (!emit) throw new Error(`There is no code for ${name}.`)
  emit(code, operands, number)
}
