import type { Arena } from '../core/arena.ts'
import { f32, padded } from '../core/layout.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { forward } from '../nn/forward.ts'
import { squaredError } from '../nn/losses.ts'
import type { Network } from '../nn/network.ts'
import { tf } from '../nn/tfjs.ts'
import { descend, initialiseTrainable, parametersOf, type Trainable, trainable, trainableFields } from './trainable.ts'

// Q networks, one or a pair, and the slower copies that they learn from.

/** Room for them. */
export const criticFields = (net: Network, count: number) => ({
  ...trainableFields('q', net, count),
  qTarget: f32(padded(count * net.size)),
})

/** Q networks (s, a) → Q with their targets. */
export interface Critics {
  readonly q: Trainable
  readonly ops: Ops
  readonly target: { readonly at: Pointer; readonly view: Float32Array }
}

/** New networks in an arena that has their fields, and targets that are the same. */
export function createCritics(arena: Arena<ReturnType<typeof criticFields>>, net: Network, count: number, seed: Seed) {
  const q = trainable(arena, 'q', net, count)
  initialiseTrainable(q, seed, 0, { scheme: 'xavier', purpose: Purpose.q, lastGain: 1 })
  const critics: Critics = { q, ops: arena.ops, target: { at: arena.at.qTarget, view: arena.view.qTarget } }
  follow(critics, 1)
  return critics
}

/** θ̄ ← τ θ + (1 − τ) θ̄; τ = 1 copies. */
export function follow({ q, ops, target }: Critics, tau: number): void {
  ops.combineInto(target.at, tau, q.at.theta, 1 - tau, target.at, target.view.length)
}

/**
 * Q [count, rows] of states [rows, O] and actions [rows, A] by networks with parameters theta [size] or [count, size].
 * Differentiable by theta and the actions.
 */
export function qValues(
  { net, count }: Pick<Trainable, 'net' | 'count'>,
  theta: tf.Tensor,
  state: tf.Tensor2D,
  action: tf.Tensor2D,
): tf.Tensor2D {
  const input = tf.concat([state, action], 1) as tf.Tensor2D
  const rows = input.shape[0]
  const x = count === 1 ? input : tf.stack(Array(count).fill(input))
  return tf.reshape(forward(net, theta, x as tf.Tensor3D), [count, rows])
}

/** min_k Q_k [rows]. */
export function least(q: tf.Tensor2D): tf.Tensor1D {
  const [count, rows] = q.shape
  const row = (k: number) => tf.reshape(tf.slice(q, [k, 0], [1, rows]), [rows]) as tf.Tensor1D
  return Array.from({ length: count }, (_, k) => row(k)).reduce((a, b) => tf.minimum(a, b))
}

/** min_k Q_k [rows] of the targets. */
export const targetValues = ({ q, target }: Critics, state: tf.Tensor2D, action: tf.Tensor2D): tf.Tensor1D =>
  least(qValues(q, parametersOf(q, target.view), state, action))

/** min_k Q_k [rows] of the networks themselves, differentiable by the actions. */
export const leastValues = ({ q }: Critics, state: tf.Tensor2D, action: tf.Tensor2D): tf.Tensor1D =>
  least(qValues(q, parametersOf(q, q.view.theta), state, action))

/**
 * One step of Adam down Σ_k ½ mean_b (Q_k(s_b, a_b) − y_b)² towards targets y [rows].
 *
 * @returns the loss before the step
 */
export function learnQ({ q }: Critics, rate: number, state: tf.Tensor2D, action: tf.Tensor2D, y: tf.Tensor1D): number {
  const targets = tf.stack(Array(q.count).fill(y)) as tf.Tensor2D
  return descend(
    q,
    rate,
    (theta) => tf.mul(q.count, squaredError(qValues(q, theta, state, action), targets)) as tf.Scalar,
  )
}
