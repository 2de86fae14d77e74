import { beforeEach, describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../src/algorithms/svpg/settings.ts'
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { box, discrete } from '../../src/envs/spaces.ts'
import { scaleReward } from '../../src/envs/wrappers/rewards.ts'
import { wrap } from '../../src/envs/wrappers/wrapper.ts'
import { policyOf } from '../../src/nn/policy.ts'
import { headFor } from '../../src/rl/environments.ts'
import { evaluatePopulation } from '../../src/rl/evaluate.ts'
import { train } from '../../src/train/train.ts'

/** Instances made and closed; each may be closed once and not used afterwards. */
const count = { made: 0, closed: 0 }
beforeEach(() => {
  Object.assign(count, { made: 0, closed: 0 })
})

/** A task whose instances hold something that has to be freed. */
const holding: EnvironmentSpec = {
  id: 'Holding',
  observationSpace: box([-1], [1]),
  actionSpace: discrete(2),
  maxEpisodeSteps: 5,
  create() {
    count.made++
    let isOpen = true
    const use = () => {
      if (!isOpen) throw new Error('used after it was closed')
    }
    return {
      reset() {
        use()
        return { obs: [0], info: {} }
      },
      step(action: number) {
        use()
        return { obs: [0.5], reward: action, terminated: false, truncated: false, info: {} }
      },
      close() {
        use()
        isOpen = false
        count.closed++
      },
    }
  },
}

const small = { env: holding, particles: 3, environments: 2, steps: 8, hidden: [], seed: 1 } satisfies SvpgOptions

describe('training closes its environments', () => {
  test('at the end, and when a consumer stops early', async () => {
    for await (const _ of train({ ...small, iterations: 2 })) expect(count).toEqual({ made: 6, closed: 0 })
    expect(count).toEqual({ made: 6, closed: 6 })
    for await (const _ of train({ ...small, iterations: 9 })) break
    expect(count).toEqual({ made: 12, closed: 12 })
  })

  test('through wrappers', async () => {
    const env = await wrap(holding, scaleReward(2))
    for await (const _ of train({ ...small, env, iterations: 1 }));
    expect(count.made).toBeGreaterThanOrEqual(6)
    expect(count.closed).toBe(count.made)
  })

  test('when a step fails', async () => {
    const create = () => ({ ...(holding.create?.() as object), step: () => ({ obs: [0], reward: Number.NaN }) })
    const env = { ...holding, create: create as unknown as EnvironmentSpec['create'] }
    const run = async () => {
      for await (const _ of train({ ...small, env, iterations: 1 }));
    }
    await expect(run()).rejects.toThrow('Iteration 1:')
    expect(count).toEqual({ made: 2, closed: 2 })
  })

  test('where rows are collected again, those of the first time', async () => {
    const state = await svpg.init({ ...small, particles: 1 })
    await svpg.evaluate(state)
    // The same iteration again: other instances are brought to where it began.
    await svpg.evaluate(state)
    expect(count).toEqual({ made: 4, closed: 2 })
    svpg.close(state)
    expect(count).toEqual({ made: 4, closed: 4 })
  })

  test('and a state that is stepped all the same makes new ones, with the same bits', async () => {
    const [closed, open] = [await svpg.init(small), await svpg.init(small)]
    for (const state of [closed, open]) await svpg.step(state)
    svpg.close(closed)
    for (const state of [closed, open]) await svpg.step(state)
    expect([...closed.arena.view.theta]).toEqual([...open.arena.view.theta])
    for (const state of [closed, open]) svpg.close(state)
    expect(count.closed).toBe(count.made)
  })
})

test('evaluation closes its environments', async () => {
  const policy = policyOf({ observations: 1, hidden: [], head: headFor(holding) })
  const theta = new Float32Array(2 * policy.size)
  const population = { spec: holding, policy, theta, particles: 2, episodes: 2, seed: 1 }
  for await (const _ of evaluatePopulation(population)) expect(count.closed).toBe(count.made)
  expect(count.made).toBe(4)
})
