import { UsageError } from '../core/errors.ts'
import { wholeLog } from '../core/logarithm.ts'
import { refuseUnknown, requireOptions } from '../core/options.ts'
import { areNumbers, isRecord, requireThat } from '../core/require.ts'
import { check, fraction, oneOf, trueOrFalse, wholeNumber } from '../core/schemas.ts'

/** Draws of any sampler, with the gradient of the log posterior there. */
export interface ScoredDraws {
  /** [n × dimension] row by row. */
  readonly draws: ArrayLike<number>
  /** [n × dimension] ∇ log p at each. */
  readonly scores: ArrayLike<number>
  readonly dimension: number
}

/** How many draws Stein thinning keeps, and in which metric. */
export interface ThinningOptions {
  /** How many draws to keep. */
  readonly keep: number
  /** Divides each coordinate by its mean absolute deviation first; default true. */
  readonly standardise?: boolean
  /**
   * Γ⁻¹ of the kernel: the identity, the identity over the squared median distance of at most 1,000 draws (`med`), that
   * times log n (`sclmed`). Default `id`.
   */
  readonly preconditioner?: 'id' | 'med' | 'sclmed'
}

/**
 * Stein thinning: the draws that together have the least kernel Stein discrepancy, chosen one after the other. Draws
 * may be chosen more than once, and a chain's burn-in and bias are left out by themselves.
 *
 *     i_t = argmin_i ½ U(x_i, x_i) + Σ_{s<t} U(x_{i_s}, x_i)
 *
 * with U the Stein kernel of (1 + (x−y)ᵀ Γ⁻¹ (x−y))^(−1/2). Time keep · n · d.
 *
 * Source: Riabiz et al. 2022 (arXiv 2005.03952), algorithm 1. The same indices as PyPI's stein-thinning 0.2.0 and, not
 * standardised, kernax 0.3.0.
 *
 * @returns [keep] rows of the draws
 * @throws UsageError for lengths that do not fit, numbers that are not finite, or a coordinate that never varies
 */
export function steinThinning(given: ScoredDraws, options: ThinningOptions): Int32Array {
  requireOptions('steinThinning', options, ['keep', 'standardise', 'preconditioner'])
  const keep = check(wholeNumber('keep', 1, 100_000_000), options.keep)
  const preconditioner = check(oneOf('preconditioner', ['id', 'med', 'sclmed']), options.preconditioner ?? 'id')
  const sample = sampleOf('steinThinning', given, options.standardise ?? true)
  const { n } = sample
  const scale = scaleOf(sample, preconditioner)
  const totals = Float64Array.from({ length: n }, (_, i) => steinKernel(sample, scale, i, i))
  const chosen = new Int32Array(keep)
  chosen[0] = leastOf(totals)
  for (let t = 1; t < keep; t++) {
    for (let i = 0; i < n; i++) totals[i] += 2 * steinKernel(sample, scale, i, chosen[t - 1])
    chosen[t] = leastOf(totals)
  }
  return chosen
}

/** How exact Stein importance weights are to be. */
export interface SteinWeightsOptions {
  /** Relative gap to the optimum at which the search ends; default 1e-6. */
  readonly tolerance?: number
}

/**
 * Stein importance weights: those on the simplex with the least kernel Stein discrepancy Σ_ij w_i w_j U(x_i, x_j),
 * whatever the draws came from. By accelerated projected gradients; memory n².
 *
 * Source: Liu & Lee 2017 (arXiv 1610.05247), equation 6.
 *
 * @returns [n] weights of at least 0 that add up to 1
 * @throws UsageError as steinThinning
 */
export function steinWeights(given: ScoredDraws, options: SteinWeightsOptions = {}): Float64Array {
  refuseUnknown('steinWeights', options, ['tolerance'])
  const { tolerance = 1e-6 } = options
  check(fraction('tolerance'), tolerance)
  const sample = sampleOf('steinWeights', given, true)
  const { n } = sample
  const U = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) U[i * n + j] = U[j * n + i] = steinKernel(sample, 1, i, j)
  const times = (w: Float64Array) => Float64Array.from({ length: n }, (_, i) => product(U, i * n, w))
  // The largest row sum bounds the largest eigenvalue.
  let bound = 0
  for (let i = 0; i < n; i++)
    bound = Math.max(
      bound,
      U.subarray(i * n, i * n + n).reduce((sum, u) => sum + Math.abs(u), 0),
    )
  let weights = new Float64Array(n).fill(1 / n)
  let ahead = weights
  let momentum = 1
  for (let round = 0; round < ROUNDS; round++) {
    const gradient = times(ahead)
    const next = ontoSimplex(ahead.map((w, i) => w - gradient[i] / bound))
    const nextMomentum = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2
    const pull = (momentum - 1) / nextMomentum
    ahead = next.map((w, i) => w + pull * (w - weights[i]))
    weights = next
    momentum = nextMomentum
    if (round % LOOK === LOOK - 1 && gapOf(weights, times(weights)) < tolerance) break
  }
  return weights
}

