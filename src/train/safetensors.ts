import { UsageError } from '../core/errors.ts'

/** A float32 array with its shape. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface TensorFile {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly metadata: Readonly<Record<string, string>>
}

const LENGTH_BYTES = 8
/** The format's own limit, so that a damaged length cannot ask for all memory. */
const MAX_HEADER = 100_000_000

/**
 * The safetensors format, float32 only: u64 header length | JSON header {name: {dtype, shape, data_offsets}} | data.
 * Source: huggingface/safetensors, README "Format".
 */
export function encodeTensors({ tensors, metadata }: TensorFile): Uint8Array {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    const start = end
    end += data.byteLength
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }]
  })
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) })
  // Padded with spaces so that the data are aligned.
  const header = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8))
  const file = new Uint8Array(LENGTH_BYTES + header.length + end)
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true)
  file.set(header, LENGTH_BYTES)
  let at = LENGTH_BYTES + header.length
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return file
}

/** Reads what encodeTensors wrote. Throws a UsageError that says what is wrong with a damaged file. */
export function decodeTensors(file: Uint8Array): TensorFile {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < LENGTH_BYTES)
    throw new UsageError(`it has ${file.length} bytes, fewer than the 8 of its header length.`)
  const length = Number(view.getBigUint64(0, true))
  if (length > MAX_HEADER || LENGTH_BYTES + length > file.length) {
    throw new UsageError(`its header should have ${length} bytes, but the file has ${file.length}.`)
  }
  const { __metadata__: metadata, ...entries } = parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
  const data = file.subarray(LENGTH_BYTES + length)
  const tensors = Object.entries(entries).map(([name, entry]) => [name, decodeTensor(name, entry, data)])
  return { tensors: Object.fromEntries(tensors), metadata: (metadata ?? {}) as Record<string, string> }
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new UsageError('its header is not JSON.')
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new UsageError('its header is not a JSON object.')
  }
  return header as Record<string, unknown>
}

function decodeTensor(name: string, entry: unknown, data: Uint8Array): Tensor {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>
  if (dtype !== 'F32')
    throw new UsageError(`its tensor "${name}" has dtype ${JSON.stringify(dtype)}; only F32 is read.`)
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw new UsageError(`its tensor "${name}" has no valid shape and offsets.`)
  }
  const [start, end] = offsets
  const count = shape.reduce((product, size) => product * size, 1)
  if (end > data.length || end - start !== count * 4) {
    throw new UsageError(
      `its tensor "${name}" [${shape}] needs ${count * 4} bytes, but ${Math.min(end, data.length) - start} are there.`,
    )
  }
  // Copied, since the data need not be aligned in the file.
  return { shape, data: new Float32Array(data.slice(start, end).buffer) }
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
