import { show, UsageError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { WrapperDescription } from '../envs/description.ts'

/** Settings of an algorithm that were tried on a task, and how many iterations it takes with them. */
export type Preset = Readonly<Record<string, unknown>> & {
  readonly iterations: number
  /** Wrappers around the task, from inside out. */
  readonly wrap?: readonly WrapperDescription[]
}

/** By algorithm, by task; docs/presets.md has what they came to. */
export const presets: Readonly<Record<string, Readonly<Record<string, Preset>>>> = {
  ppo: {
    'CartPole-v1': {
      ...{ iterations: 75, environments: 8, steps: 256, hidden: [64, 64] },
      ...{ learningRate: 0.001, epochs: 10, minibatches: 8, lambda: 0.95, discount: 0.99 },
    },
    'Acrobot-v1': {
      ...{ iterations: 50, environments: 16, steps: 256, hidden: [64, 64] },
      ...{ learningRate: 0.003, epochs: 8, minibatches: 8, lambda: 0.94, discount: 0.99 },
    },
    'LunarLander-v3': {
      // Those of stable-baselines3's zoo, but for the reward scale and the critic's learning rate.
      ...{ iterations: 61, environments: 16, steps: 1024, learningRate: 0.0003, epochs: 4, minibatches: 256 },
      ...{ lambda: 0.98, discount: 0.999, entropyBonus: 0.01, rewardScale: 0.1, criticLearningRate: 0.001 },
    },
    'Pendulum-v1': {
      ...{ iterations: 98, environments: 8, steps: 256, learningRate: 0.0006, epochs: 10, minibatches: 8 },
      ...{ lambda: 0.93, discount: 0.98, rewardScale: 0.2 },
    },
  },
  a2c: {
    'CartPole-v1': {
      ...{ iterations: 390, environments: 32, steps: 16, learningRate: 0.0011, lambda: 0.96 },
      criticLearningRate: 0.0016,
    },
    'Acrobot-v1': {
      ...{ iterations: 585, environments: 16, steps: 32, learningRate: 0.0023, lambda: 0.91 },
      criticLearningRate: 0.0022,
    },
  },
  reinforce: {
    'CartPole-v1': { iterations: 97, environments: 32, steps: 64, learningRate: 0.0022, discount: 0.98 },
  },
  svpg: {
    'MountainCarContinuous-v0': {
      ...{ iterations: 40, particles: 8, environments: 4, steps: 500, estimator: 'ppo', temperature: 1 },
      // Policies that answer to a velocity of 0.07 from the start, each in a way of its own: some of them swing up.
      ...{ gain: 5.5, lastGain: 0.32, initialDeviation: 1.3, learningRate: 0.009, discount: 0.99 },
    },
  },
  sac: {
    'CartPole-v1': {
      ...{ iterations: 40, steps: 1000, warmup: 1000, hidden: [64, 64], learningRate: 0.0005, batchSize: 256 },
      ...{ polyak: 0.01, targetEntropy: 0.1 },
    },
    'Pendulum-v1': {
      ...{ iterations: 12, steps: 1000, warmup: 1000, hidden: [64, 64], learningRate: 0.001, batchSize: 128 },
    },
    'MountainCarContinuous-v0': {
      ...{ iterations: 12, steps: 1000, warmup: 1000, hidden: [64, 64], learningRate: 0.0005, batchSize: 128 },
      // An action that lasts four steps: independent ones cancel out before the car has left the valley.
      wrap: [{ name: 'repeatAction', options: { times: 4 } }],
    },
  },
}

/**
 * The settings that were tried for an algorithm on a task.
 *
 * @throws UsageError that lists the tasks which have some
 */
export function presetFor(algorithm: string, task: string): Preset {
  const known = Object.hasOwn(presets, algorithm) ? presets[algorithm] : {}
  if (Object.hasOwn(known, task)) return known[task]
  const all = Object.entries(presets).flatMap(([name, tasks]) => Object.keys(tasks).map((id) => `${name} ${id}`))
  const near = nearest(`${algorithm} ${task}`, all)
  const hint = near ? `, and the nearest is ${near}` : ''
  throw new UsageError(`There is no preset of ${algorithm} for ${show(task)}; there are ${all.join(', ')}${hint}.`)
}
