import { describe, expect, test } from '@jest/globals'
import { adr } from '../../../src/algorithms/adr/adr.ts'
import {
  accuracyOf,
  discriminatorLoss,
  discriminatorReward,
  transitionRows,
} from '../../../src/algorithms/adr/discriminator.ts'
import {
  createRandomiser,
  learn,
  type Move,
  propose,
  type Randomiser,
  type RandomiserSettings,
  uniformPoint,
} from '../../../src/algorithms/adr/particles.ts'
import type { AdrOptions } from '../../../src/algorithms/adr/settings.ts'
import { UsageError } from '../../../src/core/errors.ts'
import { compileCore } from '../../../src/core/module.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { environmentSpec } from '../../../src/envs/registry.ts'
import { mlp } from '../../../src/nn/network.ts'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'
import { constantsAt, evaluateGrid, gridPoints, refuseRanges } from '../../../src/rl/randomisation.ts'
import { discriminatorLossReference } from '../../reference/discriminator.ts'
import { kolmogorov, numbersOf } from '../../reference/statistics.ts'
import { medianReference, steinDirectionReference } from '../../reference/svgd.ts'

const core = await compileCore()
await startTfjs({ core })
const drift: EnvironmentSpec = (await import('../../rl/fixtures/drift.js' as string)).default

const settings: RandomiserSettings = {
  ...{ dimensions: 2, particles: 6, moves: 2, maxMove: 0.05, horizon: 25, hidden: [16] },
  ...{
    learningRate: 3e-3,
    criticLearningRate: 3e-3,
    discount: 0.9,
    temperature: 10,
    repulsion: 1,
    bandwidth: 'dartml',
  },
}
const randomiserOf = (changes: Partial<RandomiserSettings> = {}, seed = 1) =>
  createRandomiser(core, { ...settings, ...changes }, { lo: seed, hi: 0 })

/** [n][D] rows of an array of the randomiser's arena. */
const rowsOf = ({ arena, policy, settings }: Randomiser, name: 'theta' | 'score' | 'direction') => {
  const D = arena.view[name].length / settings.particles
  return Array.from({ length: settings.particles }, (_, i) => [
    ...arena.view[name].subarray(i * D, i * D + policy.size),
  ])
}

const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length

describe('the discriminator', () => {
  const net = mlp([3, 5, 1])
  const { normal } = numbersOf(3)
  const rows = (count: number) => Array.from({ length: count }, () => [normal(), normal(), normal()])
  const [randomised, reference] = [rows(7), rows(4)]
  const theta = Float32Array.from({ length: net.size }, () => 0.5 * normal())
  const flat = { randomised: Float32Array.from(randomised.flat()), reference: Float32Array.from(reference.flat()) }

  test('its loss and gradient are those of the float64 twin', () => {
    const loss = (parameters: tf.Tensor) => discriminatorLoss(net, parameters as tf.Tensor1D, flat)
    const value = tf.tidy(() => loss(tf.tensor1d(theta)).dataSync()[0])
    const gradient = tf.tidy(() => tf.grad(loss)(tf.tensor1d(theta)).dataSync())
    expect(value).toBeCloseTo(discriminatorLossReference(net, theta, randomised, reference), 5)
    Float64Array.from(theta).forEach((_, k) => {
      const at = (by: number) => Float64Array.from(theta, (x, index) => (index === k ? x + by : x))
      const [high, low] = [1e-5, -1e-5].map((by) => discriminatorLossReference(net, at(by), randomised, reference))
      expect(gradient[k]).toBeCloseTo((high - low) / 2e-5, 5)
    })
  })

  test('the reward is log D − log ½: 0 where nothing is told apart, log 2 at most, above 0 for randomised rows', () => {
    expect(discriminatorReward(Float64Array.from([0, 0, 0]))).toBeCloseTo(0, 6)
    expect(discriminatorReward(Float64Array.from([60]))).toBeCloseTo(Math.log(2), 6)
    const f = [1.5, -0.3]
    const direct = meanOf(f.map((x) => Math.log(1 / (1 + Math.exp(-x))) - Math.log(0.5)))
    expect(discriminatorReward(Float64Array.from(f))).toBeCloseTo(direct, 6)
  })

  test('accuracy counts both kinds the same', () => {
    expect(accuracyOf(Float64Array.from([1, 2, -1, 3]), Float64Array.from([-1]))).toBe(0.875)
    expect(accuracyOf(Float64Array.from([1, 1, 1, 1]), Float64Array.from([2]))).toBe(0.5)
  })

  test('rows are s, a one-hot where it is a class, and s′ − s', () => {
    const observation = Float32Array.from([1, 2, 3, 4])
    const visited = {
      ...{ observation, action: Float32Array.from([1, 0]) },
      nextObservation: Float32Array.from([1.5, 1, 5, 4]),
    }
    expect([...transitionRows(visited, 2, { name: 'categorical', actions: 2 })]).toEqual([
      1, 2, 0, 1, 0.5, -1, 3, 4, 1, 0, 2, 0,
    ])
    expect([...transitionRows(visited, 2, { name: 'gaussian', actions: 1 })]).toEqual([1, 2, 1, 0.5, -1, 3, 4, 0, 2, 0])
  })
})

