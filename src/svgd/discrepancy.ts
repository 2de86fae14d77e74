import { type Arena, createArena } from '../core/arena.ts'
import { show, UsageError } from '../core/errors.ts'
import { f32, f64, padded } from '../core/layout.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { Purpose, type Seed, splitSeed } from '../core/random.ts'
import { check, oneOf, positiveNumber, wholeNumber } from '../core/schemas.ts'

/**
 * The kernel under a discrepancy.
 *
 * - imq, the inverse multiquadric k(x, y) = (c² + |x−y|²)^β with c > 0 (default 1, in units of x) and −1 < β < 0
 *   (default −1/2). The sound choice: for targets whose tails are not too heavy (distantly dissipative ones) the
 *   discrepancy goes to 0 only if the particles converge to the target (Gorham & Mackey 2017, arXiv 1703.01717,
 *   theorem 8).
 * - rbf, k(x, y) = exp(−|x−y|²/h), with h = bandwidth > 0 in units of x squared. In three and more dimensions its
 *   discrepancy can go to 0 for particles that do not converge (theorem 6). Default: h = med²/log(n+1), the convention
 *   'svpg-paper' of bandwidth.ts, with med the median distance; it sorts n(n−1)/2 numbers, so give many particles an h.
 */
export type DiscrepancyKernel =
  | { readonly kind: 'imq'; readonly c?: number; readonly beta?: number }
  | { readonly kind: 'rbf'; readonly bandwidth?: number }

/** A kernel with all its numbers. */
export type FixedDiscrepancyKernel =
  | { readonly kind: 'imq'; readonly c: number; readonly beta: number }
  | { readonly kind: 'rbf'; readonly bandwidth: number }

const DEFAULT_KERNEL = { kind: 'imq', c: 1, beta: -0.5 } as const satisfies FixedDiscrepancyKernel

/** Particles, and their scores under the target. */
export interface DiscrepancyOptions {
  /** [n × dimension] row by row. Read as float32. */
  particles: ArrayLike<number>
  /** [n × dimension] s(x_i) = ∇ log p(x_i), row by row. Read as float32. */
  scores: ArrayLike<number>
  dimension: number
  /** Default the inverse multiquadric with c = 1, β = −1/2. */
  kernel?: DiscrepancyKernel
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
}

const OPTIONS = namesOf<DiscrepancyOptions>({
  ...{ particles: true, scores: true, dimension: true, kernel: true, core: true },
})

/** A kernel Stein discrepancy and the two estimates of its square. */
export interface Discrepancy {
  /** √ of squaredV: the kernel Stein discrepancy of the particles, as they are, from the target. At least 0. */
  readonly discrepancy: number
  /** 1/n² Σ_ij U(x_i, x_j), at least 0. */
  readonly squaredV: number
  /**
   * 1/(n(n−1)) Σ_{i≠j} U(x_i, x_j), an unbiased estimate from independent particles, so it may be negative. null for
   * one particle, which has no pair.
   */
  readonly squaredU: number | null
}

/** Particles, scores and how often the bootstrap draws. */
export interface GoodnessOfFitOptions extends DiscrepancyOptions {
  /** Bootstrap replicates, default 1000, at most 1000000. */
  replicates?: number
  /** Of the bootstrap weights. Default 0. */
  seed?: number
}

/** What the bootstrap test comes to. */
export interface GoodnessOfFit {
  /** The U-statistic of the squared discrepancy. */
  readonly statistic: number
  /** From 1/(1 + replicates) to 1; small: these particles are unlikely to come from the target. */
  readonly pValue: number
  /** [replicates] the statistic under the null hypothesis. */
  readonly bootstrap: Float64Array
}

