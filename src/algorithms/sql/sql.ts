import { compiledValues } from '../../compile/compiled.ts'
import { createArena } from '../../core/arena.ts'
import { inIteration, UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreSource, compileCore } from '../../core/module.ts'
import { Draw, Purpose, type Seed } from '../../core/random.ts'
import { repeatRows } from '../../core/rows.ts'
import { check, countSchema } from '../../core/schemas.ts'
import { fieldsPart, partsOf } from '../../core/state.ts'
import { startMeans } from '../../core/statistics.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { environmentSpec } from '../../envs/registry.ts'
import { actionSize } from '../../envs/spaces.ts'
import { beginTfjs, kernelSettingsOf, tf, underKernels } from '../../nn/tfjs.ts'
import type { Agents } from '../../rl/agents.ts'
import { episodesOf, interact, loopPart, type OffPolicy, prepare } from '../../rl/off-policy.ts'
import { inverseTemperature, schedulesOverRun } from '../../rl/schedules.ts'
import { type Critics, createCritics, criticFields, criticParts, follow, targetValues } from '../../rl/soft-q.ts'
import { initialiseTrainable, type Trainable, trainable, trainableFields, trainableParts } from '../../rl/trainable.ts'
import { type Metrics, offPolicyMetrics, type Saved, type StateParts, withCheckedStates } from '../algorithm.ts'
import type { SqlClassState } from './classes.ts'
import * as classes from './classes.ts'
import type { SqlInfo } from './info.ts'
import { learnFromValues } from './learning.ts'
import {
  type LatentArena,
  latentFields,
  latentsOf,
  restoreSamplers,
  type SamplerShape,
  type SamplerWithCritics,
  samplerAgents,
  samplerNetworks,
  samplerOutputs,
  samplerStart,
  saveSamplers,
} from './sampler.ts'
import { createSamplerLearning, learnSampler, samplerLogDensity } from './sampler-learning.ts'
import {
  type SqlConfig,
  type SqlOptions,
  savedShape,
  splitOf,
  sqlConfig,
  sqlSettings,
  targetsFollow,
} from './settings.ts'

/** What `sql` is made of. A composition, which has its turn already, calls it without asking for another one. */
export const sqlMembers = {
  settings: sqlSettings,
  config: sqlConfig,
  /** A task with numbered actions gets a state of its own. */
  init: (options: SqlOptions): Promise<SqlState | SqlClassState> =>
    hasClasses(options.env) ? classes.init(options) : init(options),
  /**
   * One iteration in place: `steps` steps of every environment and the gradient steps due. Rejects with a RunError that
   * names it.
   */
  step: (state: SqlState | SqlClassState): Promise<SqlInfo> =>
    inIteration(state.iteration + 1, () => ('policy' in state ? classes.step(state) : step(state))),
  measure: (state: SqlState | SqlClassState, info: SqlInfo): Metrics =>
    'policy' in state ? classes.measure(state, info) : measure(state, info),
  agents: (state: SqlState | SqlClassState): Agents =>
    'policy' in state ? classes.agents(state) : samplerAgents(state.core, state.spec, [samplerOf(state)]),
  save: (state: SqlState | SqlClassState): Saved =>
    'policy' in state ? classes.save(state) : saveSamplers([samplerOf(state)]),
  async restore(saved: Saved, spec: EnvironmentSpec, source?: CoreSource): Promise<Agents> {
    if (hasClasses(spec)) return classes.restore(saved, spec, source)
    const core = await compileCore(source)
    await beginTfjs()
    return underKernels(await kernelSettingsOf({}, core), () =>
      samplerAgents(core, spec, restoreSamplers(saved, check(savedShape, saved.shape), spec)),
    )
  },
  parts: (state: SqlState | SqlClassState): StateParts => ('policy' in state ? classes.parts(state) : parts(state)),
  followsIterations,
  /** Closes the environments. */
  close: ({ loop }: SqlState | SqlClassState) => loop.envs.close(),
}

