import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { expectIndependent, expectUniform, startsOf, testAgainstGymnasium } from './golden.ts'

const env = await make('Pendulum-v1')

describe('one step at a time', () => {
  testAgainstGymnasium(env, { tolerance: 1e-12, ends: ['0,1'] })
})

test('starts anywhere, slowly', async () => {
  const starts = await startsOf('Pendulum-v1', 4000)
  expectUniform(
    starts.map(([angle]) => angle),
    -Math.PI,
    Math.PI,
  )
  expectUniform(
    starts.map(([, speed]) => speed),
    -1,
    1,
  )
  expectIndependent(starts, 0, 1)
})

test('the cost is that of the state before the step, its angle wrapped', () => {
  env.reset({ seed: 0 })
  const costAt = (angle: number, speed: number, torque: number) => {
    env.state.set([angle, speed])
    return env.step([torque]).reward
  }
  expect(costAt(0, 0, 0)).toBeCloseTo(0, 15)
  expect(costAt(Math.PI / 2, 3, 9)).toBeCloseTo(-((Math.PI / 2) ** 2 + 0.9 + Math.fround(4 * Math.fround(0.001))), 12)
  for (const turns of [-1000, -3, 1, 2, 1000]) {
    expect(costAt(0.3 + turns * 2 * Math.PI, 0, 0)).toBeCloseTo(-0.09, 11)
  }
})

test.each([0.1, -3, 90, 1e6, -1e12])('cosine and sine of %p rad are observed', (angle) => {
  env.reset({ seed: 0 })
  env.state.set([angle, 0.5])
  const { obs } = env.step([0])
  const [theta, speed] = env.state
  expect([...obs]).toEqual([Math.cos(theta), Math.sin(theta), speed].map(Math.fround))
})

test('length and mass enter as in 3g/2l and 3/(m l²)', async () => {
  const [mass, length, gravity] = [2, 0.5, 3]
  const other = await make('Pendulum-v1', { constants: { mass, length, gravity } })
  other.reset({ seed: 0 })
  other.state.set([1, 0.5])
  other.step([1.5])
  const acceleration = ((3 * gravity) / (2 * length)) * Math.sin(1) + (3 / (mass * length ** 2)) * 1.5
  expect(other.state[1]).toBeCloseTo(0.5 + acceleration * 0.05, 12)
  expect(other.state[0]).toBeCloseTo(1 + other.state[1] * 0.05, 12)
})

test('spaces follow from the constants', async () => {
  const { spec } = await make('Pendulum-v1', { constants: { torqueLimit: 5, speedLimit: 4 } })
  expect(spec.actionSpace).toEqual({ kind: 'box', low: [-5], high: [5] })
  expect(spec.observationSpace.high).toEqual([1, 1, 4])
})
