import { refuseUnknown } from '../../core/options.ts'
import { check, oneOf, positiveNumber } from '../../core/schemas.ts'
import type { Environment, EnvironmentSpec } from '../contract.ts'
import { box } from '../spaces.ts'
import { countInto, deviation, type RunningStatistics, runningStatistics, sizeStatistics } from './statistics.ts'
import { around, isOver, type Wrapper, wrapper } from './wrapper.ts'

const observationRules = ['gymnasium', 'stable-baselines3'] as const
/** Whose rule normalises observations. */
export type ObservationRule = (typeof observationRules)[number]

/** How observations are normalised. */
export interface NormaliseObservationOptions {
  /** Whose numbers, see below; default 'gymnasium'. */
  rule?: ObservationRule
  /** Default: none yet. Keep the record to save it with a policy, and give it back for evaluation. */
  statistics?: RunningStatistics
  /**
   * What a normalised number is clipped to, on both sides of 0; null is not at all. Default: null for 'gymnasium', 10
   * for 'stable-baselines3'.
   */
  clip?: number | null
  /** Added to the variance; default 1e-8. */
  epsilon?: number
}

/**
 * Observations of mean 0 and variance 1 so far: (obs − mean) / √(variance + ε). The statistics begin with mean 0 and
 * variance 1 of weight 1e-4.
 *
 *     const statistics = runningStatistics()
 *     const task = await wrap('Pendulum-v1', normaliseObservation({ statistics }))
 *     const forEvaluation = await wrap('Pendulum-v1', normaliseObservation({ statistics: frozen(statistics) }))
 *
 * - 'gymnasium' is NormalizeObservation of Gymnasium 1.4.0: every observation is counted, nothing is clipped, and the
 *   space has no bounds. The statistics of float32 observations are float32, as there; those of a Float64Array are not.
 * - 'stable-baselines3' is VecNormalize of stable-baselines3 2.9.2 with one environment: what an episode shows last is
 *   not counted, and numbers are clipped.
 */
export function normaliseObservation(options: NormaliseObservationOptions = {}): Wrapper {
  refuseUnknown('normaliseObservation', options, ['rule', 'statistics', 'clip', 'epsilon'])
  const { statistics = runningStatistics(), epsilon = 1e-8 } = options
  const rule = check(oneOf('rule', observationRules), options.rule ?? 'gymnasium')
  const clip = options.clip === undefined && rule === 'stable-baselines3' ? 10 : (options.clip ?? null)
  if (clip !== null) check(positiveNumber('clip'), clip)
  check(positiveNumber('epsilon'), epsilon)
  const bound = clip ?? Infinity
  const change = ({ observationSpace: { low }, maxEpisodeSteps }: EnvironmentSpec) => {
    sizeStatistics(statistics, low.length)
    const normalise = (obs: ArrayLike<number>, isLast: boolean) => {
      const round = rule === 'gymnasium' && !(obs instanceof Float64Array) ? Math.fround : undefined
      if (rule === 'gymnasium' || !isLast) countInto(statistics, obs, round)
      return Float32Array.from(obs, (value, k) => {
        const centred = value - statistics.mean[k]
        const scaled = (round?.(centred) ?? centred) / deviation(statistics, k, epsilon, round)
        return Math.min(Math.max(scaled, -bound), bound)
      })
    }
    return {
      // biome-ignore format: a pair
      spec: { observationSpace: box(low.map(() => -bound), low.map(() => bound)), grid: undefined },
      around: (env: Environment) => withObservation(env, normalise, maxEpisodeSteps),
    }
  }
  return wrapper('normaliseObservation()', change, 1, { options: { rule, clip, epsilon }, state: statistics })
}

/** @param change what becomes of an observation, and of the last one of an episode */
function withObservation(
  env: Environment,
  change: (obs: ArrayLike<number>, isLast: boolean) => Float32Array,
  maxEpisodeSteps: number,
): Environment {
  const memory = { elapsed: 0 }
  return around(env, {
    memory,
    reset(options) {
      const result = env.reset(options)
      memory.elapsed = 0
      return { ...result, obs: change(result.obs, false) }
    },
    step(action) {
      const result = env.step(action)
      memory.elapsed++
      return { ...result, obs: change(result.obs, isOver(result, memory.elapsed, maxEpisodeSteps)) }
    },
  })
}
