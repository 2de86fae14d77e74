import { tf } from '../../nn/tfjs.ts'
import type { Graph, View } from '../graph.ts'
import { broadcast, type Strided, sizeOf, slice, stridesOf, transpose } from '../views.ts'
import { type Rule, shapeOf, type Traced, Untraceable } from './rule.ts'

/** The same values, seen in another way. */
const seen =
  (see: (graph: Graph, x: Traced, attributes: Readonly<Record<string, never>>) => View): Rule =>
  (graph, { x }, attributes) => ({ view: see(graph, x, attributes as never), dtype: x.dtype })

const axisOf = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis)

/** Arrays of one shape but for one axis, one after the other along it. */
function join(graph: Graph, parts: readonly Traced[], axis: number): Traced {
  if (parts.length === 1) return parts[0]
  const shape = [...shapeOf(parts[0])]
  shape[axis] = parts.reduce((sum, part) => sum + shapeOf(part)[axis], 0)
  const strides = stridesOf(shape)
  let at = 0
  const places = parts.map((part): Strided => {
    const place = { shape: shapeOf(part), strides, offset: at * strides[axis] }
    at += shapeOf(part)[axis]
    return place
  })
  const filled = parts.flatMap(({ view }, k) => (view.shape.includes(0) ? [] : [{ view, place: places[k] }]))
  const args = filled.map(({ view }) => view)
  const view = graph.compute({ kind: 'join', places: filled.map(({ place }) => place), fill: null }, args, shape)
  return { view, dtype: parts[0].dtype }
}

const concat: Rule = (graph, inputs, { axis }) => {
  const parts = Object.values(inputs)
  return join(graph, parts, axisOf(axis as number, shapeOf(parts[0]).length))
}

const pack: Rule = (graph, inputs, { axis }) => {
  const parts = Object.values(inputs)
  const shape = shapeOf(parts[0])
  const at = axisOf(axis as number, shape.length + 1)
  const lifted = [...shape.slice(0, at), 1, ...shape.slice(at)]
  return join(
    graph,
    parts.map(({ view, dtype }) => ({ view: graph.reshape(view, lifted), dtype })),
    at,
  )
}

const sliceRule: Rule = (_graph, { x }, { begin, size }) => {
  const info = { shape: shapeOf(x), rank: shapeOf(x).length, dtype: x.dtype } as unknown as tf.Tensor
  const [first, count] = tf.slice_util.parseSliceParams(info, begin as number[], size as number[])
  tf.slice_util.assertParamsValid(info, first, count)
  return { view: slice(x.view, first, count), dtype: x.dtype }
}

const stridedSlice: Rule = (graph, { x }, attributes) => {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes as Record<
    string,
    number & number[]
  >
  const info = tf.slice_util.sliceInfo(
    ...([shapeOf(x), begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const),
  )
  if (info.isIdentity) return { view: graph.reshape(x.view, info.finalShape), dtype: x.dtype }
  const count = tf.slice_util.computeOutShape(info.begin, info.end, info.strides)
  const view = slice(x.view, info.begin, count, info.strides)
  return { view: graph.reshape(view, info.finalShape), dtype: x.dtype }
}

const split: Rule = (_graph, { x }, attributes) => {
  const axis = axisOf(attributes.axis as number, shapeOf(x).length)
  const sizes = tf.backend_util.prepareSplitSize(
    { shape: shapeOf(x), rank: shapeOf(x).length } as unknown as tf.Tensor,
    attributes.numOrSizeSplits as number | number[],
    axis,
  )
  let at = 0
  return sizes.map((size) => {
    const begin = shapeOf(x).map((_, k) => (k === axis ? at : 0))
    const count = shapeOf(x).map((full, k) => (k === axis ? size : full))
    at += size
    return { view: slice(x.view, begin, count), dtype: x.dtype }
  })
}

const unpack: Rule = (graph, { value }, attributes) => {
  const shape = shapeOf(value)
  const axis = axisOf(attributes.axis as number, shape.length)
  const rest = shape.filter((_, k) => k !== axis)
  return Array.from({ length: shape[axis] }, (_, i) => {
    const begin = shape.map((_, k) => (k === axis ? i : 0))
    const one = slice(
      value.view,
      begin,
      shape.map((size, k) => (k === axis ? 1 : size)),
    )
    return { view: graph.reshape(one, rest), dtype: value.dtype }
  })
}

const pad: Rule = (graph, { x }, attributes) => {
  const paddings = attributes.paddings as [number, number][]
  const shape = shapeOf(x).map((size, k) => size + paddings[k][0] + paddings[k][1])
  if (sizeOf(shape) === sizeOf(shapeOf(x))) return x
  const strides = stridesOf(shape)
  const offset = paddings.reduce((sum, [before], k) => sum + before * strides[k], 0)
  const places = [{ shape: shapeOf(x), strides, offset }]
  const fill = attributes.constantValue as number
  return { view: graph.compute({ kind: 'join', places, fill }, [x.view], shape), dtype: x.dtype }
}

const tile: Rule = (graph, { x }, attributes) => {
  const reps = attributes.reps as number[]
  const shape = shapeOf(x)
  // Each axis becomes (repetitions, size), of which the first is broadcast.
  const split = shape.flatMap((size) => [1, size])
  const repeated = shape.flatMap((size, k) => [reps[k], size])
  const view = broadcast(graph.reshape(x.view, split), repeated)
  return {
    view: graph.reshape(
      view,
      shape.map((size, k) => size * reps[k]),
    ),
    dtype: x.dtype,
  }
}

const reverse: Rule = (_, { x }, { dims }) => {
  const shape = shapeOf(x)
  const axes = tf.util.parseAxisParam(dims as number | number[], shape)
  const isTurned = shape.map((_, axis) => axes.includes(axis))
  const begin = shape.map((size, axis) => (isTurned[axis] ? size - 1 : 0))
  return {
    view: slice(
      x.view,
      begin,
      shape,
      isTurned.map((turned) => (turned ? -1 : 1)),
    ),
    dtype: x.dtype,
  }
}

/** [outer, size, inner] about an axis. */
function about(shape: readonly number[], axis: number) {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis], inner: sizeOf(shape.slice(axis + 1)) }
}

