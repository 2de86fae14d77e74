import { describe, expect, test } from '@jest/globals'
import { createPolicyGradient } from '../../../src/algorithms/policy-gradient/evaluation-state.ts'
import { evaluateParticle } from '../../../src/algorithms/policy-gradient/policy-gradient.ts'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { begin, svpg } from '../../../src/algorithms/svpg/svpg.ts'
import { splitSeed } from '../../../src/core/random.ts'
import { cartPole } from '../../../src/envs/cartpole.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { observationSize } from '../../../src/envs/spaces.ts'
import { type HeadName, policyOf } from '../../../src/nn/policy.ts'
import { type EstimatorOptions, estimatorOf } from '../../../src/rl/estimator.ts'
import type { Job } from '../../../src/rl/evaluator.ts'
import { headFor } from '../../../src/rl/heads.ts'
import { clippedObjectiveReference, ratioOf } from '../../reference/clipped.ts'
import { reach } from '../../rl/fixtures/reach.ts'

interface Made {
  spec?: EnvironmentSpec
  head?: HeadName | 'auto'
  environments?: number
  steps?: number
}

/** An evaluator, and a job for it at parameters that are neither small nor equal. */
async function made(
  options: EstimatorOptions,
  { spec = cartPole, head = 'auto', environments = 5, steps = 41 }: Made = {},
) {
  const task = { spec, head: headFor(spec, head), environments, steps, seed: splitSeed(3) }
  const policy = policyOf({ observations: observationSize(spec), hidden: [6], activation: 'tanh', head: task.head })
  const state = await createPolicyGradient({ task, policy, estimator: estimatorOf(options) })
  const theta = Float32Array.from({ length: policy.size }, (_, k) => Math.sin(3 * k + 1) / 2)
  const job: Job = { particle: 0, step: 0, theta, behaviour: theta, pass: 0, carried: null, context: null }
  return { state, job, policy }
}

const ppo: EstimatorOptions = { estimator: 'ppo', epochs: 3, minibatches: 1 }
const largest = (row: ArrayLike<number>) => Math.max(...Array.from(row, Math.abs))
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  const scale = largest(expected)
  expect(scale).toBeGreaterThan(0)
  expect(actual).toHaveLength(expected.length)
  expect(largest(Array.from(actual, (g, k) => g - expected[k])) / scale).toBeLessThan(tolerance)
}

describe('the first pass is the policy gradient: every ratio is 1', () => {
  test.each<[string, Made]>([
    ['classes', {}],
    ['rows that are no multiple of four', { environments: 3, steps: 5 }],
    ['a Gaussian', { spec: reach, head: 'gaussian' }],
    ['a squashed Gaussian', { spec: reach, head: 'squashed-gaussian', environments: 3 }],
  ])('%s', async (_, task) => {
    const plain = await made({ estimator: 'a2c', entropyBonus: 0.02 }, task)
    const { gradient } = evaluateParticle(plain.state, plain.job)
    for (const epochs of [1, 3]) {
      const clipped = await made({ ...ppo, entropyBonus: 0.02, epochs }, task)
      expectClose(evaluateParticle(clipped.state, clipped.job).gradient, gradient, 2e-5)
    }
  })
})

