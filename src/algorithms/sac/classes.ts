import { forward } from '../../nn/forward.ts'
import type { Network } from '../../nn/network.ts'
import { tf } from '../../nn/tfjs.ts'
import { leastClassValues } from '../../rl/class-values.ts'
import type { Critics } from '../../rl/soft-q.ts'

// Soft actor-critic over numbered actions: what is a mean over samples elsewhere is the sum over all actions here.
// Source: Christodoulou 2019 (arXiv 1910.07207), equations 10 to 12.

interface ClassPolicy {
  readonly net: Network
  readonly critics: Critics
  /** α, one number. */
  readonly temperature: tf.Tensor | number
}

/** π(·|s) and log π(·|s) [rows, n]. */
function probabilities(net: Network, theta: tf.Tensor1D, state: tf.Tensor2D) {
  const logProb = tf.logSoftmax(forward(net, theta, state)) as tf.Tensor2D
  return { logProb, probability: tf.exp(logProb) as tf.Tensor2D }
}

/** V(s) = Σ_a π(a|s) ( min_k Q̄_k(s, a) − α log π(a|s) ) [rows]. */
export function classValue(
  { net, critics, temperature }: ClassPolicy,
  theta: tf.Tensor1D,
  state: tf.Tensor2D,
): tf.Tensor1D {
  const { logProb, probability } = probabilities(net, theta, state)
  const value = tf.sub(leastClassValues(critics, 'target', state), tf.mul(temperature, logProb))
  return tf.sum(tf.mul(probability, value), 1)
}

/** mean_s Σ_a π(a|s) ( α log π(a|s) − min_k Q_k(s, a) ), and the mean of log π; differentiable by theta. */
export function classPolicyLoss(
  { net, critics, temperature }: ClassPolicy,
  theta: tf.Tensor1D,
  state: tf.Tensor2D,
): readonly [loss: tf.Tensor, logProb: tf.Tensor] {
  const { logProb, probability } = probabilities(net, theta, state)
  const cost = tf.sub(tf.mul(temperature, logProb), leastClassValues(critics, 'network', state))
  const mean = (values: tf.Tensor) => tf.mean(tf.sum(tf.mul(probability, values), 1))
  return [mean(cost), mean(logProb)]
}
