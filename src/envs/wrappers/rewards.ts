import { show, UsageError } from '../../core/errors.ts'
import { refuseUnknown } from '../../core/options.ts'
import { check, fraction, oneOf, positiveNumber } from '../../core/schemas.ts'
import type { Environment, EnvironmentSpec, Step } from '../contract.ts'
import { countInto, deviation, type RunningStatistics, runningStatistics, sizeStatistics } from './statistics.ts'
import { around, isOver, type Wrapper, wrapper } from './wrapper.ts'

/** Whether a task pays normalised rewards, whose returns stay those of the task inside. */
export const isNormalised = ({ wrappers = [] }: EnvironmentSpec): boolean => wrappers.includes(NORMALISED)
const NORMALISED = 'normaliseReward()'

/** Rewards times a finite factor, and the returns with them: a task in another unit. */
export function scaleReward(factor: number): Wrapper {
  if (!Number.isFinite(factor)) throw new UsageError(`scaleReward needs a finite number, got ${show(factor)}.`)
  const change = (inner: EnvironmentSpec) => ({
    spec: isNormalised(inner) ? {} : { rewardThreshold: inner.rewardThreshold && inner.rewardThreshold * factor },
    around: (env: Environment) => withReward(env, ({ reward }) => reward * factor),
  })
  return wrapper(`scaleReward(${factor})`, change, 1, { options: { factor } })
}

/**
 * A reward that is rare. With a number, a reward below it becomes 0 and the others stay; with a function, the reward is
 * what it makes of the step and the state that the task shows.
 */
export function sparseReward(rule: number | ((step: Step, state?: ArrayLike<number>) => number)): Wrapper {
  if (typeof rule !== 'function' && !Number.isFinite(rule))
    throw new UsageError(`sparseReward needs a finite number or a function, got ${show(rule)}.`)
  const pay = typeof rule === 'function' ? rule : ({ reward }: Step) => (reward >= rule ? reward : 0)
  const change = (inner: EnvironmentSpec) => ({
    spec: isNormalised(inner) ? {} : { rewardThreshold: undefined },
    around: (env: Environment) => withReward(env, (step) => pay(step, env.state)),
  })
  const options = typeof rule === 'number' ? { rule } : null
  return wrapper(`sparseReward(${typeof rule === 'number' ? rule : ''})`, change, 1, { options })
}

/** Nothing until the last step of an episode, which pays the sum of its rewards. The return is the same. */
export function episodicReward(): Wrapper {
  const change = ({ maxEpisodeSteps }: EnvironmentSpec) => ({
    around(env: Environment) {
      const memory = { elapsed: 0, sum: 0 }
      return around(env, {
        memory,
        reset(options) {
          Object.assign(memory, { elapsed: 0, sum: 0 })
          return env.reset(options)
        },
        step(action) {
          const step = env.step(action)
          memory.sum += step.reward
          memory.elapsed++
          return { ...step, reward: isOver(step, memory.elapsed, maxEpisodeSteps) ? memory.sum : 0 }
        },
      })
    },
  })
  return wrapper('episodicReward()', change, 1, { options: {} })
}

const rewardRules = ['gymnasium', 'gymnasium-same-step', 'stable-baselines3'] as const
/** Whose rule normalises rewards. */
export type RewardRule = (typeof rewardRules)[number]

/** How rewards are normalised. */
export interface NormaliseRewardOptions {
  /** Whose numbers, see below; default 'gymnasium'. */
  rule?: RewardRule
  /** Of the discounted returns; default: none yet. Keep the record to save it with a policy. */
  statistics?: RunningStatistics
  /** γ of the returns, from 0 to 1; default 0.99. */
  discount?: number
  /**
   * What a normalised reward is clipped to, on both sides of 0; null is not at all. Default: null, but 10 for
   * 'stable-baselines3'.
   */
  clip?: number | null
  /** Added to the variance; default 1e-8. */
  epsilon?: number
}

/**
 * Rewards divided by the deviation of the discounted returns so far, r / √(Var[R] + ε). The mean is not subtracted, so
 * that signs stay. The statistics begin with mean 0 and variance 1 of weight 1e-4.
 *
 * They are what is learned from. Returns stay those of the task inside, of wrappers around this one too: in training,
 * evaluation and play, as where RecordEpisodeStatistics or Monitor stands inside; so does the threshold.
 *
 * - 'gymnasium' is NormalizeReward of Gymnasium 1.4.0 around one environment: Rₜ = γ (1 − terminatedₜ) Rₜ₋₁ + rₜ. A
 *   reset does not zero R: the last reward of an episode counts on in the next one, and the whole R where a limit cut
 *   it.
 * - 'gymnasium-same-step' is its wrapper of vectors in mode SAME_STEP, with one environment: the same, but 0 after
 *   every end.
 * - 'stable-baselines3' is VecNormalize of stable-baselines3 2.9.2 with one environment: Rₜ = γ Rₜ₋₁ + rₜ, 0 after
 *   every end, rewards clipped and rounded to float32.
 */
export function normaliseReward(options: NormaliseRewardOptions = {}): Wrapper {
  refuseUnknown('normaliseReward', options, ['rule', 'statistics', 'discount', 'clip', 'epsilon'])
  const { statistics = runningStatistics(), discount = 0.99, epsilon = 1e-8 } = options
  const rule = check(oneOf('rule', rewardRules), options.rule ?? 'gymnasium')
  const isStable = rule === 'stable-baselines3'
  const clip = options.clip === undefined && isStable ? 10 : (options.clip ?? null)
  check(fraction('discount'), discount)
  if (clip !== null) check(positiveNumber('clip'), clip)
  check(positiveNumber('epsilon'), epsilon)
  const bound = clip ?? Infinity
  const change = () => {
    sizeStatistics(statistics, 1)
    return {
      around(env: Environment) {
        const memory = { discounted: 0 }
        return around(env, {
          memory,
          reset(options) {
            if (rule !== 'gymnasium') memory.discounted = 0
            return env.reset(options)
          },
          step(action) {
            const step = env.step(action)
            const kept = step.terminated && !isStable ? 0 : discount
            memory.discounted = kept * memory.discounted + step.reward
            countInto(statistics, [memory.discounted])
            const scaled = step.reward / deviation(statistics, 0, epsilon)
            const reward = Math.min(Math.max(scaled, -bound), bound)
            const taskReward = step.taskReward ?? step.reward
            return { ...step, reward: isStable ? Math.fround(reward) : reward, taskReward }
          },
        })
      },
    }
  }
  return wrapper(NORMALISED, change, 1, { options: { rule, discount, clip, epsilon }, state: statistics })
}

const withReward = (env: Environment, reward: (step: Step) => number): Environment =>
  around(env, {
    reset: (options) => env.reset(options),
    step(action) {
      const step = env.step(action)
      return { ...step, reward: reward(step) }
    },
  })
