import * as v from 'valibot'
import { createArena } from '../../core/arena.ts'
import {
  check,
  nonNegativeNumber,
  oneOf,
  positiveNumber,
  RunError,
  show,
  UsageError,
  wholeNumber,
} from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreSource, compileCore } from '../../core/module.ts'
import type { PopulationScore } from '../../core/population.ts'
import { Purpose, splitSeed } from '../../core/random.ts'
import { forward } from '../../nn/forward.ts'
import { initialiseInto, type Network } from '../../nn/network.ts'
import { startTfjs, type TfjsOptions, tf } from '../../nn/tfjs.ts'
import { type MinibatchOptions, minibatchAt, startMinibatches } from '../../optim/minibatch.ts'
import { descend, trainable, trainableFields } from '../../rl/trainable.ts'
import { type SteinInfo, steinDirection, steinFields, type Variant } from '../../svgd/direction.ts'
import type { FixedDiscrepancyKernel } from '../../svgd/discrepancy.ts'
import { checkDiscrepancyKernel, discrepancySlopesInto } from '../../svgd/discrepancy-gradient.ts'
import { type Kernel, rbf } from '../../svgd/kernels.ts'
import { type PerStateBandwidth, perStateDirection, perStateFields } from '../../svgd/per-state.ts'
import { populationOf, refuseNonFinite, rowsOf, type Score, scoreOf } from '../../svgd/svgd.ts'
import { meanNorm, normsOf } from '../algorithm.ts'

export const amortizedRules = ['chain', 'regression', 'discrepancy'] as const

const schema = v.object({
  rule: v.optional(oneOf('rule', amortizedRules), 'chain'),
  particles: v.optional(wholeNumber('particles', 2, 10_000), 100),
  batches: v.optional(
    v.custom<1 | 2>(
      (input) => input === 1 || input === 2,
      ({ input }) => `batches must be 1 or 2, got ${show(input)}.`,
    ),
    1,
  ),
  temperature: v.optional(positiveNumber('temperature'), 1),
  repulsion: v.optional(nonNegativeNumber('repulsion'), 1),
  normalise: v.optional(oneOf('normalise', ['n', 'row sum']), 'n'),
  learningRate: v.optional(positiveNumber('learningRate'), 5e-3),
  stepSize: v.optional(positiveNumber('stepSize'), 1),
  passes: v.optional(wholeNumber('passes', 1, 1000), 5),
  seed: v.optional(wholeNumber('seed', 0), 0),
})

export interface AmortizedOptions {
  /** f: noise ξ in, a point out. Its last width is the dimension of the target. */
  network: Network
  /** Coordinates of the target; the network must put out as many. */
  dimension: number
  /** The score of one point. Give this or populationScore. */
  score?: Score
  /** The scores of all points at once, as logDensity() makes them from a tfjs expression. */
  populationScore?: PopulationScore
  /** Hands each step `size` of `rows` rows of the data; default: none. */
  minibatch?: MinibatchOptions
  /** How the sampler follows its particles, see createAmortizedSVGD. Default 'chain'. */
  rule?: (typeof amortizedRules)[number]
  /** n, points drawn from the sampler in a step (with two batches: in each), at least 2. Default 100. */
  particles?: number
  /** 1: the particles of the direction drive the sampler themselves; 2: another batch of as many does. Default 1. */
  batches?: 1 | 2
  /** α, divides the score: the sampler comes to p^(1/α). Default 1. */
  temperature?: number
  /** Multiplies the repulsion of the Stein direction. Default 1; the authors' code has 100 beside row sums. */
  repulsion?: number
  /** What the sums over j are divided by: n, or Σ_j k(x_j, x_i). Default 'n'. */
  normalise?: Variant['normalise']
  /** Of the direction of one batch; default rbf(). */
  kernel?: Kernel
  /** h of two batches, whose kernel is the RBF; default 'sql-code', from the distances between the batches. */
  bandwidth?: PerStateBandwidth
  /** Of the rule 'discrepancy'; default imq with c = 1, β = −1/2. */
  discrepancyKernel?: FixedDiscrepancyKernel
  /** Of Adam on η. Default 5e-3. */
  learningRate?: number
  /** ε of the rule 'regression'; default 1. */
  stepSize?: number
  /** Steps of Adam towards each target of the rule 'regression'; default 5. */
  passes?: number
  /** Default 0. */
  seed?: number
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
  tfjs?: TfjsOptions
}

export type AmortizedState = Awaited<ReturnType<ReturnType<typeof createAmortizedSVGD>['init']>>

