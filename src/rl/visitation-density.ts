import type { Ops } from '../core/ops.ts'
import { joined } from '../core/rows.ts'
import { forward } from '../nn/forward.ts'
import { mlp, type Network } from '../nn/network.ts'
import type { Policy } from '../nn/policy.ts'
import { stateActionSize, stateActions } from '../nn/state-action.ts'
import { tf } from '../nn/tfjs.ts'
import type { ParticleState, Visited } from './evaluator.ts'
import { type Moments, normaliseInPlace } from './normalisation.ts'

// Where policies go and what they do there, as densities learned by networks; and the reward for being where the others
// are not.

/** Divergences between the state-action visitations of two policies. */
export const divergences = ['js', 'symmetric-kl'] as const
export type Divergence = (typeof divergences)[number]

/**
 * The reward of policy i for being where the others are not, from (s, a) rows of a rollout, into out [rows]:
 *
 *     r(s, a) = Σ_{j≠i} k_ij f_ij(s, a) / Σ_{j≠i} k_ij,   f = log 2ρ_i/(ρ_i + ρ_j) (js) or log ρ_i/ρ_j (symmetric-kl)
 *
 * Its policy gradient is that of the divergences, the closest neighbours first. Source: Gangwani, Liu & Peng 2018,
 * section 3.
 *
 * @returns Σ_{j≠i} k_ij
 */
export function explorationRewards(
  out: Float64Array,
  ops: Ops,
  i: number,
  context: ParticleState,
  {
    policy,
    divergence,
    visited,
  }: { readonly policy: Policy; readonly divergence: Divergence; readonly visited: Visited },
): number {
  const { densities, densityMoments, similar } = context as {
    densities: Float32Array
    densityMoments: Moments
    similar: Float32Array
  }
  const net = densityNetwork(policy)
  const n = similar.length
  const rows = stateActions(visited.observation, visited.action, policy.observations, policy.head)
  const l = logRatios(net, densities, n, normaliseInPlace(rows, densityMoments))
  const weight = similar.reduce((sum, k, j) => sum + (j === i ? 0 : k), 0)
  const B = out.length
  out.fill(0)
  for (let j = 0; j < n; j++) {
    if (j === i) continue
    for (let b = 0; b < B; b++) {
      const ratio = l[i * B + b] - l[j * B + b]
      out[b] += (similar[j] / weight) * (divergence === 'js' ? logHalf(ratio, ops) : ratio)
    }
  }
  return weight
}

export const densityNetwork = (policy: Policy): Network =>
  mlp([stateActionSize(policy.observations, policy.head), ...HIDDEN, 1])

const HIDDEN = [100, 100, 100]

/** [n, rows] l_i of every row, kept within ± the largest. */
export function logRatios(net: Network, theta: Float32Array, n: number, rows: Float32Array): Float32Array {
  const C = net.widths[0]
  const count = rows.length / C
  const values = tf.tidy(() => {
    const x = tf.tensor3d(joined(Array(n).fill(rows)), [n, count, C])
    return forward(net, tf.tensor2d(theta.subarray(0, n * net.size), [n, net.size]), x)
  })
  const out = values.dataSync() as Float32Array
  values.dispose()
  return out.map((value) => Math.min(Math.max(value, -LARGEST_LOG_RATIO), LARGEST_LOG_RATIO))
}

/** Log ratios beyond ± this are not believed. */
const LARGEST_LOG_RATIO = 5

/** log 2 ρ_i/(ρ_i + ρ_j) of x = log ρ_i/ρ_j. */
export function logHalf(x: number, ops: Ops): number {
  return Math.LN2 - ops.log64(1 + ops.exp64(-x))
}
