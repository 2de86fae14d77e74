// out[i] = f(x[i]) for i < n, float32 rows; out may equal x.
//
//   x    | 4 lanes | 4 lanes | ... | n & 3 lanes |
//   out  | 4 lanes | 4 lanes | ... | n & 3 lanes |
//
// The tail goes through the same SIMD routine, padded with its first element: bits do not depend on position, and
// nothing past n is touched.

import { cos4, exp4, log4, sin4, tanh4 } from './f32x4'
import { expMinus1, log1Plus, sigmoid4, softplus4 } from './special4'

// A constant argument to an @inline function: the compiler keeps one arm of each `if`, so one loop serves all
// functions.
const EXP: i32 = 0
const LOG: i32 = 1
const TANH: i32 = 2
const SIN: i32 = 3
const COS: i32 = 4
const EXP_MINUS_1: i32 = 5
const LOG_1_PLUS: i32 = 6
const SIGMOID: i32 = 7
const SOFTPLUS: i32 = 8

// @ts-ignore: decorator
@inline
function apply4(f: i32, x: v128): v128 {
  if (f == EXP) return exp4(x)
  if (f == LOG) return log4(x)
  if (f == TANH) return tanh4(x)
  if (f == SIN) return sin4(x)
  if (f == COS) return cos4(x)
  if (f == EXP_MINUS_1) return expMinus1(x)
  if (f == LOG_1_PLUS) return log1Plus(x)
  if (f == SIGMOID) return sigmoid4(x)
  return softplus4(x)
}

// Four vectors at a time, whose long chains of operations overlap.
// @ts-ignore: decorator
@inline
function mapInto(f: i32, out: usize, x: usize, n: i32): void {
  const end = x + (<usize>(n & ~3) << 2)
  for (; x + 64 <= end; x += 64, out += 64) {
    const y0 = apply4(f, v128.load(x))
    const y1 = apply4(f, v128.load(x, 16))
    const y2 = apply4(f, v128.load(x, 32))
    const y3 = apply4(f, v128.load(x, 48))
    v128.store(out, y0)
    v128.store(out, y1, 16)
    v128.store(out, y2, 32)
    v128.store(out, y3, 48)
  }
  while (x < end) {
    v128.store(out, apply4(f, v128.load(x)))
    x += 16
    out += 16
  }
  const rest = n & 3
  if (rest) storeTail(out, apply4(f, loadTail(x, rest)), rest)
}

/** The first `count` floats at x (1 <= count <= 3); the other lanes repeat the first. */
// @ts-ignore: decorator
@inline
export function loadTail(x: usize, count: i32): v128 {
  let v = v128.load32_splat(x)
  if (count > 1) v = v128.load_lane<f32>(x, v, 1, 4)
  if (count > 2) v = v128.load_lane<f32>(x, v, 2, 8)
  return v
}

/** Stores the first `count` lanes of v (1 <= count <= 3). */
// @ts-ignore: decorator
@inline
export function storeTail(out: usize, v: v128, count: i32): void {
  v128.store_lane<f32>(out, v, 0)
  if (count > 1) v128.store_lane<f32>(out, v, 1, 4)
  if (count > 2) v128.store_lane<f32>(out, v, 2, 8)
}

export function expInto(out: usize, x: usize, n: i32): void {
  mapInto(EXP, out, x, n)
}

export function logInto(out: usize, x: usize, n: i32): void {
  mapInto(LOG, out, x, n)
}

export function tanhInto(out: usize, x: usize, n: i32): void {
  mapInto(TANH, out, x, n)
}

export function sinInto(out: usize, x: usize, n: i32): void {
  mapInto(SIN, out, x, n)
}

export function cosInto(out: usize, x: usize, n: i32): void {
  mapInto(COS, out, x, n)
}

export function expMinus1Into(out: usize, x: usize, n: i32): void {
  mapInto(EXP_MINUS_1, out, x, n)
}

export function log1PlusInto(out: usize, x: usize, n: i32): void {
  mapInto(LOG_1_PLUS, out, x, n)
}

export function sigmoidInto(out: usize, x: usize, n: i32): void {
  mapInto(SIGMOID, out, x, n)
}

export function softplusInto(out: usize, x: usize, n: i32): void {
  mapInto(SOFTPLUS, out, x, n)
}
