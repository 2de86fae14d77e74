// Slow, obvious float64 twins of kernels on behaviour. l [n][n][rows]: l[i][j][b] is the log ratio log ρ_i/ρ at row b
// of policy j.

type Ratios = readonly (readonly (readonly number[])[])[]

/** What a row tells of D(ρ_i, ρ_j), from x = log ρ_i/ρ_j: log 2 ρ_i/(ρ_i + ρ_j), or x. */
const termOf = (divergence: 'js' | 'symmetric-kl', x: number) =>
  divergence === 'js' ? Math.log(2 / (1 + Math.exp(-x))) : x

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** exp(−D/T) with D = ½ E_i[f(ρ_i/ρ_j)] + ½ E_j[f(ρ_j/ρ_i)], at least 0. */
export function behaviourKernelReference(
  l: Ratios,
  divergence: 'js' | 'symmetric-kl',
  temperature: number,
): number[][] {
  return l.map((_, i) =>
    l.map((_, j) => {
      const forward = mean(l[i][i].map((value, b) => termOf(divergence, value - l[j][i][b])))
      const back = mean(l[j][j].map((value, b) => termOf(divergence, value - l[i][j][b])))
      return Math.exp(-Math.max((forward + back) / 2, 0) / temperature)
    }),
  )
}

/** Σ_{j≠i} k_ij f(ρ_i/ρ_j) / Σ_{j≠i} k_ij at rows whose log ratios to the mean are l [n][rows]. */
export function explorationRewardsReference(
  l: readonly (readonly number[])[],
  i: number,
  similar: readonly number[],
  divergence: 'js' | 'symmetric-kl',
): number[] {
  const others = similar.map((_, j) => j).filter((j) => j !== i)
  const total = others.reduce((sum, j) => sum + similar[j], 0)
  return l[i].map((value, b) =>
    others.reduce((sum, j) => sum + (similar[j] / total) * termOf(divergence, value - l[j][b]), 0),
  )
}
