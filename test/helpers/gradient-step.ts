import { expect } from '@jest/globals'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { box } from '../../src/envs/spaces.ts'
import type { Network } from '../../src/nn/network.ts'
import { type Replay, store } from '../../src/rl/replay.ts'
import { mlpReference } from '../reference/mlp.ts'
import { directionAtReference } from '../reference/per-state.ts'
import { numbersOf } from '../reference/statistics.ts'

// One gradient step of an off-policy algorithm on networks and transitions of random numbers, for twins in float64.

/** Observations and actions of two numbers, which do nothing; a box that is not [−1, 1]. */
export const plane: EnvironmentSpec = {
  id: 'Plane-v0',
  observationSpace: box([-5, -5], [5, 5]),
  actionSpace: box([-2, 1], [4, 2]),
  maxEpisodeSteps: 100,
  configure: () => plane,
  create: () => {
    const step = { obs: [0.3, -0.7], reward: 0.5, terminated: false, truncated: false, info: {} }
    return { reset: () => step, step: () => step }
  },
}

/** One step of the environment, one gradient step, on as few numbers as show all terms. */
export const single = {
  ...{ env: plane, hidden: [5], activation: 'tanh' as const, learningRate: 1e-3, discount: 0.8 },
  ...{ steps: 1, environments: 1, warmup: 0, gradientSteps: 1, batchSize: 6, replaySize: 40 },
}

/** Transitions of random numbers, every third with an end. */
export function fill(replay: Replay, count: number, seed: number, far = 0): void {
  const { normal, between } = numbersOf(seed)
  for (let k = 0; k < count; k++) {
    const pair = (draw: () => number) => Float32Array.of(draw(), draw())
    store(
      replay,
      {
        observation: pair(normal).map((x) => x + far),
        nextObservation: pair(normal),
        action: pair(() => between(-1, 1)),
        reward: [normal()],
        terminated: [k % 3 === 0 ? 1 : 0],
      },
      0,
    )
  }
}

export function randomise(theta: Float32Array, count: number, seed: number, size = 0.7): Float64Array {
  const { normal } = numbersOf(seed)
  theta.subarray(0, count).forEach((_, k, all) => {
    all[k] = size * normal()
  })
  return Float64Array.from(theta.subarray(0, count))
}

/** Rows of `width` numbers. */
export const rowsOf = (values: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, c) => values[row * width + c]),
  )

/** The values that networks with parameters theta [count, size] give a state and an action. */
export const qsReference = (net: Network, theta: Float64Array, s: readonly number[], a: readonly number[]): number[] =>
  Array.from({ length: theta.length / net.size }, (_, k) => {
    return mlpReference(net, theta.subarray(k * net.size, (k + 1) * net.size), [...s, ...a])[0]
  })

/** Σ_k log(1 − tanh² u_k) */
export const slopeReference = (u: readonly number[]) => u.reduce((sum, x) => sum - 2 * Math.log(Math.cosh(x)), 0)

/** log N(u; μ, σ²) */
export const gaussianReference = (u: readonly number[], mean: readonly number[], deviation: readonly number[]) =>
  u.reduce((sum, x, c) => {
    const z = (x - mean[c]) / deviation[c]
    return sum - 0.5 * z * z - Math.log(deviation[c]) - 0.5 * Math.log(2 * Math.PI)
  }, 0)

/** The gradient of f at x by central differences. */
export function slopesOf(f: (x: Float64Array) => number, x: ArrayLike<number>, step = 1e-5): number[] {
  return Array.from({ length: x.length }, (_, k) => {
    const at = (by: number) => f(Float64Array.from(x, (value, c) => (c === k ? value + by : value)))
    return (at(step) - at(-step)) / (2 * step)
  })
}

/** Float32 against float64: within 2e-5 of the largest. Rounding leaves about 1e-6 here, a wrong term some 1e-1. */
export function expectSame(found: ArrayLike<number>, exact: readonly number[]): void {
  const largest = Math.max(...exact.map(Math.abs))
  expect(largest).toBeGreaterThan(1e-3)
  exact.forEach((value, k) => void expect(Math.abs(found[k] - value)).toBeLessThan(2e-5 * largest))
}

/** Mean over rows of Σ_k ½ (Q_k − y)². */
export function qLossReference(
  net: Network,
  theta: Float64Array,
  { observation, action }: { observation: Float32Array; action: Float32Array },
  y: readonly number[],
): number {
  const [states, actions] = [rowsOf(observation, 2), rowsOf(action, 2)]
  const losses = y.map((target, b) =>
    qsReference(net, theta, states[b], actions[b]).reduce((sum, q) => sum + 0.5 * (q - target) ** 2, 0),
  )
  return losses.reduce((sum, loss) => sum + loss, 0) / y.length
}

/** Target parameters after a step: τ θ + (1 − τ) θ̄. */
export function expectFollowed(target: Float32Array, before: Float64Array, theta: Float32Array, tau: number): void {
  before.forEach((old, k) => void expect(target[k]).toBeCloseTo(tau * theta[k] + (1 - tau) * old, 5))
}

export const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length

/**
 * A step of a sampler in every state: noise of the particles that drive and of those that are moved, [B][F][2] and
 * [B][U][2].
 */
export interface SamplerStep {
  readonly sampler: Network
  readonly theta: Float64Array
  readonly states: readonly number[][]
  readonly fixed: readonly number[][][]
  readonly moved: readonly number[][][]
  /** Q(s, a)/α */
  readonly worth: (s: readonly number[], a: readonly number[]) => number
  readonly bandwidth: number
  /** Whether noise is added to the outputs. */
  readonly residual?: boolean
}

/** The direction of the sampler's parameters, and the mean norm of φ. */
export function samplerReference(step: SamplerStep) {
  const { sampler, theta, states, fixed, moved, worth, bandwidth, residual = false } = step
  const u = (parameters: Float64Array, s: readonly number[], xi: readonly number[]) =>
    mlpReference(sampler, parameters, [...s, ...xi]).map((x, c) => x + (residual ? xi[c] : 0))
  const phi = states.map((s, b) => {
    const driving = fixed[b].map((xi) => u(theta, s, xi))
    const score = driving.map((x) =>
      slopesOf((v) => worth(s, Array.from(v, Math.tanh)) + slopeReference(Array.from(v)), x),
    )
    return moved[b].map((xi) => directionAtReference(u(theta, s, xi), { fixed: driving, score }, bandwidth))
  })
  const objective = (parameters: Float64Array) =>
    meanOf(
      states.flatMap((s, b) =>
        moved[b].map((xi, i) => u(parameters, s, xi).reduce((sum, x, c) => sum + x * phi[b][i][c], 0)),
      ),
    )
  return { direction: slopesOf(objective, theta), norm: meanOf(phi.flat().map((p) => Math.hypot(...p))) }
}
