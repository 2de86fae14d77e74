import type { Network } from '../../src/nn/network.ts'
import { mlpReference } from './mlp.ts'

const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** ½ mean_randomised −log σ(f) + ½ mean_reference −log(1 − σ(f)), row by row in float64. */
export function discriminatorLossReference(
  net: Network,
  theta: ArrayLike<number>,
  randomised: readonly number[][],
  reference: readonly number[][],
): number {
  const mean = (rows: readonly number[][], loss: (f: number) => number) =>
    rows.reduce((sum, row) => sum + loss(mlpReference(net, theta, row)[0]), 0) / rows.length
  return 0.5 * mean(randomised, (f) => softplus(-f)) + 0.5 * mean(reference, softplus)
}
