import { describe, expect, test } from '@jest/globals'
import { adr } from '../../../src/algorithms/adr/adr.ts'
import type { AdrOptions } from '../../../src/algorithms/adr/settings.ts'
import { compileCore } from '../../../src/core/module.ts'
import { mean } from '../../../src/core/rows.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { environmentSpec } from '../../../src/envs/registry.ts'
import { startTfjs } from '../../../src/nn/tfjs.ts'
import { constantsAt, evaluateGrid } from '../../../src/rl/randomisation.ts'

const core = await compileCore()
await startTfjs({ core })
const drift: EnvironmentSpec = (await import('../../rl/fixtures/drift.js' as string)).default

const small = {
  ...{ env: 'CartPole-v1', ranges: { halfLength: [0.25, 1], poleMass: [0.05, 0.5] } as AdrOptions['ranges'] },
  ...{
    particles: 3,
    moves: 2,
    environments: 2,
    steps: 40,
    hidden: [8],
    particleHidden: [8],
    transitionHidden: [8],
    transitionSteps: 2,
  },
  ...{ criticHidden: [8], epochs: 2, minibatches: 2, seed: 6 },
} satisfies AdrOptions

/** Everything that an iteration tells and leaves. */
async function trained(options: AdrOptions, iterations = 3) {
  const state = await adr.init(options)
  try {
    const told = []
    for (let k = 0; k < iterations; k++) {
      const info = await adr.step(state)
      told.push({ ...info, metrics: adr.measure(state, info) })
    }
    return { theta: [...state.arena.view.theta], told, size: state.workerPool.size(), state }
  } finally {
    adr.close(state)
  }
}

describe('active domain randomisation', () => {
  test.each(['adr', 'uniform', 'default'] as const)('%s: the bits do not depend on workers', async (randomisation) => {
    const here = await trained({ ...small, randomisation })
    const there = await trained({ ...small, randomisation, workers: 2 })
    expect([here.size, there.size]).toEqual([0, 2])
    expect(there.theta).toEqual(here.theta)
    expect(there.told).toEqual(here.told)
    expect(here.theta.every(Number.isFinite)).toBe(true)
  })

  test('a task in TypeScript with configure, here and on workers', async () => {
    const options: AdrOptions = { ...small, env: drift, ranges: { wind: [0, 0.5] } }
    const here = await trained(options)
    const there = await trained({ ...options, workers: 2 })
    expect(there.theta).toEqual(here.theta)
    expect(there.told).toEqual(here.told)
  })

  test('the discriminator pays for environments that are unlike the reference, and the agent is where it is paid for', async () => {
    // The discriminator and the particles look for wind, of which the reference has none.
    const options: AdrOptions = {
      ...{ ...small, env: drift, ranges: { wind: [0, 0.5] }, steps: 20, environments: 1, particles: 4 },
      ...{
        transitionHidden: [32],
        transitionSteps: 5,
        transitionBatch: 64,
        learningRate: 1e-4,
        epochs: 1,
        minibatches: 1,
      },
    }
    const { told, state } = await trained(options, 60)
    const late = told.slice(-30)
    const points = late.flatMap(({ points }) => points.map(([x]) => x))
    const rewards = late.flatMap(({ rewards }) => rewards as number[])
    const weak = rewards.filter((_, k) => points[k] < 0.15)
    const strong = rewards.filter((_, k) => points[k] > 0.5)
    expect(mean(strong)).toBeGreaterThan(mean([...weak, 0]) + 0.1)
    expect(mean(late.map(({ accuracy }) => accuracy as number))).toBeGreaterThan(0.8)
    // The transitions are those of the proposed wind.
    const last = state.visited
    expect(last).toHaveLength(8)
    for (const [k, { observation, nextObservation, action }] of last.entries()) {
      const wind = 0.5 * told[told.length - 1].points[k][0]
      observation.forEach((x, row) => {
        expect(nextObservation?.[row]).toBeCloseTo(x + 0.1 * action[row] + wind, 4)
      })
    }
  })

  test('physics in the core has the proposed constants', async () => {
    const ranges = { mass: [0.5, 2], length: [0.5, 1.5] } as const
    const state = await adr.init({ ...small, env: 'Pendulum-v1', ranges })
    const { points } = await adr.step(state)
    state.visited.forEach(({ observation, nextObservation, action }, k) => {
      const { mass, length } = constantsAt(ranges, points[k])
      action.forEach((torque, row) => {
        const [, sine, speed] = observation.subarray(3 * row)
        const push = (15 / length) * sine + (3 / (mass * length * length)) * torque
        const expected = Math.min(Math.max(speed + 0.05 * push, -8), 8)
        expect(Math.abs((nextObservation?.[3 * row + 2] as number) - expected)).toBeLessThan(1e-5)
      })
    })
  })

  test('every rollout begins new episodes, none of which is played twice', async () => {
    const state = await adr.init({ ...small, env: drift, ranges: { wind: [0, 0.5] }, steps: 20, environments: 1 })
    const starts = []
    for (let t = 0; t < 3; t++) {
      await adr.step(state)
      starts.push(state.visited.map(({ observation }) => observation[0]))
    }
    // A start is one of five places: all 18 are, and rollouts differ.
    for (const x of starts.flat())
      expect([0, 0.1, 0.2, 0.3, 0.4].some((start) => Math.abs(start - x) < 1e-6)).toBe(true)
    expect(new Set(starts.map((row) => row.join())).size).toBe(3)
  })

  test('the default environment is the task as it is', async () => {
    const state = await adr.init({ ...small, env: drift, ranges: { wind: [0.1, 0.5] }, randomisation: 'default' })
    await adr.step(state)
    for (const { observation, nextObservation, action } of state.visited)
      observation.forEach((x, row) => {
        expect(nextObservation?.[row]).toBeCloseTo(x + 0.1 * action[row], 4)
      })
  })

  test('learns CartPole of many lengths and masses', async () => {
    const options: AdrOptions = {
      ...{ ...small, hidden: [16], criticHidden: [16], particles: 5, steps: 200, epochs: 4 },
      ...{ learningRate: 1e-2, criticLearningRate: 1e-2, rewardScale: 0.1, seed: 0 },
    }
    const { told, state } = await trained(options, 30)
    const returns = told.map(({ metrics }) => metrics.returns[0] as number)
    const grid = await evaluateGrid({
      ...{ spec: environmentSpec('CartPole-v1'), ...adr.agents(state) },
      ...{ ranges: options.ranges, points: 2, episodes: 20 },
    })
    expect(returns[0]).toBeLessThan(40)
    expect(mean([...grid.returns])).toBeGreaterThan(380)
  })

  test('metrics name what is proposed and what moves the particles', async () => {
    const { told } = await trained(small, 2)
    const { metrics } = told[1]
    expect(metrics.transitions).toBe(2 * (6 + 1) * 2 * 40)
    expect(metrics.halfLengthMean).toBeGreaterThan(0.25)
    expect(metrics.halfLengthMean).toBeLessThan(1)
    expect(metrics.poleMassSpread).toBeGreaterThan(0)
    for (const name of ['drive', 'repulsion', 'discriminatorReward', 'discriminatorAccuracy'])
      expect(metrics[name]).toEqual(expect.any(Number))
    const uniform = await trained({ ...small, randomisation: 'uniform' }, 1)
    expect(uniform.told[0].metrics).toMatchObject({ drive: null, repulsion: null, transitions: 6 * 2 * 40 })
    expect(uniform.told[0].metrics.discriminatorReward).toBeUndefined()
  })
})
