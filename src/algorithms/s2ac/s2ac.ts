import { compiledValues } from '../../compile/compiled.ts'
import { createArena } from '../../core/arena.ts'
import { inIteration } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreSource, compileCore } from '../../core/module.ts'
import type { Ops } from '../../core/ops.ts'
import { Draw, Purpose } from '../../core/random.ts'
import { check, countSchema } from '../../core/schemas.ts'
import { fieldsPart, partsOf } from '../../core/state.ts'
import { startMeans } from '../../core/statistics.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { gaussian } from '../../nn/distributions.ts'
import { beginTfjs, kernelSettingsOf, tf, underKernels } from '../../nn/tfjs.ts'
import type { DrawingAgents } from '../../rl/agents.ts'
import { type Episodes, episodesOf, interact, loopPart, type OffPolicy, prepare } from '../../rl/off-policy.ts'
import type { Batch } from '../../rl/replay.ts'
import { inverseTemperature, learningRateNow, schedulesOverRun } from '../../rl/schedules.ts'
import { createCritics, criticFields, criticParts, follow, learnQ, matrixOf, targetValues } from '../../rl/soft-q.ts'
import { descend, initialiseTrainable, trainable, trainableFields, trainableParts } from '../../rl/trainable.ts'
import { type Metrics, offPolicyMetrics, type Saved, type StateParts, withCheckedStates } from '../algorithm.ts'
import { type S2acOptions, s2acConfig, s2acSettings, savedShape } from './settings.ts'
import {
  choose,
  drawParticles,
  type Particles,
  restoreSteinPolicy,
  type SteinPolicy,
  saveSteinPolicy,
  startOf,
  steinAgents,
  steinNetworks,
  steinRoom,
  uniformsOf,
} from './stein-policy.ts'

/**
 * Stein soft actor-critic: the policy is a sampler, K particles of SVGD on the actions of a state, from a learned
 * Gaussian towards π(a|s) ∝ exp(Q(s, a)/α), whose log density is known in closed form. So the maximum-entropy objective
 *
 *     E Σ_t γᵗ ( r_t + α H(π(·|s_t)) )
 *
 * can be learned with policies of several modes: Q_k by steps down ½ (Q_k(s, a) − y)², y = r + γ (1 − d) mean_i [ min_k
 * Q̄_k(s', a_i) − α log π(a_i|s') ].
 *
 * The start learns by maximum likelihood of the particles' ends, that is by KL(π ‖ start), which covers all modes. The
 * paper takes the gradient of its objective through the steps of SVGD, for which second derivatives of Q are needed;
 * its code leaves α out of the score.
 *
 * Source: Messaoud et al. 2024 (arXiv 2405.00987), equations 7 to 11.
 */
export const s2ac = withCheckedStates('s2ac', {
  settings: s2acSettings,
  config: s2acConfig,
  init,
  /**
   * One iteration in place: `steps` steps of every environment and the gradient steps due. Rejects with a RunError that
   * names it.
   */
  step: (state: S2acState): Promise<S2acInfo> =>
    inIteration(state.iteration + 1, async () => {
      const { loop, config, arena } = state
      const temperature = temperatureOf(state)
      const learned = startMeans('qLoss', 'entropy')
      for await (const turn of interact(loop, config, arena)) {
        if (turn === 'act') act(state, loop)
        else learned.add(learn(state, loop))
      }
      state.iteration++
      return { ...episodesOf(loop), ...learned.means(), temperature }
    }),
  measure,
  agents: (state: S2acState): DrawingAgents => steinAgents(state.core, state.spec, policyNow(state)),
  save: (state: S2acState): Saved => saveSteinPolicy(policyNow(state)),
  async restore(saved: Saved, spec: EnvironmentSpec, source?: CoreSource): Promise<DrawingAgents> {
    const core = await compileCore(source)
    await beginTfjs()
    return underKernels(await kernelSettingsOf({}, core), () =>
      steinAgents(core, spec, restoreSteinPolicy(saved, check(savedShape, saved.shape), spec)),
    )
  },
  parts,
  followsIterations: schedulesOverRun,
  /** Closes the environments. */
  close: ({ loop }: S2acState) => loop.envs.close(),
})

