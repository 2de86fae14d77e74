import type { Arena } from '../../core/arena.ts'
import type { f32 } from '../../core/layout.ts'
import type { Population } from '../../core/population.ts'
import { Draw, Purpose, type Seed } from '../../core/random.ts'
import { normsOf, unpadded } from '../../core/rows.ts'
import { forward } from '../../nn/forward.ts'
import type { Network } from '../../nn/network.ts'
import { tf } from '../../nn/tfjs.ts'
import { minibatchAt, type startMinibatches } from '../../optim/minibatch.ts'
import type { Trainable } from '../../rl/trainable.ts'
import { steinDirection } from '../../svgd/direction.ts'
import type { FixedDiscrepancyKernel } from '../../svgd/discrepancy.ts'
import { discrepancySlopesInto } from '../../svgd/discrepancy-gradient.ts'
import type { steinFields, Variant } from '../../svgd/fields.ts'
import type { Kernel } from '../../svgd/kernels.ts'
import { type PerStateBandwidth, perStateDirection, type perStateFields } from '../../svgd/per-state.ts'
import { refuseNonFinite, type rowsOf, type scoreOf } from '../../svgd/scores.ts'

// The points of an amortized sampler and the directions D that it is to follow.

/** What is sampled from, and how: options that were checked. */
export interface AmortizedProblem {
  readonly config: {
    readonly rule: 'chain' | 'regression' | 'discrepancy'
    readonly particles: number
    readonly batches: 1 | 2
    readonly temperature: number
    readonly repulsion: number
    readonly normalise: Variant['normalise']
    readonly learningRate: number
    readonly stepSize: number
    readonly passes: number
    readonly seed: number
  }
  readonly network: Network
  /** d */
  readonly dimension: number
  readonly kernel: Kernel
  readonly bandwidth: PerStateBandwidth
  readonly discrepancyKernel: FixedDiscrepancyKernel
  readonly scoreAll: ReturnType<typeof scoreOf>
}

/** What of a state its directions are computed from. */
interface State {
  readonly problem: AmortizedProblem
  readonly particles: number
  readonly dimension: number
  readonly seed: Seed
  readonly arena: Arena<
    ReturnType<typeof steinFields> &
      ReturnType<typeof perStateFields> &
      Readonly<Record<'noise' | 'shuffle', ReturnType<typeof f32>>>
  >
  readonly sampler: Trainable
  readonly population: Population
  readonly rows: ReturnType<typeof rowsOf>
  readonly minibatches: ReturnType<typeof startMinibatches>
  readonly iteration: number
  readonly slopes: Readonly<Record<'held' | 'byScore', Float64Array>>
}

/** Points, the noise they are drawn from, and where each is to go. */
export interface Held {
  /** [n, noise] ξ */
  readonly noise: Float32Array
  /** [n, d] */
  readonly points: Float32Array
  /** [n, d] D */
  readonly direction: Float32Array
}

/** Two batches of n points of d coordinates: one drives, the other is moved. */
export const crossSizes = (n: number, d: number) => ({ states: 1, fixed: n, updated: n, width: d })

/** Draws n points into the population and returns their noise. */
export function drawBatch(state: State, batch: number): Float32Array {
  const { arena, iteration, particles: n, dimension: d } = state
  fillNoise(state, n, Draw.amortized.training, batch, iteration)
  const points = pointsOf(state, arena.view.noise, n)
  state.rows.forEach(({ x }, i) => {
    x.set(points.subarray(i * d, (i + 1) * d))
  })
  refuseNonFinite(state, 'particle')
  return arena.view.noise.slice()
}

/** ξ of `count` points, a function of (seed, draw, part, index) alone. */
export function fillNoise({ arena, seed, sampler }: State, count: number, draw: number, part: number, index: number) {
  const { ops, at } = arena
  ops.fillNormal(at.noise, count * sampler.net.widths[0], seed.lo, seed.hi, Purpose.particles, part, draw, index)
}

/** f(η; ξ) of the first `count` rows of noise, [count, d]. */
export function pointsOf({ sampler: { net, view } }: State, noise: Float32Array, count: number): Float32Array {
  const [width] = net.widths
  const points = tf.tidy(() => {
    const eta = tf.tensor1d(view.theta.subarray(0, net.size))
    return forward(net, eta, tf.tensor2d(noise.subarray(0, count * width), [count, width]))
  })
  const values = points.dataSync().slice() as Float32Array
  points.dispose()
  return values
}

