import { UsageError } from '../core/errors.ts'
import { isFloat32, isRecord, requireThat } from '../core/require.ts'
import type { Activation, Network } from '../nn/network.ts'
import { type Policy, parsePolicy } from '../nn/policy.ts'
import { type Bounds, encodePolicy, type Normalisation } from '../policy/description.ts'

/** One policy with what stands before and behind its network. */
export interface SinglePolicy {
  readonly policy: Policy
  /** [parameters] */
  readonly theta: Float32Array
  readonly normalisation: Normalisation | null
  readonly bounds: Bounds | null
}

/** y = f(x W + b) */
export interface DensePart {
  readonly name: string
  readonly inputs: number
  readonly outputs: number
  /** [inputs, outputs] */
  readonly kernel: Float32Array
  /** [outputs] */
  readonly bias: Float32Array
  readonly activation: Activation
}

/** A policy cut into the layers that formats of others have. */
export interface Parts {
  readonly hidden: readonly DensePart[]
  /** logits of classes, of all factors of a product; mean; or mean and log_std, before it is kept in its range. */
  readonly heads: readonly DensePart[]
  /** [A] a Gaussian's own log σ. */
  readonly logStd: Float32Array | null
  /** [A] the box of continuous actions, infinite where there is no bound. */
  readonly low: Float32Array
  readonly high: Float32Array
}

/** log σ of a squashed Gaussian is kept in this range, as in assembly/nn/policy.ts. */
export const LOG_STD_RANGE = [-20, 2] as const

/** @throws UsageError for what is no policy, or has parameters, a normalisation or bounds that are not of it */
function checkedSingle(taker: string, single: SinglePolicy): SinglePolicy {
  const isSingle = isRecord(single) && isRecord(single.policy)
  requireThat(isSingle, taker, 'one policy, { policy, theta, normalisation, bounds }', single)
  const policy = parsePolicy(single.policy)
  const { theta, normalisation = null, bounds = null } = single
  const isWhole = isFloat32(theta) && theta.length === policy.size
  requireThat(isWhole, taker, `theta as a Float32Array of the ${policy.size} parameters of its policy`, theta)
  const given: readonly unknown[] = bounds === null ? [null] : [bounds.low, bounds.high].flat()
  if (policy.head.name === 'squashed-gaussian' && given.includes(null))
    throw new UsageError('A squashed Gaussian is moved to the bounds of its actions, so bounds must have numbers only.')
  encodePolicy({ ...{ env: '', policy, theta, normalisation, particles: 1 }, bounds: bounds ?? unbounded(policy) })
  return { policy, theta, normalisation, bounds }
}

function unbounded({ head }: Policy): Bounds | null {
  const free = head.name === 'gaussian' ? Array<null>(head.actions).fill(null) : []
  return free.length > 0 ? { low: free, high: free } : null
}

/**
 * Cuts a policy into its layers.
 *
 * @param taker whose argument it is
 * @throws UsageError for what is no policy, has parameters or bounds that are not of it, or is a squashed Gaussian
 *   without bounds
 */
export function partsOf(taker: string, single: SinglePolicy): Parts {
  const { policy, theta, bounds } = checkedSingle(taker, single)
  const { net, head, size } = policy
  const free = head.name === 'categorical' ? [] : Array<null>(head.actions).fill(null)
  const { low, high } = bounds ?? { low: free, high: free }
  const layers = denseParts(net, theta)
  const last = layers.pop() as DensePart
  return {
    hidden: layers,
    heads: headsOf(head.name === 'categorical' ? ['logits'] : ['mean', 'log_std'], last, head.actions),
    logStd: head.name === 'gaussian' ? theta.slice(net.size, size) : null,
    low: Float32Array.from(low, (bound) => bound ?? Number.NEGATIVE_INFINITY),
    high: Float32Array.from(high, (bound) => bound ?? Number.POSITIVE_INFINITY),
  }
}

/** The layers of a network, as hidden ones. */
export const denseParts = (net: Network, theta: Float32Array): DensePart[] =>
  net.layers.map(({ inputs, outputs, weight, bias, activation }, l) => ({
    name: `hidden_${l + 1}`,
    inputs,
    outputs,
    kernel: theta.slice(weight, bias),
    bias: theta.slice(bias, bias + outputs),
    activation,
  }))

/** Whether any action has a bound. */
export const hasBounds = ({ low, high }: Pick<Parts, 'low' | 'high'>): boolean =>
  [...low, ...high].some((bound) => Number.isFinite(bound))

/** The last layer in pieces of A outputs, as many as it has. */
function headsOf(names: readonly string[], last: DensePart, A: number): DensePart[] {
  return names.slice(0, last.outputs / A).map((name, h) => {
    const kernel = new Float32Array(last.inputs * A)
    for (let k = 0; k < last.inputs; k++) {
      const at = k * last.outputs + h * A
      kernel.set(last.kernel.subarray(at, at + A), k * A)
    }
    return { ...last, name, outputs: A, kernel, bias: last.bias.slice(h * A, (h + 1) * A) }
  })
}
