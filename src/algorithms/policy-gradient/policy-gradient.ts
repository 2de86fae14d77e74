import { policyGradientInto, type WeightedBatch } from '../../compile/policy-gradient.ts'
import { RunError } from '../../core/errors.ts'
import { Purpose } from '../../core/random.ts'
import { takeRows } from '../../core/rows.ts'
import { cellsOf } from '../../envs/grid.ts'
import { observationSize } from '../../envs/spaces.ts'
import type { ObjectiveOptions } from '../../nn/losses.ts'
import { minibatchAt, startMinibatches } from '../../optim/minibatch.ts'
import { type Estimator, passesOf } from '../../rl/estimator.ts'
import type { Evaluator, Job, Outcome, Visited } from '../../rl/evaluator.ts'
import { rollout } from '../../rl/rollout.ts'
import {
  carry,
  closeRollers,
  createPolicyGradient,
  derivedSeed,
  type LastRollout,
  type PolicyGradient,
  type PolicyGradientSetup,
  type RolloutRows,
  takeUp,
  trainOnTargets,
  weigh,
} from './evaluation-state.ts'
import { explore } from './exploration.ts'
import { imitate, imitationObjective, memorise, mixImitation } from './imitation.ts'
import { probeRows } from './probes.ts'

/**
 * The policy gradient of one particle,
 *
 *     ∇_θ J = mean_b ∇_θ log π_θ(a_b|s_b) A_b            reinforce, a2c
 *     ∇_θ J = mean_b ∇_θ min(ρ_b A_b, clip(ρ_b, 1 ± ε) A_b),   ρ_b = π_θ(a_b|s_b) / π_old(a_b|s_b)            ppo
 *
 * with the advantages A of the estimator. J is a mean per step, as in the SVPG author's code; a temperature divides
 * this J. The first pass rolls out; later ones, at other θ, take minibatches of the same rows; those after them imitate
 * what is remembered. The result depends on the seed and the job, not on who computes it: whoever does not have the
 * rows collects them again.
 *
 * @throws RunError when a reward or the gradient is not finite
 */
export const policyGradientEvaluator = async (setup: PolicyGradientSetup): Promise<Evaluator> => {
  const state = await createPolicyGradient(setup)
  return Object.assign((job: Job) => evaluateParticle(state, job), { close: () => closeRollers(state) })
}

/** As the evaluator, on a state of its own. */
export function evaluateParticle(state: PolicyGradient, job: Job): Outcome {
  try {
    return evaluated(state, job)
  } catch (error) {
    // What a network beside the policy throws knows of no particles.
    const isNamed = error instanceof Error && error.message.includes(`particle ${job.particle}`)
    if (error instanceof RunError && !isNamed) error.message = `Particle ${job.particle}: ${error.message}`
    throw error
  }
}

function evaluated(state: PolicyGradient, job: Job): Outcome {
  const { arena, estimator, policy } = state
  const passes = passesOf(estimator)
  let outcome: Collected = { carried: null, info: null, visited: null }
  let rows: WeightedBatch | RolloutRows | null
  if (job.pass >= passes) {
    const imitated = imitate(state, job)
    rows = imitated.rows
    outcome = { ...outcome, carried: imitated.carried }
  } else {
    if (job.pass === 0 || state.batches.get(job.particle)?.step !== job.step) {
      const collected = collect(state, job)
      if (job.pass === 0) outcome = collected
    }
    rows = passes === 1 ? allRows(state, job) : minibatch(state, job)
  }
  arena.view.theta.set(job.theta)
  const isExploring = job.context !== null && rows !== null && 'exploration' in rows
  const exploration = isExploring ? explorationGradient(state, job.particle, rows as RolloutRows) : null
  const objective = job.pass >= passes ? imitationObjective(estimator) : estimatorObjective(estimator)
  const entropy = rows ? differentiate(state, job.particle, rows, objective) : nothingToLearn(state)
  const gradient = arena.view.gradient.slice(0, policy.size)
  return { ...outcome, gradient, exploration, info: outcome.info && { ...outcome.info, entropy } }
}

type Collected = Omit<Outcome, 'gradient' | 'exploration'>

/** Rolls out with the policy that the job began with, weighs the advantages and trains the networks beside it. */
function collect(state: PolicyGradient, job: Job): Collected {
  const { task, arena, estimator, critic } = state
  const { view } = arena
  const { particle, step, behaviour } = job
  const roller = takeUp(state, job)
  rollout(arena, task, roller, step)
  checkRewards(state, particle)
  scaleRewards(state)
  const memories = memorise(state, roller, job)
  explore(state, job)
  view.theta.set(behaviour)
  if (estimator.entropyReward > 0 || estimator.estimator === 'ppo') logProbs(state)
  if (estimator.entropyReward > 0) augmentRewards(state)
  weigh(state, estimator, critic)
  trainOnTargets(state, critic, job, Purpose.critic)
  const trajectories = mixImitation(state, job, memories)
  state.rollers.set(particle, { roller, step: step + task.steps })
  if (passesOf(estimator) > 1) {
    const { observation, action, weight, logProb, exploration } = view
    const rows = { observation: observation.slice(), action: action.slice(), weight: weight.slice() }
    const size = Math.max(Math.floor(weight.length / estimator.minibatches), 1)
    state.batches.set(particle, {
      ...{ step, minibatches: startMinibatches({ rows: weight.length, size }) },
      rows: { ...rows, logProb: logProb.slice(), exploration: exploration.slice() },
    })
  }
  const [episodes] = view.finished
  const meanReturn = episodes ? view.finishedReturn[0] / episodes : null
  return {
    carried: { ...carry(state, roller), ...memories, ...trajectories },
    info: { entropy: 0, episodes, meanReturn, ...cellsVisited(state) },
    visited: visitedRows(state),
    ...(state.probes > 0 && { probes: probeRows(state.arena, state.probes, { task, particle, step }) }),
  }
}

