// Elementary functions on four floats, branch-free (but for huge angles). Multiplications and additions are written in
// the order they are rounded; no FMA and no relaxed SIMD, so every engine gives the same bits.

import { sinShifted } from './f64'

const LN2_HI: f32 = 0.693359375 // 9 bits: k LN2_HI is exact for |k| < 2^15
const LN2_LO: f32 = -2.12194440e-4
const LOG2_E: f32 = 1.44269504
// Adding 1.5 2^23 rounds to an integer and leaves it in the low bits: cheaper than nearest and trunc_sat.
const ROUND: f32 = 12582912.0
const ROUND_BITS: i32 = 0x4b400000
// 2^27: up to here two parts of pi/2 are enough for a float's sine
const ANGLE_LIMIT: f32 = 134217728.0

/** max(x, 0), NaN kept: two instructions, where f32x4.max takes eight on x64 for what it says of -0 and NaN. */
// @ts-ignore: decorator
@inline
export function positive4(x: v128): v128 {
  return v128.andnot(x, f32x4.le(x, f32x4.splat(0)))
}

/** a + z b, the step of Horner's rule. */
// @ts-ignore: decorator
@inline
function step(a: f32, z: v128, b: v128): v128 {
  return f32x4.add(f32x4.splat(a), f32x4.mul(z, b))
}

/** q in eʳ = 1 + r + r² q, |r| <= ln2/2 (Cephes' coefficients). */
// @ts-ignore: decorator
@inline
function expTail(r: v128): v128 {
  return step(5.0000001201e-1, r, step(1.6666665459e-1, r, step(4.1665795894e-2, r, step(8.3334519073e-3, r,
    step(1.3981999507e-3, r, f32x4.splat(1.9875691500e-4))))))
}

/** eˣ, |error| <= 1 ULP, denormal results included. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // pmin and pmax keep NaN when x stands first; beyond the bounds the result is 0 and inf already
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104.0)), f32x4.splat(89.0))
  const rounded = f32x4.add(f32x4.mul(x, f32x4.splat(LOG2_E)), f32x4.splat(ROUND))
  const count = f32x4.sub(rounded, f32x4.splat(ROUND))
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(count, f32x4.splat(LN2_HI))), f32x4.mul(count, f32x4.splat(LN2_LO)))
  const y = f32x4.add(f32x4.splat(1.0), f32x4.add(r, f32x4.mul(f32x4.mul(r, r), expTail(r))))
  // 2^k as two factors: y 2^(k/2) stays normal, so that denormals and the last binade are rounded once
  const k = i32x4.sub(rounded, i32x4.splat(ROUND_BITS))
  const half = i32x4.shr_s(k, 1)
  const one = i32x4.splat(0x3f800000)
  const first = i32x4.add(i32x4.shl(half, 23), one)
  const second = i32x4.add(i32x4.shl(i32x4.sub(k, half), 23), one)
  return f32x4.mul(f32x4.mul(y, first), second)
}

/** log x, |error| <= 1 ULP, denormals included; log 0 = -inf, log of a negative number = NaN. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // 2^23 lifts denormals into the normal range
  const small = f32x4.lt(x, f32x4.splat(1.17549435e-38))
  const lifted = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608.0)), x, small)
  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt 2)
  const root = i32x4.splat(0x3f3504f3)
  const shifted = i32x4.sub(lifted, root)
  const k = i32x4.sub(i32x4.shr_s(shifted, 23), v128.and(small, i32x4.splat(23)))
  const count = f32x4.convert_i32x4_s(k)
  const f = f32x4.sub(i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), root), f32x4.splat(1.0))
  // log(1 + f) = f - f²/2 + s (f²/2 + R(s²)), s = f/(2 + f) (fdlibm)
  const s = f32x4.div(f, f32x4.add(f32x4.splat(2.0), f))
  const z = f32x4.mul(s, s)
  const R = f32x4.mul(z, step(0.66666662693, z, step(0.40000972152, z, step(0.28498786688, z,
    f32x4.splat(0.24279078841)))))
  const half = f32x4.mul(f32x4.splat(0.5), f32x4.mul(f, f))
  const tail = f32x4.add(f32x4.mul(s, f32x4.add(half, R)), f32x4.mul(count, f32x4.splat(LN2_LO)))
  const y = f32x4.add(f32x4.add(f32x4.sub(tail, half), f), f32x4.mul(count, f32x4.splat(LN2_HI)))
  // x > 0 and finite: y; +inf and NaN: x; 0: -inf; negative: NaN
  const positive = f32x4.gt(x, f32x4.splat(0.0))
  const special = v128.bitselect(f32x4.splat(-Infinity), f32x4.splat(NaN), f32x4.eq(x, f32x4.splat(0.0)))
  const finite = f32x4.lt(x, f32x4.splat(Infinity))
  return v128.bitselect(v128.bitselect(y, x, finite), special, positive)
}

/** tanh x, |error| <= 2.5 ULP, relative accuracy kept near 0; tanh(-0) = -0. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  // tanh |x| = t/(t + 2), t = e^(2|x|) - 1; beyond 9.1 it rounds to 1
  const sign = v128.and(x, i32x4.splat(0x80000000))
  const a = f32x4.pmin(v128.xor(x, sign), f32x4.splat(9.1))
  const x2 = f32x4.add(a, a)
  const rounded = f32x4.add(f32x4.mul(x2, f32x4.splat(LOG2_E)), f32x4.splat(ROUND))
  const count = f32x4.sub(rounded, f32x4.splat(ROUND))
  const r = f32x4.sub(f32x4.sub(x2, f32x4.mul(count, f32x4.splat(LN2_HI))), f32x4.mul(count, f32x4.splat(LN2_LO)))
  const e = f32x4.add(r, f32x4.mul(f32x4.mul(r, r), expTail(r))) // e^r - 1
  // shl drops what ROUND_BITS would have put above the exponent
  const power = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(0x3f800000))
  const t = f32x4.add(f32x4.mul(power, e), f32x4.sub(power, f32x4.splat(1.0)))
  return v128.or(f32x4.div(t, f32x4.add(t, f32x4.splat(2.0))), sign)
}

/** The same on two doubles. */
// @ts-ignore: decorator
@inline
function step2(a: f64, z: v128, b: v128): v128 {
  return f64x2.add(f64x2.splat(a), f64x2.mul(z, b))
}

