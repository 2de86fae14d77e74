import type { Arena } from '../core/arena.ts'
import { RunError } from '../core/errors.ts'
import { policyGradientInto } from '../nn/gradient.ts'
import type { Network } from '../nn/network.ts'
import { type ReturnsOptions, type returnsFields, weighAdvantages } from '../rl/returns.ts'
import { type RolloutArena, rollout, type Task } from '../rl/rollout.ts'
import type { steinFields } from '../svgd/direction.ts'

export interface ReinforceOptions extends ReturnsOptions {
  /** β in J + β mean H(π(·|s)), a bonus on the loss. */
  readonly entropyBonus: number
}

type Population = RolloutArena & Arena<ReturnType<typeof returnsFields> & ReturnType<typeof steinFields>>

/** What evaluating one particle tells. */
export interface ParticleInfo {
  /** Mean entropy of the policy over the visited states, in nats. */
  readonly entropy: number
}

/**
 * The REINFORCE gradient (Williams 1992) of particle i, from theta to score:
 *
 *     ∇_θ J = mean_b ∇_θ log π_θ(a_b|s_b) A_b,   A_b = return-to-go − baseline
 *
 * J is a mean per step, as in the SVPG author's code; a temperature divides this J. The result depends on the seed, the step, i,
 * theta_i and what particle i carries (its environments and its baseline), not on who computes it.
 *
 * The three stages are exported for those who measure them.
 */
export function evaluateParticle(
  arena: Population,
  task: Task,
  net: Network,
  i: number,
  step: number,
  options: ReinforceOptions,
): ParticleInfo {
  rollout(arena, task, i, i + 1, step)
  checkRewards(arena, task, i)
  weighAdvantages(arena, i, task.steps, task.environments, options)
  return differentiate(arena, task, net, i, options)
}

/** The gradient of particle i on its weighted rows. */
export function differentiate(
  { view, at, ops }: Population,
  task: Task,
  net: Network,
  i: number,
  { entropyBonus }: ReinforceOptions,
): ParticleInfo {
  const B = task.steps * task.environments
  const O = net.widths[0]
  const D = view.theta.length / task.particles
  const score = view.score.subarray(i * D, i * D + net.size)
  const batch = {
    observation: view.observation.subarray(i * B * O, (i + 1) * B * O),
    action: view.action.subarray(i * B, (i + 1) * B),
    weight: view.weight.subarray(i * B, (i + 1) * B),
  }
  const entropy = policyGradientInto(score, net, view.theta.subarray(i * D, (i + 1) * D), batch, entropyBonus)
  if (ops.firstNonFinite(at.score + i * D * 4, D) >= 0) {
    throw new RunError(`The policy gradient of particle ${i} is not finite.`)
  }
  return { entropy }
}

function checkRewards({ ops, at, view }: Population, task: Task, i: number): void {
  const B = task.steps * task.environments
  const row = ops.firstNonFinite64(at.reward + i * B * 8, B)
  if (row >= 0)
    throw new RunError(
      `${task.spec.id} gave particle ${i} the reward ${view.reward[i * B + row]}; a reward must be finite.`,
    )
}
