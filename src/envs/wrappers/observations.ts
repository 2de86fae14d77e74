import { check, positiveNumber } from '../../core/errors.ts'
import type { Environment, EnvironmentSpec } from '../contract.ts'
import { box } from '../spaces.ts'
import { countInto, deviation, type RunningStatistics, runningStatistics, sizeStatistics } from './statistics.ts'
import { around, type Wrapper, wrapper } from './wrapper.ts'

export interface NormaliseObservationOptions {
  /** Default: none yet. Keep the record to save it with a policy, and give it back for evaluation. */
  statistics?: RunningStatistics
  /** What a normalised number is clipped to, on both sides of 0; default 10. */
  clip?: number
  /** Added to the variance; default 1e-8. */
  epsilon?: number
}

/**
 * Observations of mean 0 and variance 1 so far: (obs − mean) / √(variance + ε), clipped.
 *
 *     const statistics = runningStatistics()
 *     const task = await wrap('Pendulum-v1', normaliseObservation({ statistics }))
 *     const forEvaluation = await wrap('Pendulum-v1', normaliseObservation({ statistics: frozen(statistics) }))
 */
export function normaliseObservation(options: NormaliseObservationOptions = {}): Wrapper {
  const { statistics = runningStatistics(), clip = 10, epsilon = 1e-8 } = options
  check(positiveNumber('clip'), clip)
  check(positiveNumber('epsilon'), epsilon)
  const change = ({ observationSpace: { low } }: EnvironmentSpec) => {
    sizeStatistics(statistics, low.length)
    const normalise = (obs: ArrayLike<number>) => {
      countInto(statistics, obs)
      return Float32Array.from(obs, (value, k) => {
        const scaled = (value - statistics.mean[k]) / deviation(statistics, k, epsilon)
        return Math.min(Math.max(scaled, -clip), clip)
      })
    }
    return {
      // biome-ignore format: a pair
      spec: { observationSpace: box(low.map(() => -clip), low.map(() => clip)), grid: undefined },
      around: (env: Environment) => withObservation(env, normalise),
    }
  }
  return wrapper('normaliseObservation()', change, 1, { options: { clip, epsilon }, state: statistics })
}

function withObservation(env: Environment, change: (obs: ArrayLike<number>) => Float32Array): Environment {
  return around(env, {
    reset(options) {
      const result = env.reset(options)
      return { ...result, obs: change(result.obs) }
    },
    step(action) {
      const result = env.step(action)
      return { ...result, obs: change(result.obs) }
    },
  })
}
