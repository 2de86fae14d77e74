// Statistics of values of which some may be missing, for reports and experiments.

/** A value that may be missing. */
export type Value = number | null

/** The number, or null where it is missing, infinite or NaN. */
export function finite(x: Value | undefined): Value {
  return typeof x === 'number' && Number.isFinite(x) ? x : null
}

/** The mean of the values that are there; null when none is. */
export function meanOf(values: readonly Value[]): Value {
  const there = values.filter((x) => x !== null)
  return there.length === 0 ? null : there.reduce((sum, x) => sum + x, 0) / there.length
}

/** Of the values that are there; null when every value is missing. */
export function quantile(values: readonly Value[], q: number): Value {
  const sorted = values.filter((x) => x !== null).sort((a, b) => a - b)
  return sorted.length === 0 ? null : sortedQuantile(sorted, q)
}

/** Linear interpolation between the order statistics, as numpy's default, of one sorted value or more. */
export function sortedQuantile(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1)
  const low = sorted[Math.floor(position)]
  return low + (position % 1) * (sorted[Math.ceil(position)] - low)
}

/** Mean of the last `window` values; null where there are fewer, or one of them is missing. */
export function runningMean(values: readonly Value[], window: number): Value[] {
  return values.map((_, t) => {
    const last = values.slice(Math.max(t + 1 - window, 0), t + 1)
    return last.length < window || last.includes(null) ? null : meanOf(last)
  })
}

/** A mean over seeds. */
export interface Estimate {
  readonly mean: Value
  /** Half the width of the 95 % confidence interval, t s/√n; null for fewer than two seeds. */
  readonly halfWidth: Value
  readonly seeds: number
}

/**
 * Mean and 95 % confidence interval of normally distributed values,
 *
 *     x̄ ± t_{0.975, n−1} s/√n,   s² = Σ (x − x̄)²/(n − 1)
 *
 * With three seeds t is 4.3: the interval is wide because three values say little.
 */
export function estimate(values: readonly Value[]): Estimate {
  const there = values.filter((x) => x !== null)
  const n = there.length
  const mean = meanOf(there)
  if (mean === null || n < 2) return { mean, halfWidth: null, seeds: n }
  const variance = there.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (n - 1)
  return { mean, halfWidth: tQuantile(n - 1) * Math.sqrt(variance / n), seeds: n }
}

/** t_{0.975} of 1 … 10 degrees of freedom. */
const T_975 = [
  ...[12.706204736, 4.30265273, 3.182446305, 2.776445105, 2.570581836],
  ...[2.446911851, 2.364624252, 2.306004135, 2.262157163, 2.228138852],
]
/** Of the normal distribution. */
const Z_975 = 1.959963984540054

/**
 * The 97.5 % quantile of Student's t: a table, and from 11 degrees of freedom on its expansion in 1/ν, good to 10⁻⁵
 * there.
 *
 * Source: Abramowitz & Stegun 1964, equation 26.7.5.
 */
export function tQuantile(freedom: number): number {
  if (freedom <= T_975.length) return T_975[freedom - 1]
  const z = Z_975
  const s = z * z
  const terms = [
    z,
    (z * (s + 1)) / 4,
    (z * ((5 * s + 16) * s + 3)) / 96,
    (z * (((3 * s + 19) * s + 17) * s - 15)) / 384,
    (z * ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945)) / 92160,
  ]
  return terms.reduceRight((sum, term) => sum / freedom + term, 0)
}

/** A curve over seeds, an Estimate in each iteration. */
export interface CurveEstimate {
  readonly mean: Value[]
  readonly halfWidth: Value[]
}

/** Null wherever a seed has no value, so that the mean does not jump when one joins. */
export function estimateCurve(curves: readonly (readonly Value[] | null)[]): CurveEstimate {
  const length = Math.max(0, ...curves.map((curve) => curve?.length ?? 0))
  const points = Array.from({ length }, (_, t) => {
    const values = curves.map((curve) => curve?.[t] ?? null)
    return estimate(values.includes(null) ? [] : values)
  })
  return { mean: points.map(({ mean }) => mean), halfWidth: points.map(({ halfWidth }) => halfWidth) }
}

/** Means by name of what the gradient steps of an iteration give; null where there was none. */
export function startMeans<Name extends string>(...names: readonly Name[]) {
  const sums = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
  let steps = 0
  return {
    add(values: Readonly<Record<Name, number>>): void {
      for (const name of names) sums[name] += values[name]
      steps++
    },
    means: () =>
      Object.fromEntries(names.map((name) => [name, steps > 0 ? sums[name] / steps : null])) as Record<
        Name,
        number | null
      >,
  }
}
