import type { LogDensity } from '../../src/compile/log-density.ts'
import { type Arena, createArena } from '../../src/core/arena.ts'
import { type Field, f32, padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose, type Seed, splitSeed } from '../../src/core/random.ts'
import { tf } from '../../src/nn/tfjs.ts'

// The Bayesian neural network of Liu & Wang 2016 (arXiv 1608.04471), section 5 and table 1, with the settings of the
// authors' code (DartML/Stein-Variational-Gradient-Descent, python/bayesian_nn.py).

/** Shape a₀ and rate b₀ of the Gamma priors of both precisions. */
export const PRIOR_SHAPE = 1
export const PRIOR_RATE = 0.1

/**
 * One particle θ, [size]:
 *
 *     | W₁ and b₁ [hidden, inputs + 1]: the weights of a unit, then its bias | w₂ [hidden] | b₂ | log γ | log λ |
 *
 * Inputs carry a 1 at their end, so that the bias is one more weight.
 */
export interface Shape {
  readonly inputs: number
  readonly hidden: number
  /** K, the number of weights and biases. */
  readonly weights: number
  /** K + 2. */
  readonly size: number
}

export function shapeOf(inputs: number, hidden: number): Shape {
  const weights = hidden * (inputs + 1) + hidden + 1
  return { inputs, hidden, weights, size: weights + 2 }
}

export const logGammaAt = ({ weights }: Shape) => weights
export const logLambdaAt = ({ weights }: Shape) => weights + 1

/** Rows of inputs and what is to be predicted from them. */
export interface Rows {
  readonly count: number
  /** [count, inputs + 1], standardised, a 1 at the end of each row. */
  readonly x: Float32Array
  /** [count] */
  readonly y: ArrayLike<number>
}

// ----------------------------------------------------------------------
// The posterior

/**
 * log p(θ | rows) of all particles up to a constant, from a minibatch of B of the N rows:
 *
 *     ŷ = w₂ᵀ relu(W₁ x + b₁) + b₂    y ~ N(ŷ, 1/γ)    w ~ N(0, 1/λ) for all K weights    γ, λ ~ Gamma(a₀, b₀)
 *
 * The density is one of log γ and log λ: their Jacobian raises both exponents by one. A Gamma prior being conjugate,
 * the terms of likelihood and prior of a precision τ gather into exponent · log τ − rate · τ:
 *
 *     log p = (a₀ + N/2) log γ − (b₀ + N/B ½ Σ_b (ŷ_b − y_b)²) γ  +  (a₀ + K/2) log λ − (b₀ + ½ Σ_k w_k²) λ
 */
export function logPosterior(shape: Shape, { x, y }: Rows): LogDensity {
  const { inputs, hidden, weights } = shape
  return (theta, { rows, scale }) => {
    const n = theta.shape[0]
    const [w, logPrecision] = tf.split(theta, [weights, 2], 1)
    const [w1, w2, b2] = tf.split(w, [hidden * (inputs + 1), hidden, 1], 1)
    const data = pickRows(x, y, rows, inputs + 1)
    // All particles see the same rows, so their first layers are one product.
    const units = tf.relu(tf.matMul(tf.reshape(w1, [n * hidden, inputs + 1]), data.x, false, true))
    const weighted = tf.mul(tf.reshape(units, [n, hidden, rows.length]), tf.reshape(w2, [n, hidden, 1]))
    const outputs = tf.sum(weighted, 1)
    const errors = tf.sum(tf.square(tf.sub(tf.add(outputs, b2), data.y)), 1, true)
    const squares = tf.concat([tf.mul(errors, scale), tf.sum(tf.square(w), 1, true)], 1)
    const exponents = tf.tensor1d([PRIOR_SHAPE + (scale * rows.length) / 2, PRIOR_SHAPE + weights / 2])
    const rates = tf.add(tf.mul(squares, 0.5), PRIOR_RATE)
    return tf.sum(tf.sub(tf.mul(logPrecision, exponents), tf.mul(tf.exp(logPrecision), rates)), 1)
  }
}

/** The rows of a minibatch as tensors x [B, width] and y [B]. */
function pickRows(x: Float32Array, y: ArrayLike<number>, rows: Int32Array, width: number) {
  const pickedX = new Float32Array(rows.length * width)
  const pickedY = new Float32Array(rows.length)
  rows.forEach((row, b) => {
    for (let k = 0; k < width; k++) pickedX[b * width + k] = x[row * width + k]
    pickedY[b] = y[row]
  })
  return { x: tf.tensor2d(pickedX, [rows.length, width]), y: tf.tensor1d(pickedY) }
}

/** ŷ [count] of one particle, in float64. */
export function predict({ inputs, hidden }: Shape, theta: ArrayLike<number>, { x, count }: Rows): Float64Array {
  const width = inputs + 1
  const w2 = hidden * width
  return Float64Array.from({ length: count }, (_, b) => {
    let sum = theta[w2 + hidden]
    for (let h = 0; h < hidden; h++) {
      let input = 0
      for (let k = 0; k < width; k++) input += theta[h * width + k] * x[b * width + k]
      if (input > 0) sum += theta[w2 + h] * input
    }
    return sum
  })
}

// ----------------------------------------------------------------------
// Where the particles start