describe('particles over the parameters', () => {
  test('follow the Stein direction of their policy gradients over α', async () => {
    const randomiser = await randomiserOf()
    const before = rowsOf(randomiser, 'theta')
    const moves = propose(randomiser)
    const info = learn(
      randomiser,
      moves,
      moves.map((row) => row.map(({ to }) => to[0])),
    )
    const scores = rowsOf(randomiser, 'score')
    const d2 = before.flatMap((x) => before.map((y) => x.reduce((sum, v, k) => sum + (v - y[k]) ** 2, 0)))
    const h = medianReference(d2) / Math.log(before.length + 1)
    expect(info.bandwidth).toBeCloseTo(h, 4)
    const twin = steinDirectionReference(before, scores, h)
    const largest = Math.max(...twin.phi.flat().map(Math.abs))
    rowsOf(randomiser, 'direction').forEach((row, i) => {
      row.forEach((value, k) => void expect(Math.abs(value - twin.phi[i][k])).toBeLessThan(2e-5 * largest))
    })
    // Away from each other, which the authors' code has the wrong way round: along x_i less the mean of the others.
    twin.repulsion.forEach((push, i) => {
      const centre = before[0].map((_, k) => meanOf(before.map((x) => x[k])))
      expect(push.reduce((sum, value, k) => sum + value * (before[i][k] - centre[k]), 0)).toBeGreaterThan(0)
    })
    expect(info.repulsion).toBeCloseTo(
      meanOf(twin.repulsion.map((row) => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)))),
      5,
    )
  })

  test('the scores are the gradient of mean log π A, divided by α', async () => {
    const [cold, hot] = [await randomiserOf({ temperature: 1 }), await randomiserOf({ temperature: 10 })]
    for (const randomiser of [cold, hot]) {
      const moves = propose(randomiser)
      learn(
        randomiser,
        moves,
        moves.map((row) => row.map(({ to }) => to[0])),
      )
    }
    const largest = Math.max(...rowsOf(cold, 'score').flat().map(Math.abs))
    rowsOf(cold, 'score').forEach((row, i) => {
      row.forEach((g, k) => void expect(Math.abs(g - 10 * rowsOf(hot, 'score')[i][k])).toBeLessThan(1e-5 * largest))
    })
  })

  test('a move is at most maxMove in each dimension and stays in the cube, and points are drawn anew', async () => {
    const randomiser = await randomiserOf({ maxMove: 0.05, horizon: 4, moves: 3 })
    const seen = Array.from({ length: 40 }, () => propose(randomiser))
    const paths = randomiser.points.map((_, i) => seen.flatMap((moves) => moves[i]))
    const starts = paths.flatMap((path) => path.filter((_, k) => k % 4 === 0).map(({ from }) => from.join()))
    expect(new Set(starts).size).toBe(6 * 30)
    for (const path of paths)
      path.forEach((move, k) => {
        move.to.forEach((x, c) => {
          expect(Math.abs(x - move.from[c])).toBeLessThan(0.05 + 1e-6)
          expect(x >= 0 && x <= 1).toBe(true)
        })
        expect(move.isLast).toBe(k % 4 === 3)
        if (k > 0) expect(move.from.join() === path[k - 1].to.join()).toBe(k % 4 !== 0)
      })
  })

  /** Mean first coordinate over the last cycles, mean action in it, and how far apart the policies are. */
  async function followed(changes: Partial<RandomiserSettings>, reward: (to: Float32Array) => number, rounds = 100) {
    const randomiser = await randomiserOf({ learningRate: 6e-3, ...changes })
    let distance = 0
    const late: Move[] = []
    for (let t = 0; t < rounds; t++) {
      const moves = propose(randomiser)
      const rewards = moves.map((row) => row.map(({ to }) => reward(to)))
      distance = learn(randomiser, moves, rewards).meanDistance
      if (t >= rounds - 25) late.push(...moves.flat())
    }
    return { action: meanOf(late.map(({ action }) => action[0])), where: meanOf(late.map(({ to }) => to[0])), distance }
  }

  /** What a discriminator would pay for being far from a reference at 0. */
  const pays = ([x]: Float32Array) => Math.log(1 / (1 + Math.exp(-4 * (x - 0.5)))) + Math.log(2)

  test('go to the end of the range that is rewarded, and away from it when it is punished', async () => {
    const up = await followed({}, pays)
    const down = await followed({}, (to) => -pays(to))
    expect(up.action).toBeGreaterThan(0.5)
    expect(up.where).toBeGreaterThan(0.6)
    expect(down.action).toBeLessThan(-0.5)
    expect(down.where).toBeLessThan(0.4)
  })

  test('stay apart: the more the stronger the repulsion', async () => {
    const attracted = await followed({ repulsion: 0 }, pays, 60)
    const apart = await followed({}, pays, 60)
    expect(apart.distance).toBeGreaterThan(1.2 * attracted.distance)
  })

  test('uniform randomisation covers the cube and follows no reward', async () => {
    const randomiser = await randomiserOf()
    const points = Array.from({ length: 20 }, (_, i) =>
      Array.from({ length: 50 }, (_, k) => uniformPoint(randomiser, i, k)),
    ).flat()
    for (const c of [0, 1])
      expect(
        kolmogorov(
          Float32Array.from(points, (point) => point[c]),
          (x) => x,
        ),
      ).toBeLessThan(1.95)
    const both = Float32Array.from(points, ([x, y]) => (x + y) % 1)
    expect(kolmogorov(both, (x) => x)).toBeLessThan(1.95)
  })
})

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
    expect(meanOf(strong)).toBeGreaterThan(meanOf([...weak, 0]) + 0.1)
    expect(meanOf(late.map(({ accuracy }) => accuracy as number))).toBeGreaterThan(0.8)
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
    expect(meanOf([...grid.returns])).toBeGreaterThan(380)
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

