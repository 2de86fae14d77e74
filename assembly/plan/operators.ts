// Elementwise operators over a block of floats: one loop each, so that nothing is asked inside a loop, and four
// vectors a round, as V8 unrolls no loop that stands in no other. src/compile/operators.ts writes the same numbers.

import {
  cosInto, expInto, expMinus1Into, log1PlusInto, logInto, sigmoidInto, sinInto, softplusInto, tanhInto,
} from '../math/arrays'
import { exp64, log64 } from '../math/f64'
import {
  acos4, acosh4, asin4, asinh4, atan4, atanh4, cosh4, erf4, sinh4, tan4,
} from '../math/special4'

// Of one operand.
const COPY: i32 = 0
const NEGATE: i32 = 1
const ABSOLUTE: i32 = 2
const SQUARE_ROOT: i32 = 3
const RECIPROCAL: i32 = 4
const SQUARE: i32 = 5
const EXP: i32 = 6
const EXP_MINUS_1: i32 = 7
const LOG: i32 = 8
const LOG_1_PLUS: i32 = 9
const SIN: i32 = 10
const COS: i32 = 11
const TAN: i32 = 12
const SINH: i32 = 13
const COSH: i32 = 14
const TANH: i32 = 15
const ASIN: i32 = 16
const ACOS: i32 = 17
const ATAN: i32 = 18
const ASINH: i32 = 19
const ACOSH: i32 = 20
const ATANH: i32 = 21
const SIGMOID: i32 = 22
const SOFTPLUS: i32 = 23
const ERF: i32 = 24
const FLOOR: i32 = 25
const CEIL: i32 = 26
const ROUND: i32 = 27
const TRUNCATE: i32 = 28
const SIGN: i32 = 29
const NOT: i32 = 30
const IS_NAN: i32 = 31
const IS_INFINITE: i32 = 32
const IS_FINITE: i32 = 33
/** 1 above 0, 0 below and at it. */
const STEP: i32 = 34

// Of two.
const ADD: i32 = 40
const SUBTRACT: i32 = 41
const MULTIPLY: i32 = 42
const DIVIDE: i32 = 43
const MAXIMUM: i32 = 44
const MINIMUM: i32 = 45
const POWER: i32 = 46
const ATAN2: i32 = 47
const EQUAL: i32 = 48
const NOT_EQUAL: i32 = 49
const GREATER: i32 = 50
const GREATER_EQUAL: i32 = 51
const AND: i32 = 52
const OR: i32 = 53

// Of three.
/** b where a ≠ 0, c elsewhere. */
const SELECT: i32 = 60
/** a b + c, rounded twice. */
const MULTIPLY_ADD: i32 = 61

// @ts-ignore: decorator
@inline
function one(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1))
}

// @ts-ignore: decorator
@inline
function isTrue(x: v128): v128 {
  return f32x4.ne(x, f32x4.splat(0))
}

// @ts-ignore: decorator
@inline
function unary4(kind: i32, x: v128): v128 {
  if (kind == NEGATE) return f32x4.neg(x)
  if (kind == ABSOLUTE) return f32x4.abs(x)
  if (kind == SQUARE_ROOT) return f32x4.sqrt(x)
  if (kind == RECIPROCAL) return f32x4.div(f32x4.splat(1), x)
  if (kind == SQUARE) return f32x4.mul(x, x)
  if (kind == STEP) return v128.bitselect(x, one(f32x4.gt(x, f32x4.splat(0))), f32x4.ne(x, x))
  return one(f32x4.eq(x, f32x4.splat(0)))
}

// @ts-ignore: decorator
@inline
function unary(kind: i32, to: usize, a: usize, bytes: i32): void {
  let k = 0
  for (; k + 64 <= bytes; k += 64) {
    v128.store(to + k, unary4(kind, v128.load(a + k)))
    v128.store(to + k, unary4(kind, v128.load(a + k, 16)), 16)
    v128.store(to + k, unary4(kind, v128.load(a + k, 32)), 32)
    v128.store(to + k, unary4(kind, v128.load(a + k, 48)), 48)
  }
  for (; k < bytes; k += 16) v128.store(to + k, unary4(kind, v128.load(a + k)))
}

