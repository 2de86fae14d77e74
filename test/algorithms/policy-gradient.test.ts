import { describe, expect, test } from '@jest/globals'
import { svpg } from '../../src/algorithms/svpg.ts'
import type { Baseline } from '../../src/rl/estimator.ts'
import { logSoftmaxReference, mlpReference } from '../reference/mlp.ts'
import { chain, expectedReturn, policyGradientReference, tabularSpec } from '../reference/tabular.ts'

const spec = tabularSpec(chain)
/** Rows of one rollout: whole episodes, so that no row is left out. */
const settings = { env: spec, particles: 1, environments: 32, steps: 8, hidden: [], standardise: false, seed: 5 }

/** A population on the process, its policy as a table, and the gradients of π by finite differences. */
async function onChain(options: { discount: number; baseline: Baseline }) {
  const state = await svpg.init({ ...settings, ...options })
  const { view } = state.arena
  const { size } = state.policy
  view.theta.forEach((_, k) => {
    view.theta[k] = k < size ? Math.sin(3 * k + 1) : 0
  })
  const theta = Float64Array.from(view.theta.subarray(0, size))
  const table = (parameters: ArrayLike<number>) =>
    Array.from({ length: chain.states }, (_, s) => {
      const observation = Array.from({ length: chain.states }, (_, k) => (k === s ? 1 : 0))
      return logSoftmaxReference(mlpReference(state.policy.net, parameters, observation)).map(Math.exp)
    })
  const numeric = (f: (parameters: Float64Array) => number) =>
    Array.from(theta, (_, k) => {
      const moved = (by: number) => f(theta.map((value, index) => (index === k ? value + by : value)))
      return (moved(1e-5) - moved(-1e-5)) / 2e-5
    })
  return { state, table, theta, numeric, size }
}

/** Mean and standard error of the estimator over many rollouts at fixed parameters. */
async function estimate(run: Awaited<ReturnType<typeof onChain>>, rollouts: number) {
  const { state, size } = run
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

/** No component further off than chance allows: 4.5 standard errors happen once in 10⁵ tries. */
function expectUnbiased(estimated: { mean: number[]; error: number[] }, exact: number[]) {
  const largest = Math.max(...exact.map(Math.abs))
  expect(Math.max(...estimated.error)).toBeLessThan(largest / 20)
  exact.forEach((g, k) => void expect(Math.abs(estimated.mean[k] - g)).toBeLessThan(4.5 * estimated.error[k]))
}

describe('on a tabular process, the mean of the estimator is the exact gradient', () => {
  test('two ways of computing the exact gradient agree', async () => {
    const { table, theta, numeric } = await onChain({ discount: 1, baseline: 'none' })
    const direct = numeric((parameters) => expectedReturn(chain, table(parameters)))
    const policy = table(theta)
    const columns = chain.reward.map((row, s) => row.map((_, a) => numeric((parameters) => table(parameters)[s][a])))
    const byTheorem = policyGradientReference(chain, policy, 1, (s, a) => columns[s][a])
    byTheorem.forEach((g, k) => void expect(g).toBeCloseTo(direct[k], 6))
  })

  test.each<[Baseline, number]>([
    ['none', 1],
    ['linear', 1],
    ['none', 0.7],
    ['linear', 0.7],
  ])('baseline %s, discount %p', async (baseline, discount) => {
    const run = await onChain({ baseline, discount })
    const policy = run.table(run.theta)
    const columns = chain.reward.map((row, s) =>
      row.map((_, a) => run.numeric((parameters) => run.table(parameters)[s][a])),
    )
    const exact = policyGradientReference(chain, policy, discount, (s, a) => columns[s][a])
    // J is a mean per step: the gradient of an episode over its length.
    expectUnbiased(
      await estimate(run, 1500),
      exact.map((g) => g / chain.horizon),
    )
  })

  test('the mean baseline shrinks the gradient by the share of a row in its own mean, no more', async () => {
    const run = await onChain({ baseline: 'mean', discount: 1 })
    const exact = run
      .numeric((parameters) => expectedReturn(chain, run.table(parameters)))
      .map((g) => g / chain.horizon)
    const { mean } = await estimate(run, 800)
    const largest = Math.max(...exact.map(Math.abs))
    mean.forEach((g, k) => void expect(Math.abs(g - exact[k])).toBeLessThan(0.1 * largest))
  })

  test('baselines lower the variance', async () => {
    const spread = async (baseline: Baseline) => {
      const { error } = await estimate(await onChain({ baseline, discount: 1 }), 300)
      return error.reduce((sum, e) => sum + e * e, 0)
    }
    const none = await spread('none')
    expect(await spread('mean')).toBeLessThan(none)
    expect(await spread('linear')).toBeLessThan(none)
  })
})
