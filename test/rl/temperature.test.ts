import { describe, expect, test } from '@jest/globals'
import * as v from 'valibot'
import { svpg } from '../../src/algorithms/svpg/svpg.ts'
import { createArena } from '../../src/core/arena.ts'
import { UsageError } from '../../src/core/errors.ts'
import { compileCore } from '../../src/core/module.ts'
import { check } from '../../src/core/schemas.ts'
import { inverseTemperature, temperatureEntries } from '../../src/rl/temperature.ts'

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