export interface AmortizedInfo {
  /** About the direction; null with two batches and where the rule is 'discrepancy'. */
  readonly stein: SteinInfo | null
  /** h of two batches, or null. */
  readonly bandwidth: number | null
  /** The U-statistic of the squared discrepancy that the rule 'discrepancy' descends, before the step; or null. */
  readonly squaredU: number | null
  /** Mean over the batch of |D_i|, which the sampler is to follow. */
  readonly direction: number
}

/** Streams of noise, so that training and sampling share no number. */
const TRAINING = 1
const SAMPLING = 2
/** Of the spread of the particles: near the cube root of float32's precision, where rounding and curvature err alike. */
const DIFFERENCE = 1 / 256

/**
 * Amortized SVGD: a sampler x = f(η; ξ), ξ ~ N(0, I), is trained so that its points are spread as p is; then a sample costs one
 * pass through the network and no steps. n points x_i = f(η; ξ_i) are drawn, each gets a direction D_i, and η follows by `rule`:
 *
 *     chain        η ← η + rate · Adam[ 1/n Σ_i (∂f(η; ξ_i)/∂η)ᵀ D_i ],  the gradient of mean_i ⟨stop(D_i), f(η; ξ_i)⟩
 *     regression   `passes` such steps down mean_i |f(η; ξ_i) − (x_i + ε D_i)|², the targets x_i + ε D_i held
 *     discrepancy  as chain, down the U-statistic of the squared kernel Stein discrepancy of x_1 … x_n
 *
 * For the first two D is the Stein direction, an ascent direction: to minimise −⟨stop(D), f⟩ is to go along D.
 *
 *     D_i = φ(x_i) = 1/N Σ_j [ k(x_j, x_i) s(x_j)/α + ∇_{x_j} k(x_j, x_i) ],  N = n or Σ_j k(x_j, x_i)
 *
 * One batch moves the points that the direction is taken from. With two, φ is taken from the particles x_j and moves another batch
 * x′_i, which is not among them: no term j = i, whose score is not shared and whose repulsion is 0.
 *
 * For the third D_i = −n ∂KSD²_U/∂x_i, which needs the Hessian H of log p along one vector a particle, the derivative of KSD²_U by
 * its score: H(x) v is taken as a central difference of the score along v, two more scores a particle and no Hessian.
 *
 * Source: Feng, Wang & Liu 2017 (arXiv 1707.06626); Wang & Liu 2016 (arXiv 1611.01722) for the chain rule; Liu & Feng 2016
 * (arXiv 1612.00081) for the discrepancy.
 *
 * @throws UsageError for settings that are out of range or do not fit together, a network whose output is not as wide as the target,
 *   and from `step` for a point or a score that is not finite; RunError for parameters that are not
 */
