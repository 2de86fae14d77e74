import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { expectIndependent, expectUniform, startsOf, testAgainstGymnasium } from './golden.ts'

const env = await make('Acrobot-v1')

describe('one step at a time', () => {
  testAgainstGymnasium(env, { tolerance: 1e-12, ends: ['1,0', '0,1'] })
})

describe('the start', () => {
  test.each([0, 1, 2, 3])('component %i is uniform within ± 0.1, a float32', async (k) => {
    const starts = await startsOf('Acrobot-v1', 4000)
    const values = starts.map((state) => state[k])
    expect(values.every((value) => Math.fround(value) === value)).toBe(true)
    expectUniform(values, -Math.fround(0.1), Math.fround(0.1))
    expectIndependent(starts, k, (k + 1) % 4)
  })
})

test('energy is kept without torque, as equations and not only recordings have it', async () => {
  // With small steps the method of Runge and Kutta loses next to nothing; the book's equations are those of the task.
  const free = await make('Acrobot-v1', { constants: { timeStep: 0.001 } })
  free.reset({ seed: 0 })
  free.state.set([1, 0.7, -0.5, 1.2])
  const before = energy(free.state)
  for (let t = 0; t < 400; t++) free.step(1)
  expect(energy(free.state)).toBeCloseTo(before, 9)
})

/** Kinetic and potential energy of two links of 1 kg and 1 m with moments of 1 kg m² about their centres. */
function energy([theta1, theta2, dot1, dot2]: ArrayLike<number> & Iterable<number>): number {
  const both = dot1 + dot2
  const speed2 = dot1 ** 2 + 0.25 * both ** 2 + dot1 * both * Math.cos(theta2)
  const kinetic = 0.5 * (0.25 * dot1 ** 2 + dot1 ** 2) + 0.5 * (speed2 + both ** 2)
  return kinetic - 9.8 * (0.5 * Math.cos(theta1) + Math.cos(theta1) + 0.5 * Math.cos(theta1 + theta2))
}

test('the equations of the NIPS paper can be chosen', async () => {
  const nips = await make('Acrobot-v1', { constants: { equations: 'nips' } })
  const after = (task: typeof env) => {
    task.reset({ seed: 0 })
    task.state.set([1, 0.7, -0.5, 1.2])
    task.step(2)
    return [...task.state]
  }
  expect(after(nips)).not.toEqual(after(env))
  await expect(make('Acrobot-v1', { constants: { equations: 'java' } })).rejects.toThrow(
    'equations must be one of book, nips, got "java".',
  )
})

test('angles far away are brought back at once, and infinity does not hang', () => {
  env.reset({ seed: 0 })
  const after = (theta1: number, theta2: number) => {
    env.state.set([theta1, theta2, 0.3, -0.2])
    env.step(2)
    return [...env.state]
  }
  const turns = 2 * Math.PI * 200_000
  const near = after(1, -2)
  after(1 + turns, -2 - turns).forEach((value, k) => {
    expect(Math.abs(value - near[k])).toBeLessThan(1e-8)
  })
  // So far away that no digit of the angle is left: still some angle, and forces of a finite size.
  const [, , speed1, speed2] = after(0.1, 1e300)
  expect(Math.abs(speed1)).toBeLessThan(4)
  expect(Math.abs(speed2)).toBeLessThan(4)
  env.reset({ seed: 0 })
  env.state.set([Infinity, 0, 0, 0])
  expect(() => env.step(1)).toThrow('step 1 gave the observation [NaN')
})
