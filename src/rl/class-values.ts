import { forward } from '../nn/forward.ts'
import { type Activation, mlp, type Network } from '../nn/network.ts'
import { tf } from '../nn/tfjs.ts'
import type { Critics } from './soft-q.ts'
import { parametersOf, type Trainable } from './trainable.ts'

// Q networks of a task with n numbered actions, s → Q(s, 0) … Q(s, n − 1): expectations over actions are sums.

/** A Q network with one output an action. */
export const classNetwork = (
  observations: number,
  classes: number,
  hidden: readonly number[],
  activation: Activation,
): Network => mlp([observations, ...hidden, classes], { hidden: activation })

/** Q_k(s, ·) [count, rows, n] of states [rows, O] by networks with parameters theta [size] or [count, size]. */
function classValues(
  { net, count }: Pick<Trainable, 'net' | 'count'>,
  theta: tf.Tensor,
  state: tf.Tensor2D,
): tf.Tensor3D {
  const x = count === 1 ? state : tf.stack(Array(count).fill(state))
  const n = net.widths[net.widths.length - 1]
  return tf.reshape(forward(net, theta, x as tf.Tensor3D), [count, state.shape[0], n])
}

/** Q_k(s, a) [count, rows] of the classes [rows, 1], differentiable by theta. */
export function chosenValues(
  q: Pick<Trainable, 'net' | 'count'>,
  theta: tf.Tensor,
  state: tf.Tensor2D,
  action: tf.Tensor2D,
): tf.Tensor2D {
  const values = classValues(q, theta, state)
  const chosen = tf.cast(tf.equal(action, tf.range(0, values.shape[2])), 'float32')
  return tf.sum(tf.mul(values, chosen), 2)
}

/** min_k Q_k(s, ·) [rows, n], of the targets or of the networks themselves. */
export function leastClassValues({ q, target }: Critics, of: 'target' | 'network', state: tf.Tensor2D): tf.Tensor2D {
  const values = classValues(q, parametersOf(q, of === 'target' ? target.view : q.view.theta), state)
  return tf.min(values, 0)
}

/** α log Σ_a exp(Q(s, a)/α) [rows] of values [rows, n]: the soft maximum, which overflows for no α. */
export const softMaximum = (values: tf.Tensor2D, temperature: number): tf.Tensor1D =>
  tf.mul(temperature, tf.logSumExp(tf.div(values, temperature), 1))
