import { type CompiledValues, compiledValues } from '../../compile/compiled.ts'
import { type Arena, createArena } from '../../core/arena.ts'
import { RunError } from '../../core/errors.ts'
import type { CoreModule } from '../../core/module.ts'
import { Draw, Purpose, type Seed } from '../../core/random.ts'
import { mean, meanNorm, repeatRows } from '../../core/rows.ts'
import { squashedGaussian } from '../../nn/distributions.ts'
import { tf } from '../../nn/tfjs.ts'
import { squashedLogTarget } from '../../rl/soft-q.ts'
import { descend, type Trainable } from '../../rl/trainable.ts'
import { type PerStateBandwidth, type PerStateSizes, perStateDirection, perStateFields } from '../../svgd/per-state.ts'
import { latentFields, latentsOf, type SamplerWithCritics, samplerOutputs } from './sampler.ts'

/** Memory for the actions of B states, F fixed and U moved ones each. */
export interface SamplerLearning {
  readonly arena: Arena<ReturnType<typeof perStateFields> & ReturnType<typeof latentFields>>
  readonly sizes: Required<PerStateSizes>
  /** Draws them, with the scores of the fixed ones. */
  readonly draw: CompiledValues
}

export async function createSamplerLearning(
  core: CoreModule,
  sizes: Required<PerStateSizes>,
  latents: number,
): Promise<SamplerLearning> {
  const { states, fixed, updated } = sizes
  const fields = { ...perStateFields(sizes), ...latentFields(states * (fixed + updated), latents) }
  return { arena: await createArena(core, fields), sizes, draw: compiledValues({ name: 'The draw of the sampler' }) }
}

interface SamplerStep {
  /** [B, O] */
  readonly states: Float32Array
  /** α */
  readonly temperature: number
  readonly bandwidth: PerStateBandwidth
  readonly rate: number
  readonly seed: Seed
  /** Its number, which the random numbers depend on. */
  readonly update: number
}

/**
 * One step of amortised SVGD of a sampler a = tanh f(s, ξ) towards π(a|s) ∝ exp(Q(s, a)/α), in each of B states at
 * once:
 *
 *     φ_i = 1/F Σ_j [ k(u_j, u_i) ∇_{u_j} ( Q(s, tanh u_j)/α + Σ log(1 − tanh² u_j) ) + ∇_{u_j} k(u_j, u_i) ]
 *     θ ← θ + ε mean_i φ_iᵀ ∂f(s, ξ_i)/∂θ   (by Adam)
 *
 * over two independent sets of actions u = f(s, ξ), one that drives and one that is moved. The particles are the
 * actions before the squash, whose space has no borders; the logarithm makes it the density of the squashed ones that
 * is drawn.
 *
 * Source: Haarnoja, Tang, Abbeel & Levine 2017 (arXiv 1702.08165), equations 13 and 14; Feng, Wang & Liu 2017
 * (arXiv 1707.06626).
 *
 * @throws RunError when Q or its gradient is not finite
 * @returns the mean norm of φ_i and the mean bandwidth
 */
