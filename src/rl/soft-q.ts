import type { Arena } from '../core/arena.ts'
import { f32, padded } from '../core/layout.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { arraysPart } from '../core/state.ts'
import { squashedGaussian } from '../nn/distributions.ts'
import { forward } from '../nn/forward.ts'
import { squaredError } from '../nn/losses.ts'
import type { Network } from '../nn/network.ts'
import { tf } from '../nn/tfjs.ts'
import type { Batch } from './replay.ts'
import { descend, initialiseTrainable, parametersOf, type Trainable, trainable, trainableFields } from './trainable.ts'

// Q networks, one or a pair, and the slower copies that they learn from.

/** How many Q networks a pair has: the smaller of two values is learned from, which overestimates less. */
export const PAIR = 2

/** Values [rows · width] of a batch as a tensor [rows, width]. */
export const matrixOf = (values: Float32Array, { rows }: Pick<Batch, 'rows'>): tf.Tensor2D =>
  tf.tensor2d(values, [rows, values.length / rows])

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

/** What they have learned, and the moments that they learn with. */
export const criticParts = ({ q, target }: Critics) => {
  const { theta, moment1, moment2 } = q.view
  return {
    population: arraysPart({ theta, target: target.view }),
    rest: arraysPart({ moment1, moment2, steps: q.steps }),
  }
}

/** θ̄ ← τ θ + (1 − τ) θ̄; τ = 1 copies. */
export function follow({ q, ops, target }: Critics, tau: number): void {
  ops.combineInto(target.at, tau, q.at.theta, 1 - tau, target.at, target.view.length)
}

/**
 * Q [count, rows] of states [rows, O] and actions [rows, A] by networks with parameters theta [size] or [count, size].
 * Differentiable by theta and the actions.
 */
function qValues(
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
function least(q: tf.Tensor2D): tf.Tensor1D {
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

/** What Q networks learn from: states [B, O], actions [B, A] and targets y [B]. */
interface QRows {
  readonly state: tf.Tensor2D
  readonly action: tf.Tensor2D
  readonly y: tf.Tensor1D
}

type ValuesOfActions = (
  q: Pick<Trainable, 'net' | 'count'>,
  theta: tf.Tensor,
  state: tf.Tensor2D,
  action: tf.Tensor2D,
) => tf.Tensor2D

/**
 * One step of Adam down Σ_k ½ mean_b (Q_k(s_b, a_b) − y_b)² towards targets, which are taken as constants.
 *
 * @param rows makes the tensors; it is compiled with the loss
 * @param values Q_k(s, a) [count, rows]; default: of networks that take the action beside the state
 * @returns the loss before the step
 */
export function learnQ({ q }: Critics, rate: number, rows: () => QRows, values: ValuesOfActions = qValues): number {
  const [loss] = descend(q, rate, (theta) => {
    const { state, action, y } = rows()
    const targets = tf.stack(Array(q.count).fill(y)) as tf.Tensor2D
    return tf.mul(q.count, squaredError(values(q, theta, state, action), targets))
  })
  return loss
}

/** Q networks of one shape that score actions: one set, or a set for each component of a composition. */
export interface CriticSets {
  readonly q: Network
  /** How many networks a set has, of which the smallest value counts. */
  readonly shape: { readonly qs: number }
  /** [components] parameters [qs, size]; the values of components add up. */
  readonly criticThetas: readonly Float32Array[]
}

/** Σ over components of min_k Q_k(s, a) [rows], differentiable by the actions. */
export function criticValues(
  { q, shape: { qs }, criticThetas }: CriticSets,
  state: tf.Tensor2D,
  action: tf.Tensor2D,
): tf.Tensor1D {
  const values = criticThetas.map((theta) => {
    const parameters = theta.subarray(0, qs * q.size)
    const networks = qs === 1 ? tf.tensor1d(parameters) : tf.tensor2d(parameters, [qs, q.size])
    return least(qValues({ net: q, count: qs }, networks, state, action))
  })
  return values.reduce((a, b) => tf.add(a, b))
}

/**
 * Σ_rows [ Q(s, tanh u)/α + Σ_k log(1 − tanh² u_k) ], the log density of u [rows, A], up to a constant, whose squashed
 * actions have the density ∝ exp(Q(s, ·)/α).
 */
export function squashedLogTarget(
  critics: CriticSets,
  temperature: number,
  state: tf.Tensor2D,
  u: tf.Tensor2D,
): tf.Scalar {
  const value = tf.sum(criticValues(critics, state, tf.tanh(u)))
  return tf.add(tf.div(value, temperature), tf.sum(squashedGaussian.logSlope(u))) as tf.Scalar
}
