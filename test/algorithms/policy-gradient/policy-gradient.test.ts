import { describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { svpg } from '../../../src/algorithms/svpg/svpg.ts'
import type { EstimatorOptions } from '../../../src/rl/estimator.ts'
import { logSoftmaxReference, mlpReference } from '../../reference/mlp.ts'
import {
  bonusFixedPoint,
  chain,
  expectedReturn,
  expectedSumOfReturns,
  fork,
  policyGradientReference,
  type Returns,
  softOptimalPolicy,
  type TabularMdp,
  tabularSpec,
} from '../../reference/tabular.ts'

/** Rows of one rollout: whole episodes, so that no row is left out. */
const settings = {
  ...{ particles: 1, steps: 8, hidden: [], standardise: false, seed: 5 },
  // Critics that are quick to train: what they learn must not matter.
  ...{ criticHidden: [8], criticEpochs: 1 },
}

/** A critic V(s) = W_s that does not learn. */
const given = { criticHidden: [], criticLearningRate: 1e-30 }
const values = [2, -1, 4]

/** The policy's probabilities as a table [s][a]. */
const tableOf = (mdp: TabularMdp, net: Parameters<typeof mlpReference>[0], parameters: ArrayLike<number>) =>
  Array.from({ length: mdp.states }, (_, s) => {
    const observation = Array.from({ length: mdp.states }, (_, k) => (k === s ? 1 : 0))
    return logSoftmaxReference(mlpReference(net, parameters, observation)).map(Math.exp)
  })

type Run = Awaited<ReturnType<typeof onChain>>

/** A population on the chain, its policy as a table, and the gradients of π by finite differences. */
async function onChain(options: EstimatorOptions, { isTimeLimit = false, environments = 160 } = {}) {
  const state = await svpg.init({ env: tabularSpec(chain, { isTimeLimit }), ...settings, environments, ...options })
  const { view } = state.arena
  const { size, net } = state.policy
  view.theta.forEach((_, k) => {
    view.theta[k] = k < size ? Math.sin(3 * k + 1) : 0
  })
  const theta = Float64Array.from(view.theta.subarray(0, size))
  const table = (parameters: ArrayLike<number>) => tableOf(chain, net, parameters)
  const numeric = (f: (parameters: Float64Array) => number) =>
    Array.from(theta, (_, k) => {
      const moved = (by: number) => f(theta.map((value, index) => (index === k ? value + by : value)))
      return (moved(1e-5) - moved(-1e-5)) / 2e-5
    })
  return { state, table, theta, numeric, size }
}

/** The critic is given these values from its second rollout on. */
async function withValues(run: Run): Promise<Run> {
  await svpg.evaluate(run.state)
  run.state.iteration++
  run.state.carried[0]?.criticTheta.fill(0)
  run.state.carried[0]?.criticTheta.set(values)
  return run
}

/** What the estimator's mean should be. J is a mean per step: the gradient of an episode over its length. */
function exactGradient({ table, theta, numeric }: Run, how: Returns): number[] {
  const columns = chain.reward.map((row, s) => row.map((_, a) => numeric((parameters) => table(parameters)[s][a])))
  const gradient = (s: number, a: number) => columns[s][a]
  return policyGradientReference(chain, table(theta), how, gradient).map((g) => g / chain.horizon)
}

/** Rollouts of 160 episodes each: as many episodes as 1500 of 32, at half the time. */
const MANY = 300

/** Mean and standard error of the estimator over many rollouts at fixed parameters. */
async function estimate({ state, size }: Run, rollouts: number) {
  const sums = Array(size).fill(0)
  const squares = Array(size).fill(0)
  for (let k = 0; k < rollouts; k++) {
    await svpg.evaluate(state)
    state.iteration++
    const score = state.arena.view.score.subarray(0, size)
    score.forEach((g, index) => {
      sums[index] += g
      squares[index] += g * g
    })
  }
  const mean = sums.map((sum) => sum / rollouts)
  const error = squares.map((square, k) => Math.sqrt((square / rollouts - mean[k] ** 2) / rollouts))
  return { mean, error }
}

/** No component further off than chance allows: 4.5 standard errors of 300 rollouts happen once in 10⁵ tries. */
function expectUnbiased(estimated: { mean: number[]; error: number[] }, exact: number[]) {
  const largest = Math.max(...exact.map(Math.abs))
  expect(Math.max(...estimated.error)).toBeLessThan(largest / 20)
  exact.forEach((g, k) => void expect(Math.abs(estimated.mean[k] - g)).toBeLessThan(4.5 * estimated.error[k]))
}

/** How far two gradients are apart, in standard errors of an estimate: what the tests could not tell apart is small. */
const distance = (a: number[], b: number[], error: number[]) =>
  Math.max(...a.map((g, k) => Math.abs(g - b[k]) / error[k]))

describe('the exact gradient on a tabular process', () => {
  test.each([0, 0.7])('computed in two ways agrees, entropy reward %p', async (entropyReward) => {
    const run = await onChain({ discount: 1, baseline: 'none' })
    const direct = run.numeric((parameters) => expectedReturn(chain, run.table(parameters), entropyReward))
    const byTheorem = exactGradient(run, { discount: 1, entropyReward })
    byTheorem.forEach((g, k) => void expect(g).toBeCloseTo(direct[k] / chain.horizon, 6))
  })
})

test('rewardScale multiplies rewards on their way to the gradient, not the returns that are told', async () => {
  const run = async (rewardScale?: number) => {
    const { state, size } = await onChain({ baseline: 'none', discount: 1, rewardScale })
    const [{ meanReturn }] = await svpg.evaluate(state)
    return { meanReturn, score: [...state.arena.view.score.subarray(0, size)] }
  }
  const [whole, quarter] = [await run(), await run(0.25)]
  expect(quarter.meanReturn).toBe(whole.meanReturn)
  expect(whole.score.some((g) => g !== 0)).toBe(true)
  // A power of two: no rounding.
  expect(quarter.score).toEqual(whole.score.map((g) => g / 4))
})

describe('the mean of the estimator is the exact gradient', () => {
  test.each<EstimatorOptions>([
    { baseline: 'none', discount: 1 },
    { baseline: 'linear', discount: 1 },
    { baseline: 'value', discount: 1 },
    { baseline: 'none', discount: 0.7 },
    { baseline: 'linear', discount: 0.7 },
    { baseline: 'value', discount: 0.7 },
    { estimator: 'a2c', baseline: 'value', lambda: 1, discount: 1 },
    { estimator: 'a2c', baseline: 'linear', lambda: 1, discount: 0.7 },
    { estimator: 'a2c', baseline: 'value', nSteps: 4, discount: 0.7 },
    // Its first pass.
    { estimator: 'ppo', lambda: 1, discount: 0.7, epochs: 1, minibatches: 1 },
    { estimator: 'ppo', lambda: 1, discount: 0.7, epochs: 2, minibatches: 3 },
  ])('%j', async (options) => {
    // A baseline that were fitted to the returns it is taken from would show in small rollouts.
    const isFitted = options.discount === 1 && (options.baseline === 'linear' || options.baseline === 'value')
    const run = await onChain(options, isFitted ? { environments: 32 } : {})
    expectUnbiased(
      await estimate(run, isFitted ? 1500 : MANY),
      exactGradient(run, { discount: options.discount as number }),
    )
  })

  test.each<[EstimatorOptions, Returns]>([
    [{ lambda: 0.6 }, { discount: 0.9, lambda: 0.6, values }],
    [{ lambda: 0 }, { discount: 0.9, lambda: 0, values }],
    [{ nSteps: 2 }, { discount: 0.9, nSteps: 2, values }],
    [{ lambda: 1 }, { discount: 0.9 }],
    [
      { estimator: 'ppo', lambda: 0.6 },
      { discount: 0.9, lambda: 0.6, values },
    ],
    [
      { estimator: 'reinforce', baseline: 'value', nSteps: 2 },
      { discount: 0.9, nSteps: 2, values },
    ],
  ])('of returns that wrong values cut, bias and all: %j', async (options, how) => {
    const run = await withValues(await onChain({ estimator: 'a2c', discount: 0.9, ...given, ...options }))
    const estimated = await estimate(run, MANY)
    expectUnbiased(estimated, exactGradient(run, how))
    // The values are wrong enough for a bias that shows.
    if (how.values)
      expect(distance(exactGradient(run, how), exactGradient(run, { discount: 0.9 }), estimated.error)).toBeGreaterThan(
        9,
      )
    // Its rate of 1e-30 lets the bias, which began at 0, show that it was trained, and nothing else.
    const [bias, ...weights] = [...(run.state.carried[0]?.criticTheta ?? [])].slice(0, 4).reverse()
    expect(weights.reverse()).toEqual([...values])
    expect(Math.abs(bias)).toBeLessThan(1e-20)
  })

  test('where a time limit ends episodes, their returns go on with the value of the final state', async () => {
    const options: EstimatorOptions = { estimator: 'a2c', discount: 0.9, lambda: 0.8, ...given }
    const run = await withValues(await onChain(options, { isTimeLimit: true }))
    const how = { discount: 0.9, lambda: 0.8, values, isTimeLimit: true }
    const estimated = await estimate(run, MANY)
    expectUnbiased(estimated, exactGradient(run, how))
    const asTerminated = exactGradient(run, { ...how, isTimeLimit: false })
    expect(distance(exactGradient(run, how), asTerminated, estimated.error)).toBeGreaterThan(9)
  })

  test('the mean baseline takes off the share of an episode in its own mean, no more', async () => {
    const environments = 2
    const run = await onChain({ baseline: 'mean', discount: 1 }, { environments })
    const exact = exactGradient(run, { discount: 1 })
    const estimated = await estimate(run, 4000)
    // E ∇log π_b G_c is 0 for rows b, c of two episodes; within one, Σ_b Σ_c of it is the gradient of the sum of
    // returns.
    const rows = environments * settings.steps
    const own = run.numeric((parameters) => expectedSumOfReturns(chain, run.table(parameters)))
    const shrunk = exact.map((g, k) => g - own[k] / (rows * chain.horizon))
    expectUnbiased(estimated, shrunk)
    expect(distance(shrunk, exact, estimated.error)).toBeGreaterThan(9)
  })

  test('baselines lower the variance', async () => {
    const spread = async (options: EstimatorOptions) => {
      const run = await onChain({ discount: 1, ...options }, { environments: 32 })
      // A critic has to learn first.
      for (let k = 0; k < 40; k++) {
        await svpg.evaluate(run.state)
        run.state.iteration++
      }
      const { error } = await estimate(run, 300)
      return error.reduce((sum, e) => sum + e * e, 0)
    }
    const none = await spread({ baseline: 'none' })
    expect(await spread({ baseline: 'mean' })).toBeLessThan(none)
    expect(await spread({ baseline: 'linear' })).toBeLessThan(none)
    expect(await spread({ baseline: 'value', criticLearningRate: 0.01 })).toBeLessThan(none)
  })
})

describe('maximum entropy', () => {
  const tau = 0.8

  test.each<[EstimatorOptions, Returns]>([
    [
      { entropyReward: tau, baseline: 'none' },
      { discount: 1, entropyReward: tau },
    ],
    [
      { entropyReward: tau, baseline: 'value' },
      { discount: 0.9, entropyReward: tau },
    ],
    [
      { entropyReward: tau, ...given, estimator: 'a2c', lambda: 0.5 },
      { discount: 0.9, entropyReward: tau, lambda: 0.5, values },
    ],
    [
      { entropyBonus: tau, baseline: 'none' },
      { discount: 1, entropyBonus: tau },
    ],
    [
      { entropyBonus: tau, baseline: 'linear' },
      { discount: 0.9, entropyBonus: tau },
    ],
    [
      { entropyBonus: 0.3, entropyReward: tau },
      { discount: 0.9, entropyBonus: 0.3, entropyReward: tau },
    ],
    [
      { entropyReward: tau, estimator: 'ppo', lambda: 1 },
      { discount: 0.9, entropyReward: tau },
    ],
  ])('the mean of the estimator with %j is the exact gradient', async (options, how) => {
    const run = await onChain({ discount: how.discount, ...options })
    if (how.values) await withValues(run)
    const estimated = await estimate(run, MANY)
    expectUnbiased(estimated, exactGradient(run, how))
    const plain = exactGradient(run, { ...how, entropyBonus: 0, entropyReward: 0 })
    expect(distance(exactGradient(run, how), plain, estimated.error)).toBeGreaterThan(9)
  })

  test('the returns that are reported are those of the task', async () => {
    const [plain, soft] = await Promise.all([0, 100].map((entropyReward) => onChain({ entropyReward })))
    const [told] = await svpg.evaluate(soft.state)
    expect(told.meanReturn).toBe((await svpg.evaluate(plain.state))[0].meanReturn)
  })

  describe('at the end of training', () => {
    const beta = 0.5
    const layer = [0, 1, 1, 2, 2]
    const byState = (policies: number[][][]) => layer.map((t, s) => policies[t][s])

    /** The policy that training ends with: the mean of its last half, since steps of Adam do not get smaller. */
    async function learned(options: Partial<SvpgOptions>) {
      const state = await svpg.init({
        ...{ env: tabularSpec(fork), particles: 1, hidden: [], environments: 64, steps: 12, seed: 3 },
        ...{ discount: 1, standardise: false, temperature: 1, learningRate: 0.02, ...options },
      })
      const sums = fork.reward.map((row) => row.map(() => 0))
      for (let k = 0; k < 600; k++) {
        await svpg.step(state)
        if (k < 300) continue
        const table = tableOf(fork, state.policy.net, state.arena.view.theta)
        for (const [s, row] of table.entries()) for (const [a, p] of row.entries()) sums[s][a] += p / 300
      }
      return sums
    }

    const furthest = (a: number[][], b: number[][]) =>
      Math.max(...a.flatMap((row, s) => row.map((p, k) => Math.abs(p - b[s][k]))))

    test('the two forms want different things of this process', () => {
      const soft = byState(softOptimalPolicy(fork, beta))
      const bonus = byState(bonusFixedPoint(fork, beta))
      // One goes where the choice stays, the other where the reward is.
      expect(soft[0][0]).toBeGreaterThan(0.6)
      expect(bonus[0][0]).toBeLessThan(0.45)
    })

    test('soft value iteration finds the policy where the exact gradient vanishes, and no better one is near', () => {
      const soft = byState(softOptimalPolicy(fork, beta))
      const best = expectedReturn(fork, soft, beta)
      for (const s of layer.keys())
        for (const by of [-0.01, 0.01]) {
          const changed = soft.map((row, k) =>
            k === s ? [row[0] + by * row[1] * row[0], row[1] - by * row[1] * row[0]] : row,
          )
          expect(expectedReturn(fork, changed, beta)).toBeLessThan(best)
        }
    })

    test.each<[string, Partial<SvpgOptions>]>([
      ['reinforce', {}],
      ['a2c', { estimator: 'a2c', lambda: 0.9, criticLearningRate: 0.02, criticHidden: [], criticEpochs: 2 }],
    ])('the entropy-augmented return leads to the soft-optimal policy: %s', async (_, options) => {
      const policy = await learned({ entropyReward: beta, ...options })
      expect(furthest(policy, byState(softOptimalPolicy(fork, beta)))).toBeLessThan(0.03)
    })

    test('the bonus leads to its own fixed point', async () => {
      const policy = await learned({ entropyBonus: beta })
      expect(furthest(policy, byState(bonusFixedPoint(fork, beta)))).toBeLessThan(0.03)
      expect(furthest(policy, byState(softOptimalPolicy(fork, beta)))).toBeGreaterThan(0.15)
    })
  })
})