export function createAmortizedSVGD(options: AmortizedOptions) {
  const config = check(schema, options)
  const { rule, particles: n, batches, repulsion, normalise, learningRate, stepSize, passes } = config
  const { network, kernel = rbf(), bandwidth = 'sql-code' } = options
  const d = check(wholeNumber('dimension', 1), options.dimension)
  const discrepancyKernel = checkDiscrepancyKernel(options.discrepancyKernel ?? { kind: 'imq', c: 1, beta: -0.5 })
  const scoreAll = scoreOf(options)
  refuseMisfit(options, d)
  const noiseWidth = network.widths[0]
  const variant = { repulsion, normalise }
  const cross = { states: 1, fixed: n, updated: n, width: d }

  const fields = (minibatchRows: number) => ({
    ...steinFields(n, d, { kernel }),
    ...perStateFields(batches === 2 ? cross : { states: 0, fixed: 0, width: d }),
    ...trainableFields('sampler', network),
    /** [n, noise] ξ of the batch that is being drawn. */
    noise: f32(n, noiseWidth),
    /** [rows] uniform numbers for shuffling. */
    shuffle: f32(padded(minibatchRows)),
  })

  async function init() {
    await startTfjs({ core: options.core, ...options.tfjs })
    const seed = splitSeed(config.seed)
    const minibatches = startMinibatches(options.minibatch)
    const arena = await createArena(await compileCore(options.core), fields(minibatches.order.length))
    const sampler = trainable(arena, 'sampler', network)
    // The last layer in full: a sampler that starts as a point has no spread to learn from.
    initialiseInto(sampler.view.theta, network, arena.ops, seed, 0, { lastGain: 1 })
    const population = populationOf(arena, n, d)
    const stride = population.stride
    return {
      ...{ particles: n, dimension: d, seed, network, arena, sampler, population, minibatches },
      rows: rowsOf(population),
      /** Steps taken. */
      iteration: 0,
      /** Parts of the gradient of the discrepancy, [n, stride] each. */
      slopes: { held: new Float64Array(n * stride), byScore: new Float64Array(n * stride) },
    }
  }
  type State = Awaited<ReturnType<typeof init>>

  /** One step in place. */
  function step(state: State): AmortizedInfo {
    const noise = drawBatch(state, 0)
    const { held, ...info } = rule === 'discrepancy' ? discrepancyOf(state, noise) : steinOf(state, noise)
    const direction = { values: held.direction, mean: meanNorm(held.direction, d) }
    if (rule === 'regression') regress(state, held.noise, held.points, direction.values)
    else follow(state, held.noise, direction.values)
    state.iteration++
    const { theta } = state.sampler.view
    if (!theta.every(Number.isFinite)) {
      throw new RunError(`The parameters of the sampler are not finite after step ${state.iteration}.`)
    }
    return { stein: null, bandwidth: null, squaredU: null, ...info, direction: direction.mean }
  }

  /** Draws n points into the population and returns their noise. */
  function drawBatch(state: State, batch: number): Float32Array {
    const { arena, iteration } = state
    fillNoise(state, n, TRAINING, batch, iteration)
    const points = pointsOf(state, arena.view.noise, n)
    state.rows.forEach(({ x }, i) => {
      x.set(points.subarray(i * d, (i + 1) * d))
    })
    refuseNonFinite(state, 'particle')
    return arena.view.noise.slice()
  }

  /** s/α of the population. */
  function scorePopulation(state: State): void {
    const { arena, minibatches, iteration, seed, population } = state
    const scratch = { at: arena.at.shuffle, view: arena.view.shuffle }
    scoreAll(state, minibatchAt(minibatches, iteration, arena.ops, seed, scratch))
    refuseNonFinite(state, 'score')
    if (config.temperature === 1) return
    const { score } = arena.at
    arena.ops.combineInto(score, 1 / config.temperature, score, 0, score, population.score.length)
  }

  function steinOf(state: State, noise: Float32Array) {
    const { arena } = state
    const { ops, at, view } = arena
    scorePopulation(state)
    if (batches === 1) {
      const stein = steinDirection(arena, state, kernel, variant)
      const points = packed(state, view.theta)
      return { held: { noise, points, direction: packed(state, view.direction) }, stein }
    }
    const stride = state.population.stride
    ops.copyColumns(at.fixed, d, at.theta, stride, n, d)
    ops.copyColumns(at.fixedScore, d, at.score, stride, n, d)
    const others = drawBatch(state, 1)
    ops.copyColumns(at.updated, d, at.theta, stride, n, d)
    perStateDirection(arena, cross, { ...variant, bandwidth })
    const held = { noise: others, points: view.updated.slice(), direction: view.phi.slice() }
    return { held, bandwidth: view.bandwidths[0] }
  }

  /** D = −n (held + H byScore). */
  function discrepancyOf(state: State, noise: Float32Array) {
    const { arena, population, slopes } = state
    const { stride, x, score } = population
    scorePopulation(state)
    const squaredU = discrepancySlopesInto(slopes, { x, score, stride }, n, d, discrepancyKernel, arena.ops)
    const points = packed(state, x)
    const curvature = scoreSlopes(state)
    const direction = new Float32Array(n * d)
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < d; c++) {
        direction[i * d + c] = -n * (slopes.held[i * stride + c] + curvature[i * stride + c])
      }
    }
    return { held: { noise, points, direction }, squaredU }
  }

  /** [n, stride] H(x_i) v_i for v = byScore: [ s(x + δ u) − s(x − δ u) ] |v| / 2δ with u = v/|v|. Leaves x as it was. */
  function scoreSlopes(state: State): Float64Array {
    const { population, slopes } = state
    const { x, score, stride } = population
    const centre = x.slice()
    const lengths = normsOf(slopes.byScore, stride)
    const delta = DIFFERENCE * (spreadOf(state) || 1)
    const out = new Float64Array(n * stride)
    const place = (side: number) => {
      for (let k = 0; k < out.length; k++) {
        const length = lengths[Math.floor(k / stride)]
        x[k] = length > 0 ? centre[k] + (side * delta * slopes.byScore[k]) / length : centre[k]
      }
      scorePopulation(state)
    }
    for (const side of [1, -1]) {
      place(side)
      for (let k = 0; k < out.length; k++) out[k] += (side * score[k] * lengths[Math.floor(k / stride)]) / (2 * delta)
    }
    x.set(centre)
    return out
  }

  /** A step up mean_i ⟨stop(D_i), f(η; ξ_i)⟩. */
  function follow({ sampler }: State, noise: Float32Array, direction: Float32Array): void {
    descend(sampler, learningRate, (eta) => {
      const points = forward(network, eta, tf.tensor2d(noise, [n, noiseWidth]))
      return tf.neg(tf.div(tf.sum(tf.mul(points, tf.tensor2d(direction, [n, d]))), n)) as tf.Scalar
    })
  }

  function regress({ sampler }: State, noise: Float32Array, points: Float32Array, direction: Float32Array): void {
    const targets = points.map((value, k) => value + stepSize * direction[k])
    for (let pass = 0; pass < passes; pass++) {
      descend(sampler, learningRate, (eta) => {
        const found = forward(network, eta, tf.tensor2d(noise, [n, noiseWidth]))
        return tf.div(tf.sum(tf.square(tf.sub(found, tf.tensor2d(targets, [n, d])))), n) as tf.Scalar
      })
    }
  }

  /** ξ, a function of (seed, stream, part, index) alone. */
  function fillNoise({ arena, seed }: State, count: number, stream: number, part: number, index: number): void {
    const { ops, at } = arena
    ops.fillNormal(at.noise, count * noiseWidth, seed.lo, seed.hi, Purpose.particles, part, stream, index)
  }

  /** f(η; ξ) of the first `count` rows of noise, [count, d]. */
  function pointsOf({ sampler }: State, noise: Float32Array, count: number): Float32Array {
    const points = tf.tidy(() => {
      const eta = tf.tensor1d(sampler.view.theta.subarray(0, network.size))
      return forward(network, eta, tf.tensor2d(noise.subarray(0, count * noiseWidth), [count, noiseWidth]))
    })
    const values = points.dataSync().slice() as Float32Array
    points.dispose()
    return values
  }

  /**
   * `count` points of the sampler as it is, [count × dimension] row by row. They depend on (seed, stream, η) only, share no noise
   * with the training, and drawing them changes nothing that step() reads.
   */
  function sample(state: State, count: number, stream = 0): Float32Array {
    check(wholeNumber('count', 1), count)
    check(wholeNumber('stream', 0, 0xffffffff), stream)
    const out = new Float32Array(count * d)
    for (let first = 0, part = 0; first < count; first += n, part++) {
      const rows = Math.min(n, count - first)
      fillNoise(state, rows, SAMPLING, part, stream)
      out.set(pointsOf(state, state.arena.view.noise, rows), first * d)
    }
    return out
  }

  return { config, init, step, sample }
}

