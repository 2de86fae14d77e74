import { UsageError } from '../core/errors.ts'
import type { Activation } from '../nn/network.ts'
import type { Bounds } from '../policy/description.ts'
import type { ActionSampler } from '../rl/agents.ts'
import { DataType, encodeModel, type NodeProto, type TensorProto, type ValueInfoProto } from './onnx-format.ts'
import {
  type DensePart,
  denseParts,
  hasBounds,
  LOG_STD_RANGE,
  type Parts,
  partsOf,
  type SinglePolicy,
} from './parts.ts'

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
 * [rows], the most probable class, or [rows, K], that of each of K choices, whose logits stand side by side; or action
 * (the mode as the task takes it), mean and log_std, of the Gaussian before it is squashed, [rows, A] each.
 *
 * @throws UsageError for a squashed Gaussian without bounds
 */
export async function onnxModel(single: SinglePolicy): Promise<Uint8Array> {
  const graph: Graph = { nodes: [], initializers: [], outputs: [] }
  const parts = partsOf('onnxModel', single)
  const { observations, head } = single.policy
  const last = parts.hidden.reduce((x, part) => dense(graph, x, part), normalised(graph, single))
  if (head.factors) addChoices(graph, last, parts, head.factors)
  else if (head.name === 'categorical') addClasses(graph, last, parts)
  else addActions(graph, last, parts)
  return encoded(graph, [valueInfo('observation', DataType.float, observations)])
}

/** A sampler of soft Q-learning with what stands before and behind its network. */
export interface SingleSampler extends Pick<SinglePolicy, 'normalisation'> {
  readonly sampler: ActionSampler
  readonly bounds: Bounds
}

/**
 * A sampler a = tanh f(s, ξ) as the bytes of an ONNX model. Inputs: observation [rows, O] and noise [rows, L], normal
 * numbers from N(0, I). Output: action [rows, A], as the task takes it.
 *
 * @throws UsageError for a sampler with a set of noise of its own, and for bounds that are not finite
 */
export async function samplerOnnxModel({ sampler: one, normalisation, bounds }: SingleSampler): Promise<Uint8Array> {
  const { sampler, theta, shape, latentSet } = one
  if (latentSet)
    throw new UsageError('The sampler draws from a set of noise of its own (latentSet), which an ONNX model has not.')
  const [low, high] = [bounds.low, bounds.high].map((bound) => Float32Array.from(bound, (x) => x ?? Number.NaN))
  if ([...low, ...high].some(Number.isNaN))
    throw new UsageError('A sampler is moved to the bounds of its actions, so bounds must have numbers only.')
  const graph: Graph = { nodes: [], initializers: [], outputs: [] }
  const L = shape.latents
  const O = sampler.widths[0] - L
  const input = add(graph, 'Concat', 'state_noise', [normalised(graph, { normalisation }), 'noise'], { axis: 1 })
  const [last, ...hidden] = denseParts(sampler, theta).reverse()
  const before = hidden.reduceRight((x, part) => dense(graph, x, part), input)
  const drawn = dense(graph, before, { ...last, name: 'drawn' })
  const unsquashed = shape.residual ? add(graph, 'Add', 'residual', [drawn, firstOf(graph, L, last.outputs)]) : drawn
  add(graph, 'Identity', 'action', [rescaled(graph, unsquashed, { low, high })])
  graph.outputs.push(valueInfo('action', DataType.float, last.outputs))
  return encoded(graph, [valueInfo('observation', DataType.float, O), valueInfo('noise', DataType.float, L)])
}

/** The first A of L numbers of noise, or all of them and zeros: a product with ones on the diagonal. */
function firstOf(graph: Graph, L: number, A: number): string {
  const ones = new Float32Array(L * A)
  for (let k = 0; k < Math.min(L, A); k++) ones[k * A + k] = 1
  return add(graph, 'MatMul', 'added', ['noise', constant(graph, 'first', ones, [L, A])])
}

const encoded = (graph: Graph, inputs: readonly ValueInfoProto[]) =>
  encodeModel({
    ...{ irVersion: IR_VERSION, producerName: 'steinrl', opset: { domain: '', version: OPSET } },
    graph: { ...graph, name: 'policy', inputs },
  })

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

function normalised(graph: Graph, { normalisation }: Pick<SinglePolicy, 'normalisation'>): string {
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

/** Logits of all factors, and the most probable class of each. */
function addChoices(graph: Graph, last: string, { heads }: Parts, factors: readonly number[]): void {
  const logits = dense(graph, last, heads[0])
  const rawData = new Uint8Array(BigInt64Array.from(factors, BigInt).buffer)
  graph.initializers.push({ name: 'factors', dims: [factors.length], dataType: DataType.int64, rawData })
  const parts = factors.map((_, k) => `logits_${k}`)
  const attributes = { axis: 1 }
  graph.nodes.push({ opType: 'Split', name: 'split', inputs: [logits, 'factors'], outputs: parts, attributes })
  const chosen = parts.map((part, k) => add(graph, 'ArgMax', `action_${k}`, [part], { axis: 1, keepdims: 1 }))
  add(graph, 'Concat', 'action', chosen, { axis: 1 })
  graph.outputs.push(valueInfo(logits, DataType.float, heads[0].outputs))
  graph.outputs.push(valueInfo('action', DataType.int64, factors.length))
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
function rescaled(graph: Graph, mean: string, { low, high }: Pick<Parts, 'low' | 'high'>): string {
  const half = constant(graph, 'half_width', low.map((least, k) => 0.5 * (high[k] - least))) // biome-ignore format: a pair
  const middle = constant(graph, 'middle', low.map((least, k) => 0.5 * (least + high[k]))) // biome-ignore format: a pair
  const squashed = add(graph, 'Tanh', 'squashed', [mean])
  return add(graph, 'Add', 'rescaled', [add(graph, 'Mul', 'widened', [squashed, half]), middle])
}
