import { show, UsageError } from '../core/errors.ts'
import { areNumbers, isRecord, requireThat } from '../core/require.ts'
import { tf } from '../nn/tfjs.ts'
import type { Model } from './model.ts'
import { labelsOf, type Supports } from './parameters.ts'

/** Draws of one quantity. */
export interface Draw {
  /** Of one value; [] for a number. */
  readonly shape: readonly number[]
  /** [n, …shape] */
  readonly data: Float32Array
}

/** Draws of every parameter and generated quantity by name. */
export type Draws = Readonly<Record<string, Draw>>

/** The values of free numbers [n, d] by name, and what the model generates from them. */
export function drawsOf<S extends Supports>(model: Model<S>, free: Float64Array): Draws {
  return quantities(model, free, ({ values }) => {
    const generated = model.generated?.(values) ?? {}
    const twice = Object.keys(generated).find((name) => name in values)
    if (twice) throw new UsageError(`${twice} is a parameter and a generated quantity: give one of them another name.`)
    return { ...values, ...generated }
  })
}

type Constrained<S extends Supports> = ReturnType<Model<S>['parameters']['constrain']>

/** Tensors [n, …] of the values of free numbers, by name, as numbers. */
export function quantities<S extends Supports>(
  { parameters }: Model<S>,
  free: Float64Array,
  from: (constrained: Constrained<S>) => Readonly<Record<string, tf.Tensor>>,
): Draws {
  const n = free.length / parameters.dimension
  const draws: Record<string, Draw> = {}
  tf.tidy(() => {
    const rows = tf.tensor2d(Float32Array.from(free), [n, parameters.dimension])
    const tensors = from(parameters.constrain(rows))
    for (const [name, tensor] of Object.entries(tensors)) {
      if (tensor.shape[0] !== n)
        throw new UsageError(`${name} has the shape [${tensor.shape}]; its first axis must be the ${n} particles.`)
      const scalar = tensor.rank === 1 || (tensor.rank === 2 && tensor.shape[1] === 1)
      const shape = parameters.supports[name]?.shape ?? (scalar ? [] : tensor.shape.slice(1))
      draws[name] = { shape, data: tensor.dataSync().slice() as Float32Array }
    }
  })
  return draws
}

/** @throws UsageError for what are no draws */
export function requireDraws(taker: string, draws: unknown): void {
  const isDraw = (draw: unknown) => isRecord(draw) && areNumbers(draw.shape) && areNumbers(draw.data)
  const areDraws = isRecord(draws) && Object.values(draws).every(isDraw)
  requireThat(areDraws, taker, 'draws by name, as those of a fit', draws)
  const counts = Object.entries(draws as Draws).map(([name, draw]) => [name, countOf(name, draw)] as const)
  const other = counts.find(([, count]) => count !== counts[0][1])
  if (other)
    throw new UsageError(
      `${taker} takes as many draws of each quantity, got ${counts[0][1]} of ${counts[0][0]} and ${other[1]} of ${other[0]}.`,
    )
}

/** How many draws of a quantity there are. */
function countOf(name: string, { shape, data }: Draw): number {
  const size = shape.reduce((product, length) => product * length, 1)
  const isShape = shape.every((length) => Number.isInteger(length) && length > 0)
  if (isShape && data.length % size === 0) return data.length / size
  throw new UsageError(`The ${data.length} numbers of ${name} are no draws of the shape ${show(shape)}.`)
}

/** Every number of the draws: its label and [n] its values. */
export function columnsOf(draws: Draws): { label: string; values: Float32Array }[] {
  requireDraws('columnsOf', draws)
  return Object.entries(draws).flatMap(([name, { shape, data }]) => {
    const labels = labelsOf(name, shape)
    const n = data.length / labels.length
    return labels.map((label, k) => ({
      label,
      values: Float32Array.from({ length: n }, (_, i) => data[i * labels.length + k]),
    }))
  })
}
