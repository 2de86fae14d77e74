import { refuseUnknown } from '../core/options.ts'
import { wholePower } from '../core/power.ts'
import { check, decay, positiveFloat32, trueOrFalse } from '../core/schemas.ts'
import type { Optimizer, OptimizerArena } from './optimizers.ts'

/** Rate and memories of relativeAdam(). */
export interface RelativeAdamOptions {
  /** Length of a first step as a share of the spread; default 0.1. */
  learningRate?: number
  /** Decay of the mean; default 0.9. */
  beta1?: number
  /** Decay of the mean square, and of the way of the population's mean; default 0.99. */
  beta2?: number
  /**
   * Whether steps stay below that share of the spread at the start. Default false: steps grow with the population,
   * without end where nothing drives it back.
   */
  bounded?: boolean
}

/** Steps after which the rate has fallen to 1/√2. */
const DECAY = 1000

/**
 * Adam whose steps are a share of the population's own spread s_k in each coordinate k, and fall with time. It knows no
 * unit: particles and score in other units take the same way.
 *
 *     m ← β₁ m + (1−β₁) φ    v ← β₂ v + (1−β₂) φ²
 *     x_k ← x_k + rate/√(1 + t/1000) · s_k · (m_k/(1−β₁ᵗ)) / √(v_k/(1−β₂ᵗ))
 *     s_k² = mean_i (x_ik − x̄_k)² + p_k    p_k ← β₂ (p_k + (1−β₂)(x̄_k − c_k)²)    c_k ← c_k + (1−β₂)(x̄_k − c_k)
 *
 * p_k is the variance of the population's mean over its last 1/(1−β₂) steps: steps grow on the way to a far mode, and
 * one particle finds its own. Where all particles begin at one place in a coordinate, p_k begins at the mean square of
 * the other coordinates' spreads, or at 1.
 *
 * Source: Kingma & Ba 2015 (arXiv 1412.6980), algorithm 1; steps relative to what they move after Shazeer & Stern 2018
 * (arXiv 1804.04235, Adafactor), section 8, with the spread in place of the size, so that a shift changes nothing.
 *
 * @throws UsageError for settings that are out of range
 */
export function relativeAdam(options: RelativeAdamOptions = {}): Optimizer {
  refuseUnknown('relativeAdam', options, ['learningRate', 'beta1', 'beta2', 'bounded'])
  const rate = check(positiveFloat32('learningRate'), options.learningRate ?? 0.1)
  const beta1 = check(decay('beta1'), options.beta1 ?? 0.9)
  const beta2 = check(decay('beta2'), options.beta2 ?? 0.99)
  const bounded = check(trueOrFalse('bounded'), options.bounded ?? false)
  return {
    name: 'relative adam',
    keeps: ['mean', 'root mean square', 'way'],
    step({ view }, t) {
      const scale = scalesOf(view, { t, beta2, bounded })
      const { theta, direction, moment1, moment2 } = view
      const c1 = 1 - wholePower(beta1, t)
      const c2 = Math.sqrt(1 - wholePower(beta2, t))
      const share = (rate / Math.sqrt(1 + t / DECAY)) * (c2 / c1)
      for (let at = 0, k = 0; at < theta.length; at++, k = k + 1 < scale.length ? k + 1 : 0) {
        const phi = direction[at]
        moment1[at] = beta1 * moment1[at] + (1 - beta1) * phi
        // The root in place of the square, which float32 could not hold for |φ| above 1.8e19 or below 1e-23.
        moment2[at] = Math.sqrt(beta2 * moment2[at] * moment2[at] + (1 - beta2) * phi * phi)
        if (moment2[at] > 0) theta[at] += share * scale[k] * (moment1[at] / moment2[at])
      }
    },
  }
}

/** s_k of every coordinate; moves c_k and p_k on. */
function scalesOf(
  { theta, pathCentre, pathSpread, startSpread }: OptimizerArena['view'],
  { t, beta2, bounded }: { t: number; beta2: number; bounded: boolean },
): Float64Array {
  const { mean, spread } = momentsOf(theta, pathCentre.length)
  if (t === 1) {
    pathCentre.set(mean)
    startSpread.set(spread)
    const apart = spread.filter((value) => value > 0)
    const others = Math.sqrt(apart.reduce((sum, value) => sum + value * value, 0) / apart.length) || 1
    spread.forEach((value, k) => {
      if (value === 0) pathSpread[k] = startSpread[k] = others
    })
  }
  return spread.map((value, k) => {
    const off = mean[k] - pathCentre[k]
    pathCentre[k] += (1 - beta2) * off
    pathSpread[k] = Math.sqrt(beta2 * (pathSpread[k] * pathSpread[k] + (1 - beta2) * off * off))
    const scale = Math.sqrt(value * value + pathSpread[k] * pathSpread[k])
    return bounded ? Math.min(scale, startSpread[k]) : scale
  })
}

/** Mean and standard deviation of each of D coordinates over the particles. */
function momentsOf(theta: Float32Array, D: number): { mean: Float64Array; spread: Float64Array } {
  const n = theta.length / D
  const mean = new Float64Array(D)
  const spread = new Float64Array(D)
  for (let i = 0; i < n; i++) for (let k = 0; k < D; k++) mean[k] += theta[i * D + k]
  for (let k = 0; k < D; k++) mean[k] /= n
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < D; k++) {
      const off = theta[i * D + k] - mean[k]
      spread[k] += off * off
    }
  }
  for (let k = 0; k < D; k++) spread[k] = Math.sqrt(spread[k] / n)
  return { mean, spread }
}
