import { type Arena, createArenaSync } from '../../core/arena.ts'
import { RunError } from '../../core/errors.ts'
import type { CoreModule } from '../../core/module.ts'
import { type PerStateBandwidth, type PerStateSizes, perStateDirection, perStateFields } from '../../svgd/per-state.ts'

/** Memory for K particles of A coordinates that drive and as many that are driven in each of B states. */
export interface SteinSampler {
  readonly arena: Arena<ReturnType<typeof perStateFields>>
  readonly sizes: Required<PerStateSizes>
  /** [B] ε of each state in the last step. */
  readonly taken: Float64Array
}

export function createSteinSampler(core: CoreModule, sizes: Omit<PerStateSizes, 'updated'>): SteinSampler {
  const both = { ...sizes, updated: sizes.fixed }
  return { arena: createArenaSync(core, perStateFields(both)), sizes: both, taken: new Float64Array(sizes.states) }
}

interface SteinSteps {
  /** L */
  readonly steps: number
  /** ε at most. */
  readonly stepSize: number
  /** λ, the share by which a step may stretch or compress the space at most; above 1 it may fold it. */
  readonly stretch: number
  readonly bandwidth: PerStateBandwidth
  /** Writes ∇ log p of particles [B, K, A] into out [B, K, A]. */
  readonly score: (out: Float32Array, particles: Float32Array) => void
}

/**
 * L steps of SVGD of two sets of particles: `driving` x [B, K, A], which is plain SVGD, and `driven` u [B, K, A], which
 * follows the field that the driving ones make and takes no part in it. So that field is a map of u alone, and the
 * density of u changes by its divergence, to first order in ε:
 *
 *     φ(u) = 1/K Σ_j [ k(x_j, u) s_j + ∇_{x_j} k(x_j, u) ]
 *     x_i ← x_i + ε φ(x_i)      u_i ← u_i + ε φ(u_i)      log q(u_i) ← log q(u_i) − ε tr ∇φ(u_i)
 *
 * log q is the density given the driving particles; its mean is an entropy that is never above that of the driven ones
 * over all draws. A single set would have to leave out what a particle does to itself, and then its density grows with
 * every step even at rest, or to count it, and then the entropy comes out above that of the target: 0.3 nats for 16
 * particles in the plane.
 *
 * A given ε is right for one curvature of log p only, and that of Q/α is not known: where ε ∇φ is large the particles
 * fly apart and the first order means nothing. So each state has its own, from its driving particles,
 *
 *     ε_b = min(ε, λ/Λ)      Λ = √(2/(e h)) mean_j |s_j| + 2/h ≥ ‖∇φ(u)‖ for every u
 *
 * with which a step is one to one for λ < 1, and the steps are the same in any unit of u.
 *
 * Source: Messaoud et al. 2024 (arXiv 2405.00987), theorem 3.3, for a single set and a given ε.
 *
 * @throws RunError when a score is not finite
 */
export function steinSteps(
  sampler: SteinSampler,
  { driving, driven, logDensity }: Readonly<Record<'driving' | 'driven' | 'logDensity', Float32Array>>,
  { steps, stepSize, stretch, bandwidth, score }: SteinSteps,
): void {
  const { arena, sizes, taken } = sampler
  const { ops, at, view } = arena
  const alone = { states: sizes.states, fixed: sizes.fixed, width: sizes.width }
  for (let l = 0; l < steps; l++) {
    view.fixed.set(driving)
    view.updated.set(driven)
    score(view.fixedScore, driving)
    if (ops.firstNonFinite(at.fixedScore, view.fixedScore.length) >= 0)
      throw new RunError('Q or its gradient by the actions is not finite.')
    perStateDirection(arena, alone, { bandwidth })
    for (let b = 0; b < taken.length; b++) taken[b] = Math.min(stepSize, stretch / steepest(sampler, b))
    addScaled(driving, 1, taken, view.phi)
    // The same h: a driven particle has no part in it.
    perStateDirection(arena, sizes, { bandwidth: 'given', trace: true })
    addScaled(driven, 1, taken, view.phi)
    addScaled(logDensity, -1, taken, view.trace)
  }
}

/** √(2/e), the steepest slope of exp(−r²/h) times √h. */
const SLOPE = 0.8577638849607068

/** Λ of state b. */
function steepest({ arena: { view }, sizes: { fixed: K, width: A } }: SteinSampler, b: number): number {
  const h = view.bandwidths[b]
  let sum = 0
  for (let i = b * K; i < (b + 1) * K; i++) {
    let square = 0
    for (let c = 0; c < A; c++) square += view.fixedScore[i * A + c] * view.fixedScore[i * A + c]
    sum += Math.sqrt(square)
  }
  return (SLOPE * sum) / (K * Math.sqrt(h)) + 2 / h
}

/** values [B, …] ← values + sign ε_b × change. */
function addScaled(values: Float32Array, sign: number, taken: Float64Array, change: Float32Array): void {
  const width = values.length / taken.length
  for (let b = 0, k = 0; b < taken.length; b++) {
    for (let c = 0; c < width; c++, k++) values[k] += sign * taken[b] * change[k]
  }
}