describe('later passes', () => {
  test.each([0, 0.05])(
    'follow the clipped objective at their own parameters, entropy bonus %p',
    async (entropyBonus) => {
      const { state, job, policy } = await made({ ...ppo, entropyBonus })
      const first = evaluateParticle(state, job)
      const moved = job.theta.map((value, k) => value + 0.4 * Math.cos(5 * k))
      const { gradient, carried, info } = evaluateParticle(state, { ...job, theta: moved, pass: 2 })
      expect({ carried, info }).toEqual({ carried: null, info: null })
      expect(first.info?.episodes).toBeGreaterThan(0)

      const kept = state.batches.get(0)?.rows as NonNullable<ReturnType<typeof state.batches.get>>['rows']
      const rows = {
        observation: Array.from(kept.weight, (_, b) => [...kept.observation.subarray(4 * b, 4 * b + 4)]),
        action: Array.from(kept.action, (action) => [action]),
        ...{ weight: [...kept.weight], logProb: [...kept.logProb], noise: [] },
      }
      const objective = (theta: Float64Array) =>
        clippedObjectiveReference(policy, theta, rows, { clip: 0.2, entropyBonus })
      const at = Float64Array.from(moved)
      const numeric = at.map((_, k) => {
        const by = (step: number) => objective(at.map((value, index) => (index === k ? value + step : value)))
        return (by(1e-5) - by(-1e-5)) / 2e-5
      })
      expectClose(gradient, numeric, 1e-4)

      // Rows below, within and above the clip, of both signs of the advantage.
      const counts = [0, 0, 0, 0, 0, 0]
      rows.weight.forEach((weight, b) => {
        const ratio = ratioOf(policy, at, rows, b)
        counts[(weight > 0 ? 0 : 3) + (ratio < 0.8 ? 0 : ratio > 1.2 ? 2 : 1)]++
      })
      expect(Math.min(...counts)).toBeGreaterThan(5)
    },
  )

  test('the clip is a setting', async () => {
    const gradients = []
    for (const clip of [0.05, 0.2, 1e6]) {
      const { state, job } = await made({ ...ppo, clip })
      evaluateParticle(state, job)
      const theta = job.theta.map((value, k) => value + 0.4 * Math.cos(5 * k))
      gradients.push([...evaluateParticle(state, { ...job, theta, pass: 1 }).gradient])
    }
    expect(new Set(gradients.map(String)).size).toBe(3)
  })

  test('the minibatches of an epoch are all rows, each once, in another order in the next epoch', async () => {
    const whole = await made({ ...ppo, clip: 1e6 }, { environments: 3, steps: 5 })
    const { gradient } = evaluateParticle(whole.state, whole.job)
    const { state, job } = await made({ ...ppo, clip: 1e6, minibatches: 3 }, { environments: 3, steps: 5 })
    const passes = Array.from({ length: 6 }, (_, pass) => [...evaluateParticle(state, { ...job, pass }).gradient])
    const mean = (rows: number[][]) => rows[0].map((_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length)
    expectClose(mean(passes.slice(0, 3)), gradient, 1e-5)
    expectClose(mean(passes.slice(3)), gradient, 1e-5)
    expect(new Set(passes.map(String)).size).toBe(6)
  })

  test.each<[string, Made]>([
    ['in the core', {}],
    ['in TypeScript', { spec: reach }],
  ])('whoever does not have the rows of a task %s collects them again, with the same bits', async (_, task) => {
    const options: EstimatorOptions = { ...ppo, minibatches: 2, entropyReward: 0.1 }
    const knows = await made(options, task)
    const { carried } = evaluateParticle(knows.state, knows.job)
    const job: Job = { ...knows.job, step: task.steps ?? 41, carried }
    evaluateParticle(knows.state, job)
    const late = { ...job, pass: 4, theta: job.theta.map((value) => value * 1.1) }
    const expected = evaluateParticle(knows.state, late)
    const stranger = await made(options, task)
    expect(evaluateParticle(stranger.state, late)).toEqual(expected)
    // And the next pass finds them.
    const next = { ...late, pass: 5 }
    expect(evaluateParticle(stranger.state, next)).toEqual(evaluateParticle(knows.state, next))
  })
})

describe('in a population', () => {
  const small: SvpgOptions = {
    ...{ env: 'CartPole-v1', particles: 3, environments: 4, steps: 16, hidden: [8], criticHidden: [8], seed: 2 },
    ...{ estimator: 'ppo', epochs: 3, minibatches: 2 },
  }

  test('an iteration is one rollout and a move a pass', async () => {
    const state = await svpg.init(small)
    for (let k = 0; k < 2; k++) await svpg.step(state)
    expect([state.moves, state.iteration]).toEqual([12, 2])

    const byHand = await svpg.init(small)
    for (; byHand.iteration < 2; byHand.iteration++) {
      const begun = begin(byHand)
      for (let pass = 0; pass < 6; pass++) {
        await svpg.evaluate(byHand, begun, pass)
        svpg.move(byHand)
      }
    }
    expect([...byHand.arena.view.theta]).toEqual([...state.arena.view.theta])
    expect(byHand.carried).toEqual(state.carried)
  })

  test('other estimators move once', async () => {
    const state = await svpg.init({ ...small, estimator: 'a2c', epochs: 1, minibatches: 1 })
    await svpg.step(state)
    expect(state.moves).toBe(1)
  })
})