/**
 * The kernel Stein discrepancy: how far particles are from a target of which only the score s = ∇ log p is known.
 *
 *     U(x, y) = k(x, y) s(x)·s(y) + s(x)·∇_y k + s(y)·∇_x k + tr ∇_x ∇_y k
 *     squaredV = 1/n² Σ_ij U(x_i, x_j)      squaredU = 1/(n(n−1)) Σ_{i≠j} U(x_i, x_j)      discrepancy = √squaredV
 *
 * With the same kernel, squaredV is ‖φ‖² of the direction φ that SVGD would take, as a function in the kernel's space.
 * Time n² dimension / 2, memory as the input; float64 arithmetic on float32 input.
 * Source: Liu, Lee & Jordan 2016 (arXiv 1602.03253), theorem 3.6 (U) and section 4 (U-statistic); Chwialkowski,
 * Strathmann & Gretton 2016 (arXiv 1602.02964), section 2 (V-statistic); Gorham & Mackey 2017 (arXiv 1703.01717),
 * proposition 2.
 *
 * @throws UsageError for lengths that are no multiple of dimension or differ, for a particle or score that is not
 *   finite (naming its row), for c ≤ 0, β outside (−1, 0) or bandwidth ≤ 0, and for a kernel so narrow that U overflows
 *   float64
 */
export async function steinDiscrepancy(options: DiscrepancyOptions): Promise<Discrepancy> {
  requireOptions('steinDiscrepancy', options, OPTIONS)
  const { n, d } = sampleSize(options)
  const sample = await createArena(await compileCore(options.core), sampleFields(n, d))
  return measure(sample, options, n, d).result
}

/**
 * Tests whether independent particles come from the target, by the weighted bootstrap of the degenerate U-statistic:
 *
 *     S = 1/(n(n−1)) Σ_{i≠j} U_ij
 *     S* = n/(n−1) Σ_{i≠j} (w_i − 1/n)(w_j − 1/n) U_ij      n w ~ Multinomial(n; 1/n, …, 1/n)
 *     p = (1 + #{S* ≥ S}) / (1 + replicates)
 *
 * The factor n/(n−1), which the paper leaves out, puts S* on the scale of S. Under the null hypothesis p ≤ α happens
 * with a probability that tends to α. Independence matters: for the states of a Markov chain p is too small, and the
 * particles of SVGD, which repel each other, are no sample at all; compare their discrepancies instead. Time
 * (dimension + replicates) n² / 2, memory 4 n² bytes. Replicate r depends on (seed, r) alone. Source: Liu, Lee & Jordan
 * 2016 (arXiv 1602.03253), section 4, after Arcones & Giné 1992 and Hušková & Janssen 1993.
 *
 * @throws UsageError as steinDiscrepancy, for fewer than 2 particles, and for replicates or a seed out of range
 */
export async function goodnessOfFit(options: GoodnessOfFitOptions): Promise<GoodnessOfFit> {
  requireOptions('goodnessOfFit', options, [...OPTIONS, 'replicates', 'seed'])
  const { n, d } = sampleSize(options)
  if (n < 2) throw new UsageError(`goodnessOfFit needs at least 2 particles, got ${n}.`)
  const replicates = check(wholeNumber('replicates', 1, 1000000), options.replicates ?? 1000)
  const seed = splitSeed(check(wholeNumber('seed', 0), options.seed ?? 0))
  const arena = await createArena(await compileCore(options.core), { ...sampleFields(n, d), ...bootstrapFields(n) })
  const { result, kernel } = measure(arena, options, n, d)
  const { ops, at } = arena
  ops.steinPairsInto(at.pairs, at.particles, at.scores, n, d, ...kernelArguments(kernel))
  const statistic = result.squaredU as number
  const bootstrap = bootstrapStatistics(arena, n, replicates, seed)
  const above = bootstrap.reduce((count, value) => (value >= statistic ? count + 1 : count), 0)
  return { statistic, pValue: (1 + above) / (1 + replicates), bootstrap }
}

