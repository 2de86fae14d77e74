// What is used of the ONNX format: its messages with the numbers of their fields. Source: onnx/onnx, onnx/onnx.proto,
// IR version 8.
import type { PbfWriter } from 'pbf'

interface ModelProto {
  readonly irVersion: number
  readonly producerName: string
  readonly graph: GraphProto
  readonly opset: { readonly domain: string; readonly version: number }
}

interface GraphProto {
  readonly name: string
  readonly nodes: readonly NodeProto[]
  readonly initializers: readonly TensorProto[]
  readonly inputs: readonly ValueInfoProto[]
  readonly outputs: readonly ValueInfoProto[]
}

export interface NodeProto {
  readonly name: string
  readonly opType: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Whole numbers. */
  readonly attributes: Readonly<Record<string, number>>
}

export interface TensorProto {
  readonly name: string
  readonly dataType: number
  readonly dims: readonly number[]
  readonly rawData: Uint8Array
}

export interface ValueInfoProto {
  readonly name: string
  readonly dataType: number
  /** A name where the size is left open. */
  readonly dims: readonly (number | string)[]
}

/** The types of elements. */
export const DataType = { float: 1, int64: 7 } as const
/** The type of an attribute. */
const INT = 2

export async function encodeModel(model: ModelProto): Promise<Uint8Array> {
  // Not imported above, so that pages which never export do not load it.
  const { PbfWriter } = await import('pbf')
  const writer = new PbfWriter()
  writeModel(model, writer)
  return writer.finish()
}

function writeModel({ irVersion, producerName, graph, opset }: ModelProto, pbf: PbfWriter): void {
  pbf.writeVarintField(1, irVersion)
  pbf.writeStringField(2, producerName)
  pbf.writeMessage(7, writeGraph, graph)
  pbf.writeMessage(8, writeOperatorSet, opset)
}

function writeOperatorSet({ domain, version }: ModelProto['opset'], pbf: PbfWriter): void {
  pbf.writeStringField(1, domain)
  pbf.writeVarintField(2, version)
}

function writeGraph({ name, nodes, initializers, inputs, outputs }: GraphProto, pbf: PbfWriter): void {
  for (const node of nodes) pbf.writeMessage(1, writeNode, node)
  pbf.writeStringField(2, name)
  for (const tensor of initializers) pbf.writeMessage(5, writeTensor, tensor)
  for (const value of inputs) pbf.writeMessage(11, writeValueInfo, value)
  for (const value of outputs) pbf.writeMessage(12, writeValueInfo, value)
}

function writeNode({ name, opType, inputs, outputs, attributes }: NodeProto, pbf: PbfWriter): void {
  for (const input of inputs) pbf.writeStringField(1, input)
  for (const output of outputs) pbf.writeStringField(2, output)
  pbf.writeStringField(3, name)
  pbf.writeStringField(4, opType)
  for (const attribute of Object.entries(attributes)) pbf.writeMessage(5, writeAttribute, attribute)
}

function writeAttribute([name, value]: [string, number], pbf: PbfWriter): void {
  pbf.writeStringField(1, name)
  pbf.writeVarintField(3, value)
  pbf.writeVarintField(20, INT)
}

function writeTensor({ name, dataType, dims, rawData }: TensorProto, pbf: PbfWriter): void {
  pbf.writePackedVarint(1, [...dims])
  pbf.writeVarintField(2, dataType)
  pbf.writeStringField(8, name)
  pbf.writeBytesField(9, rawData)
}

function writeValueInfo({ name, dataType, dims }: ValueInfoProto, pbf: PbfWriter): void {
  pbf.writeStringField(1, name)
  pbf.writeMessage(2, writeType, { dataType, dims })
}

type TensorType = Pick<ValueInfoProto, 'dataType' | 'dims'>

/** A TypeProto, whose first field is a tensor's. */
const writeType = (type: TensorType, pbf: PbfWriter) => pbf.writeMessage(1, writeTensorType, type)

function writeTensorType({ dataType, dims }: TensorType, pbf: PbfWriter): void {
  pbf.writeVarintField(1, dataType)
  pbf.writeMessage(2, writeShape, dims)
}

function writeShape(dims: TensorType['dims'], pbf: PbfWriter): void {
  for (const dim of dims) pbf.writeMessage(1, writeDimension, dim)
}

function writeDimension(dim: number | string, pbf: PbfWriter): void {
  if (typeof dim === 'number') pbf.writeVarintField(1, dim)
  else pbf.writeStringField(2, dim)
}
