import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import {
  imitationRewards,
  keepBest,
  noTrajectories,
  rowWeights,
} from '../../../src/algorithms/policy-gradient/trajectory-imitation.ts'
import { createArena } from '../../../src/core/arena.ts'
import { compileCore } from '../../../src/core/module.ts'
import { Purpose, splitSeed } from '../../../src/core/random.ts'
import { mlp } from '../../../src/nn/network.ts'
import type { Head } from '../../../src/nn/policy.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import { estimatorOf } from '../../../src/rl/estimator.ts'
import { initialiseTrainable, trainable, trainableFields } from '../../../src/rl/trainable.ts'
import type { Episode } from '../../../src/rl/whole-episodes.ts'
import { expectClose, on } from '../../helpers/close.ts'
import { episode } from '../../helpers/episode.ts'
import { rowsOf } from '../../nn/population.ts'
import { slopes } from '../../reference/distributions.ts'
import { discriminatorLossReference, normalisedReference, probabilityReference } from '../../reference/imitation.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

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
      const arena = await createArena(core, trainableFields('discriminator', net))
      const discriminator = trainable(arena, 'discriminator', net)
      initialiseTrainable(discriminator, splitSeed(1), 0, { purpose: Purpose.discriminator })
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

describe('the discriminator', () => {
  /** Rows of a policy and of two trajectories, the second one better. */
  async function scored(head: Head, backend: string) {
    const O = 2
    const A = head.name === 'categorical' ? 1 : head.actions
    const net = mlp([O + head.actions, 6, 1])
    const arena = await createArena(core, trainableFields('discriminator', net))
    const discriminator = trainable(arena, 'discriminator', net)
    initialiseTrainable(discriminator, splitSeed(2), 0, { purpose: Purpose.discriminator })
    discriminator.view.theta.forEach((_, k) => {
      discriminator.view.theta[k] = k < net.size ? 0.7 * Math.sin(3 * k + 2) : 0
    })
    const before = [...discriminator.view.theta.subarray(0, net.size)]
    const make = (rows: number, by: number) => ({
      // One row so far from the others that it is clipped.
      observation: Float32Array.from({ length: rows * O }, (_, k) => (k === 4 ? 60 : Math.sin(by * k + 1))),
      action: Float32Array.from({ length: rows * A }, (_, k) =>
        head.name === 'categorical' ? (k * by) % head.actions : Math.cos(by * k),
      ),
    })
    const episodes = [
      { ...make(4, 5), reward: Float64Array.of(0, 1, 0, 0) },
      { ...make(6, 7), reward: Float64Array.of(1, 1, 1, 0, 1, 0) },
    ]
    const held = keepBest(noTrajectories(O + head.actions), episodes, 5)
    const own = make(40, 3)
    const asRows = ({ observation, action }: Pick<Episode, 'observation' | 'action'>) =>
      rowsOf(observation, O).map((row, b) => [
        ...row,
        ...(head.name === 'categorical'
          ? Array.from({ length: head.actions }, (_, a) => (a === action[b] ? 1 : 0))
          : rowsOf(action, A)[b]),
      ])
    const rewards = new Float64Array(40)
    await on(backend, () =>
      imitationRewards(rewards, held, discriminator, { ...own, observations: O, head }, estimatorOf({})),
    )
    const all = asRows(own)
    // The better one first, as they are held.
    const best = normalisedReference([...asRows(episodes[1]), ...asRows(episodes[0])], all)
    return {
      net,
      discriminator,
      before,
      rewards,
      own: normalisedReference(all, all),
      best,
      weights: [...rowWeights(held)],
    }
  }

  const heads: Head[] = [
    { name: 'categorical', actions: 3 },
    { name: 'gaussian', actions: 2 },
  ]

  test.each(heads.flatMap((head) => ['wasm', 'cpu'].map((backend) => ({ head, backend }))))(
    'goes down its loss, by finite differences of a float64 twin: $head.name, $backend',
    async ({ head, backend }) => {
      const { net, discriminator, before, rewards, own, best, weights } = await scored(head, backend)
      const numeric = slopes((theta) => discriminatorLossReference(net, theta, own, best, weights), before)
      expectClose(discriminator.view.direction.map((g) => -g).subarray(0, net.size), numeric, 1e-5)
      // −log(1 − D) with the discriminator as it is now: the more a row is like the best, the more it is worth.
      const theta = discriminator.view.theta
      const expected = own.map((row) => -Math.log(1 - probabilityReference(net, theta, row)))
      expectClose(rewards, expected, 1e-5)
    },
  )

  test('without trajectories there is nothing to be had', async () => {
    const net = mlp([3, 1])
    const discriminator = trainable(
      await createArena(core, trainableFields('discriminator', net)),
      'discriminator',
      net,
    )
    const rows = { observation: Float32Array.of(1, 2), action: Float32Array.of(0, 1), observations: 1 }
    const head: Head = { name: 'categorical', actions: 2 }
    const rewards = Float64Array.of(5, 5)
    const held = imitationRewards(rewards, noTrajectories(3), discriminator, { ...rows, head }, estimatorOf({}))
    expect([...rewards]).toEqual([0, 0])
    expect(held.bestMoments[0]).toBe(2)
  })
})
