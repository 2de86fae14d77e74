// Float64 twins of assembly/nn/{categorical,gaussian}.ts and src/nn/distributions.ts, one row at a time, as the
// definitions stand in a textbook.

import type { Policy } from '../../src/nn/policy.ts'
import { logSoftmaxReference, mlpReference } from './mlp.ts'

type Row = readonly number[]

const sum = (terms: Row) => terms.reduce((total, term) => total + term, 0)

export const categoricalReference = {
  logProb: (logits: Row, action: number) => logSoftmaxReference(logits)[action],
  entropy: (logits: Row) => -sum(logSoftmaxReference(logits).map((value) => Math.exp(value) * value)),
  /** Inversion: the first class whose cumulated probability exceeds u. */
  sample(logits: Row, u: number): number {
    const probabilities = logSoftmaxReference(logits).map(Math.exp)
    return probabilities.findIndex((_, c) => sum(probabilities.slice(0, c + 1)) > u)
  },
  mode: (logits: Row) => logits.indexOf(Math.max(...logits)),
}

export interface GaussianRow {
  readonly mean: Row
  readonly logStd: Row
}

export const gaussianReference = {
  logProb: ({ mean, logStd }: GaussianRow, u: Row) =>
    sum(
      mean.map((mu, k) => {
        const variance = Math.exp(2 * logStd[k])
        return -((u[k] - mu) ** 2) / (2 * variance) - 0.5 * Math.log(2 * Math.PI) - logStd[k]
      }),
    ),
  entropy: ({ logStd }: GaussianRow) => sum(logStd.map((value) => value + 0.5 * Math.log(2 * Math.PI * Math.E))),
  sample: ({ mean, logStd }: GaussianRow, noise: Row) => mean.map((mu, k) => mu + Math.exp(logStd[k]) * noise[k]),
  mode: ({ mean }: GaussianRow) => [...mean],
}

/** The largest float32 below 1, which ±1 is taken as. */
const BELOW_ONE = 1 - 2 ** -24

export const squashedReference = {
  /** μ and log σ in [−20, 2] of a row of outputs. */
  parametersOf(outputs: Row): GaussianRow {
    const A = outputs.length / 2
    return { mean: outputs.slice(0, A), logStd: outputs.slice(A).map((value) => Math.min(Math.max(value, -20), 2)) }
  },
  unsquash: (action: Row) => action.map((a) => Math.atanh(Math.min(Math.max(a, -BELOW_ONE), BELOW_ONE))),
  /** Σ_k log(1 − tanh² u_k) = −2 Σ_k log cosh u_k */
  logSlope: (u: Row) => sum(u.map((value) => -2 * Math.log(Math.cosh(value)))),
  /** log π of a = tanh u. */
  logProbOf: (p: GaussianRow, u: Row) => gaussianReference.logProb(p, u) - squashedReference.logSlope(u),
  logProb: (p: GaussianRow, action: Row) => squashedReference.logProbOf(p, squashedReference.unsquash(action)),
  /** One term of the mean that is the entropy. */
  entropyAt: (p: GaussianRow, u: Row) => gaussianReference.entropy(p) + squashedReference.logSlope(u),
  /** The entropy itself, by quadrature over u dimension by dimension. */
  entropy: ({ mean, logStd }: GaussianRow) =>
    sum(
      mean.map((mu, k) => {
        const p = { mean: [mu], logStd: [logStd[k]] }
        const reach = 12 * Math.exp(logStd[k])
        return integrate(
          (u) => Math.exp(gaussianReference.logProb(p, [u])) * squashedReference.entropyAt(p, [u]),
          [mu - reach, mu + reach],
        )
      }),
    ),
  sample: (p: GaussianRow, noise: Row) => gaussianReference.sample(p, noise).map(Math.tanh),
  mode: ({ mean }: GaussianRow) => mean.map(Math.tanh),
}

/** ∫ f by Simpson's rule. */
export function integrate(f: (x: number) => number, [from, to]: readonly [number, number], intervals = 2000): number {
  const step = (to - from) / intervals
  let total = 0
  for (let k = 0; k <= intervals; k++) total += f(from + k * step) * (k % intervals === 0 ? 1 : k % 2 === 1 ? 4 : 2)
  return (total * step) / 3
}

/** Central differences of f by each component of x, in steps as long as `step` says. */
export function slopes(f: (x: number[]) => number, x: Row, step: (k: number) => number = () => 1e-5): number[] {
  return x.map((_, k) => {
    const moved = (by: number) => f(x.map((value, index) => (index === k ? value + by : value)))
    return (moved(step(k)) - moved(-step(k))) / (2 * step(k))
  })
}

/** The logits of each factor of a product of categoricals. */
export const factorsReference = (factors: Row, logits: Row): number[][] =>
  factors.map((n, k) => {
    const first = sum(factors.slice(0, k))
    return logits.slice(first, first + n)
  })

/** What a row of outputs and a row of theta make of the head of a policy. */
export function distributionReference({ net, head, size }: Policy, outputs: Row, theta: ArrayLike<number>) {
  if (head.name === 'categorical') {
    const parts = factorsReference(head.factors ?? [head.actions], outputs)
    return {
      logProb: (action: Row) => sum(parts.map((logits, k) => categoricalReference.logProb(logits, action[k]))),
      entropy: () => sum(parts.map(categoricalReference.entropy)),
      noiseOf: (): number[] => [],
    }
  }
  const free = { mean: outputs, logStd: Array.from({ length: size - net.size }, (_, k) => theta[net.size + k]) }
  const p = head.name === 'gaussian' ? free : squashedReference.parametersOf(outputs)
  const noiseOf = (u: Row) => u.map((value, k) => (value - p.mean[k]) / Math.exp(p.logStd[k]))
  if (head.name === 'gaussian') {
    return {
      logProb: (action: Row) => gaussianReference.logProb(p, action),
      entropy: () => gaussianReference.entropy(p),
      noiseOf,
    }
  }
  return {
    logProb: (action: Row) => squashedReference.logProb(p, action),
    entropy: (noise: Row) => squashedReference.entropyAt(p, gaussianReference.sample(p, noise)),
    noiseOf: (action: Row) => noiseOf(squashedReference.unsquash(action)),
  }
}

export interface SurrogateRows {
  readonly observation: readonly Row[]
  readonly action: readonly Row[]
  readonly weight: Row
  /** What drew the actions of a squashed Gaussian. */
  readonly noise: readonly Row[]
}

/** J = Σ_b w_b log π(a_b|s_b) + β mean_b H, in float64. */
export function surrogateReference(
  policy: Policy,
  theta: ArrayLike<number>,
  { observation, action, weight, noise }: SurrogateRows,
  entropyBonus: number,
): number {
  return sum(
    observation.map((x, b) => {
      const pi = distributionReference(policy, mlpReference(policy.net, theta, x), theta)
      return weight[b] * pi.logProb(action[b]) + (entropyBonus * pi.entropy(noise[b])) / observation.length
    }),
  )
}
