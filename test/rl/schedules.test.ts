import { describe, expect, test } from '@jest/globals'
import * as v from 'valibot'
import { adr } from '../../src/algorithms/adr/adr.ts'
import { s2ac } from '../../src/algorithms/s2ac/s2ac.ts'
import { sac } from '../../src/algorithms/sac/sac.ts'
import { sql } from '../../src/algorithms/sql/sql.ts'
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import { createArena } from '../../src/core/arena.ts'
import { UsageError } from '../../src/core/errors.ts'
import { compileCore } from '../../src/core/module.ts'
import { check } from '../../src/core/schemas.ts'
import {
  inverseTemperature,
  learningRateEntries,
  learningRateShare,
  temperatureEntries,
} from '../../src/rl/schedules.ts'

const { ops } = await createArena(await compileCore(), {})
const schema = v.object(temperatureEntries)
type Settings = v.InferInput<typeof schema>

/** α in each iteration of a run. */
function temperatures(settings: Settings, iterations: number): number[] {
  const inverse = inverseTemperature(check(schema, settings), iterations)
  return Array.from({ length: iterations }, (_, t) => 1 / inverse(t, ops))
}

const expectValues = (actual: number[], expected: number[]) => {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((value, t) => void expect(value / expected[t]).toBeCloseTo(1, 12))
}

describe('schedules go through the run and end with it', () => {
  test('constant', () => expectValues(temperatures({ temperature: 4 }, 3), [4, 4, 4]))

  test('linear: equal steps of α, from ten times its end by default', () => {
    expectValues(temperatures({ temperature: 2, temperatureSchedule: 'linear' }, 5), [20, 15.5, 11, 6.5, 2])
    const settings: Settings = { temperature: 2, temperatureSchedule: 'linear', temperatureFrom: 1 }
    expectValues(temperatures(settings, 3), [1, 1.5, 2])
  })

  test('log-linear: equal factors of α', () => {
    expectValues(
      temperatures({ temperature: 1, temperatureSchedule: 'log-linear', temperatureFrom: 16 }, 5),
      [16, 8, 4, 2, 1],
    )
  })

  test('tanh: 1/α = tanh((1.3 t/T)⁵) over its end, and at the end exactly 1/temperature', () => {
    const values = temperatures({ temperature: 3, temperatureSchedule: 'tanh' }, 5)
    expect(values[0]).toBe(Number.POSITIVE_INFINITY)
    expectValues(
      values.slice(1),
      [1, 2, 3, 4].map((t) => (3 * Math.tanh(1.3 ** 5)) / Math.tanh(((1.3 * t) / 4) ** 5)),
    )
    expect(values[4]).toBe(3)
  })

  test('cyclical: 1/α from 0 four times, to its end in the last iteration', () => {
    const values = temperatures({ temperature: 3, temperatureSchedule: 'cyclical' }, 9)
    const expected = [0, 1 / 32, 0, 1 / 32, 0, 1 / 32, 0, 1 / 32, 1]
    values.forEach((alpha, t) => void expect(1 / alpha).toBeCloseTo(expected[t] / 3, 12))
  })

  test.each(['linear', 'log-linear', 'tanh', 'cyclical'] as const)(
    'a %s schedule of one iteration is at its end',
    (kind) => {
      expect(temperatures({ temperature: 7, temperatureSchedule: kind }, 1)).toEqual([7])
    },
  )

  test('a longer schedule is left on its way', () => {
    const settings: Settings = { temperature: 2, temperatureSchedule: 'linear', temperatureIterations: 5 }
    expectValues(temperatures(settings, 2), [20, 15.5])
  })
})

