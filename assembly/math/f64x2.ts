// Sine and cosine of two doubles with the bits of f64.ts: the same operations in the same order, without branches but
// for huge angles. And what two rows of float64 take to be read as columns.

import { sinShifted } from './f64'

const PI_4: f64 = 7.85398163397448278999e-1
const TWO_OVER_PI: f64 = 6.36619772367581382433e-1
const PIO2_1: f64 = 1.57079632673412561417
const PIO2_2: f64 = 6.07710050630396597660e-11
const PIO2_REST: f64 = 2.0222662487959506e-21
const COUNT_LIMIT: f64 = 102943.7 // 2^16 pi/2
// Adding 1.5 2^52 rounds to an integer and leaves it in the low bits: cheaper than nearest and trunc_sat.
const ROUND: f64 = 6755399441055744.0

/** a + z b, the step of Horner's rule. */
// @ts-ignore: decorator
@inline
function step(a: f64, z: v128, b: v128): v128 {
  return f64x2.add(f64x2.splat(a), f64x2.mul(z, b))
}

/** sin(x + y), |x| <= pi/4, y the tail of x. */
// @ts-ignore: decorator
@inline
export function sinKernel2(x: v128, y: v128): v128 {
  const z = f64x2.mul(x, x)
  const v = f64x2.mul(z, x)
  const r = step(8.33333333332248946124e-3, z, step(-1.98412698298579493134e-4, z, step(2.75573137070700676789e-6, z,
    step(-2.50507602534068634195e-8, z, f64x2.splat(1.58969099521155010221e-10)))))
  const half = f64x2.sub(f64x2.mul(f64x2.splat(0.5), y), f64x2.mul(v, r))
  const third = f64x2.mul(v, f64x2.splat(-1.66666666666666324348e-1))
  return f64x2.sub(x, f64x2.sub(f64x2.sub(f64x2.mul(z, half), y), third))
}

/** cos(x + y), |x| <= pi/4, y the tail of x. */
// @ts-ignore: decorator
@inline
export function cosKernel2(x: v128, y: v128): v128 {
  const z = f64x2.mul(x, x)
  const r = f64x2.mul(z, step(4.16666666666666019037e-2, z, step(-1.38888888888741095749e-3, z,
    step(2.48015872894767294178e-5, z, step(-2.75573143513906633035e-7, z, step(2.08757232129817482790e-9, z,
    f64x2.splat(-1.13596475577881948265e-11)))))))
  const half = f64x2.mul(f64x2.splat(0.5), z)
  const one = f64x2.splat(1.0)
  const w = f64x2.sub(one, half)
  const tail = f64x2.sub(f64x2.mul(z, r), f64x2.mul(x, y))
  return f64x2.add(w, f64x2.add(f64x2.sub(f64x2.sub(one, w), half), tail))
}

/** The whole number nearest to x, |x| < 2^51, halves to even. */
// @ts-ignore: decorator
@inline
export function nearest2(x: v128): v128 {
  return f64x2.sub(f64x2.add(x, f64x2.splat(ROUND)), f64x2.splat(ROUND))
}

// The steps of sine and cosine stand apart so that one reduction serves both: not every engine finds that out by
// itself.
//
//   turns = quarterTurns2(x),  y = reduced2(x, turns),  tail = reducedTail2(x, turns, y)
//   s = sinKernel2(y, tail),  c = cosKernel2(y, tail)
//   sin x = sinOf2(turns, s, c),  cos x = cosOf2(turns, s, c);  where not areUsual2(x): sinOrHuge2, cosOrHuge2 of these
//
// The scalar routine reduces |x| and turns the sign back. Every step being odd or even in x, the bits are the same.

/** The multiple of pi/2 nearest to x: a count in the low bits of 1.5 2^52 + count. */
// @ts-ignore: decorator
@inline
export function quarterTurns2(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, f64x2.splat(TWO_OVER_PI)), f64x2.splat(ROUND))
}

