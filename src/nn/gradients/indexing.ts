import { tf } from '#tfjs'
import { differentiate, nothing } from './differentiate.ts'

/**
 * Registers the gradients of ops that copy entries from one place to others. Run on the numbers of the entries, such an
 * op tells where each of its entries came from; the gradient goes back there and is summed.
 */
export function differentiateIndexing(): void {
  const copies = { [tf.MirrorPad]: 'x', [tf.StridedSlice]: 'x', [tf.DepthToSpace]: 'x', [tf.FlipLeftRight]: 'image' }
  for (const [name, input] of Object.entries(copies)) {
    differentiate({
      name,
      save: [input],
      by: (dy, [x], attributes) => ({
        [input]: () =>
          sumBack(
            dy,
            sourceOf(x.shape, (numbers) => run(name, { [input]: numbers }, attributes)),
            x.shape,
          ),
      }),
    })
  }
  differentiate({
    name: tf.Tile,
    save: ['x'],
    by: (dy, [x], { reps }) => ({ x: () => sumTiles(dy, x.shape, reps as number[]) }),
  })
  differentiate({
    name: tf.GatherV2,
    save: ['x', 'indices'],
    by: (dy, [x, indices], attributes) => ({
      x: () => sumBack(dy, run(tf.GatherV2, { x: numbersOf(x.shape), indices }, attributes), x.shape),
      indices: () => nothing(indices),
    }),
  })
  differentiate({
    name: tf.GatherNd,
    save: ['params', 'indices'],
    by: (dy, [params, indices]) => ({
      params: () => sumBack(dy, run(tf.GatherNd, { params: numbersOf(params.shape), indices }, {}), params.shape),
      indices: () => nothing(indices),
    }),
  })
  differentiate({
    name: tf.ScatterNd,
    save: ['indices'],
    by: (dy, [indices]) => ({
      updates: () => tf.gatherND(dy, indices),
      indices: () => nothing(indices),
    }),
  })
  differentiate({
    name: tf.UnsortedSegmentSum,
    save: ['segmentIds'],
    by: (dy, [segmentIds]) => ({
      x: () => entriesOfSegments(dy, segmentIds),
      segmentIds: () => nothing(segmentIds),
    }),
  })
  differentiateTopK()
}

type Inputs = Readonly<Record<string, tf.Tensor>>

const run = (name: string, inputs: Inputs, attributes: object) =>
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap) as tf.Tensor

/** 0, 1, 2 … in a tensor of the given shape. */
const numbersOf = (shape: number[]) => tf.reshape(tf.range(0, tf.util.sizeFromShape(shape), 1, 'int32'), shape)

/**
 * Some of these kernels take float32 only, which holds whole numbers up to 2²⁴: they copy two digits of the numbers.
 */
function sourceOf(shape: number[], copy: (numbers: tf.Tensor) => tf.Tensor): tf.Tensor {
  const base = tf.scalar(4096, 'int32')
  const numbers = numbersOf(shape)
  const digit = (whole: tf.Tensor) => tf.cast(copy(tf.cast(whole, 'float32')), 'int32')
  const high = digit(tf.floorDiv(numbers, base))
  return tf.add(tf.mul(high, base), digit(tf.sub(numbers, tf.mul(tf.floorDiv(numbers, base), base))))
}

/** The sum of all copies of a tiled tensor, one axis after the other. */
function sumTiles(dy: tf.Tensor, shape: number[], reps: number[]): tf.Tensor {
  const size = tf.util.sizeFromShape
  return reps.reduce((sum, times, axis) => {
    if (times === 1) return sum
    const outer = size(shape.slice(0, axis))
    const inner = size(sum.shape.slice(axis)) / times
    const rest = [...shape.slice(0, axis), shape[axis], ...sum.shape.slice(axis + 1)]
    return tf.reshape(tf.sum(tf.reshape(sum, [outer, times, inner]), 1), rest)
  }, dy)
}

/** Sums the entries of dy into a tensor of the given shape, at the places that `from` names. */
function sumBack(dy: tf.Tensor, from: tf.Tensor, shape: number[]): tf.Tensor {
  const places = tf.reshape(from, [-1]) as tf.Tensor1D
  return tf.reshape(tf.unsortedSegmentSum(tf.reshape(dy, [-1]), places, tf.util.sizeFromShape(shape)), shape)
}

/** The row of x that each id names, and zeros for an id below 0. */
function entriesOfSegments(x: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  const rows = tf.gather(x, tf.maximum(ids, tf.scalar(0, 'int32')) as tf.Tensor1D)
  const named = tf.reshape(tf.greaterEqual(ids, tf.scalar(0, 'int32')), [ids.size, ...rows.shape.slice(1).fill(1)])
  return tf.where(named, rows, tf.zerosLike(rows))
}

/** The largest k of each row: their gradient goes to where they stand. */
function differentiateTopK(): void {
  tf.registerGradient({
    kernelName: tf.TopK,
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    gradFunc: (dys, [x, indices]) => ({
      x() {
        const length = x.shape[x.rank - 1]
        const rows = x.size / length
        const first = tf.reshape(tf.mul(tf.range(0, rows, 1, 'int32'), tf.scalar(length, 'int32')), [rows, 1])
        const places = tf.add(tf.reshape(indices, [rows, -1]), first)
        return sumBack((dys as tf.Tensor[])[0], places, x.shape)
      },
    }),
  })
}
