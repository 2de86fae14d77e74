import { CholeskyDecomposition, Matrix } from 'ml-matrix'
import { createArena } from '../core/arena.ts'
import { RunError } from '../core/errors.ts'
import { compileCore } from '../core/module.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { steinDirection } from '../svgd/direction.ts'
import { discrepancyAt } from '../svgd/discrepancy.ts'
import { type SteinArena, steinFields } from '../svgd/fields.ts'
import { blockwise, imq, linear, sumOf } from '../svgd/kernels.ts'
import { aligned, coordinatesIn, moved, norm, stack, type Whitening, whitenedScore } from './gaussian.ts'
import type { Target } from './target.ts'

// SVGD in whitened coordinates: the particles are z, their places x = centre + B z, their scores Bᵀ ∇ log p(x).

/** Particles in whitened coordinates, with the density that they follow. */
export interface WhitenedPopulation {
  readonly target: Target
  /** theta holds z [n, D], score the whitened scores. */
  readonly arena: SteinArena
  /** The same for the kernels on single coordinates. */
  readonly marginals: SteinArena
  readonly particles: number
  readonly dimension: number
  whitening: Whitening
}

/** A joint kernel, whose linear part makes the mean and the covariance of a Gaussian exact for any n above d. */
const joint = sumOf([0.1, linear()], [0.3, imq({ bandwidth: (distances) => distances.median() })])

/** And a narrower one on each coordinate alone, for the shapes of the marginals. */
const marginal = (d: number) =>
  blockwise(Array(d).fill(1), imq({ bandwidth: (distances) => Math.max(0.3 * distances.median(), Number.MIN_VALUE) }))

/** No score is longer than this times √d, so that one particle far out does not pull all others. */
const LONGEST_SCORE = 10
/** No particle moves further in a step, in standard deviations. */
const LONGEST_STEP = 3

/** n standard normal particles around a Gaussian. */
export async function populate(
  target: Target,
  whitening: Whitening,
  n: number,
  seed: Seed,
): Promise<WhitenedPopulation> {
  const d = target.dimension
  const core = await compileCore()
  const arena = await createArena(core, steinFields(n, d, { kernel: joint, norms: false }))
  const marginals = await createArena(core, steinFields(n, d, { kernel: marginal(d), norms: false }))
  const row = arena.view.theta.BYTES_PER_ELEMENT * (arena.view.theta.length / n)
  for (let i = 0; i < n; i++)
    arena.ops.fillNormal(arena.at.theta + i * row, d, seed.lo, seed.hi, Purpose.particles, i, 0, 0)
  return { target, arena, marginals, particles: n, dimension: d, whitening: aligned(whitening) ?? whitening }
}

/** Row i of a field of the arena, without its padding. */
export function rowOf(
  { arena, particles, dimension }: WhitenedPopulation,
  field: 'theta' | 'score',
  i: number,
): Float32Array {
  const stride = arena.view.theta.length / particles
  return arena.view[field].subarray(i * stride, i * stride + dimension)
}

/** [n, d] x of all particles. */
export function places(population: WhitenedPopulation): Float64Array {
  const { particles, whitening } = population
  return stack(Array.from({ length: particles }, (_, i) => moved(whitening, rowOf(population, 'theta', i))))
}

/** Puts the particles at x [n, d]. */
export function placeParticles(population: WhitenedPopulation, x: Float64Array): void {
  const { particles: n, dimension: d, whitening } = population
  const z = coordinatesIn(whitening, x)
  for (let i = 0; i < n; i++) rowOf(population, 'theta', i).set(z.subarray(i * d, (i + 1) * d))
}

/** Writes the scores of all particles where they are now; `capped`: none longer than LONGEST_SCORE √d. */
export function scoreParticles(population: WhitenedPopulation, { capped = true } = {}): void {
  const { target, particles: n, dimension: d, whitening } = population
  const { score } = target.at(places(population))
  for (let i = 0; i < n; i++) {
    const whitened = whitenedScore(whitening, score.subarray(i * d, (i + 1) * d))
    const length = norm(whitened)
    if (!Number.isFinite(length)) throw new RunError(`The gradient of the log density is not finite at particle ${i}.`)
    const factor = capped ? Math.min(1, (LONGEST_SCORE * Math.sqrt(d)) / length) : 1
    rowOf(population, 'score', i).set(whitened.map((value) => factor * value))
  }
}

