import { show, UsageError } from '../core/errors.ts'
import { distributionOf } from './distributions.ts'
import { forward } from './forward.ts'
import type { Policy } from './policy.ts'
import { tf } from './tfjs.ts'

/** The rows that a policy's gradient is taken on. */
interface PolicyRows {
  /** [rows, A]; a class is one number. */
  readonly action: tf.Tensor2D
  /** [rows] what multiplies log π(a|s): the advantage over the number of valid rows. */
  readonly weight: tf.Tensor1D
  /** [rows] log π(a|s) of the policy that collected them; needed to clip. */
  readonly logProb?: tf.Tensor1D
}

interface ObservedRows {
  /** [rows, O] */
  readonly observation: tf.Tensor2D
  /** Of all layers of the network, where they are known. */
  readonly outputs?: tf.Tensor1D
}

export interface ObjectiveOptions {
  /** β */
  readonly entropyBonus: number
  /** ε of the clipped objective, or null for the plain one. */
  readonly clip: number | null
  /** Actions with a lower log π have no gradient; null for none. */
  readonly floor: number | null
}

/**
 * The surrogate objective and the mean entropy in nats. theta [policy.size].
 *
 *     J(θ) = Σ_b w_b log π_θ(a_b|s_b) + β mean_b H(π_θ(·|s_b))
 *
 * and with a clip, ρ_b = π_θ(a_b|s_b) / π_old(a_b|s_b) (Schulman et al. 2017, equation 7),
 *
 *     J(θ) = Σ_b min(w_b ρ_b, w_b clip(ρ_b, 1 − ε, 1 + ε)) + β mean_b H(π_θ(·|s_b))
 */
export function policyObjective(
  policy: Policy,
  theta: tf.Tensor1D,
  { observation, outputs, ...rows }: PolicyRows & ObservedRows,
  options: ObjectiveOptions,
): { objective: tf.Scalar; entropy: tf.Scalar } {
  const last = forward(policy.net, networkPart(policy, theta), observation, outputs)
  return objectiveOfOutputs(policy, last, theta, rows, options)
}

/** The same from the outputs of the network [rows, outputs]; of theta only the parameters of the head are read. */
export function objectiveOfOutputs(
  policy: Policy,
  outputs: tf.Tensor2D,
  theta: tf.Tensor1D,
  { action, weight, logProb: old }: PolicyRows,
  { entropyBonus, clip, floor }: ObjectiveOptions,
): { objective: tf.Scalar; entropy: tf.Scalar } {
  const pi = distributionOf(policy, outputs, theta)
  const entropy = tf.mean(pi.entropy(action)) as tf.Scalar
  const likely = pi.logProb(action)
  const logProb = floor === null ? likely : (tf.maximum(likely, floor) as tf.Tensor1D)
  const gain = tf.sum(old && clip !== null ? clipped(logProb, old, weight, clip) : tf.mul(logProb, weight)) as tf.Scalar
  return { objective: entropyBonus === 0 ? gain : tf.add(gain, tf.mul(entropyBonus, entropy)), entropy }
}

function clipped(logProb: tf.Tensor1D, old: tf.Tensor1D, weight: tf.Tensor1D, epsilon: number): tf.Tensor {
  const ratio = tf.exp(tf.sub(logProb, old))
  return tf.minimum(tf.mul(ratio, weight), tf.mul(tf.clipByValue(ratio, 1 - epsilon, 1 + epsilon), weight))
}

const networkPart = ({ net, size }: Policy, theta: tf.Tensor1D) =>
  net.size === size ? theta : tf.slice(theta, 0, net.size)

/**
 * ½ mean_b (y_b − t_b)²: the loss of value and Q networks. Predictions and targets of one shape, such as [rows].
 *
 * @throws UsageError for two shapes
 */
export const squaredError = (prediction: tf.Tensor, target: tf.Tensor): tf.Scalar =>
  tf.mul(0.5, tf.mean(tf.square(errors(prediction, target))))

/** y − t. A column [rows, 1] and a row [rows] would silently give all their differences. */
function errors(prediction: tf.Tensor, target: tf.Tensor): tf.Tensor {
  if (!tf.util.arraysEqual(prediction.shape, target.shape)) {
    const shapes = `${show(prediction.shape)} and ${show(target.shape)}`
    throw new UsageError(`Predictions and targets must have one shape, got ${shapes}.`)
  }
  return tf.sub(prediction, target)
}
