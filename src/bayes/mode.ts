import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { type Breathing, breathing } from '../core/breathing.ts'
import { RunError } from '../core/errors.ts'
import { dot, moved, norm, stack, type Whitening, whitenedScore } from './gaussian.ts'
import type { Target } from './target.ts'

// The way up to a mode, and the Gaussian around it: L-BFGS from several starts, then Newton's method in coordinates in
// which the curvature is the identity, so that neither scales nor correlations of the parameters matter.

/** A mode of a log density and the Gaussian of its curvature. */
export interface Mode extends Whitening {
  /** log p there; NaN for a target without values. */
  readonly logDensity: number
  /** |Bᵀ ∇ log p| there: how many standard deviations are left. */
  readonly distance: number
  /** Eigenvalues of −∂²log p in the last whitened coordinates: 1 where the curvature is known. */
  readonly curvatures: Float64Array
  readonly rounds: number
}

const MEMORY = 8
const ROUNDS = 60
/** Float32 rounds a log density to about this. */
const NOISE = 2e-6

interface Climber {
  x: Float64Array
  f: number
  g: Float64Array
  step: number
  direction: Float64Array
  readonly pairs: { s: Float64Array; y: Float64Array; rho: number }[]
  done: boolean
}

/**
 * L-BFGS from each of `starts` at once, one batch of rows a round. Returns the best row and the diagonal of its inverse
 * Hessian.
 *
 * Source: Nocedal & Wright 2006, algorithm 7.4; Zhang, Carpenter, Gelman & Vehtari 2022 (arXiv 2108.03782) for its use.
 *
 * @throws RunError when the log density is not finite at any start; what the breath throws
 */
export async function climb(
  target: Target,
  starts: readonly Float64Array[],
  breath: Breathing,
): Promise<{ x: Float64Array; f: number; scales: Float64Array }> {
  const d = target.dimension
  const first = target.at(stack(starts))
  const climbers = starts.map((x, r): Climber => {
    const g = Float64Array.from(first.score.subarray(r * d, (r + 1) * d))
    const f = first.logDensity[r]
    const ok = g.every(Number.isFinite) && (Number.isFinite(f) || !target.hasValue)
    return { x, f, g, step: 1, direction: g, pairs: [], done: !ok }
  })
  if (climbers.every(({ done }) => done)) {
    const wrong = target.blame(starts[0]) || 'give a `start` inside the support.'
    throw new RunError(
      `The log density or its gradient is not finite at any of the ${starts.length} starts (it is ${first.logDensity[0]} at the first): ${wrong}`,
    )
  }
  const alive = climbers.filter(({ done }) => !done)
  alive.forEach((climber) => void aim(climber))
  for (let round = 0; round < ROUNDS && alive.some(({ done }) => !done); round++) {
    if (breath.isDue()) await breath.take()
    const active = alive.filter(({ done }) => !done)
    const tries = active.map(({ x, direction, step }) => x.map((value, k) => value + step * direction[k]))
    const { logDensity, score } = target.at(stack(tries))
    active.forEach((climber, r) => {
      advance(climber, tries[r], logDensity[r], score.subarray(r * d, (r + 1) * d), target.hasValue)
    })
  }
  const best = alive.reduce((a, b) => (target.hasValue ? (b.f > a.f ? b : a) : norm(b.g) < norm(a.g) ? b : a))
  return { x: best.x, f: best.f, scales: scalesOf(best, d) }
}

/** Takes the try, or shortens the step. */
function advance(climber: Climber, x: Float64Array, f: number, score: Float32Array, hasValue: boolean): void {
  const { direction, step } = climber
  const g = Float64Array.from(score)
  const slope = dot(climber.g, direction)
  const finite = g.every(Number.isFinite) && (!hasValue || Number.isFinite(f))
  const enough = hasValue
    ? f >= climber.f + 1e-4 * step * slope - NOISE * Math.abs(climber.f)
    : dot(g, direction) >= -0.5 * slope
  if (!finite || !enough) {
    climber.step *= finite ? 0.3 : 0.1
    if (climber.step < 1e-12) climber.done = true
    return
  }
  const s = x.map((value, k) => value - climber.x[k])
  const y = g.map((value, k) => climber.g[k] - value)
  const curvature = dot(s, y)
  if (curvature > 1e-10 * norm(s) * norm(y)) {
    climber.pairs.push({ s, y, rho: 1 / curvature })
    if (climber.pairs.length > MEMORY) climber.pairs.shift()
  }
  const gain = f - climber.f
  Object.assign(climber, { x, f, g })
  aim(climber)
  // Half the expected gain, dᵀg, is below what rounding shows.
  const expected = dot(climber.g, climber.direction)
  climber.done = expected < 1e-3 || (hasValue && expected < NOISE * Math.abs(f) && gain < NOISE * Math.abs(f))
}