/**
 * Soft Q-learning: Q networks learn the soft Bellman equation from replayed transitions, and a sampler a = tanh f(s, ξ)
 * learns by amortised SVGD to draw from the policy that they define,
 *
 *     Q(s, a) = r + γ E V(s')      V(s) = α log ∫ exp(Q(s, a)/α) da      π(a|s) ∝ exp(Q(s, a)/α)
 *
 * so that a state in which several ways are good keeps all of them. Actions are those before they are scaled to the
 * task's box, in [−1, 1]. Greedily it takes the best under Q of some actions that it draws.
 *
 * Where actions are numbered the policy is known, and there is no sampler: see classes.ts.
 *
 * Source: Haarnoja, Tang, Abbeel & Levine 2017 (arXiv 1702.08165), equations 10 to 14, with the settings of the
 * authors' code.
 */
export const sql = withCheckedStates('sql', sqlMembers)

export const hasSampler = (state: SqlState | SqlClassState): state is SqlState => 'sampler' in state

const hasClasses = (env: string | EnvironmentSpec) => environmentSpec(env).actionSpace.kind === 'discrete'

/** What a run of soft Q-learning over continuous actions holds between two iterations. */
export type SqlState = Awaited<ReturnType<typeof init>>

async function init({ from, ...options }: SqlOptions) {
  const { config, spec, core, seed, actions, loop, learningRateShare } = await prepare('sql', options, sqlConfig)
  const { hidden, activation, batchSize: B, environments: E, critics: qs, candidates, valueParticles } = config
  const latents = config.latents === 'auto' ? actions : config.latents
  const shape: SamplerShape = {
    hidden,
    activation,
    latents,
    qs,
    candidates,
    ...(config.residual && { residual: true }),
  }
  const nets = samplerNetworks(spec, shape)
  refuseProposal(config, latents, actions)
  const arena = await createArena(core, {
    ...trainableFields('sampler', nets.sampler),
    ...criticFields(nets.q, qs),
    ...latentFields(Math.max(E, B * valueParticles), latents),
    uniform: f32(padded(Math.max(E, B, B * valueParticles) * actions)),
  })
  const sampler = trainable(arena, 'sampler', nets.sampler)
  initialiseTrainable(sampler, seed, 0, samplerStart(shape))
  const critics = createCritics(arena, nets.q, qs, seed)
  if (from) takeOver(restoreSamplers(from, check(savedShape, from.shape), spec)[0], config, sampler, critics)
  const set = config.latentSet === 'unlimited' ? null : latentSet(arena, config.latentSet, latents, seed)
  const { iterations } = options
  return {
    config,
    spec,
    core,
    arena,
    shape,
    nets,
    sampler,
    critics,
    /** [M, L] every ξ there is at first; null without limit. */
    latentSet: set,
    learning: await createSamplerLearning(core, { states: B, ...splitOf(config), width: actions }, latents),
    compiled: {
      act: compiledValues({ name: 'The action of the sampler' }),
      softValues: compiledValues({ name: 'The soft value' }),
    },
    inverseTemperature: inverseTemperature(config, iterations),
    learningRateShare,
    /** Environments and replay. */
    loop: await loop(),
    /** Of the whole run; null where it is not known. */
    iterations: iterations ?? null,
    iteration: 0,
  }
}

function refuseProposal({ proposalFrom, latentSet }: SqlConfig, latents: number, actions: number): void {
  if (proposalFrom === 'never') return
  if (latents !== actions)
    throw new UsageError(`proposalFrom needs as many latents as an action has numbers, ${actions}, got ${latents}.`)
  if (latentSet !== 'unlimited')
    throw new UsageError(`proposalFrom needs latents from a density, got a latentSet of ${latentSet}.`)
}

