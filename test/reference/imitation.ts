// Slow, obvious float64 twins of what self-imitation trains on.

import type { Network } from '../../src/nn/network.ts'
import { mlpReference } from './mlp.ts'

type Row = readonly number[]

const mean = (values: Row) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Rows less the mean of `all` over their deviation, within ±5. */
export function normalisedReference(rows: readonly Row[], all: readonly Row[]): number[][] {
  const columns = all[0].map((_, c) => all.map((row) => row[c]))
  return rows.map((row) =>
    row.map((value, c) => {
      const centre = mean(columns[c])
      const deviation = Math.max(Math.sqrt(mean(columns[c].map((other) => (other - centre) ** 2))), 1e-6)
      return Math.min(Math.max((value - centre) / deviation, -5), 5)
    }),
  )
}

/** D = 1 / (1 + e⁻ˣ): how much a row looks like one of the best trajectories. */
export const probabilityReference = (net: Network, theta: ArrayLike<number>, row: Row) =>
  1 / (1 + Math.exp(-mlpReference(net, theta, row)[0]))

/** −mean log(1 − D) over the policy's rows − Σ w log D over the best ones − 0.001 mean H(D) over the policy's rows. */
export function discriminatorLossReference(
  net: Network,
  theta: ArrayLike<number>,
  own: readonly Row[],
  best: readonly Row[],
  weights: Row,
): number {
  const scored = own.map((row) => probabilityReference(net, theta, row))
  const asPolicy = mean(scored.map((D) => -Math.log(1 - D)))
  const asBest = best.reduce((sum, row, b) => sum - weights[b] * Math.log(probabilityReference(net, theta, row)), 0)
  const entropy = mean(scored.map((D) => -D * Math.log(D) - (1 - D) * Math.log(1 - D)))
  return asPolicy + asBest - 1e-3 * entropy
}

/** Importance of drawn rows, (1 / (M P))^β with P ∝ pᵅ over M rows, the largest at 1. */
export function importanceReference(priorities: Row, rows: Row, alpha: number, beta: number): number[] {
  const powers = priorities.map((p) => p ** alpha)
  const total = powers.reduce((sum, p) => sum + p, 0)
  const importance = rows.map((row) => (1 / (priorities.length * (powers[row] / total))) ** beta)
  return importance.map((u) => u / Math.max(...importance))
}

/** ½ mean u (R − V)₊² */
export function gainLossReference(
  net: Network,
  theta: ArrayLike<number>,
  rows: readonly { readonly observation: Row; readonly target: number; readonly importance: number }[],
): number {
  return mean(
    rows.map(({ observation, target, importance }) => {
      const gain = Math.max(target - mlpReference(net, theta, observation)[0], 0)
      return (importance * gain * gain) / 2
    }),
  )
}
