import { show, UsageError } from '../../core/errors.ts'
import { isList, isRecord, requireThat } from '../../core/require.ts'

/**
 * Mean and variance of the vectors seen so far, as plain data: write it as JSON next to a policy and read it back. One
 * record is shared by all instances of the wrapped task. Freeze it for evaluation, and where steps are taken by several
 * workers: each has a copy.
 */
export interface RunningStatistics {
  /** Vectors seen, and 1e-4 for what they begin with. */
  count: number
  /** [n] */
  mean: number[]
  /** [n] Σ (x − mean)², so that the variance is squares / count. */
  squares: number[]
  /** Whether values are only used, no longer counted. */
  frozen: boolean
}

/** Statistics of nothing; the wrapper that they are given to sizes them. */
export const runningStatistics = (): RunningStatistics => ({ count: 0, mean: [], squares: [], frozen: false })

/** The same numbers, used and no longer changed. */
export function frozen(statistics: RunningStatistics): RunningStatistics {
  requireStatistics('frozen', statistics)
  const { count, mean, squares } = statistics
  return { count, mean: [...mean], squares: [...squares], frozen: true }
}

/** @throws UsageError for what runningStatistics() did not give */
function requireStatistics(taker: string, statistics: RunningStatistics): void {
  const isRight = isRecord(statistics) && isList(statistics.mean) && isList(statistics.squares)
  requireThat(isRight, taker, 'the statistics that runningStatistics() gives', statistics)
}

/** What counts as seen before the first vector in Gymnasium and stable-baselines3: a variance of 1 with this weight. */
const START = 1e-4

/** How numbers are rounded on the way: not at all, or to float32 (Math.fround). */
type Rounding = (x: number) => number
const exact: Rounding = (x) => x

/**
 * Adds one vector, unless they are frozen:
 *
 *     δ = x − mean,   mean ← mean + δ/(count + 1),   squares ← squares + δ² count/(count + 1),   count ← count + 1
 *
 * Source: Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
 *
 * @param round rounds every intermediate result; the variance, squares / count, is what is kept of the squares
 */
export function countInto(statistics: RunningStatistics, x: ArrayLike<number>, round: Rounding = exact): void {
  const { count, mean, squares } = statistics
  if (statistics.frozen) return
  const total = count + 1
  for (let k = 0; k < x.length; k++) {
    const before = count > 0 ? round(round(squares[k] / count) * round(count)) : 0
    const delta = round(x[k] - mean[k])
    const added = round(round(round(delta * delta) * round(count)) / round(total))
    mean[k] = round(mean[k] + round(delta / round(total)))
    squares[k] = round(round(before + added) / round(total)) * total
  }
  statistics.count = total
}

/** √(variance + ε) of component k. */
export const deviation = (
  { count, squares }: RunningStatistics,
  k: number,
  epsilon: number,
  round: Rounding = exact,
): number => round(Math.sqrt(round(round(squares[k] / count) + round(epsilon))))

/**
 * Gives empty statistics their size: mean 0 and variance 1, which weigh little. Throws a UsageError when they are of
 * another.
 */
export function sizeStatistics(statistics: RunningStatistics, size: number): void {
  if (statistics.count === 0 && statistics.mean.length === 0) {
    statistics.count = START
    statistics.mean = new Array(size).fill(0)
    statistics.squares = new Array(size).fill(START)
  }
  const { mean, squares } = statistics
  if (mean.length !== size || squares.length !== size)
    throw new UsageError(`The statistics must be of ${size} numbers, got ${show(mean.length)}.`)
}