/** Begins where another run has ended. */
function takeOver(
  { theta, criticThetas, shape }: SamplerWithCritics,
  { residual }: SqlConfig,
  sampler: Trainable,
  critics: Critics,
): void {
  const { q } = critics
  if (criticThetas.length > 1 || criticThetas[0].length !== q.count * q.net.size)
    throw new UsageError(`from must have ${q.count} Q networks of ${q.net.size} parameters.`)
  if ((shape.residual ?? false) !== residual)
    throw new UsageError(`from must have a sampler that is ${residual ? '' : 'not '}residual, as the settings say.`)
  sampler.view.theta.set(theta)
  q.view.theta.set(criticThetas[0])
  follow(critics, 1)
}

/** [M, L] from N(0, I). */
function latentSet({ ops, at, view }: LatentArena, M: number, L: number, { lo, hi }: Seed): Float32Array {
  const out = new Float32Array(M * L)
  for (let m = 0; m < M; m++) {
    ops.fillNormal(at.latent, L, lo, hi, Purpose.latents, 0, m, 0)
    out.set(view.latent.subarray(0, L), m * L)
  }
  return out
}

async function step(state: SqlState): Promise<SqlInfo> {
  const { loop, config, arena } = state
  const temperature = temperatureOf(state)
  const learned = startMeans('qLoss', 'value', 'direction', 'bandwidth')
  for await (const turn of interact(loop, config, arena)) {
    if (turn === 'act') act(state, loop)
    else learned.add(learn(state, loop))
  }
  state.iteration++
  return { ...episodesOf(loop), ...learned.means(), entropy: null, temperature }
}

/** Actions in (−1, 1), drawn from the sampler. */
function act(state: SqlState, { envs, observation, action, seed, steps }: OffPolicy): void {
  const one = samplerOf(state)
  const rows = envs.num
  const xi = latentsOf(state.arena, one, rows, { seed, purpose: Purpose.action, particle: 0, step: steps })
  const [drawn] = state.compiled.act(() => {
    const theta = tf.tensor1d(one.theta.subarray(0, one.sampler.size))
    const states = tf.tensor2d(observation, [rows, observation.length / rows])
    return [tf.tanh(samplerOutputs(one, theta, states, tf.tensor2d(xi, [rows, one.shape.latents])))]
  })
  action.set(drawn)
}

/** The sampler as it is now. */
export function samplerOf(state: SqlState): SamplerWithCritics {
  const { nets, sampler, critics, shape, latentSet, iteration, iterations } = state
  const L = shape.latents
  const M = (latentSet?.length ?? 0) / L
  // Linearly down to a single one in the last iteration: a deterministic policy.
  const left =
    iterations === null || iterations < 2 ? M : Math.max(Math.round(M - ((M - 1) * iteration) / (iterations - 1)), 1)
  const criticThetas = [critics.q.view.theta]
  return {
    ...nets,
    shape,
    criticThetas,
    theta: sampler.view.theta,
    latentSet: latentSet?.subarray(0, left * L) ?? null,
  }
}

/** One gradient step of Q and one of the sampler. */
function learn(state: SqlState, loop: OffPolicy): Record<'qLoss' | 'value' | 'direction' | 'bandwidth', number> {
  const { config, critics, sampler } = state
  const { batch, updates: update, seed } = loop
  const temperature = temperatureOf(state)
  const learned = learnFromValues(state, batch, softValues(state, loop, temperature))
  const rate = (config.samplerLearningRate ?? config.learningRate) * state.learningRateShare(state.iteration)
  const { bandwidth } = config
  const step = { states: batch.observation, temperature, bandwidth, rate, seed, update }
  const moved = learnSampler(state.learning, samplerOf(state), sampler, step)
  if (targetsFollow(config, update)) follow(critics, config.polyak)
  return { ...learned, ...moved }
}

/**
 * V_soft(s') [B] = α log 1/K Σ_k exp(Q̄(s', a_k)/α) / q(a_k|s'), a_k ~ q: uniform in [−1, 1]^A, or the sampler itself.
 * The sum is taken with its largest term out, which neither overflows nor underflows however small α is.
 */