/** Functions that are rare, and so asked for with every vector. */
function rare4(kind: i32, x: v128): v128 {
  switch (kind) {
    case TAN: return tan4(x)
    case SINH: return sinh4(x)
    case COSH: return cosh4(x)
    case ASIN: return asin4(x)
    case ACOS: return acos4(x)
    case ATAN: return atan4(x)
    case ASINH: return asinh4(x)
    case ACOSH: return acosh4(x)
    case ATANH: return atanh4(x)
    case ERF: return erf4(x)
    case FLOOR: return f32x4.floor(x)
    case CEIL: return f32x4.ceil(x)
    case ROUND: return f32x4.nearest(x)
    case TRUNCATE: return f32x4.trunc(x)
    case SIGN: return sign4(x)
    case IS_NAN: return one(f32x4.ne(x, x))
    case IS_INFINITE: return one(f32x4.eq(f32x4.abs(x), f32x4.splat(Infinity)))
    case IS_FINITE: return one(f32x4.lt(f32x4.abs(x), f32x4.splat(Infinity)))
  }
  return x
}

// @ts-ignore: decorator
@inline
function sign4(x: v128): v128 {
  const zero = f32x4.splat(0)
  const sign = f32x4.sub(one(f32x4.gt(x, zero)), one(f32x4.lt(x, zero)))
  return v128.bitselect(x, sign, f32x4.ne(x, x))
}

function rare(kind: i32, to: usize, a: usize, bytes: i32): void {
  for (let k = 0; k < bytes; k += 16) v128.store(to + k, rare4(kind, v128.load(a + k)))
}

/** x^y through float64; of a negative x only for whole y. */
function power32(x: f32, y: f32): f32 {
  if (y == 0 || x == 1) return 1
  if (x != x || y != y) return NaN
  const size = abs<f64>(<f64>x)
  let value: f64
  if (size == 0) value = y > 0 ? 0 : Infinity
  else if (size == Infinity) value = y > 0 ? Infinity : 0
  else if (abs<f32>(y) == Infinity) value = size == 1 ? 1 : (size > 1) == (y > 0) ? Infinity : 0
  else value = exp64(min<f64>(max<f64>(<f64>y * log64(size), -700), 700))
  if (reinterpret<i32>(x) >= 0) return <f32>value
  const whole = floor<f32>(y) == y
  if (!whole) return size == 0 || size == Infinity ? <f32>value : NaN
  return <f32>(floor<f64>(0.5 * <f64>y) * 2 == <f64>y ? value : -value)
}

function power(to: usize, a: usize, b: usize, bytes: i32): void {
  for (let k = 0; k < bytes; k += 4) store<f32>(to + k, power32(load<f32>(a + k), load<f32>(b + k)))
}

/** The angle of (x, y) in (−π, π]. */
// @ts-ignore: decorator
@inline
function angle4(y: v128, x: v128): v128 {
  const zero = f32x4.splat(0)
  const atZero = v128.and(f32x4.eq(y, zero), f32x4.eq(x, zero))
  const angle = v128.bitselect(zero, atan4(f32x4.div(y, x)), atZero)
  const half = v128.bitselect(f32x4.splat(-3.141592653589793), f32x4.splat(3.141592653589793), f32x4.lt(y, zero))
  return f32x4.add(angle, v128.and(half, f32x4.lt(x, zero)))
}

function angle(to: usize, a: usize, b: usize, bytes: i32): void {
  for (let k = 0; k < bytes; k += 16) v128.store(to + k, angle4(v128.load(a + k), v128.load(b + k)))
}

// @ts-ignore: decorator
@inline
function binary4(kind: i32, x: v128, y: v128): v128 {
  if (kind == ADD) return f32x4.add(x, y)
  if (kind == SUBTRACT) return f32x4.sub(x, y)
  if (kind == MULTIPLY) return f32x4.mul(x, y)
  if (kind == DIVIDE) return f32x4.div(x, y)
  if (kind == MAXIMUM) return f32x4.max(x, y)
  if (kind == MINIMUM) return f32x4.min(x, y)
  if (kind == EQUAL) return one(f32x4.eq(x, y))
  if (kind == NOT_EQUAL) return one(f32x4.ne(x, y))
  if (kind == GREATER) return one(f32x4.gt(x, y))
  if (kind == GREATER_EQUAL) return one(f32x4.ge(x, y))
  if (kind == AND) return one(v128.and(isTrue(x), isTrue(y)))
  return one(v128.or(isTrue(x), isTrue(y)))
}

