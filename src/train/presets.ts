import { show, UsageError } from '../core/errors.ts'
import { listed, nearest } from '../core/nearest.ts'
import type { WrapperDescription } from '../envs/description.ts'
import { goalsAt } from '../envs/multigoal.ts'

/** Settings of an algorithm that were tried on a task, and how many iterations it takes with them. */
export type Preset = Readonly<Record<string, unknown>> & {
  readonly iterations: number
  /** Of the task, where it is another one than that of its id. */
  readonly constants?: Readonly<Record<string, number>>
  /** Wrappers around the task, from inside out. */
  readonly wrap?: readonly WrapperDescription[]
}

/** An action lasts four steps: the noise of independent ones cancels out before it leads anywhere. */
const fourTimes = { wrap: [{ name: 'repeatAction', options: { times: 4 } }] } as const

/** Those of PPO on Pendulum-v1, and on MountainCarContinuous-v0, of one policy or of each of several. */
const ppoPendulum = {
  ...{ iterations: 98, environments: 8, steps: 256, learningRate: 0.0006, epochs: 10, minibatches: 8 },
  ...{ lambda: 0.93, discount: 0.98, rewardScale: 0.2 },
}
const ppoMountainCar = {
  ...{ iterations: 30, environments: 8, steps: 256, learningRate: 0.001, epochs: 10, minibatches: 8, lambda: 0.95 },
  ...fourTimes,
}

/** Two goals in one place. */
const right = [
  [5, 0],
  [5, 0],
] as const

/** What those off policy share: an iteration of 1000 steps, the first one at random. */
const offPolicy = { steps: 1000, warmup: 1000, hidden: [64, 64] } as const

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
    'Pendulum-v1': ppoPendulum,
    'MountainCarContinuous-v0': ppoMountainCar,
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
    'Pendulum-v1': {
      ...{ iterations: 800, environments: 16, steps: 50, learningRate: 0.002, criticLearningRate: 0.003 },
      ...{ lambda: 0.9, discount: 0.95, rewardScale: 0.1 },
    },
    'MountainCarContinuous-v0': {
      ...{ iterations: 500, environments: 16, steps: 32, learningRate: 0.001, criticLearningRate: 0.002, lambda: 0.95 },
      ...fourTimes,
    },
  },
  reinforce: {
    'CartPole-v1': { iterations: 97, environments: 32, steps: 64, learningRate: 0.0022, discount: 0.98 },
    'Acrobot-v1': { iterations: 75, environments: 16, steps: 256, learningRate: 0.005, discount: 0.99 },
    'MountainCarContinuous-v0': { iterations: 100, environments: 16, steps: 256, learningRate: 0.005, ...fourTimes },
  },
  svpg: {
    'CartPole-v1': { iterations: 30, particles: 8, environments: 8, steps: 128 },
    'Acrobot-v1': { iterations: 60, particles: 8, environments: 8, steps: 256, learningRate: 0.005 },
    'Pendulum-v1': { particles: 4, estimator: 'ppo', ...ppoPendulum },
    'MountainCarContinuous-v0': { particles: 8, estimator: 'ppo', ...ppoMountainCar },
  },
  sac: {
    'CartPole-v1': {
      ...{ iterations: 60, ...offPolicy, learningRate: 0.001, batchSize: 128 },
      ...{ temperature: 0.5, polyak: 0.01, discount: 0.98 },
    },
    'Acrobot-v1': {
      ...{ iterations: 15, ...offPolicy, learningRate: 0.0005, batchSize: 128 },
      ...{ polyak: 0.01, targetEntropy: 0.3, ...fourTimes },
    },
    'Pendulum-v1': {
      ...{ iterations: 12, ...offPolicy, learningRate: 0.001, batchSize: 128 },
    },
    'MountainCarContinuous-v0': {
      ...{ iterations: 12, ...offPolicy, learningRate: 0.0005, batchSize: 128 },
      ...fourTimes,
    },
  },
  sql: {
    'CartPole-v1': {
      ...{ iterations: 60, ...offPolicy, learningRate: 0.0005, batchSize: 256 },
      ...{ temperature: 0.5, polyak: 0.01, discount: 0.98 },
    },
    'Acrobot-v1': {
      ...{ iterations: 15, ...offPolicy, learningRate: 0.0005, batchSize: 256 },
      ...{ temperature: 0.03, critics: 2, polyak: 0.01, ...fourTimes },
    },
    'Pendulum-v1': {
      ...{ iterations: 24, ...offPolicy, learningRate: 0.001, polyak: 0.005 },
      ...{ temperature: 0.05, rewardScale: 0.1 },
    },
    'MountainCarContinuous-v0': {
      ...{ iterations: 12, ...offPolicy, learningRate: 0.0005, temperature: 0.05, polyak: 0.005 },
      ...fourTimes,
    },
  },
  'sql-compose': {
    // One goal on the right; the components know it and one more each, above or below.
    'MultiGoal-v0': {
      ...{ iterations: 28, componentIterations: 20, steps: 500, warmup: 500, hidden: [64, 64] },
      ...{ learningRate: 0.0003, rewardScale: 0.1, temperature: 1, constants: goalsAt(...right, ...right) },
      components: [goalsAt(...right, [0, 5], [0, 5]), goalsAt(...right, [0, -5], [0, -5])],
    },
  },
  adr: {
    'Pendulum-v1': {
      ...{ iterations: 150, ranges: { mass: [0.5, 2], length: [0.5, 1.5] }, particles: 10, moves: 2, steps: 200 },
      ...{ learningRate: 0.002, criticLearningRate: 0.003, epochs: 5, minibatches: 2, lambda: 0.95, discount: 0.95 },
      rewardScale: 0.1,
    },
  },
  s2ac: {
    'Pendulum-v1': {
      ...{ iterations: 12, ...offPolicy, learningRate: 0.001, batchSize: 64 },
      temperature: 0.2,
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
  throw new UsageError(`There is no preset of ${algorithm} for ${show(task)}; there are ${listed(all, near)}.`)
}