const ROUNDS = 20_000
const LOOK = 25

/** Of Frank and Wolfe: how much lower the value could be at most, relative to it. */
function gapOf(weights: Float64Array, gradient: Float64Array): number {
  const value = product(gradient, 0, weights)
  return (value - gradient[leastOf(gradient)]) / Math.max(Math.abs(value), 1e-300)
}

/**
 * The nearest point of the simplex.
 *
 * Source: Duchi, Shalev-Shwartz, Singer & Chandra 2008, figure 1.
 */
function ontoSimplex(v: Float64Array): Float64Array<ArrayBuffer> {
  const sorted = Float64Array.from(v).sort().reverse()
  let sum = 0
  let threshold = 0
  for (let k = 0; k < sorted.length; k++) {
    sum += sorted[k]
    const candidate = (sum - 1) / (k + 1)
    if (sorted[k] - candidate > 0) threshold = candidate
  }
  return Float64Array.from(v, (value) => Math.max(value - threshold, 0))
}

interface Sample {
  readonly n: number
  readonly d: number
  /** [n, d] */
  readonly x: Float64Array
  readonly s: Float64Array
}

function sampleOf(taker: string, given: ScoredDraws, standardise: boolean): Sample {
  requireThat(isRecord(given), taker, 'scored draws, { draws, scores, dimension }', given)
  const { draws, scores, dimension: d } = given
  for (const values of [draws, scores])
    requireThat(areNumbers(values), taker, 'draws and scores as lists of numbers', values)
  check(trueOrFalse('standardise'), standardise)
  check(wholeNumber('dimension', 1), d)
  if (draws.length === 0 || draws.length % d !== 0 || scores.length !== draws.length)
    throw new UsageError(
      `draws and scores must have the same number of rows of ${d}, got ${draws.length} and ${scores.length} numbers.`,
    )
  const x = Float64Array.from(draws)
  const s = Float64Array.from(scores)
  const bad = Math.max(
    x.findIndex((value) => !Number.isFinite(value)),
    s.findIndex((value) => !Number.isFinite(value)),
  )
  if (bad >= 0) throw new UsageError(`Draw ${Math.floor(bad / d)} or its score is not finite.`)
  const n = x.length / d
  for (let k = 0; k < d && standardise; k++) {
    let mean = 0
    for (let i = 0; i < n; i++) mean += x[i * d + k] / n
    let deviation = 0
    for (let i = 0; i < n; i++) deviation += Math.abs(x[i * d + k] - mean) / n
    if (!(deviation > 0)) throw new UsageError(`Coordinate ${k} of the draws never varies.`)
    for (let i = 0; i < n; i++) {
      x[i * d + k] /= deviation
      s[i * d + k] *= deviation
    }
  }
  return { n, d, x, s }
}

/** The factor of the identity in Γ⁻¹. */
function scaleOf({ n, d, x }: Sample, preconditioner: 'id' | 'med' | 'sclmed'): number {
  if (preconditioner === 'id') return 1
  const rows =
    n > MEDIAN_ROWS
      ? Array.from({ length: MEDIAN_ROWS }, (_, k) => Math.floor((k * (n - 1)) / (MEDIAN_ROWS - 1)))
      : [...Array(n).keys()]
  const distances: number[] = []
  rows.forEach((i, a) => {
    for (const j of rows.slice(0, a)) {
      let squares = 0
      for (let k = 0; k < d; k++) squares += (x[i * d + k] - x[j * d + k]) * (x[i * d + k] - x[j * d + k])
      distances.push(Math.sqrt(squares))
    }
  })
  const sorted = Float64Array.from(distances).sort()
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  if (!(median > 0)) throw new UsageError('Half of the draws are the same: their median distance is 0.')
  return (preconditioner === 'sclmed' ? wholeLog(Math.min(MEDIAN_ROWS, n)) : 1) / (median * median)
}

const MEDIAN_ROWS = 1000

/** U(x_i, x_j) for k = (1 + g |x−y|²)^(−1/2). */
function steinKernel({ d, x, s }: Sample, g: number, i: number, j: number): number {
  let squares = 0
  let across = 0
  let scores = 0
  for (let k = 0; k < d; k++) {
    const difference = x[i * d + k] - x[j * d + k]
    squares += difference * difference
    across += (s[i * d + k] - s[j * d + k]) * difference
    scores += s[i * d + k] * s[j * d + k]
  }
  const q = 1 + g * squares
  const root = Math.sqrt(q)
  return (-3 * g * g * squares) / (q * q * root) + (g * (d + across)) / (q * root) + scores / root
}

function product(matrix: Float64Array, from: number, w: Float64Array): number {
  let sum = 0
  for (let k = 0; k < w.length; k++) sum += matrix[from + k] * w[k]
  return sum
}

const leastOf = (values: Float64Array) => values.reduce((least, value, i) => (value < values[least] ? i : least), 0)
