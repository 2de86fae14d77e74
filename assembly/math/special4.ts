// Further elementary functions on four floats, from exp4, log4, sin4 and cos4: the same bits in every engine.
// Coefficients of atan, asin and erf: Cephes' single precision library. Errors are a few units in the last place.

import { cos4, exp4, log4, positive4, sin4, tanh4 } from './f32x4'

const HALF_PI: f32 = 1.5707963267948966

// @ts-ignore: decorator
@inline
function step(a: f32, z: v128, b: v128): v128 {
  return f32x4.add(f32x4.splat(a), f32x4.mul(z, b))
}

// @ts-ignore: decorator
@inline
function signOf(x: v128): v128 {
  return v128.and(x, i32x4.splat(0x80000000))
}

/** eˣ − 1 = tanh(x/2) (eˣ + 1), which keeps its digits near 0. */
// @ts-ignore: decorator
@inline
export function expMinus1(x: v128): v128 {
  return f32x4.mul(tanh4(f32x4.mul(x, f32x4.splat(0.5))), f32x4.add(exp4(x), f32x4.splat(1)))
}

/** log(1 + t): what the sum u = 1 + t has lost is in t/(u − 1) (Kahan). */
// @ts-ignore: decorator
@inline
export function log1Plus(t: v128): v128 {
  const u = f32x4.add(f32x4.splat(1), t)
  const lost = f32x4.sub(u, f32x4.splat(1))
  const itself = v128.or(f32x4.eq(lost, f32x4.splat(0)), f32x4.eq(t, f32x4.splat(Infinity)))
  return v128.bitselect(t, f32x4.div(f32x4.mul(log4(u), t), lost), itself)
}

/** 1/(1 + e^−x) */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))))
}

/** log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|) */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(positive4(x), log1Plus(exp4(f32x4.neg(f32x4.abs(x)))))
}

// @ts-ignore: decorator
@inline
export function tan4(x: v128): v128 {
  return f32x4.div(sin4(x), cos4(x))
}

/** sinh |x| = (t + t/(t + 1))/2, t = e^|x| − 1. */
// @ts-ignore: decorator
@inline
export function sinh4(x: v128): v128 {
  const t = expMinus1(f32x4.abs(x))
  const large = f32x4.eq(t, f32x4.splat(Infinity))
  const share = v128.bitselect(f32x4.splat(1), f32x4.div(t, f32x4.add(t, f32x4.splat(1))), large)
  return v128.or(f32x4.mul(f32x4.splat(0.5), f32x4.add(t, share)), signOf(x))
}

// @ts-ignore: decorator
@inline
export function cosh4(x: v128): v128 {
  const e = exp4(f32x4.abs(x))
  return f32x4.mul(f32x4.splat(0.5), f32x4.add(e, f32x4.div(f32x4.splat(1), e)))
}

// @ts-ignore: decorator
@inline
export function atan4(x: v128): v128 {
  const a = f32x4.abs(x)
  const far = f32x4.gt(a, f32x4.splat(2.414213562373095))
  const middle = v128.andnot(f32x4.gt(a, f32x4.splat(0.4142135623730950)), far)
  const one = f32x4.splat(1)
  let t = v128.bitselect(f32x4.div(f32x4.splat(-1), a), a, far)
  t = v128.bitselect(f32x4.div(f32x4.sub(a, one), f32x4.add(a, one)), t, middle)
  const start = v128.or(v128.and(far, f32x4.splat(HALF_PI)), v128.and(middle, f32x4.splat(0.7853981633974483)))
  const z = f32x4.mul(t, t)
  const p = step(-3.33329491539e-1, z, step(1.99777106478e-1, z, step(-1.38776856032e-1, z,
    f32x4.splat(8.05374449538e-2))))
  return v128.or(f32x4.add(start, f32x4.add(f32x4.mul(f32x4.mul(p, z), t), t)), signOf(x))
}

/** sin⁻¹ a for 0 ≤ a ≤ 1/2. */
// @ts-ignore: decorator
@inline
function asinSmall4(a: v128): v128 {
  const z = f32x4.mul(a, a)
  const p = step(1.6666752422e-1, z, step(7.4953002686e-2, z, step(4.5470025998e-2, z, step(2.4181311049e-2, z,
    f32x4.splat(4.2163199048e-2)))))
  return f32x4.add(a, f32x4.mul(f32x4.mul(p, z), a))
}

/** sin⁻¹ √((1 − a)/2), half of cos⁻¹ a, for a ≥ 1/2. */
// @ts-ignore: decorator
@inline
function halfAcos4(a: v128): v128 {
  return asinSmall4(f32x4.sqrt(f32x4.mul(f32x4.splat(0.5), f32x4.sub(f32x4.splat(1), a))))
}

