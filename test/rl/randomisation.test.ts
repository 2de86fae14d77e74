import { describe, expect, test } from '@jest/globals'
import { adr } from '../../src/algorithms/adr/adr.ts'
import { UsageError } from '../../src/core/errors.ts'
import type { EnvironmentSpec } from '../../src/envs/contract.ts'
import { environmentSpec } from '../../src/envs/registry.ts'
import { constantsAt, evaluateGrid, gridPoints, refuseRanges } from '../../src/rl/randomisation.ts'

const drift: EnvironmentSpec = (await import('./fixtures/drift.js' as string)).default

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
    const state = await adr.init({ env: drift, ranges: { wind: [0, 0.5] }, particles: 3, hidden: [8], seed: 6 })
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