/** The next direction H g by the two loops over the pairs. */
function aim(climber: Climber): void {
  const { pairs, g } = climber
  const q = g.slice()
  const alphas: number[] = []
  for (let k = pairs.length - 1; k >= 0; k--) {
    const alpha = pairs[k].rho * dot(pairs[k].s, q)
    alphas[k] = alpha
    for (let i = 0; i < q.length; i++) q[i] -= alpha * pairs[k].y[i]
  }
  const last = pairs.at(-1)
  const scale = last ? dot(last.s, last.y) / dot(last.y, last.y) : 1 / Math.max(norm(g), 1)
  for (let i = 0; i < q.length; i++) q[i] *= scale
  pairs.forEach(({ s, y, rho }, k) => {
    const beta = rho * dot(y, q)
    for (let i = 0; i < q.length; i++) q[i] += (alphas[k] - beta) * s[i]
  })
  climber.direction = q
  climber.step = 1
}

/** Square roots of the diagonal of the inverse Hessian, from its last pairs. */
function scalesOf({ pairs, g }: Climber, d: number): Float64Array {
  const last = pairs.at(-1)
  const fallback = last ? dot(last.s, last.y) / dot(last.y, last.y) : 1 / Math.max(norm(g), 1)
  return Float64Array.from({ length: d }, (_, k) => {
    let least = fallback
    for (const { s, y } of pairs) if (y[k] * s[k] > 0) least = Math.min(Math.max(least, s[k] / y[k]), 1e12)
    return Math.sqrt(least)
  })
}

const NEWTON_ROUNDS = 60
/** Of how many standard deviations the differences are taken. */
const REACH = 0.5
/** A direction may become this much longer or shorter in a round. */
const STRETCH = 1e4
/** Lengths of a Newton step that are tried at once, of one within sight. */
const LENGTHS = [1, 0.5, 0.2, 0.05, 0.01, 0.001]
/** A step that goes far beyond is tried whole too, and in lengths this many times shorter. */
const BEYOND = 30

/**
 * Newton's method in whitened coordinates x = centre + B z: the Hessian by central differences of the score along the
 * columns of B, whose eigenvectors then make a better B, until the curvature is the identity and the mode is reached.
 * Two times d rows a round.
 */
export async function whiten(
  target: Target,
  start: Float64Array,
  scales: Float64Array,
  breath: Breathing = breathing(),
): Promise<Mode> {
  let centre = start
  let basis = Matrix.diag(Array.from(scales))
  let curvatures = new Float64Array(target.dimension)
  let distance = Number.POSITIVE_INFINITY
  let best = Number.NaN
  let round = 0
  for (; round < NEWTON_ROUNDS; round++) {
    if (breath.isDue()) await breath.take()
    const { hessian, gradient, logDensity } = derivatives(target, centre, basis)
    best = logDensity
    const eigen = new EigenvalueDecomposition(hessian.mul(-1), { assumeSymmetric: true })
    curvatures = Float64Array.from(eigen.realEigenvalues)
    const V = eigen.eigenvectorMatrix
    const lengths = curvatures.map((w) => 1 / Math.sqrt(Math.min(Math.max(Math.abs(w), 1 / STRETCH), STRETCH)))
    const turned = basis.mmul(V)
    basis = scaleColumns(turned, lengths)
    const step = V.transpose()
      .mmul(Matrix.columnVector(Array.from(gradient)))
      .to1DArray()
    const z = step.map((value, k) => value * lengths[k])
    distance = norm(z)
    const known = curvatures.every(isKnown)
    if (known && distance < 0.05) break
    const next = search(target, { centre, basis }, z, logDensity)
    // Float32 shows no better place: the curvature may still become better.
    if (!next && known) break
    centre = next ?? centre
  }
  return { centre, basis, logDensity: best, distance, curvatures, rounds: round }
}

