import type { WeightedBatch } from '../../compile/policy-gradient.ts'
import { Purpose } from '../../core/random.ts'
import type { ObjectiveOptions } from '../../nn/losses.ts'
import { stateActionSize } from '../../nn/state-action.ts'
import type { Estimator } from '../../rl/estimator.ts'
import type { Job, ParticleState } from '../../rl/evaluator.ts'
import type { Roller } from '../../rl/rollout.ts'
import { loadTrainable, saveTrainable, type Trainable } from '../../rl/trainable.ts'
import { closeEpisodes } from '../../rl/whole-episodes.ts'
import { derivedSeed, type PolicyGradient, trainOnTargets, weigh } from './evaluation-state.ts'
import { emptyMemory, imitatedRows, LEAST_LOG_PROB, type Memory, remember } from './self-imitation.ts'
import { imitationRewards, keepBest, noTrajectories, type Trajectories } from './trajectory-imitation.ts'

// Where self-imitation meets the policy gradient: what a rollout leaves in a particle's memory, and what the memory
// gives back.

type Memories = Partial<Memory & Trajectories> & ParticleState

/** Takes what is to be remembered from the rollout, for the kind of self-imitation that is on. */
export function memorise({ arena, estimator, policy }: PolicyGradient, { past }: Roller, { carried }: Job): Memories {
  const { selfImitation, imitationCapacity, trajectories } = estimator
  if (selfImitation === 'none') return {}
  const { ended, open } = closeEpisodes(arena, past, carried)
  const { observations, head } = policy
  if (selfImitation === 'transitions') {
    const A = arena.view.low.length
    const held = carried ? copied(carried as unknown as Memory) : emptyMemory(imitationCapacity, observations, A)
    remember(held, ended, estimator.discount)
    return { ...open, ...held }
  }
  const held = carried ? (carried as unknown as Trajectories) : noTrajectories(stateActionSize(observations, head))
  return { ...open, ...keepBest(held, ended, trajectories) }
}

/** Mixes the advantages of the discriminator's rewards into the weights: w ← (1 − μ) w + μ w_D. */
export function mixImitation(state: PolicyGradient, job: Job, memories: Memories): Partial<Trajectories> {
  const { arena, policy, estimator, discriminator, imitator } = state
  if (!discriminator || !imitator) return {}
  const { view } = arena
  const { observations, head } = policy
  const own = view.weight.slice()
  const rows = { observation: view.observation, action: view.action, observations, head }
  const trajectories = imitationRewards(
    view.reward,
    memories as unknown as Trajectories,
    discriminator,
    rows,
    estimator,
  )
  weigh(state, { ...estimator, baseline: 'value' }, imitator)
  trainOnTargets(state, imitator, job, Purpose.imitation)
  // Without a trajectory to imitate, or with rewards that are all the same, the task's own advantages are all there is.
  const share = trajectories.bestReturn.length > 0 ? estimator.imitationShare : 0
  for (let b = 0; b < own.length; b++) view.weight[b] = (1 - share) * own[b] + share * view.weight[b]
  return { bestMoments: trajectories.bestMoments }
}

/** Draws past transitions, trains the critic on them, and changes their priorities. */
export function imitate(state: PolicyGradient, job: Job): { rows: WeightedBatch | null; carried: ParticleState } {
  const { critic, arena, estimator } = state
  const carried = job.carried as ParticleState
  const network = critic as Trainable
  loadTrainable(network, carried)
  const memory = copied(carried as unknown as Memory)
  const seed = derivedSeed(state, Purpose.imitation, job)
  const rows = imitatedRows(memory, network, estimator, { ...seed, lo: (seed.lo + job.pass) >>> 0 }, arena)
  return { rows, carried: { ...carried, ...memory, ...saveTrainable(network) } }
}

/** A memory that may be changed while the old one stays as it is. */
function copied(memory: Memory): Memory {
  const { memoryObservation, memoryAction, memoryReturn, memoryPriority, memoryCount } = memory
  return {
    memoryObservation: memoryObservation.slice(),
    memoryAction: memoryAction.slice(),
    memoryReturn: memoryReturn.slice(),
    memoryPriority: memoryPriority.slice(),
    memoryCount: memoryCount.slice(),
  }
}

export const imitationObjective = ({ entropyBonus }: Estimator): ObjectiveOptions => ({
  ...{ entropyBonus, floor: LEAST_LOG_PROB, clip: null },
})
