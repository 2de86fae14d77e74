import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Purpose, splitSeed } from '../../src/core/random.ts'
import { make } from '../../src/envs/make.ts'
import { goalReached, goalsOf, multiGoal } from '../../src/envs/multigoal.ts'
import { multiGoalMaxEntropy } from '../../src/envs/multigoal-max-entropy.ts'
import { type MultiGoalTwin, stepMultiGoalReference } from '../reference/multigoal.ts'
import { blockReference, normalReference } from '../reference/philox.ts'
import { coreRows, expectRowsAlone, kolmogorov } from './rows.ts'

const tasks = [multiGoal, multiGoalMaxEntropy]
const constantsOf = (spec: (typeof tasks)[0]) => spec.core?.constants as Readonly<Record<string, number>>

const coordinate = fc.double({ min: -7, max: 7, noNaN: true })
const component = fc.oneof(fc.constantFrom(-1, 1, 0, -2, 2), fc.float({ min: -1.5, max: 1.5, noNaN: true }))

describe.each(tasks)('$id', (spec) => {
  const constants = constantsOf(spec)
  const goals = goalsOf(constants)

  test('one step against the twin: anywhere, near goals and at the border', async () => {
    const rows = await coreRows(spec, 3)
    const anywhere = fc.tuple(coordinate, coordinate)
    const near = fc
      .tuple(fc.constantFrom(...goals), fc.double({ min: -2, max: 2, noNaN: true }), coordinate)
      .map(([[x, y], dx, dy]) => [x + dx, y + dy / 4].map((p) => Math.max(-7, Math.min(7, p))))
    const ends = new Set<boolean>()
    const row = fc.tuple(fc.oneof(anywhere, near), fc.tuple(component, component))
    fc.assert(
      fc.property(fc.tuple(row, row, row), (drawn) => {
        rows.view.state.set(drawn.flatMap(([position]) => position))
        rows.view.action.set(drawn.flatMap(([, action]) => action))
        rows.step()
        rows.observe()
        drawn.forEach(([position, action], r) => {
          const twin = stepMultiGoalReference(position, action, goals, constants as unknown as MultiGoalTwin)
          expect(rows.stateOf(r)).toEqual(twin.position)
          // hypot and its square round differently from a sum of squares: a few units in the last place of 60 + 200
          expect(Math.abs(rows.view.reward[r] - twin.reward)).toBeLessThan(1e-12)
          expect(rows.view.terminated[r] === 1).toBe(twin.terminated)
          expect([...rows.view.observation.subarray(2 * r, 2 * r + 2)]).toEqual(twin.position.map(Math.fround))
          ends.add(twin.terminated)
        })
      }),
      { numRuns: 1000, seed: 1 },
    )
    expect(ends.size).toBe(2)
  })

  test('any number of rows gives the bits of a single one', () =>
    expectRowsAlone(spec, 1, ({ view, act }, count) => {
      view.state.forEach((_, k) => {
        view.state[k] = ((k * 37 + count * 11) % 140) / 10 - 7
      })
      act(count)
    }))

  test('every goal can be reached, and ends the episode with its bonus', async () => {
    const env = await make(spec.id)
    for (const [g, [goalX, goalY]] of goals.entries()) {
      env.reset({ seed: g })
      let step = env.step([0, 0])
      for (let t = 0; t < 12 && !step.terminated; t++) step = env.step([goalX - env.state[0], goalY - env.state[1]])
      const [x, y] = env.state
      expect(step.terminated).toBe(true)
      expect(goalReached(constants, x, y)).toBe(g)
      expect(step.reward).toBeGreaterThan(-60 + constants.goalReward - constants.goalThreshold)
    }
    expect(goalReached(constants, 0, 0)).toBe(-1)
  })

  test('the time limit truncates after 30 steps', async () => {
    const env = await make(spec.id)
    env.reset({ seed: 3 })
    for (let t = 1; t <= 30; t++) {
      const { terminated, truncated } = env.step([0, 0])
      expect([terminated, truncated]).toEqual([false, t === 30])
    }
  })

  test('the border holds, and the spaces say so', async () => {
    const env = await make(spec.id)
    env.reset({ seed: 0 })
    env.state.set([6.8, -6.9])
    const { obs } = env.step([5, -5])
    expect([...env.state]).toEqual([7, -7])
    expect([...obs]).toEqual([spec.observationSpace.high[0], spec.observationSpace.low[1]])
    expect(spec.actionSpace).toEqual({ kind: 'box', low: [-1, -1], high: [1, 1] })
  })

  test('every constant can be overridden', async () => {
    // One step, from a place where each constant matters to the state, the reward or the end.
    const outcome = async (override: Record<string, number>, from?: readonly number[]) => {
      const env = await make(spec.id, { constants: override })
      env.reset({ seed: 5 })
      const start = [...env.state]
      if (from) env.state.set(from)
      const { reward, terminated } = env.step([0.5, 1.5])
      return JSON.stringify([start, ...env.state, reward, terminated])
    }
    const places: Record<string, readonly number[]> = { positionLimit: [6.9, 6.9] }
    for (const [g, [x, y]] of goals.entries()) {
      places[`goal${g}X`] = [x - 0.5, y - 1.01]
      places[`goal${g}Y`] = [x - 0.49, y - 1]
    }
    places.goalThreshold = [goals[0][0] - 0.5, goals[0][1] - 1 - 0.9 * constants.goalThreshold]
    places.goalReward = [goals[0][0] - 0.5, goals[0][1] - 1]
    for (const [name, value] of Object.entries(constants)) {
      const changed = await outcome({ [name]: value === 0 ? 0.25 : value * 0.75 }, places[name])
      expect([name, changed]).not.toEqual([name, await outcome({}, places[name])])
    }
  })
})