describe('ranges', () => {
  const pendulum = environmentSpec('Pendulum-v1')
  test.each<[what: string, spec: EnvironmentSpec, ranges: unknown, says: string]>([
    ['an empty range', pendulum, { mass: [2, 0.5] }, 'The range of mass is empty: 2 is not below 0.5.'],
    ['a range of a point', pendulum, { mass: [1, 1] }, 'The range of mass is empty: 1 is not below 1.'],
    [
      'another constant',
      pendulum,
      { weight: [1, 2] },
      'Pendulum-v1 has no constant "weight" to randomise; it has gravity,',
    ],
    [
      'an infinite bound',
      pendulum,
      { mass: [1, Infinity] },
      'The range of mass must have finite bounds, got Infinity.',
    ],
    ['no number', pendulum, { mass: [Number.NaN, 1] }, 'The range of mass must have finite bounds, got NaN.'],
    ['one bound', pendulum, { mass: [1] }, 'ranges must be constants with a low and a high bound each'],
    ['nothing', pendulum, undefined, 'ranges must be constants with a low and a high bound each'],
    ['no range', pendulum, {}, 'Randomisation of Pendulum-v1 needs a range of at least one constant, got none.'],
    ['other spaces', pendulum, { torqueLimit: [1, 3] }, 'torqueLimit changes the spaces of Pendulum-v1'],
    ['a choice', environmentSpec('RllabCartpole'), { physics: [0, 1] }, 'physics must be one of box2d, exact'],
    [
      'no constants',
      { ...drift, configure: undefined },
      { wind: [0, 1] },
      'Drift-v0 has no constants that could be randomised.',
    ],
  ])('%s is refused', (_, spec, ranges, says) => {
    const refused = () => refuseRanges(spec, ranges)
    expect(refused).toThrow(UsageError)
    expect(refused).toThrow(says)
  })

  test('map the unit cube to constants', () => {
    expect(constantsAt({ mass: [0.5, 2], length: [0.5, 1.5] }, [0, 1])).toEqual({ mass: 0.5, length: 1.5 })
    expect(constantsAt({ mass: [0.5, 2] }, [0.5])).toEqual({ mass: 1.25 })
  })
})

describe('a grid', () => {
  test('runs through its points, the last dimension fastest', () => {
    expect(gridPoints(2, 2)).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ])
    expect(gridPoints(1, 3)).toEqual([[0], [0.5], [1]])
  })

  test('evaluates the policy at each of them with its constants', async () => {
    const state = await adr.init({ ...small, env: drift, ranges: { wind: [0, 0.5] } })
    const options = { spec: drift, ...adr.agents(state), ranges: { wind: [0, 0.5] as const }, points: 3, episodes: 5 }
    const { returns } = await evaluateGrid(options)
    expect(returns).toHaveLength(3)
    // With the wind w the return is about −Σ_t (w t)².
    const sum = Array.from({ length: 20 }, (_, t) => (t + 1) ** 2).reduce((total, x) => total + x, 0)
    expect(returns[1] / (-0.0625 * sum)).toBeGreaterThan(0.7)
    expect(returns[1] / (-0.0625 * sum)).toBeLessThan(1.4)
    expect(returns[2] / (-0.25 * sum)).toBeGreaterThan(0.85)
    expect(returns[2] / (-0.25 * sum)).toBeLessThan(1.2)
    expect(returns[0]).toBeGreaterThan(-20)
    adr.close(state)
  })
})
