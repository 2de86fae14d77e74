import { describe, expect, test } from '@jest/globals'
import { createPolicyGradient } from '../../../src/algorithms/policy-gradient/evaluation-state.ts'
import { evaluateParticle } from '../../../src/algorithms/policy-gradient/policy-gradient.ts'
import { policyGradientInto, type WeightedBatch } from '../../../src/compile/policy-gradient.ts'
import { splitSeed } from '../../../src/core/random.ts'
import { environmentSpec } from '../../../src/envs/registry.ts'
import { observationSize } from '../../../src/envs/spaces.ts'
import { initialiseInto } from '../../../src/nn/network.ts'
import { actionWidth, type HeadName, policyOf } from '../../../src/nn/policy.ts'
import { estimatorOf } from '../../../src/rl/estimator.ts'
import { headFor } from '../../../src/rl/heads.ts'
import { layersReference } from '../../reference/mlp.ts'

// A rollout keeps what the layers of the policy's network give, and the gradient at the same θ takes that.

const E = 3
const T = 7
const B = T * E
const seed = splitSeed(5)

async function collected(id: string, headName: HeadName, hidden: number[], options = {}) {
  const spec = environmentSpec(id)
  const policy = policyOf({ observations: observationSize(spec), hidden, head: headFor(spec, headName) })
  const task = { spec, head: policy.head, environments: E, steps: T, seed }
  const state = await createPolicyGradient({ task, policy, estimator: estimatorOf(options) })
  initialiseInto(state.arena.view.theta, policy.net, state.arena.ops, seed, 0, { lastGain: 1 })
  const theta = state.arena.view.theta.slice(0, policy.size)
  const at = (moved: Float32Array) =>
    evaluateParticle(state, {
      ...{ particle: 0, step: 0, pass: 0, carried: null, context: null },
      ...{ theta: moved, behaviour: theta },
    }).gradient
  return { policy, state, theta, at }
}

const plain = { entropyBonus: 0.01, clip: null, floor: null }

describe.each([
  ['CartPole-v1', 'categorical', [9, 6]],
  ['Pendulum-v1', 'gaussian', [5]],
  ['Pendulum-v1', 'gaussian', []],
  ['Pendulum-v1', 'squashed-gaussian', [8, 7, 4]],
] as const)('%s, %s, hidden layers %j', (id, head, hidden) => {
  test('outputs are those of the layers, and the gradient from them has the same bits', async () => {
    const { policy, state, theta, at } = await collected(id, head, [...hidden], {
      entropyBonus: 0.01,
      estimator: 'a2c',
    })
    const gradient = at(theta)
    const { observation, action, weight, outputs } = state.arena.view
    let before = 0
    for (let l = 1; l < policy.net.widths.length; l++) {
      const width = policy.net.widths[l]
      const stride = (Math.ceil(width / 4) * 4) | 4
      for (let b = 0; b < B; b++) {
        const x = observation.slice(b * policy.observations, (b + 1) * policy.observations)
        const expected = layersReference(policy.net, theta, [...x])[l - 1]
        expected.forEach((value, k) => void expect(outputs[before + b * stride + k]).toBeCloseTo(value, 5))
      }
      before += B * stride
    }
    expect(before).toBe(outputs.length)
    expect(action).toHaveLength(B * actionWidth(policy.head))
    const computed = (batch: WeightedBatch) => {
      const out = new Float32Array(policy.size)
      policyGradientInto(out, policy, theta, batch, plain)
      return out
    }
    expect(gradient).toEqual(computed({ observation, action, weight }))
    expect(gradient.some((value) => value !== 0)).toBe(true)
    // They are taken, not computed again.
    const others = computed({ observation, action, weight, outputs: outputs.map((value) => value / 2) })
    expect(others).not.toEqual(gradient)
  })
})

test('at another θ than that of the rollout the gradient is of that θ', async () => {
  const { policy, state, theta, at } = await collected('CartPole-v1', 'categorical', [6])
  const moved = theta.map((value) => 1.5 * value)
  const gradient = at(moved)
  const { observation, action, weight } = state.arena.view
  const expected = new Float32Array(policy.size)
  policyGradientInto(expected, policy, moved, { observation, action, weight }, { ...plain, entropyBonus: 0 })
  expect(gradient).toEqual(expected)
})

test('what makes several passes, or steps in TypeScript, keeps nothing', async () => {
  const spec = environmentSpec('CartPole-v1')
  const policy = policyOf({ observations: 4, hidden: [6], head: headFor(spec) })
  const task = { spec, head: policy.head, environments: E, steps: T, seed }
  const ppo = await createPolicyGradient({ task, policy, estimator: estimatorOf({ estimator: 'ppo' }) })
  expect(ppo.arena.view.outputs).toHaveLength(0)
  const slow = { ...task, spec: { ...spec, core: undefined } }
  const inTypeScript = await createPolicyGradient({ task: slow, policy, estimator: estimatorOf() })
  expect(inTypeScript.arena.view.outputs).toHaveLength(0)
})
