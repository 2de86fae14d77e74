import { createArena, f32, padded } from '../core/arena.ts'
import { RunError } from '../core/errors.ts'
import { type CoreModule, compileCore } from '../core/module.ts'
import { policyGradientInto } from '../nn/gradient.ts'
import { type Policy, policyFields, writePolicy } from '../nn/policy.ts'
import { startTfjs, type TfjsOptions } from '../nn/tfjs.ts'
import { batchFields } from '../rl/batch.ts'
import { actionSize, environmentFields, observationSize } from '../rl/environments.ts'
import type { Evaluator, Job, Outcome } from '../rl/evaluator.ts'
import { type ReturnsOptions, returnsFields, weighAdvantages } from '../rl/returns.ts'
import {
  carryEnvironments,
  createRoller,
  type Roller,
  replayEpisodes,
  resumeEnvironments,
  rollout,
  seedFields,
  startEnvironments,
  type Task,
  writeTask,
} from '../rl/rollout.ts'

export interface ReinforceOptions extends ReturnsOptions {
  /** β in J + β mean H(π(·|s)), a bonus on the loss. */
  readonly entropyBonus: number
}

/** What an evaluator is made of. All of it can be posted to a worker, but for a task's functions. */
export interface ReinforceSetup {
  readonly task: Task
  readonly policy: Policy
  readonly options: ReinforceOptions
  readonly core?: CoreModule
  readonly tfjs?: TfjsOptions
}

export type Reinforce = Awaited<ReturnType<typeof createReinforce>>

/** Room for the rollout, the returns and the gradient of one particle at a time. */
export async function createReinforce({ task, policy, options, core, tfjs }: ReinforceSetup) {
  const module = await compileCore(core)
  await startTfjs({ ...tfjs, core: module })
  const { spec, environments: E, steps: T } = task
  const O = observationSize(spec)
  const arena = await createArena(module, {
    theta: f32(padded(policy.size)),
    gradient: f32(padded(policy.size)),
    ...policyFields(policy, E),
    ...environmentFields(spec, E),
    ...seedFields(),
    ...batchFields(T, E, O, actionSize(spec)),
    ...returnsFields(T * E, O),
  })
  writePolicy(arena, policy, arena.view.theta.length)
  writeTask(arena, task)
  return {
    task,
    policy,
    options,
    arena,
    /** Who rolls out for each particle, and after how many steps: kept because it holds instances in TypeScript. */
    rollers: new Map<number, { readonly roller: Roller; readonly step: number }>(),
  }
}

/**
 * The REINFORCE gradient (Williams 1992) of one particle:
 *
 *     ∇_θ J = mean_b ∇_θ log π_θ(a_b|s_b) A_b,   A_b = return-to-go − baseline
 *
 * J is a mean per step, as in the SVPG author's code; a temperature divides this J. The result depends on the seed and
 * the job, not on who computes it.
 *
 * @throws RunError when a reward or the gradient is not finite
 */
export function evaluateParticle(state: Reinforce, job: Job): Outcome {
  const { task, arena, options } = state
  const { view } = arena
  const roller = takeUp(state, job)
  rollout(arena, task, roller, job.step)
  checkRewards(state, job.particle)
  weighAdvantages(arena, task.steps, task.environments, options)
  const entropy = differentiate(state, job.particle)
  state.rollers.set(job.particle, { roller, step: job.step + task.steps })
  const [episodes] = view.finished
  return {
    gradient: view.gradient.slice(0, state.policy.size),
    carried: { ...carryEnvironments(arena, roller), valueWeights: view.valueWeights.slice() },
    info: { entropy, episodes, meanReturn: episodes ? view.finishedReturn[0] / episodes : null },
  }
}

export const reinforceEvaluator = async (setup: ReinforceSetup): Promise<Evaluator> => {
  const state = await createReinforce(setup)
  return (job) => evaluateParticle(state, job)
}

/** Writes theta and what the particle carries into the arena. */
export function takeUp({ task, arena, rollers }: Reinforce, { particle, step, theta, carried }: Job): Roller {
  arena.view.theta.set(theta)
  const kept = rollers.get(particle)
  const isCurrent = kept?.step === step
  const roller = isCurrent ? kept.roller : createRoller(task, particle)
  if (carried) {
    resumeEnvironments(arena, carried)
    arena.view.valueWeights.set(carried.valueWeights)
    if (!isCurrent) replayEpisodes(arena, task, roller, carried.history)
  } else {
    arena.view.valueWeights.fill(0)
    startEnvironments(arena, task, roller)
  }
  return roller
}

/** The gradient on the weighted rows; returns the mean entropy. */
export function differentiate({ arena, policy, options }: Reinforce, particle: number): number {
  const { ops, at, view } = arena
  const gradient = view.gradient.subarray(0, policy.size)
  const entropy = policyGradientInto(gradient, policy, view.theta, view, options.entropyBonus)
  if (ops.firstNonFinite(at.gradient, policy.size) >= 0)
    throw new RunError(`The policy gradient of particle ${particle} is not finite.`)
  return entropy
}

function checkRewards({ task, arena: { ops, at, view } }: Reinforce, particle: number): void {
  const row = ops.firstNonFinite64(at.reward, view.reward.length)
  if (row < 0) return
  throw new RunError(
    `${task.spec.id} gave particle ${particle} the reward ${view.reward[row]}; a reward must be finite.`,
  )
}
