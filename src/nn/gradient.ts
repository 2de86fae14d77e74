import { UsageError } from '../core/errors.ts'
import { readInto } from './core-op.ts'
import { type ObjectiveOptions, policyObjective } from './losses.ts'
import { actionWidth, type Policy } from './policy.ts'
import { tf } from './tfjs.ts'

/** The rows that one particle's gradient is taken on. */
export interface WeightedBatch {
  /** [rows × observation] */
  readonly observation: Float32Array
  /** [rows × A] */
  readonly action: Float32Array
  /** [rows] what multiplies log π(a|s): the advantage over the number of valid rows. */
  readonly weight: Float32Array
  /** [rows] log π(a|s) when the rows were collected; needed to clip. */
  readonly logProb?: Float32Array
}

/**
 * ∇_θ of the surrogate objective J of one particle into out [size].
 *
 * @throws UsageError for a batch without rows
 * @returns the mean entropy of the policy over the rows, in nats
 */
export function policyGradientInto(
  out: Float32Array,
  policy: Policy,
  theta: Float32Array,
  batch: WeightedBatch,
  options: ObjectiveOptions,
): number {
  const rows = batch.weight.length
  // Before tfjs, which leaves tensors behind when an error passes through a gradient.
  if (rows === 0) throw new UsageError('A batch needs at least one row, got 0.')
  const [gradient, entropy] = tf.tidy(() => {
    const tensors = {
      observation: tf.tensor2d(batch.observation, [rows, policy.net.widths[0]]),
      action: tf.tensor2d(batch.action, [rows, actionWidth(policy.head)]),
      weight: tf.tensor1d(batch.weight),
      logProb: batch.logProb && options.clip !== null ? tf.tensor1d(batch.logProb) : undefined,
    }
    let kept: tf.Scalar | undefined
    const objective = (row: tf.Tensor) => {
      const { objective, entropy } = policyObjective(policy, row as tf.Tensor1D, tensors, options)
      kept = tf.keep(entropy)
      return objective
    }
    return [tf.grad(objective)(tf.tensor1d(theta.subarray(0, policy.size))), kept as unknown as tf.Scalar]
  })
  readInto(out, gradient)
  const nats = entropy.dataSync()[0]
  tf.dispose([gradient, entropy])
  return nats
}
