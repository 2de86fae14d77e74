import type { WeightedBatch } from '../../compile/policy-gradient.ts'
import { createArena } from '../../core/arena.ts'
import { closeAll } from '../../core/disposable.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreModule, compileCore } from '../../core/module.ts'
import { Purpose, type Seed } from '../../core/random.ts'
import { actionSize, observationSize } from '../../envs/spaces.ts'
import { outputFloats } from '../../nn/fused.ts'
import { mlp, valueNetwork } from '../../nn/network.ts'
import { type Policy, policyFields, writePolicy } from '../../nn/policy.ts'
import { stateActionSize } from '../../nn/state-action.ts'
import { beginTfjs, type TfjsOptions } from '../../nn/tfjs.ts'
import type { MinibatchState } from '../../optim/minibatch.ts'
import { advantageFields, weighAdvantages } from '../../rl/advantages.ts'
import { type Estimator, passesOf } from '../../rl/estimator.ts'
import type { Job, ParticleState } from '../../rl/evaluator.ts'
import { type CarriedFields, fixed } from '../../rl/particle-states.ts'
import {
  carriedEnvironments,
  carryEnvironments,
  closeRoller,
  createRoller,
  type Roller,
  refuseEnvironments,
  replayEpisodes,
  restartEnvironments,
  resumeEnvironments,
  seedFields,
  startEnvironments,
  type Task,
  writeTask,
} from '../../rl/rollout.ts'
import { batchFields, environmentFields } from '../../rl/rollout-layout.ts'
import {
  carriedTrainable,
  initialiseTrainable,
  loadTrainable,
  outputsInto,
  saveTrainable,
  shuffleFields,
  type Trainable,
  trainable,
  trainableFields,
  trainCritic,
} from '../../rl/trainable.ts'
import type { Divergence } from '../../rl/visitation-density.ts'
import { memoryFields, refuseMemories } from './memory-fields.ts'

// Memory for the evaluation of one particle at a time, and what each particle brings into it and carries away.

/** What an evaluator is made of. All of it can be posted to a worker, but for a task's functions. */
export interface PolicyGradientSetup {
  readonly task: Task
  readonly policy: Policy
  readonly estimator: Estimator
  /** What the exploration gradient moves away by, where the kernel is on behaviour. */
  readonly divergence?: Divergence
  /** Rows of a rollout at which all policies are compared, where the kernel is on their outputs; default 0. */
  readonly probes?: number
  readonly core?: CoreModule
  readonly tfjs?: TfjsOptions
}

export type PolicyGradient = Awaited<ReturnType<typeof createPolicyGradient>>

