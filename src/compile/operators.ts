/** Elementwise operators, as in assembly/plan/operators.ts. */
export const Operator = {
  copy: 0,
  negate: 1,
  absolute: 2,
  squareRoot: 3,
  reciprocal: 4,
  square: 5,
  exp: 6,
  expMinus1: 7,
  log: 8,
  log1Plus: 9,
  sin: 10,
  cos: 11,
  tan: 12,
  sinh: 13,
  cosh: 14,
  tanh: 15,
  asin: 16,
  acos: 17,
  atan: 18,
  asinh: 19,
  acosh: 20,
  atanh: 21,
  sigmoid: 22,
  softplus: 23,
  erf: 24,
  floor: 25,
  ceil: 26,
  round: 27,
  truncate: 28,
  sign: 29,
  not: 30,
  isNaN: 31,
  isInfinite: 32,
  isFinite: 33,
  step: 34,
  add: 40,
  subtract: 41,
  multiply: 42,
  divide: 43,
  maximum: 44,
  minimum: 45,
  power: 46,
  atan2: 47,
  equal: 48,
  notEqual: 49,
  greater: 50,
  greaterEqual: 51,
  and: 52,
  or: 53,
  select: 60,
  multiplyAdd: 61,
} as const

export type OperatorName = keyof typeof Operator

/** Steps of a chain beside the operators, as in assembly/plan/fused.ts. */
export const Step = { load: 70, reduce: 80 } as const

/** As in assembly/plan/reductions.ts. */
export const Reduction = { sum: 0, max: 1, min: 2, product: 3 } as const

export type ReductionName = keyof typeof Reduction

/** Instructions of a plan, as in assembly/plan/run.ts. */
export const Instruction = {
  fused: 1,
  product: 2,
  copy: 3,
  fill: 4,
  pick: 5,
  addByIndex: 6,
  accumulate: 7,
  place: 8,
  mlpForward: 9,
  mlpBackward: 10,
  logProb: 11,
  logProbGradient: 12,
  entropy: 13,
  entropyGradient: 14,
} as const
