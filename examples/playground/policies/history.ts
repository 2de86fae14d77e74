import type { IterationMetrics } from 'steinrl'
import type { Value } from '../shared/chart.ts'

/** What the charts show, one entry an iteration. */
export interface History {
  readonly iterations: number[]
  /** [n][iterations] A particle without a new return keeps its last. */
  readonly returns: Value[][]
  readonly best: Value[]
  readonly median: Value[]
  readonly drive: Value[]
  readonly repulsion: Value[]
}

export const emptyHistory = (): History => ({
  iterations: [],
  returns: [[]],
  best: [],
  median: [],
  drive: [],
  repulsion: [],
})

export function append(history: History, { iteration, returns, drive, repulsion }: IterationMetrics): void {
  history.iterations.push(iteration)
  returns.forEach((value, i) => {
    history.returns[i] ??= []
    history.returns[i].push(value ?? history.returns[i].at(-1) ?? null)
  })
  const known = latest(history).filter((value) => value !== null)
  history.best.push(known.length > 0 ? Math.max(...known) : null)
  history.median.push(median(known))
  history.drive.push(drive)
  history.repulsion.push(repulsion)
}

/** [n] the last return of each particle. */
export const latest = ({ returns }: History): Value[] => returns.map((values) => values.at(-1) ?? null)

/** [n] where each stands between the worst (0) and the best (1). */
export function merits(history: History): Value[] {
  const returns = latest(history)
  const known = returns.filter((value) => value !== null)
  const [low, high] = [Math.min(...known), Math.max(...known)]
  return returns.map((value) => (value === null ? null : high > low ? (value - low) / (high - low) : 1))
}

export function median(values: readonly number[]): Value {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
