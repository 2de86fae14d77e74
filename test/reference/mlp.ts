import type { Activation, Layer, Network } from '../../src/nn/network.ts'

const activate: Record<Activation, (x: number) => number> = {
  linear: (x) => x,
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
}

const slope: Record<Activation, (x: number) => number> = {
  linear: () => 1,
  tanh: (x) => 1 / Math.cosh(x) ** 2,
  relu: (x) => (x > 0 ? 1 : 0),
  elu: (x) => (x > 0 ? 1 : Math.exp(x)),
  softplus: (x) => 1 / (1 + Math.exp(-x)),
}

/** The terms that 1 − tanh² x and 1 + elu x are differences of in float32, without their signs. */
const slopeTerms: Record<Activation, (x: number) => number> = {
  ...slope,
  tanh: (x) => 1 + Math.tanh(x) ** 2,
  elu: (x) => (x > 0 ? 1 : 2 - Math.exp(x)),
}

/** x W + b of one layer. */
function dense({ inputs, outputs, weight, bias }: Layer, theta: ArrayLike<number>, x: readonly number[]): number[] {
  return Array.from({ length: outputs }, (_, o) => {
    let sum = theta[bias + o]
    for (let k = 0; k < inputs; k++) sum += x[k] * theta[weight + k * outputs + o]
    return sum
  })
}

/** What each layer of an MLP gives. */
export function layersReference(net: Network, theta: ArrayLike<number>, x: readonly number[]): number[][] {
  const outputs = [[...x]]
  for (const layer of net.layers) {
    const input = outputs[outputs.length - 1]
    outputs.push(dense(layer, theta, input).map(activate[layer.activation]))
  }
  return outputs.slice(1)
}

/** Float64 twin of an MLP. */
export const mlpReference = (net: Network, theta: ArrayLike<number>, x: readonly number[]): number[] =>
  layersReference(net, theta, x)[net.layers.length - 1]

/**
 * Adds the gradient of Σ_o y_o dy_o of one row to dTheta and returns that by x. With `sizes`, both are sums of the
 * sizes of the terms instead, which is what float32 errors are in proportion to.
 */
export function mlpGradientReference(
  dTheta: Float64Array,
  net: Network,
  theta: ArrayLike<number>,
  x: readonly number[],
  dy: readonly number[],
  sizes = false,
): number[] {
  const of = (value: number) => (sizes ? Math.abs(value) : value)
  const slopes = sizes ? slopeTerms : slope
  const inputs = [[...x]]
  for (const layer of net.layers)
    inputs.push(dense(layer, theta, inputs[inputs.length - 1]).map(activate[layer.activation]))
  return net.layers.reduceRight(
    (upstream, layer, l) => {
      const before = dense(layer, theta, inputs[l])
      const d = upstream.map((value, o) => of(value) * slopes[layer.activation](before[o]))
      const weight = (k: number, o: number) => layer.weight + k * layer.outputs + o
      d.forEach((value, o) => {
        dTheta[layer.bias + o] += value
        for (let k = 0; k < layer.inputs; k++) dTheta[weight(k, o)] += of(inputs[l][k]) * value
      })
      return inputs[l].map((_, k) => d.reduce((sum, value, o) => sum + value * of(theta[weight(k, o)]), 0))
    },
    [...dy],
  )
}

export function logSoftmaxReference(logits: readonly number[]): number[] {
  const highest = Math.max(...logits)
  const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - highest), 0))
  return logits.map((value) => value - highest - total)
}
