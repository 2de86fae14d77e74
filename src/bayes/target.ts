import { compiledGradient } from '../compile/compiled.ts'
import { UsageError } from '../core/errors.ts'
import { startTfjs, tf } from '../nn/tfjs.ts'
import { type Score, scoreRow } from '../svgd/scores.ts'
import type { Model } from './model.ts'
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
}

/** What a target gives of rows: log p [rows] and ∇ log p [rows, d]. */
export interface Evaluated {
  readonly logDensity: Float32Array
  readonly score: Float32Array
}

/** A model as numbers; starts tfjs. */
export async function targetOf<S extends Supports>(model: Model<S>): Promise<Target> {
  const { logDensity, hasValue, compile: mode } = model
  const d = model.parameters.dimension
  const differentiate = compiledGradient({ name: 'The log density', mode })
  const sizeFor = batchSizes()
  const total = (free: tf.Tensor) => {
    const values = logDensity(free as tf.Tensor2D)
    return [tf.sum(values), values] as const
  }
  await startTfjs()
  const target: Target = {
    dimension: d,
    hasValue,
    evaluations: 0,
    at(rows) {
      const n = rows.length / d
      target.evaluations += n
      const size = sizeFor(n)
      const { gradient, values } = differentiate(total, filled(rows, size * d), [size, d])
      return { logDensity: values[1].slice(0, n), score: gradient.slice(0, n * d) }
    },
  }
  return target
}

/** How many times its rows a batch is filled up to, where that saves another plan. */
const MOST_FILLED = 4

/** By numbers of rows, those of batches: the least that was met before, if it is not much larger. */
function batchSizes(): (rows: number) => number {
  const met: number[] = []
  return (rows) => {
    const fitting = met.filter((size) => size >= rows && size <= MOST_FILLED * rows)
    if (fitting.length > 0) return Math.min(...fitting)
    met.push(rows)
    return rows
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
    at(rows) {
      const n = rows.length / d
      target.evaluations += n
      const x = Float32Array.from(rows)
      const out = new Float32Array(rows.length)
      const row = (all: Float32Array, i: number) => all.subarray(i * d, (i + 1) * d)
      for (let i = 0; i < n; i++) scoreRow(score, { x: row(x, i), score: row(out, i) }, batch)
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
