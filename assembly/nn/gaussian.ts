// Diagonal Gaussians u ~ N(μ, σ²) and their images a = tanh u. Means and logarithms of standard deviations are rows of
// A floats.

import { exp32, tanh32 } from '../math/f32'
import { exp4 } from '../math/f32x4'
import { normal4, philox4 } from '../random'
import { expMinus1, log1Plus } from '../math/special4'

const HALF_LOG_2PI: f32 = 0.9189385332
const LOG_2: f32 = 0.6931471806
/** The largest float below 1: atanh of it is finite. */
const BELOW_ONE: f32 = 0.99999994

/** u = μ + σ ε, the normal numbers of A dimensions being those of one counter. */
export function gaussianSample(
  out: usize, mean: usize, logStd: usize, A: i32, step: u32, environment: u32, c3: u32, seedLo: u32, seedHi: u32,
): void {
  let noise = f32x4.splat(0)
  for (let k = 0; k < A; k++) {
    if ((k & 3) == 0) noise = normal4(philox4(k >> 2, step, environment, c3, seedLo, seedHi))
    const at = k << 2
    store<f32>(out + at, load<f32>(mean + at) + exp32(load<f32>(logStd + at)) * f32x4.extract_lane(noise, 0))
    noise = v128.shuffle<i32>(noise, noise, 1, 2, 3, 0)
  }
}

/** log N(u; μ, σ²) = −Σ_k [ (u_k − μ_k)²/2σ_k² + log σ_k + ½ log 2π ] */
export function gaussianLogProb(mean: usize, logStd: usize, u: usize, A: i32): f32 {
  let sum: f32 = 0
  for (let k = 0; k < A; k++) {
    const at = k << 2
    const logSigma = load<f32>(logStd + at)
    const z = (load<f32>(u + at) - load<f32>(mean + at)) * exp32(-logSigma)
    sum -= <f32>0.5 * z * z + logSigma + HALF_LOG_2PI
  }
  return sum
}

/** u ← tanh u, in place. */
export function squash(u: usize, A: i32): void {
  for (let k = 0; k < A; k++) store<f32>(u + (k << 2), tanh32(load<f32>(u + (k << 2))))
}

/** log(1 − tanh² u) = 2 (log 2 − |u| − log(1 + e^{−2|u|})), which neither cancels nor underflows. */
export function logSlope(u: f32): f32 {
  const a = abs<f32>(u)
  const t = exp4(f32x4.splat(<f32>-2 * a))
  return <f32>2 * (LOG_2 - a - f32x4.extract_lane(log1Plus(t), 0))
}

/** u = tanh⁻¹ a = ½ sign(a) log(1 + 2|a|/(1 − |a|)); ±1 is taken as the next float inside, so |u| ≤ 8.67. */
function unsquash(a: f32): f32 {
  const inside = min<f32>(abs<f32>(a), BELOW_ONE)
  const t = f32x4.splat(<f32>2 * inside / (<f32>1 - inside))
  return copysign<f32>(<f32>0.5 * f32x4.extract_lane(log1Plus(t), 0), a)
}

/** Unsquashes a row of A actions; returns Σ_k log(1 − a_k²). */
export function unsquashRow(out: usize, action: usize, A: i32): f32 {
  let sum: f32 = 0
  for (let k = 0; k < A; k++) {
    const u = unsquash(load<f32>(action + (k << 2)))
    store<f32>(out + (k << 2), u)
    sum += logSlope(u)
  }
  return sum
}
