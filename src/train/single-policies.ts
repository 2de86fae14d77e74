import type { SvpgOptions } from '../algorithms/svpg/settings.ts'
import { UsageError } from '../core/errors.ts'

/** Algorithms of one policy by the names that they have elsewhere: each is an estimator of svpg without a kernel. */
export const singlePolicyNames = ['ppo', 'a2c', 'reinforce'] as const
/** The name of an algorithm of one policy. */
export type SinglePolicyName = (typeof singlePolicyNames)[number]

/** Settings of svpg that one policy has no use for. */
export const POPULATION_SETTINGS = [
  ...([
    'particles',
    'interaction',
    'estimator',
    'prior',
    'kernel',
    'bandwidth',
    'kernelTemperature',
    'probeStates',
  ] as const),
  ...(['exploration', 'perLayer', 'repulsion', 'evolutionEvery', 'temperature', 'temperatureSchedule'] as const),
  ...(['temperatureFrom', 'temperatureIterations', 'priorMean'] as const),
]

/** Settings of train() for one policy. */
export type SinglePolicyOptions = Omit<SvpgOptions, (typeof POPULATION_SETTINGS)[number]> & {
  readonly algorithm: SinglePolicyName
  /** Default 60. */
  readonly iterations?: number
}

export const isSinglePolicy = (name: unknown): name is SinglePolicyName =>
  (singlePolicyNames as readonly unknown[]).includes(name)

/**
 * The settings of svpg that train one policy by this name: a population of one, no kernel, this estimator.
 *
 * @throws UsageError for a setting of populations
 */
export function asPopulation<T extends object>(given: T | SinglePolicyOptions): T {
  const { algorithm, ...options } = given as SinglePolicyOptions
  if (!isSinglePolicy(algorithm)) return given as T
  const wrong = POPULATION_SETTINGS.find((name) => (options as Record<string, unknown>)[name] !== undefined)
  if (wrong) throw new UsageError(`${algorithm} trains one policy and has no ${wrong}, which is a setting of svpg.`)
  return { algorithm: 'svpg', estimator: algorithm, particles: 1, interaction: 'independent', ...options } as T
}