/** sin(x + shift pi/2) of two doubles, |x| <= 2^27, with the accuracy of a float. */
// @ts-ignore: decorator
@inline
export function sinShifted2(x: v128, shift: i64): v128 {
  // 1.5 2^52 rounds to an integer and leaves it in the low bits
  const rounded = f64x2.add(f64x2.mul(x, f64x2.splat(6.36619772367581382433e-1)), f64x2.splat(6755399441055744.0))
  const count = f64x2.sub(rounded, f64x2.splat(6755399441055744.0))
  // pi/2 in 25 bits, so that its product with the count is exact, and the rest
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(count, f64x2.splat(1.57079631090164184570))),
    f64x2.mul(count, f64x2.splat(1.58932547735281966916e-8)))
  const z = f64x2.mul(r, r)
  // minimax polynomials of FreeBSD's sinf and cosf: 2^-37.5 and 2^-34.1
  const p = f64x2.mul(r, step2(1.0, z, step2(-0.166666666416265235595, z, step2(0.0083333293858894631756, z,
    step2(-0.000198393348360966317347, z, f64x2.splat(0.0000027183114939898219064))))))
  const q = step2(1.0, z, step2(-0.499999997251031003120, z, step2(0.0416666233237390631894, z,
    step2(-0.00138867637746099294692, z, f64x2.splat(0.0000243904487962774090654)))))
  const quadrant = i64x2.add(rounded, i64x2.splat(shift))
  const odd = i64x2.neg(v128.and(quadrant, i64x2.splat(1)))
  const sign = i64x2.shl(v128.and(quadrant, i64x2.splat(2)), 62)
  return v128.xor(v128.bitselect(q, p, odd), sign)
}

/** Two pairs of doubles to four floats. */
// @ts-ignore: decorator
@inline
export function demote4(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
}

// @ts-ignore: decorator
@inline
function sinShifted4(x: v128, shift: i32): v128 {
  const low = f64x2.promote_low_f32x4(x)
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 0, 1))
  const y = demote4(sinShifted2(low, shift), sinShifted2(high, shift))
  // Huge lanes are replaced one by one, so that a lane's bits never depend on its neighbours; infinities become NaN
  // here.
  const huge = f32x4.gt(f32x4.abs(x), f32x4.splat(ANGLE_LIMIT))
  if (v128.any_true(huge)) return v128.bitselect(sinHuge4(x, shift), y, huge)
  return y
}

/** The lanes of sin(x + shift pi/2) through float64: exact reduction for any angle. */
function sinHuge4(x: v128, shift: i32): v128 {
  const x0 = <f64>f32x4.extract_lane(x, 0)
  const x1 = <f64>f32x4.extract_lane(x, 1)
  const x2 = <f64>f32x4.extract_lane(x, 2)
  const x3 = <f64>f32x4.extract_lane(x, 3)
  const y = f32x4.splat(<f32>sinShifted(x0, shift))
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(y, 1, <f32>sinShifted(x1, shift)),
    2, <f32>sinShifted(x2, shift)), 3, <f32>sinShifted(x3, shift))
}

/** sin x, |error| <= 1 ULP for every finite x; sin(-0) = -0, sin(+-inf) = NaN. */
// @ts-ignore: decorator
@inline
export function sin4(x: v128): v128 {
  return sinShifted4(x, 0)
}

/** cos x, |error| <= 1 ULP for every finite x; cos(+-inf) = NaN. */
// @ts-ignore: decorator
@inline
export function cos4(x: v128): v128 {
  return sinShifted4(x, 1)
}
