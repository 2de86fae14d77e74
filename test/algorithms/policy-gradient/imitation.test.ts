import { beforeAll, describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { svpg } from '../../../src/algorithms/svpg/svpg.ts'
import { compileCore } from '../../../src/core/module.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { box, discrete } from '../../../src/envs/spaces.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import { expectClose } from '../../helpers/close.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

describe('imitation in a population', () => {
  /** Six steps, each worth 1 with action 1. */
  const press: EnvironmentSpec = {
    id: 'Press',
    observationSpace: box([-1], [1]),
    actionSpace: discrete(2),
    maxEpisodeSteps: 6,
    create: () => ({
      reset: () => ({ obs: [0.5], info: {} }),
      step: (action: number) => ({ obs: [0.5], reward: action, terminated: false, truncated: false, info: {} }),
    }),
  }
  const small = { env: press, particles: 1, environments: 8, steps: 12, hidden: [], temperature: 1, seed: 4 }

  test('the share μ of the discriminator: the gradient is (1 − μ) that of the task + μ that of its rewards', async () => {
    const gradient = async (imitationShare: number, selfImitation: 'trajectories' | 'none' = 'trajectories') => {
      const state = await svpg.init({ ...small, selfImitation, imitationShare })
      // In the first rollout there is nothing to imitate before episodes have ended.
      await svpg.evaluate(state)
      return state.arena.view.score.slice(0, state.policy.size)
    }
    const [task, judge, mixed] = [await gradient(0), await gradient(1), await gradient(0.3)]
    expectClose(
      mixed,
      task.map((g, k) => 0.7 * g + 0.3 * judge[k]),
      1e-5,
    )
    expect([...judge]).not.toEqual([...task])
    expect([...task]).toEqual([...(await gradient(0, 'none'))])
  })

  test.each(['CartPole-v1', press])(
    'what is remembered leaves the rest of what is carried alone, in %p',
    async (env) => {
      const thetaOf = async (selfImitation: 'trajectories' | 'none') => {
        const options = { ...small, env, environments: 3, baseline: 'value', imitationShare: 0 } as const
        const state = await svpg.init({ ...options, steps: 16, selfImitation })
        for (let k = 0; k < 4; k++) await svpg.step(state)
        const { elapsed, criticTheta } = state.carried[0] ?? {}
        return [...state.arena.view.theta, ...elapsed, ...criticTheta]
      }
      expect(await thetaOf('trajectories')).toEqual(await thetaOf('none'))
    },
  )

  test('the discriminator alone leads to what the best trajectories did', async () => {
    const options = { selfImitation: 'trajectories', imitationShare: 1, discriminatorLearningRate: 0.01 } as const
    const state = await svpg.init({ ...small, ...options, learningRate: 0.02, discriminatorHidden: [8] })
    let told = await svpg.step(state)
    expect(told.particles[0].meanReturn).toBeLessThan(4.5)
    for (let k = 0; k < 80; k++) told = await svpg.step(state)
    expect(told.particles[0].meanReturn).toBeGreaterThan(5)
  })

  test('steps of self-imitation alone lead to what went well', async () => {
    const state = await svpg.init({
      ...{ ...small, estimator: 'a2c', selfImitation: 'transitions', learningRate: 0.02, criticHidden: [] },
      // V ≈ 0, and the return of a step is its reward: only pressing went better than expected.
      ...{ criticLearningRate: 1e-30, imitationSteps: 1, discount: 0 },
    })
    const before = (await svpg.evaluate(state))[0].meanReturn
    for (let k = 0; k < 60; k++) {
      await svpg.evaluate(state, undefined, 1)
      svpg.move(state)
    }
    state.iteration++
    expect(before).toBeLessThan(4.5)
    expect((await svpg.evaluate(state))[0].meanReturn).toBeGreaterThan(5)
  })
})

test.each<Partial<SvpgOptions>>([
  { estimator: 'a2c', selfImitation: 'transitions', imitationSteps: 2 },
  { estimator: 'ppo', selfImitation: 'trajectories', epochs: 2, minibatches: 2 },
  { kernel: 'js', exploration: 0.3 },
])('%j has the same bits with workers', async (options) => {
  const finish = async (workers: number) => {
    const base = { env: 'CartPole-v1', particles: 3, environments: 2, steps: 32, hidden: [8], seed: 1 }
    const state = await svpg.init({ ...base, ...options, workers })
    for (let k = 0; k < 3; k++) await svpg.step(state)
    svpg.close(state)
    return [...state.arena.view.theta]
  }
  expect(await finish(2)).toEqual(await finish(0))
})
