import { describe, expect, test } from '@jest/globals'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { type SvpgState, svpg } from '../../../src/algorithms/svpg/svpg.ts'
import type { EnvironmentSpec } from '../../../src/envs/contract.ts'
import { box } from '../../../src/envs/spaces.ts'

const STEPS = 10

/**
 * A walk of ten steps on a line: each adds the action, of which at most ± 1 counts. Every episode has the same length,
 * so that nothing is gained by making it longer or shorter; one that gets further than `goal` is paid 1 at its end.
 */
const walk = (goal: number): EnvironmentSpec => ({
  id: 'walk',
  observationSpace: box([-1, 0], [1, 1]),
  actionSpace: box([-1], [1]),
  maxEpisodeSteps: STEPS,
  create: () => {
    const state = { x: 0, t: 0 }
    const show = () => Float32Array.of(state.x / STEPS, state.t / STEPS)
    return {
      reset() {
        Object.assign(state, { x: 0, t: 0 })
        return { obs: show(), info: {} }
      },
      step(action) {
        state.x += (action as Float32Array)[0]
        state.t++
        const reward = state.t === STEPS && state.x > goal ? 1 : 0
        return { obs: show(), reward, terminated: false, truncated: false, info: {} }
      },
    }
  },
})

/** Mean returns of the last five iterations, over particles, and the state. */
async function trained(options: SvpgOptions, iterations: number) {
  const base = { hidden: [16], criticHidden: [16], temperature: 1, environments: 10, steps: 50 }
  const state = await svpg.init({ ...base, ...options, iterations })
  const returns: number[] = []
  for (let t = 0; t < iterations; t++) {
    const { particles } = await svpg.step(state)
    returns.push(particles.reduce((sum, { meanReturn }) => sum + (meanReturn ?? 0), 0) / particles.length)
  }
  return { state, last: returns.slice(-5).reduce((sum, x) => sum + x, 0) / 5 }
}

// Before any other, so that nothing else has started tfjs in this thread.
test('a kernel on behaviour works where workers evaluate all particles', async () => {
  const options = { kernel: 'js', exploration: 0.5, particles: 2, steps: 32, workers: 2 } as const
  const state = await svpg.init({ env: 'CartPole-v1', ...options })
  try {
    await svpg.step(state)
    const { stein } = await svpg.step(state)
    expect(stein?.kernelOffDiagonal).toBeGreaterThan(0)
  } finally {
    svpg.close(state)
  }
})

describe('self-imitation with all reward on the last step', () => {
  const alone = { particles: 1, interaction: 'independent' } as const

  test('from trajectories keeps a pole up where PPO learns to drop it', async () => {
    const ppo = { ...alone, estimator: 'ppo', learningRate: 3e-3, environments: 8, steps: 128 } as const
    const task = { env: 'CartPole-v1', episodicReward: true }
    const discriminator = { discriminatorHidden: [16], discriminatorSteps: 5, discriminatorLearningRate: 1e-3 }
    const plain = await trained({ ...task, ...ppo }, 15)
    const imitating = await trained({ ...task, ...ppo, selfImitation: 'trajectories', ...discriminator }, 15)
    expect(plain.last).toBeLessThan(20)
    expect(imitating.last).toBeGreaterThan(55)
  })

  test('from transitions learns a walk that pays one time in hundreds', async () => {
    const a2c = { ...alone, env: walk(6.5), estimator: 'a2c', learningRate: 3e-3 } as const
    const plain = await trained(a2c, 20)
    const imitating = await trained({ ...a2c, selfImitation: 'transitions', imitationSteps: 8 }, 20)
    expect(plain.last).toBeLessThan(0.1)
    expect(imitating.last).toBeGreaterThan(0.8)
  })
})

/** The largest difference between two policies of where they are on average, from 0 to 2. */
function spread({ visited }: SvpgState): number {
  const means = visited.map(({ observation }) => {
    const places = observation.filter((_, k) => k % 2 === 0)
    return places.reduce((sum, x) => sum + x, 0) / places.length
  })
  return Math.max(...means) - Math.min(...means)
}

test('the kernel on behaviour drives apart policies that are paid nothing', async () => {
  const unpaid = { env: walk(Infinity), particles: 3, estimator: 'a2c', learningRate: 2e-2, seed: 2 } as const
  const apart = await trained({ ...unpaid, kernel: 'js', exploration: 1 }, 16)
  const alone = await trained({ ...unpaid, interaction: 'independent' }, 16)
  expect(spread(alone.state)).toBeLessThan(0.4)
  expect(spread(apart.state)).toBeGreaterThan(0.6)
})
