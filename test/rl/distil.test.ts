import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { compileCore } from '../../src/core/module.ts'
import { environments } from '../../src/envs/registry.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { type HeadName, type Policy, policyOf } from '../../src/nn/policy.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import { policyAgents } from '../../src/rl/agents.ts'
import { distil } from '../../src/rl/distil.ts'
import { evaluate, train } from '../../src/train/train.ts'

beforeAll(() => startTfjs())

/** A task whose states are numbers in [−1, 1] that no action changes; nothing ends it but its limit. */
const stateless = (head: HeadName) => ({
  id: 'Stateless-v0',
  observationSpace: box([-1], [1]),
  actionSpace: head === 'categorical' ? discrete(3) : box([-2, -2], [2, 2]),
  maxEpisodeSteps: 50,
  create() {
    let at = 0
    const observe = () => [Math.fround(((at * 37) % 101) / 50 - 1)]
    return {
      reset({ seed = 0 }: { seed?: number } = {}) {
        at = seed % 101
        return { obs: observe(), info: {} }
      },
      step() {
        at++
        return { obs: observe(), reward: 0, terminated: false, truncated: false, info: {} }
      },
    }
  },
})

/** Policies whose network does not look: the last layer's bias, and the head's own parameters, are all there is. */
async function constantPolicies(head: HeadName, biases: readonly (readonly number[])[]) {
  const spec = stateless(head)
  const policy = policyOf({
    observations: 1,
    hidden: [8],
    head: { name: head, actions: head === 'categorical' ? 3 : 2 },
  })
  const theta = new Float32Array(policy.size * biases.length)
  const { bias } = policy.net.layers[1]
  for (const [i, values] of biases.entries()) theta.set(values, i * policy.size + bias)
  return { spec, policy, agents: policyAgents(await compileCore(), spec, { policy, particles: biases.length, theta }) }
}

/** Outputs of a policy in one state, and its log σ. */
const outputsAt = ({ net }: Policy, theta: Float32Array, x: number) => {
  const [first, last] = net.layers
  const hidden = Array.from({ length: first.outputs }, (_, j) =>
    Math.tanh(x * theta[first.weight + j] + theta[first.bias + j]),
  )
  return Array.from({ length: last.outputs }, (_, k) =>
    hidden.reduce((sum, h, j) => sum + h * theta[last.weight + j * last.outputs + k], theta[last.bias + k]),
  )
}
const softmax = (logits: readonly number[]) => {
  const all = logits.map(Math.exp)
  return all.map((value) => value / all.reduce((a, b) => a + b))
}
const logs = (values: readonly number[]) => values.map(Math.log)

describe('one policy of several is their mixture', () => {
  test('of classes: the mean of their probabilities', async () => {
    const given = [logs([0.7, 0.2, 0.1]), logs([0.1, 0.3, 0.6])]
    const { policy, agents } = await constantPolicies('categorical', given)
    const { agents: one, divergence: kl } = await distil({ agents, states: 200 })
    for (const x of [-0.9, 0, 0.8])
      for (const [k, p] of softmax(outputsAt(policy, one.theta, x)).entries())
        expect(Math.abs(p - [0.4, 0.25, 0.35][k])).toBeLessThan(2e-3)
    expect(kl).toBeGreaterThan(-1e-6)
    expect(kl).toBeLessThan(1e-5)
  })

  test.each(['gaussian', 'squashed-gaussian'] as const)('%s: mean and variance of the mixture', async (head) => {
    // Two Gaussians a dimension: means 0.5 and −0.1, 1 and 0; deviations 0.1 and 0.2, 0.5 and 0.5.
    const given = [
      [0.5, 1, Math.log(0.1), Math.log(0.5)],
      [-0.1, 0, Math.log(0.2), Math.log(0.5)],
    ]
    const { policy, agents } = await constantPolicies(head, given)
    const variance = [(0.01 + 0.04) / 2 + 0.09, 0.25 + 0.25]
    const { agents: one, divergence: kl } = await distil({ agents, states: 200, learningRate: 0.01 })
    for (const x of [-0.9, 0, 0.8]) {
      const outputs = outputsAt(policy, one.theta, x)
      const logStd = head === 'gaussian' ? [...one.theta.subarray(policy.net.size)] : outputs.slice(2)
      for (const [k, mean] of [0.2, 0.5].entries()) {
        expect(Math.abs(outputs[k] - mean)).toBeLessThan(5e-3)
        expect(Math.abs(Math.exp(2 * logStd[k]) / variance[k] - 1)).toBeLessThan(0.02)
      }
    }
    expect(Math.abs(kl)).toBeLessThan(1e-3)
  })
})

/** Of a short training that ends well above the start. */
async function population() {
  for await (const { iteration, iterations, agents } of train({
    ...{ env: 'CartPole-v1', algorithm: 'svpg', particles: 6, environments: 8, iterations: 30, seed: 2 },
    ...{ estimator: 'ppo', temperature: 10, hidden: [16, 16] },
  }))
    if (iteration === iterations) return agents()
  throw new Error('no iteration')
}

test('on CartPole one policy is nearly as good as the best of its six teachers, to the same bits each time', async () => {
  const agents = await population()
  const { greedy } = await evaluate({ agents, episodes: 50 })
  const best = Math.max(...greedy)
  const distilled = await distil({ agents, seed: 1 })
  const { greedy: own } = await evaluate({ agents: distilled.agents, episodes: 50 })
  expect(best).toBeGreaterThan(150)
  expect(own).toHaveLength(1)
  expect(own[0]).toBeGreaterThan(0.8 * best)
  expect(own[0]).toBeGreaterThan([...greedy].sort((a, b) => a - b)[3])
  expect(distilled.divergence).toBeLessThan(0.05)
  const hash = (theta: Float32Array) => createHash('sha256').update(theta).digest('hex')
  const again = await distil({ agents, seed: 1 })
  expect(hash(again.agents.theta)).toBe(hash(distilled.agents.theta))
  const other = await distil({ agents, seed: 3, steps: 1 })
  expect(hash(other.agents.theta)).not.toBe(hash(distilled.agents.theta))
  // One particle alone is learned almost exactly, and a smaller network is one.
  const single = await distil({ agents, particles: [3], hidden: [24] })
  expect(single.agents.policy.hidden).toEqual([24])
  expect(single.divergence).toBeLessThan(0.03)
  expect(single.divergence).toBeGreaterThan(0)
}, 120_000)

test('what cannot be distilled is refused', async () => {
  const { agents } = await constantPolicies('categorical', [
    [0, 0, 0],
    [1, 0, 0],
  ])
  const refusal = async (options: object) => {
    const error = await distil({ agents, ...options } as never).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    return (error as UsageError).message
  }
  expect(await refusal({ particles: [0, 2] })).toBe(
    'particles must be a list of different whole numbers below 2, got [0, 2].',
  )
  expect(await refusal({ particles: [0, 0] })).toMatch(/^particles must be a list of different/)
  expect(await refusal({ particles: [] })).toMatch(/^particles must be a list of different/)
  expect(await refusal({ steps: 0 })).toMatch(/^steps must be a whole number from 1/)
  expect(await refusal({ env: 'CartPole-v1' })).toMatch(/CartPole-v1/)
  expect(await refusal({ agents: { ...agents, policy: undefined } })).toBe(
    'distil takes policies; actions of these agents are drawn by an algorithm of their own.',
  )
  expect(await refusal({ env: { ...environments['CartPole-v1'], maxEpisodeSteps: Number.POSITIVE_INFINITY } })).toMatch(
    /limit/,
  )
})
