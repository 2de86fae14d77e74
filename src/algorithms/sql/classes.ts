import { compiledValues } from '../../compile/compiled.ts'
import { createArena } from '../../core/arena.ts'
import { show, UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreSource, compileCore } from '../../core/module.ts'
import { countSchema } from '../../core/schemas.ts'
import { fieldsPart, partsOf } from '../../core/state.ts'
import { startMeans } from '../../core/statistics.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { observationSize } from '../../envs/spaces.ts'
import { type Policy, policyFields, policyOf, writePolicy } from '../../nn/policy.ts'
import { tf } from '../../nn/tfjs.ts'
import { type PolicyAgents, policyAgents } from '../../rl/agents.ts'
import { chosenValues, classNetwork, leastClassValues, softMaximum } from '../../rl/class-values.ts'
import { headFor } from '../../rl/heads.ts'
import {
  drawActions,
  episodesOf,
  interact,
  loopPart,
  numberedOrBounded,
  type OffPolicy,
  prepare,
} from '../../rl/off-policy.ts'
import { inverseTemperature } from '../../rl/schedules.ts'
import { createCritics, criticFields, criticParts, follow, matrixOf } from '../../rl/soft-q.ts'
import { type Metrics, offPolicyMetrics, type Saved, type StateParts } from '../algorithm.ts'
import type { SqlInfo } from './info.ts'
import { learnFromValues } from './learning.ts'
import { type SqlConfig, type SqlOptions, samplerDefaults, savedClasses, sqlConfig, targetsFollow } from './settings.ts'

// Soft Q-learning over numbered actions: the policy that Q defines is known, and no sampler is learned,
//
//     Q(s, a) = r + γ (1 − d) V(s')      V(s) = α log Σ_a exp(Q(s, a)/α)      π(a|s) = softmax(Q(s, ·)/α)_a
//
// It is a categorical policy whose network is that of Q with a last layer divided by α, and acts, is evaluated and is
// exported as one. Of a pair of Q networks the smaller value is learned from, and the policy is that of the first.

/** What a run of soft Q-learning over numbered actions holds between two iterations. */
export type SqlClassState = Awaited<ReturnType<typeof init>>

/** @throws UsageError for settings of the sampler, which there is none of */
export async function init({ from, ...options }: SqlOptions) {
  const prepared = await prepare('sql', options, sqlConfig, numberedOrBounded)
  const { config, spec, core, seed, observations, loop, learningRateShare } = prepared
  refuseSampler(config, spec)
  const { hidden, activation, batchSize: B, environments: E, critics: count } = config
  const policy = policyOf({ observations, hidden, activation, head: headFor(spec) })
  const net = classNetwork(observations, policy.head.actions, hidden, activation)
  const arena = await createArena(core, {
    ...criticFields(net, count),
    ...policyFields(policy, E),
    theta: f32(padded(policy.size)),
    current: f32(E, observations),
    action: f32(E, 1),
    uniform: f32(padded(Math.max(E, B))),
  })
  writePolicy(arena, policy, arena.view.theta.length)
  const critics = createCritics(arena, net, count, seed)
  if (from) {
    critics.q.view.theta.set(thetaFrom(from, count, net.size))
    follow(critics, 1)
  }
  return {
    config,
    spec,
    core,
    policy,
    arena,
    critics,
    compiled: { softValues: compiledValues({ name: 'The soft value' }) },
    inverseTemperature: inverseTemperature(config, options.iterations),
    learningRateShare,
    /** Environments and replay. */
    loop: await loop(),
    iteration: 0,
  }
}

/** Refuses settings of the sampler that are not as they are anyway. */
function refuseSampler(config: SqlConfig, { id }: EnvironmentSpec): void {
  for (const [name, value] of Object.entries(samplerDefaults())) {
    const given = config[name as keyof SqlConfig]
    if (given === value) continue
    throw new UsageError(
      `${name} is of a sampler of continuous actions, which ${id} has not: leave it at ${show(value)}, got ${show(given)}.`,
    )
  }
}

function thetaFrom(saved: Saved, count: number, size: number): Float32Array {
  const q = saved.tensors.q?.data
  if (q?.length === count * size) return q
  throw new UsageError(`from must have ${count} Q networks of ${size} parameters, got ${show(q?.length)} numbers.`)
}

