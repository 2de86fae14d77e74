import type { Ops } from '../core/ops.ts'
import { takeRows } from '../core/rows.ts'
import { squashedGaussian } from '../nn/distributions.ts'
import { forward } from '../nn/forward.ts'
import type { Policy } from '../nn/policy.ts'
import { tf } from '../nn/tfjs.ts'
import type { Policies } from './agents.ts'

/** What a mixture of policies does in some states. */
export interface Targets {
  readonly rows: number
  /** [rows, A] probabilities of the classes; or the means of the actions, before they are squashed. */
  readonly mean: Float32Array
  /** [rows, A] variances of the actions; null for classes. */
  readonly variance: Float32Array | null
}

/** Of a Gaussian that is certain, so that its divergence stays finite. */
const LEAST_VARIANCE = 1e-12

/** log σ [rows, A] or [1, A], and μ [rows, A], of Gaussian policies; of squashed ones before tanh. */
function gaussianOf({ net, head, size }: Policy, theta: tf.Tensor1D, outputs: tf.Tensor2D) {
  if (head.name === 'squashed-gaussian') return squashedGaussian.parametersOf(outputs)
  return { mean: outputs, logStd: tf.reshape(tf.slice(theta, net.size, size - net.size), [1, head.actions]) }
}

const outputsOf = ({ net, size, observations }: Policy, theta: tf.Tensor1D, x: Float32Array) => {
  const parameters = net.size === size ? theta : (tf.slice(theta, 0, net.size) as tf.Tensor1D)
  return forward(net, parameters, tf.tensor2d(x, [x.length / observations, observations]))
}

/**
 * The mixture of n policies in states [rows × O]: p̄ = 1/n Σ p_i of classes; of Gaussians its mean and its variance,
 *
 *     M = 1/n Σ_i μ_i,  V = 1/n Σ_i (σ_i² + μ_i²) − M².
 */
export function mixtureOf({ policy, particles: n, theta }: Policies, x: Float32Array): Targets {
  const rows = x.length / policy.observations
  const isDiscrete = policy.head.name === 'categorical'
  const size = rows * policy.head.actions
  const [first, second] = [new Float64Array(size), new Float64Array(isDiscrete ? 0 : size)]
  for (let i = 0; i < n; i++) {
    const [a, b] = tf.tidy(() => {
      const own = tf.tensor1d(theta.subarray(i * policy.size, (i + 1) * policy.size))
      const outputs = outputsOf(policy, own, x)
      if (isDiscrete) return [tf.softmax(outputs)]
      const { mean, logStd } = gaussianOf(policy, own, outputs)
      return [mean, tf.add(tf.exp(tf.mul(2, logStd)), tf.zerosLike(mean))]
    })
    const values = a.dataSync()
    const variances = b?.dataSync()
    for (let k = 0; k < size; k++) {
      first[k] += values[k] / n
      if (variances) second[k] += (variances[k] + values[k] * values[k]) / n
    }
    a.dispose()
    b?.dispose()
  }
  const variance = (value: number, k: number) => Math.max(value - first[k] * first[k], LEAST_VARIANCE)
  return { rows, mean: Float32Array.from(first), variance: isDiscrete ? null : Float32Array.from(second, variance) }
}

export const takeTargets = ({ rows, mean, variance }: Targets, chosen: Int32Array): Targets => ({
  rows: chosen.length,
  mean: takeRows(mean, chosen, mean.length / rows),
  variance: variance && takeRows(variance, chosen, variance.length / rows),
})

/**
 * The mean over the states of the cross entropy of the mixture and the policy theta [policy.size], but for a constant:
 *
 *     −Σ_a p̄(a|s) log π(a|s),  or  Σ_k [ log σ_k + ((μ_k − M_k)² + V_k) / 2σ_k² ]
 */
export function crossEntropy(policy: Policy, theta: tf.Tensor1D, x: Float32Array, targets: Targets): tf.Scalar {
  const { rows, mean, variance } = targets
  const outputs = outputsOf(policy, theta, x)
  const shape: [number, number] = [rows, policy.head.actions]
  const target = tf.tensor2d(mean, shape)
  if (!variance) return tf.mul(-1 / rows, tf.sum(tf.mul(target, tf.logSoftmax(outputs))))
  const { mean: mu, logStd } = gaussianOf(policy, theta, outputs)
  const distance = tf.add(tf.square(tf.sub(mu, target)), tf.tensor2d(variance, shape))
  const precise = tf.mul(tf.exp(tf.mul(-2, logStd)), tf.mul(0.5, distance))
  return tf.mul(1 / rows, tf.sum(tf.add(logStd, precise)))
}

/** Mean over the states of KL(mixture ‖ policy) in nats, of Gaussians that of the mixture's moments. */
export function divergence(policy: Policy, theta: Float32Array, x: Float32Array, targets: Targets): number {
  const { rows, mean, variance } = targets
  const values = tf.tidy(() => {
    const cross = crossEntropy(policy, tf.tensor1d(theta), x, targets)
    const own = variance
      ? tf.add(tf.mul(0.5, tf.log(tf.tensor1d(variance))), 0.5)
      : tf.mul(-1, tf.mul(tf.tensor1d(mean), tf.log(tf.maximum(tf.tensor1d(mean), 1e-30))))
    return tf.sub(cross, tf.mul(1 / rows, tf.sum(own)))
  })
  const [value] = values.dataSync()
  values.dispose()
  return value
}

/** Where the free log σ of a Gaussian policy begin: at the mixture's mean variance. Empty for other heads. */
export function spreadOf({ head }: Policy, { rows, variance }: Targets, ops: Ops): Float32Array {
  if (head.name !== 'gaussian' || !variance) return new Float32Array(0)
  const A = head.actions
  const sums = new Float64Array(A)
  for (const [k, value] of variance.entries()) sums[k % A] += value / rows
  return Float32Array.from(sums, (sum) => 0.5 * ops.log64(sum))
}
