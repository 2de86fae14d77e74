import { createArena } from '../../core/arena.ts'
import { inIteration } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import type { Ops } from '../../core/ops.ts'
import { Draw, Purpose } from '../../core/random.ts'
import { countSchema } from '../../core/schemas.ts'
import { arraysPart, fieldsPart, partsOf } from '../../core/state.ts'
import { startMeans } from '../../core/statistics.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { sizeOf } from '../../envs/spaces.ts'
import { squashedGaussian } from '../../nn/distributions.ts'
import { forward } from '../../nn/forward.ts'
import { qNetwork } from '../../nn/network.ts'
import { policyFields, policyOf, writePolicy } from '../../nn/policy.ts'
import { tf } from '../../nn/tfjs.ts'
import { adam } from '../../optim/optimizers.ts'
import { type PolicyAgents, policyAgents } from '../../rl/agents.ts'
import { chosenValues, classNetwork } from '../../rl/class-values.ts'
import { headFor } from '../../rl/heads.ts'
import {
  drawActions,
  type Episodes,
  episodesOf,
  interact,
  loopPart,
  numberedOrBounded,
  type OffPolicy,
  prepare,
} from '../../rl/off-policy.ts'
import { learningRateNow, schedulesOverRun } from '../../rl/schedules.ts'
import {
  createCritics,
  criticFields,
  criticParts,
  follow,
  learnQ,
  leastValues,
  matrixOf,
  PAIR,
  targetValues,
} from '../../rl/soft-q.ts'
import { descend, initialiseTrainable, trainable, trainableFields, trainableParts } from '../../rl/trainable.ts'
import { type Metrics, offPolicyMetrics, type StateParts, withCheckedStates } from '../algorithm.ts'
import { classPolicyLoss, classValue } from './classes.ts'
import { type SacOptions, sacConfig, sacSettings } from './settings.ts'

/**
 * Soft actor-critic: a squashed Gaussian policy and a pair of Q networks learn from replayed transitions to maximise
 *
 *     E Σ_t γᵗ ( r_t + α H(π(·|s_t)) )
 *
 * Q_k by steps down ½ (Q_k(s, a) − y)², y = r + γ (1 − d) ( min_k Q̄_k(s', a') − α log π(a'|s') ); the policy by steps
 * up min_k Q_k(s, a) − α log π(a|s) through its sample a = tanh(μ + σ ε); α so that the entropy is `targetEntropy`. A
 * cut episode is no end: d is 1 where the task itself ended.
 *
 * Where actions are numbered the policy is categorical, a Q network has an output for each of them, and what is a mean
 * over samples above is the sum over all actions (classes.ts).
 *
 * Source: Haarnoja et al. 2018 (arXiv 1812.05905), equations 5 to 9 and 18; Christodoulou 2019 (arXiv 1910.07207).
 */
export const sac = withCheckedStates('sac', {
  settings: sacSettings,
  config: sacConfig,
  init,
  /**
   * One iteration in place: `steps` steps of every environment and the gradient steps due. Rejects with a RunError that
   * names it.
   */
  step: (state: SacState): Promise<SacInfo> =>
    inIteration(state.iteration + 1, async () => {
      const { loop, config, arena } = state
      const learned = startMeans('qLoss', 'entropy')
      for await (const turn of interact(loop, config, arena)) {
        if (turn === 'act') drawActions(arena, loop)
        else learned.add(learn(state, loop))
      }
      state.iteration++
      return { ...episodesOf(loop), ...learned.means(), temperature: temperatureOf(state) }
    }),
  measure,
  agents: ({ core, spec, policy, actor }: SacState): PolicyAgents =>
    policyAgents(core, spec, { policy, particles: 1, theta: actor.view.theta }),
  parts,
  followsIterations: schedulesOverRun,
  /** Closes the environments. */
  close: ({ loop }: SacState) => loop.envs.close(),
})

/** What a run of soft actor-critic holds between two iterations. */
export type SacState = Awaited<ReturnType<typeof init>>

