import type { Policy } from '../../src/nn/policy.ts'
import { distributionReference, type SurrogateRows } from './distributions.ts'
import { mlpReference } from './mlp.ts'

export interface ClippedRows extends SurrogateRows {
  /** log π(a|s) of the policy that collected the rows. */
  readonly logProb: readonly number[]
}

const distributionAt = (policy: Policy, theta: ArrayLike<number>, x: readonly number[]) =>
  distributionReference(policy, mlpReference(policy.net, theta, x), theta)

/** ρ = π(a|s) / π_old(a|s) of a row: below 1 − ε, within, or above 1 + ε. */
export function ratioOf(policy: Policy, theta: ArrayLike<number>, rows: ClippedRows, b: number): number {
  return Math.exp(distributionAt(policy, theta, rows.observation[b]).logProb(rows.action[b]) - rows.logProb[b])
}

/**
 * Float64 twin of the clipped objective: Σ_b w_b ρ_b, where a row counts ρ up to 1 + ε if its advantage is positive and
 * down to 1 − ε if it is negative; plus β mean_b H.
 */
export function clippedObjectiveReference(
  policy: Policy,
  theta: ArrayLike<number>,
  rows: ClippedRows,
  { clip, entropyBonus }: { clip: number; entropyBonus: number },
): number {
  return rows.weight.reduce((sum, weight, b) => {
    const ratio = ratioOf(policy, theta, rows, b)
    const counted = weight > 0 ? Math.min(ratio, 1 + clip) : Math.max(ratio, 1 - clip)
    const entropy = distributionAt(policy, theta, rows.observation[b]).entropy(rows.noise[b])
    return sum + weight * counted + (entropyBonus * entropy) / rows.weight.length
  }, 0)
}

/**
 * Float64 twin of the imitation objective Σ_b w_b max(log π(a_b|s_b), floor): what is too improbable has no gradient.
 */
export function flooredObjectiveReference(
  policy: Policy,
  theta: ArrayLike<number>,
  { observation, action, weight }: SurrogateRows,
  floor: number,
): number {
  return weight.reduce(
    (sum, w, b) => sum + w * Math.max(distributionAt(policy, theta, observation[b]).logProb(action[b]), floor),
    0,
  )
}
