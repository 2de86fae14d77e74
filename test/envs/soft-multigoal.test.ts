import { describe, expect, test } from '@jest/globals'
import { s2acConfig } from '../../src/algorithms/s2ac/settings.ts'
import { sqlConfig } from '../../src/algorithms/sql/settings.ts'
import { goalReached, goalsOf, multiGoal } from '../../src/envs/multigoal.ts'
import { multiGoalMaxEntropy } from '../../src/envs/multigoal-max-entropy.ts'
import { presetNamed } from '../../src/experiments/presets.ts'
import { type MultiGoalTwin, stepMultiGoalReference } from '../reference/multigoal.ts'
import {
  actionsOf,
  arrivals,
  entropyOf,
  nodeAt,
  type SoftMultiGoal,
  type SoftMultiGoalTask,
  solveSoftMultiGoal,
  startOf,
  valueAt,
} from '../reference/soft-multigoal.ts'
import { numbersOf } from '../reference/statistics.ts'
import { coreRows } from './rows.ts'

const tasks = { 's2ac-multigoal': multiGoalMaxEntropy, 'sql-multigoal': multiGoal }

/** The problem that an experiment sets its algorithm. */
function taskOf(name: keyof typeof tasks) {
  const { algorithm, ...settings } = presetNamed(name).settings
  const config = algorithm === 's2ac' ? s2acConfig(settings) : sqlConfig(settings)
  const constants = tasks[name].core?.constants as unknown as MultiGoalTwin & Record<string, number>
  const { temperature, rewardScale, discount } = config
  return { constants, goals: goalsOf(constants), temperature, rewardScale, discount }
}

const EPISODES = 400
const limit = multiGoalMaxEntropy.maxEpisodeSteps as number
const pair = solveSoftMultiGoal(taskOf('s2ac-multigoal'), 10)

describe('the maximum-entropy solution of MultiGoalMaxEntropy-v0', () => {
  const { shares, none, entropy } = arrivals(pair, startOf(pair, 0), limit)
  const [right, above, below] = shares

  test('goes to the pair in 73.9 % of its arrivals, more than two of three equal goals would get', () => {
    expect(right).toBeCloseTo(0.26, 2)
    expect(above).toBeCloseTo(0.368, 2)
    expect(Math.abs(above - below)).toBeLessThan(1e-9)
    expect(none).toBeCloseTo(0.003, 3)
    expect((above + below) / (1 - none)).toBeCloseTo(0.739, 2)
    expect(right + above + below + none).toBeCloseTo(1, 9)
  })

  test('has 1.11 nats of choice at the start and 0.67 on the way', () => {
    const start = nodeAt(pair, 0, 0)
    expect(entropyOf(pair)[start]).toBeCloseTo(1.112, 2)
    expect(entropy).toBeCloseTo(0.672, 2)
    // the same by its definition, with the area of an action in the trapezoid rule
    const sides = [0.5, ...Array(pair.kernel.length - 2).fill(1), 0.5]
    const sum = actionsOf(pair, start).reduce((sum, p, k) => {
      const area = (sides[k % sides.length] * sides[Math.floor(k / sides.length)]) / pair.resolution ** 2
      return sum - p * Math.log(p / area)
    }, 0)
    expect(entropyOf(pair)[start]).toBeCloseTo(sum, 9)
  })

  test('hardly changes with half the resolution', () => {
    const coarse = solveSoftMultiGoal(pair.task, 5)
    arrivals(coarse, startOf(coarse, 0), limit).shares.forEach((share, g) => {
      expect(Math.abs(share - shares[g])).toBeLessThan(0.005)
    })
  })

  test('satisfies the soft Bellman equation in the compiled environment, by another quadrature', async () => {
    const side = 64
    const rows = await coreRows(multiGoalMaxEntropy, side * side)
    const { between } = numbersOf(7)
    const places = [
      [0, 0],
      [-4.2, 3.4],
      [6.9, -6.8],
      ...Array.from({ length: 20 }, () => [between(-7, 7), between(-7, 7)]),
    ]
    for (const [x, y] of places) {
      rows.view.state.forEach((_, k) => {
        rows.view.state[k] = k % 2 === 0 ? x : y
        const cell = k % 2 === 0 ? (k >> 1) % side : Math.floor((k >> 1) / side)
        rows.view.action[k] = (2 * cell + 1) / side - 1
      })
      rows.step()
      const { temperature, rewardScale, discount } = pair.task
      const mean = rows.view.terminated.reduce((sum, ended, r) => {
        const next = ended ? 0 : valueAt(pair, rows.view.state[2 * r], rows.view.state[2 * r + 1])
        return sum + Math.exp((rewardScale * rows.view.reward[r] + discount * next) / temperature) / side ** 2
      }, 0)
      // bilinear interpolation and both quadratures, at a spacing of 0.1 of a V that falls by up to 7 a unit
      expect(Math.abs(temperature * Math.log(4 * mean) - valueAt(pair, x, y))).toBeLessThan(0.05)
    }
  })

  test('played in the compiled environment ends where its density says', async () => {
    const counts = await played(pair, EPISODES)
    counts.forEach((count, g) => {
      const share = [...shares, none][g]
      expect(Math.abs(count / EPISODES - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / EPISODES) + 0.002)
    })
  })
})

