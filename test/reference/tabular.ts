import type { Environment, EnvironmentSpec } from '../../src/envs/contract.ts'
import { box, discrete } from '../../src/envs/spaces.ts'

/** A Markov decision process of a few states in which everything can be enumerated. Episodes last `horizon` steps. */
export interface TabularMdp {
  readonly states: number
  readonly actions: number
  readonly horizon: number
  /** [s] */
  readonly start: readonly number[]
  /** [s][a][s'] */
  readonly transition: readonly (readonly (readonly number[])[])[]
  /** [s][a] */
  readonly reward: readonly (readonly number[])[]
}

/** Three states, two actions; the greedy action is not the best one in state 0. */
export const chain: TabularMdp = {
  states: 3,
  actions: 2,
  horizon: 4,
  start: [0.6, 0.3, 0.1],
  transition: [
    [
      [0.8, 0.2, 0],
      [0.1, 0.2, 0.7],
    ],
    [
      [0, 0.5, 0.5],
      [0.9, 0.1, 0],
    ],
    [
      [0.2, 0, 0.8],
      [0, 1, 0],
    ],
  ],
  reward: [
    [1, -0.5],
    [0.3, 0],
    [2, -1],
  ],
}

/** Σ_t γᵗ-free policy gradient oracle: expected return-to-go of (s, a) with `left` steps to go, discounted by γ. */
function actionValue(
  mdp: TabularMdp,
  policy: readonly number[][],
  discount: number,
  left: number,
  s: number,
  a: number,
): number {
  if (left === 1) return mdp.reward[s][a]
  return mdp.transition[s][a].reduce((sum, probability, next) => {
    const value = policy[next].reduce((v, pi, b) => v + pi * actionValue(mdp, policy, discount, left - 1, next, b), 0)
    return sum + discount * probability * value
  }, mdp.reward[s][a])
}

/** J(π) = E Σ_t r_t over an episode, undiscounted. */
export function expectedReturn(mdp: TabularMdp, policy: readonly number[][]): number {
  return mdp.start.reduce(
    (sum, p, s) => sum + p * policy[s].reduce((v, pi, a) => v + pi * actionValue(mdp, policy, 1, mdp.horizon, s, a), 0),
    0,
  )
}

/**
 * Σ_t Σ_s P(s_t = s) Σ_a ∇π(a|s) Q_t(s, a): what return-to-go REINFORCE estimates at discount γ (it leaves out the factor γᵗ).
 * `gradient(s, a)` is ∇_θ π(a|s).
 */
export function policyGradientReference(
  mdp: TabularMdp,
  policy: readonly number[][],
  discount: number,
  gradient: (s: number, a: number) => readonly number[],
): number[] {
  let visited = [...mdp.start]
  const total: number[] = gradient(0, 0).map(() => 0)
  for (let t = 0; t < mdp.horizon; t++) {
    const next = visited.map(() => 0)
    visited.forEach((probability, s) => {
      policy[s].forEach((pi, a) => {
        const value = actionValue(mdp, policy, discount, mdp.horizon - t, s, a)
        gradient(s, a).forEach((g, k) => {
          total[k] += probability * g * value
        })
        mdp.transition[s][a].forEach((p, to) => {
          next[to] += probability * pi * p
        })
      })
    })
    visited = next
  }
  return total
}

/** A small generator for the environment's own draws. */
function generator(seed: number) {
  let state = (seed % 4294967296) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function draw(probabilities: readonly number[], u: number): number {
  let sum = 0
  for (let k = 0; k < probabilities.length - 1; k++) {
    sum += probabilities[k]
    if (u < sum) return k
  }
  return probabilities.length - 1
}

const oneHot = (s: number, size: number) => Array.from({ length: size }, (_, k) => (k === s ? 1 : 0))

/** The process as an environment: the observation is the state, one-hot. */
export function tabularSpec(mdp: TabularMdp): EnvironmentSpec {
  const create = (): Environment => {
    let random = generator(0)
    let s = 0
    let t = 0
    return {
      reset({ seed }) {
        random = generator(seed)
        s = draw(mdp.start, random())
        t = 0
        return { obs: oneHot(s, mdp.states), info: {} }
      },
      step(action: number) {
        const reward = mdp.reward[s][action]
        s = draw(mdp.transition[s][action], random())
        t++
        return { obs: oneHot(s, mdp.states), reward, terminated: t === mdp.horizon, truncated: false, info: {} }
      },
    }
  }
  return {
    id: 'Tabular',
    observationSpace: box(Array(mdp.states).fill(0), Array(mdp.states).fill(1)),
    actionSpace: discrete(mdp.actions),
    maxEpisodeSteps: 1000,
    create,
  }
}
