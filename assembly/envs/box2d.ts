// What the tasks of rllab share: pairs of environments in the two lanes of a vector, and the numbers of Box2D 2.3.
// Lanes never look at each other, so a row has the same bits alone, in either lane and next to any other row.

/** Joints that are off by less (m, rad) need no second correction. */
export const LINEAR_SLOP: f64 = 0.005
export const ANGULAR_SLOP: f64 = 0.03490658503988659 // 2 degrees
/** No body turns further in one frame (rad). */
export const MAX_ROTATION: f64 = 1.5707963267948966

/** The choice `physics`: 0 is Box2D's solver, 1 the exact equations. */
export const EXACT: f64 = 1

const PI_4: f64 = 0.7853981633974483
const ROUND: f64 = 6755399441055744.0 // 1.5 2^52 rounds to an integer and leaves it in the low bits
const TWO_OVER_PI: f64 = 6.36619772367581382433e-1
const PIO2_1: f64 = 1.57079632673412561417 // pi/2 in 33 bits, in the next 33 and what is left
const PIO2_2: f64 = 6.07710050630396597660e-11
const PIO2_3: f64 = 2.02226624879595063154e-21

// @ts-ignore: decorator
@inline
export function add(a: v128, b: v128): v128 {
  return f64x2.add(a, b)
}

// @ts-ignore: decorator
@inline
export function sub(a: v128, b: v128): v128 {
  return f64x2.sub(a, b)
}

// @ts-ignore: decorator
@inline
export function mul(a: v128, b: v128): v128 {
  return f64x2.mul(a, b)
}

// @ts-ignore: decorator
@inline
export function both(x: f64): v128 {
  return f64x2.splat(x)
}

/** A number of two rows: of row p in lane 0, of row q in lane 1. */
// @ts-ignore: decorator
@inline
export function load2(p: usize, q: usize, offset: usize): v128 {
  return f64x2.replace_lane(v128.load64_splat(p + offset), 1, load<f64>(q + offset))
}

// @ts-ignore: decorator
@inline
export function store2(p: usize, q: usize, x: v128, offset: usize): void {
  store<f64>(p + offset, f64x2.extract_lane(x, 0))
  store<f64>(q + offset, f64x2.extract_lane(x, 1))
}

/** The first of two neighbouring numbers of both rows, a and b as loaded. */
// @ts-ignore: decorator
@inline
export function firsts(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 0, 2)
}

/** The second one. */
// @ts-ignore: decorator
@inline
export function seconds(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3)
}

/** Stores two neighbouring numbers of both rows. */
// @ts-ignore: decorator
@inline
export function storePair2(p: usize, q: usize, first: v128, second: v128, offset: usize): void {
  v128.store(p + offset, firsts(first, second))
  v128.store(q + offset, seconds(first, second))
}

/** The actions of two rows, f32 held within ±1, times `size` (N or N m). */
// @ts-ignore: decorator
@inline
export function control2(p: usize, q: usize, size: f64): v128 {
  const action = f64x2.replace_lane(both(<f64>load<f32>(p)), 1, <f64>load<f32>(q))
  return mul(f64x2.min(f64x2.max(action, both(-1)), both(1)), both(size))
}

// @ts-ignore: decorator
@inline
function step2(a: f64, z: v128, b: v128): v128 {
  return add(both(a), mul(z, b))
}

/**
 * sin x, |x| <= pi/4: fdlibm's polynomial in pairs of terms (Estrin), whose chain is two thirds as long as Horner's.
 */
// @ts-ignore: decorator
@inline
function sinKernel2(x: v128): v128 {
  const z = mul(x, x), zz = mul(z, z)
  const low = step2(-1.66666666666666324348e-1, z, both(8.33333333332248946124e-3))
  const middle = step2(-1.98412698298579493134e-4, z, both(2.75573137070700676789e-6))
  const high = step2(-2.50507602534068634195e-8, z, both(1.58969099521155010221e-10))
  return add(x, mul(mul(x, z), add(low, mul(zz, add(middle, mul(zz, high))))))
}

