import { categorical } from './distributions.ts'
import { forward } from './forward.ts'
import type { Network } from './network.ts'
import { tf } from './tfjs.ts'

/** The rows that one particle's gradient is taken on. */
export interface WeightedBatch {
  /** [rows × observation] */
  readonly observation: Float32Array
  /** [rows] */
  readonly action: Float32Array
  /** [rows] what multiplies log π(a|s): the advantage over the number of valid rows. */
  readonly weight: Float32Array
}

/** The surrogate objective J(θ) = Σ_b w_b log π_θ(a_b|s_b) + β mean_b H(π_θ(·|s_b)). */
export function surrogate(
  net: Network,
  theta: tf.Tensor1D,
  batch: { observation: tf.Tensor2D; action: tf.Tensor1D; weight: tf.Tensor1D },
  entropyBonus: number,
): { objective: tf.Scalar; entropy: tf.Scalar } {
  const logits = forward(net, theta, batch.observation)
  const entropy = tf.mean(categorical.entropy(logits)) as tf.Scalar
  const gain = tf.sum(tf.mul(categorical.logProb(logits, batch.action), batch.weight)) as tf.Scalar
  return { objective: entropyBonus === 0 ? gain : tf.add(gain, tf.mul(entropyBonus, entropy)), entropy }
}

/**
 * ∇_θ J of one particle into out [size]: the only crossing to tfjs.
 *
 * @returns the mean entropy of the policy over the rows, in nats
 */
export function policyGradientInto(
  out: Float32Array,
  net: Network,
  theta: Float32Array,
  batch: WeightedBatch,
  entropyBonus: number,
): number {
  const [gradient, entropy] = tf.tidy(() => {
    const tensors = {
      observation: tf.tensor2d(batch.observation, [batch.action.length, net.widths[0]]),
      action: tf.tensor1d(Int32Array.from(batch.action), 'int32'),
      weight: tf.tensor1d(batch.weight),
    }
    let kept: tf.Scalar | undefined
    const objective = (row: tf.Tensor) => {
      const { objective, entropy } = surrogate(net, row as tf.Tensor1D, tensors, entropyBonus)
      kept = tf.keep(entropy)
      return objective
    }
    return [tf.grad(objective)(tf.tensor1d(theta.subarray(0, net.size))), kept as unknown as tf.Scalar]
  })
  out.set(gradient.dataSync() as Float32Array)
  const nats = entropy.dataSync()[0]
  tf.dispose([gradient, entropy])
  return nats
}
