import type { Minibatch, PopulationScore } from '../core/population.ts'
import { tf } from './tfjs.ts'

/** log p of every particle up to a constant: [n, dimension] → [n]. */
export type LogDensity = (x: tf.Tensor2D, batch: Minibatch) => tf.Tensor

/**
 * Scores s(x_i) = ∇ log p(x_i) by automatic differentiation of a tfjs expression, for all particles at once. Row i of the
 * result must depend on row i of x only. With minibatches, multiply the sum over the rows of data by batch.scale.
 * tfjs must have been started: `await startTfjs()`.
 */
export function logDensity(density: LogDensity): PopulationScore {
  return ({ particles: n, dimension, stride, x, score }, batch) => {
    const total = (rows: tf.Tensor) => tf.sum(density(tf.slice2d(rows as tf.Tensor2D, [0, 0], [n, dimension]), batch))
    const gradient = tf.tidy(() => tf.grad(total)(tf.tensor2d(x, [n, stride])))
    score.set(gradient.dataSync() as Float32Array)
    gradient.dispose()
  }
}