/** Whether a whitened curvature is near enough to 1. */
const isKnown = (w: number) => w > 0.7 && w < 1.4

/** Derivatives of log p(centre + B z) at z = 0, [d] and [d][d]. */
function derivatives(target: Target, centre: Float64Array, basis: Matrix) {
  const d = target.dimension
  const rows = [centre]
  for (let k = 0; k < d; k++)
    for (const sign of [1, -1]) rows.push(centre.map((value, i) => value + sign * REACH * basis.get(i, k)))
  const { logDensity, score } = target.at(stack(rows))
  const whitened = (row: number) => whitenedScore({ centre, basis }, score.subarray(row * d, (row + 1) * d))
  const hessian = Matrix.zeros(d, d)
  for (let k = 0; k < d; k++) {
    const ahead = whitened(2 * k + 1)
    const behind = whitened(2 * k + 2)
    for (let l = 0; l < d; l++) {
      const slope = (ahead[l] - behind[l]) / (2 * REACH)
      // Where a neighbour is outside the support, the direction is to become shorter.
      const safe = Number.isFinite(slope) ? slope : k === l ? -STRETCH : 0
      hessian.set(k, l, hessian.get(k, l) + safe / 2)
      hessian.set(l, k, hessian.get(l, k) + safe / 2)
    }
  }
  return { hessian, gradient: whitened(0), logDensity: logDensity[0] }
}

/** The best of several steps along z, and null when none is better than none. */
function search(target: Target, whitening: Whitening, z: readonly number[], before: number): Float64Array | null {
  const d = target.dimension
  const most = 2 * Math.sqrt(d) + 4
  const cut = Math.min(1, most / Math.max(norm(z), 1e-300))
  const beyond: number[] = []
  for (let length = 1; length > BEYOND * cut; length /= BEYOND) beyond.push(length)
  const tries = [...LENGTHS.map((length) => length * cut), ...beyond].map((length) => moved(whitening, z, length))
  const { logDensity, score } = target.at(stack(tries))
  const worth = tries.map((_, r) => {
    const gradient = score.subarray(r * d, (r + 1) * d)
    if (!gradient.every(Number.isFinite)) return Number.NEGATIVE_INFINITY
    const slope = whitenedScore(whitening, gradient)
    // Where no values tell, a step must not go over the top: a tail is flat too.
    const isOver = r >= LENGTHS.length && dot(slope, z) < 0
    if (!target.hasValue) return isOver ? Number.NEGATIVE_INFINITY : -norm(slope)
    return Number.isFinite(logDensity[r]) ? logDensity[r] : Number.NEGATIVE_INFINITY
  })
  const first = worth.indexOf(Math.max(...worth))
  const least = target.hasValue ? before - NOISE * Math.abs(before) : Number.NEGATIVE_INFINITY
  return worth[first] > least ? tries[first] : null
}

function scaleColumns(matrix: Matrix, factors: Float64Array): Matrix {
  const out = matrix.clone()
  factors.forEach((factor, k) => void out.mulColumn(k, factor))
  return out
}

/** How far along a direction the density must fall, in units of where the way up ended. */
const FAR = 1e3

/**
 * A direction along which the log density does not fall, [d] with a largest entry of 1: of collinear columns, or of a
 * parameter that nothing depends on. Null where there is none, where the log density has no values, or where Newton's
 * method found far better places: that was a slope.
 */
export function flatDirection(
  target: Target,
  { x: from, f }: { readonly x: Float64Array; readonly f: number },
  { basis, curvatures, logDensity }: Mode,
): Float64Array | null {
  if (!target.hasValue || curvatures.every(isKnown) || logDensity - f > 100 + Math.abs(f) / 2) return null
  const columns = Array.from({ length: target.dimension }, (_, k) => Float64Array.from(basis.getColumn(k)))
  const longest = columns.reduce((a, b) => (norm(b) > norm(a) ? b : a))
  const most = Math.max(...longest.map(Math.abs))
  const direction = longest.map((value) => value / most)
  const length = FAR * Math.max(1, norm(from))
  const places = [0, length, -length].map((by) => from.map((value, i) => value + by * direction[i]))
  const [here, ahead, behind] = target.at(stack(places)).logDensity
  return here - Math.max(ahead, behind) < 1 ? direction : null
}