/** y in x = count pi/2 + y + tail. A count of 0 leaves y = x and no tail, as the scalar routine has it. */
// @ts-ignore: decorator
@inline
export function reduced2(x: v128, turns: v128): v128 {
  const count = f64x2.sub(turns, f64x2.splat(ROUND))
  return f64x2.sub(f64x2.sub(x, f64x2.mul(count, f64x2.splat(PIO2_1))), f64x2.mul(count, f64x2.splat(PIO2_2)))
}

/** tail in x = count pi/2 + y + tail. */
// @ts-ignore: decorator
@inline
export function reducedTail2(x: v128, turns: v128, y: v128): v128 {
  const count = f64x2.sub(turns, f64x2.splat(ROUND))
  const r = f64x2.sub(x, f64x2.mul(count, f64x2.splat(PIO2_1)))
  const w = f64x2.mul(count, f64x2.splat(PIO2_2))
  return f64x2.sub(f64x2.sub(f64x2.sub(r, y), w), f64x2.mul(count, f64x2.splat(PIO2_REST)))
}

/** sin x from the sine s and the cosine c of what is left of x: s, c, -s, -c by quarter turns. */
// @ts-ignore: decorator
@inline
export function sinOf2(turns: v128, s: v128, c: v128): v128 {
  const sign = i64x2.shl(v128.and(turns, i64x2.splat(2)), 62)
  return v128.xor(v128.bitselect(c, s, isOdd2(turns)), sign)
}

/** cos x from the sine s and the cosine c of what is left of x: c, -s, -c, s by quarter turns. */
// @ts-ignore: decorator
@inline
export function cosOf2(turns: v128, s: v128, c: v128): v128 {
  const sign = i64x2.shl(v128.and(i64x2.add(turns, i64x2.splat(1)), i64x2.splat(2)), 62)
  return v128.xor(v128.bitselect(s, c, isOdd2(turns)), sign)
}

// @ts-ignore: decorator
@inline
function isOdd2(turns: v128): v128 {
  return i64x2.neg(v128.and(turns, i64x2.splat(1)))
}

/** Whether both angles are small enough for this reduction, and numbers. */
// @ts-ignore: decorator
@inline
export function areUsual2(x: v128): bool {
  return i64x2.bitmask(f64x2.lt(f64x2.abs(x), f64x2.splat(COUNT_LIMIT))) == 3
}

/** y, but sin x where x is huge, infinite or NaN: lane by lane, so that a lane's bits never depend on its neighbour. */
// @ts-ignore: decorator
@inline
export function sinOrHuge2(x: v128, y: v128): v128 {
  return v128.bitselect(y, sinHuge2(x, 0), f64x2.lt(f64x2.abs(x), f64x2.splat(COUNT_LIMIT)))
}

/** The same for cos x. */
// @ts-ignore: decorator
@inline
export function cosOrHuge2(x: v128, y: v128): v128 {
  return v128.bitselect(y, sinHuge2(x, 1), f64x2.lt(f64x2.abs(x), f64x2.splat(COUNT_LIMIT)))
}

function sinHuge2(x: v128, shift: i32): v128 {
  const y = f64x2.splat(sinShifted(f64x2.extract_lane(x, 0), shift))
  return f64x2.replace_lane(y, 1, sinShifted(f64x2.extract_lane(x, 1), shift))
}

/** sin x, the bits of sin64. */
// @ts-ignore: decorator
@inline
export function sin2(x: v128): v128 {
  const turns = quarterTurns2(x)
  const y = reduced2(x, turns)
  const tail = reducedTail2(x, turns, y)
  const result = sinOf2(turns, sinKernel2(y, tail), cosKernel2(y, tail))
  return areUsual2(x) ? result : sinOrHuge2(x, result)
}

/** cos x, the bits of cos64. */
// @ts-ignore: decorator
@inline
export function cos2(x: v128): v128 {
  const turns = quarterTurns2(x)
  const y = reduced2(x, turns)
  const tail = reducedTail2(x, turns, y)
  const result = cosOf2(turns, sinKernel2(y, tail), cosKernel2(y, tail))
  return areUsual2(x) ? result : cosOrHuge2(x, result)
}

