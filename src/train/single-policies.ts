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

/** By which name of one policy these settings of svpg are those of asPopulation(); null for a population. */
export function singlePolicyOf(config: Readonly<Record<string, unknown>>): SinglePolicyName | null {
  const { algorithm, estimator, particles, interaction } = config
  const isAlone = algorithm === 'svpg' && particles === 1 && interaction === 'independent'
  return isAlone && isSinglePolicy(estimator) ? estimator : null
}

/** The algorithm by the name that `steinrl train` takes with these settings, and those that are left to say. */
export function asTyped({
  algorithm,
  ...settings
}: Readonly<Record<string, unknown>> & { readonly algorithm: string }): {
  readonly algorithm: string
  readonly settings: Readonly<Record<string, unknown>>
} {
  const name = singlePolicyOf({ algorithm, ...settings })
  const { estimator: _, particles: __, interaction: ___, ...rest } = settings
  const isPopulation = POPULATION_SETTINGS.some((each) => each in rest)
  return name === null || isPopulation ? { algorithm, settings } : { algorithm: name, settings: rest }
}
