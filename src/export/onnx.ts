import type { Type } from 'protobufjs'
import type { Activation } from '../nn/network.ts'
import { type DensePart, LOG_STD_RANGE, type Parts, partsOf, type SinglePolicy } from './parts.ts'

/** What is used of the format: fields and their numbers. Source: onnx/onnx, onnx/onnx.proto, IR version 8. */
const FORMAT = `
  syntax = "proto3";
  message ModelProto {
    int64 ir_version = 1;
    string producer_name = 2;
    GraphProto graph = 7;
    repeated OperatorSetIdProto opset_import = 8;
  }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message GraphProto {
    repeated NodeProto node = 1;
    string name = 2;
    repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11;
    repeated ValueInfoProto output = 12;
  }
  message NodeProto {
    repeated string input = 1;
    repeated string output = 2;
    string name = 3;
    string op_type = 4;
    repeated AttributeProto attribute = 5;
  }
  message AttributeProto { string name = 1; int64 i = 3; int32 type = 20; }
  message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message TypeProto { Tensor tensor_type = 1; }
  message Tensor { int32 elem_type = 1; TensorShapeProto shape = 2; }
  message TensorShapeProto { repeated Dimension dim = 1; }
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
`
const IR_VERSION = 8
const OPSET = 17
/** Of elements of tensors. */
const FLOAT = 1
const INT64 = 7
/** Of attributes. */
const INT = 2

const operators: Readonly<Record<Activation, string>> = {
  linear: 'Identity',
  tanh: 'Tanh',
  relu: 'Relu',
  elu: 'Elu',
  softplus: 'Softplus',
}

/** A graph under construction: nodes, constants and outputs in the format's own records. */
interface Graph {
  readonly node: object[]
  readonly initializer: object[]
  readonly output: object[]
}

/**
 * A policy as the bytes of an ONNX model. Input: observation [rows, O]. Outputs: logits [rows, classes] and action [rows], the
 * most probable class; or action (the mode as the task takes it), mean and log_std, of the Gaussian before it is squashed, [rows, A]
 * each.
 */
export async function onnxModel(single: SinglePolicy): Promise<Uint8Array> {
  const { observations, head } = single.policy
  const graph: Graph = { node: [], initializer: [], output: [] }
  const parts = partsOf(single)
  const last = parts.hidden.reduce((x, part) => dense(graph, x, part), normalised(graph, single))
  if (head.name === 'categorical') addClasses(graph, last, parts)
  else addActions(graph, last, parts)
  const model = {
    ir_version: IR_VERSION,
    producer_name: 'steinrl',
    graph: { ...graph, name: 'policy', input: [valueInfo('observation', FLOAT, observations)] },
    opset_import: [{ domain: '', version: OPSET }],
  }
  const type = await modelType()
  return type.encode(type.fromObject(model)).finish()
}

/** Not imported above, so that pages which never export do not load it. */
async function modelType(): Promise<Type> {
  const { default: protobuf } = await import('protobufjs')
  return protobuf.parse(FORMAT, { keepCase: true }).root.lookupType('ModelProto')
}

/** Adds a node and returns the name of its output. */
function add(
  { node }: Graph,
  op: string,
  output: string,
  inputs: string[],
  attributes: Record<string, number> = {},
): string {
  const attribute = Object.entries(attributes).map(([name, i]) => ({ name, i, type: INT }))
  node.push({ op_type: op, name: output, input: inputs, output: [output], attribute })
  return output
}

/** Adds a constant and returns its name. */
function constant({ initializer }: Graph, name: string, data: Float32Array, dims: number[] = [data.length]): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  initializer.push({ name, dims, data_type: FLOAT, raw_data: bytes })
  return name
}

const scalar = (graph: Graph, name: string, value: number) => constant(graph, name, Float32Array.of(value), [])

function valueInfo(name: string, type: number, width?: number): object {
  const dim = [{ dim_param: 'rows' }, ...(width === undefined ? [] : [{ dim_value: width }])]
  return { name, type: { tensor_type: { elem_type: type, shape: { dim } } } }
}

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
  graph.output.push(valueInfo(logits, FLOAT, heads[0].outputs), valueInfo('action', INT64))
}

function addActions(graph: Graph, last: string, parts: Parts): void {
  const A = parts.low.length
  const mean = dense(graph, last, parts.heads[0])
  const low = constant(graph, 'low', parts.low)
  const high = constant(graph, 'high', parts.high)
  if (parts.logStd) {
    clipped(graph, 'action', mean, low, high)
    const rows = add(graph, 'Shape', 'mean_shape', [mean])
    add(graph, 'Expand', 'log_std', [constant(graph, 'log_std_row', parts.logStd), rows])
  } else {
    clipped(graph, 'action', rescaled(graph, mean, parts), low, high)
    const free = dense(graph, last, { ...parts.heads[1], name: 'log_std_free' })
    const [least, most] = LOG_STD_RANGE
    clipped(graph, 'log_std', free, scalar(graph, 'log_std_low', least), scalar(graph, 'log_std_high', most))
  }
  for (const name of ['action', mean, 'log_std']) graph.output.push(valueInfo(name, FLOAT, A))
}

/** tanh of the mean, moved from [−1, 1] to the box. */
function rescaled(graph: Graph, mean: string, { low, high }: Parts): string {
  const half = constant(graph, 'half_width', low.map((least, k) => 0.5 * (high[k] - least))) // biome-ignore format: a pair
  const middle = constant(graph, 'middle', low.map((least, k) => 0.5 * (least + high[k]))) // biome-ignore format: a pair
  const squashed = add(graph, 'Tanh', 'squashed', [mean])
  return add(graph, 'Add', 'rescaled', [add(graph, 'Mul', 'widened', [squashed, half]), middle])
}