// @ts-ignore: decorator
@inline
export function asin4(x: v128): v128 {
  const a = f32x4.abs(x)
  const beyond = f32x4.sub(f32x4.splat(HALF_PI), f32x4.mul(f32x4.splat(2), halfAcos4(a)))
  const inside = f32x4.le(a, f32x4.splat(0.5))
  return v128.or(v128.bitselect(asinSmall4(a), beyond, inside), signOf(x))
}

// @ts-ignore: decorator
@inline
export function acos4(x: v128): v128 {
  const a = f32x4.abs(x)
  const twice = f32x4.mul(f32x4.splat(2), halfAcos4(a))
  const negative = f32x4.lt(x, f32x4.splat(0))
  const beyond = v128.bitselect(f32x4.sub(f32x4.splat(2 * HALF_PI), twice), twice, negative)
  const small = v128.xor(asinSmall4(a), signOf(x))
  return v128.bitselect(f32x4.sub(f32x4.splat(HALF_PI), small), beyond, f32x4.le(a, f32x4.splat(0.5)))
}

/** sinh⁻¹ |x| = log(1 + a + a²/(1 + √(1 + a²))), a = |x|; log 2a for large a, whose square would overflow. */
// @ts-ignore: decorator
@inline
export function asinh4(x: v128): v128 {
  const a = f32x4.abs(x)
  const square = f32x4.mul(a, a)
  const root = f32x4.sqrt(f32x4.add(f32x4.splat(1), square))
  const t = f32x4.add(a, f32x4.div(square, f32x4.add(f32x4.splat(1), root)))
  const far = f32x4.add(log4(a), f32x4.splat(0.6931471805599453))
  return v128.or(v128.bitselect(far, log1Plus(t), f32x4.gt(a, f32x4.splat(1e9))), signOf(x))
}

/** cosh⁻¹ x = log(1 + t + √(2t + t²)), t = x − 1. */
// @ts-ignore: decorator
@inline
export function acosh4(x: v128): v128 {
  const t = f32x4.sub(x, f32x4.splat(1))
  const root = f32x4.sqrt(f32x4.add(f32x4.add(t, t), f32x4.mul(t, t)))
  const far = f32x4.add(log4(x), f32x4.splat(0.6931471805599453))
  return v128.bitselect(far, log1Plus(f32x4.add(t, root)), f32x4.gt(x, f32x4.splat(1e9)))
}

/** tanh⁻¹ |x| = ½ log(1 + 2a/(1 − a)), a = |x|. */
// @ts-ignore: decorator
@inline
export function atanh4(x: v128): v128 {
  const a = f32x4.abs(x)
  const t = f32x4.div(f32x4.add(a, a), f32x4.sub(f32x4.splat(1), a))
  return v128.or(f32x4.mul(f32x4.splat(0.5), log1Plus(t)), signOf(x))
}

/** 2/√π ∫₀ˣ e^−t² dt */
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), f32x4.splat(9))
  const z = f32x4.mul(a, a)
  const inside = f32x4.mul(a, step(1.128379165726710, z, step(-3.761262582423300e-1, z, step(1.128358514861418e-1, z,
    step(-2.685381193529856e-2, z, step(5.188327685732524e-3, z, step(-8.010193625184903e-4, z,
      f32x4.splat(7.853861353153693e-5))))))))
  const q = f32x4.div(f32x4.splat(1), f32x4.pmax(a, f32x4.splat(0.5)))
  const y = f32x4.mul(q, q)
  const near = step(5.638259427386472e-1, y, step(-2.741127028184656e-1, y, step(3.404879937665872e-1, y,
    step(-4.944515323274145e-1, y, step(6.210004621745983e-1, y, step(-5.824733027278666e-1, y,
      step(3.687424674597105e-1, y, step(-1.387039388740657e-1, y, f32x4.splat(2.326819970068386e-2)))))))))
  const far = step(5.641895067754075e-1, y, step(-2.820767439740514e-1, y, step(4.218463358204948e-1, y,
    step(-1.015265279202700, y, step(2.921019019210786, y, step(-7.495518717768503, y, step(1.297719955372516e1, y,
      f32x4.splat(-1.047766399936249e1))))))))
  const p = v128.bitselect(near, far, f32x4.lt(a, f32x4.splat(2)))
  const beyond = f32x4.sub(f32x4.splat(1), f32x4.mul(f32x4.mul(exp4(f32x4.neg(z)), q), p))
  return v128.or(v128.bitselect(inside, beyond, f32x4.lt(a, f32x4.splat(1))), signOf(x))
}
