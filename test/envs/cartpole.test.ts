import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { make } from '../../src/envs/make.ts'
import { environments } from '../../src/envs/registry.ts'
import { makeVector } from '../../src/envs/vector.ts'

interface Trajectory {
  seed: number
  policy: string
  init_state: number[]
  actions: number[]
  states: number[][]
  obs: number[][]
  rewards: number[]
  terminated: number[]
  truncated: number[]
}
const golden: { trajectories: Trajectory[] } = JSON.parse(
  readFileSync(new URL('../golden/CartPole-v1.json', import.meta.url), 'utf8'),
)
const env = await make('CartPole-v1')

describe('one step at a time from the states of Gymnasium', () => {
  test.each(golden.trajectories)('$policy, seed $seed', (trajectory) => {
    const { actions, states, obs, rewards, terminated, truncated, init_state } = trajectory
    let worst = 0
    env.reset({ seed: 0 })
    actions.forEach((action, t) => {
      env.state.set(t ? states[t - 1] : init_state)
      const step = env.step(action)
      states[t].forEach((value, k) => {
        worst = Math.max(worst, Math.abs(env.state[k] - value))
      })
      expect([...step.obs]).toEqual(obs[t])
      expect(step.reward).toBe(rewards[t])
      expect(step.terminated).toBe(terminated[t] === 1)
      expect(step.truncated).toBe(truncated[t] === 1)
    })
    expect(worst).toBeLessThan(1e-12)
  })

  test('the data hold both kinds of end', () => {
    const ends = golden.trajectories.map(({ terminated, truncated }) => [terminated.at(-1), truncated.at(-1)].join())
    expect(ends).toContain('1,0')
    expect(ends).toContain('0,1')
  })
})

interface Case {
  suttonBartoReward: boolean
  kinematicsIntegrator: string
  start: number[]
  steps: { action: number; state: number[]; obs: number[]; reward: number; terminated: boolean }[]
}
const variants: { cases: Case[] } = JSON.parse(
  readFileSync(new URL('../golden/CartPole-v1-options.json', import.meta.url), 'utf8'),
)

describe('with the options of Gymnasium', () => {
  test.each(variants.cases)(
    '$kinematicsIntegrator, Sutton and Barto: $suttonBartoReward',
    async ({ suttonBartoReward, kinematicsIntegrator, start, steps }) => {
      const constants = { suttonBartoReward, kinematicsIntegrator }
      const single = await make('CartPole-v1', { constants })
      const several = await makeVector('CartPole-v1', { num: 3, constants })
      single.reset({ seed: 0 })
      several.reset({ seed: 0 })
      let before = start
      for (const { action, state, obs, reward, terminated } of steps) {
        single.state.set(before)
        for (let row = 0; row < 3; row++) several.state.set(before, 4 * row)
        const step = single.step(action)
        const rows = several.step([action, action, action])
        state.forEach((value, k) => {
          expect(Math.abs(single.state[k] - value)).toBeLessThan(1e-12)
        })
        expect([...step.obs]).toEqual(obs)
        expect([step.reward, step.terminated]).toEqual([reward, terminated])
        expect([...rows.obs]).toEqual([...obs, ...obs, ...obs])
        expect([...rows.reward]).toEqual([reward, reward, reward])
        before = state
      }
      expect(steps.at(-1)?.terminated).toBe(true)
      expect(single.spec.rewardThreshold).toBe(suttonBartoReward ? 0 : 475)
    },
  )

  test('words of a command line will do, and what is allowed is said', async () => {
    const spec = environments['CartPole-v1'].configure?.({ suttonBartoReward: 'true' })
    expect(spec?.core?.constants.suttonBartoReward).toBe(1)
    await expect(make('CartPole-v1', { constants: { kinematicsIntegrator: 'leapfrog' } })).rejects.toThrow(
      'CartPole-v1: kinematicsIntegrator must be one of euler, semi-implicit euler, got "leapfrog".',
    )
    await expect(make('CartPole-v1', { constants: { suttonBartoReward: 2 } })).rejects.toThrow(
      'CartPole-v1: suttonBartoReward must be one of false, true, got 2.',
    )
  })
})

