import { expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { adam } from '../../src/optim/optimizers.ts'
import { constant, cyclical, linearRamp, logLinearRamp, tanhRamp } from '../../src/optim/schedules.ts'
import type { Score } from '../../src/svgd/scores.ts'
import { createSVGD, particlesOf } from '../../src/svgd/svgd.ts'

const { ops } = await createArena(await compileCore(), {})
const T = 200
const times = [0, 1, 37, 49, 50, 100, 151, 199, 200, 1000]

test.each([
  { schedule: constant(0.3), expected: () => 0.3 },
  { schedule: linearRamp({ from: 0.2, iterations: T }), expected: (s: number) => 0.2 + 0.8 * s },
  { schedule: linearRamp({ from: 3, to: 0.5, iterations: T }), expected: (s: number) => 3 - 2.5 * s },
  { schedule: logLinearRamp({ from: 1e-3, iterations: T }), expected: (s: number) => 1e-3 ** (1 - s) },
  { schedule: tanhRamp({ iterations: T }), expected: (s: number) => Math.tanh((1.3 * s) ** 5) / Math.tanh(1.3 ** 5) },
  { schedule: tanhRamp({ iterations: T, power: 10, scale: 5 }), expected: (s: number) => Math.tanh((5 * s) ** 10) },
  { schedule: cyclical({ iterations: T }), expected: (s: number) => (s === 1 ? 1 : ((4 * s) % 1) ** 5) },
  { schedule: cyclical({ iterations: T, cycles: 3, power: 1 }), expected: (s: number) => (s === 1 ? 1 : (3 * s) % 1) },
])('$schedule.name follows its equation and stays where it ends', ({ schedule, expected }) => {
  for (const t of times) expect(schedule.at(t, ops)).toBeCloseTo(expected(Math.min(t / T, 1)), 12)
})

test.each([
  linearRamp({ from: 0.2, iterations: T }),
  tanhRamp({ iterations: T }),
  tanhRamp({ iterations: T, power: 1, scale: 0.5 }),
  cyclical({ iterations: T }),
])('$name ends at 1 exactly', (schedule) => {
  expect([schedule.at(T, ops), schedule.at(T + 1, ops)]).toEqual([1, 1])
})

test('ramps begin and end at exactly what was given', () => {
  for (const [from, to] of [
    [0.1, 0.3],
    [0.7, 1e-3],
    [1e-30, 1],
    [3, 0.9],
  ]) {
    for (const ramp of [linearRamp({ from, to, iterations: 7 }), logLinearRamp({ from, to, iterations: 7 })]) {
      expect([ramp.at(0, ops), ramp.at(7, ops), ramp.at(8, ops)]).toEqual([from, to, to])
    }
  }
  expect(tanhRamp({ iterations: 7 }).at(0, ops)).toBe(0)
})

test('every cycle begins at exactly 0, and γ rises within it', () => {
  for (const cycles of [1, 3, 22, 23, 49, 97, 100]) {
    for (const length of [2, 3, 10, 37]) {
      const schedule = cyclical({ iterations: cycles * length, cycles, power: 1 })
      for (let t = 0; t < cycles * length; t++) {
        expect(schedule.at(t, ops)).toBeCloseTo((t % length) / length, 14)
        if (t % length === 0) expect(schedule.at(t, ops)).toBe(0)
      }
    }
  }
})

test.each([
  [() => tanhRamp({ iterations: 5, scale: 1e-100 }), 'scale to the power of 5 must be above 0, got the scale 1e-100.'],
  [() => constant(-1), 'The value of a schedule must be a finite number of at least 0, got -1.'],
  [() => linearRamp({ from: Number.NaN, iterations: 5 }), 'from must be a finite number of at least 0, got NaN.'],
  [() => logLinearRamp({ from: 0, iterations: 5 }), 'from must be a finite number above 0, got 0.'],
  [() => tanhRamp({ iterations: 0 }), 'iterations must be a whole number of at least 1, got 0.'],
  [() => tanhRamp({ iterations: 5, power: 1.5 }), 'power must be a whole number of at least 1, got 1.5.'],
  [() => cyclical({ iterations: 5, cycles: 0 }), 'cycles must be a whole number of at least 1, got 0.'],
])('settings out of range are refused', (make, message) => {
  expect(make).toThrow(message)
})

// Equal modes 12 standard deviations apart, every particle started at the left one.
const score: Score = (out, [x]) => {
  const left = Math.exp(-((x + 6) ** 2) / 2)
  const right = Math.exp(-((x - 6) ** 2) / 2)
  out[0] = (left * (-6 - x) + right * (6 - x)) / (left + right || Number.MIN_VALUE)
}

test('the factor reaches the drive: a cyclical schedule finds the far mode that plain SVGD misses', async () => {
  const shareRight = async (annealing?: ReturnType<typeof cyclical>) => {
    const { init, step } = createSVGD({ score, optimizer: adam({ learningRate: 0.2 }), annealing })
    const state = await init({ particles: 40, dimension: 1 })
    for (const { x } of state.rows) x[0] -= 6
    for (let t = 0; t < 2400; t++) step(state)
    return particlesOf(state).filter((x) => x > 0).length / 40
  }
  expect(await shareRight()).toBe(0)
  const annealed = await shareRight(cyclical({ iterations: 2000, cycles: 5 }))
  expect(annealed).toBeGreaterThan(0.3)
  expect(annealed).toBeLessThan(0.7)
})
