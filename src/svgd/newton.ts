import { platform } from '#platform'
import { createArena } from '../core/arena.ts'
import { RunError, show, UsageError } from '../core/errors.ts'
import { f32, padded } from '../core/layout.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { Draw, Purpose, splitSeed } from '../core/random.ts'
import { requireFunction, requireSignal } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import { check, MOST_ITERATIONS, positiveFloat32, wholeNumber } from '../core/schemas.ts'
import { choleskyOf, solveCholesky } from './cholesky.ts'
import { derivativeInto, eachDerivative } from './scores.ts'

/** What svgdNewton() takes. Vectors and matrices are float64, matrices row by row. */
export interface NewtonOptions {
  /** Writes s(x) = ∇ log p(x) into out [d], which holds zeros, or returns it. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most write and return nothing
  score: (out: Float64Array, x: Float64Array) => void | number | ArrayLike<number>
  /**
   * Writes −∂²log p(x), or the Gauss-Newton matrix in its place, into out [d × d], which holds zeros, or returns it row
   * by row. It is symmetric; it may be indefinite somewhere, but its mean over the particles must be positive definite.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most write and return nothing
  hessian: (out: Float64Array, x: Float64Array) => void | number | ArrayLike<number>
  particles: number
  dimension: number
  iterations: number
  /** ε; default 1, a whole Newton step. */
  learningRate?: number
  /** [particles × dimension] start, row by row. Default: standard normal draws from the seed. */
  initial?: ArrayLike<number>
  /** Default 0. */
  seed?: number
  /** As of an AbortController. Ends the run early, with the particles as they are then. */
  signal?: StopSignal
  /** Called after every step with the mean length of the Newton step in the metric M, and its number. */
  onStep?: (length: number, iteration: number) => void
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
}

/** Entries of all second derivatives, 1 GB. */
const MOST_NUMBERS = 134_217_728

const OPTIONS = namesOf<NewtonOptions>({
  ...{ score: true, hessian: true, particles: true, dimension: true, iterations: true, learningRate: true },
  ...{ initial: true, seed: true, signal: true, onStep: true, core: true },
})

/**
 * Stein variational Newton: SVGD with second derivatives, for tens of dimensions, in which scales and correlations of
 * the coordinates play no part. With M the mean over the particles of −∂²log p,
 *
 *     k(x, y) = exp(−(x−y)ᵀ M (x−y) / 2d)
 *     φ(x_i) = 1/n Σ_j [ k(x_j, x_i) s(x_j) + ∇_{x_j} k(x_j, x_i) ]
 *     H_i = 1/n Σ_j [ k(x_j, x_i)² (−∂²log p(x_j)) + ∇_{x_j} k(x_j, x_i) ∇_{x_j} k(x_j, x_i)ᵀ ]
 *     x_i ← x_i + ε H_i⁻¹ φ(x_i)
 *
 * The blocks H_ij with i ≠ j of the Newton system are left out, as in the paper's algorithm. Every particle takes its
 * own solution, where the paper's transport map sums those of all, which did not converge here. Time n² d² + n d³ a
 * step.
 *
 * Source: Detommaso, Cui, Marzouk, Spantini & Scheichl 2018 (NeurIPS; arXiv 1806.03085), algorithm 1 and section 3.3.
 *
 * @returns the particles [particles × dimension] row by row
 * @throws UsageError for options out of range, for second derivatives that are not symmetric or, on average, not
 *   positive definite, and for derivatives that are asynchronous or write into x
 * @throws RunError for derivatives that are not finite
 */
export async function svgdNewton(options: NewtonOptions): Promise<Float64Array> {
  requireOptions('svgdNewton', options, OPTIONS)
  const n = check(wholeNumber('particles', 1), options.particles)
  const d = check(wholeNumber('dimension', 1), options.dimension)
  const iterations = check(wholeNumber('iterations', 0, MOST_ITERATIONS), options.iterations)
  if (n * d * d > MOST_NUMBERS)
    throw new UsageError(`particles × dimension² must be at most ${MOST_NUMBERS}, got ${n} × ${d}² = ${n * d * d}.`)
  requireFunction('score', options.score, '(out, x) => …')
  requireFunction('hessian', options.hessian, '(out, x) => …')
  requireSignal(options.signal)
  if (options.onStep !== undefined) requireFunction('onStep', options.onStep, '(length, iteration) => …')
  const rate = check(positiveFloat32('learningRate'), options.learningRate ?? 1)
  const arena = await createArena(await compileCore(options.core), { noise: f32(padded(d)) })
  const rows = startOf(options, n, d, (row, i) => {
    const { lo, hi } = splitSeed(check(wholeNumber('seed', 0), options.seed ?? 0))
    arena.ops.fillNormal(arena.at.noise, d, lo, hi, Purpose.particles, i, Draw.svgd.start, 0)
    row.set(arena.view.noise.subarray(0, d))
  })
  for (let t = 1; t <= iterations && !options.signal?.aborted; t++) {
    const length = newtonStep(rows, derivativesOf(options, rows, t), rate, arena.ops.exp64)
    options.onStep?.(length, t)
    await platform.breathe()
  }
  return Float64Array.from(rows.flatMap((row) => [...row]))
}