test.each([0.7, 0.9, -2, 3, 25, -1e6])('a pole at %p rad moves as the equations say', (theta) => {
  // Beyond π/4 sine and cosine go another way than where the pole usually is.
  env.reset({ seed: 0 })
  env.state.set([0.3, -0.7, theta, 1.5])
  env.step(1)
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)]
  const temp = (10 + 0.05 * 1.5 ** 2 * sin) / 1.1
  const thetaAcc = (9.8 * sin - cos * temp) / (0.5 * (4 / 3 - (0.1 * cos ** 2) / 1.1))
  const expected = [0.3 - 0.02 * 0.7, -0.7 + 0.02 * (temp - (0.05 * thetaAcc * cos) / 1.1)]
  expected.push(theta + 0.02 * 1.5, 1.5 + 0.02 * thetaAcc)
  expected.forEach((value, k) => {
    expect(Math.abs(env.state[k] - value)).toBeLessThan(1e-12)
  })
})

describe('reset', () => {
  const starts = Array.from({ length: 4000 }, (_, seed) => {
    env.reset({ seed })
    return [...env.state]
  })

  test.each([0, 1, 2, 3])('component %i is uniform within ± 0.05', (k) => {
    const sorted = starts.map((state) => state[k]).sort((a, b) => a - b)
    // Kolmogorov-Smirnov distance; 1.63/√n is exceeded once in a hundred times.
    const distance = Math.max(...sorted.map((x, i) => Math.abs((x + 0.05) / 0.1 - (i + 0.5) / sorted.length)))
    expect(distance).toBeLessThan(1.63 / Math.sqrt(sorted.length))
    expect(sorted[0]).toBeGreaterThanOrEqual(-0.05)
    expect(sorted.at(-1)).toBeLessThan(0.05)
  })

  test('components are independent', () => {
    const correlation = (a: number, b: number) =>
      starts.reduce((sum, state) => sum + state[a] * state[b], 0) / starts.length / (0.05 ** 2 / 3)
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ]) {
      expect(Math.abs(correlation(a, b))).toBeLessThan(4 / Math.sqrt(starts.length))
    }
  })

  test('the same seed gives the same start, large seeds included', () => {
    const start = (seed: number) => [...env.reset({ seed }).obs]
    expect(start(2 ** 53 - 1)).toEqual(start(2 ** 53 - 1))
    expect(start(2 ** 40)).not.toEqual(start(0))
  })
})

describe('the contract', () => {
  test('the time limit truncates and does not terminate', () => {
    env.reset({ seed: 1 })
    for (let t = 1; t <= 500; t++) {
      env.state.fill(0)
      const { terminated, truncated } = env.step(t % 2)
      expect([terminated, truncated]).toEqual([false, t === 500])
    }
    expect(() => env.step(0)).toThrow(
      'CartPole-v1: the episode ended after 500 steps; call reset before the next step.',
    )
  })

  test('a step before the first reset is refused', async () => {
    const fresh = await make('CartPole-v1')
    expect(() => fresh.step(0)).toThrow('CartPole-v1: call reset before step; there is no running episode.')
  })

  test.each([2, -1, 0.5, Number.NaN])('the action %p is refused', (action) => {
    env.reset({ seed: 0 })
    expect(() => env.step(action)).toThrow(`an action is a whole number from 0 to 1, got ${action}.`)
  })

  test('constants can be overridden by name, derived ones follow', async () => {
    const heavy = await make('CartPole-v1', { constants: { cartMass: 10 } })
    heavy.reset({ seed: 0 })
    env.reset({ seed: 0 })
    heavy.step(1)
    env.step(1)
    // Ten times the cart's mass, about a tenth of the speed.
    expect(heavy.state[1] / env.state[1]).toBeLessThan(0.3)
    await expect(make('CartPole-v1', { constants: { mass: 1 } })).rejects.toThrow(
      'CartPole-v1 has no constant "mass"; it has gravity',
    )
    await expect(make('CartPole-v1', { constants: { force: Number.NaN } })).rejects.toThrow(
      'force must be a finite number, got NaN',
    )
  })

  test('an unknown id lists what exists', async () => {
    await expect(make('CartPole-v7')).rejects.toThrow('Unknown environment "CartPole-v7"; there are CartPole-v1')
  })
})