/** Room for the rollout, the advantages and the gradient of one particle at a time. */
export async function createPolicyGradient(setup: PolicyGradientSetup) {
  const { task, policy, estimator, divergence, probes = 0, core, tfjs } = setup
  const module = await compileCore(core)
  await beginTfjs({ ...tfjs, core: module })
  const { spec, environments: E, steps: T } = task
  const [O, A] = [observationSize(spec), actionSize(spec)]
  const nets = networksOf(setup)
  const arena = await createArena(module, {
    theta: f32(padded(policy.size)),
    gradient: f32(padded(policy.size)),
    ...policyFields(policy, E),
    ...environmentFields(spec, E),
    ...seedFields(),
    ...batchFields(T, E, O, A, keptOutputs(setup)),
    ...advantageFields(T * E, O, estimator.baseline),
    ...trainableFields('critic', nets.critic),
    ...trainableFields('imitator', nets.imitator),
    ...trainableFields('discriminator', nets.discriminator),
    ...trainableFields('explorer', nets.explorer),
    /** [T E] what multiplies log π(a|s) to get away from the others. */
    exploration: f32(divergence ? T * E : 0),
    /** [probes] which rows all policies are compared at. */
    probes: f32(padded(probes)),
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
    probes,
    arena,
    critic: side('critic'),
    imitator: side('imitator'),
    discriminator: side('discriminator'),
    explorer: side('explorer'),
    /** Who rolls out for each particle, and after how many steps: kept because it holds instances in TypeScript. */
    rollers: new Map<number, { readonly roller: Roller; readonly step: number }>(),
    /** The rows of each particle's last rollout, and their order, where more than one pass is made over them. */
    batches: new Map<number, LastRollout>(),
  }
}

/** Outputs of a row that a rollout keeps for the gradient: where it is taken once, at the same θ and from all rows. */
const keptOutputs = ({ task, policy, estimator }: PolicyGradientSetup) =>
  task.spec.core && passesOf(estimator) === 1 ? outputFloats(policy.net) : 0

/** The networks beside a policy. */
function networksOf({ task: { spec }, policy, estimator, divergence }: CarriedBy) {
  const O = observationSize(spec)
  const imitates = estimator.selfImitation === 'trajectories'
  const valueNet = valueNetwork(O, estimator.criticHidden)
  return {
    critic: estimator.baseline === 'value' ? valueNet : null,
    /** V of the discriminator's reward, and the discriminator. */
    imitator: imitates ? valueNet : null,
    discriminator: imitates ? mlp([stateActionSize(O, policy.head), ...estimator.discriminatorHidden, 1]) : null,
    /** V of the reward for being where the others are not. */
    explorer: divergence ? valueNet : null,
  }
}

/**
 * RolloutRows of a rollout, and what multiplies log π(a|s) to get away from the others; [0] where the kernel is on
 * parameters.
 */
export interface RolloutRows extends Required<Omit<WeightedBatch, 'outputs'>> {
  readonly exploration: Float32Array
}

export interface LastRollout {
  readonly step: number
  readonly rows: RolloutRows
  readonly minibatches: MinibatchState
}

/** Writes the policy and what the particle carries into the arena. */
export function takeUp(state: PolicyGradient, job: Job): Roller {
  const { task, arena, rollers } = state
  const { particle, step, behaviour, carried } = job
  const { view } = arena
  view.theta.set(behaviour)
  const kept = rollers.get(particle)
  const isCurrent = kept?.step === step
  if (kept && !isCurrent) retireRoller(rollers, particle)
  const roller = isCurrent ? kept.roller : createRoller(task, particle)
  // Until its rollout is done it is at no step that anybody asks for.
  rollers.set(particle, { roller, step: -1 })
  if (carried) {
    resumeEnvironments(arena, carried)
    view.linearModel.set(carried.linearModel)
    view.valueWeights.set(carried.valueWeights)
    for (const side of sidesOf(state)) loadTrainable(side, carried)
    if (!isCurrent) replayEpisodes(arena, task, roller, carried)
    if (task.wholeEpisodes) restartEnvironments(arena, task, roller)
  } else {
    view.linearModel.fill(0)
    view.valueWeights.fill(0)
    for (const side of sidesOf(state))
      initialiseTrainable(side, task.seed, particle, {
        purpose: SIDE_PURPOSES[side.name as keyof typeof SIDE_PURPOSES],
      })
    startEnvironments(arena, task, roller)
  }
  return roller
}

/** What a particle carries away: its environments, its linear values, its networks. */
export function carry(state: PolicyGradient, roller: Roller): ParticleState {
  const { arena } = state
  return {
    ...carryEnvironments(arena, roller),
    ...Object.assign({}, ...sidesOf(state).map(saveTrainable)),
    linearModel: arena.view.linearModel.slice(),
    valueWeights: arena.view.valueWeights.slice(),
  }
}

/** The fields of that, and of what self-imitation remembers. */
export function carriedFields({ task, policy, estimator, divergence }: CarriedBy): CarriedFields {
  const O = observationSize(task.spec)
  const networks = Object.entries(networksOf({ task, policy, estimator, divergence }))
  const { linearModel, valueWeights } = advantageFields(0, O, estimator.baseline)
  return {
    ...carriedEnvironments(task),
    ...fixed(Object.assign({}, ...networks.map(([name, net]) => net && carriedTrainable(name, net)))),
    ...fixed({ linearModel, valueWeights }),
    ...memoryFields(task, policy, estimator),
  }
}

/** Throws a UsageError where the arrays of a particle do not fit each other. */
export function refuseCarried({ task, estimator }: CarriedBy, state: ParticleState): void {
  refuseEnvironments(task, state)
  refuseMemories(task, state, estimator)
}

type CarriedBy = Pick<PolicyGradientSetup, 'task' | 'policy' | 'estimator' | 'divergence'>

const sidesOf = ({ critic, imitator, discriminator, explorer }: PolicyGradient) =>
  [critic, imitator, discriminator, explorer].filter((side) => side !== null)

/** What the initial weights of the networks beside a policy are drawn for. */
const SIDE_PURPOSES = {
  ...{ critic: Purpose.critic, imitator: Purpose.imitation, discriminator: Purpose.discriminator },
  explorer: Purpose.exploration,
} as const

/** Closes the environments of all particles. */
export function closeRollers({ rollers }: PolicyGradient): void {
  const all = [...rollers.values()].map(({ roller }) => ({ close: () => closeRoller(roller) }))
  rollers.clear()
  closeAll(all)
}

/** Closes those of a particle, if there are any. */
export function retireRoller(rollers: PolicyGradient['rollers'], particle: number): void {
  const kept = rollers.get(particle)
  rollers.delete(particle)
  if (kept) closeRoller(kept.roller)
}

/** From the rewards in the arena to weights, with the values of a network. */
export function weigh({ arena, task }: PolicyGradient, estimator: Estimator, network: Trainable | null): void {
  const predict = (out: Float64Array, observations: Float32Array) => {
    if (network) outputsInto(out, network, observations)
  }
  const limit = task.wholeEpisodes ? task.spec.maxEpisodeSteps : null
  weighAdvantages(arena, task.steps, task.environments, estimator, predict, limit)
}

/** Trains a network on the targets in the arena. */
export function trainOnTargets(state: PolicyGradient, network: Trainable | null, job: Job, purpose: number): void {
  const { arena, estimator } = state
  const { observation, target } = arena.view
  if (network) trainCritic(network, observation, target, estimator, derivedSeed(state, purpose, job), arena)
}

export function derivedSeed({ arena, task }: PolicyGradient, purpose: number, { particle, step }: Job): Seed {
  arena.ops.deriveSeed(arena.at.episodeSeed, task.seed.lo, task.seed.hi, purpose, particle, 0, step)
  const [lo, hi] = arena.view.episodeSeed
  return { lo, hi }
}