/** Episodes that end at each goal, then those that end at none. */
async function played(solved: SoftMultiGoal, episodes: number): Promise<number[]> {
  const rows = await coreRows(multiGoalMaxEntropy, 1)
  const { uniform } = numbersOf(3)
  const { constants, goals } = solved.task
  const counts = [...goals.map(() => 0), 0]
  const episode = () => {
    rows.view.state.fill(0)
    for (let step = 0; step < limit; step++) {
      rows.view.action.set(sampled(solved, rows.view.state, uniform))
      rows.step()
      if (rows.view.terminated[0])
        return goalReached(constants as unknown as Record<string, number>, rows.view.state[0], rows.view.state[1])
    }
    return goals.length
  }
  for (let e = 0; e < episodes; e++) counts[episode()]++
  return counts
}

/** An action by exp(Q/α), out of one from each cell of the box. */
function sampled(solved: SoftMultiGoal, [x, y]: Float64Array, uniform: () => number): readonly number[] {
  const { constants, goals, temperature, rewardScale, discount } = solved.task
  const side = 10
  const here = valueAt(solved, x, y)
  const actions = Array.from({ length: side * side }, (_, k) => [
    (2 * ((k % side) + uniform())) / side - 1,
    (2 * (Math.floor(k / side) + uniform())) / side - 1,
  ])
  const weights = actions.map((action) => {
    const { position, reward, terminated } = stepMultiGoalReference([x, y], action, goals, constants)
    const next = terminated ? 0 : discount * valueAt(solved, position[0], position[1])
    return Math.exp((rewardScale * reward + next - here) / temperature)
  })
  let left = uniform() * weights.reduce((sum, w) => sum + w, 0)
  const chosen = weights.findIndex((w) => {
    left -= w
    return left < 0
  })
  return actions[Math.max(chosen, 0)]
}

describe('why the pair is preferred', () => {
  const shareOfPair = (task: Partial<SoftMultiGoalTask>) => {
    const solved = solveSoftMultiGoal({ ...pair.task, ...task }, 5)
    const { shares, none } = arrivals(solved, startOf(solved, 0), limit)
    return (shares[1] + shares[2]) / (1 - none)
  }
  const turned = (...degrees: readonly number[]) =>
    degrees.map((degree) => [5 * Math.cos((degree * Math.PI) / 180), 5 * Math.sin((degree * Math.PI) / 180)] as const)
  const apart = (Math.atan2(3, -4) * 180) / Math.PI
  const wide = { ...pair.task.constants, velocityLimit: 2 }

  test('the square of actions favours goals that are off the axes', () => {
    expect(shareOfPair({ goals: turned(45, 45 + apart, 45 - apart) })).toBeCloseTo(0.6, 2)
    expect(shareOfPair({ goals: turned(0, 120, 240) })).toBeCloseTo(0.72, 2)
  })

  test('where it does not matter, the choice on the way adds less than 1 % to two thirds', () => {
    const even = shareOfPair({ constants: wide, goals: turned(0, 120, 240) })
    // exact but for the grid
    expect(Math.abs(even - 2 / 3)).toBeLessThan(0.002)
    const gain = shareOfPair({ constants: wide }) - even
    expect(gain).toBeGreaterThan(0.004)
    expect(gain).toBeLessThan(0.01)
  })
})

test('of MultiGoal-v0 goes to each of the four goals as often', () => {
  const solved = solveSoftMultiGoal(taskOf('sql-multigoal'), 5)
  const { shares, none } = arrivals(solved, startOf(solved, multiGoal.core?.constants.startDeviation as number), limit)
  for (const share of shares) expect(share).toBeCloseTo((1 - none) / 4, 9)
  expect(none).toBeLessThan(0.001)
})

test('at a low temperature goes straight to the nearest goal', () => {
  const cold = solveSoftMultiGoal({ ...taskOf('s2ac-multigoal'), temperature: 0.1 }, 10)
  const actions = actionsOf(cold, nodeAt(cold, 1, 1))
  const A = cold.kernel.length
  const component = (k: number, axis: number) => (axis === 0 ? k % A : Math.floor(k / A)) / 10 - 1
  const moment = (of: (along: number, across: number) => number) =>
    actions.reduce((sum, p, k) => {
      const [x, y] = [component(k, 0), component(k, 1)]
      return sum + p * of((4 * x - y) / Math.sqrt(17), (x + 4 * y) / Math.sqrt(17))
    }, 0)
  // the goal is at (4, -1) from there
  expect(moment((along) => along)).toBeGreaterThan(0.4)
  expect(Math.abs(moment((_, across) => across))).toBeLessThan(0.01)
  expect(Math.sqrt(moment((_, across) => across ** 2))).toBeLessThan(0.15)
})
