// The linear baseline in float64, its normal equations solved by elimination.

import { solve } from './linear.ts'

const CLIP = 3
const RIDGE = 1e-3

interface Model {
  mean: number[]
  deviation: number[]
  weights: number[]
  centre: number
  low: number
  high: number
}

const mean = (x: readonly number[]) => x.reduce((sum, value) => sum + value, 0) / x.length

function features(o: readonly number[], { mean: m, deviation }: Pick<Model, 'mean' | 'deviation'>): number[] {
  const z = o.map((x, k) => (deviation[k] > 0 ? Math.min(Math.max((x - m[k]) / deviation[k], -CLIP), CLIP) : 0))
  return [...z, ...z.map((x) => x * x - 1), 1]
}

/** @param seen [n, O] all observations so far, the last of which are those of the targets */
export function fitReference(seen: readonly number[][], targets: readonly number[]): Model {
  const columns = seen[0].map((_, k) => seen.map((row) => row[k]))
  const m = columns.map(mean)
  const deviation = columns.map((column, k) => Math.sqrt(mean(column.map((x) => (x - m[k]) ** 2))))
  const phi = seen.slice(-targets.length).map((o) => features(o, { mean: m, deviation }))
  const centre = mean(targets)
  const weights = solve(
    phi[0].map((_, i) => phi[0].map((_, j) => mean(phi.map((row) => row[i] * row[j])) + (i === j ? RIDGE : 0))),
    phi[0].map((_, i) => mean(phi.map((row, b) => row[i] * (targets[b] - centre)))),
  )
  return { mean: m, deviation, weights, centre, low: Math.min(...targets), high: Math.max(...targets) }
}

export function valueReference(model: Model, o: readonly number[]): number {
  const { weights, centre, low, high } = model
  const v = features(o, model).reduce((sum, x, f) => sum + x * weights[f], centre)
  return Math.min(Math.max(v, low), high)
}
