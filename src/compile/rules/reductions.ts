import { tf } from '../../nn/tfjs.ts'
import type { Graph, View } from '../graph.ts'
import type { ReductionName } from '../operators.ts'
import { sizeOf } from '../views.ts'
import { mapper, type Rule, shapeOf, type Traced } from './rule.ts'

const axesOf = (axis: unknown, shape: readonly number[]): number[] =>
  tf.util.parseAxisParam((axis ?? shape.map((_, k) => k)) as number | number[], shape as number[])

const reduction =
  (by: ReductionName, dtype?: tf.DataType): Rule =>
  (graph, { x }, { axis, reductionIndices, keepDims }) => {
    const axes = axesOf(axis ?? reductionIndices, shapeOf(x))
    const view = graph.reduce(by, x.view, axes, Boolean(keepDims))
    return { view, dtype: dtype ?? (x.dtype === 'bool' ? 'int32' : x.dtype) }
  }

const mean: Rule = (graph, { x }, { axis, keepDims }) => {
  const axes = axesOf(axis, shapeOf(x))
  const sum = graph.reduce('sum', x.view, axes, Boolean(keepDims))
  const count = sizeOf(axes.map((k) => shapeOf(x)[k]))
  return { view: graph.map('divide', [sum, graph.number(count)], sum.shape), dtype: 'float32' }
}

const place =
  (smallest: boolean): Rule =>
  (graph, { x }, { axis }) => {
    const shape = shapeOf(x)
    const [at] = axesOf(axis, shape)
    const [outer, inner] = [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at + 1))]
    const work = { kind: 'place', smallest, outer, size: shape[at], inner } as const
    const out = shape.filter((_, k) => k !== at)
    return { view: graph.compute(work, [graph.contiguous(x.view)], out), dtype: 'int32' }
  }

/** l − max l along an axis, and Σ e^that. */
function shiftedAndTotal(graph: Graph, logits: Traced, axis: number) {
  const map = mapper(graph, shapeOf(logits))
  const shifted = map('subtract', logits.view, graph.reduce('max', logits.view, [axis], true))
  const exponentials = map('exp', shifted)
  return { map, shifted, exponentials, total: graph.reduce('sum', exponentials, [axis], true) }
}

const softmax: Rule = (graph, { logits }, { dim }) => {
  const axis = (dim as number) < 0 ? (dim as number) + shapeOf(logits).length : (dim as number)
  const { map, exponentials, total } = shiftedAndTotal(graph, logits, axis)
  return { view: map('divide', exponentials, total), dtype: 'float32' }
}

const logSoftmax: Rule = (graph, { logits }, { axis }) => {
  const at = (axis as number) < 0 ? (axis as number) + shapeOf(logits).length : (axis as number)
  const { map, shifted, total } = shiftedAndTotal(graph, logits, at)
  const logTotal: View = graph.map('log', [total], total.shape)
  return { view: map('subtract', shifted, logTotal), dtype: 'float32' }
}

export const reductionRules: Readonly<Record<string, Rule>> = {
  Sum: reduction('sum'),
  Max: reduction('max'),
  Min: reduction('min'),
  Prod: reduction('product'),
  All: reduction('min', 'bool'),
  Any: reduction('max', 'bool'),
  Mean: mean,
  ArgMax: place(false),
  ArgMin: place(true),
  Softmax: softmax,
  LogSoftmax: logSoftmax,
}