/** What a run of Stein soft actor-critic holds between two iterations. */
export type S2acState = Awaited<ReturnType<typeof init>>

async function init(options: S2acOptions) {
  const { config, spec, core, seed, actions, loop, learningRateShare } = await prepare('s2ac', options, s2acConfig)
  const nets = steinNetworks(spec, config)
  const arena = await createArena(core, {
    ...trainableFields('actor', nets.actor),
    ...criticFields(nets.q, config.critics),
    uniform: f32(padded(Math.max(config.environments * actions, config.batchSize))),
  })
  const actor = trainable(arena, 'actor', nets.actor)
  initialiseTrainable(actor, seed, 0, { scheme: 'xavier', purpose: Purpose.weights })
  return {
    config,
    spec,
    core,
    arena,
    nets,
    actor,
    critics: createCritics(arena, nets.q, config.critics, seed),
    /** Memory for the particles of a step of the environments, and of a batch. */
    rooms: { act: steinRoom(), learn: steinRoom() },
    targetValues: compiledValues({ name: 'The value of the next states' }),
    inverseTemperature: inverseTemperature(config, options.iterations),
    learningRateShare,
    /** Environments and replay. */
    loop: await loop(),
    iteration: 0,
  }
}

/** The policy as it is now. */
function policyNow(state: S2acState): SteinPolicy {
  const { nets, actor, critics, config } = state
  const { hidden, activation, particles, svgdSteps, stepSize, stretch, bandwidth, start, selection } = config
  const shape = {
    ...{ hidden, activation, qs: critics.q.count, particles, svgdSteps, stepSize, stretch, bandwidth, selection },
    start,
    temperature: temperatureOf(state),
  }
  return { shape, ...nets, theta: actor.view.theta, criticThetas: [critics.q.view.theta] }
}

/** Actions in (−1, 1): one of the particles of each state. */
function act(state: S2acState, { envs, observation, action, seed, steps }: OffPolicy): void {
  const policy = policyNow(state)
  const draw = { seed, purpose: Purpose.action, particle: 0, step: steps }
  const particles = drawParticles(state.core, state.rooms.act, policy, observation, draw)
  const { noise } = state.rooms.act
  const uniform = uniformsOf(noise as NonNullable<typeof noise>, envs.num, draw)
  action.set(choose(policy, particles, state.config.selection, uniform))
}

/** One gradient step of the Q networks and one of the start. */
function learn(state: S2acState, loop: OffPolicy): Record<'qLoss' | 'entropy', number> {
  const { config, critics, core, rooms } = state
  const { batch, seed, updates } = loop
  // Its arrays are those that learn.
  const policy = policyNow(state)
  const draw = { seed, purpose: Purpose.noise, particle: 0, step: updates }
  const next = drawParticles(core, rooms.learn, policy, batch.nextObservation, { ...draw, use: Draw.stein.next })
  const targets = softTargets(state, loop, next, policy.shape.temperature)
  const qLoss = learnQ(critics, learningRateNow(state), () => ({
    state: matrixOf(batch.observation, batch),
    action: matrixOf(batch.action, batch),
    y: tf.tensor1d(targets),
  }))
  follow(critics, config.polyak)
  if (config.start === 'fixed') return { qLoss, entropy: entropyOf(next) }
  const now = drawParticles(core, rooms.learn, policy, batch.observation, { ...draw, use: Draw.stein.current })
  learnStart(state, batch, now)
  return { qLoss, entropy: entropyOf(now) }
}

/** Mean of −log π over particles. */
const entropyOf = ({ logProb }: Particles) => -logProb.reduce((sum, x) => sum + x, 0) / logProb.length

