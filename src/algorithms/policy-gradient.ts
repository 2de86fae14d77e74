import { createArena, f32, padded } from '../core/arena.ts'
import { RunError } from '../core/errors.ts'
import { type CoreModule, compileCore } from '../core/module.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { policyGradientInto, type WeightedBatch } from '../nn/gradient.ts'
import { valueNetwork } from '../nn/network.ts'
import { type Policy, policyFields, writePolicy } from '../nn/policy.ts'
import { startTfjs, type TfjsOptions } from '../nn/tfjs.ts'
import { advantageFields, weighAdvantages } from '../rl/advantages.ts'
import { batchFields } from '../rl/batch.ts'
import { carriedByCritic, criticFields, startCritic, trainCritic, valuesInto } from '../rl/critic.ts'
import { actionSize, environmentFields, observationSize } from '../rl/environments.ts'
import { type Estimator, passesOf } from '../rl/estimator.ts'
import type { Carried, Evaluator, Job, Outcome, Visited } from '../rl/evaluator.ts'
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
import { minibatchAt, startMinibatches } from '../svgd/minibatch.ts'

/** What an evaluator is made of. All of it can be posted to a worker, but for a task's functions. */
export interface PolicyGradientSetup {
  readonly task: Task
  readonly policy: Policy
  readonly estimator: Estimator
  readonly core?: CoreModule
  readonly tfjs?: TfjsOptions
}

export type PolicyGradient = Awaited<ReturnType<typeof createPolicyGradient>>

/** Room for the rollout, the advantages and the gradient of one particle at a time. */
export async function createPolicyGradient({ task, policy, estimator, core, tfjs }: PolicyGradientSetup) {
  const module = await compileCore(core)
  await startTfjs({ ...tfjs, core: module })
  const { spec, environments: E, steps: T } = task
  const O = observationSize(spec)
  const critic = estimator.baseline === 'value' ? valueNetwork(O, estimator.criticHidden) : null
  const arena = await createArena(module, {
    theta: f32(padded(policy.size)),
    gradient: f32(padded(policy.size)),
    ...policyFields(policy, E),
    ...environmentFields(spec, E),
    ...seedFields(),
    ...batchFields(T, E, O, actionSize(spec)),
    ...advantageFields(T * E, O),
    ...criticFields(critic, T * E),
  })
  writePolicy(arena, policy, arena.view.theta.length)
  writeTask(arena, task)
  return {
    task,
    policy,
    estimator,
    critic,
    arena,
    /** Who rolls out for each particle, and after how many steps: kept because it holds instances in TypeScript. */
    rollers: new Map<number, { readonly roller: Roller; readonly step: number }>(),
    /** The rows of each particle's last rollout, where more than one pass is made over them. */
    batches: new Map<number, { readonly step: number; readonly rows: Required<WeightedBatch> }>(),
  }
}

export const policyGradientEvaluator = async (setup: PolicyGradientSetup): Promise<Evaluator> => {
  const state = await createPolicyGradient(setup)
  return (job) => evaluateParticle(state, job)
}

/**
 * The policy gradient of one particle,
 *
 *     ∇_θ J = mean_b ∇_θ log π_θ(a_b|s_b) A_b            reinforce, a2c
 *     ∇_θ J = mean_b ∇_θ min(ρ_b A_b, clip(ρ_b, 1 ± ε) A_b),   ρ_b = π_θ(a_b|s_b) / π_old(a_b|s_b)            ppo
 *
 * with the advantages A of the estimator. J is a mean per step, as in the SVPG author's code; a temperature divides this
 * J. The first pass rolls out; later ones, at other θ, take minibatches of the same rows. The result depends on the seed and the job,
 * not on who computes it: whoever does not have the rows collects them again.
 *
 * @throws RunError when a reward or the gradient is not finite
 */
export function evaluateParticle(state: PolicyGradient, job: Job): Outcome {
  const { arena, estimator, policy } = state
  const { particle, step, pass } = job
  let collected: Omit<Outcome, 'gradient'> = { carried: null, info: null, visited: null }
  if (pass === 0 || state.batches.get(particle)?.step !== step) {
    const carried = collect(state, job)
    const [episodes] = arena.view.finished
    const meanReturn = episodes ? arena.view.finishedReturn[0] / episodes : null
    if (pass === 0) collected = { carried, info: { entropy: 0, episodes, meanReturn }, visited: visitedRows(state) }
  }
  arena.view.theta.set(job.theta)
  const rows = passesOf(estimator) === 1 ? arena.view : minibatch(state, job)
  const entropy = differentiate(state, particle, rows)
  const gradient = arena.view.gradient.slice(0, policy.size)
  return { ...collected, gradient, info: collected.info && { ...collected.info, entropy } }
}