/** ε of a step. */
const RATE = 0.4

/**
 * z ← z + ε φ(z), from the scores of now, with the kernel
 *
 *     k(x, y) = 0.1 (1 + x·y) + 0.3 (1 + |x−y|²/m)^(−1/2) + diag_k (1 + (x_k−y_k)²/(0.3 m_k))^(−1/2)
 *
 * m and m_k are the medians of squared distances. Returns the mean of |φ|/√d.
 */
export function moveParticles({ arena, marginals, particles: n, dimension: d }: WhitenedPopulation): number {
  const size = { particles: n, dimension: d }
  marginals.view.theta.set(arena.view.theta)
  marginals.view.score.set(arena.view.score)
  steinDirection(arena, size, joint)
  steinDirection(marginals, size, marginal(d))
  const { theta, direction } = arena.view
  const stride = theta.length / n
  let total = 0
  for (let i = 0; i < n; i++) {
    const row = direction.subarray(i * stride, i * stride + d)
    for (let k = 0; k < d; k++) row[k] += marginals.view.direction[i * stride + k]
    const length = norm(row)
    total += length
    const factor = Math.min(RATE, LONGEST_STEP / Math.max(length, 1e-30))
    for (let k = 0; k < d; k++) theta[i * stride + k] += factor * row[k]
  }
  return total / (n * Math.sqrt(d))
}

/** The kernel Stein discrepancy in whitened coordinates, which no unit changes. */
export const whitenedDiscrepancy = ({ arena: { ops, at }, particles: n, dimension: d }: WhitenedPopulation) =>
  discrepancyAt(ops, { x: at.theta, score: at.score }, n, d).discrepancy

/** [d] mean and [d][d] covariance of z. */
function momentsOf(population: WhitenedPopulation): { mean: Float64Array; covariance: Matrix } {
  const { particles: n, dimension: d } = population
  const mean = new Float64Array(d)
  for (let i = 0; i < n; i++) {
    const z = rowOf(population, 'theta', i)
    for (let k = 0; k < d; k++) mean[k] += z[k] / n
  }
  const covariance = Matrix.zeros(d, d)
  for (let i = 0; i < n; i++) {
    const centred = Float64Array.from(rowOf(population, 'theta', i), (z, k) => z - mean[k])
    for (let k = 0; k < d; k++)
      for (let l = 0; l < d; l++) covariance.set(k, l, covariance.get(k, l) + (centred[k] * centred[l]) / n)
  }
  return { mean, covariance }
}

/** Takes the particles' own mean and covariance as coordinates; the particles stay where they are. */
export function renewWhitening(population: WhitenedPopulation): void {
  const { particles: n, dimension: d, whitening } = population
  if (n < 2 * d + 2) return
  const { mean, covariance } = momentsOf(population)
  const decomposition = new CholeskyDecomposition(covariance)
  if (!decomposition.isPositiveDefinite()) return
  const basis = whitening.basis.mmul(decomposition.lowerTriangularMatrix)
  const renewed = aligned({ centre: moved(whitening, mean), basis })
  if (!renewed) return
  const x = places(population)
  population.whitening = renewed
  placeParticles(population, x)
}

/**
 * How far two identities of Stein are from being true of the particles, in whitened coordinates, where s is the score:
 * E[s] = 0, of which the left side is the distance of the mean from its place, in standard deviations, and
 * E[−s_k (z_k − z̄_k)] = 1, of which the left side is the ratio of variances.
 *
 * Source: Stein 1972; Gorham & Mackey 2015 (arXiv 1506.03039).
 */
export function identitiesOf(population: WhitenedPopulation): { shift: Float64Array; ratio: Float64Array } {
  const { particles: n, dimension: d } = population
  const shift = new Float64Array(d)
  const ratio = new Float64Array(d)
  const { mean } = momentsOf(population)
  for (let i = 0; i < n; i++) {
    const z = rowOf(population, 'theta', i)
    const s = rowOf(population, 'score', i)
    for (let k = 0; k < d; k++) {
      shift[k] += s[k] / n
      ratio[k] -= (s[k] * (z[k] - mean[k])) / n
    }
  }
  return { shift, ratio }
}
