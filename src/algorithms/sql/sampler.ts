import { type Arena, createArenaSync } from '../../core/arena.ts'
import { UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import type { CoreModule } from '../../core/module.ts'
import { Purpose } from '../../core/random.ts'
import { joined, repeatRows } from '../../core/rows.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { actionSize, observationSize } from '../../envs/spaces.ts'
import { forward } from '../../nn/forward.ts'
import { type Activation, type Initialisation, type Network, qNetwork, samplerNetwork } from '../../nn/network.ts'
import { asNow, tf } from '../../nn/tfjs.ts'
import { agentsThatDraw, type DrawingAgents, type DrawRequest } from '../../rl/agents.ts'
import { boundInto } from '../../rl/off-policy.ts'
import { fillRows, type RandomDraw, randomRoom } from '../../rl/random-rows.ts'
import { type CriticSets, criticValues } from '../../rl/soft-q.ts'
import type { Saved } from '../algorithm.ts'

// Policies that are samplers: a = tanh f(s, ξ) with ξ ~ N(0, I), and the Q networks that score what they draw.

/** What the arrays of a sampler mean, as plain data. */
export interface SamplerShape {
  readonly hidden: readonly number[]
  readonly activation: Activation
  /** Numbers of ξ. */
  readonly latents: number
  /** Q networks of each component, whose smallest value counts. */
  readonly qs: number
  /** Actions that the greedy one is chosen from. */
  readonly candidates: number
  /** Whether f is ξ + what the network gives; without it no. */
  readonly residual?: boolean
}

/** A sampler and the critics that score its actions. */
export interface SamplerWithCritics extends CriticSets {
  readonly shape: SamplerShape
  readonly sampler: Network
  /** [size] of the sampler */
  readonly theta: Float32Array
  /** [M, L] the only ξ there are; null where they are drawn from N(0, I). */
  readonly latentSet: Float32Array | null
}

/** The networks of a sampler for a task. */
export function samplerNetworks(spec: EnvironmentSpec, { hidden, activation, latents }: SamplerShape) {
  const [O, A] = [observationSize(spec), actionSize(spec)]
  return {
    sampler: samplerNetwork(O, latents, A, hidden, activation),
    q: qNetwork(O, A, hidden, activation),
  }
}

/**
 * u = f(s, ξ) [rows, A] before the squash, of states [rows, O] and latents [rows, L]; differentiable by theta and both.
 * Of latents that a residual sampler adds it takes the first A; where there are fewer, the rest of u has none.
 */
export function samplerOutputs(
  { sampler, shape: { residual } }: Pick<SamplerWithCritics, 'sampler' | 'shape'>,
  theta: tf.Tensor1D,
  state: tf.Tensor2D,
  latent: tf.Tensor2D,
): tf.Tensor2D {
  const u = forward(sampler, theta, tf.concat([state, latent], 1) as tf.Tensor2D)
  if (!residual) return u
  const [rows, A] = u.shape
  const L = latent.shape[1]
  const added =
    L > A ? tf.slice(latent, [0, 0], [rows, A]) : L < A ? tf.concat([latent, tf.zeros([rows, A - L])], 1) : latent
  return tf.add(u, added)
}

/**
 * New weights. A residual sampler begins near u = ξ, which is spread over the actions of every state; another one
 * begins with what random weights make of (s, ξ), often on one side of the box.
 */
export const samplerStart = ({ residual }: SamplerShape): Initialisation => ({
  ...{ scheme: 'xavier', purpose: Purpose.weights },
  lastGain: residual ? 0.1 : 1,
})

/** ξ [rows · times, L]: normal numbers, or rows of the set chosen by uniform ones; a function of the draw. */
export function latentsOf(
  { ops, at, view }: LatentArena,
  { latentSet, shape: { latents: L } }: Pick<SamplerWithCritics, 'latentSet' | 'shape'>,
  rows: number,
  draw: RandomDraw,
  times = 1,
): Float32Array {
  const room = { at: at.latent, view: view.latent }
  const out = fillRows(latentSet ? ops.fillUniform : ops.fillNormal, room, rows, times * L, draw)
  if (!latentSet) return out
  const M = latentSet.length / L
  for (let r = 0; r < rows * times; r++) {
    const m = Math.floor(out[r * L] * M)
    out.set(latentSet.subarray(m * L, (m + 1) * L), r * L)
  }
  return out
}

export const latentFields = (rows: number, latents: number) => ({ latent: f32(padded(randomRoom(rows, latents))) })

export type LatentArena = Arena<ReturnType<typeof latentFields>>

/** Samplers as a population that stays as it is now. */
export function samplerAgents(
  core: CoreModule,
  task: EnvironmentSpec,
  live: readonly SamplerWithCritics[],
  best: number | null = live.length === 1 ? 0 : null,
): DrawingAgents {
  const samplers = live.map((one) => ({
    ...one,
    theta: one.theta.slice(),
    criticThetas: one.criticThetas.map((q) => q.slice()),
  }))
  return agentsThatDraw({
    ...{ task, particles: samplers.length, best, theta: thetaOf(samplers) },
    samplers,
    draw: asNow(drawWith(core, task, samplers)),
    value: asNow(valueWith(samplers)),
  })
}

/** [n, parameters] */
const thetaOf = (samplers: readonly SamplerWithCritics[]) =>
  joined(samplers.map(({ theta, sampler }) => theta.subarray(0, sampler.size)))

/** How samplers act: one draw, or where it is to be greedy the best of several under Q. */
function drawWith(core: CoreModule, spec: EnvironmentSpec, samplers: readonly SamplerWithCritics[]) {
  let arena: LatentArena | null = null
  const roomFor = (rows: number, L: number): LatentArena => {
    // Never smaller than before.
    if (!arena || arena.view.latent.length < randomRoom(rows, L)) arena = createArenaSync(core, latentFields(rows, L))
    return arena
  }
  return (out: Float32Array, request: DrawRequest) => {
    const sampler = samplers[request.particle]
    const { latents: L, candidates } = sampler.shape
    const K = request.greedy ? candidates : 1
    const latent = latentsOf(roomFor(request.rows * K, L), sampler, request.rows, request, K)
    boundInto(out, draw(sampler, request, latent, K), spec)
  }
}

/** What the critics of sampler i say of actions. */
const valueWith =
  (samplers: readonly SamplerWithCritics[]): NonNullable<DrawingAgents['value']> =>
  (i, observation, action) => {
    const O = samplers[i].sampler.widths[0] - samplers[i].shape.latents
    const rows = observation.length / O
    const values = tf.tidy(() =>
      criticValues(samplers[i], tf.tensor2d(observation, [rows, O]), tf.tensor2d(action, [rows, action.length / rows])),
    )
    const out = values.dataSync() as Float32Array
    values.dispose()
    return out
  }

/** [rows, A] in [−1, 1] */
function draw(
  samplerWithCritics: SamplerWithCritics,
  { observation, rows }: DrawRequest,
  latent: Float32Array,
  K: number,
): Float32Array {
  const { sampler, theta, shape } = samplerWithCritics
  const O = observation.length / rows
  const states = repeatRows(new Float32Array(rows * K * O), observation, O, K)
  const [actions, values] = tf.tidy(() => {
    const state = tf.tensor2d(states, [rows * K, O])
    const xi = tf.tensor2d(latent, [rows * K, shape.latents])
    const action = tf.tanh(samplerOutputs(samplerWithCritics, tf.tensor1d(theta.subarray(0, sampler.size)), state, xi))
    return [action, K > 1 ? criticValues(samplerWithCritics, state, action) : tf.zeros([rows])]
  })
  const drawn = actions.dataSync() as Float32Array
  const worth = values.dataSync() as Float32Array
  tf.dispose([actions, values])
  return K > 1 ? bestOf(drawn, worth, K) : drawn
}

/** Of every K actions that with the highest value, the first among equals. */
function bestOf(actions: Float32Array, values: Float32Array, K: number): Float32Array {
  const A = actions.length / values.length
  const rows = values.length / K
  const best = new Float32Array(rows * A)
  for (let row = 0; row < rows; row++) {
    let k = row * K
    for (let other = k + 1; other < (row + 1) * K; other++) if (values[other] > values[k]) k = other
    best.set(actions.subarray(k * A, (k + 1) * A), row * A)
  }
  return best
}

/** Samplers of one shape: theta [n, parameters], and critic-i-c [qs, parameters] of sampler i and component c. */
export function saveSamplers(samplers: readonly SamplerWithCritics[]): Saved {
  const [{ shape, sampler, q }] = samplers
  const criticThetas = samplers.flatMap(({ criticThetas }, i) =>
    criticThetas.map((values, c) => {
      const tensor = { shape: [shape.qs, q.size], data: values.slice(0, shape.qs * q.size) }
      return [`critic-${i}-${c}`, tensor] as const
    }),
  )
  const sets = samplers.flatMap(({ latentSet }, i) => {
    const L = shape.latents
    return latentSet ? [[`latents-${i}`, { shape: [latentSet.length / L, L], data: latentSet }] as const] : []
  })
  return {
    shape,
    tensors: {
      ...Object.fromEntries(sets),
      theta: { shape: [samplers.length, sampler.size], data: thetaOf(samplers) },
      ...Object.fromEntries(criticThetas),
    },
  }
}

/**
 * What saveSamplers() gave, for the task that it is of.
 *
 * @throws UsageError when arrays are missing or do not fit the shape and the task
 */
export function restoreSamplers({ tensors }: Saved, shape: SamplerShape, spec: EnvironmentSpec): SamplerWithCritics[] {
  const { sampler, q } = samplerNetworks(spec, shape)
  const { theta } = tensors
  if (theta?.shape.length !== 2 || theta.shape[1] !== sampler.size)
    throw new UsageError(
      `its theta has shape [${theta?.shape}], but a sampler for ${spec.id} needs [n,${sampler.size}].`,
    )
  return Array.from({ length: theta.shape[0] }, (_, i) => {
    const criticThetas = criticsIn(tensors, i)
    if (criticThetas.length === 0 || criticThetas.some(({ length }) => length !== shape.qs * q.size))
      throw new UsageError(`it holds no Q networks of ${shape.qs} x ${q.size} parameters for sampler ${i}.`)
    const latentSet = Object.hasOwn(tensors, `latents-${i}`) ? tensors[`latents-${i}`].data : null
    if (latentSet && (latentSet.length === 0 || latentSet.length % shape.latents !== 0))
      throw new UsageError(`its latents of sampler ${i} are ${latentSet.length} numbers, not rows of ${shape.latents}.`)
    return {
      shape,
      sampler,
      q,
      criticThetas,
      latentSet,
      theta: theta.data.slice(i * sampler.size, (i + 1) * sampler.size),
    }
  })
}

/** The critics of sampler i, one a component. Runs of 0.1 have them as judge-i-c. */
function criticsIn(tensors: Saved['tensors'], i: number): Float32Array[] {
  const found: Float32Array[] = []
  const at = (c: number) => [`critic-${i}-${c}`, `judge-${i}-${c}`].find((name) => Object.hasOwn(tensors, name))
  for (let name = at(0); name !== undefined; name = at(found.length)) found.push(tensors[name].data)
  return found
}
