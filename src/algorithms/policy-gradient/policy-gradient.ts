import { createArena } from '../../core/arena.ts'
import { RunError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreModule, compileCore } from '../../core/module.ts'
import { Purpose, type Seed } from '../../core/random.ts'
import { cellsOf } from '../../envs/grid.ts'
import { policyGradientInto, type WeightedBatch } from '../../nn/gradient.ts'
import type { ObjectiveOptions } from '../../nn/losses.ts'
import { mlp, valueNetwork } from '../../nn/network.ts'
import { type Policy, policyFields, writePolicy } from '../../nn/policy.ts'
import { stateActionSize } from '../../nn/state-action.ts'
import { startTfjs, type TfjsOptions } from '../../nn/tfjs.ts'
import { minibatchAt, startMinibatches } from '../../optim/minibatch.ts'
import { advantageFields, weighAdvantages } from '../../rl/advantages.ts'
import { batchFields } from '../../rl/batch.ts'
import { actionSize, environmentFields, observationSize } from '../../rl/environments.ts'
import { closeEpisodes, noOpenEpisodes } from '../../rl/episodes.ts'
import { type Estimator, passesOf } from '../../rl/estimator.ts'
import type { Evaluator, Job, Outcome, ParticleState, Visited } from '../../rl/evaluator.ts'
import {
  carryEnvironments,
  closeRoller,
  createRoller,
  type Roller,
  replayEpisodes,
  resumeEnvironments,
  rollout,
  seedFields,
  startEnvironments,
  type Task,
  writeTask,
} from '../../rl/rollout.ts'
import {
  initialiseTrainable,
  loadTrainable,
  outputsInto,
  saveTrainable,
  shuffleFields,
  type Trainable,
  takeRows,
  trainable,
  trainableFields,
  trainCritic,
} from '../../rl/trainable.ts'
import { type Divergence, explorationRewards } from '../svpg/behaviour-kernel.ts'
import { emptyMemory, imitatedRows, LEAST_LOG_PROB, type Memory, remember } from './self-imitation.ts'
import { imitationRewards, keepBest, noTrajectories, type Trajectories } from './trajectory-imitation.ts'

/** What an evaluator is made of. All of it can be posted to a worker, but for a task's functions. */
export interface PolicyGradientSetup {
  readonly task: Task
  readonly policy: Policy
  readonly estimator: Estimator
  /** What the exploration gradient moves away by, where the kernel is on behaviour. */
  readonly divergence?: Divergence
  readonly core?: CoreModule
  readonly tfjs?: TfjsOptions
}

export type PolicyGradient = Awaited<ReturnType<typeof createPolicyGradient>>

/** Room for the rollout, the advantages and the gradient of one particle at a time. */
export async function createPolicyGradient(setup: PolicyGradientSetup) {
  const { task, policy, estimator, divergence, core, tfjs } = setup
  const module = await compileCore(core)
  await startTfjs({ ...tfjs, core: module })
  const { spec, environments: E, steps: T } = task
  const [O, A] = [observationSize(spec), actionSize(spec)]
  const imitates = estimator.selfImitation === 'trajectories'
  const valueNet = valueNetwork(O, estimator.criticHidden)
  const nets = {
    critic: estimator.baseline === 'value' ? valueNet : null,
    /** V of the discriminator's reward, and the discriminator. */
    imitator: imitates ? valueNet : null,
    discriminator: imitates ? mlp([stateActionSize(O, policy.head), ...estimator.discriminatorHidden, 1]) : null,
    /** V of the reward for being where the others are not. */
    explorer: divergence ? valueNet : null,
  }
  const arena = await createArena(module, {
    theta: f32(padded(policy.size)),
    gradient: f32(padded(policy.size)),
    ...policyFields(policy, E),
    ...environmentFields(spec, E),
    ...seedFields(),
    ...batchFields(T, E, O, A),
    ...advantageFields(T * E, O),
    ...trainableFields('critic', nets.critic),
    ...trainableFields('imitator', nets.imitator),
    ...trainableFields('discriminator', nets.discriminator),
    ...trainableFields('explorer', nets.explorer),
    /** [T E] what multiplies log π(a|s) to get away from the others. */
    exploration: f32(divergence ? T * E : 0),
    ...shuffleFields(T * E),
  })
  writePolicy(arena, policy, arena.view.theta.length)
  writeTask(arena, task)
  const side = (name: keyof typeof nets) => {
    const net = nets[name]
    return net ? trainable(arena, name, net) : null
  }
  return {
    task,
    policy,
    estimator,
    /** Null where the kernel is on parameters. */
    divergence: divergence ?? null,
    arena,
    critic: side('critic'),
    imitator: side('imitator'),
    discriminator: side('discriminator'),
    explorer: side('explorer'),
    /** Who rolls out for each particle, and after how many steps: kept because it holds instances in TypeScript. */
    rollers: new Map<number, { readonly roller: Roller; readonly step: number }>(),
    /** The rows of each particle's last rollout, where more than one pass is made over them. */
    batches: new Map<number, { readonly step: number; readonly rows: Rows }>(),
  }
}

