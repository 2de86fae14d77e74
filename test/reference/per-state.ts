// Slow, obvious float64 twin of the Stein direction in one state.

export interface StateReference {
  /** [F][d] */
  fixed: number[][]
  /** [F][d] */
  score: number[][]
  /** [U][d]; without it the fixed ones. */
  updated?: number[][]
}

const squaredDistance = (a: number[], b: number[]) => a.reduce((sum, value, c) => sum + (value - b[c]) ** 2, 0)

/** Every |a_i − a_j|², in ascending order. */
export const crossDistances = ({ fixed, updated = fixed }: StateReference) =>
  updated.flatMap((a) => fixed.map((b) => squaredDistance(a, b))).sort((a, b) => a - b)

/** φ(a) = 1/N Σ_j [ drive k s_j + repulsion ∇_{a_j} k ], N = F or Σ_j k */
export function directionAtReference(
  a: number[],
  { fixed, score }: Pick<StateReference, 'fixed' | 'score'>,
  h: number,
  { drive = 1, repulsion = 1, normalise = 'n' } = {},
): number[] {
  const rowSum = fixed.reduce((sum, b) => sum + Math.exp(-squaredDistance(a, b) / h), 0)
  const N = normalise === 'n' ? fixed.length : rowSum
  return a.map((value, c) => {
    const terms = fixed.map((b, j) => {
      const k = Math.exp(-squaredDistance(a, b) / h)
      return drive * k * score[j][c] + repulsion * (2 / h) * (value - b[c]) * k
    })
    return terms.reduce((sum, term) => sum + term, 0) / N
  })
}

/** 1/F Σ_j [ drive ∇_{a_i} k · s_j + repulsion tr ∇_{a_i} ∇_{a_j} k ], without j = i where both sets are one. */
export function traceReference(
  { fixed, score, updated }: StateReference,
  h: number,
  { drive = 1, repulsion = 1 } = {},
): number[] {
  return (updated ?? fixed).map((a, i) => {
    const terms = fixed.map((b, j) => {
      if (!updated && i === j) return 0
      const d2 = squaredDistance(a, b)
      const k = Math.exp(-d2 / h)
      const slope = a.reduce((sum, value, c) => sum + (-2 / h) * (value - b[c]) * k * score[j][c], 0)
      return drive * slope + repulsion * ((2 * a.length) / h - (4 * d2) / h ** 2) * k
    })
    return terms.reduce((sum, term) => sum + term, 0) / fixed.length
  })
}