async function init(options: SacOptions) {
  const prepared = await prepare('sac', options, sacConfig, numberedOrBounded)
  const { config, spec, core, seed, observations, actions, loop, learningRateShare } = prepared
  const { hidden, activation, environments: E, batchSize: B } = config
  const { actionSpace: space } = spec
  const head = headFor(spec, space.kind === 'discrete' ? 'categorical' : 'squashed-gaussian')
  const policy = policyOf({ observations, hidden, activation, head })
  const net =
    space.kind === 'discrete'
      ? classNetwork(observations, space.n, hidden, activation)
      : qNetwork(observations, actions, hidden, activation)
  const arena = await createArena(core, {
    ...trainableFields('actor', policy.net),
    ...criticFields(net, PAIR),
    ...policyFields(policy, E),
    /** log α and its Adam; only the first of four numbers is used. */
    ...{ theta: f32(4), direction: f32(4), moment1: f32(4), moment2: f32(4) },
    current: f32(E, observations),
    action: f32(E, actions),
    /** Room for random numbers: of a batch, of its sampled actions. */
    uniform: f32(padded(Math.max(E * actions, B))),
    noise: f32(padded(B * actions)),
  })
  const actor = trainable(arena, 'actor', policy.net)
  initialiseTrainable(actor, seed, 0, { scheme: 'xavier', purpose: Purpose.weights })
  const actorArena = { at: { ...arena.at, theta: arena.at.actorTheta }, view: arena.view }
  writePolicy(actorArena, policy, arena.view.actorTheta.length)
  if (config.temperature !== 'auto') arena.view.theta[0] = arena.ops.log64(config.temperature)
  return {
    config,
    spec,
    core,
    policy,
    arena,
    actor,
    critics: createCritics(arena, net, PAIR, seed),
    /** Environments and replay. */
    loop: await loop(),
    targetEntropy: config.targetEntropy === 'auto' ? entropyOf(spec, arena.ops) : config.targetEntropy,
    learningRateShare,
    iteration: 0,
  }
}

/** Share of the largest entropy that a policy over numbered actions keeps. */
const SHARE = 0.5

/** The entropy that a policy of the task keeps where none is set. */
const entropyOf = ({ actionSpace: space }: EnvironmentSpec, { log64 }: Ops): number =>
  space.kind === 'discrete' ? SHARE * log64(space.n) : -sizeOf(space)

const isOverClasses = ({ policy }: Pick<SacState, 'policy'>) => policy.head.name === 'categorical'

/** One gradient step of the Q networks, the policy and the temperature, in this order. */
function learn(state: SacState, loop: OffPolicy): Record<'qLoss' | 'entropy', number> {
  const { config, critics } = state
  const rows = () => {
    const tensors = tensorsOf(loop)
    return { ...tensors, y: softTarget(state, loop, tensors) }
  }
  const qLoss = learnQ(critics, learningRateNow(state), rows, isOverClasses(state) ? chosenValues : undefined)
  const logProb = learnPolicy(state, loop)
  if (config.temperature === 'auto') learnTemperature(state, logProb)
  follow(critics, config.polyak)
  return { qLoss, entropy: -logProb }
}

type BatchTensors = ReturnType<typeof tensorsOf>

function tensorsOf({ batch }: OffPolicy) {
  const { observation, nextObservation, action, reward, terminated } = batch
  return {
    state: matrixOf(observation, batch),
    action: matrixOf(action, batch),
    next: matrixOf(nextObservation, batch),
    reward: tf.tensor1d(reward),
    terminated: tf.tensor1d(terminated),
  }
}

/** y = r + γ (1 − d) ( min_k Q̄_k(s', a') − α log π(a'|s') ), a' ~ π(·|s'). */
function softTarget(state: SacState, loop: OffPolicy, { next, reward, terminated }: BatchTensors): tf.Tensor1D {
  const { actor, critics, config } = state
  const theta = tf.tensor1d(actor.view.theta.subarray(0, actor.net.size))
  const sampled = () => {
    const { action, logProb } = sample(state, loop, theta, next, Draw.sac.next)
    return tf.sub(targetValues(critics, next, action), tf.mul(alphaOf(state), logProb))
  }
  const value = isOverClasses(state) ? classValue(classesOf(state), theta, next) : sampled()
  return tf.add(reward, tf.mul(tf.mul(config.discount, tf.sub(1, terminated)), value)) as tf.Tensor1D
}

