import { type CompiledGradient, compiledGradient } from '../compile/compiled.ts'
import type { Arena } from '../core/arena.ts'
import { RunError } from '../core/errors.ts'
import { type Field, f32, i32, padded } from '../core/layout.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import type { Seed } from '../core/random.ts'
import { takeRows } from '../core/rows.ts'
import { arraysPart, partsOf, type StatePart } from '../core/state.ts'
import { forward } from '../nn/forward.ts'
import { squaredError } from '../nn/losses.ts'
import { type Initialisation, initialiseInto, type Network } from '../nn/network.ts'
import { tf } from '../nn/tfjs.ts'
import { minibatchAt, startMinibatches } from '../optim/minibatch.ts'
import { adam } from '../optim/optimizers.ts'
import type { ParticleState } from './evaluator.ts'

// A network that a particle carries beside its policy and trains on a loss of its own: a critic, a discriminator. It is
// outside the kernel. A pair of Q networks is one side network of two.

type Floats = 'Theta' | 'Gradient' | 'Moment1' | 'Moment2'
type TrainableFields<N extends string> = { [K in `${N}${Floats}`]: Field<'f32'> } & { [K in `${N}Steps`]: Field<'i32'> }

/** Room for `count` networks of one shape called `name` and their Adam; empty without a network. */
export function trainableFields<N extends string>(name: N, net: Network | null, count = 1): TrainableFields<N> {
  const size = net ? padded(count * net.size) : 0
  return {
    [`${name}Theta`]: f32(size),
    [`${name}Gradient`]: f32(size),
    [`${name}Moment1`]: f32(size),
    [`${name}Moment2`]: f32(size),
    [`${name}Steps`]: i32(1),
  } as TrainableFields<N>
}

/** Random numbers that shuffle B rows. */
export const shuffleFields = (B: number) => ({ shuffle: f32(padded(B)) })

export interface Trainable {
  readonly name: string
  readonly net: Network
  readonly count: number
  readonly ops: Ops
  readonly at: Readonly<Record<'theta' | 'direction' | 'moment1' | 'moment2', Pointer>>
  readonly view: Readonly<Record<'theta' | 'direction' | 'moment1' | 'moment2', Float32Array>>
  readonly steps: Int32Array
  /** The gradient of its losses. */
  readonly differentiate: CompiledGradient
}

/** The network called `name` in an arena that has its fields. */
export function trainable(
  { ops, at, view }: { ops: Ops; at: object; view: object },
  name: string,
  net: Network,
  count = 1,
): Trainable {
  const pointers = at as Record<string, Pointer>
  const views = view as Record<string, Float32Array>
  const fields = { theta: 'Theta', direction: 'Gradient', moment1: 'Moment1', moment2: 'Moment2' } as const
  const of = <T>(from: Record<string, T>) =>
    Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, from[name + field]]))
  return {
    ...{ name, net, count, ops },
    at: of(pointers) as Trainable['at'],
    view: of<Float32Array>(views) as Trainable['view'],
    steps: (view as Record<string, Int32Array>)[`${name}Steps`],
    differentiate: compiledGradient({ name: `The loss of the ${name} network`, varies: true }),
  }
}

/** Before a particle's first evaluation. Network k of its `count` starts as particle · count + k does. */
export function initialiseTrainable(
  side: Trainable,
  seed: Seed,
  particle: number,
  initialisation: Initialisation,
): void {
  const { net, count, ops, view, steps } = side
  for (const array of Object.values(view)) array.fill(0)
  steps.fill(0)
  for (let k = 0; k < count; k++) {
    const row = view.theta.subarray(k * net.size, (k + 1) * net.size)
    initialiseInto(row, net, ops, seed, particle * count + k, initialisation)
  }
}

/** What is kept of it between two steps: its parameters, and what Adam keeps. */
export const trainableParts = ({ view: { theta, moment1, moment2 }, steps }: Trainable) => ({
  population: arraysPart({ theta }),
  rest: arraysPart({ moment1, moment2, steps }),
})

/** All of it. */
export const trainablePart = (side: Trainable): StatePart => partsOf(trainableParts(side))

/** The fields that a particle carries of `count` networks called `name`. */
export function carriedTrainable(name: string, net: Network, count = 1): Readonly<Record<string, Field>> {
  const { [`${name}Gradient`]: _, ...kept } = trainableFields(name, net, count) as Record<string, Field>
  return kept
}

