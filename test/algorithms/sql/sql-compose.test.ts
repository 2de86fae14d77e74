import { expect, test } from '@jest/globals'
import type { SqlComposeOptions } from '../../../src/algorithms/sql/compose-settings.ts'
import { type SqlComposeState, sqlCompose } from '../../../src/algorithms/sql/sql-compose.ts'
import { Purpose, splitSeed } from '../../../src/core/random.ts'
import type { DrawingAgents } from '../../../src/rl/agents.ts'
import {
  expectSame,
  fill,
  meanOf,
  plane,
  qsReference,
  randomise,
  rowsOf,
  samplerReference,
  single,
} from '../../helpers/gradient-step.ts'

const settings = {
  ...single,
  ...{ temperature: 0.4, particles: 7, bandwidth: 1.5, critics: 2, samplerLearningRate: 2e-3 },
  ...{ components: [{}, {}], componentIterations: 1, iterations: 3 },
}

/**
 * Components with random Qs whose replays are told apart by their states: the first's are near 0, the second's near 8.
 */
async function prepared(options: Partial<SqlComposeOptions> = {}): Promise<SqlComposeState> {
  const state = (await sqlCompose.init({ ...settings, ...options })) as SqlComposeState
  state.components.forEach(({ critics, loop }, c) => {
    fill(loop.replay, 11, 10 + c, 8 * c)
    randomise(critics.q.view.theta, 2 * critics.q.net.size, 20 + c)
  })
  await sqlCompose.step(state)
  return state
}

const thetasOf = ({ components }: SqlComposeState) =>
  components.map(({ critics: { q } }) => Float64Array.from(q.view.theta.subarray(0, 2 * q.net.size)))

test('the composed sampler learns from the sum of all Qs, against a float64 twin', async () => {
  const state = await prepared()
  const { sampler, learning, components, batch } = state
  const { q } = components[0].nets
  const theta = randomise(sampler.view.theta, sampler.net.size, 4)
  const qs = thetasOf(state)
  const told = await sqlCompose.step(state)
  const { ops, at, view } = learning.arena
  const { lo, hi } = splitSeed(0)
  ops.fillNormal(at.latent, 2 * 42, lo, hi, Purpose.noise, 0, 2, 0)
  const xi = rowsOf(view.latent.slice(0, 84), 2)
  const block = (from: number, count: number) =>
    Array.from({ length: 6 }, (_, b) => xi.slice(from + b * count, from + (b + 1) * count))
  const states = rowsOf(batch.observation, 2)
  const exact = samplerReference({
    ...{ sampler: sampler.net, theta, states, bandwidth: 1.5, fixed: block(0, 3), moved: block(18, 4) },
    worth: (s, a) => qs.reduce((sum, one) => sum + Math.min(...qsReference(q, one, s, a)), 0) / 0.4,
  })
  expectSame(sampler.view.direction, exact.direction)
  expect(told).toEqual({ components: [null, null], direction: expect.closeTo(exact.norm, 4) })
  // Qs stay as they are.
  expect(thetasOf(state)).toEqual(qs)
})

test('it learns in the states that all components have seen', async () => {
  const state = await prepared({ batchSize: 15, steps: 4 })
  await sqlCompose.step(state)
  const counts = state.components.map(({ loop }) => loop.replay.count)
  // 11 transitions that were put there and the four of one iteration.
  expect(counts).toEqual([15, 15])
  expect(state.replay?.count).toBe(30)
  const far = [...state.batch.observation].filter((x) => x > 4).length
  expect(far).toBeGreaterThan(0)
  expect(far).toBeLessThan(30)
  expect(state.updates).toBe(4)
  const rows = [...state.batch.observation]
  await sqlCompose.step(state)
  expect([...state.batch.observation]).not.toEqual(rows)
})

test('components and the composed sampler are a population, and are so again when restored', async () => {
  const state = await prepared()
  await sqlCompose.step(state)
  const agents = sqlCompose.agents(state) as DrawingAgents
  const again = (await sqlCompose.restore(sqlCompose.save(state), plane)) as DrawingAgents
  expect([agents.particles, again.particles]).toEqual([3, 3])
  const observation = Float32Array.of(0.2, -0.4, 1, 2)
  const action = Float32Array.of(0.5, -0.5, 0.1, 0.2)
  for (const particle of [0, 1, 2]) {
    const named = agents.actRows(observation, { particle, seed: 4 })
    expect(again.actRows(observation, { particle, seed: 4 })).toEqual(named)
    // The composed one acts where none is named.
    for (const one of [agents, again])
      expect(one.actRows(observation, { seed: 4 })[0] === named[0]).toBe(particle === 2)
    expect(again.value?.(particle, observation, action)).toEqual(agents.value?.(particle, observation, action))
  }
  const [a, b, sum] = [0, 1, 2].map((particle) => agents.value?.(particle, observation, action) ?? [])
  for (const row of [0, 1]) expect(sum[row]).toBeCloseTo(a[row] + b[row], 5)
  expect(meanOf([...sum])).not.toBeCloseTo(0, 2)
})

test.each<[Partial<SqlComposeOptions>, string]>([
  [{ components: [{}] }, 'components must be a list of at least two records of constants'],
  [{ iterations: 1 }, 'componentIterations must leave iterations for the composed sampler: fewer than 1, got 1.'],
  [
    { env: 'MultiGoal-v0', components: [{ goal0X: 4 }, { velocityLimit: 2 }] },
    'The component {"velocityLimit":2} changes the spaces of MultiGoal-v0, which must be the same for all that are composed.',
  ],
  [{ env: { ...plane, configure: undefined } }, 'Plane-v0 has no constants to make components with.'],
])('refuses %j', async (options, message) => {
  await expect(sqlCompose.init({ ...settings, ...options })).rejects.toThrow(message)
})