describe('refused', () => {
  test.each<[Settings, number | undefined, string]>([
    [
      { temperatureSchedule: 'linear' },
      undefined,
      'The temperature schedule linear needs a length: set temperatureIterations or iterations.',
    ],
    [
      { temperatureSchedule: 'tanh', temperatureIterations: 9 },
      10,
      'The temperature schedule has 9 iterations and is shorter than the run of 10.',
    ],
    [{ temperature: 0 }, 1, 'temperature must be a finite number above 0, got 0.'],
    [{ temperatureFrom: 0 }, 1, 'temperatureFrom must be a finite number above 0, got 0.'],
    [{ temperatureIterations: 0 }, 1, 'temperatureIterations must be a whole number from 1 to 1000000000, got 0.'],
    [
      { temperatureSchedule: 'cosine' as 'tanh' },
      1,
      'temperatureSchedule must be one of constant, linear, log-linear, tanh, cyclical, got "cosine".',
    ],
  ])('%j in a run of %p', (settings, iterations, message) => {
    const error = (() => {
      try {
        return inverseTemperature(check(schema, settings), iterations)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toBe(message)
  })
})

test('a population moves and tells by the schedule', async () => {
  const state = await svpg.init({
    ...{ env: 'CartPole-v1', particles: 2, environments: 2, steps: 8, hidden: [4], interaction: 'independent' },
    ...{ temperature: 1, temperatureSchedule: 'log-linear', temperatureFrom: 4, iterations: 3 },
  })
  const told = []
  for (let k = 0; k < 3; k++) {
    await svpg.evaluate(state)
    const gradient = state.arena.view.score.slice()
    svpg.move(state)
    const k0 = gradient.findIndex((g) => g !== 0)
    expect(gradient[k0] / state.arena.view.direction[k0]).toBeCloseTo([4, 2, 1][k], 5)
    told.push((await svpg.step(state)).temperature)
  }
  expectValues(told, [4, 2, 1])
})

describe('the learning rate', () => {
  const rates = v.object(learningRateEntries)
  const shares = (settings: v.InferInput<typeof rates>, iterations: number) => {
    const share = learningRateShare(check(rates, settings), iterations)
    return Array.from({ length: iterations }, (_, t) => share(t))
  }

  test('stays, or falls in equal steps that would reach 0 after the run', () => {
    expect(shares({}, 3)).toEqual([1, 1, 1])
    expect(shares({ learningRateSchedule: 'linear' }, 4)).toEqual([1, 0.75, 0.5, 0.25])
    expect(shares({ learningRateSchedule: 'linear', learningRateIterations: 8 }, 2)).toEqual([1, 0.875])
  })

  test('has a length, that of the run or a longer one', () => {
    const of = (settings: v.InferInput<typeof rates>, iterations?: number) =>
      learningRateShare(check(rates, { learningRateSchedule: 'linear', ...settings }), iterations)
    expect(() => of({})).toThrow(
      'The learning rate schedule linear needs a length: set learningRateIterations or iterations.',
    )
    expect(() => of({ learningRateIterations: 9 }, 10)).toThrow(
      'The learning rate schedule has 9 iterations and is shorter than the run of 10.',
    )
    expect(() => of({ learningRateIterations: 9 })(9)).toThrow('The learning rate is 0 after 9 iterations')
  })

  const small = { hidden: [8], seed: 1, iterations: 2 }
  const onPolicy = { ...small, particles: 2, environments: 2, steps: 16 }
  const offPolicy = { ...small, steps: 1, environments: 8, warmup: 8, batchSize: 8 }
  type Moved = { readonly q: { readonly view: { readonly theta: Float32Array } } }
  const thetaOf = (state: object): Float32Array =>
    'critics' in state
      ? (state.critics as Moved).q.view.theta
      : (state as { arena: { view: { theta: Float32Array } } }).arena.view.theta

  test.each<[string, { init(options: never): Promise<object>; step(state: never): Promise<unknown> }, object]>([
    ['svpg', svpg, { ...onPolicy, env: 'CartPole-v1', interaction: 'independent' }],
    ['adr', adr, { ...onPolicy, env: 'Pendulum-v1', estimator: 'reinforce', ranges: { gravity: [5, 15] } }],
    ['sac', sac, { ...offPolicy, env: 'Pendulum-v1' }],
    ['s2ac', s2ac, { ...offPolicy, env: 'Pendulum-v1' }],
    ['sql', sql, { ...offPolicy, env: 'Pendulum-v1' }],
    ['sql over numbered actions', sql, { ...offPolicy, env: 'CartPole-v1' }],
  ])('of %s is half in the second of two iterations', async (_, algorithm, options) => {
    const ways = await Promise.all(
      (['constant', 'linear'] as const).map(async (learningRateSchedule) => {
        const state = await algorithm.init({ ...options, learningRateSchedule } as never)
        const thetas: Float32Array[] = []
        for (let k = 0; k < 2; k++) {
          await algorithm.step(state as never)
          thetas.push(thetaOf(state).slice())
        }
        return thetas
      }),
    )
    const [[first, second], [same, halfway]] = ways
    expect(same).toEqual(first)
    const moved = second.map((x, k) => x - first[k])
    expect(Math.max(...moved.map(Math.abs))).toBeGreaterThan(1e-5)
    halfway.forEach((x, k) => void expect(x - first[k]).toBeCloseTo(0.5 * moved[k], 6))
  })
})