/** Rows of a rollout, and what multiplies log π(a|s) to get away from the others; [0] where the kernel is on parameters. */
interface Rows extends Required<WeightedBatch> {
  readonly exploration: Float32Array
}

export const policyGradientEvaluator = async (setup: PolicyGradientSetup): Promise<Evaluator> => {
  const state = await createPolicyGradient(setup)
  return Object.assign((job: Job) => evaluateParticle(state, job), { close: () => closeAll(state) })
}

/** Closes the environments of all particles. */
export function closeAll({ rollers }: PolicyGradient): void {
  for (const { roller } of rollers.values()) closeRoller(roller)
  rollers.clear()
}

/**
 * The policy gradient of one particle,
 *
 *     ∇_θ J = mean_b ∇_θ log π_θ(a_b|s_b) A_b            reinforce, a2c
 *     ∇_θ J = mean_b ∇_θ min(ρ_b A_b, clip(ρ_b, 1 ± ε) A_b),   ρ_b = π_θ(a_b|s_b) / π_old(a_b|s_b)            ppo
 *
 * with the advantages A of the estimator. J is a mean per step, as in the SVPG author's code; a temperature divides this
 * J. The first pass rolls out; later ones, at other θ, take minibatches of the same rows; those after them imitate what is remembered.
 * The result depends on the seed and the job, not on who computes it: whoever does not have the rows collects them again.
 *
 * @throws RunError when a reward or the gradient is not finite
 */
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
  let told: Collected = { carried: null, info: null, visited: null }
  let rows: WeightedBatch | Rows | null
  if (job.pass >= passes) {
    const imitated = imitate(state, job)
    rows = imitated.rows
    told = { ...told, carried: imitated.carried }
  } else {
    if (job.pass === 0 || state.batches.get(job.particle)?.step !== job.step) {
      const collected = collect(state, job)
      if (job.pass === 0) told = collected
    }
    rows = passes === 1 ? arena.view : minibatch(state, job)
  }
  arena.view.theta.set(job.theta)
  const isExploring = job.context !== null && rows !== null && 'exploration' in rows
  const exploration = isExploring ? explorationGradient(state, job.particle, rows as Rows) : null
  const objective = job.pass >= passes ? imitationObjective(estimator) : estimatorObjective(estimator)
  const entropy = rows ? differentiate(state, job.particle, rows, objective) : nothingToLearn(state)
  const gradient = arena.view.gradient.slice(0, policy.size)
  return { ...told, gradient, exploration, info: told.info && { ...told.info, entropy } }
}

function nothingToLearn({ arena }: PolicyGradient): number {
  arena.view.gradient.fill(0)
  return 0
}

type Collected = Omit<Outcome, 'gradient' | 'exploration'>

/** Rolls out with the policy that the job began with, weighs the advantages and trains the networks beside it. */
export function collect(state: PolicyGradient, job: Job): Collected {
  const { task, arena, estimator, critic } = state
  const { view } = arena
  const { particle, step, behaviour } = job
  const roller = takeUp(state, job)
  rollout(arena, task, roller, step)
  checkRewards(state, particle)
  scaleRewards(state)
  const memories = memorise(state, job)
  explore(state, job)
  view.theta.set(behaviour)
  if (estimator.entropyReward > 0 || estimator.estimator === 'ppo') logProbs(state)
  if (estimator.entropyReward > 0) augmentRewards(state)
  weigh(state, estimator, critic)
  train(state, critic, job, Purpose.critic)
  const trajectories = mixImitation(state, job, memories)
  state.rollers.set(particle, { roller, step: step + task.steps })
  if (passesOf(estimator) > 1) {
    const { observation, action, weight, logProb, exploration } = view
    const rows = { observation: observation.slice(), action: action.slice(), weight: weight.slice() }
    state.batches.set(particle, { step, rows: { ...rows, logProb: logProb.slice(), exploration: exploration.slice() } })
  }
  const [episodes] = view.finished
  const meanReturn = episodes ? view.finishedReturn[0] / episodes : null
  return {
    carried: { ...carry(state, roller), ...memories, ...trajectories },
    info: { entropy: 0, episodes, meanReturn, ...cellsVisited(state) },
    visited: visitedRows(state),
  }
}

