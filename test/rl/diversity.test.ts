import { describe, expect, test } from '@jest/globals'
import { compileCore } from '../../src/core/module.ts'
import { type Head, policyOf } from '../../src/nn/policy.ts'
import { diversityOf, diversityRoom } from '../../src/rl/diversity.ts'
import type { Visited } from '../../src/rl/evaluator.ts'

const core = await compileCore()
const none = { low: [], high: [] }

/** Policies of one observation without hidden layers, whose rows of theta are given. */
function measured(
  head: Head,
  thetas: readonly (readonly number[])[],
  actions: readonly (readonly number[])[],
  bounds: { readonly low: readonly number[]; readonly high: readonly number[] } = none,
) {
  const policy = policyOf({ observations: 1, hidden: [], head })
  const policies = { policy, particles: thetas.length, theta: Float32Array.from(thetas.flat()) }
  const visited = actions.map((action): Visited => {
    const rows = action.length / (head.name === 'categorical' ? 1 : head.actions)
    return { observation: new Float32Array(rows), action: Float32Array.from(action) }
  })
  return diversityOf(diversityRoom(core, policies), policies, visited, bounds)
}

describe('of two classes with given probabilities', () => {
  const head: Head = { name: 'categorical', actions: 2 }
  // Weights of the observation, which is 0, then the biases.
  const policy = (p: number) => [0, 0, Math.log(p), Math.log(1 - p)]
  // Six of eight are class 0, then two of eight.
  const actions = [
    [0, 0, 0, 0, 0, 0, 1, 1],
    [0, 0, 1, 1, 1, 1, 1, 1],
  ]

  test('the divergence of Jensen and Shannon, in units of log 2', () => {
    const { actionDivergence } = measured(head, [policy(0.75), policy(0.25)], actions)
    const entropy = (p: number) => -p * Math.log2(p) - (1 - p) * Math.log2(1 - p)
    expect(actionDivergence).toBeCloseTo(entropy(0.5) - entropy(0.75), 5)
  })

  test('policies that do the same have none, and the volume of ε', () => {
    const { actionDivergence, behaviourVolume } = measured(head, [policy(0.75), policy(0.75)], actions)
    expect(actionDivergence).toBeCloseTo(0, 6)
    expect(behaviourVolume).toBeCloseTo(Math.log(2 + 1e-6) + Math.log(1e-6), 4)
  })

  test('policies that never do the same have all of it', () => {
    const sure = [policy(1 - 1e-7), policy(1e-7)]
    const { actionDivergence, behaviourVolume } = measured(head, sure, [Array(8).fill(0), Array(8).fill(1)])
    expect(actionDivergence).toBeCloseTo(1, 5)
    expect(behaviourVolume).toBeCloseTo(Math.log((1 + 1e-6) ** 2 - Math.exp(-8)), 5)
  })
})

test('the volume of continuous actions is in halves of the width of their bounds', () => {
  const head: Head = { name: 'gaussian', actions: 2 }
  const policy = (x: number, y: number) => [0, 0, x, y, 0, 0]
  const bounds = { low: [-2, -1], high: [2, 1] }
  const actions = [Array(6).fill(0), Array(6).fill(0)]
  // 1 of half a width 2, and 0.5 of half a width 1; the second policy's y is beyond its bound.
  const { behaviourVolume } = measured(head, [policy(0.5, 0.5), policy(1.5, 3)], actions, bounds)
  const k = Math.exp(-4 * (0.5 ** 2 + 0.5 ** 2) * 0.5)
  expect(behaviourVolume).toBeCloseTo(Math.log((1 + 1e-6) ** 2 - k * k), 5)
})

test('of many policies and rows only some are looked at, evenly spread', () => {
  const head: Head = { name: 'categorical', actions: 2 }
  const thetas = Array.from({ length: 40 }, (_, i) => [0, 0, Math.sin(i), Math.cos(i)])
  const actions = thetas.map((_, i) => Array.from({ length: 50 }, (_, b) => (b + i) % 2))
  const { actionDivergence, behaviourVolume } = measured(head, thetas, actions)
  expect(actionDivergence).toBeGreaterThan(0.01)
  // Classes are the same or not: the eight policies that are looked at are two.
  expect(behaviourVolume).toBeLessThan(5 * Math.log(1e-6))
  expect(behaviourVolume).toBeGreaterThan(7 * Math.log(1e-6))
})