/** Throws for options that are in range and do not fit together. */
function refuseMisfit(options: AmortizedOptions, d: number): void {
  const { network, rule, batches, kernel, bandwidth } = options
  const width = network.widths[network.widths.length - 1]
  if (width !== d) {
    throw new UsageError(
      `The sampler must put out as many numbers as the target has coordinates, ${d}; it puts out ${width}.`,
    )
  }
  if (batches === 2 && kernel) {
    throw new UsageError('Two batches take the RBF kernel: give bandwidth instead of kernel, or batches: 1.')
  }
  if (batches !== 2 && bandwidth !== undefined) {
    throw new UsageError('bandwidth is that of two batches: give kernel: rbf({ bandwidth }) for one.')
  }
  if (rule === 'discrepancy' && batches === 2) {
    throw new UsageError("The rule 'discrepancy' takes one batch, got batches: 2.")
  }
}

interface Sized {
  readonly particles: number
  readonly dimension: number
  readonly population: { readonly stride: number }
}

/** Rows of the arena without their padding, a copy. */
function packed({ particles, dimension, population: { stride } }: Sized, rows: Float32Array): Float32Array {
  const out = new Float32Array(particles * dimension)
  for (let i = 0; i < particles; i++) {
    out.set(rows.subarray(i * stride, i * stride + dimension), i * dimension)
  }
  return out
}

/** √ of the mean square distance of a coordinate from its mean. */
function spreadOf(state: Sized & { readonly population: { readonly x: Float32Array } }): number {
  const { particles: n, dimension: d } = state
  const points = packed(state, state.population.x)
  let squares = 0
  for (let c = 0; c < d; c++) {
    let mean = 0
    for (let i = 0; i < n; i++) mean += points[i * d + c] / n
    for (let i = 0; i < n; i++) squares += (points[i * d + c] - mean) * (points[i * d + c] - mean)
  }
  return Math.sqrt(squares / (n * d))
}
