// Elementary functions in float64: the same bits in every engine, which Math.* does not promise.
// Coefficients and splittings of ln 2 and pi/2 are fdlibm's (facts); reduction and assembly are written here for one
// order of operations, no tables in memory, no global state.

const LN2_HI: f64 = 6.93147180369123816490e-1 // 33 bits: k LN2_HI is exact for |k| < 2^20
const LN2_LO: f64 = 1.90821492927058770002e-10
const LOG2_E: f64 = 1.4426950408889634

const PI_4: f64 = 7.85398163397448278999e-1
const TWO_OVER_PI: f64 = 6.36619772367581382433e-1
// pi/2 in two parts of 33 bits, each exact when multiplied by a quadrant count below 2^20, and what is left
const PIO2_1: f64 = 1.57079632673412561417
const PIO2_2: f64 = 6.07710050630396597660e-11
const PIO2_REST: f64 = 2.0222662487959506e-21
const COUNT_LIMIT: f64 = 102943.7 // 2^16 pi/2

/** y 2^k for |k| <= 1100, rounded once: the first factor leaves a normal number, so denormals are not rounded twice. */
// @ts-ignore: decorator
@inline
function scale(y: f64, k: i64): f64 {
  const half = k >> 1
  return y * reinterpret<f64>((half + 1023) << 52) * reinterpret<f64>((k - half + 1023) << 52)
}

/** eˣ, |error| <= 1 ULP (denormal results included). */
export function exp64(x: f64): f64 {
  if (x != x) return x
  const bounded = min(max(x, -746.0), 710.0) // beyond: 0 and inf already
  const count = nearest(bounded * LOG2_E)
  const hi = bounded - count * LN2_HI
  const lo = count * LN2_LO
  const r = hi - lo
  // eʳ = 1 + r + r c/(2 - c)
  const z = r * r
  const c = r - z * (1.66666666666666019037e-1 + z * (-2.77777777770155933842e-3 + z * (6.61375632143793436117e-5 +
    z * (-1.65339022054652515390e-6 + z * 4.13813679705723846039e-8))))
  return scale(1.0 - (lo - r * c / (2.0 - c) - hi), <i64>count)
}

/** log x, |error| <= 1 ULP; log 0 = -inf, log of a negative number = NaN. */
export function log64(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN
  if (x == Infinity) return x
  let k: i64 = 0
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984.0 // 2^54 lifts denormals into the normal range
    k = -54
  }
  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt 2)
  const shifted = reinterpret<i64>(x) - 0x3fe6a09e667f3bcd
  k += shifted >> 52
  const f = reinterpret<f64>((shifted & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd) - 1.0
  const s = f / (2.0 + f)
  const z = s * s
  const R = z * (6.666666666666735130e-1 + z * (3.999999999940941908e-1 + z * (2.857142874366239149e-1 +
    z * (2.222219843214978396e-1 + z * (1.818357216161805012e-1 + z * (1.531383769920937332e-1 +
    z * 1.479819860511658591e-1))))))
  const half = 0.5 * f * f
  const count = <f64>k
  return count * LN2_HI - (half - (s * (half + R) + count * LN2_LO) - f)
}

/** tanh x, |error| <= 1.5 ULP; tanh(-0) = -0. */
export function tanh64(x: f64): f64 {
  if (x != x) return x
  const a = abs(x)
  if (a >= 0.625) return copysign(1.0 - 2.0 / (exp64(2.0 * min(a, 22.0)) + 1.0), x)
  // x + x³ P(x²)/Q(x²), Cephes' coefficients: no cancellation near 0
  const z = x * x
  const p = -1.61468768441708447952e3 + z * (-9.92877231001918586564e1 + z * -9.64399179425052238628e-1)
  const q = 4.84406305325125486048e3 + z * (2.23548839060100448583e3 + z * (1.12811678491632931402e2 + z))
  return copysign(x + x * z * (p / q), x) // copysign for -0 + 0
}

/** sin(x + y), |x| <= pi/4, y the tail of x. */
// @ts-ignore: decorator
@inline
function sinKernel(x: f64, y: f64): f64 {
  const z = x * x
  const v = z * x
  const r = 8.33333333332248946124e-3 + z * (-1.98412698298579493134e-4 + z * (2.75573137070700676789e-6 +
    z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)))
  return x - (z * (0.5 * y - v * r) - y - v * -1.66666666666666324348e-1)
}

/** cos(x + y), |x| <= pi/4, y the tail of x. */
// @ts-ignore: decorator
@inline
function cosKernel(x: f64, y: f64): f64 {
  const z = x * x
  const r = z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * (2.48015872894767294178e-5 +
    z * (-2.75573143513906633035e-7 + z * (2.08757232129817482790e-9 + z * -1.13596475577881948265e-11)))))
  const half = 0.5 * z
  const w = 1.0 - half
  return w + (1.0 - w - half + (z * r - x * y)) // 1 - w - half is what rounding w lost
}

/** The high 64 bits of a b. */
// @ts-ignore: decorator
@inline
function multiplyHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff, a1 = a >> 32
  const b0 = b & 0xffffffff, b1 = b >> 32
  const low = a1 * b0 + (a0 * b0 >> 32)
  return a1 * b1 + (low >> 32) + ((a0 * b1 + (low & 0xffffffff)) >> 32)
}

