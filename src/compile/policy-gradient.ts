import { UsageError } from '../core/errors.ts'
import { type ObjectiveOptions, policyObjective } from '../nn/losses.ts'
import { actionWidth, type Policy } from '../nn/policy.ts'
import { tf } from '../nn/tfjs.ts'
import { type CompiledGradient, compiledGradient } from './compiled.ts'

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
  /** [rows × outputFloats] what all layers of the network give for these rows and this theta, where it is known. */
  readonly outputs?: Float32Array
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
  const expression = (row: tf.Tensor) => {
    const tensors = {
      observation: tf.tensor2d(batch.observation, [rows, policy.net.widths[0]]),
      action: tf.tensor2d(batch.action, [rows, actionWidth(policy.head)]),
      weight: tf.tensor1d(batch.weight),
      logProb: batch.logProb && options.clip !== null ? tf.tensor1d(batch.logProb) : undefined,
      outputs: batch.outputs && tf.tensor1d(batch.outputs),
    }
    const { objective, entropy } = policyObjective(policy, row as tf.Tensor1D, tensors, options)
    return [objective, entropy] as const
  }
  const { gradient, values } = gradientOf(policy)(expression, theta.subarray(0, policy.size), [policy.size])
  out.set(gradient)
  return values[1][0]
}

// A policy is an immutable record, so what is derived from it is kept beside it and goes when it goes.
const gradients = new WeakMap<Policy, CompiledGradient>()

function gradientOf(policy: Policy): CompiledGradient {
  const known = gradients.get(policy)
  if (known) return known
  const made = compiledGradient({ name: 'The policy objective', varies: true })
  gradients.set(policy, made)
  return made
}
