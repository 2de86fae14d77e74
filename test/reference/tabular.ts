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

/**
 * A fork of three steps whose states know their time, so that one table can hold the best policy: state 0 leads to 1,
 * where both actions are good, or with a higher reward at once to 2, where only one is; the same again in 3 and 4.
 * Whoever counts the entropy that is to come goes to 1, whoever counts rewards only goes to 2.
 */
export const fork: TabularMdp = {
  states: 5,
  actions: 2,
  horizon: 3,
  start: [1, 0, 0, 0, 0],
  transition: [
    [
      [0, 0.9, 0.1, 0, 0],
      [0, 0.1, 0.9, 0, 0],
    ],
    [
      [0, 0, 0, 1, 0],
      [0, 0, 0, 0.5, 0.5],
    ],
    [
      [0, 0, 0, 0, 1],
      [0, 0, 0, 0, 1],
    ],
    [
      [1, 0, 0, 0, 0],
      [1, 0, 0, 0, 0],
    ],
    [
      [1, 0, 0, 0, 0],
      [1, 0, 0, 0, 0],
    ],
  ],
  reward: [
    [0, 0.2],
    [0, 0],
    [0, -3],
    [0.1, 0],
    [0, -3],
  ],
}

/** Which returns an estimator sums; see src/rl/estimator.ts. */
export interface Returns {
  readonly discount: number
  /** Default 1. */
  readonly lambda?: number
  /** Default: all. */
  readonly nSteps?: number
  /** V(s), which continues returns where λ, n or a time limit cuts them; default 0. */
  readonly values?: readonly number[]
  /** τ in r − τ log π(a|s); default 0. */
  readonly entropyReward?: number
  /** β: a bonus β H(π(·|s)) at each visited state; default 0. */
  readonly entropyBonus?: number
  /** The horizon is a time limit instead of the task's end. */
  readonly isTimeLimit?: boolean
}

type Table = readonly (readonly number[])[]

/** E G_t given s_t = s and a_t = a with `left` steps to go, `step` of them counted from t = 1. */
function actionValue(
  mdp: TabularMdp,
  policy: Table,
  how: Returns,
  left: number,
  s: number,
  a: number,
  step = 1,
): number {
  const { discount, lambda = 1, nSteps = mdp.horizon, entropyReward = 0, isTimeLimit = false } = how
  const reward = mdp.reward[s][a] - entropyReward * Math.log(policy[s][a])
  if (left === 1 && !isTimeLimit) return reward
  const isCut = left === 1 || step === nSteps
  return mdp.transition[s][a].reduce((sum, probability, next) => {
    if (probability === 0) return sum
    const value = how.values?.[next] ?? 0
    const rest = isCut ? value : (1 - lambda) * value + lambda * stateValue(mdp, policy, how, left - 1, next, step + 1)
    return sum + discount * probability * rest
  }, reward)
}

function stateValue(mdp: TabularMdp, policy: Table, how: Returns, left: number, s: number, step = 1): number {
  return policy[s].reduce((v, pi, a) => v + pi * actionValue(mdp, policy, how, left, s, a, step), 0)
}

/** J(π) = E Σ_t r_t over an episode, undiscounted; with τ, of r_t − τ log π(a_t|s_t). */
export function expectedReturn(mdp: TabularMdp, policy: Table, entropyReward = 0): number {
  const how = { discount: 1, entropyReward }
  return mdp.start.reduce((sum, p, s) => sum + p * stateValue(mdp, policy, how, mdp.horizon, s), 0)
}

/** E Σ_t (t + 1) r_t, t from 0: the sum of the undiscounted returns of all steps of an episode. */
export function expectedSumOfReturns(mdp: TabularMdp, policy: Table): number {
  let visited = [...mdp.start]
  let total = 0
  for (let t = 0; t < mdp.horizon; t++) {
    const next = visited.map(() => 0)
    visited.forEach((probability, s) => {
      policy[s].forEach((pi, a) => {
        total += (t + 1) * probability * pi * mdp.reward[s][a]
        mdp.transition[s][a].forEach((p, to) => {
          next[to] += probability * pi * p
        })
      })
    })
    visited = next
  }
  return total
}

/**
 * Σ_t Σ_s P(s_t = s) Σ_a ∇π(a|s) ( E[G_t|s, a] − β log π(a|s) ): the mean of what an estimator sums over an episode. It
 * leaves out the factor γᵗ, as all of them do; at λ = 1, γ = 1 and β = 0 it is ∇J. `gradient(s, a)` is ∇_θ π(a|s).
 */
export function policyGradientReference(
  mdp: TabularMdp,
  policy: Table,
  how: Returns,
  gradient: (s: number, a: number) => readonly number[],
): number[] {
  let visited = [...mdp.start]
  const total: number[] = gradient(0, 0).map(() => 0)
  for (let t = 0; t < mdp.horizon; t++) {
    const next = visited.map(() => 0)
    visited.forEach((probability, s) => {
      policy[s].forEach((pi, a) => {
        const value = actionValue(mdp, policy, how, mdp.horizon - t, s, a) - (how.entropyBonus ?? 0) * Math.log(pi)
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

const softmax = (Q: readonly number[], tau: number) => {
  const highest = Math.max(...Q)
  const weights = Q.map((q) => Math.exp((q - highest) / tau))
  const total = weights.reduce((sum, w) => sum + w, 0)
  return weights.map((w) => w / total)
}

/** Backwards through the horizon: [t][s][a] of the policy π_t ∝ exp(Q_t/τ), with V_t as the state's value before it. */
function backwards(mdp: TabularMdp, tau: number, value: (Q: number[], pi: number[]) => number): number[][][] {
  let V = mdp.start.map(() => 0)
  const policies: number[][][] = []
  for (let t = mdp.horizon - 1; t >= 0; t--) {
    const Q = mdp.reward.map((row, s) =>
      row.map((r, a) => mdp.transition[s][a].reduce((sum, p, next) => sum + p * V[next], r)),
    )
    const policy = Q.map((row) => softmax(row, tau))
    V = Q.map((row, s) => value(row, policy[s]))
    policies.unshift(policy)
  }
  return policies
}

/** Soft value iteration: V = τ log Σ_a exp(Q/τ), so that π ∝ exp(Q/τ) maximises E Σ_t r_t + τ H(π(·|s_t)). [t][s][a] */
export const softOptimalPolicy = (mdp: TabularMdp, tau: number) =>
  backwards(mdp, tau, (Q) => {
    const highest = Math.max(...Q)
    return highest + tau * Math.log(Q.reduce((sum, q) => sum + Math.exp((q - highest) / tau), 0))
  })

/**
 * Where a bonus for the entropy at visited states comes to rest: π ∝ exp(Q/β) as well, but Q sums rewards alone.
 * [t][s][a]
 */
export const bonusFixedPoint = (mdp: TabularMdp, beta: number) =>
  backwards(mdp, beta, (Q, pi) => Q.reduce((sum, q, a) => sum + pi[a] * q, 0))

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
export function tabularSpec(mdp: TabularMdp, { isTimeLimit = false } = {}): EnvironmentSpec {
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
        const isOver = t === mdp.horizon
        const [terminated, truncated] = [isOver && !isTimeLimit, isOver && isTimeLimit]
        return { obs: oneHot(s, mdp.states), reward, terminated, truncated, info: {} }
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