/** α now. */
export const temperatureOf = ({ inverseTemperature, iteration, arena }: SqlClassState) =>
  1 / inverseTemperature(iteration, arena.ops)

/** One iteration in place. */
export async function step(state: SqlClassState): Promise<SqlInfo> {
  const { loop, config, arena } = state
  const temperature = temperatureOf(state)
  const learned = startMeans('qLoss', 'value', 'entropy')
  for await (const turn of interact(loop, config, arena)) {
    if (turn === 'act') act(state, loop, temperature)
    else learned.add(learn(state, loop, temperature))
  }
  state.iteration++
  return { ...episodesOf(loop), ...learned.means(), direction: null, bandwidth: null, temperature }
}

/** Numbers drawn from softmax(Q/α). */
function act({ arena, policy, critics }: SqlClassState, loop: OffPolicy, temperature: number): void {
  softmaxInto(arena.view.theta, policy, critics.q.view.theta, temperature)
  drawActions(arena, loop)
}

/** Parameters [size] of the policy whose logits are Q(s, ·)/α: those of Q, of which the last layer is divided by α. */
function softmaxInto(out: Float32Array, { net }: Policy, q: Float32Array, temperature: number): void {
  const { weight } = net.layers[net.layers.length - 1]
  out.set(q.subarray(0, net.size))
  for (let k = weight; k < net.size; k++) out[k] /= temperature
}

/** One gradient step of Q. */
function learn(
  state: SqlClassState,
  loop: OffPolicy,
  temperature: number,
): Record<'qLoss' | 'value' | 'entropy', number> {
  const { config, critics, compiled } = state
  const { batch, updates } = loop
  const [values, entropies] = compiled.softValues(() => {
    const next = matrixOf(batch.nextObservation, batch)
    const q = leastClassValues(critics, 'target', next)
    const logProb = tf.logSoftmax(tf.div(q, temperature)) as tf.Tensor2D
    const entropy = tf.neg(tf.sum(tf.mul(tf.exp(logProb), logProb), 1))
    return [softMaximum(q, temperature), tf.mean(entropy)]
  })
  const learned = learnFromValues(state, batch, values, chosenValues)
  if (targetsFollow(config, updates)) follow(critics, config.polyak)
  return { ...learned, entropy: entropies[0] }
}

/** The policy as it is now. */
export function agents(state: SqlClassState): PolicyAgents {
  const { core, spec, policy, critics } = state
  const theta = new Float32Array(policy.size)
  softmaxInto(theta, policy, critics.q.view.theta, temperatureOf(state))
  return policyAgents(core, spec, { policy, particles: 1, theta })
}

/** The Q networks, for `from` and for restore(). */
export function save(state: SqlClassState): Saved {
  const { config, critics } = state
  const { hidden, activation, critics: count } = config
  const { net, view } = critics.q
  return {
    shape: { hidden, activation, qs: count, temperature: temperatureOf(state) },
    tensors: { q: { shape: [count, net.size], data: view.theta.slice(0, count * net.size) } },
  }
}

/** The policy of what was saved. Throws a UsageError where it does not fit the task. */
export async function restore(saved: Saved, spec: EnvironmentSpec, source?: CoreSource): Promise<PolicyAgents> {
  const { hidden, activation, qs, temperature } = savedClasses(saved.shape)
  const core = await compileCore(source)
  const policy = policyOf({ observations: observationSize(spec), hidden, activation, head: headFor(spec) })
  const theta = new Float32Array(policy.size)
  softmaxInto(theta, policy, thetaFrom(saved, qs, policy.size), temperature)
  return policyAgents(core, spec, { policy, particles: 1, theta })
}

export function parts(state: SqlClassState): StateParts {
  const { critics, loop } = state
  const { population, rest } = criticParts(critics)
  return {
    population,
    rest: partsOf({ critics: rest, loop: loopPart(loop), counters: fieldsPart(state, { iteration: countSchema }) }),
  }
}

export function measure({ critics, loop }: SqlClassState, info: SqlInfo): Metrics {
  const { temperature, qLoss, value, entropy } = info
  return {
    ...offPolicyMetrics(loop, critics.q.view.theta, info),
    ...{ entropy: [entropy ?? 0], temperature, qLoss, value },
  }
}