/** Bits 64(i - 1) ... 64 i - 1 after the point of 2/pi; word 0 stands before the point. A switch: no data segment. */
function twoOverPiWord(i: i32): u64 {
  switch (i) {
    case 1: return 0xa2f9836e4e441529
    case 2: return 0xfc2757d1f534ddc0
    case 3: return 0xdb6295993c439041
    case 4: return 0xfe5163abdebbc561
    case 5: return 0xb7246e3a424dd2e0
    case 6: return 0x06492eea09d1921c
    case 7: return 0xfe1deb1cb129a73e
    case 8: return 0xe88235f52ebb4484
    case 9: return 0xe99c7026b45f7e41
    case 10: return 0x3991d639835339f4
    case 11: return 0x9c845f8bbdf9283b
    case 12: return 0x1ff897ffde05980f
    case 13: return 0xef2f118b5a0a6d1f
    case 14: return 0x6d367ecf27cb09b7
    case 15: return 0x4f463f669e5fea2d
    case 16: return 0x7527bac7ebe5f17b
    case 17: return 0x3d0739f78a5292ea
    case 18: return 0x6bfb5fb11f8d5d08
    case 19: return 0x56033046fc7b6bab
    default: return 0
  }
}

/**
 * Payne and Hanek (1983): (2/pi) x modulo 4 as a fixed-point number, 2 bits before the point and 126 after it, for
 * finite x >= 1. Lane 0 holds the high word. Bits of 2/pi that only add multiples of 4 are never looked at; 192 are
 * kept, 53 of them are spoilt by the cut, and no double comes nearer to a multiple of pi/2 than 2^-62.
 */
function quadrantsLarge(x: f64): v128 {
  const bits = reinterpret<u64>(x)
  const m = (bits & 0x000fffffffffffff) | 0x0010000000000000
  const position = <i32>(bits >> 52) - 1023 - 52 - 2 + 64 // x = m 2^e: the first bit that matters is number e - 1
  const word = position >> 6
  const left = <u64>(position & 63)
  const t0 = twoOverPiWord(word), t1 = twoOverPiWord(word + 1)
  const t2 = twoOverPiWord(word + 2), t3 = twoOverPiWord(word + 3)
  const w0 = (t0 << left) | (t1 >> 1 >> (63 - left))
  const w1 = (t1 << left) | (t2 >> 1 >> (63 - left))
  const w2 = (t2 << left) | (t3 >> 1 >> (63 - left))
  const carry = multiplyHigh(m, w2)
  const low = m * w1 + carry
  const high = m * w0 + multiplyHigh(m, w1) + u64(low < carry)
  return i64x2.replace_lane(i64x2.splat(high), 1, low)
}

/** sin(x + shift pi/2), shift 0 or 1: sine and cosine share the reduction. */
export function sinShifted(x: f64, shift: i32): f64 {
  const a = abs(x)
  if (a <= PI_4) {
    if (shift) return cosKernel(x, 0)
    return a < 7.450580596923828e-9 ? x : sinKernel(x, 0) // 2^-27; also keeps the sign of -0
  }
  if (!(a < Infinity)) return NaN
  let quadrant: i32
  let y0: f64, y1: f64 // a = quadrant pi/2 + y0 + y1
  if (a < COUNT_LIMIT) {
    const count = nearest(a * TWO_OVER_PI)
    quadrant = <i32>count
    const r = a - count * PIO2_1 // exact
    const w = count * PIO2_2 // exact
    // r - w with its rounding error (Dekker's two-sum: where |r| < |w| the difference is exact). What is lost in the
    // tail is less than 0.3 ULP of y0 + y1 for the double nearest to any multiple of pi/2 below the limit.
    y0 = r - w
    y1 = r - y0 - w - count * PIO2_REST
  } else {
    const fixed = quadrantsLarge(a)
    let high = <u64>i64x2.extract_lane(fixed, 0)
    let low = <u64>i64x2.extract_lane(fixed, 1)
    quadrant = <i32>(high >> 62)
    high = (high << 2) | (low >> 62)
    low <<= 2
    const negative = high >> 63 // a fraction above 1/2: count from the next multiple
    if (negative) {
      quadrant += 1
      low = ~low // the 1 that two's complement would add is worth 2^-126
      high = ~high
    }
    const zeros = clz(high) // < 64, see quadrantsLarge
    high = (high << zeros) | (low >> 1 >> (63 - zeros))
    const product = multiplyHigh(high, 0xc90fdaa22168c235) // pi/2 2^63
    const unit = reinterpret<f64>(((1023 - 63 - zeros) << 52) | (negative << 63))
    y0 = <f64>(product & ~0x7ff) * unit
    y1 = <f64>(product & 0x7ff) * unit
  }
  // sin is odd and cos even: a stands for x, the sign comes back at the end
  const turns = quadrant + shift
  const y = turns & 1 ? cosKernel(y0, y1) : sinKernel(y0, y1)
  const flip = ((turns & 2) != 0) != (shift == 0 && x < 0)
  return flip ? -y : y
}

/** sin x, |error| <= 1 ULP for every finite x; sin(-0) = -0, sin(+-inf) = NaN. */
export function sin64(x: f64): f64 {
  return sinShifted(x, 0)
}

/** cos x, |error| <= 1 ULP for every finite x; cos(+-inf) = NaN. */
export function cos64(x: f64): f64 {
  return sinShifted(x, 1)
}