/** From the rewards in the arena to weights, with the values of a network. */
function weigh({ arena, task }: PolicyGradient, estimator: Estimator, network: Trainable | null): void {
  weighAdvantages(arena, task.steps, task.environments, estimator, (out, observations) => {
    if (network) outputsInto(out, network, observations)
  })
}

/** Trains a network on the targets in the arena. */
function train(state: PolicyGradient, network: Trainable | null, job: Job, purpose: number): void {
  const { arena, estimator } = state
  const { observation, target } = arena.view
  if (network) trainCritic(network, observation, target, estimator, derivedSeed(state, purpose, job), arena)
}

type Memories = Partial<Memory & Trajectories> & ParticleState

/** Takes what is to be remembered from the rollout, for the kind of self-imitation that is on. */
function memorise({ arena, estimator, policy }: PolicyGradient, { carried }: Job): Memories {
  const { selfImitation, imitationCapacity, trajectories } = estimator
  if (selfImitation === 'none') return {}
  const { ended, open } = closeEpisodes(arena, carried ?? noOpenEpisodes())
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

/** Mixes the advantages of the discriminator's rewards into the weights: w ← (1 − μ) w + μ w_D. */
function mixImitation(state: PolicyGradient, job: Job, memories: Memories): Partial<Trajectories> {
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
  train(state, imitator, job, Purpose.imitation)
  // Without a trajectory to imitate, or with rewards that are all the same, the task's own advantages are all there is.
  const share = trajectories.bestReturn.length > 0 ? estimator.imitationShare : 0
  for (let b = 0; b < own.length; b++) view.weight[b] = (1 - share) * own[b] + share * view.weight[b]
  return { bestMoments: trajectories.bestMoments }
}

/**
 * Weighs the rows by the advantages of being where the others are not, where the population tells where that is. One critic
 * values what all neighbours give: rewards add up, and so do their values. Leaves the rewards as they were.
 */
function explore(state: PolicyGradient, job: Job): void {
  const { arena, policy, estimator, divergence, explorer } = state
  if (!job.context || !divergence || !explorer) return
  const { view, ops } = arena
  const own = view.reward.slice()
  const similar = explorationRewards(view.reward, ops, job.particle, job.context, { policy, divergence, visited: view })
  weigh(state, { ...estimator, baseline: 'value' }, explorer)
  train(state, explorer, job, Purpose.exploration)
  for (let row = 0; row < own.length; row++) view.exploration[row] = similar * view.weight[row]
  view.reward.set(own)
}

/** The gradient away from what the others do, on some rows. */
function explorationGradient(
  { arena, policy, estimator }: PolicyGradient,
  particle: number,
  { observation, action, logProb, exploration }: Rows,
): Float32Array {
  const rows = { observation, action, logProb, weight: exploration }
  // The bonus for entropy is none of the others' business.
  differentiate({ arena, policy, estimator: { ...estimator, entropyBonus: 0 } }, particle, rows)
  return arena.view.gradient.slice(0, policy.size)
}

/** Draws past transitions, trains the critic on them, and changes their priorities. */
function imitate(state: PolicyGradient, job: Job): { rows: WeightedBatch | null; carried: ParticleState } {
  const { critic, arena, estimator } = state
  const carried = job.carried as ParticleState
  const network = critic as Trainable
  loadTrainable(network, carried)
  const memory = copied(carried as unknown as Memory)
  const seed = derivedSeed(state, Purpose.imitation, job)
  const rows = imitatedRows(memory, network, estimator, { ...seed, lo: (seed.lo + job.pass) >>> 0 }, arena)
  return { rows, carried: { ...carried, ...memory, ...saveTrainable(network) } }
}

const sidesOf = ({ critic, imitator, discriminator, explorer }: PolicyGradient) =>
  [critic, imitator, discriminator, explorer].filter((side) => side !== null)

/** What the initial weights of the networks beside a policy are drawn for. */
const SIDE_PURPOSES = {
  ...{ critic: Purpose.critic, imitator: Purpose.imitation, discriminator: Purpose.discriminator },
  explorer: Purpose.exploration,
} as const

/** What a particle carries away: its environments, its linear values, its networks. */
function carry(state: PolicyGradient, roller: Roller): ParticleState {
  const { arena } = state
  return {
    ...carryEnvironments(arena, roller),
    ...Object.assign({}, ...sidesOf(state).map(saveTrainable)),
    valueWeights: arena.view.valueWeights.slice(),
  }
}

/** Writes the policy and what the particle carries into the arena. */
export function takeUp(state: PolicyGradient, job: Job): Roller {
  const { task, arena, rollers } = state
  const { particle, step, behaviour, carried } = job
  const { view } = arena
  view.theta.set(behaviour)
  const kept = rollers.get(particle)
  const isCurrent = kept?.step === step
  if (kept && !isCurrent) closeRoller(kept.roller)
  const roller = isCurrent ? kept.roller : createRoller(task, particle)
  // Until its rollout is done it is at no step that anybody asks for.
  rollers.set(particle, { roller, step: -1 })
  if (carried) {
    resumeEnvironments(arena, carried)
    view.valueWeights.set(carried.valueWeights)
    for (const side of sidesOf(state)) loadTrainable(side, carried)
    if (!isCurrent) replayEpisodes(arena, task, roller, carried.history)
  } else {
    view.valueWeights.fill(0)
    for (const side of sidesOf(state))
      initialiseTrainable(side, task.seed, particle, {
        purpose: SIDE_PURPOSES[side.name as keyof typeof SIDE_PURPOSES],
      })
    startEnvironments(arena, task, roller)
  }
  return roller
}

function cellsVisited({ task: { spec }, arena: { view } }: PolicyGradient): { readonly cells?: Int32Array } {
  return spec.grid ? { cells: cellsOf(spec.grid, view.nextObservation, observationSize(spec)) } : {}
}

/** Rows that are shown to whoever compares behaviours. */
const VISITED = 64

/** Of B rows of a rollout at most so many, evenly spread over it. */
export function spreadRows(B: number, most: number): Int32Array {
  const count = Math.min(most, B)
  return Int32Array.from({ length: count }, (_, k) => Math.floor(((k + 0.5) * B) / count))
}

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

/** The rows of pass p: one of the minibatches of an epoch, in an order that depends on the seed only. */
function minibatch(state: PolicyGradient, job: Job): Rows {
  const { estimator, batches, arena } = state
  const all = (batches.get(job.particle) as { rows: Rows }).rows
  const B = all.weight.length
  const size = Math.max(Math.floor(B / estimator.minibatches), 1)
  const scratch = { at: arena.at.shuffle, view: arena.view.shuffle }
  const seed = derivedSeed(state, Purpose.passes, job)
  const { rows, scale } = minibatchAt(startMinibatches({ rows: B, size }), job.pass, arena.ops, seed, scratch)
  const scaled = (weights: Float32Array) => takeRows(weights, rows, 1).map((weight) => weight * scale)
  return {
    observation: takeRows(all.observation, rows, all.observation.length / B),
    action: takeRows(all.action, rows, all.action.length / B),
    weight: scaled(all.weight),
    logProb: takeRows(all.logProb, rows, 1),
    exploration: all.exploration.length > 0 ? scaled(all.exploration) : all.exploration,
  }
}

const estimatorObjective = ({ estimator, entropyBonus, clip }: Estimator): ObjectiveOptions => ({
  ...{ entropyBonus, floor: null },
  clip: estimator === 'ppo' ? clip : null,
})

const imitationObjective = ({ entropyBonus }: Estimator): ObjectiveOptions => ({
  ...{ entropyBonus, floor: LEAST_LOG_PROB, clip: null },
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

/** r ← c r: a critic of small outputs has less far to go. The returns that are told are not scaled. */
function scaleRewards({ arena: { view }, estimator: { rewardScale } }: PolicyGradient): void {
  if (rewardScale === 1) return
  for (let row = 0; row < view.reward.length; row++) view.reward[row] *= rewardScale
}

function derivedSeed({ arena, task }: PolicyGradient, purpose: number, { particle, step }: Job): Seed {
  arena.ops.deriveSeed(arena.at.episodeSeed, task.seed.lo, task.seed.hi, purpose, particle, 0, step)
  const [lo, hi] = arena.view.episodeSeed
  return { lo, hi }
}

function checkRewards({ task, arena: { ops, at, view } }: PolicyGradient, particle: number): void {
  const row = ops.firstNonFinite64(at.reward, view.reward.length)
  if (row < 0) return
  throw new RunError(
    `${task.spec.id} gave particle ${particle} the reward ${view.reward[row]}; a reward must be finite.`,
  )
}