/** Rolls out with the policy that the job began with, weighs the advantages and trains the critic. */
export function collect(state: PolicyGradient, job: Job): Carried {
  const { task, arena, estimator, critic } = state
  const { particle, step } = job
  const roller = takeUp(state, job)
  rollout(arena, task, roller, step)
  checkRewards(state, particle)
  if (estimator.entropyReward > 0 || estimator.estimator === 'ppo') logProbs(state)
  if (estimator.entropyReward > 0) augmentRewards(state)
  weighAdvantages(arena, task.steps, task.environments, estimator, (out, observations) => {
    if (critic) valuesInto(out, arena, critic, observations)
  })
  if (critic) trainCritic(arena, critic, estimator, derivedSeed(state, Purpose.critic, job))
  state.rollers.set(particle, { roller, step: step + task.steps })
  if (passesOf(estimator) > 1) {
    const { observation, action, weight, logProb } = arena.view
    const rows = { observation: observation.slice(), action: action.slice(), weight: weight.slice() }
    state.batches.set(particle, { step, rows: { ...rows, logProb: logProb.slice(0, weight.length) } })
  }
  return carry(state, roller)
}

/** Rows that are shown to whoever compares behaviours. */
const VISITED = 64

/** Some of the rows, evenly spread over the rollout. */
function visitedRows({ arena: { view }, task }: PolicyGradient): Visited {
  const B = task.steps * task.environments
  const count = Math.min(VISITED, B)
  const rows = Int32Array.from({ length: count }, (_, k) => Math.floor(((k + 0.5) * B) / count))
  const observation = taken(view.observation, rows, view.observation.length / B)
  return { observation, action: taken(view.action, rows, view.action.length / B) }
}

/** What a particle carries away: its environments, its linear values, its critic. */
function carry({ arena }: PolicyGradient, roller: Roller): Carried {
  const { view } = arena
  return {
    ...carryEnvironments(arena, roller),
    ...Object.fromEntries(carriedByCritic.map((name) => [name, view[name].slice()])),
    valueWeights: view.valueWeights.slice(),
  }
}

/** Writes the policy and what the particle carries into the arena. */
export function takeUp({ task, arena, critic, rollers }: PolicyGradient, job: Job): Roller {
  const { particle, step, behaviour, carried } = job
  const { view } = arena
  view.theta.set(behaviour)
  const kept = rollers.get(particle)
  const isCurrent = kept?.step === step
  const roller = isCurrent ? kept.roller : createRoller(task, particle)
  if (carried) {
    resumeEnvironments(arena, carried)
    view.valueWeights.set(carried.valueWeights)
    for (const name of carriedByCritic) view[name].set(carried[name])
    if (!isCurrent) replayEpisodes(arena, task, roller, carried.history)
  } else {
    view.valueWeights.fill(0)
    startCritic(arena, critic, task.seed, particle)
    startEnvironments(arena, task, roller)
  }
  return roller
}

/** The rows of pass p: one of the minibatches of an epoch, in an order that depends on the seed only. */
function minibatch(state: PolicyGradient, job: Job): WeightedBatch {
  const { estimator, batches, arena } = state
  const all = (batches.get(job.particle) as { rows: Required<WeightedBatch> }).rows
  const B = all.weight.length
  const size = Math.max(Math.floor(B / estimator.minibatches), 1)
  const scratch = { at: arena.at.shuffle, view: arena.view.shuffle }
  const seed = derivedSeed(state, Purpose.passes, job)
  const { rows, scale } = minibatchAt(startMinibatches({ rows: B, size }), job.pass, arena.ops, seed, scratch)
  return {
    observation: taken(all.observation, rows, all.observation.length / B),
    action: taken(all.action, rows, all.action.length / B),
    weight: taken(all.weight, rows, 1).map((weight) => weight * scale),
    logProb: taken(all.logProb, rows, 1),
  }
}

function taken(from: Float32Array, rows: Int32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length * width)
  rows.forEach((row, k) => {
    out.set(from.subarray(row * width, (row + 1) * width), k * width)
  })
  return out
}

/** The gradient on some rows; returns the mean entropy. */
export function differentiate(
  { arena, policy, estimator }: PolicyGradient,
  particle: number,
  rows: WeightedBatch,
): number {
  const { ops, at, view } = arena
  const gradient = view.gradient.subarray(0, policy.size)
  const clip = estimator.estimator === 'ppo' ? estimator.clip : null
  const entropy = policyGradientInto(gradient, policy, view.theta, rows, { ...estimator, clip })
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
