import {
  type CompiledGradient,
  type CompiledValues,
  type CompileMode,
  compiledGradient,
  compiledValues,
} from '../../compile/compiled.ts'
import { type Arena, createArenaSync } from '../../core/arena.ts'
import { UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import type { CoreModule } from '../../core/module.ts'
import { Draw } from '../../core/random.ts'
import { repeatRows } from '../../core/rows.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { actionSize, observationSize } from '../../envs/spaces.ts'
import { gaussian, squashedGaussian } from '../../nn/distributions.ts'
import { forward } from '../../nn/forward.ts'
import { type Activation, mlp, type Network, qNetwork } from '../../nn/network.ts'
import { asNow, tf } from '../../nn/tfjs.ts'
import { agentsThatDraw, type DrawingAgents } from '../../rl/agents.ts'
import { boundInto } from '../../rl/off-policy.ts'
import { fillRows, type RandomDraw, randomRoom } from '../../rl/random-rows.ts'
import { type CriticSets, criticValues, squashedLogTarget } from '../../rl/soft-q.ts'
import type { PerStateBandwidth } from '../../svgd/per-state.ts'
import type { Saved } from '../algorithm.ts'
import { createSteinSampler, type SteinSampler, steinSteps } from './stein-sampler.ts'

// Policies whose actions are particles of SVGD: from a Gaussian start towards exp(Q/α).

export const selections = ['random', 'max-q', 'softmax-q', 'importance'] as const

/** What the arrays of a Stein policy mean, as plain data. */
export interface SteinShape {
  readonly hidden: readonly number[]
  readonly activation: Activation
  /** Q networks, whose smallest value counts. */
  readonly qs: number
  /** K */
  readonly particles: number
  /** L, ε and λ */
  readonly svgdSteps: number
  readonly stepSize: number
  readonly stretch: number
  readonly bandwidth: PerStateBandwidth
  readonly start: 'learned' | 'fixed'
  /** How one of the particles is chosen where it is not to be greedy. */
  readonly selection: (typeof selections)[number]
  /** α */
  readonly temperature: number
}

/** A start distribution, and one set of critics that score its actions. */
export interface SteinPolicy extends CriticSets {
  readonly shape: SteinShape
  readonly actor: Network
  readonly theta: Float32Array
}

/** The networks of a Stein policy: the start's gives μ and log σ. */
export function steinNetworks(
  spec: EnvironmentSpec,
  { hidden, activation }: Pick<SteinShape, 'hidden' | 'activation'>,
) {
  const [O, A] = [observationSize(spec), actionSize(spec)]
  return { actor: mlp([O, ...hidden, 2 * A], { hidden: activation }), q: qNetwork(O, A, hidden, activation) }
}

/** log σ of the start is kept in [log 0.05, log 1.5]. */
const [LOWEST, HIGHEST] = [-2.995732273553991, 0.4054651081081644]

/** μ and log σ [B K, A] of the start in states [B, O], each of them K times. */
export function startOf(actor: Network, theta: tf.Tensor1D, state: tf.Tensor2D, K: number) {
  const outputs = forward(actor, theta, state)
  const [B, width] = outputs.shape
  const A = width / 2
  const repeated = (x: tf.Tensor2D) =>
    tf.reshape(tf.tile(tf.reshape(x, [B, 1, A]), [1, K, 1]), [B * K, A]) as tf.Tensor2D
  return {
    mean: repeated(tf.slice2d(outputs, [0, 0], [B, A])),
    logStd: repeated(tf.clipByValue(tf.slice2d(outputs, [0, A], [B, A]), LOWEST, HIGHEST)),
  }
}

/** Particles of B states. */
export interface Particles {
  /** [B K, O] every state K times. */
  readonly states: Float32Array
  /** [B, K, A] before the squash. */
  readonly u: Float32Array
  /** [B, K] log π of the squashed actions. */
  readonly logProb: Float32Array
}

type Noise = Arena<{ noise: ReturnType<typeof f32> }>

/** Memory that is kept for the last number of states, and what is computed in every draw. */
export interface SteinRoom {
  sampler: SteinSampler | null
  noise: Noise | null
  readonly begin: CompiledValues
  readonly score: CompiledGradient
  readonly logSlope: CompiledValues
}

/** @param mode 'never' where the number of states changes from draw to draw */
export const steinRoom = (mode: CompileMode = 'auto'): SteinRoom => ({
  ...{ sampler: null, noise: null },
  begin: compiledValues({ name: 'The start of the particles', mode }),
  score: compiledGradient({ name: 'The log density of the particles', mode }),
  logSlope: compiledValues({ name: 'The density of the squashed particles', mode }),
})

/**
 * K particles in each state, driven by as many others: from N(μ(s), σ(s)²), or N(0, 1), by L steps of SVGD towards the
 * density of u whose tanh u has the density ∝ exp(Q(s, ·)/α),
 *
 *     log p(u) = Q(s, tanh u)/α + Σ_k log(1 − tanh² u_k)
 *
 * with their log π in closed form.
 */
export function drawParticles(
  core: CoreModule,
  room: SteinRoom,
  policy: SteinPolicy,
  observation: Float32Array,
  draw: RandomDraw,
): Particles {
  const { shape, actor, theta } = policy
  const { particles: K, svgdSteps: steps, stepSize, stretch, bandwidth, start } = shape
  const O = actor.widths[0]
  const A = actor.widths[actor.widths.length - 1] / 2
  const B = observation.length / O
  if (room.sampler?.sizes.states !== B) {
    room.sampler = createSteinSampler(core, { states: B, fixed: K, width: A })
    room.noise = createArenaSync(core, { noise: f32(padded(randomRoom(B, K * A))) })
  }
  const { ops, at, view } = room.noise as Noise
  const states = repeatRows(new Float32Array(B * K * O), observation, O, K)
  const stateRows = () => tf.tensor2d(states, [B * K, O])
  const noise = (set: number) => {
    const numbers = { ...draw, use: (draw.use ?? Draw.stein.next) + set }
    return tf.tensor2d(fillRows(ops.fillNormal, { at: at.noise, view: view.noise }, B, K * A, numbers), [B * K, A])
  }
  const [u, logProb, driving] = room
    .begin(() => {
      const zeros = tf.zeros([B * K, A]) as tf.Tensor2D
      const begin =
        start === 'fixed'
          ? { mean: zeros, logStd: zeros }
          : startOf(actor, tf.tensor1d(theta.subarray(0, actor.size)), tf.tensor2d(observation, [B, O]), K)
      const first = gaussian.sample(begin, noise(Draw.stein.driven))
      return [first, gaussian.logProb(begin, first), gaussian.sample(begin, noise(Draw.stein.driving))]
    })
    .map((values) => values.slice())
  const logTarget = (u: tf.Tensor) =>
    [squashedLogTarget(policy, shape.temperature, stateRows(), u as tf.Tensor2D)] as const
  const score = (out: Float32Array, at: Float32Array) => out.set(room.score(logTarget, at, [B * K, A]).gradient)
  const sets = { driving, driven: u, logDensity: logProb }
  steinSteps(room.sampler as SteinSampler, sets, { steps, stepSize, stretch, bandwidth, score })
  const [slope] = room.logSlope(() => [tf.sum(squashedGaussian.logSlope(tf.tensor2d(u, [B * K, A])), 1)])
  for (let i = 0; i < logProb.length; i++) logProb[i] -= slope[i]
  return { states, u, logProb }
}

/**
 * One action [rows, A] in (−1, 1) of each state's particles. By importance, particle i is taken with the probability
 *
 *     w_i / Σ_j w_j      w_i = exp(Q(s, a_i)/α) / π(a_i|s)
 *
 * which makes up for what L steps leave between the particles' density π and exp(Q/α): whatever π is, the law of what
 * is taken goes to exp(Q/α) as K grows. Source: Rubin 1987, sampling importance resampling.
 */
export function choose(
  policy: SteinPolicy,
  { states, u, logProb }: Particles,
  selection: SteinShape['selection'],
  uniform: (row: number) => number,
): Float32Array {
  const K = policy.shape.particles
  const O = policy.actor.widths[0]
  const A = (u.length * O) / states.length
  const rows = states.length / O / K
  const [actions, weights] = tf.tidy(() => {
    const action = tf.tanh(tf.tensor2d(u, [rows * K, A]))
    const values = () => tf.reshape(criticValues(policy, tf.tensor2d(states, [rows * K, O]), action), [rows, K])
    const scaled = () => tf.div(values(), policy.shape.temperature)
    const weight = {
      random: () => tf.fill([rows, K], 1 / K),
      'max-q': values,
      'softmax-q': () => tf.softmax(scaled()),
      importance: () => tf.softmax(tf.sub(scaled(), tf.tensor2d(logProb, [rows, K]))),
    }[selection]()
    return [action.dataSync() as Float32Array, weight.dataSync() as Float32Array]
  })
  const out = new Float32Array(rows * A)
  for (let row = 0; row < rows; row++) {
    const own = weights.subarray(row * K, (row + 1) * K)
    const k = selection === 'max-q' ? largest(own) : drawn(own, uniform(row))
    out.set(actions.subarray((row * K + k) * A, (row * K + k + 1) * A), row * A)
  }
  return out
}

/** The first of the largest. */
const largest = (values: Float32Array) => values.reduce((best, x, k) => (x > values[best] ? k : best), 0)

/** By inversion; what rounding leaves goes to the last. */
function drawn(weights: Float32Array, uniform: number): number {
  let sum = 0
  for (let k = 0; k < weights.length - 1; k++) {
    sum += weights[k]
    if (uniform < sum) return k
  }
  return weights.length - 1
}

/** A Stein policy as a population of one that stays as it is now. Greedily it takes the particle with the highest Q. */
export function steinAgents(core: CoreModule, task: EnvironmentSpec, live: SteinPolicy): DrawingAgents {
  const room = steinRoom('never')
  const theta = live.theta.slice(0, live.actor.size)
  const policy = { ...live, theta, criticThetas: live.criticThetas.map((q) => q.slice()) }
  return agentsThatDraw({
    ...{ task, particles: 1, best: 0, theta },
    draw: asNow((out, request) => {
      const { observation, rows, greedy } = request
      const particles = drawParticles(core, room, policy, observation, request)
      const uniform = uniformsOf(room.noise as Noise, rows, request)
      boundInto(out, choose(policy, particles, greedy ? 'max-q' : policy.shape.selection, uniform), task)
    }),
    value: asNow((_, observation, action) => {
      const rows = observation.length / policy.actor.widths[0]
      return tf.tidy(
        () =>
          criticValues(
            policy,
            tf.tensor2d(observation, [rows, observation.length / rows]),
            tf.tensor2d(action, [rows, action.length / rows]),
          ).dataSync() as Float32Array,
      )
    }),
  })
}

/** A uniform number for each row, in memory that the particles no longer need. */
export function uniformsOf({ ops, at, view }: Noise, rows: number, draw: RandomDraw): (row: number) => number {
  const room = { at: at.noise, view: view.noise }
  const numbers = fillRows(ops.fillUniform, room, rows, 1, { ...draw, use: Draw.stein.choice })
  return (row) => numbers[row]
}

export function saveSteinPolicy({ shape, actor, q, theta, criticThetas }: SteinPolicy): Saved {
  return {
    shape,
    tensors: {
      theta: { shape: [1, actor.size], data: theta.slice(0, actor.size) },
      q: { shape: [shape.qs, q.size], data: criticThetas[0].slice(0, shape.qs * q.size) },
    },
  }
}

/**
 * What saveSteinPolicy() gave, for the task that it is of.
 *
 * @throws UsageError when arrays are missing or do not fit the shape and the task
 */
export function restoreSteinPolicy({ tensors }: Saved, shape: SteinShape, spec: EnvironmentSpec): SteinPolicy {
  const nets = steinNetworks(spec, shape)
  const { theta, q } = tensors
  if (theta?.data.length !== nets.actor.size || q?.data.length !== shape.qs * nets.q.size)
    throw new UsageError(
      `its arrays have ${theta?.data.length} and ${q?.data.length} numbers, but a policy for ${spec.id} needs ${nets.actor.size} and ${shape.qs * nets.q.size}.`,
    )
  return { shape, ...nets, theta: theta.data, criticThetas: [q.data] }
}
