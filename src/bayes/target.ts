import { compiledGradient } from '../compile/compiled.ts'
import { UsageError } from '../core/errors.ts'
import { apart, beginTfjs, tf } from '../nn/tfjs.ts'
import { type Score, scoreRows } from '../svgd/scores.ts'
import { blameOf } from './blame.ts'
import type { Model } from './model.ts'
import { failure } from './own-code.ts'
import type { Supports } from './parameters.ts'

/** A log density on ℝᵈ as rows of numbers. */
export interface Target {
  readonly dimension: number
  /** Whether log densities have values, or gradients alone. */
  readonly hasValue: boolean
  /** Rows whose gradient has been taken. */
  evaluations: number
  /** log p [rows] and ∇ log p [rows, d] of rows [rows, d]; NaN and infinities pass through. */
  at(rows: Float64Array): Evaluated
  /** What is wrong with the first log density that is not finite at these rows, as a sentence; '' for none. */
  blame(rows: Float64Array): string
}

/** What a target gives of rows: log p [rows] and ∇ log p [rows, d]. */
export interface Evaluated {
  readonly logDensity: Float32Array
  readonly score: Float32Array
}

/**
 * A model as numbers; starts tfjs.
 *
 * @param particles rows of most batches that will be asked for
 */
export async function targetOf<S extends Supports>(model: Model<S>, particles: number): Promise<Target> {
  const { logDensity, hasValue, compile: mode } = model
  const d = model.parameters.dimension
  const differentiate = compiledGradient({ name: 'The log density', mode, fixed: true })
  const sizes = new BatchSizes(particles)
  const total = (free: tf.Tensor) => {
    const values = logDensity(free as tf.Tensor2D)
    return [tf.sum(values), values] as const
  }
  const gradientAt = (rows: Float32Array, size: number) => {
    try {
      return apart(() => differentiate(total, rows, [size, d]))
    } catch (error) {
      throw failure('The log density', error)
    }
  }
  await beginTfjs()
  const target: Target = {
    dimension: d,
    hasValue,
    evaluations: 0,
    at(rows) {
      const n = rows.length / d
      target.evaluations += n
      const size = sizes.for(n)
      const { gradient, values, steps } = gradientAt(filled(rows, size * d), size)
      sizes.steps = steps
      return { logDensity: values[1].slice(0, n), score: gradient.slice(0, n * d) }
    },
    blame: (rows) => blameOf(() => logDensity(tf.tensor2d(Float32Array.from(rows), [rows.length / d, d]))),
  }
  return target
}

/** How many times its rows a batch is filled up to, where that saves another plan. */
const MOST_FILLED = 4
/** Steps of a plan, as of a loop over a time series, from which on another plan costs more than so many rows. */
const MANY_STEPS = 200
const FEW_ROWS = 256

/** By numbers of rows, those of batches: the least that was met before, if it is not much larger. */
class BatchSizes {
  /** Of the plan, once there is one. */
  steps = 0
  private readonly met: number[] = []
  private readonly particles: number

  constructor(particles: number) {
    this.particles = particles
  }

  for(rows: number): number {
    const isLong = this.steps > MANY_STEPS && this.particles <= FEW_ROWS
    const known = isLong ? [...this.met, this.particles] : this.met
    const fitting = known.filter((size) => size >= rows && (isLong || size <= MOST_FILLED * rows))
    const size = fitting.length > 0 ? Math.min(...fitting) : rows
    if (!this.met.includes(size)) this.met.push(size)
    return size
  }
}

/** Rows, repeated until there are as many numbers as asked for. */
function filled(rows: Float64Array, length: number): Float32Array {
  const all = new Float32Array(length)
  for (let at = 0; at < length; at += rows.length) all.set(rows.subarray(0, length - at), at)
  return all
}

/** A score of one particle as numbers; its log density has no values. */
export function scoreTarget(score: Score, d: number): Target {
  const batch = { rows: new Int32Array(0), scale: 1 }
  const target: Target = {
    dimension: d,
    hasValue: false,
    evaluations: 0,
    blame: () => '',
    at(rows) {
      const n = rows.length / d
      target.evaluations += n
      const x = Float32Array.from(rows)
      const out = new Float32Array(rows.length)
      const row = (all: Float32Array, i: number) => all.subarray(i * d, (i + 1) * d)
      scoreRows(score, n, (i) => ({ x: row(x, i), score: row(out, i) }), batch)
      return { logDensity: new Float32Array(n).fill(Number.NaN), score: out }
    },
  }
  return target
}

/**
 * Refuses a density whose rows depend on each other: one that sums or broadcasts over the particles.
 *
 * @throws UsageError
 */
export function refuseMixedRows(target: Target, rows: Float64Array): void {
  const d = target.dimension
  const together = target.at(rows)
  const alone = target.at(rows.subarray(0, d))
  const size = Math.max(...Array.from(alone.score, Math.abs), 1e-30)
  for (let k = 0; k < d; k++) {
    const [a, b] = [alone.score[k], together.score[k]]
    if (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) > 1e-3 * size)
      throw new UsageError(
        'The log density of a particle depends on other particles: terms must keep the first axis, [n, …], as it is.',
      )
  }
}
