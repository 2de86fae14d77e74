// u² in float32 as the C library has it. Python's u ** 2 of a numpy float32 is powf(u, 2), and glibc's powf (since
// 2.28) misses the nearest float32 where u² lies close to the middle of two: one torque of Pendulum-v1 in 1,250. What
// is published of it is followed,
//
//     x² = 2^(2 log2 x),   log2 x = k + log2 c + P(z/c − 1),   2^y = 2^(n/32) Q(y − n/32)
//
// with z = x/2^k, the polynomials P and Q and the sixteen c of S. Nagy, "Fast floating-point math", Arm optimized
// routines. The bits follow from the errors of P and Q, a few 1e-10; powers and logarithms of table entries may come
// from the routines here.

import { rounded2 } from './f64x2'
import { exp64, log64 } from './f64'

const LN2: f64 = 0.6931471805599453
/** Bits of a double behind those of a float. */
const LOW_BITS: i64 = 0x1fffffff
const MIDDLE: i64 = 0x10000000
/**
 * powf misses the nearest float within 0.0015 of the distance of two floats from their middle (600,000 numbers); ten
 * times that.
 */
const NEAR: i64 = 0x00800000
/** The least z. */
const FIRST: u32 = 0x3f330000

/** The squares of two floats, as powf(x, 2) of glibc: float32 numbers in doubles. */
// @ts-ignore: decorator
@inline
export function squares2(x: v128): v128 {
  const exact = f64x2.mul(x, x)
  const fromMiddle = i64x2.sub(v128.and(exact, i64x2.splat(LOW_BITS)), i64x2.splat(MIDDLE))
  const isNear = i64x2.lt_s(i64x2.abs(fromMiddle), i64x2.splat(NEAR))
  return v128.any_true(isNear) ? powers2(x) : rounded2(exact)
}

/** A call, so that what is seldom needed takes no registers from the loop. */
function powers2(x: v128): v128 {
  return f64x2.replace_lane(f64x2.splat(powf2(f64x2.extract_lane(x, 0))), 1, powf2(f64x2.extract_lane(x, 1)))
}

/** powf(x, 2) of a float x. */
function powf2(x: f64): f64 {
  const bits = reinterpret<u32>(<f32>abs(x))
  const top = (bits - FIRST) & 0xff800000
  const inverse = inverseOf(((bits - FIRST) >> 19) & 15)
  const r = <f64>reinterpret<f32>(bits - top) * inverse - 1
  const p = r * (1.4426950408774342 + r * (-0.7213474675006291 + r * (0.480898481472577
    + r * (-0.36092606229713164 + r * 0.288457581109214))))
  const y = 2 * (<f64>(<i32>top >> 23) - log64(inverse) / LN2 + p)
  const whole = nearest(32 * y) / 32
  const rest = y - whole
  const q = 1 + rest * (0.6931471806916203 + rest * (0.2402284522445722 + rest * 0.05550361559341535))
  return <f64><f32>(exp64(whole * LN2) * q)
}

/** 1/c of the sixteenth i of [0.7, 1.4). A switch: no data segment. */
function inverseOf(i: u32): f64 {
  switch (i) {
    case 0: return 1.398907162146528
    case 1: return 1.3403141896637998
    case 2: return 1.286432210124115
    case 3: return 1.2367150214269895
    case 4: return 1.1906977166711752
    case 5: return 1.1479821020556429
    case 6: return 1.1082251448272158
    case 7: return 1.0711297413057381
    case 8: return 1.036437278977283
    case 9: return 1
    case 10: return 0.9492859795739057
    case 11: return 0.8951049428609004
    case 12: return 0.8476821620351103
    case 13: return 0.8050314851692001
    case 14: return 0.7664671008843108
    default: return 0.731428603316328
  }
}