describe('the start', () => {
  const starts = async (spec: (typeof tasks)[0], count: number) => {
    const rows = await coreRows(spec, count)
    rows.reset(100)
    return Array.from({ length: count }, (_, r) => rows.stateOf(r))
  }

  test('is what the generator draws for the seed', async () => {
    const found = await starts(multiGoal, 50)
    found.forEach((position, r) => {
      const { lo, hi } = splitSeed(100 + r)
      const draw = { seedLo: lo, seedHi: hi, purpose: Purpose.reset, particle: 0, environment: 0, step: 0 }
      const normals = normalReference(blockReference(draw, 0))
      // the generator's normals are float32
      position.forEach((value, k) => {
        expect(Math.abs(value - 0.1 * normals[k])).toBeLessThan(1e-6)
      })
    })
  })

  test('is normal with deviation 0.1, its components independent', async () => {
    const found = await starts(multiGoal, 4000)
    for (const k of [0, 1]) {
      expect(
        kolmogorov(
          found.map((position) => position[k] / 0.1),
          normalCdf,
        ),
      ).toBeLessThan(1.95)
    }
    const correlation = found.reduce((sum, [x, y]) => sum + x * y, 0) / found.length / 0.01
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(found.length))
  })

  test('is clipped to the box', async () => {
    const far = await starts(multiGoal.configure?.({ startX: 6.9, startDeviation: 1 }) as typeof multiGoal, 100)
    expect(Math.max(...far.map(([x]) => x))).toBe(7)
  })

  test('of the max-entropy task is the origin', async () => {
    for (const position of await starts(multiGoalMaxEntropy, 20)) expect(position).toEqual([0, 0])
  })
})

test('the goals are those of the two papers', () => {
  expect(goalsOf(constantsOf(multiGoal))).toEqual([
    [5, 0],
    [-5, 0],
    [0, 5],
    [0, -5],
  ])
  expect(goalsOf(constantsOf(multiGoalMaxEntropy))).toEqual([
    [5, 0],
    [-4, 3],
    [-4, -3],
  ])
})

/** Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/(3·5) + ...). */
function normalCdf(x: number): number {
  let sum = 0
  for (let k = 1, term = x; Math.abs(term) > 1e-12; k += 2, term *= (x * x) / k) sum += term
  return 0.5 + (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
