import { joined } from '../../core/rows.ts'
import { forward } from '../../nn/forward.ts'
import type { Head } from '../../nn/policy.ts'
import { stateActions } from '../../nn/state-action.ts'
import { tf } from '../../nn/tfjs.ts'
import type { Estimator } from '../../rl/estimator.ts'
import { type Moments, noMoments, normaliseInPlace, withRows } from '../../rl/normalisation.ts'
import { descend, outputsInto, type Trainable } from '../../rl/trainable.ts'
import { type Episode, returnOf } from '../../rl/whole-episodes.ts'

/** Weight of the entropy of the discriminator's answer in its loss: it keeps it from being certain. */
const DISCRIMINATOR_ENTROPY = 1e-3

/** The best trajectories of one particle, the best first; part of what it carries. */
export interface Trajectories {
  /** [Σ L, O], [Σ L, A] */
  readonly bestObservation: Float32Array
  readonly bestAction: Float32Array
  /** [trajectories] */
  readonly bestLength: Int32Array
  readonly bestReturn: Float64Array
  /** Mean and variance of all state-action rows so far. */
  readonly bestMoments: Moments
}

export const noTrajectories = (columns: number): Trajectories => ({
  bestObservation: new Float32Array(0),
  bestAction: new Float32Array(0),
  bestLength: new Int32Array(0),
  bestReturn: new Float64Array(0),
  bestMoments: noMoments(columns),
})

/** The best `capacity` of the trajectories held and some new ones, by their returns; an older one wins a tie. */
export function keepBest(held: Trajectories, episodes: readonly Episode[], capacity: number): Trajectories {
  const all = [...unpack(held), ...episodes.map(packed)]
  const best = all.sort((a, b) => b.total - a.total).slice(0, capacity)
  return {
    bestMoments: held.bestMoments,
    bestObservation: joined(best.map(({ observation }) => observation)),
    bestAction: joined(best.map(({ action }) => action)),
    bestLength: Int32Array.from(best, ({ length }) => length),
    bestReturn: Float64Array.from(best, ({ total }) => total),
  }
}

interface Packed {
  readonly observation: Float32Array
  readonly action: Float32Array
  readonly length: number
  readonly total: number
}

const packed = (episode: Episode): Packed => ({
  ...{ observation: episode.observation, action: episode.action },
  ...{ length: episode.reward.length, total: returnOf(episode) },
})

function unpack({ bestObservation, bestAction, bestLength, bestReturn }: Trajectories): Packed[] {
  const rows = bestLength.reduce((sum, length) => sum + length, 0)
  const O = bestObservation.length / rows
  const A = bestAction.length / rows
  let at = 0
  return Array.from(bestLength, (length, k) => {
    const observation = bestObservation.slice(at * O, (at + length) * O)
    const action = bestAction.slice(at * A, (at + length) * A)
    at += length
    return { observation, action, length, total: bestReturn[k] }
  })
}

/** [rows] weight of each row of the trajectories: their returns above the lowest, with the sum 1 over all rows. */
export function rowWeights({ bestLength, bestReturn }: Trajectories): Float32Array {
  const lowest = bestReturn.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const range = bestReturn.reduce((most, value) => Math.max(most, value - lowest), 0)
  // The lowest counts a little too, and where all are equal each counts the same.
  const worth = Array.from(bestReturn, (value) => (range > 0 ? (value - lowest) / range : 1) + 0.1)
  const total = worth.reduce((sum, value, k) => sum + value * bestLength[k], 0)
  return Float32Array.from(worth.flatMap((value, k) => Array(bestLength[k]).fill(value / total)))
}

/** The rows of a rollout that the discriminator scores. */
interface RowsWithValues {
  readonly observation: Float32Array
  readonly action: Float32Array
  readonly observations: number
  readonly head: Head
}

/**
 * Some steps of the discriminator D between the policy's rows (0) and those of the best trajectories (1, weighted by
 * return), then the reward −log(1 − D(s, a)), or log D − log(1 − D), of every row of the policy into out [rows].
 * Without trajectories every reward is 0.
 *
 * Source: Gangwani, Liu & Peng 2018 (arXiv 1805.10309), with the constants of the authors' code.
 *
 * @returns the trajectories with the moments that rows were normalised by
 */
export function imitationRewards(
  out: Float64Array,
  trajectories: Trajectories,
  discriminator: Trainable,
  rows: RowsWithValues,
  { discriminatorLearningRate, discriminatorSteps, imitationReward }: Estimator,
): Trajectories {
  const { observations, head } = rows
  const own = stateActions(rows.observation, rows.action, observations, head)
  const bestMoments = withRows(trajectories.bestMoments, own)
  const held = { ...trajectories, bestMoments }
  if (trajectories.bestReturn.length === 0) {
    out.fill(0)
    return held
  }
  const { bestObservation, bestAction } = trajectories
  const best = stateActions(bestObservation, bestAction, observations, head)
  normaliseInPlace(own, bestMoments)
  normaliseInPlace(best, bestMoments)
  const { net } = discriminator
  const columns = net.widths[0]
  const weights = rowWeights(trajectories)
  const loss = (theta: tf.Tensor1D) => {
    const ownLogit = logitsOf(discriminator, theta, own, columns)
    const bestLogit = logitsOf(discriminator, theta, best, columns)
    // −log(1 − σ(x)) = softplus(x), −log σ(x) = softplus(−x)
    const likelihood = tf.add(
      tf.mean(tf.softplus(ownLogit)),
      tf.sum(tf.mul(tf.tensor1d(weights), tf.softplus(tf.neg(bestLogit)))),
    )
    return tf.sub(likelihood, tf.mul(DISCRIMINATOR_ENTROPY, tf.mean(bernoulliEntropy(ownLogit)))) as tf.Scalar
  }
  for (let step = 0; step < discriminatorSteps; step++) descend(discriminator, discriminatorLearningRate, loss)
  const logits = new Float64Array(out.length)
  outputsInto(logits, discriminator, own)
  if (imitationReward === 'positive') softplusInto(out, logits)
  else out.set(logits)
  return held
}

function logitsOf({ net }: Trainable, theta: tf.Tensor1D, rows: Float32Array, columns: number): tf.Tensor {
  return tf.reshape(forward(net, theta, tf.tensor2d(rows, [rows.length / columns, columns])), [-1])
}

/** H of a coin with log odds x: softplus(x) − x σ(x). */
const bernoulliEntropy = (x: tf.Tensor) => tf.sub(tf.softplus(x), tf.mul(x, tf.sigmoid(x)))

function softplusInto(out: Float64Array, x: Float64Array): void {
  const values = tf.tidy(() => tf.softplus(tf.tensor1d(Float32Array.from(x))))
  out.set(values.dataSync() as Float32Array)
  values.dispose()
}