/**
 * The discrepancy of n particles of d coordinates that lie in an arena already. Needs no scratch and checks nothing;
 * `x` and `score` are f32 rows [n, D], D = d rounded up to a multiple of 4 with a dead tail of zeros. Equations:
 * steinDiscrepancy.
 */
export function discrepancyAt(
  ops: Ops,
  { x, score }: { readonly x: Pointer; readonly score: Pointer },
  n: number,
  d: number,
  kernel: FixedDiscrepancyKernel = DEFAULT_KERNEL,
): Discrepancy {
  const [kind, a, b] = kernelArguments(kernel)
  const diagonal = ops.steinDiagonal(x, score, n, d, kind, a, b)
  const offDiagonal = 2 * ops.steinPairs(x, score, n, d, kind, a, b)
  // Rounding may leave a sum that cannot be negative a little below 0.
  const squaredV = Math.max(0, (diagonal + offDiagonal) / (n * n))
  return {
    discrepancy: Math.sqrt(squaredV),
    squaredV,
    squaredU: n > 1 ? offDiagonal / (n * (n - 1)) : null,
  }
}

/** kind, a and b of assembly/svgd/discrepancy.ts. */
function kernelArguments(kernel: FixedDiscrepancyKernel): [kind: number, a: number, b: number] {
  return kernel.kind === 'rbf' ? [0, kernel.bandwidth, 0] : [1, kernel.c * kernel.c, kernel.beta]
}

function sampleFields(n: number, d: number) {
  return {
    /** [n, D] */
    particles: f32(n, padded(d)),
    /** [n, D] s = ∇ log p of each particle. */
    scores: f32(n, padded(d)),
  }
}

type Sample = Arena<ReturnType<typeof sampleFields>>

/** How many replicates weightPairs4 takes at once. */
const LANES = 4

function bootstrapFields(n: number) {
  return {
    /** [n(n−1)/2] U_ij of the pairs i > j. */
    pairs: f64((n * (n - 1)) / 2),
    /** [n, LANES] n w_i − 1 of each replicate: how often particle i was drawn, less its mean. */
    weights: f64(n, LANES),
    /** [LANES] Σ_{i>j} (n w_i − 1)(n w_j − 1) U_ij of each replicate. */
    sums: f64(LANES),
    /** [n] in [0, 1). */
    uniforms: f32(n),
  }
}

type BootstrapArena = Arena<ReturnType<typeof bootstrapFields>>

/** Checks the input, writes it into the arena and computes the discrepancy. */
function measure(sample: Sample, options: DiscrepancyOptions, n: number, d: number) {
  copyRows('particles', sample.view.particles, options.particles, n, d)
  copyRows('scores', sample.view.scores, options.scores, n, d)
  const kernel = fixKernel(sample, n, d, options.kernel)
  const result = discrepancyAt(sample.ops, { x: sample.at.particles, score: sample.at.scores }, n, d, kernel)
  if (!Number.isFinite(result.squaredV)) {
    throw new UsageError(`The Stein kernel of these particles overflows float64 with the kernel ${show(kernel)}.`)
  }
  return { result, kernel }
}

function bootstrapStatistics(arena: BootstrapArena, n: number, replicates: number, seed: Seed): Float64Array {
  const { ops, at, view } = arena
  const out = new Float64Array(replicates)
  for (let first = 0; first < replicates; first += LANES) {
    view.weights.fill(-1)
    for (let lane = 0; lane < LANES; lane++) drawParticles(arena, n, seed, first + lane, lane)
    ops.weightPairs4(at.sums, at.pairs, at.weights, n)
    for (let lane = 0; lane < LANES && first + lane < replicates; lane++) {
      out[first + lane] = (2 * view.sums[lane]) / (n * (n - 1))
    }
  }
  return out
}