/** The Stein direction at the points of one batch, or at another batch from the points of the first. */
export function steinOf(state: State, noise: Float32Array) {
  const { arena, problem, particles: n, dimension: d } = state
  const { ops, at, view } = arena
  const { batches, repulsion, normalise } = problem.config
  scorePopulation(state)
  if (batches === 1) {
    const stein = steinDirection(arena, state, problem.kernel, { repulsion, normalise })
    const [points, direction] = [unpadded(view.theta, n, d), unpadded(view.direction, n, d)]
    return { held: { noise, points, direction }, stein }
  }
  const { stride } = state.population
  ops.copyColumns(at.fixed, d, at.theta, stride, n, d)
  ops.copyColumns(at.fixedScore, d, at.score, stride, n, d)
  const others = drawBatch(state, 1)
  ops.copyColumns(at.updated, d, at.theta, stride, n, d)
  perStateDirection(arena, crossSizes(n, d), { repulsion, normalise, bandwidth: problem.bandwidth })
  const held = { noise: others, points: view.updated.slice(), direction: view.phi.slice() }
  return { held, bandwidth: view.bandwidths[0] }
}

/** s/α of the population. */
function scorePopulation(state: State): void {
  const { arena, minibatches, iteration, seed, population, problem } = state
  const { temperature } = problem.config
  const scratch = { at: arena.at.shuffle, view: arena.view.shuffle }
  problem.scoreAll(state, minibatchAt(minibatches, iteration, arena.ops, seed, scratch))
  refuseNonFinite(state, 'score')
  if (temperature === 1) return
  const { score } = arena.at
  arena.ops.combineInto(score, 1 / temperature, score, 0, score, population.score.length)
}

/** D = −n (held + H byScore), down the discrepancy. */
export function discrepancyOf(state: State, noise: Float32Array) {
  const { arena, population, slopes, problem, particles: n, dimension: d } = state
  const { stride, x, score } = population
  scorePopulation(state)
  const squaredU = discrepancySlopesInto(slopes, { x, score, stride }, n, d, problem.discrepancyKernel, arena.ops)
  const points = unpadded(x, n, d)
  const curvature = scoreSlopes(state)
  const direction = new Float32Array(n * d)
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < d; c++) {
      direction[i * d + c] = -n * (slopes.held[i * stride + c] + curvature[i * stride + c])
    }
  }
  return { held: { noise, points, direction }, squaredU }
}

/**
 * Of the spread of the particles: near the cube root of float32's precision, where rounding and curvature err alike.
 */
const DIFFERENCE = 1 / 256

/** [n, stride] H(x_i) v_i for v = byScore: [ s(x + δ u) − s(x − δ u) ] |v| / 2δ with u = v/|v|. Leaves x as it was. */
function scoreSlopes(state: State): Float64Array {
  const { population, slopes } = state
  const { x, score, stride } = population
  const centre = x.slice()
  const lengths = normsOf(slopes.byScore, stride)
  const delta = DIFFERENCE * (spreadOf(state) || 1)
  const out = new Float64Array(x.length)
  for (const side of [1, -1]) {
    for (let k = 0; k < out.length; k++) {
      const length = lengths[Math.floor(k / stride)]
      x[k] = length > 0 ? centre[k] + (side * delta * slopes.byScore[k]) / length : centre[k]
    }
    scorePopulation(state)
    for (let k = 0; k < out.length; k++) out[k] += (side * score[k] * lengths[Math.floor(k / stride)]) / (2 * delta)
  }
  x.set(centre)
  return out
}

/** √ of the mean square distance of a coordinate from its mean. */
function spreadOf({ particles: n, dimension: d, population }: State): number {
  const points = unpadded(population.x, n, d)
  let squares = 0
  for (let c = 0; c < d; c++) {
    let mean = 0
    for (let i = 0; i < n; i++) mean += points[i * d + c] / n
    for (let i = 0; i < n; i++) squares += (points[i * d + c] - mean) * (points[i * d + c] - mean)
  }
  return Math.sqrt(squares / (n * d))
}