function startOf(
  { initial }: NewtonOptions,
  n: number,
  d: number,
  fill: (row: Float64Array, i: number) => void,
): Float64Array[] {
  if (initial && initial.length !== n * d)
    throw new UsageError(`initial must hold ${n} × ${d} = ${n * d} numbers, got ${show(initial.length ?? initial)}.`)
  return Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(d)
    if (!initial) fill(row, i)
    else {
      const start = Array.from({ length: d }, (_, k) => initial[i * d + k])
      if (!start.every(Number.isFinite))
        throw new UsageError(`initial particle ${i} is ${show(start)}; it must be finite.`)
      row.set(start)
    }
    return row
  })
}

interface Derivatives {
  /** [n][d] */
  readonly scores: readonly Float64Array[]
  /** [n][d × d], symmetric. */
  readonly hessians: readonly Float64Array[]
}

function derivativesOf({ score, hessian }: NewtonOptions, rows: readonly Float64Array[], t: number): Derivatives {
  const d = rows[0].length
  const place = (i: number) => `of particle ${i} at x = ${show([...rows[i]])} in step ${t}`
  const scores = eachDerivative('score', rows.length, (i) => {
    const [out, row] = [new Float64Array(d), rows[i]]
    derivativeInto('score', out, row, () => score(out, row))
    if (!out.every(Number.isFinite))
      throw new RunError(`The score ${place(i)} is ${show([...out])}; it must be finite.`)
    return out
  })
  const hessians = eachDerivative('hessian', rows.length, (i) => {
    const [out, row] = [new Float64Array(d * d), rows[i]]
    derivativeInto('hessian', out, row, () => hessian(out, row))
    if (!out.every(Number.isFinite)) throw new RunError(`The hessian ${place(i)} is not finite.`)
    return out
  })
  return { scores, hessians: hessians.map((out, i) => symmetric(out, d, place(i))) }
}

/** More than rounding leaves, as in matrices of which one half was written. */
const ASYMMETRIC = 1e-3

/** The mean of a matrix and its transpose, which differ by rounding. */
function symmetric(matrix: Float64Array, d: number, place: string): Float64Array {
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return matrix.map((value, at) => {
    const [k, l] = [Math.floor(at / d), at % d]
    const other = matrix[l * d + k]
    if (Math.abs(value - other) <= ASYMMETRIC * largest) return (value + other) / 2
    throw new UsageError(
      `The hessian ${place} is not symmetric, entry ${k}, ${l} is ${value} and entry ${l}, ${k} is ${other}.`,
    )
  })
}

/** Moves the particles in place; returns the mean of √(δᵀ M δ) over their steps δ. */
function newtonStep(rows: Float64Array[], { scores, hessians }: Derivatives, rate: number, exp: (x: number) => number) {
  const n = rows.length
  const d = rows[0].length
  const metric = new Float64Array(d * d)
  for (const hessian of hessians) addTo(metric, hessian, 1 / n)
  const root = factorOf(metric, d, 'The mean over the particles of −∂²log p')
  const steps = rows.map((x, i) => {
    const direction = new Float64Array(d)
    const hessian = new Float64Array(d * d)
    for (let j = 0; j < n; j++) {
      // ∇_{x_j} k(x_j, x_i) = k M (x_i − x_j) / d
      const apart = x.map((value, k) => value - rows[j][k])
      const pull = apart.map((_, k) => dot(metric.subarray(k * d, (k + 1) * d), apart) / d)
      const kernel = exp(-0.5 * dot(pull, apart))
      const repulsion = pull.map((value) => kernel * value)
      addTo(direction, scores[j], kernel / n)
      addTo(direction, repulsion, 1 / n)
      addTo(hessian, hessians[j], (kernel * kernel) / n)
      for (let k = 0; k < d; k++) addTo(hessian.subarray(k * d, (k + 1) * d), repulsion, repulsion[k] / n)
    }
    return solveCholesky(factorOf(hessian, d, `The Newton matrix of particle ${i}`), direction)
  })
  let length = 0
  rows.forEach((row, i) => {
    // |Lᵀ δ| with M = L Lᵀ
    const whitened = root.map((_, k) => root.reduce((sum, lower, l) => sum + lower[k] * steps[i][l], 0))
    length += Math.sqrt(dot(whitened, whitened)) / n
    addTo(row, steps[i], rate)
  })
  return rate * length
}

function addTo(sum: Float64Array, values: ArrayLike<number>, factor: number): void {
  for (let k = 0; k < sum.length; k++) sum[k] += factor * values[k]
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k]
  return sum
}

/** @throws UsageError that says what would help */
function factorOf(matrix: Float64Array, d: number, name: string): number[][] {
  try {
    // Of the two halves, which differ by rounding, the lower one.
    const entry = (k: number, l: number) => matrix[Math.max(k, l) * d + Math.min(k, l)]
    const indices = Array.from({ length: d }, (_, k) => k)
    return choleskyOf(
      indices.map((k) => indices.map((l) => entry(k, l))),
      name,
    )
  } catch (error) {
    const advice = 'give the Gauss-Newton matrix as `hessian`, or a start nearer to the mode.'
    throw error instanceof UsageError ? new UsageError(`${error.message.replace(/\.$/, '')}; ${advice}`) : error
  }
}
