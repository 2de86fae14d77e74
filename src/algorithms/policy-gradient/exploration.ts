import { Purpose } from '../../core/random.ts'
import type { Job } from '../../rl/evaluator.ts'
import { explorationRewards } from '../../rl/visitation-density.ts'
import { type PolicyGradient, trainOnTargets, weigh } from './evaluation-state.ts'

/**
 * Weighs the rows by the advantages of being where the others are not; without a context of the population it does
 * nothing. One critic learns the sum of all neighbours' rewards. Leaves the rewards as they were.
 */
export function explore(state: PolicyGradient, job: Job): void {
  const { arena, policy, estimator, divergence, explorer } = state
  if (!job.context || !divergence || !explorer) return
  const { view, ops } = arena
  const own = view.reward.slice()
  const similar = explorationRewards(view.reward, ops, job.particle, job.context, { policy, divergence, visited: view })
  weigh(state, { ...estimator, baseline: 'value' }, explorer)
  trainOnTargets(state, explorer, job, Purpose.exploration)
  for (let row = 0; row < own.length; row++) view.exploration[row] = similar * view.weight[row]
  view.reward.set(own)
}
