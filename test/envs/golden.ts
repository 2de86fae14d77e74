import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { type MadeEnvironment, make } from '../../src/envs/make.ts'

interface Trajectory {
  seed: number
  policy: string
  init_state: number[]
  init_obs: number[] | null
  actions: number[]
  states: number[][]
  obs: number[][]
  rewards: number[]
  terminated: number[]
  truncated: number[]
}

const worst = (found: ArrayLike<number>, expected: readonly number[]) =>
  Math.max(...expected.map((value, k) => Math.abs(found[k] - value)))

/**
 * Steps a task once from every recorded state of Gymnasium: states within `tolerance`, rewards within 1e-12,
 * observations and flags exactly. `ends` are the last flags (terminated, truncated) that the recordings must hold.
 */
export function testAgainstGymnasium(
  env: MadeEnvironment,
  { tolerance, ends }: { tolerance: number; ends: readonly string[] },
): void {
  const file = new URL(`../golden/${env.spec.id}.json`, import.meta.url)
  const { trajectories }: { trajectories: Trajectory[] } = JSON.parse(readFileSync(file, 'utf8'))

  test.each(trajectories)('$policy, seed $seed: every step from the states of Gymnasium', (trajectory) => {
    const { actions, states, obs, rewards, terminated, truncated, init_state } = trajectory
    let stateError = 0
    let rewardError = 0
    env.reset({ seed: 0 })
    actions.forEach((action, t) => {
      env.state.set(t ? states[t - 1] : init_state)
      const step = env.step(action)
      stateError = Math.max(stateError, worst(env.state, states[t]))
      rewardError = Math.max(rewardError, Math.abs(step.reward - rewards[t]))
      expect([...step.obs]).toEqual(obs[t])
      expect([step.terminated, step.truncated]).toEqual([terminated[t] === 1, truncated[t] === 1])
    })
    expect(stateError).toBeLessThanOrEqual(tolerance)
    expect(rewardError).toBeLessThanOrEqual(1e-12)
  })

  test('the recordings hold these ends', () => {
    const found = trajectories.map(({ terminated, truncated }) => [terminated.at(-1), truncated.at(-1)].join())
    for (const end of ends) expect(found).toContain(end)
  })
}

/** The states in which `count` episodes start. */
export async function startsOf(id: string, count: number): Promise<number[][]> {
  const env = await make(id)
  return Array.from({ length: count }, (_, seed) => {
    env.reset({ seed })
    return [...env.state]
  })
}

/**
 * Fails unless the values look uniform in [low, high): by Kolmogorov and Smirnov, a wrong alarm once in a hundred
 * seeds.
 */
export function expectUniform(values: readonly number[], low: number, high: number): void {
  const sorted = [...values].sort((a, b) => a - b)
  const n = sorted.length
  const distance = Math.max(...sorted.map((x, i) => Math.abs((x - low) / (high - low) - (i + 0.5) / n)))
  expect(distance).toBeLessThan(1.63 / Math.sqrt(n))
  expect(sorted[0]).toBeGreaterThanOrEqual(low)
  expect(sorted[n - 1]).toBeLessThanOrEqual(high)
}

/** Fails unless two columns are uncorrelated. */
export function expectIndependent(states: readonly number[][], a: number, b: number): void {
  const mean = (f: (state: number[]) => number) => states.reduce((sum, state) => sum + f(state), 0) / states.length
  const [meanA, meanB] = [mean((s) => s[a]), mean((s) => s[b])]
  const spread = (k: number, m: number) => Math.sqrt(mean((s) => (s[k] - m) ** 2))
  const correlation = mean((s) => (s[a] - meanA) * (s[b] - meanB)) / (spread(a, meanA) * spread(b, meanB))
  expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(states.length))
}