/** The policy over numbered actions and its critics. */
const classesOf = (state: SacState) => ({
  net: state.policy.net,
  critics: state.critics,
  temperature: alphaOf(state),
})

/** An action a = tanh u ~ π(·|s) and its log π. */
function sample({ policy, arena }: SacState, loop: OffPolicy, theta: tf.Tensor1D, state: tf.Tensor2D, draw: number) {
  const { ops, at, view } = arena
  const { seed, updates } = loop
  const rows = state.shape[0]
  const A = policy.head.actions
  ops.fillNormal(at.noise, rows * A, seed.lo, seed.hi, Purpose.noise, 0, draw, updates)
  const outputs = forward(policy.net, theta, state)
  return squashedGaussian.sample(
    squashedGaussian.parametersOf(outputs),
    tf.tensor2d(view.noise.subarray(0, rows * A), [rows, A]),
  )
}

/** One step up E[ min_k Q_k(s, a) − α log π(a|s) ], a = tanh(μ + σ ε); returns the mean log π. */
function learnPolicy(state: SacState, loop: OffPolicy): number {
  const { actor, critics } = state
  const [, logProb] = descend(actor, learningRateNow(state), (theta) => {
    const rows = matrixOf(loop.batch.observation, loop.batch)
    if (isOverClasses(state)) return classPolicyLoss(classesOf(state), theta, rows)
    const { action, logProb } = sample(state, loop, theta, rows, Draw.sac.current)
    const loss = tf.mean(tf.sub(tf.mul(alphaOf(state), logProb), leastValues(critics, rows, action)))
    return [loss, tf.mean(logProb)]
  })
  return logProb
}

/** One step of log α down −log α (mean log π + target): α grows where the policy is surer than it is to be. */
function learnTemperature(state: SacState, logProb: number): void {
  const { arena, targetEntropy, loop } = state
  arena.view.direction[0] = logProb + targetEntropy
  adam({ learningRate: learningRateNow(state) }).step(arena, loop.updates + 1)
}

const temperatureOf = ({ arena: { ops, view }, config: { temperature } }: SacState) =>
  temperature === 'auto' ? ops.exp64(view.theta[0]) : temperature

/** α in a loss: as an array where it is learned, which is an input of the plan at once, as no number is. */
const alphaOf = (state: SacState): tf.Tensor | number =>
  state.config.temperature === 'auto' ? tf.tensor1d([temperatureOf(state)]) : temperatureOf(state)

/** Results of an iteration; null where there was no gradient step. */
export interface SacInfo extends Episodes {
  /** Mean of Σ_k ½ (Q_k − y)². */
  readonly qLoss: number | null
  /** Mean of −log π(a|s), in nats. */
  readonly entropy: number | null
  /** α at its end. */
  readonly temperature: number
}

function parts(state: SacState): StateParts {
  const { theta, moment1, moment2 } = state.arena.view
  const [actor, critics] = [trainableParts(state.actor), criticParts(state.critics)]
  return {
    population: partsOf({
      actor: actor.population,
      critics: critics.population,
      logTemperature: arraysPart({ theta }),
    }),
    rest: partsOf({
      ...{ actor: actor.rest, critics: critics.rest, temperature: arraysPart({ moment1, moment2 }) },
      ...{ loop: loopPart(state.loop), counters: fieldsPart(state, { iteration: countSchema }) },
    }),
  }
}

function measure({ actor, loop }: SacState, { entropy, temperature, qLoss, ...episodes }: SacInfo): Metrics {
  return { ...offPolicyMetrics(loop, actor.view.theta, episodes), entropy: [entropy ?? 0], temperature, qLoss }
}