const gather: Rule = (graph, { x, indices }, { axis, batchDims }) => {
  if (batchDims) throw new Untraceable('it gathers along batch dimensions')
  const shape = shapeOf(x)
  const at = axisOf(axis as number, shape.length)
  const count = sizeOf(shapeOf(indices))
  const out = [...shape.slice(0, at), ...shapeOf(indices), ...shape.slice(at + 1)]
  const args = [graph.contiguous(x.view), graph.contiguous(indices.view)]
  return { view: graph.compute({ kind: 'pick', ...about(shape, at), count }, args, out), dtype: x.dtype }
}

const segmentSum: Rule = (graph, { x, segmentIds }, { numSegments }) => {
  const rest = shapeOf(x).slice(1)
  const size = numSegments as number
  const args = [graph.contiguous(x.view), graph.contiguous(segmentIds.view)]
  const work = { kind: 'addByIndex', size, inner: sizeOf(rest), count: shapeOf(x)[0] } as const
  return { view: graph.compute(work, args, [size, ...rest]), dtype: x.dtype }
}

const accumulate =
  (product: boolean): Rule =>
  (graph, { x }, { axis, exclusive, reverse }) => {
    const shape = shapeOf(x)
    const work = {
      ...({ kind: 'accumulate', ...about(shape, axisOf(axis as number, shape.length)), product } as const),
      exclusive: Boolean(exclusive),
      reverse: Boolean(reverse),
    }
    return { view: graph.compute(work, [graph.contiguous(x.view)], shape), dtype: x.dtype }
  }

const oneHot: Rule = (graph, { indices }, { dtype, depth, onValue, offValue }) => {
  const shape = [...shapeOf(indices), depth as number]
  const places = graph.constant(
    Float32Array.from({ length: depth as number }, (_, k) => k),
    [depth as number],
  )
  const rows = graph.reshape(indices.view, [...shapeOf(indices), 1])
  const chosen = graph.map('equal', [rows, places], shape)
  const view = graph.map('select', [chosen, graph.number(onValue as number), graph.number(offValue as number)], shape)
  return { view, dtype: dtype as tf.DataType }
}

const range: Rule = (graph, _, { start, stop, step, dtype }) => {
  const [first, end, by] = [start, stop, step] as number[]
  const count = Math.max(0, Math.ceil((end - first) / by))
  return {
    view: graph.constant(
      Float32Array.from({ length: count }, (_, k) => first + k * by),
      [count],
    ),
    dtype: dtype as tf.DataType,
  }
}

const filled = (value: number): Rule => seen((graph, x) => broadcast(graph.number(value), shapeOf(x)))

export const movementRules: Readonly<Record<string, Rule>> = {
  Identity: seen((_, x) => x.view),
  StopGradient: seen((_, x) => x.view),
  Reshape: seen((graph, x, { shape }) =>
    graph.reshape(x.view, tf.util.inferFromImplicitShape(shape, sizeOf(shapeOf(x)))),
  ),
  ExpandDims: (graph, { input }, { dim }) => {
    const shape = shapeOf(input)
    const at = (dim as number) < 0 ? (dim as number) + shape.length + 1 : (dim as number)
    return { view: graph.reshape(input.view, [...shape.slice(0, at), 1, ...shape.slice(at)]), dtype: input.dtype }
  },
  Transpose: seen((_, x, { perm }) => transpose(x.view, perm ?? shapeOf(x).map((_, k) => shapeOf(x).length - 1 - k))),
  BroadcastTo: seen((_, x, { shape }) => broadcast(x.view, shape)),
  Slice: sliceRule,
  StridedSlice: stridedSlice,
  SplitV: split,
  Unpack: unpack,
  Concat: concat,
  Pack: pack,
  PadV2: pad,
  Tile: tile,
  Reverse: reverse,
  GatherV2: gather,
  UnsortedSegmentSum: segmentSum,
  Cumsum: accumulate(false),
  Cumprod: accumulate(true),
  OneHot: oneHot,
  Range: range,
  ZerosLike: filled(0),
  OnesLike: filled(1),
  Fill: (graph, _, { shape, value, dtype }) => ({
    view: broadcast(graph.number(Number(value)), shape as number[]),
    dtype: (dtype ?? 'float32') as tf.DataType,
  }),
}