/** What a particle carries of it. */
export function saveTrainable({ name, view, steps }: Trainable): ParticleState {
  return {
    [`${name}Theta`]: view.theta.slice(),
    [`${name}Moment1`]: view.moment1.slice(),
    [`${name}Moment2`]: view.moment2.slice(),
    [`${name}Steps`]: steps.slice(),
  }
}

export function loadTrainable({ name, view, steps }: Trainable, carried: ParticleState): void {
  view.theta.set(carried[`${name}Theta`])
  view.moment1.set(carried[`${name}Moment1`])
  view.moment2.set(carried[`${name}Moment2`])
  steps.set(carried[`${name}Steps`])
}

/** Its only output for rows of inputs [rows, inputs] into out [rows]. */
export function outputsInto(out: Float32Array | Float64Array, { net, view }: Trainable, rows: Float32Array): void {
  const values = tf.tidy(() => {
    const x = tf.tensor2d(rows, [out.length, net.widths[0]])
    return forward(net, tf.tensor1d(view.theta.subarray(0, net.size)), x)
  })
  out.set(values.dataSync() as Float32Array)
  values.dispose()
}

/** Its parameters [size], or [count, size] where there are several. */
export function parametersOf({ net, count }: Trainable, theta: Float32Array): tf.Tensor {
  const values = theta.subarray(0, count * net.size)
  return count === 1 ? tf.tensor1d(values) : tf.tensor2d(values, [count, net.size])
}

/** A loss, and metrics beside it. */
type Loss = tf.Tensor | readonly [loss: tf.Tensor, ...metrics: tf.Tensor[]]

/**
 * One step of Adam down a loss, a tfjs expression of the parameters [size] or [count, size]. It is compiled
 * (compile/compiled.ts): what is made in it of arrays is that of each call.
 *
 * @throws RunError when loss or gradient are not finite; the parameters are then as they were
 * @returns the loss before the step, and the first number of each metric
 */
export function descend(side: Trainable, rate: number, loss: (theta: tf.Tensor1D) => Loss): number[] {
  const { name, net, count, ops, at, view, steps, differentiate } = side
  const size = count * net.size
  const shape = count === 1 ? [size] : [count, net.size]
  const ascent = (theta: tf.Tensor) => {
    const found = loss(theta as tf.Tensor1D)
    const [value, ...metrics] = Array.isArray(found) ? found : [found]
    return [tf.neg(value), ...metrics] as const
  }
  const { gradient, values } = differentiate(ascent, view.theta.subarray(0, size), shape)
  view.direction.set(gradient)
  const [value, ...metrics] = values.map(([first]) => first)
  if (!Number.isFinite(value) || ops.firstNonFinite(at.direction, size) >= 0)
    throw new RunError(`The loss of the ${name} network or its gradient is not finite.`)
  steps[0]++
  adam({ learningRate: rate }).step(side, steps[0])
  return [-value, ...metrics]
}

interface CriticTraining {
  readonly criticLearningRate: number
  readonly criticEpochs: number
  readonly criticBatch: number
}

/** Minimises ½ (V(s) − target)² over rows [B, O], in shuffled minibatches that depend on the seed only. */
export function trainCritic(
  critic: Trainable,
  observations: Float32Array,
  targets: Float64Array,
  options: CriticTraining,
  seed: Seed,
  scratch: Arena<ReturnType<typeof shuffleFields>>,
): void {
  const B = targets.length
  const O = critic.net.widths[0]
  const size = Math.min(options.criticBatch, B)
  const batches = startMinibatches({ rows: B, size })
  const steps = Math.ceil((B * options.criticEpochs) / size)
  for (let t = 0; t < steps; t++) {
    const shuffle = { at: scratch.at.shuffle, view: scratch.view.shuffle }
    const { rows } = minibatchAt(batches, t, critic.ops, seed, shuffle)
    const x = takeRows(observations, rows, O)
    const y = takeRows(targets, rows, 1)
    descend(critic, options.criticLearningRate, (theta) =>
      squaredError(tf.reshape(forward(critic.net, theta, tf.tensor2d(x, [size, O])), [-1]), tf.tensor1d(y)),
    )
  }
}
