import { UsageError } from '../../core/errors.ts'
import { splitSeed } from '../../core/random.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { observationSize } from '../../envs/spaces.ts'
import { isNormalised } from '../../envs/wrappers/rewards.ts'
import { type Policy, policyOf } from '../../nn/policy.ts'
import { headFor } from '../../rl/heads.ts'
import type { Task } from '../../rl/rollout.ts'
import type { SvpgConfig } from './settings.ts'

/** 'joint' gives the data of all particles to one policy. */
export function taskAndPolicy(spec: EnvironmentSpec, config: SvpgConfig): { task: Task; policy: Policy } {
  const { interaction, particles, steps, wholeEpisodes, episodicReward, hidden, activation, seed } = config
  if (episodicReward && isNormalised(spec))
    throw new UsageError(
      'episodicReward pays the return of the task, which normaliseReward() around it does not change: normalise what episodicReward() pays, wrap(task, episodicReward(), normaliseReward()).',
    )
  if (wholeEpisodes && steps < spec.maxEpisodeSteps)
    throw new UsageError(
      `With wholeEpisodes steps must be at least the time limit of ${spec.id}, ${spec.maxEpisodeSteps}, got ${steps}.`,
    )
  const environments = interaction === 'joint' ? config.environments * particles : config.environments
  const head = headFor(spec, config.head)
  return {
    task: { spec, head, environments, steps, wholeEpisodes, episodicReward, seed: splitSeed(seed) },
    policy: policyOf({ observations: observationSize(spec), hidden, activation, head }),
  }
}

/** The centre of a prior, which must have the parameters of the policy. */
export function fitting(mean: Float32Array, { size }: Policy): Float32Array {
  if (mean.length === size) return mean
  throw new UsageError(`priorMean must have the ${size} parameters of the policy, got ${mean.length}.`)
}