// @ts-ignore: decorator
@inline
function binary(kind: i32, to: usize, a: usize, b: usize, bytes: i32): void {
  let k = 0
  for (; k + 64 <= bytes; k += 64) {
    v128.store(to + k, binary4(kind, v128.load(a + k), v128.load(b + k)))
    v128.store(to + k, binary4(kind, v128.load(a + k, 16), v128.load(b + k, 16)), 16)
    v128.store(to + k, binary4(kind, v128.load(a + k, 32), v128.load(b + k, 32)), 32)
    v128.store(to + k, binary4(kind, v128.load(a + k, 48), v128.load(b + k, 48)), 48)
  }
  for (; k < bytes; k += 16) v128.store(to + k, binary4(kind, v128.load(a + k), v128.load(b + k)))
}

function select(to: usize, a: usize, b: usize, c: usize, bytes: i32): void {
  for (let k = 0; k < bytes; k += 16) {
    v128.store(to + k, v128.bitselect(v128.load(b + k), v128.load(c + k), isTrue(v128.load(a + k))))
  }
}

function multiplyAdd(to: usize, a: usize, b: usize, c: usize, bytes: i32): void {
  for (let k = 0; k < bytes; k += 16) {
    v128.store(to + k, f32x4.add(f32x4.mul(v128.load(a + k), v128.load(b + k)), v128.load(c + k)))
  }
}

/**
 * to ← f(a, b, c) over `bytes`, a multiple of 16; `to` may be an operand. Of one or two operands the others are not
 * read.
 */
export function operate(kind: i32, to: usize, a: usize, b: usize, c: usize, bytes: i32): void {
  switch (kind) {
    case COPY: memory.copy(to, a, bytes); break
    case NEGATE: unary(NEGATE, to, a, bytes); break
    case ABSOLUTE: unary(ABSOLUTE, to, a, bytes); break
    case SQUARE_ROOT: unary(SQUARE_ROOT, to, a, bytes); break
    case RECIPROCAL: unary(RECIPROCAL, to, a, bytes); break
    case SQUARE: unary(SQUARE, to, a, bytes); break
    case EXP: expInto(to, a, bytes >> 2); break
    case EXP_MINUS_1: expMinus1Into(to, a, bytes >> 2); break
    case LOG: logInto(to, a, bytes >> 2); break
    case LOG_1_PLUS: log1PlusInto(to, a, bytes >> 2); break
    case SIN: sinInto(to, a, bytes >> 2); break
    case COS: cosInto(to, a, bytes >> 2); break
    case TANH: tanhInto(to, a, bytes >> 2); break
    case SIGMOID: sigmoidInto(to, a, bytes >> 2); break
    case SOFTPLUS: softplusInto(to, a, bytes >> 2); break
    case NOT: unary(NOT, to, a, bytes); break
    case STEP: unary(STEP, to, a, bytes); break
    case ADD: binary(ADD, to, a, b, bytes); break
    case SUBTRACT: binary(SUBTRACT, to, a, b, bytes); break
    case MULTIPLY: binary(MULTIPLY, to, a, b, bytes); break
    case DIVIDE: binary(DIVIDE, to, a, b, bytes); break
    case MAXIMUM: binary(MAXIMUM, to, a, b, bytes); break
    case MINIMUM: binary(MINIMUM, to, a, b, bytes); break
    case POWER: power(to, a, b, bytes); break
    case ATAN2: angle(to, a, b, bytes); break
    case EQUAL: binary(EQUAL, to, a, b, bytes); break
    case NOT_EQUAL: binary(NOT_EQUAL, to, a, b, bytes); break
    case GREATER: binary(GREATER, to, a, b, bytes); break
    case GREATER_EQUAL: binary(GREATER_EQUAL, to, a, b, bytes); break
    case AND: binary(AND, to, a, b, bytes); break
    case OR: binary(OR, to, a, b, bytes); break
    case SELECT: select(to, a, b, c, bytes); break
    case MULTIPLY_ADD: multiplyAdd(to, a, b, c, bytes); break
    default: rare(kind, to, a, bytes)
  }
}
