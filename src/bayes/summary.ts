import { UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { isRecord, requireThat } from '../core/require.ts'
import { mean as meanOf } from '../core/rows.ts'
import { check, fraction } from '../core/schemas.ts'
import { sortedQuantile } from '../core/statistics.ts'
import { columnsOf, type Draws } from './draws.ts'

/** What a number of a posterior is summed up by. */
export interface SummaryRow {
  /** As `mu`, `theta[0]`. */
  readonly name: string
  readonly mean: number
  /** Of n − 1 degrees of freedom. */
  readonly sd: number
  /** 5 %, 50 % and 95 %, with linear interpolation between draws; NaN, as all else, where a draw is. */
  readonly q5: number
  readonly median: number
  readonly q95: number
  /** The shortest interval with this share of the draws. */
  readonly hpdi: readonly [low: number, high: number]
}

/** What a summary may be told. */
export interface SummaryOptions {
  /** Share of the draws in the highest-density interval; default 0.9. */
  mass?: number
}

/**
 * Mean, standard deviation, quantiles and highest-density interval of every number of the draws, by name.
 *
 * @throws UsageError for a mass outside [0, 1]
 */
export function summary(fit: { readonly draws: Draws }, options: SummaryOptions = {}): SummaryRow[] {
  requireThat(isRecord(fit), 'summary', 'a fit, or { draws }', fit)
  refuseUnknown('summary', options, ['mass'])
  const { mass = 0.9 } = options
  check(fraction('mass'), mass)
  return columnsOf(fit.draws).map(({ label, values }) => {
    const sorted = Float64Array.from(values).sort()
    if (sorted.length === 0) throw new UsageError('A quantile needs at least one draw, got 0.')
    // Sorting puts NaN last, where it would look like a large number.
    if (Number.isNaN(sorted[sorted.length - 1])) sorted.fill(Number.NaN)
    const mean = meanOf(sorted)
    return {
      name: label,
      mean,
      sd: sdOf(sorted, mean),
      q5: sortedQuantile(sorted, 0.05),
      median: sortedQuantile(sorted, 0.5),
      q95: sortedQuantile(sorted, 0.95),
      hpdi: hpdiOf(sorted, mass),
    }
  })
}

/** With n − 1; NaN for one value. */
export function sdOf(values: ArrayLike<number>, mean = meanOf(values)): number {
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) * (values[i] - mean)
  return Math.sqrt(squares / (values.length - 1))
}

/** The shortest interval between two of the sorted values that spans this share of them. */
function hpdiOf(sorted: ArrayLike<number>, mass: number): [low: number, high: number] {
  const n = sorted.length
  const span = Math.min(Math.floor(mass * n), n - 1)
  let first = 0
  for (let i = 1; i + span < n; i++) if (sorted[i + span] - sorted[i] < sorted[first + span] - sorted[first]) first = i
  return [sorted[first], sorted[first + span]]
}
