import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import {
  emptyMemory,
  imitatedRows,
  type Memory,
  remember,
} from '../../../src/algorithms/policy-gradient/self-imitation.ts'
import { createArena } from '../../../src/core/arena.ts'
import { compileCore } from '../../../src/core/module.ts'
import { Purpose, splitSeed } from '../../../src/core/random.ts'
import { valueNetwork } from '../../../src/nn/network.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import { type EstimatorOptions, estimatorOf } from '../../../src/rl/estimator.ts'
import { initialiseTrainable, shuffleFields, trainable, trainableFields } from '../../../src/rl/trainable.ts'
import { returnsToGo } from '../../../src/rl/whole-episodes.ts'
import { expectClose, on } from '../../helpers/close.ts'
import { episode } from '../../helpers/episode.ts'
import { slopes } from '../../reference/distributions.ts'
import { gainLossReference, importanceReference } from '../../reference/imitation.ts'
import { mlpReference } from '../../reference/mlp.ts'

const core = await compileCore()
beforeAll(() => startTfjs({ core }))

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
    const net = valueNetwork(1, [])
    const arena = await createArena(core, { ...trainableFields('critic', net), ...shuffleFields(512) })
    const critic = trainable(arena, 'critic', net)
    initialiseTrainable(critic, splitSeed(1), 0, { purpose: Purpose.critic })
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

describe('a step of self-imitation', () => {
  const [alpha, beta] = [0.7, 0.4]
  const returns = [2, 0.3, -1, 0.8, 1.5, -0.2]
  const priorities = [1, 0.5, 0.25, 2, 0.125, 0.75]

  /** A critic that is neither small nor constant, and a memory whose observations tell its rows. */
  async function remembered(size: number, options: EstimatorOptions = {}) {
    const net = valueNetwork(1, [5])
    const arena = await createArena(core, { ...trainableFields('critic', net), ...shuffleFields(size) })
    const critic = trainable(arena, 'critic', net)
    initialiseTrainable(critic, splitSeed(1), 0, { purpose: Purpose.critic })
    critic.view.theta.forEach((_, k) => {
      critic.view.theta[k] = k < net.size ? 0.5 * Math.sin(2 * k + 1) : 0
    })
    const memory: Memory = {
      ...emptyMemory(returns.length, 1, 1),
      memoryObservation: Float32Array.from(returns, (_, k) => k),
      memoryReturn: Float64Array.from(returns),
      memoryPriority: Float64Array.from(priorities),
      memoryCount: Int32Array.of(returns.length, 0),
    }
    const exponents = { priorityExponent: alpha, importanceExponent: beta }
    const more = { imitationBatch: size, imitationValueWeight: 0.5, ...exponents, ...options }
    const estimator = estimatorOf({ estimator: 'a2c', selfImitation: 'transitions', ...more })
    const before = [...critic.view.theta]
    const criticAt = (k: number) => mlpReference(net, before, [k])[0]
    return {
      net,
      critic,
      memory,
      before,
      criticAt,
      take: () => imitatedRows(memory, critic, estimator, splitSeed(3), arena),
    }
  }

  test.each([200, 30])('weighs %p rows as their definition says', async (size) => {
    const { criticAt, take, memory } = await remembered(size)
    const taken = take()
    const rows = [...(taken?.observation ?? [])]
    expect(rows).toHaveLength(size)
    const u = importanceReference(priorities, rows, alpha, beta)
    const gains = rows.map((k) => Math.max(returns[k] - criticAt(k), 0))
    const count = Math.max(gains.filter((gain) => gain > 0).length, 64)
    expectClose(
      taken?.weight ?? [],
      gains.map((gain, b) => (u[b] * Math.min(gain, 1)) / count),
      1e-5,
    )
    // Gains above 1, between, and none.
    expect([gains.some((gain) => gain > 1), gains.some((gain) => gain > 0 && gain < 1), gains.includes(0)]).toEqual([
      ...[true, true, true],
    ])
    rows.forEach((k) => {
      expect(memory.memoryPriority[k]).toBeCloseTo(Math.max(returns[k] - criticAt(k), 1e-6), 5)
    })
  })

  test('draws in proportion to the powers of the priorities', async () => {
    const size = 20_000
    const { take } = await remembered(size)
    const total = priorities.reduce((sum, p) => sum + p ** alpha, 0)
    const rows = [...(take()?.observation ?? [])]
    priorities.forEach((p, k) => {
      const share = p ** alpha / total
      const drawn = rows.filter((row) => row === k).length / size
      expect(Math.abs(drawn - share)).toBeLessThan(4.5 * Math.sqrt((share * (1 - share)) / size))
    })
  })

  test.each(['wasm', 'cpu'])(
    'the critic goes down ½ mean u (R − V)₊², by finite differences, on %s',
    async (backend) => {
      const { net, critic, before, take } = await remembered(90)
      const taken = await on(backend, take)
      const drawn = [...(taken?.observation ?? [])]
      const u = importanceReference(priorities, drawn, alpha, beta)
      const rows = drawn.map((k, b) => ({ observation: [k], target: returns[k], importance: u[b] }))
      const numeric = slopes((theta) => gainLossReference(net, theta, rows), before.slice(0, net.size))
      expectClose(critic.view.direction.map((g) => -g).subarray(0, net.size), numeric, 1e-5)
      // The weight of the loss scales the rate: Adam itself would not see it.
      const half = await remembered(90, { imitationValueWeight: 0.25 })
      half.take()
      const moved = (one: typeof half) => Math.abs(one.critic.view.theta[0] - one.before[0])
      expect(moved({ ...half, critic, before }) / moved(half)).toBeCloseTo(2, 2)
    },
  )
})
