import type { Arena } from '../../core/arena.ts'
import { UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { Purpose, type Seed } from '../../core/random.ts'
import { joined } from '../../core/rows.ts'
import { countSchema } from '../../core/schemas.ts'
import { partsOf, type StatePart } from '../../core/state.ts'
import { forward } from '../../nn/forward.ts'
import type { Network } from '../../nn/network.ts'
import type { Head } from '../../nn/policy.ts'
import { stateActionSize, stateActions } from '../../nn/state-action.ts'
import { tf } from '../../nn/tfjs.ts'
import type { Visited } from '../../rl/evaluator.ts'
import { type Moments, noMoments, normaliseInPlace, withRows } from '../../rl/normalisation.ts'
import { descend, outputsInto, type Trainable, trainablePart } from '../../rl/trainable.ts'

/** Room for the random numbers that choose the rows of one step. */
export const drawFields = (batch: number) => ({ draws: f32(padded(2 * batch)) })

type Scratch = Arena<ReturnType<typeof drawFields>>

/** Tells transitions of randomised environments (1) from those of the reference environment (0): D(s, a, s′) = σ(f). */
export interface TransitionDiscriminator {
  readonly network: Trainable
  /** What rows are normalised by: mean and variance of all so far. */
  moments: Moments
  /** The rows of the last iterations, one entry each, the oldest first. */
  memory: readonly LabelledRows[]
}

/** Rows of both kinds, as they came. */
interface LabelledRows {
  /** [rows, columns] label 1 */
  readonly randomised: Float32Array
  /** [rows, columns] label 0 */
  readonly reference: Float32Array
}

/** Numbers of a row. */
export const transitionSize = (observations: number, head: Head) => stateActionSize(observations, head) + observations

export const transitionDiscriminator = (network: Trainable): TransitionDiscriminator => ({
  network,
  moments: noMoments(network.net.widths[0]),
  memory: [],
})

/**
 * Rows (s, a, s′ − s) of transitions. What the physics does in one step is small beside s: as a difference it is a
 * column of its own, and its size is no matter once columns are normalised.
 */
export function transitionRows(
  { observation, action, nextObservation }: Visited,
  observations: number,
  head: Head,
): Float32Array {
  const before = stateActions(observation, action, observations, head)
  const width = stateActionSize(observations, head)
  const total = width + observations
  const rows = observation.length / observations
  const out = new Float32Array(rows * total)
  const next = nextObservation as Float32Array
  for (let r = 0; r < rows; r++) {
    out.set(before.subarray(r * width, (r + 1) * width), r * total)
    for (let k = 0; k < observations; k++)
      out[r * total + width + k] = next[r * observations + k] - observation[r * observations + k]
  }
  return out
}

/** Takes in the rows of an iteration, and forgets those of the one before the last `iterations`. */
export function remember(discriminator: TransitionDiscriminator, rows: LabelledRows, iterations: number): void {
  for (const some of [rows.randomised, rows.reference]) discriminator.moments = withRows(discriminator.moments, some)
  discriminator.memory = [...discriminator.memory, rows].slice(-iterations)
}

/** The network, and what it learns from next. */
export function discriminatorPart(discriminator: TransitionDiscriminator): StatePart {
  const columns = discriminator.network.net.widths[0]
  const kinds = ['randomised', 'reference'] as const
  return partsOf({
    network: trainablePart(discriminator.network),
    rows: {
      save(to) {
        const { memory, moments } = discriminator
        to.value('iterations', memory.length)
        to.array('moments', moments)
        for (const kind of kinds) to.array(kind, joined(memory.map((rows) => rows[kind])))
      },
      load(from) {
        const iterations = from.value('iterations', countSchema)
        const moments = from.array('moments', discriminator.moments)
        const [randomised, reference] = kinds.map((kind) => from.array(kind, new Float32Array(0), 'any'))
        const part = (rows: Float32Array, k: number) => {
          const size = rows.length / iterations
          return rows.slice(k * size, (k + 1) * size)
        }
        for (const rows of [randomised, reference])
          if (iterations === 0 ? rows.length > 0 : rows.length === 0 || rows.length % (iterations * columns) !== 0)
            throw new UsageError(`its transitions are no rows of ${columns} numbers of ${iterations} iterations.`)
        const parts = (k: number) => ({ randomised: part(randomised, k), reference: part(reference, k) })
        return () => {
          discriminator.moments = moments
          discriminator.memory = Array.from({ length: iterations }, (_, k) => parts(k))
        }
      },
    },
  })
}

const normalised = ({ moments }: TransitionDiscriminator, rows: Float32Array) => normaliseInPlace(rows.slice(), moments)

/** [rows] f, the log odds of D. */
export function logitsOf(discriminator: TransitionDiscriminator, rows: Float32Array): Float64Array {
  const { network } = discriminator
  const out = new Float64Array(rows.length / network.net.widths[0])
  outputsInto(out, network, normalised(discriminator, rows))
  return out
}

/**
 * Mean of log D − log ½ over rows with the log odds f: above 0 where D takes them for randomised ones, and at most
 * log 2.
 *
 *     r = mean_b [ log σ(f_b) + log 2 ],   log σ(f) = −softplus(−f)
 */
export function discriminatorReward(logits: Float64Array): number {
  const values = tf.tidy(() => tf.neg(tf.softplus(tf.neg(tf.tensor1d(Float32Array.from(logits))))))
  const logs = values.dataSync() as Float32Array
  values.dispose()
  let sum = 0
  for (const log of logs) sum += log
  return sum / logs.length + Math.LN2
}

/**
 * Binary cross-entropy with both kinds of rows counting the same, however many there are:
 *
 *     L = ½ mean_randomised softplus(−f) + ½ mean_reference softplus(f)
 */
export function discriminatorLoss(
  net: Network,
  theta: tf.Tensor1D,
  { randomised, reference }: LabelledRows,
): tf.Scalar {
  const columns = net.widths[0]
  const logits = (rows: Float32Array) =>
    tf.reshape(forward(net, theta, tf.tensor2d(rows, [rows.length / columns, columns])), [-1])
  const losses = tf.add(tf.mean(tf.softplus(tf.neg(logits(randomised)))), tf.mean(tf.softplus(logits(reference))))
  return tf.mul(0.5, losses) as tf.Scalar
}

interface DiscriminatorTraining {
  readonly rate: number
  readonly steps: number
  /** Rows of each kind in a step. */
  readonly batch: number
  readonly seed: Seed
  readonly iteration: number
}

/** Steps of Adam down the loss, each on rows drawn from all that are remembered. */
export function trainDiscriminator(
  discriminator: TransitionDiscriminator,
  scratch: Scratch,
  training: DiscriminatorTraining,
): void {
  const { network, memory } = discriminator
  const { rate, steps, batch, seed, iteration } = training
  const { ops, at, view } = scratch
  const columns = network.net.widths[0]
  for (let t = 0; t < steps; t++) {
    ops.fillUniform(at.draws, 2 * batch, seed.lo, seed.hi, Purpose.discriminator, 0, iteration, t)
    const drawn = (kind: keyof LabelledRows, from: number) => {
      const chunks = memory.map((rows) => rows[kind])
      return normalised(discriminator, drawRows(chunks, view.draws.subarray(from, from + batch), columns))
    }
    const rows = { randomised: drawn('randomised', 0), reference: drawn('reference', batch) }
    descend(network, rate, (theta) => discriminatorLoss(network.net, theta, rows))
  }
}

/** The rows at shares [0, 1) of chunks of one size. */
function drawRows(chunks: readonly Float32Array[], shares: Float32Array, columns: number): Float32Array {
  const each = chunks[0].length / columns
  const rows = each * chunks.length
  const out = new Float32Array(shares.length * columns)
  shares.forEach((share, k) => {
    const row = Math.min(Math.floor(share * rows), rows - 1)
    const first = (row % each) * columns
    out.set(chunks[Math.floor(row / each)].subarray(first, first + columns), k * columns)
  })
  return out
}

/** Share of rows that are classified rightly, both kinds counting the same: ½ when it cannot separate them. */
export function accuracyOf(randomised: Float64Array, reference: Float64Array): number {
  const share = (logits: Float64Array, isRight: (f: number) => boolean) => logits.filter(isRight).length / logits.length
  return (share(randomised, (f) => f > 0) + share(reference, (f) => f <= 0)) / 2
}
