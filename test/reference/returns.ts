// Slow, obvious float64 twins of returns: each is the sum that its definition says, without recursion from the end.

/** One environment's steps in the order of time. */
export interface Rollout {
  readonly reward: readonly number[]
  /** V(s_t) and V(s_{t+1}); at an end the latter is that of the final observation. */
  readonly value: readonly number[]
  readonly nextValue: readonly number[]
  readonly ends: readonly ('terminated' | 'truncated' | null)[]
  readonly discount: number
}

/** How many steps from t the episode or the rollout still has. */
function stepsLeft({ ends }: Rollout, t: number): number {
  const end = ends.findIndex((kind, k) => k >= t && kind !== null)
  return (end < 0 ? ends.length - 1 : end) - t + 1
}

/** Σ_{k<m} γ^k r_{t+k} + γᵐ V(s_{t+m}), without the last term where the task ended. */
function partialReturn({ reward, nextValue, ends, discount }: Rollout, t: number, m: number): number {
  let sum = 0
  for (let k = 0; k < m; k++) sum += discount ** k * reward[t + k]
  return ends[t + m - 1] === 'terminated' ? sum : sum + discount ** m * nextValue[t + m - 1]
}

export const stepReturnsReference = (rollout: Rollout, n: number): number[] =>
  rollout.reward.map((_, t) => partialReturn(rollout, t, Math.min(n, stepsLeft(rollout, t))))

export const returnsReference = (rollout: Rollout): number[] => stepReturnsReference(rollout, Number.POSITIVE_INFINITY)

/** V(s_t) + Σ_k (γλ)^k δ_{t+k}, δ_t = r_t + γ V(s_{t+1}) − V(s_t) (Schulman et al. 2016, equation 16), up to an end. */
export function lambdaReturnsReference(rollout: Rollout, lambda: number): number[] {
  const { value, discount } = rollout
  return rollout.reward.map((_, t) => {
    let target = value[t]
    for (let k = 0; k < stepsLeft(rollout, t); k++)
      target += (discount * lambda) ** k * (partialReturn(rollout, t + k, 1) - value[t + k])
    return target
  })
}
