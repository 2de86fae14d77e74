import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { expectUniform, startsOf, testAgainstGymnasium } from './golden.ts'

const env = await make('MountainCar-v0')

describe('one step at a time', () => {
  testAgainstGymnasium(env, { tolerance: 1e-12, ends: ['1,0', '0,1'] })
})

test('starts at rest, its position uniform in [-0.6, -0.4)', async () => {
  const starts = await startsOf('MountainCar-v0', 4000)
  expect(starts.every(([, velocity]) => velocity === 0)).toBe(true)
  expectUniform(
    starts.map(([position]) => position),
    -0.6,
    -0.4,
  )
})

test('the wall on the left takes the velocity, the end on the right does not', () => {
  env.reset({ seed: 0 })
  env.state.set([-1.19, -0.07])
  env.step(0)
  expect([...env.state]).toEqual([-1.2, 0])
  env.state.set([0.59, 0.05])
  env.step(2)
  expect(env.state[0]).toBe(0.6)
  expect(env.state[1]).toBeGreaterThan(0.04)
})

test('the goal must be reached at the velocity asked for', async () => {
  const fast = await make('MountainCar-v0', { constants: { goalVelocity: 0.05 } })
  fast.reset({ seed: 0 })
  fast.state.set([0.495, 0.03])
  expect(fast.step(2).terminated).toBe(false)
  env.reset({ seed: 0 })
  env.state.set([0.495, 0.03])
  expect(env.step(2).terminated).toBe(true)
})

test('spaces follow from the constants and hold what is observed at their ends', async () => {
  const wide = await make('MountainCar-v0', { constants: { maxPosition: 2, speedLimit: 0.5 } })
  expect(wide.spec.observationSpace.high).toEqual([2, 0.5])
  env.reset({ seed: 0 })
  env.state.set([-1.2, -0.07])
  expect(env.step(0).obs[0]).toBe(env.spec.observationSpace.low[0])
})

test.each([3, -1, 0.5])('the action %p is refused', (action) => {
  env.reset({ seed: 0 })
  expect(() => env.step(action)).toThrow(`an action is a whole number from 0 to 2, got ${action}.`)
})
