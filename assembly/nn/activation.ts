import { exp4, log4, tanh4 } from '../math/f32x4'

// Kinds of activations, as in src/nn/network.ts.
export const LINEAR: i32 = 0
const TANH: i32 = 1
const RELU: i32 = 2
const ELU: i32 = 3
const SOFTPLUS: i32 = 4

/** x ← f(x), element by element. */
export function activate(x: usize, bytes: i32, kind: i32): void {
  const zero = f32x4.splat(0)
  const end = x + bytes
  if (kind == TANH) {
    for (let p = x; p < end; p += 16) v128.store(p, tanh4(v128.load(p)))
  } else if (kind == RELU) {
    for (let p = x; p < end; p += 16) v128.store(p, f32x4.max(v128.load(p), zero))
  } else if (kind == ELU) {
    // x for x > 0, eˣ − 1 below
    for (let p = x; p < end; p += 16) {
      const v = v128.load(p)
      v128.store(p, v128.bitselect(v, expMinus1(f32x4.min(v, zero)), f32x4.gt(v, zero)))
    }
  } else if (kind == SOFTPLUS) {
    // log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|)
    for (let p = x; p < end; p += 16) {
      const v = v128.load(p)
      v128.store(p, f32x4.add(f32x4.max(v, zero), log1Plus(exp4(f32x4.neg(f32x4.abs(v))))))
    }
  }
}

/** eˣ − 1 = tanh(x/2) (eˣ + 1), which keeps its digits near 0. */
// @ts-ignore: decorator
@inline
export function expMinus1(x: v128): v128 {
  return f32x4.mul(tanh4(f32x4.mul(x, f32x4.splat(0.5))), f32x4.add(exp4(x), f32x4.splat(1)))
}

/** log(1 + t) for t ≥ 0: what the sum u = 1 + t has lost is in t/(u − 1) (Kahan). */
// @ts-ignore: decorator
@inline
export function log1Plus(t: v128): v128 {
  const u = f32x4.add(f32x4.splat(1), t)
  const lost = f32x4.sub(u, f32x4.splat(1))
  const whole = f32x4.eq(lost, f32x4.splat(0))
  return v128.bitselect(t, f32x4.div(f32x4.mul(log4(u), t), lost), whole)
}

/** d ← d · f′, f′ from the activation's own value a. */
export function differentiate(d: usize, a: usize, bytes: i32, kind: i32): void {
  const zero = f32x4.splat(0)
  const one = f32x4.splat(1)
  for (let k = 0; k < bytes; k += 16) {
    const v = v128.load(a + k)
    let slope = one
    if (kind == TANH) slope = f32x4.sub(one, f32x4.mul(v, v))
    else if (kind == RELU) slope = v128.and(f32x4.gt(v, zero), one)
    else if (kind == ELU) slope = f32x4.add(one, f32x4.min(v, zero))
    // e^softplus(x) = 1 + eˣ, so f′ = 1 − e^−a
    else if (kind == SOFTPLUS) slope = f32x4.neg(expMinus1(f32x4.neg(v)))
    v128.store(d + k, f32x4.mul(v128.load(d + k), slope))
  }
}
