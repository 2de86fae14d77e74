import type { WeightedBatch } from '../../compile/policy-gradient.ts'
import type { Arena } from '../../core/arena.ts'
import { Purpose, type Seed } from '../../core/random.ts'
import { takeRows } from '../../core/rows.ts'
import { forward } from '../../nn/forward.ts'
import { tf } from '../../nn/tfjs.ts'
import type { Estimator } from '../../rl/estimator.ts'
import { descend, outputsInto, type shuffleFields, type Trainable } from '../../rl/trainable.ts'
import { type Episode, returnsToGo } from '../../rl/whole-episodes.ts'

/** Gains beyond this do not count for more. */
const LARGEST_GAIN = 1
/** The sum over a batch is divided by this number of rows or more. */
const SMALLEST_COUNT = 64
/** Actions less probable than e^this are not imitated. */
export const LEAST_LOG_PROB = -5
/** Priority of a transition that the critic values at its return or more, so that it may still be drawn. */
const SMALLEST_PRIORITY = 1e-6

type Scratch = Arena<ReturnType<typeof shuffleFields>>

/** Past transitions of one particle with their returns, in a ring; part of what it carries. */
export interface Memory {
  /** [capacity, O], [capacity, A] */
  readonly memoryObservation: Float32Array
  readonly memoryAction: Float32Array
  /** [capacity] */
  readonly memoryReturn: Float64Array
  readonly memoryPriority: Float64Array
  /** Transitions held, and where the next one goes. */
  readonly memoryCount: Int32Array
}

export const emptyMemory = (capacity: number, O: number, A: number): Memory => ({
  memoryObservation: new Float32Array(capacity * O),
  memoryAction: new Float32Array(capacity * A),
  memoryReturn: new Float64Array(capacity),
  memoryPriority: new Float64Array(capacity),
  memoryCount: new Int32Array(2),
})

/** The memory with the transitions of some episodes in it, the oldest gone where there is no room; in place. */
export function remember(memory: Memory, episodes: readonly Episode[], discount: number): void {
  const capacity = memory.memoryReturn.length
  const O = memory.memoryObservation.length / capacity
  const A = memory.memoryAction.length / capacity
  // A new transition is drawn soon: its priority becomes its own once it has been.
  const highest = memory.memoryPriority.reduce((most, value) => Math.max(most, value), SMALLEST_PRIORITY)
  for (const episode of episodes) {
    returnsToGo(episode, discount).forEach((value, t) => {
      const at = memory.memoryCount[1]
      memory.memoryObservation.set(episode.observation.subarray(t * O, (t + 1) * O), at * O)
      memory.memoryAction.set(episode.action.subarray(t * A, (t + 1) * A), at * A)
      memory.memoryReturn[at] = value
      memory.memoryPriority[at] = highest
      memory.memoryCount[0] = Math.min(memory.memoryCount[0] + 1, capacity)
      memory.memoryCount[1] = (at + 1) % capacity
    })
  }
}

/**
 * The rows of one step of self-imitation and a step of the critic on them: transitions drawn with probability ∝ pᵅ, p =
 * (R − V)₊, and the weights
 *
 *     w_b = u_b (R_b − V(s_b))₊ / N,   u_b ∝ (1 / (M P_b))^β
 *
 * of log π in the objective, so that only what went better than expected is imitated. Changes the priorities in place.
 *
 * Source: Oh, Guo, Singh & Lee 2018 (arXiv 1806.05635), equations 1 to 3, with the constants of the authors' code.
 */
export function imitatedRows(
  memory: Memory,
  critic: Trainable,
  estimator: Estimator,
  seed: Seed,
  scratch: Scratch,
): WeightedBatch | null {
  const [count] = memory.memoryCount
  if (count === 0) return null
  const O = critic.net.widths[0]
  const A = memory.memoryAction.length / memory.memoryReturn.length
  const size = Math.min(estimator.imitationBatch, scratch.view.shuffle.length)
  const { rows, importance } = draw(memory, count, size, estimator, seed, scratch)
  const observation = takeRows(memory.memoryObservation, rows, O)
  const values = new Float32Array(size)
  outputsInto(values, critic, observation)
  const gains = Float64Array.from(rows, (row, b) => Math.max(memory.memoryReturn[row] - values[b], 0))
  rows.forEach((row, b) => {
    memory.memoryPriority[row] = Math.max(gains[b], SMALLEST_PRIORITY)
  })
  const divisor = Math.max(
    gains.reduce((sum, gain) => sum + (gain > 0 ? 1 : 0), 0),
    SMALLEST_COUNT,
  )
  const weight = Float32Array.from(gains, (gain, b) => (importance[b] * Math.min(gain, LARGEST_GAIN)) / divisor)
  trainOnGains(critic, observation, rows, memory, importance, estimator)
  return { observation, action: takeRows(memory.memoryAction, rows, A), weight }
}

/**
 * ½ mean u (R − V)₊²: the value rises to returns that it was below, and never falls. The weight scales the rate of
 * Adam.
 */
function trainOnGains(
  critic: Trainable,
  observation: Float32Array,
  rows: Int32Array,
  memory: Memory,
  importance: Float64Array,
  { criticLearningRate, imitationValueWeight }: Estimator,
): void {
  if (imitationValueWeight === 0) return
  const target = Float32Array.from(rows, (row) => memory.memoryReturn[row])
  descend(critic, criticLearningRate * imitationValueWeight, (theta) => {
    const x = tf.tensor2d(observation, [rows.length, critic.net.widths[0]])
    const gain = tf.relu(tf.sub(tf.tensor1d(target), tf.reshape(forward(critic.net, theta, x), [-1])))
    return tf.mul(0.5, tf.mean(tf.mul(tf.tensor1d(Float32Array.from(importance)), tf.square(gain))))
  })
}

/** Rows by inversion of the cumulated priorities, and importance weights with the largest at 1. */
function draw(
  { memoryPriority }: Memory,
  count: number,
  size: number,
  { priorityExponent, importanceExponent }: Estimator,
  seed: Seed,
  { ops, at, view }: Scratch,
): { rows: Int32Array; importance: Float64Array } {
  const power = (base: number, exponent: number) => ops.exp64(exponent * ops.log64(base))
  const cumulated = new Float64Array(count)
  let total = 0
  for (let k = 0; k < count; k++) {
    total += power(memoryPriority[k], priorityExponent)
    cumulated[k] = total
  }
  ops.fillUniform(at.shuffle, size, seed.lo, seed.hi, Purpose.imitation, 0, 0, 0)
  const rows = Int32Array.from(view.shuffle.subarray(0, size), (u) =>
    Math.min(firstAbove(cumulated, u * total), count - 1),
  )
  const probability = (row: number) => (cumulated[row] - (row > 0 ? cumulated[row - 1] : 0)) / total
  const weights = Float64Array.from(rows, (row) => power(1 / (count * probability(row)), importanceExponent))
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  return { rows, importance: weights.map((weight) => weight / largest) }
}

/** The first index whose value is above x. */
function firstAbove(sorted: Float64Array, x: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] > x) high = middle
    else low = middle + 1
  }
  return low
}