function checkRewards({ task, arena: { ops, at, view } }: PolicyGradient, particle: number): void {
  const row = ops.firstNonFinite64(at.reward, view.reward.length)
  if (row < 0) return
  throw new RunError(
    `${task.spec.id} gave particle ${particle} the reward ${view.reward[row]}; a reward must be finite.`,
  )
}

/** r ← c r: a critic of small outputs has less far to go. Reported returns are not scaled. */
function scaleRewards({ arena: { view }, estimator: { rewardScale } }: PolicyGradient): void {
  if (rewardScale === 1) return
  for (let row = 0; row < view.reward.length; row++) view.reward[row] *= rewardScale
}

/** log π(a|s) of all rows under the policy in the arena, E rows at a time as the rollout has them. */
function logProbs({ arena, task }: PolicyGradient): void {
  const { ops, at, view } = arena
  const { environments: E, steps: T } = task
  const O = view.observation.length / (T * E)
  const A = view.action.length / (T * E)
  for (let row = 0; row < T * E; row += E)
    ops.policyLogProb(at.policy, 0, at.observation + row * O * 4, E, at.action + row * A * 4, at.logProb + row * 4)
}

/** r ← r − τ log π(a|s): the entropy-augmented reward, whose return counts the entropy of all later states. */
function augmentRewards({ arena: { view }, estimator: { entropyReward } }: PolicyGradient): void {
  for (let row = 0; row < view.reward.length; row++) view.reward[row] -= entropyReward * view.logProb[row]
}

function cellsVisited({ task: { spec }, arena: { view } }: PolicyGradient): { readonly cells?: Int32Array } {
  return spec.grid ? { cells: cellsOf(spec.grid, view.nextObservation, observationSize(spec)) } : {}
}

/** RolloutRows that are shown to whoever compares behaviours. */
const VISITED = 64

/** Some of the rows, evenly spread over the steps of the rollout and taken from its environments in turn. */
function visitedRows({ arena: { view }, task: { environments: E } }: PolicyGradient): Visited {
  const B = view.weight.length
  const count = Math.min(VISITED, B)
  const rows = Int32Array.from({ length: count }, (_, k) => {
    const step = Math.floor(((k + 0.5) * B) / count / E)
    return step * E + (k % E)
  })
  const observation = takeRows(view.observation, rows, view.observation.length / B)
  return { observation, action: takeRows(view.action, rows, view.action.length / B) }
}

/** All rows, with what the rollout has kept of its passes through the network where these were at the same θ. */
function allRows({ arena: { view } }: PolicyGradient, { theta, behaviour }: Job): RolloutRows & WeightedBatch {
  const { observation, action, weight, logProb, exploration, outputs } = view
  const isKnown = outputs.length > 0 && areSame(theta, behaviour)
  return { ...{ observation, action, weight, logProb, exploration }, outputs: isKnown ? outputs : undefined }
}

function areSame(a: Float32Array, b: Float32Array): boolean {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false
  return true
}

/** The rows of pass p: one of the minibatches of an epoch, in an order that depends on the seed only. */
function minibatch(state: PolicyGradient, job: Job): RolloutRows {
  const { batches, arena } = state
  const { rows: all, minibatches } = batches.get(job.particle) as LastRollout
  const B = all.weight.length
  const scratch = { at: arena.at.shuffle, view: arena.view.shuffle }
  const seed = derivedSeed(state, Purpose.passes, job)
  const { rows, scale } = minibatchAt(minibatches, job.pass, arena.ops, seed, scratch)
  const scaled = (weights: Float32Array) => takeRows(weights, rows, 1).map((weight) => weight * scale)
  return {
    observation: takeRows(all.observation, rows, all.observation.length / B),
    action: takeRows(all.action, rows, all.action.length / B),
    weight: scaled(all.weight),
    logProb: takeRows(all.logProb, rows, 1),
    exploration: all.exploration.length > 0 ? scaled(all.exploration) : all.exploration,
  }
}

/** The gradient away from what the others do, on some rows. */
function explorationGradient(
  { arena, policy, estimator }: PolicyGradient,
  particle: number,
  { exploration, ...others }: RolloutRows,
): Float32Array {
  const rows = { ...others, weight: exploration }
  // The bonus for entropy is none of the others' business.
  differentiate({ arena, policy, estimator: { ...estimator, entropyBonus: 0 } }, particle, rows)
  return arena.view.gradient.slice(0, policy.size)
}

export const estimatorObjective = ({ estimator, entropyBonus, clip }: Estimator): ObjectiveOptions => ({
  ...{ entropyBonus, floor: null },
  clip: estimator === 'ppo' ? clip : null,
})

/** The gradient on some rows; returns the mean entropy. */
export function differentiate(
  { arena, policy, estimator }: Pick<PolicyGradient, 'arena' | 'policy' | 'estimator'>,
  particle: number,
  rows: WeightedBatch,
  objective: ObjectiveOptions = estimatorObjective(estimator),
): number {
  const { ops, at, view } = arena
  const gradient = view.gradient.subarray(0, policy.size)
  const entropy = policyGradientInto(gradient, policy, view.theta, rows, objective)
  if (ops.firstNonFinite(at.gradient, policy.size) >= 0)
    throw new RunError(`The policy gradient of particle ${particle} is not finite.`)
  return entropy
}

function nothingToLearn({ arena }: PolicyGradient): number {
  arena.view.gradient.fill(0)
  return 0
}
