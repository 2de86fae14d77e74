import { type Arena, f32, i32, padded } from '../core/arena.ts'
import { Purpose, type Seed } from '../core/random.ts'
import { forward } from '../nn/forward.ts'
import { squaredError } from '../nn/losses.ts'
import { initialiseInto, type Network } from '../nn/network.ts'
import { tf } from '../nn/tfjs.ts'
import { minibatchAt, startMinibatches } from '../svgd/minibatch.ts'
import { adam } from '../svgd/optimizers.ts'
import type { AdvantageArena } from './advantages.ts'

/** A particle's value network V(s) and its Adam; empty without a network. It is outside the kernel. */
export function criticFields(net: Network | null, B: number) {
  const size = net ? padded(net.size) : 0
  return {
    /** [parameters] */
    critic: f32(size),
    criticGradient: f32(size),
    criticMoment1: f32(size),
    criticMoment2: f32(size),
    /** Steps of its Adam so far. */
    criticSteps: i32(1),
    /** [B] random numbers that shuffle the rows. */
    shuffle: f32(padded(B)),
  }
}

/** What a particle carries of its critic. */
export const carriedByCritic = ['critic', 'criticMoment1', 'criticMoment2', 'criticSteps'] as const

type CriticArena = AdvantageArena & Arena<ReturnType<typeof criticFields>>

/** The critic of a particle before its first evaluation: it values everything at about 0. */
export function startCritic({ ops, view }: CriticArena, net: Network | null, seed: Seed, particle: number): void {
  for (const name of carriedByCritic) view[name].fill(0)
  if (net) initialiseInto(view.critic, net, ops, seed, particle, { purpose: Purpose.critic })
}

/** V of observations [B, O] into out [B]. */
export function valuesInto(out: Float64Array, { view }: CriticArena, net: Network, observations: Float32Array): void {
  const values = tf.tidy(() => {
    const x = tf.tensor2d(observations, [out.length, net.widths[0]])
    return forward(net, tf.tensor1d(view.critic.subarray(0, net.size)), x)
  })
  out.set(values.dataSync() as Float32Array)
  values.dispose()
}

interface CriticTraining {
  readonly criticLearningRate: number
  readonly criticEpochs: number
  readonly criticBatch: number
}

/** Minimises ½ (V(s) − target)² over the rows of a rollout, in shuffled minibatches that depend on the seed only. */
export function trainCritic(arena: CriticArena, net: Network, options: CriticTraining, seed: Seed): void {
  const { ops, at, view } = arena
  const B = view.target.length
  const size = Math.min(options.criticBatch, B)
  const batches = startMinibatches({ rows: B, size })
  const optimizer = adam({ learningRate: options.criticLearningRate })
  const critic = {
    ops,
    at: { theta: at.critic, direction: at.criticGradient, moment1: at.criticMoment1, moment2: at.criticMoment2 },
    view: { theta: view.critic },
  }
  const steps = Math.ceil((B * options.criticEpochs) / size)
  for (let t = 0; t < steps; t++) {
    const { rows } = minibatchAt(batches, t, ops, seed, { at: at.shuffle, view: view.shuffle })
    view.criticGradient.set(ascent(arena, net, rows))
    view.criticSteps[0]++
    optimizer.step(critic, view.criticSteps[0])
  }
}

/** −∇ ½ mean (V(s) − target)² over some rows. */
function ascent({ view }: CriticArena, net: Network, rows: Int32Array): Float32Array {
  const O = net.widths[0]
  const observations = new Float32Array(rows.length * O)
  rows.forEach((row, k) => {
    observations.set(view.observation.subarray(row * O, (row + 1) * O), k * O)
  })
  const gradient = tf.tidy(() => {
    const x = tf.tensor2d(observations, [rows.length, O])
    const target = tf.tensor1d(Float32Array.from(rows, (row) => view.target[row]))
    const gain = (theta: tf.Tensor) =>
      tf.neg(squaredError(tf.reshape(forward(net, theta, x), [-1]), target)) as tf.Scalar
    return tf.grad(gain)(tf.tensor1d(view.critic.subarray(0, net.size)))
  })
  const values = gradient.dataSync() as Float32Array
  gradient.dispose()
  return values
}