/** n draws with replacement, each counted. A uniform number has 24 bits, and n stays below 2¹⁵ in a memory of 4 GB. */
function drawParticles({ ops, at, view }: BootstrapArena, n: number, seed: Seed, replicate: number, lane: number) {
  ops.fillUniform(at.uniforms, n, seed.lo, seed.hi, Purpose.bootstrap, 0, 0, replicate)
  for (let k = 0; k < n; k++) view.weights[Math.floor(view.uniforms[k] * n) * LANES + lane]++
}

function sampleSize({ particles, scores, dimension }: DiscrepancyOptions): { n: number; d: number } {
  const d = check(wholeNumber('dimension', 1), dimension)
  const size = lengthOf('particles', particles)
  if (size === 0 || size % d !== 0) {
    throw new UsageError(`particles must hold n × dimension numbers, a multiple of ${d} above 0, got ${size}.`)
  }
  if (lengthOf('scores', scores) !== size) {
    throw new UsageError(`scores must hold ${size} numbers, as many as particles, got ${scores.length}.`)
  }
  return { n: size / d, d }
}

function lengthOf(what: string, values: ArrayLike<number>): number {
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throw new UsageError(`${what} must be an array of numbers, got ${show(values)}.`)
  }
  return values.length
}

/** Rows of d numbers into rows of D floats. */
function copyRows(what: string, out: Float32Array, values: ArrayLike<number>, n: number, d: number): void {
  const D = out.length / n
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const value = values[i * d + k]
      if (typeof value === 'number') out[i * D + k] = value
      if (typeof value !== 'number' || !Number.isFinite(out[i * D + k])) {
        throw new UsageError(`Row ${i} of ${what} holds ${show(value)} at ${k}; it must be finite as a float32.`)
      }
    }
  }
}

/** Fills in the defaults and checks the numbers. */
function fixKernel(
  sample: Sample,
  n: number,
  d: number,
  kernel: DiscrepancyKernel = DEFAULT_KERNEL,
): FixedDiscrepancyKernel {
  check(oneOf('kernel.kind', ['imq', 'rbf']), kernel.kind)
  if (kernel.kind === 'rbf') {
    const bandwidth = kernel.bandwidth ?? medianBandwidth(sample, n, d)
    return { kind: 'rbf', bandwidth: check(positiveNumber('kernel.bandwidth'), bandwidth) }
  }
  const { c = DEFAULT_KERNEL.c, beta = DEFAULT_KERNEL.beta } = kernel
  check(positiveNumber('kernel.c'), c)
  if (c * c === Infinity) throw new UsageError(`kernel.c must have a finite square, got ${c}.`)
  if (typeof beta !== 'number' || !(beta > -1 && beta < 0)) {
    throw new UsageError(`kernel.beta must be a number above -1 and below 0, got ${show(beta)}.`)
  }
  return { kind: 'imq', c, beta }
}

/** med²/log(n+1); where it is 0 the mean squared distance, and 1 if that is 0 as well, as in bandwidth.ts. */
function medianBandwidth({ ops, view }: Sample, n: number, d: number): number {
  if (n === 1) return 1
  const squares = squaredDistances(view.particles, n, d).sort()
  const lower = Math.sqrt(squares[(squares.length - 1) >> 1])
  const upper = Math.sqrt(squares[squares.length >> 1])
  const median = (lower + upper) / 2
  if (median > 0) return (median * median) / ops.log64(n + 1)
  return squares.reduce((sum, value) => sum + value, 0) / squares.length || 1
}

/** [n(n−1)/2] |x_i − x_j|² of the pairs i > j. */
function squaredDistances(x: Float32Array, n: number, d: number): Float64Array {
  const D = x.length / n
  const out = new Float64Array((n * (n - 1)) / 2)
  for (let i = 1, pair = 0; i < n; i++) {
    for (let j = 0; j < i; j++, pair++) {
      for (let k = 0; k < d; k++) {
        const difference = x[i * D + k] - x[j * D + k]
        out[pair] += difference * difference
      }
    }
  }
  return out
}
