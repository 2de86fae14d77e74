import { show, UsageError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'

/** Settings of an algorithm that were tried on a task, and how many iterations it takes with them. */
type Preset = Readonly<Record<string, unknown>> & { readonly iterations: number }

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
  },
  sac: {
    'Pendulum-v1': {
      ...{ iterations: 12, steps: 1000, warmup: 1000, hidden: [64, 64], learningRate: 0.001, batchSize: 128 },
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
