import { describe, expect, test } from '@jest/globals'
import { createBehaviour, observeBehaviour } from '../../src/algorithms/behaviour.ts'
import { emptyMemory, imitatedRows, remember } from '../../src/algorithms/self-imitation.ts'
import { type SvpgOptions, svpg } from '../../src/algorithms/svpg.ts'
import { imitationRewards, keepBest, noTrajectories, rowWeights } from '../../src/algorithms/trajectory-imitation.ts'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import { mlp, valueNetwork } from '../../src/nn/network.ts'
import { policyOf } from '../../src/nn/policy.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import { type Episode, returnsToGo } from '../../src/rl/episodes.ts'
import { estimatorOf } from '../../src/rl/estimator.ts'
import { shuffleFields, sideFields, sideNetwork, startSide } from '../../src/rl/side-network.ts'

const core = await compileCore()

const episode = (observations: number[], reward: number[]): Episode => ({
  observation: Float32Array.from(observations),
  action: Float32Array.from(reward, () => 1),
  reward: Float64Array.from(reward),
})

describe('self-imitation from transitions', () => {
  test('returns are discounted to each step, and the oldest transitions go first', () => {
    const one = episode([1, 2, 3], [1, 0, 4])
    expect([...returnsToGo(one, 0.5)]).toEqual([2, 2, 4])
    const memory = emptyMemory(4, 1, 1)
    remember(memory, [one, episode([4, 5], [7, 8])], 1)
    expect([...memory.memoryObservation]).toEqual([5, 2, 3, 4])
    expect([...memory.memoryReturn]).toEqual([8, 4, 4, 15])
    expect([...memory.memoryCount]).toEqual([4, 1])
  })

  test('only what went better than the critic expected has a weight, and a priority', async () => {
    await startTfjs()
    const net = valueNetwork(1, [])
    const arena = await createArena(core, { ...sideFields('critic', net), ...shuffleFields(512) })
    const critic = sideNetwork(arena, 'critic', net)
    startSide(critic, splitSeed(1), 0, Purpose.critic)
    critic.view.theta.fill(0)
    const memory = emptyMemory(4, 1, 1)
    // V = 0: returns above it are at the first two, below it at the others.
    for (const [k, reward] of [0.5, 0.25, -1, -2].entries()) remember(memory, [episode([k], [reward])], 1)
    const estimator = estimatorOf({ estimator: 'a2c', selfImitation: 'transitions', imitationValueWeight: 0 })
    const rows = imitatedRows(memory, critic, estimator, splitSeed(3), arena)
    rows?.observation.forEach((k, b) => {
      const weight = rows.weight[b]
      if (k >= 2) expect(weight).toBe(0)
      else expect(weight).toBeGreaterThan(0)
    })
    expect([...memory.memoryPriority.subarray(0, 2)]).toEqual([0.5, 0.25])
    expect(memory.memoryPriority[2]).toBeLessThan(1e-5)
    // Drawn again, the better ones crowd out the others.
    const again = imitatedRows(memory, critic, estimator, splitSeed(4), arena)
    expect(again?.weight.filter((weight) => weight > 0).length).toBeGreaterThan(480)
  })
})

describe('self-imitation from trajectories', () => {
  test('the best are kept, and weigh by their returns', () => {
    const episodes = [episode([1], [1]), episode([2, 2], [2, 3]), episode([3], [3])]
    const held = keepBest(noTrajectories(2), episodes, 2)
    expect([...held.bestReturn]).toEqual([5, 3])
    expect([...held.bestObservation]).toEqual([2, 2, 3])
    const more = keepBest(held, [episode([9], [4])], 2)
    expect([...more.bestReturn]).toEqual([5, 4])
    const weights = rowWeights(more)
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6)
    expect(weights[0]).toBeGreaterThan(weights[2])
  })

  test.each(['positive', 'log-odds'] as const)(
    'the %s reward is higher where the best trajectories are',
    async (imitationReward) => {
      await startTfjs()
      const net = mlp([3, 8, 1])
      const arena = await createArena(core, sideFields('discriminator', net))
      const discriminator = sideNetwork(arena, 'discriminator', net)
      startSide(discriminator, splitSeed(1), 0, Purpose.discriminator)
      // The best trajectory always takes action 1, the policy takes each every other time.
      const held = keepBest(noTrajectories(3), [episode(Array(20).fill(0), Array(20).fill(1))], 10)
      const head = { name: 'categorical', actions: 2 } as const
      const rows = { observation: new Float32Array(20), action: Float32Array.from({ length: 20 }, (_, k) => k % 2) }
      const settings = { discriminatorSteps: 200, discriminatorLearningRate: 1e-2, imitationReward }
      const rewards = new Float64Array(20)
      imitationRewards(rewards, held, discriminator, { ...rows, observations: 1, head }, estimatorOf(settings))
      // D is 2/3 at what both do, as the best do it twice as often, and near 0 at what only the policy does.
      const odds = Math.log(2)
      expect(rewards[1]).toBeCloseTo(imitationReward === 'positive' ? Math.log(3) : odds, 1)
      expect(rewards[0]).toBeLessThan(imitationReward === 'positive' ? 0.2 : -2)
    },
  )
})

describe.each(['js', 'symmetric-kl'] as const)('the kernel on behaviour, %s', (divergence) => {
  test('is 1 for policies that do the same, and falls where they do not', async () => {
    await startTfjs()
    const policy = policyOf({ observations: 1, hidden: [], head: { name: 'categorical', actions: 2 } })
    const behaviour = await createBehaviour(core, 3, policy, { divergence, temperature: null }, splitSeed(2))
    // The first two are around 1, the third around −1.
    const visited = [1, 1, -1].map((centre, i) => ({
      observation: Float32Array.from({ length: 64 }, (_, k) => centre + 0.3 * Math.sin(7 * k + i)),
      action: Float32Array.from({ length: 64 }, (_, k) => k % 2),
    }))
    for (let k = 0; k < 30; k++) observeBehaviour(behaviour, visited)
    const { kernel } = behaviour
    expect([kernel[0], kernel[4], kernel[8]]).toEqual([1, 1, 1])
    expect(kernel[1]).toBe(kernel[3])
    expect(kernel[1]).toBeGreaterThan(0.85)
    expect(kernel[2]).toBeLessThan(0.5)
    expect(kernel[5]).toBeLessThan(0.5)
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
