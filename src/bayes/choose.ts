import { generator, uniformInteger } from '../core/generator.ts'
import { mean as meanOf } from '../core/rows.ts'
import { sdOf } from './summary.ts'

/** Passes over the chosen, and candidates that each of them is compared with. */
const PASSES = 6
const CANDIDATES = 60
/** Columns whose products count too: with more, means and variances alone. */
const MOST_PRODUCTS = 20

/**
 * n of m rows that have the means, variances and, up to twenty columns, correlations of all m: from one row of every
 * m/n, each is exchanged for the candidate that brings the sums of the features nearest to 0,
 *
 *     min |Σ_{i ∈ chosen} φ(x_i)|²,  φ = (t_k, (t_k² − 1)/sd(t_k²), ½ t_k t_l),  t = (x − mean)/sd over all rows.
 *
 * `columns` are [m] each. Returns the indices in increasing order. Time passes · n · candidates · features.
 *
 * Source: Chen, Welling & Smola 2010 (arXiv 1203.3472), herding; exchange as in Teymur et al. 2021 (arXiv 2010.07064).
 */
export function chooseRows(columns: readonly ArrayLike<number>[], n: number, seed: number): number[] {
  const m = columns[0].length
  const features = featuresOf(columns)
  const random = generator(seed)
  const chosen = Array.from({ length: n }, (_, i) => Math.floor(((i + 0.5) * m) / n))
  const taken = new Set(chosen)
  const sums = Float64Array.from(features, (feature) => chosen.reduce((sum, row) => sum + feature[row], 0))
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < n; i++) {
      const out = chosen[i]
      let best = out
      let least = distance(features, sums, out, out)
      for (let c = 0; c < CANDIDATES; c++) {
        const row = uniformInteger(random, m)
        if (taken.has(row)) continue
        const now = distance(features, sums, out, row)
        if (now < least) {
          least = now
          best = row
        }
      }
      if (best === out) continue
      for (const [f, feature] of features.entries()) sums[f] += feature[best] - feature[out]
      taken.delete(out)
      taken.add(best)
      chosen[i] = best
    }
  }
  return chosen.sort((a, b) => a - b)
}

/** |Σ φ|² with one row exchanged for another. */
function distance(features: readonly Float64Array[], sums: Float64Array, out: number, row: number): number {
  let total = 0
  for (let f = 0; f < features.length; f++) {
    const sum = sums[f] + features[f][row] - features[f][out]
    total += sum * sum
  }
  return total
}

/** Standardised columns, their squares and their products, each with mean 0 over the rows. */
function featuresOf(columns: readonly ArrayLike<number>[]): Float64Array[] {
  const standard = columns.flatMap((column) => standardised(column) ?? [])
  const squares = standard.flatMap((column) => standardised(column.map((t) => t * t)) ?? [])
  const products =
    standard.length > MOST_PRODUCTS
      ? []
      : standard.flatMap((a, k) => standard.slice(0, k).map((b) => centred(a.map((t, i) => 0.5 * t * b[i]))))
  return [...standard, ...squares, ...products]
}

/** (x − mean)/sd; null where x never varies. */
function standardised(column: ArrayLike<number>): Float64Array | null {
  const [mean, sd] = [meanOf(column), sdOf(column)]
  return sd > 0 && Number.isFinite(sd) ? Float64Array.from(column, (x) => (x - mean) / sd) : null
}

function centred(column: Float64Array): Float64Array {
  const mean = meanOf(column)
  return column.map((x) => x - mean)
}
