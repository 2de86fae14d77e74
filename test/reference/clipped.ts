import type { Network } from '../../src/nn/network.ts'
import { logSoftmaxReference, mlpReference } from './mlp.ts'

export interface ClippedRows {
  readonly observation: readonly (readonly number[])[]
  readonly action: readonly number[]
  readonly weight: readonly number[]
  /** log π(a|s) of the policy that collected the rows. */
  readonly logProb: readonly number[]
}

/** Where a row's ratio ρ lies: below 1 − ε, within, or above 1 + ε. */
export function ratioOf(net: Network, theta: ArrayLike<number>, rows: ClippedRows, b: number): number {
  const logProb = logSoftmaxReference(mlpReference(net, theta, rows.observation[b]))
  return Math.exp(logProb[rows.action[b]] - rows.logProb[b])
}

/**
 * Float64 twin of the clipped objective: Σ_b w_b ρ_b, where a row counts ρ up to 1 + ε if its advantage is positive and down to
 * 1 − ε if it is negative; plus β mean_b H.
 */
export function clippedObjectiveReference(
  net: Network,
  theta: ArrayLike<number>,
  rows: ClippedRows,
  { clip, entropyBonus }: { clip: number; entropyBonus: number },
): number {
  return rows.weight.reduce((sum, weight, b) => {
    const ratio = ratioOf(net, theta, rows, b)
    const counted = weight > 0 ? Math.min(ratio, 1 + clip) : Math.max(ratio, 1 - clip)
    const logProb = logSoftmaxReference(mlpReference(net, theta, rows.observation[b]))
    const entropy = -logProb.reduce((total, value) => total + Math.exp(value) * value, 0)
    return sum + weight * counted + (entropyBonus * entropy) / rows.weight.length
  }, 0)
}