/** Random numbers of one seed, each use with counters of its own. */
export interface Draws {
  readonly arena: Arena<{ draws: Field<'f32'> }>
  readonly seed: Seed
}

/** What the numbers are for. */
const Use = { order: 0, weights: 1, precision: 2, perturbed: 3, prior: 4 } as const

/** @param count as many numbers as are drawn at once */
export async function createDraws(seed: number, count: number): Promise<Draws> {
  return { arena: await createArena(await compileCore(), { draws: f32(padded(count)) }), seed: splitSeed(seed) }
}

type Fill = 'fillNormal' | 'fillUniform'

/** A view that the next draw overwrites. */
function draw(
  { arena, seed }: Draws,
  fill: Fill,
  use: number,
  particle: number,
  count: number,
  step = 0,
): Float32Array {
  arena.ops[fill](arena.at.draws, count, seed.lo, seed.hi, Purpose.user, particle, use, step)
  return arena.view.draws.subarray(0, count)
}

/** Standard normal numbers of a step, a view that the next draw overwrites. */
export const normals = (draws: Draws, use: keyof typeof Use, i: number, count: number, step: number): Float32Array =>
  draw(draws, 'fillNormal', Use[use], i, count, step)

/** 0 … count − 1 in random order (Fisher and Yates). */
export function permutation(draws: Draws, count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  const uniform = draw(draws, 'fillUniform', Use.order, 0, count)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform[i] * (i + 1))
    const held = order[i]
    order[i] = order[j]
    order[j] = held
  }
  return order
}

/** Rows, at most, that show how large the residuals of a network are at the start. */
const RESIDUAL_ROWS = 1000

/**
 * The start of the authors' code, [particles × size]: W₁ ~ N(0, 1/(inputs+1)), w₂ ~ N(0, 1/(hidden+1)), no biases; λ
 * from Gamma(1, scale 0.1), which is an exponential distribution; 1/γ the mean squared residual on up to 1000 rows.
 */
export function initialParticles(shape: Shape, particles: number, rows: Rows, draws: Draws): Float32Array {
  const { inputs, hidden, size } = shape
  const { ops } = draws.arena
  const few = { ...rows, count: Math.min(rows.count, RESIDUAL_ROWS) }
  const all = new Float32Array(particles * size)
  for (let i = 0; i < particles; i++) {
    const theta = all.subarray(i * size, (i + 1) * size)
    const normal = draw(draws, 'fillNormal', Use.weights, i, hidden * (inputs + 1))
    for (let h = 0; h < hidden; h++) {
      const unit = h * (inputs + 1)
      for (let k = 0; k < inputs; k++) theta[unit + k] = normal[unit + k] / Math.sqrt(inputs + 1)
      // The number in the place of the bias, which is 0, serves the unit's output.
      theta[hidden * (inputs + 1) + h] = normal[unit + inputs] / Math.sqrt(hidden + 1)
    }
    const [uniform] = draw(draws, 'fillUniform', Use.precision, i, 1)
    theta[logLambdaAt(shape)] = ops.log64(-0.1 * ops.log64(1 - uniform))
    theta[logGammaAt(shape)] = -ops.log64(meanSquare(predict(shape, theta, few), few.y))
  }
  return all
}

function meanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += (a[k] - b[k]) ** 2
  return sum / a.length
}

// ----------------------------------------------------------------------
// What the particles say

/** Predictions of one particle, in the units of the data, and the precision of its noise. */
export interface Prediction {
  /** [rows] */
  readonly y: Float64Array
  logGamma: number
}

/** log N(y; ŷ, 1/γ). */
const logNormal = (y: number, predicted: number, logGamma: number) =>
  (logGamma - Math.log(2 * Math.PI) - Math.exp(logGamma) * (predicted - y) ** 2) / 2

const logLikelihood = (y: ArrayLike<number>, predicted: Float64Array, logGamma: number) =>
  predicted.reduce((sum, value, k) => sum + logNormal(y[k], value, logGamma), 0)

/**
 * The noise precision that the authors' code chooses on the development rows, in the units of the data: 1/γ' = mean
 * squared error if that makes the rows more likely than the particle's own γ. Training has found γ in standardised
 * units, and γ' is the most likely precision there is, so it is the one taken, except where the error is 0.
 */
export function noiseOnDevelopmentRows(y: ArrayLike<number>, { y: predicted, logGamma }: Prediction): number {
  const refitted = -Math.log(meanSquare(predicted, y))
  return logLikelihood(y, predicted, refitted) > logLikelihood(y, predicted, logGamma) ? refitted : logGamma
}

/**
 * Root mean squared error of the mean prediction, and the mean over the rows of the log of the predictive density
 * 1/n Σ_i N(y; ŷ_i, 1/γ_i), both in the units of the data.
 */
export function evaluate(y: ArrayLike<number>, particles: readonly Prediction[]): { rmse: number; ll: number } {
  const n = particles.length
  const mean = Float64Array.from(y, (_, k) => particles.reduce((sum, particle) => sum + particle.y[k], 0) / n)
  const logDensities = Float64Array.from(y, (value, k) => {
    const terms = particles.map((particle) => logNormal(value, particle.y[k], particle.logGamma))
    const largest = Math.max(...terms)
    return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0) / n)
  })
  return { rmse: Math.sqrt(meanSquare(mean, y)), ll: logDensities.reduce((a, b) => a + b) / y.length }
}
