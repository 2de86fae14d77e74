import { check, oneOf } from '../core/errors.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { Purpose, type Seed } from '../core/random.ts'

/** One dense layer y = x W + b inside a row of theta: W [inputs, outputs] at `weight`, directly followed by b [outputs]. */
export interface Layer {
  readonly inputs: number
  readonly outputs: number
  readonly weight: number
  readonly bias: number
  readonly activation: Activation
}

/** Kinds of activations, as in assembly/nn/training.ts. */
export const ActivationKind = { linear: 0, tanh: 1, relu: 2, elu: 3, softplus: 4 } as const

export type Activation = keyof typeof ActivationKind

export const activations = Object.keys(ActivationKind) as Activation[]

/** An MLP, and where its parameters lie in a row of theta. */
export interface Network {
  /** Observation, hidden …, output. */
  readonly widths: readonly number[]
  readonly layers: readonly Layer[]
  /** Number of parameters. */
  readonly size: number
}

/**
 * The layout of an MLP with the given widths, written once: tfjs, WASM and files all read it.
 *
 * @param hidden activation of the hidden layers; default tanh    @param output of the last one; default linear
 * @throws UsageError for an unknown activation
 */
export function mlp(
  widths: readonly number[],
  { hidden = 'tanh', output = 'linear' }: { hidden?: Activation; output?: Activation } = {},
): Network {
  check(oneOf('The activation of hidden layers', activations), hidden)
  check(oneOf('The activation of the last layer', activations), output)
  const layers: Layer[] = []
  let size = 0
  for (let l = 1; l < widths.length; l++) {
    const inputs = widths[l - 1]
    const outputs = widths[l]
    const activation = l < widths.length - 1 ? hidden : output
    layers.push({ inputs, outputs, weight: size, bias: size + inputs * outputs, activation })
    size += (inputs + 1) * outputs
  }
  return { widths, layers, size }
}

/**
 * Initial weights of one particle: W ~ N(0, 1/inputs), b = 0, the last layer's W scaled by `lastGain`, so that a policy
 * starts close to uniform. They depend on (seed, particle) only.
 *
 * @param row the particle's row of theta, a view on the core's memory
 */
export function initialiseInto(
  row: Float32Array,
  net: Network,
  ops: Ops,
  seed: Seed,
  particle: number,
  lastGain = 0.1,
): void {
  row.fill(0)
  net.layers.forEach(({ inputs, outputs, weight, bias }, l) => {
    const at: Pointer = row.byteOffset + weight * row.BYTES_PER_ELEMENT
    ops.fillNormal(at, inputs * outputs, seed.lo, seed.hi, Purpose.weights, particle, l, 0)
    const gain = (l === net.layers.length - 1 ? lastGain : 1) / Math.sqrt(inputs)
    for (let k = weight; k < bias; k++) row[k] *= gain
  })
}
