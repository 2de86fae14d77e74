import type { Rows, Shape } from '../../bench/bnn/model.ts'
import type { Minibatch } from '../../src/core/population.ts'

// Float64 twin of the Bayesian neural network, written as the paper's code writes it.

/** w₂ᵀ relu(W₁ x + b₁) + b₂ for each row. */
export function predictReference({ inputs, hidden }: Shape, theta: ArrayLike<number>, { count, x }: Rows): number[] {
  const W1 = (h: number, k: number) => theta[h * (inputs + 1) + k]
  const b1 = (h: number) => theta[h * (inputs + 1) + inputs]
  const w2 = (h: number) => theta[hidden * (inputs + 1) + h]
  const b2 = theta[hidden * (inputs + 1) + hidden]
  return Array.from({ length: count }, (_, b) => {
    const units = Array.from({ length: hidden }, (_, h) => {
      const weighted = Array.from({ length: inputs }, (_, k) => W1(h, k) * x[b * (inputs + 1) + k])
      return Math.max(0, weighted.reduce((sum, value) => sum + value) + b1(h))
    })
    return units.reduce((sum, unit, h) => sum + w2(h) * unit, b2)
  })
}

/**
 * N/B Σ_b log N(y_b; ŷ_b, 1/γ) + Σ_k log N(w_k; 0, 1/λ) + log Gamma(γ; 1, 0.1) + log γ + log Gamma(λ; 1, 0.1) + log λ,
 * without the constants of the Gamma densities.
 */
export function logPosteriorReference(
  shape: Shape,
  theta: ArrayLike<number>,
  rows: Rows,
  { rows: batch, scale }: Minibatch,
): number {
  const [a0, b0] = [1, 0.1]
  const weights = Array.from(theta).slice(0, -2)
  const [logGamma, logLambda] = Array.from(theta).slice(-2)
  const logNormal = (error: number, logPrecision: number) =>
    -0.5 * (Math.log(2 * Math.PI) - logPrecision) - (Math.exp(logPrecision) / 2) * error ** 2
  const predicted = predictReference(shape, theta, rows)
  const likelihood = Array.from(batch, (b) => logNormal(predicted[b] - rows.y[b], logGamma))
  const prior = weights.map((weight) => logNormal(weight, logLambda))
  const logGammaPrior = (logValue: number) => (a0 - 1) * logValue - b0 * Math.exp(logValue) + logValue
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  return scale * sum(likelihood) + sum(prior) + logGammaPrior(logGamma) + logGammaPrior(logLambda)
}
