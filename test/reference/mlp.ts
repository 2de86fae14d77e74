import type { Activation, Network } from '../../src/nn/network.ts'

const activate: Record<Activation, (x: number) => number> = {
  linear: (x) => x,
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
}

/** Float64 twin of an MLP. */
export function mlpReference(net: Network, theta: ArrayLike<number>, x: readonly number[]): number[] {
  return net.layers.reduce(
    (input, { inputs, outputs, weight, bias, activation }) => {
      const y = Array.from({ length: outputs }, (_, o) => {
        let sum = theta[bias + o]
        for (let k = 0; k < inputs; k++) sum += input[k] * theta[weight + k * outputs + o]
        return sum
      })
      return y.map(activate[activation])
    },
    [...x],
  )
}

export function logSoftmaxReference(logits: readonly number[]): number[] {
  const highest = Math.max(...logits)
  const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - highest), 0))
  return logits.map((value) => value - highest - total)
}
