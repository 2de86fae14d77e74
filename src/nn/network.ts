import { show, UsageError } from '../core/errors.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { refuseUnknown } from '../core/options.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { check, oneOf, wholeNumber } from '../core/schemas.ts'

/**
 * One dense layer y = x W + b inside a row of theta: W [inputs, outputs] at `weight`, directly followed by b [outputs].
 */
export interface Layer {
  readonly inputs: number
  readonly outputs: number
  readonly weight: number
  readonly bias: number
  readonly activation: Activation
}

/** Kinds of activations, as in assembly/nn/activation.ts. */
export const ActivationKind = { linear: 0, tanh: 1, relu: 2, elu: 3, softplus: 4 } as const

/** What stands between two layers of a network. */
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
 * @param options.hidden activation of the hidden layers; default tanh
 * @param options.output of the last one; default linear
 * @throws UsageError for an unknown activation, fewer than two widths or one that is no whole number of at least 1
 */
export function mlp(widths: readonly number[], options: { hidden?: Activation; output?: Activation } = {}): Network {
  refuseUnknown('mlp', options, ['hidden', 'output'])
  const { hidden = 'tanh', output = 'linear' } = options
  if (!Array.isArray(widths)) throw new UsageError(`mlp takes a list of widths, got ${show(widths)}.`)
  check(oneOf('The activation of hidden layers', activations), hidden)
  check(oneOf('The activation of the last layer', activations), output)
  if (widths.length < 2) throw new UsageError(`A network needs at least two widths, got ${show(widths)}.`)
  for (const width of widths) check(wholeNumber('A width of a network', 1), width)
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

/** A value network s → V(s): one output. */
export const valueNetwork = (observations: number, hidden: readonly number[], activation?: Activation): Network =>
  mlp([observations, ...hidden, 1], { hidden: activation })

/** A Q network (s, a) → Q(s, a): its input is the observation followed by the action. */
export const qNetwork = (
  observations: number,
  actions: number,
  hidden: readonly number[],
  activation?: Activation,
): Network => mlp([observations + actions, ...hidden, 1], { hidden: activation })

/** An implicit sampler (s, ξ) → a: its input is the observation followed by the noise. */
export const samplerNetwork = (
  observations: number,
  noise: number,
  actions: number,
  hidden: readonly number[],
  activation?: Activation,
): Network => mlp([observations + noise, ...hidden, actions], { hidden: activation })

export const initialisations = ['normal', 'xavier', 'orthogonal'] as const

export interface Initialisation {
  /**
   * 'normal' (default): W ~ N(0, 1/inputs); 'xavier': W ~ U(±√(6/(inputs + outputs))) (Glorot & Bengio 2010);
   * 'orthogonal': rows or columns of W, whichever are fewer, are orthonormal (Saxe et al. 2014).
   */
  readonly scheme?: (typeof initialisations)[number]
  /** What W of the hidden layers is multiplied by; default 1. */
  readonly gain?: number
  /** The same for the last layer; default 0.1, so that a policy starts close to uniform. */
  readonly lastGain?: number
  /** What the random numbers are for; default Purpose.weights. */
  readonly purpose?: number
}

/**
 * Initial weights of one particle; biases and whatever follows the network in the row are 0. They depend on (seed,
 * particle) only.
 *
 * @param row the particle's row of theta, a view on the core's memory
 * @throws UsageError for an unknown scheme
 */
export function initialiseInto(
  row: Float32Array,
  net: Network,
  ops: Ops,
  seed: Seed,
  particle: number,
  { scheme = 'normal', gain = 1, lastGain = 0.1, purpose = Purpose.weights }: Initialisation = {},
): void {
  check(oneOf('The initialisation', initialisations), scheme)
  row.fill(0)
  net.layers.forEach((layer, l) => {
    const { inputs, outputs, weight, bias } = layer
    const at: Pointer = row.byteOffset + weight * row.BYTES_PER_ELEMENT
    const fill = scheme === 'xavier' ? ops.fillUniform : ops.fillNormal
    fill(at, inputs * outputs, seed.lo, seed.hi, purpose, particle, l, 0)
    const scale = l === net.layers.length - 1 ? lastGain : gain
    const weights = row.subarray(weight, bias)
    if (scheme === 'normal') multiply(weights, scale / Math.sqrt(inputs))
    else if (scheme === 'xavier') spread(weights, scale * Math.sqrt(6 / (inputs + outputs)))
    else orthogonalise(weights, layer, scale)
  })
}

function multiply(weights: Float32Array, factor: number): void {
  for (let k = 0; k < weights.length; k++) weights[k] *= factor
}

/** From [0, 1) to [−bound, bound). */
function spread(weights: Float32Array, bound: number): void {
  for (let k = 0; k < weights.length; k++) weights[k] = (2 * weights[k] - 1) * bound
}

/**
 * Makes the rows or the columns of W [inputs, outputs], whichever are fewer, orthogonal and `length` long: Gram and
 * Schmidt in float64, whose errors stay far below those of float32 for nearly parallel vectors too.
 */
function orthogonalise(weights: Float32Array, { inputs, outputs }: Layer, length: number): void {
  const byRow = inputs <= outputs
  const [count, size] = byRow ? [inputs, outputs] : [outputs, inputs]
  const index = (vector: number, k: number) => (byRow ? vector * outputs + k : k * outputs + vector)
  const basis: Float64Array[] = []
  for (let v = 0; v < count; v++) {
    const vector = Float64Array.from({ length: size }, (_, k) => weights[index(v, k)])
    for (const other of basis) subtractProjection(vector, other)
    const norm = Math.sqrt(dot(vector, vector))
    basis.push(vector.map((x) => x / norm))
  }
  basis.forEach((vector, v) => {
    for (let k = 0; k < size; k++) weights[index(v, k)] = vector[k] * length
  })
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k]
  return sum
}

function subtractProjection(vector: Float64Array, onto: Float64Array): void {
  const share = dot(vector, onto)
  for (let k = 0; k < vector.length; k++) vector[k] -= share * onto[k]
}
