import { tf } from '../../nn/tfjs.ts'
import type { Graph, View } from '../graph.ts'
import type { OperatorName } from '../operators.ts'

/** A tensor while a function is traced: where its values will stand. Integers and booleans are floats in a plan. */
export interface Traced {
  readonly view: View
  readonly dtype: tf.DataType
}

export type Attributes = Readonly<Record<string, unknown>>

/** What a kernel of tfjs becomes in a graph. `inputs` by their names in tfjs, or by number. */
export type Rule = (graph: Graph, inputs: Readonly<Record<string, Traced>>, attributes: Attributes) => Traced | Traced[]

/** Why a function cannot be traced, as the end of a sentence. */
export class Untraceable extends Error {}

export const shapeOf = (traced: Traced) => traced.view.shape as number[]

export const together = (...inputs: readonly Traced[]): number[] =>
  inputs.map(shapeOf).reduce((a, b) => tf.backend_util.assertAndGetBroadcastShape(a, b))

export const wider = (a: Traced, b: Traced): tf.DataType =>
  a.dtype === b.dtype ? a.dtype : a.dtype === 'float32' || b.dtype === 'float32' ? 'float32' : 'int32'

/** Maps of views that are broadcast together: what rules of several operators are written with. */
export function mapper(graph: Graph, shape: readonly number[]) {
  return (operator: OperatorName, ...args: readonly (View | number)[]): View =>
    graph.map(
      operator,
      args.map((arg) => (typeof arg === 'number' ? graph.number(arg) : arg)),
      shape,
    )
}
