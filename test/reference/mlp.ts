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

/** J = Σ_b w_b log π(a_b|s_b) + β mean_b H, in float64. */
export function surrogateReference(
  net: Network,
  theta: ArrayLike<number>,
  batch: { observation: readonly number[][]; action: readonly number[]; weight: readonly number[] },
  entropyBonus: number,
): number {
  let objective = 0
  batch.observation.forEach((x, b) => {
    const logProb = logSoftmaxReference(mlpReference(net, theta, x))
    const entropy = -logProb.reduce((sum, value) => sum + Math.exp(value) * value, 0)
    objective += batch.weight[b] * logProb[batch.action[b]] + (entropyBonus * entropy) / batch.action.length
  })
  return objective
}