export function learnSampler(
  { arena, sizes, draw }: SamplerLearning,
  one: SamplerWithCritics,
  network: Trainable,
  { states, temperature, bandwidth, rate, seed, update }: SamplerStep,
): { direction: number; bandwidth: number } {
  const { states: B, fixed: F, updated: U, width: A } = sizes
  const { ops, at, view } = arena
  const O = states.length / B
  const L = one.shape.latents
  const numbers = { seed, purpose: Purpose.noise, particle: 0, use: Draw.sql.sampler, step: update }
  const latent = latentsOf(arena, one, B * (F + U), numbers)
  const parts = { fixed: latent.slice(0, B * F * L), updated: latent.slice(B * F * L) }
  const inputs = (count: number, xi: Float32Array) => ({
    state: tf.tensor2d(repeatRows(new Float32Array(B * count * O), states, O, count), [B * count, O]),
    latent: tf.tensor2d(xi, [B * count, L]),
  })
  const [fixed, fixedScore, updated] = draw(() => {
    const theta = tf.tensor1d(one.theta.subarray(0, one.sampler.size))
    const still = inputs(F, parts.fixed)
    const u = samplerOutputs(one, theta, still.state, still.latent)
    const score = tf.grad((u) => squashedLogTarget(one, temperature, still.state, u as tf.Tensor2D))(u)
    const moved = inputs(U, parts.updated)
    return [u, score, samplerOutputs(one, theta, moved.state, moved.latent)]
  })
  view.fixed.set(fixed)
  view.fixedScore.set(fixedScore)
  view.updated.set(updated)
  if (ops.firstNonFinite(at.fixedScore, view.fixedScore.length) >= 0)
    throw new RunError('Q or its gradient by the actions is not finite.')
  perStateDirection(arena, sizes, { bandwidth })
  descend(network, rate, (theta) => {
    const moved = inputs(U, parts.updated)
    const u = samplerOutputs(one, theta, moved.state, moved.latent)
    return tf.mul(-1 / (B * U), tf.sum(tf.mul(tf.tensor2d(view.phi, [B * U, A]), u))) as tf.Scalar
  })
  return { direction: meanNorm(view.phi, A), bandwidth: mean(view.bandwidths) }
}

/**
 * log q(a|s) [rows] of the actions a = tanh f(s, ξ) that a sampler draws at latents ξ [rows, A] from N(0, I), as many
 * as an action has:
 *
 *     log q = log N(ξ; 0, I) − log |det ∂f/∂ξ| − Σ_k log(1 − a_k²)
 *
 * exact where f(s, ·) is one-to-one; where several ξ give one action it counts one of them.
 */
export function samplerLogDensity(
  one: Pick<SamplerWithCritics, 'sampler' | 'shape' | 'theta'>,
  log: (x: number) => number,
  state: tf.Tensor2D,
  latent: tf.Tensor2D,
): Float32Array {
  const [rows, A] = latent.shape
  const { columns, base } = tf.tidy(() => {
    const theta = tf.tensor1d(one.theta.subarray(0, one.sampler.size))
    const output = (xi: tf.Tensor) => samplerOutputs(one, theta, state, xi as tf.Tensor2D)
    const column = (k: number) => tf.grad((xi) => tf.sum(tf.slice(output(xi), [0, k], [rows, 1])))(latent)
    const normal = tf.mul(-0.5, tf.sum(tf.square(latent), 1))
    return {
      columns: Array.from({ length: A }, (_, k) => column(k)),
      base: tf.sub(tf.sub(normal, A * HALF_LOG_2PI), tf.sum(squashedGaussian.logSlope(output(latent)), 1)),
    }
  })
  const out = base.dataSync().slice() as Float32Array
  const gradients = columns.map((column) => column.dataSync() as Float32Array)
  tf.dispose([base, ...columns])
  const jacobian = new Float64Array(A * A)
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < A; k++) for (let c = 0; c < A; c++) jacobian[k * A + c] = gradients[k][r * A + c]
    out[r] -= log(Math.max(absoluteDeterminant(jacobian, A), LEAST_DETERMINANT))
  }
  return out
}

const HALF_LOG_2PI = 0.9189385332046727

/** A sampler that ignores a latent has a density without bound. */
const LEAST_DETERMINANT = 1e-12

/** |det M| of M [n, n] by elimination with pivots; M is written over. */
export function absoluteDeterminant(m: Float64Array, n: number): number {
  let product = 1
  for (let c = 0; c < n; c++) {
    let pivot = c
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r * n + c]) > Math.abs(m[pivot * n + c])) pivot = r
    const top = m[pivot * n + c]
    if (top === 0) return 0
    product *= Math.abs(top)
    for (let k = 0; k < n; k++) [m[c * n + k], m[pivot * n + k]] = [m[pivot * n + k], m[c * n + k]]
    for (let r = c + 1; r < n; r++) {
      const factor = m[r * n + c] / top
      for (let k = c; k < n; k++) m[r * n + k] -= factor * m[c * n + k]
    }
  }
  return product
}