/** cos x, |x| <= pi/4, in the same way. */
// @ts-ignore: decorator
@inline
function cosKernel2(x: v128): v128 {
  const z = mul(x, x), zz = mul(z, z)
  const low = step2(4.16666666666666019037e-2, z, both(-1.38888888888741095749e-3))
  const middle = step2(2.48015872894767294178e-5, z, both(-2.75573143513906633035e-7))
  const high = step2(2.08757232129817482790e-9, z, both(-1.13596475577881948265e-11))
  return add(step2(1, z, both(-0.5)), mul(zz, add(add(low, mul(zz, middle)), mul(mul(zz, zz), high))))
}

/** sin(x + shift pi/2), |error| < 2.3e-16 for |x| < 2^20; the engine computes what sine and cosine share once. */
// @ts-ignore: decorator
@inline
function sinShifted2(x: v128, shift: i64): v128 {
  const rounded = add(mul(x, both(TWO_OVER_PI)), both(ROUND))
  const count = sub(rounded, both(ROUND))
  const y = sub(sub(sub(x, mul(count, both(PIO2_1))), mul(count, both(PIO2_2))), mul(count, both(PIO2_3)))
  const quadrant = i64x2.add(rounded, i64x2.splat(shift))
  const odd = i64x2.neg(v128.and(quadrant, i64x2.splat(1)))
  const sign = i64x2.shl(v128.and(quadrant, i64x2.splat(2)), 62)
  return v128.xor(v128.bitselect(cosKernel2(y), sinKernel2(y), odd), sign)
}

// @ts-ignore: decorator
@inline
export function sin2(x: v128): v128 {
  return sinShifted2(x, 0)
}

// @ts-ignore: decorator
@inline
export function cos2(x: v128): v128 {
  return sinShifted2(x, 1)
}

/** The lanes whose turn is too large for turnedSin2 and turnedCos2: rare enough for a branch. */
// @ts-ignore: decorator
@inline
export function isFar2(turn: v128): v128 {
  return f64x2.gt(f64x2.abs(turn), both(PI_4))
}

/** sin(x + turn) from sin x and cos x, |turn| <= pi/4. */
// @ts-ignore: decorator
@inline
export function turnedSin2(sin: v128, cos: v128, turn: v128): v128 {
  return add(mul(sin, cosKernel2(turn)), mul(cos, sinKernel2(turn)))
}

/** cos(x + turn) from sin x and cos x, |turn| <= pi/4. */
// @ts-ignore: decorator
@inline
export function turnedCos2(sin: v128, cos: v128, turn: v128): v128 {
  return sub(mul(cos, cosKernel2(turn)), mul(sin, sinKernel2(turn)))
}

const NUDGE: f64 = 0.03125

/** sin x, |x| <= 1/32: Taylor's series, error < 6e-15. */
// @ts-ignore: decorator
@inline
function sinNudge2(x: v128): v128 {
  const z = mul(x, x)
  return add(x, mul(mul(x, z), step2(-1.0 / 6, z, both(1.0 / 120))))
}

/** cos x, |x| <= 1/32: Taylor's series, error < 1.3e-12, and far less for the usual correction. */
// @ts-ignore: decorator
@inline
function cosNudge2(x: v128): v128 {
  const z = mul(x, x)
  return step2(1, z, step2(-0.5, z, both(1.0 / 24)))
}

/** The lanes whose turn is too large for nudgedSin2 and nudgedCos2. */
// @ts-ignore: decorator
@inline
export function isShove2(turn: v128): v128 {
  return f64x2.gt(f64x2.abs(turn), both(NUDGE))
}

/** turnedSin2 for what a correction turns, |turn| <= 1/32: half as many terms. */
// @ts-ignore: decorator
@inline
export function nudgedSin2(sin: v128, cos: v128, turn: v128): v128 {
  return add(mul(sin, cosNudge2(turn)), mul(cos, sinNudge2(turn)))
}

/** turnedCos2 for |turn| <= 1/32. */
// @ts-ignore: decorator
@inline
export function nudgedCos2(sin: v128, cos: v128, turn: v128): v128 {
  return sub(mul(cos, cosNudge2(turn)), mul(sin, sinNudge2(turn)))
}

/** sin2 of the lanes in `far`, `near` in the others. */
export function farSin2(angle: v128, near: v128, far: v128): v128 {
  return v128.bitselect(sin2(angle), near, far)
}

/** cos2 of the lanes in `far`, `near` in the others. */
export function farCos2(angle: v128, near: v128, far: v128): v128 {
  return v128.bitselect(cos2(angle), near, far)
}
