import { describe, expect, test } from '@jest/globals'
import { sac } from '../../src/algorithms/sac/sac.ts'
import { coreBytes } from '../../src/core/module.ts'
import { kernels } from '../../src/nn/tfjs.ts'
import { teamFor } from '../../src/rl/team.ts'

const options = { env: 'Pendulum-v1', hidden: [64, 64], batchSize: 128, warmup: 128, steps: 1, environments: 1 }

async function learned(threads: number) {
  const state = await sac.init({ ...options, tfjs: { threads } })
  for (let t = 0; t < 133; t++) {
    const step = sac.step(state)
    expect(kernels.team?.threadPool.size ?? 1).toBe(threads)
    await step
    expect(kernels.team).toBeNull()
  }
  return Buffer.concat([state.actor.view.theta, state.critics.q.view.theta].map((x) => Buffer.from(x.slice().buffer)))
}

describe('threads that share the networks of soft actor-critic', () => {
  test('are one a core by default where there is enough work, and none where there is little', async () => {
    expect((await teamFor({}, { hidden: [8, 8], batchSize: 16 }))?.threadPool.size ?? 1).toBe(1)
    expect((await teamFor({ threads: 2 }, { hidden: [8, 8], batchSize: 16 }))?.threadPool.size).toBe(2)
    expect((await teamFor({ threads: 1 }, { hidden: [256, 256], batchSize: 256 }))?.threadPool.size ?? 1).toBe(1)
  })

  test('leave its bits as they are', async () => {
    const one = await learned(1)
    expect((await learned(2)).equals(one)).toBe(true)
    expect((await learned(3)).equals(one)).toBe(true)
  })

  test('are not there for a core of another build', async () => {
    const state = await sac.init({ ...options, core: await coreBytes(), tfjs: { threads: 2 } })
    const step = sac.step(state)
    expect(kernels.team).toBeNull()
    await step
  })

  test.each([0, 1.5, 65, 'all'])('are no %p', async (threads) => {
    const given = { ...options, tfjs: { threads: threads as number } }
    await expect(sac.init(given)).rejects.toThrow(/threads must be/)
  })
})
