import type { Transitions } from '../../src/envs/transitions.ts'

/**
 * The soft optimum of a table in float64, by sweeps of
 *
 *     Q(s, a) = Σ p ( r + γ (1 − d) V(s') )      V(s) = α log Σ_a exp(Q(s, a)/α)      π(a|s) = exp((Q(s, a) − V(s))/α)
 */
export function softOptimumOf(P: Transitions, discount: number, temperature: number, sweeps = 5000) {
  let value = P.map(() => 0)
  let q: number[][] = []
  for (let sweep = 0; sweep < sweeps; sweep++) {
    q = P.map((outcomes) =>
      outcomes.map((all) =>
        all.reduce((sum, [p, next, r, ends]) => sum + p * (r + (ends ? 0 : discount * value[next])), 0),
      ),
    )
    value = q.map((row) => {
      const most = Math.max(...row)
      return most + temperature * Math.log(row.reduce((sum, x) => sum + Math.exp((x - most) / temperature), 0))
    })
  }
  const policy = q.map((row, s) => row.map((x) => Math.exp((x - value[s]) / temperature)))
  return { q, value, policy }
}
