import type { Activation } from '../nn/network.ts'
import { DataType, encodeModel, type NodeProto, type TensorProto, type ValueInfoProto } from './onnx-format.ts'
import { type DensePart, hasBounds, LOG_STD_RANGE, type Parts, partsOf, type SinglePolicy } from './parts.ts'

const IR_VERSION = 8
const OPSET = 17

const operators: Readonly<Record<Activation, string>> = {
  linear: 'Identity',
  tanh: 'Tanh',
  relu: 'Relu',
  elu: 'Elu',
  softplus: 'Softplus',
}

/** A graph under construction. */
interface Graph {
  readonly nodes: NodeProto[]
  readonly initializers: TensorProto[]
  readonly outputs: ValueInfoProto[]
}

/**
 * A policy as the bytes of an ONNX model. Input: observation [rows, O]. Outputs: logits [rows, classes] and action
 * [rows], the most probable class; or action (the mode as the task takes it), mean and log_std, of the Gaussian before
 * it is squashed, [rows, A] each.
 *
 * @throws UsageError for a squashed Gaussian without bounds
 */
export async function onnxModel(single: SinglePolicy): Promise<Uint8Array> {
  const graph: Graph = { nodes: [], initializers: [], outputs: [] }
  const parts = partsOf('onnxModel', single)
  const { observations, head } = single.policy
  const last = parts.hidden.reduce((x, part) => dense(graph, x, part), normalised(graph, single))
  if (head.name === 'categorical') addClasses(graph, last, parts)
  else addActions(graph, last, parts)
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: 'steinrl',
    graph: { ...graph, name: 'policy', inputs: [valueInfo('observation', DataType.float, observations)] },
    opset: { domain: '', version: OPSET },
  })
}

/** Adds a node and returns the name of its output. */
function add(
  { nodes }: Graph,
  opType: string,
  output: string,
  inputs: string[],
  attributes: Record<string, number> = {},
): string {
  nodes.push({ opType, name: output, inputs, outputs: [output], attributes })
  return output
}

/** Adds a constant and returns its name. */
function constant({ initializers }: Graph, name: string, data: Float32Array, dims: number[] = [data.length]): string {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  initializers.push({ name, dims, dataType: DataType.float, rawData })
  return name
}

const scalar = (graph: Graph, name: string, value: number) => constant(graph, name, Float32Array.of(value), [])

/** Of rows, any number of them. */
const valueInfo = (name: string, dataType: number, width?: number): ValueInfoProto => ({
  name,
  dataType,
  dims: width === undefined ? ['rows'] : ['rows', width],
})

function dense(graph: Graph, x: string, { name, inputs, outputs, kernel, bias, activation }: DensePart): string {
  const w = constant(graph, `${name}_kernel`, kernel, [inputs, outputs])
  const b = constant(graph, `${name}_bias`, bias)
  if (activation === 'linear') return add(graph, 'Gemm', name, [x, w, b])
  return add(graph, operators[activation], name, [add(graph, 'Gemm', `${name}_sum`, [x, w, b])])
}

/** x between low and high, which are constants of its width or of one number. */
function clipped(graph: Graph, name: string, x: string, low: string, high: string): string {
  return add(graph, 'Max', name, [add(graph, 'Min', `${name}_below`, [x, high]), low])
}

function normalised(graph: Graph, { normalisation }: SinglePolicy): string {
  if (!normalisation) return 'observation'
  const { clip } = normalisation
  const mean = constant(graph, 'observation_mean', Float32Array.from(normalisation.mean))
  const deviation = constant(graph, 'observation_deviation', Float32Array.from(normalisation.deviation))
  const centred = add(graph, 'Sub', 'centred', ['observation', mean])
  const scaled = add(graph, 'Div', 'scaled', [centred, deviation])
  return clipped(graph, 'normalised', scaled, scalar(graph, 'clip_low', -clip), scalar(graph, 'clip_high', clip))
}

function addClasses(graph: Graph, last: string, { heads }: Parts): void {
  const logits = dense(graph, last, heads[0])
  add(graph, 'ArgMax', 'action', [logits], { axis: 1, keepdims: 0 })
  graph.outputs.push(valueInfo(logits, DataType.float, heads[0].outputs), valueInfo('action', DataType.int64))
}

function addActions(graph: Graph, last: string, parts: Parts): void {
  const mean = dense(graph, last, parts.heads[0])
  if (parts.logStd) {
    addAction(graph, mean, parts)
    const rows = add(graph, 'Shape', 'mean_shape', [mean])
    add(graph, 'Expand', 'log_std', [constant(graph, 'log_std_row', parts.logStd), rows])
  } else {
    addAction(graph, rescaled(graph, mean, parts), parts)
    const free = dense(graph, last, { ...parts.heads[1], name: 'log_std_free' })
    const [least, most] = LOG_STD_RANGE
    clipped(graph, 'log_std', free, scalar(graph, 'log_std_low', least), scalar(graph, 'log_std_high', most))
  }
  for (const name of ['action', mean, 'log_std']) graph.outputs.push(valueInfo(name, DataType.float, parts.low.length))
}

/** x within the bounds of the task, if it has any. */
function addAction(graph: Graph, x: string, { low, high }: Parts): void {
  if (hasBounds({ low, high })) clipped(graph, 'action', x, constant(graph, 'low', low), constant(graph, 'high', high))
  else add(graph, 'Identity', 'action', [x])
}

/** tanh of the mean, moved from [−1, 1] to the box. */
function rescaled(graph: Graph, mean: string, { low, high }: Parts): string {
  const half = constant(graph, 'half_width', low.map((least, k) => 0.5 * (high[k] - least))) // biome-ignore format: a pair
  const middle = constant(graph, 'middle', low.map((least, k) => 0.5 * (least + high[k]))) // biome-ignore format: a pair
  const squashed = add(graph, 'Tanh', 'squashed', [mean])
  return add(graph, 'Add', 'rescaled', [add(graph, 'Mul', 'widened', [squashed, half]), middle])
}
