import { show, UsageError } from '../../core/errors.ts'

/**
 * Mean and variance of the vectors seen so far, as plain data: write it as JSON next to a policy and read it back. One record is shared
 * by all instances of the wrapped task. Freeze it for evaluation, and where steps are taken by several workers: each has a copy.
 */
export interface RunningStatistics {
  count: number
  /** [n] */
  mean: number[]
  /** [n] Σ (x − mean)², so that the variance is squares / count. */
  squares: number[]
  /** Whether values are only used, no longer counted. */
  frozen: boolean
}

/** Statistics of nothing; they take the size of the first vector. */
export const runningStatistics = (): RunningStatistics => ({ count: 0, mean: [], squares: [], frozen: false })

/** The same numbers, used and no longer changed. */
export const frozen = ({ count, mean, squares }: RunningStatistics): RunningStatistics => ({
  count,
  mean: [...mean],
  squares: [...squares],
  frozen: true,
})

/**
 * Adds one vector, unless they are frozen: mean ← mean + (x − mean)/count, squares ← squares + (x − mean before)(x − mean after).
 * Source: Welford 1962, "Note on a method for calculating corrected sums of squares and products".
 */
export function countInto(statistics: RunningStatistics, x: ArrayLike<number>): void {
  const { mean, squares } = statistics
  if (statistics.frozen) return
  statistics.count++
  for (let k = 0; k < x.length; k++) {
    const before = x[k] - mean[k]
    mean[k] += before / statistics.count
    squares[k] += before * (x[k] - mean[k])
  }
}

/** √(variance + ε) of component k; the variance of fewer than two vectors counts as 1. */
export function deviation({ count, squares }: RunningStatistics, k: number, epsilon: number): number {
  return Math.sqrt((count < 2 ? 1 : squares[k] / count) + epsilon)
}

/** Gives empty statistics their size. Throws a UsageError when they are of another. */
export function sizeStatistics(statistics: RunningStatistics, size: number): void {
  if (statistics.count === 0 && statistics.mean.length === 0) {
    statistics.mean = new Array(size).fill(0)
    statistics.squares = new Array(size).fill(0)
  }
  const { mean, squares } = statistics
  if (mean.length !== size || squares.length !== size)
    throw new UsageError(`The statistics must be of ${size} numbers, got ${show(mean.length)}.`)
}
