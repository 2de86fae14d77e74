import { inverse as inverseOf, Matrix } from 'ml-matrix'
import { createArena } from '../core/arena.ts'
import { RunError } from '../core/errors.ts'
import { compileCore } from '../core/module.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { type SteinArena, steinDirection, steinFields } from '../svgd/direction.ts'
import { discrepancyAt } from '../svgd/discrepancy.ts'
import { imq, linear, sumOf } from '../svgd/kernels.ts'
import { choleskyOf, moved, norm, stack, type Whitening, whitenedScore } from './gaussian.ts'
import type { Target } from './target.ts'

// SVGD in whitened coordinates: the particles are z, their places x = centre + B z, their scores Bᵀ ∇ log p(x).

/** Particles in whitened coordinates, with the density that they follow. */
export interface WhitenedPopulation {
  readonly target: Target
  /** theta holds z [n, D], score the whitened scores. */
  readonly arena: SteinArena
  readonly particles: number
  readonly dimension: number
  whitening: Whitening
}

/**
 * k(x, y) = (1 + x·y) + (1 + |x − y|²/med²)^(−1/2). With the linear part the mean and the covariance of a Gaussian are
 * exact for any number of particles above d; the other part gives the rest of the shape.
 */
const kernel = sumOf([1, linear()], [1, imq({ bandwidth: (distances) => distances.median() })])

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
  const arena = await createArena(await compileCore(), steinFields(n, d, { kernel, norms: false }))
  const row = arena.view.theta.BYTES_PER_ELEMENT * (arena.view.theta.length / n)
  for (let i = 0; i < n; i++)
    arena.ops.fillNormal(arena.at.theta + i * row, d, seed.lo, seed.hi, Purpose.particles, i, 0, 0)
  return { target, arena, particles: n, dimension: d, whitening }
}

/** Row i of a field of the arena, without its padding. */
export function rowOf({ arena, particles, dimension }: WhitenedPopulation, field: 'theta' | 'score', i: number) {
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
  const inverse = inverseOf(whitening.basis)
  for (let i = 0; i < n; i++) {
    const from = whitening.centre.map((value, k) => x[i * d + k] - value)
    rowOf(population, 'theta', i).set(moved({ centre: new Float64Array(d), basis: inverse }, from))
  }
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
const RATE = 0.2

/** z ← z + ε φ(z), from the scores of now. Returns the mean of |φ|/√d. */
export function moveParticles({ arena, particles: n, dimension: d }: WhitenedPopulation): number {
  steinDirection(arena, { particles: n, dimension: d }, kernel)
  const { theta, direction } = arena.view
  const stride = theta.length / n
  let total = 0
  for (let i = 0; i < n; i++) {
    const length = norm(direction.subarray(i * stride, i * stride + d))
    total += length
    const factor = Math.min(RATE, LONGEST_STEP / Math.max(length, 1e-30))
    for (let k = i * stride; k < i * stride + d; k++) theta[k] += factor * direction[k]
  }
  return total / (n * Math.sqrt(d))
}

/** The kernel Stein discrepancy in whitened coordinates, which no unit changes. */
export const whitenedDiscrepancy = ({ arena: { ops, at }, particles: n, dimension: d }: WhitenedPopulation) =>
  discrepancyAt(ops, { x: at.theta, score: at.score }, n, d).discrepancy

/** [d] mean and [d][d] covariance of z. */
export function momentsOf(population: WhitenedPopulation): { mean: Float64Array; covariance: Matrix } {
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
  const L = choleskyOf(covariance)
  if (!L) return
  for (let i = 0; i < n; i++) {
    const z = rowOf(population, 'theta', i)
    for (let k = 0; k < d; k++) {
      let value = z[k] - mean[k]
      for (let l = 0; l < k; l++) value -= L.get(k, l) * z[l]
      z[k] = value / L.get(k, k)
    }
  }
  population.whitening = { centre: moved(whitening, mean), basis: whitening.basis.mmul(L) }
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