/** Whether both angles are so small that sinSmall2 and cosSmall2 hold: |x| <= pi/4. */
// @ts-ignore: decorator
@inline
export function areSmall2(x: v128): bool {
  return i64x2.all_true(f64x2.le(f64x2.abs(x), f64x2.splat(PI_4)))
}

/** sin x, |x| <= pi/4, the bits of sin64. */
// @ts-ignore: decorator
@inline
export function sinSmall2(x: v128): v128 {
  return sinKernel2(x, f64x2.splat(0))
}

/** cos x, |x| <= pi/4, the bits of cos64. */
// @ts-ignore: decorator
@inline
export function cosSmall2(x: v128): v128 {
  return cosKernel2(x, f64x2.splat(0))
}

// out[i] = f(x[i]) for i < n, float64; out may equal x. An odd last one stands in both lanes.

const SIN: i32 = 0
const COS: i32 = 1
const SIN_SMALL: i32 = 2
const COS_SMALL: i32 = 3

// @ts-ignore: decorator
@inline
function apply2(f: i32, x: v128): v128 {
  if (f == SIN) return sin2(x)
  if (f == COS) return cos2(x)
  if (f == SIN_SMALL) return sinSmall2(x)
  return cosSmall2(x)
}

/**
 * V8 takes constants out of a loop only if its test stands at the end: 1.3 times as fast here and in the environments.
 */
// @ts-ignore: decorator
@inline
function mapInto(f: i32, out: usize, x: usize, n: i32): void {
  if (n <= 0) return
  let i = 0
  do {
    const other = min(i + 1, n - 1) << 3
    const pair = v128.load_lane<f64>(x + other, v128.load64_splat(x + (i << 3)), 1)
    storeEach2(out + (i << 3), out + other, apply2(f, pair))
    i += 2
  } while (i < n)
}

export function sin64Into(out: usize, x: usize, n: i32): void {
  mapInto(SIN, out, x, n)
}

export function cos64Into(out: usize, x: usize, n: i32): void {
  mapInto(COS, out, x, n)
}

/** |x| <= pi/4 */
export function sinSmall64Into(out: usize, x: usize, n: i32): void {
  mapInto(SIN_SMALL, out, x, n)
}

/** |x| <= pi/4 */
export function cosSmall64Into(out: usize, x: usize, n: i32): void {
  mapInto(COS_SMALL, out, x, n)
}

/** [p0, q0] of two pairs. */
// @ts-ignore: decorator
@inline
export function firsts2(p: v128, q: v128): v128 {
  return v128.shuffle<f64>(p, q, 0, 2)
}

/** [p1, q1] of two pairs. */
// @ts-ignore: decorator
@inline
export function seconds2(p: v128, q: v128): v128 {
  return v128.shuffle<f64>(p, q, 1, 3)
}

/** The floats at a and at b as doubles. */
// @ts-ignore: decorator
@inline
export function promoted2(a: usize, b: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load_lane<f32>(b, v128.load32_splat(a), 1))
}

/** The doubles rounded to float32, as doubles. */
// @ts-ignore: decorator
@inline
export function rounded2(x: v128): v128 {
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(x))
}

/** Writes lane 0 at a and lane 1 at b. */
// @ts-ignore: decorator
@inline
export function storeEach2(a: usize, b: usize, x: v128): void {
  v128.store_lane<f64>(a, x, 0)
  v128.store_lane<f64>(b, x, 1)
}

/** Writes 1 or 0 (u8) at a and at b for the lanes of a mask. */
// @ts-ignore: decorator
@inline
export function storeFlags2(a: usize, b: usize, mask: v128): void {
  const bits = i64x2.bitmask(mask)
  store<u8>(a, bits & 1)
  store<u8>(b, bits >> 1)
}

/** min(max(x, low), high), NaN kept. */
// @ts-ignore: decorator
@inline
export function clamp2(x: v128, low: v128, high: v128): v128 {
  return f64x2.pmin(f64x2.pmax(x, low), high)
}