function softValues(state: SqlState, loop: OffPolicy, temperature: number): Float32Array {
  const { config, critics, compiled } = state
  const { batch, updates } = loop
  const K = config.valueParticles
  const B = batch.rows
  const O = batch.nextObservation.length / B
  const states = repeatRows(new Float32Array(B * K * O), batch.nextObservation, O, K)
  const usesPolicy = config.proposalFrom !== 'never' && updates >= config.proposalFrom
  const { action, logDensity } = usesPolicy ? fromPolicy(state, loop, states) : uniformly(state, loop)
  const { log64 } = state.arena.ops
  const [values] = compiled.softValues(() => {
    const actions = tf.tensor2d(action, [B * K, action.length / (B * K)])
    const q = tf.div(targetValues(critics, tf.tensor2d(states, [B * K, O]), actions), temperature)
    const sums = tf.logSumExp(tf.reshape(tf.sub(q, logDensity), [B, K]), 1)
    return [tf.mul(temperature, tf.sub(sums, log64(K)))]
  })
  return values
}

/** Actions [B K, A] and the logarithm of their density. */
interface Proposal {
  readonly action: Float32Array
  /** [B K], or one number for all. */
  readonly logDensity: Float32Array | number
}

function uniformly({ arena, config, spec }: SqlState, { batch, seed, updates }: OffPolicy): Proposal {
  const { ops, at, view } = arena
  const A = actionSize(spec)
  const count = batch.rows * config.valueParticles * A
  ops.fillUniform(at.uniform, count, seed.lo, seed.hi, Purpose.noise, 0, Draw.sql.uniformValue, updates)
  return { action: view.uniform.subarray(0, count).map((x) => 2 * x - 1), logDensity: -A * Math.LN2 }
}

function fromPolicy(state: SqlState, { batch, seed, updates }: OffPolicy, states: Float32Array): Proposal {
  const one = samplerOf(state)
  const L = one.shape.latents
  const rows = batch.rows * state.config.valueParticles
  const draw = { seed, purpose: Purpose.noise, particle: 0, use: Draw.sql.policyValue, step: updates }
  const latents = latentsOf(state.arena, one, rows, draw)
  return tf.tidy(() => {
    const [next, xi] = [tf.tensor2d(states, [rows, states.length / rows]), tf.tensor2d(latents, [rows, L])]
    const theta = tf.tensor1d(one.theta.subarray(0, one.sampler.size))
    const action = tf.tanh(samplerOutputs(one, theta, next, xi)).dataSync() as Float32Array
    return { action, logDensity: samplerLogDensity(one, state.arena.ops.log64, next, xi) }
  })
}

/** α now. */
export const temperatureOf = ({
  inverseTemperature,
  iteration,
  arena,
}: Pick<SqlState, 'inverseTemperature' | 'iteration' | 'arena'>) => 1 / inverseTemperature(iteration, arena.ops)

function parts(state: SqlState): StateParts {
  const [sampler, critics] = [trainableParts(state.sampler), criticParts(state.critics)]
  return {
    population: partsOf({ sampler: sampler.population, critics: critics.population }),
    rest: partsOf({
      ...{ sampler: sampler.rest, critics: critics.rest },
      ...{ loop: loopPart(state.loop), counters: fieldsPart(state, { iteration: countSchema }) },
    }),
  }
}

function followsIterations(config: object): string[] {
  const { latentSet, ...schedule } = config as SqlConfig
  return [...schedulesOverRun(schedule), ...(latentSet === 'unlimited' ? [] : ['latentSet'])]
}

function measure({ sampler, loop }: SqlState, { temperature, bandwidth, qLoss, value, ...rest }: SqlInfo): Metrics {
  const { direction } = rest
  return {
    ...offPolicyMetrics(loop, sampler.view.theta, rest),
    ...{ entropy: [], temperature, bandwidth, qLoss, value, direction },
  }
}
