import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { box } from '../../src/envs/spaces.ts'

/** Tasks whose soft-optimal policies are known: π(a) ∝ exp(r(a)/α) on [−1, 1]. */

/** One step with the reward r(a); the observation says nothing. */
export const oneStep = (reward: (a: number) => number): EnvironmentSpec => ({
  id: 'OneStep-v0',
  observationSpace: box([0], [1]),
  actionSpace: box([-1], [1]),
  maxEpisodeSteps: 10,
  create: () => ({
    reset: () => ({ obs: [1], info: {} }),
    step: (action) => ({
      obs: [1],
      reward: reward((action as ArrayLike<number>)[0]),
      terminated: true,
      truncated: false,
      info: {},
    }),
  }),
})

/** A first step that is worth nothing, then the one step: Q(s₀, a) = γ α log ∫ exp(r/α). */
export const twoSteps = (reward: (a: number) => number): EnvironmentSpec => ({
  ...oneStep(reward),
  id: 'TwoSteps-v0',
  create() {
    let later = 0
    return {
      reset() {
        later = 0
        return { obs: [0], info: {} }
      },
      step(action) {
        const ends = later === 1
        later = 1
        const worth = ends ? reward((action as ArrayLike<number>)[0]) : 0
        return { obs: [1], reward: worth, terminated: ends, truncated: false, info: {} }
      },
    }
  },
})

/** Moments of exp(r(a)/α) on [−1, 1] by the midpoint rule, and α log of its integral. */
export function softOptimum(reward: (a: number) => number, alpha: number, cells = 20_000) {
  let [mass, first, second] = [0, 0, 0]
  for (let k = 0; k < cells; k++) {
    const a = -1 + (2 * (k + 0.5)) / cells
    const density = Math.exp(reward(a) / alpha) * (2 / cells)
    mass += density
    first += density * a
    second += density * a * a
  }
  const mean = first / mass
  return { mean, deviation: Math.sqrt(second / mass - mean * mean), value: alpha * Math.log(mass) }
}

export function momentsOf(values: ArrayLike<number>) {
  const all = Array.from(values)
  const mean = all.reduce((sum, x) => sum + x, 0) / all.length
  return { mean, deviation: Math.sqrt(all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length) }
}