/**
 * y [B] = r + γ (1 − d) V(s'), where with v_i = min_k Q̄_k(s', a_i) − α log π(a_i|s') of the K particles of s'
 *
 *     V = mean_i v_i                    of a policy that takes any of them
 *     V = α log mean_i exp(v_i/α)       where one is taken by importance
 *
 * The latter is a lower bound of the value of the policy that takes particles with weights ∝ exp(v_i/α), and goes to
 * the soft value α log ∫ exp(Q̄/α) da as K grows, whatever π is. Source: Burda, Grosse & Salakhutdinov 2016
 * (arXiv 1509.00519), equation 8; Cremer, Morris & Duvenaud 2017 (arXiv 1704.02916).
 */
function softTargets(
  { config, critics, targetValues: valuesOf, arena: { ops } }: S2acState,
  { batch }: OffPolicy,
  { states, u, logProb }: Particles,
  temperature: number,
): Float32Array {
  const { particles: K, discount, rewardScale, selection } = config
  const rows = logProb.length
  const [values] = valuesOf(() => {
    const action = tf.tanh(tf.tensor2d(u, [rows, u.length / rows]))
    return [targetValues(critics, tf.tensor2d(states, [rows, states.length / rows]), action)]
  })
  const worth = Float64Array.from(values, (value, i) => value - temperature * logProb[i])
  return Float32Array.from(batch.reward, (reward, b) => {
    const own = worth.subarray(b * K, (b + 1) * K)
    const sum = selection === 'importance' ? K * softMean(own, temperature, ops) : own.reduce((sum, v) => sum + v, 0)
    return rewardScale * reward + (discount * (1 - batch.terminated[b]) * sum) / K
  })
}

/** α log mean_i exp(v_i/α), with the largest taken out. */
function softMean(values: Float64Array, temperature: number, { exp64, log64 }: Pick<Ops, 'exp64' | 'log64'>): number {
  const most = values.reduce((a, b) => Math.max(a, b))
  const sum = values.reduce((sum, v) => sum + exp64((v - most) / temperature), 0)
  return most + temperature * log64(sum / values.length)
}

/** One step up the mean of log N(u; μ(s), σ(s)²) at the particles: the start learns to cover where they end. */
function learnStart(state: S2acState, batch: Batch, { u, logProb }: Particles): void {
  const { actor, config } = state
  const rows = logProb.length
  descend(actor, learningRateNow(state), (theta) => {
    const start = startOf(actor.net, theta, matrixOf(batch.observation, batch), config.particles)
    return tf.neg(tf.mean(gaussian.logProb(start, tf.tensor2d(u, [rows, u.length / rows]))))
  })
}

const temperatureOf = ({ inverseTemperature, iteration, arena }: S2acState) =>
  1 / inverseTemperature(iteration, arena.ops)

/** Results of an iteration; null where there was no gradient step. */
export interface S2acInfo extends Episodes {
  /** Mean of Σ_k ½ (Q_k − y)². */
  readonly qLoss: number | null
  /** Mean of −log π(a|s) over the particles of a batch, with a fixed start of its next states, in nats. */
  readonly entropy: number | null
  /** α in this iteration. */
  readonly temperature: number
}

function parts(state: S2acState): StateParts {
  const [actor, critics] = [trainableParts(state.actor), criticParts(state.critics)]
  return {
    population: partsOf({ actor: actor.population, critics: critics.population }),
    rest: partsOf({
      ...{ actor: actor.rest, critics: critics.rest },
      ...{ loop: loopPart(state.loop), counters: fieldsPart(state, { iteration: countSchema }) },
    }),
  }
}

function measure({ actor, loop }: S2acState, { entropy, temperature, qLoss, ...episodes }: S2acInfo): Metrics {
  return { ...offPolicyMetrics(loop, actor.view.theta, episodes), entropy: [entropy ?? 0], temperature, qLoss }
}
