import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { expectUniform, startsOf, testAgainstGymnasium } from './golden.ts'

const env = await make('MountainCarContinuous-v0')

describe('one step at a time', () => {
  // The state is float32 after every step: nothing is left of differences in the last bits.
  testAgainstGymnasium(env, { tolerance: 0, ends: ['1,0'] })
})

test('starts at rest, its position uniform in [-0.6, -0.4)', async () => {
  const starts = await startsOf('MountainCarContinuous-v0', 4000)
  expect(starts.every(([, velocity]) => velocity === 0)).toBe(true)
  expectUniform(
    starts.map(([position]) => position),
    -0.6,
    -0.4,
  )
})

test('a force beyond the limit pushes no more but costs more', () => {
  const stepWith = (action: number) => {
    env.reset({ seed: 3 })
    const { reward } = env.step([action])
    return { reward, velocity: env.state[1] }
  }
  expect(stepWith(2).velocity).toBe(stepWith(1).velocity)
  expect(stepWith(2).reward).toBe(-0.4)
  expect(stepWith(-3).velocity).toBe(stepWith(-1).velocity)
  expect(stepWith(1).reward).toBe(-0.1)
})

test('after a reset the goal is looked for before the state is rounded', () => {
  // 0.45 as a float lies below 0.45: a car that lands a little beyond the goal is stored as one that has not arrived.
  const position = 0.44 // no float32 number, as after a reset
  env.reset({ seed: 0 })
  env.state.set([position, 0])
  env.step([0])
  const slope = env.state[1] // rounded, which is why the car is sent 1e-9 too far
  env.state.set([position, 0.45 + 1e-9 - position - slope])
  const { terminated } = env.step([0])
  expect(env.state[0]).toBe(Math.fround(0.45))
  expect(env.state[0]).toBeLessThan(0.45)
  expect(terminated).toBe(true)
})

test('later the goal is float32 too', () => {
  env.reset({ seed: 0 })
  const speed = Math.fround(0.0625)
  // Wherever the car comes from, 0.45 as a float is the goal.
  for (let k = 0; k < 2000; k++) {
    env.state.set([Math.fround(Math.fround(0.45) - speed + (k - 1000) * 2 ** -26), speed])
    const { terminated } = env.step([1])
    expect(terminated).toBe(env.state[0] >= Math.fround(0.45))
    if (terminated) env.reset({ seed: 0 })
  }
})

test('the time limit of 999 steps truncates', () => {
  env.reset({ seed: 1 })
  for (let t = 1; t <= 999; t++) {
    const { terminated, truncated } = env.step([0])
    expect([terminated, truncated]).toEqual([false, t === 999])
  }
})

test('the action space follows from the limit of the force', async () => {
  const strong = await make('MountainCarContinuous-v0', { constants: { forceLimit: 2 } })
  expect(strong.spec.actionSpace).toEqual({ kind: 'box', low: [-2], high: [2] })
  strong.reset({ seed: 3 })
  strong.step([2])
  env.reset({ seed: 3 })
  env.step([2])
  expect(strong.state[1] - env.state[1]).toBeCloseTo(0.0015, 9)
})
