import { show, UsageError } from './errors.ts'
import { refuseDeep } from './json.ts'
import { isBytes, isRecord, requireThat } from './require.ts'
import { type Allocate, ownMemory } from './reused-memory.ts'
import type { NumberArray } from './runtime-types.ts'
import { decodeText, encodeText } from './text.ts'

/** An array of numbers with its shape. */
export interface Tensor<A extends NumberArray = Float32Array> {
  readonly shape: readonly number[]
  readonly data: A
}

/** What a safetensors file holds: tensors and metadata by name. */
export interface TensorFile<A extends NumberArray = Float32Array> {
  readonly tensors: Readonly<Record<string, Tensor<A>>>
  readonly metadata: Readonly<Record<string, string>>
}

/** The types of numbers by the names of the format. */
const DTYPES = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U32: Uint32Array, U8: Uint8Array } as const
type Dtype = keyof typeof DTYPES

const dtypeOf = (data: NumberArray) =>
  (Object.keys(DTYPES) as Dtype[]).find((name) => data instanceof DTYPES[name]) as Dtype

const METADATA = '__metadata__'
const LENGTH_BYTES = 8
/** The format's own limit, so that a damaged length cannot ask for all memory. */
const MAX_HEADER = 100_000_000
/** Dimensions of a tensor: more than any file has, and few enough for a message. */
const MAX_RANK = 16

/**
 * The safetensors format: u64 header length | JSON header {name: {dtype, shape, data_offsets}} | data. Give wide
 * numbers first, and all are aligned.
 * Source: huggingface/safetensors, README "Format".
 */
export const encodeTensors = (content: TensorFile<NumberArray>): Uint8Array => encodeInto(ownMemory, content)

/** The same in memory that may be used again. */
export function encodeInto(allocate: Allocate, content: TensorFile<NumberArray>): Uint8Array {
  const { tensors, metadata } = checkedContent(content)
  let end = 0
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    if (name === METADATA) throw new UsageError(`A tensor cannot be named ${METADATA}.`)
    if (!isSizes(shape) || product(shape) !== data.length) {
      throw new UsageError(
        `The tensor ${show(name)} has ${data.length} values, which do not make the shape [${shape}].`,
      )
    }
    const start = end
    end += data.byteLength
    return [name, { dtype: dtypeOf(data), shape, data_offsets: [start, end] }]
  })
  const json = encodeText(JSON.stringify({ [METADATA]: metadata, ...Object.fromEntries(entries) }))
  // Padded with spaces so that the data are aligned.
  const length = Math.ceil(json.length / 8) * 8
  const file = allocate(LENGTH_BYTES + length + end)
  new DataView(file.buffer, file.byteOffset).setBigUint64(0, BigInt(length), true)
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + length).set(json, LENGTH_BYTES)
  let at = LENGTH_BYTES + length
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return file
}

function checkedContent(content: TensorFile<NumberArray>): TensorFile<NumberArray> {
  const isTensor = (tensor: unknown) => isRecord(tensor) && dtypeOf(tensor.data as NumberArray) !== undefined
  const isContent = isRecord(content) && isRecord(content.tensors) && Object.values(content.tensors).every(isTensor)
  const what = 'tensors by name, { shape, data }, with typed arrays as data, and metadata of texts'
  requireThat(isContent && isMetadata(content.metadata), 'encodeTensors', what, content)
  return content
}

/** Reads tensors of float32. Throws a UsageError that says what is wrong with a damaged file. */
export const decodeTensors = (file: Uint8Array): TensorFile => decode(file, ['F32']) as TensorFile

/** Reads what encodeTensors wrote, of any type. Throws a UsageError that says what is wrong with a damaged file. */
export const decodeArrays = (file: Uint8Array): TensorFile<NumberArray> => decode(file, Object.keys(DTYPES) as Dtype[])

function decode(file: Uint8Array, dtypes: readonly Dtype[]): TensorFile<NumberArray> {
  if (!isBytes(file)) throw new UsageError(`it must be bytes, got ${show(file)}.`)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < LENGTH_BYTES)
    throw new UsageError(`it has ${file.length} bytes, fewer than the 8 of its header length.`)
  const length = Number(view.getBigUint64(0, true))
  if (length > MAX_HEADER || LENGTH_BYTES + length > file.length) {
    throw new UsageError(`its header should have ${length} bytes, but the file has ${file.length}.`)
  }
  const { header, text } = parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
  const { [METADATA]: metadata = {}, ...entries } = header
  if (!isMetadata(metadata)) throw new UsageError(`its ${METADATA} is not an object of texts.`)
  const data = file.subarray(LENGTH_BYTES + length)
  const ranges = Object.entries(entries).map(([name, entry]) => parseRange(name, entry, data.length, dtypes))
  checkCovered(ranges, data.length)
  refuseAmbiguous(text, header)
  // Copied, since the data need not be aligned in the file; not by slice(), which in a Buffer of Node copies nothing.
  const tensors = ranges.map(({ name, dtype, shape, start, end }) => {
    return [name, { shape, data: new DTYPES[dtype](new Uint8Array(data.subarray(start, end)).buffer) }]
  })
  return { tensors: Object.fromEntries(tensors), metadata }
}

function parseHeader(bytes: Uint8Array): { header: Record<string, unknown>; text: string } {
  let header: unknown
  let text: string
  try {
    text = decodeText(bytes, 'utf-8', { fatal: true })
    header = JSON.parse(text)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError('its header is not JSON.')
  }
  // The format begins with a brace: no byte order mark, no blanks.
  if (typeof header !== 'object' || header === null || bytes[0] !== 0x7b) {
    throw new UsageError('its header is not a JSON object.')
  }
  return { header: header as Record<string, unknown>, text }
}

/**
 * Refuses what JSON.parse lets through and other readers do not: numbers that are not written whole, keys that come
 * twice, halves of characters, and what is nested deeper than anybody writes.
 */
function refuseAmbiguous(text: string, header: object): void {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  if (/[-.E]|\de/.test(bare)) throw new UsageError('a number of its header is not written as a whole number.')
  let keys = 0
  const visit = (value: unknown): void => {
    if (typeof value === 'string') refuseHalves(value)
    if (typeof value !== 'object' || value === null) return
    for (const [name, entry] of Object.entries(value)) {
      if (!Array.isArray(value)) keys++
      refuseHalves(name)
      visit(entry)
    }
  }
  refuseDeep(header, 'its header')
  visit(header)
  if (bare.split(':').length - 1 !== keys) throw new UsageError('a key of its header is there twice.')
}

/** Of two that make one character: with the flag u, only lone ones match. */
function refuseHalves(text: string): void {
  if (/[\ud800-\udfff]/u.test(text)) throw new UsageError('a text of its header has half a character.')
}

/** Where a tensor lies in the data. */
interface Range {
  name: string
  dtype: Dtype
  shape: number[]
  start: number
  end: number
}

function parseRange(name: string, entry: unknown, available: number, dtypes: readonly Dtype[]): Range {
  const quoted = quote(name)
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>
  if (!dtypes.includes(dtype as Dtype))
    throw new UsageError(`its tensor ${quoted} has dtype ${quote(dtype)}; only ${dtypes.join(', ')} is read.`)
  if (!isSizes(shape) || !Number.isSafeInteger(product(shape)) || !isSizes(offsets) || offsets.length !== 2) {
    throw new UsageError(`its tensor ${quoted} has no valid shape and offsets.`)
  }
  const [start, end] = offsets
  const needed = product(shape) * DTYPES[dtype as Dtype].BYTES_PER_ELEMENT
  if (end - start !== needed) {
    throw new UsageError(
      `its tensor ${quoted} [${shape}] needs ${needed} bytes, but its offsets are ${start} to ${end}.`,
    )
  }
  if (end > available) {
    throw new UsageError(`its tensor ${quoted} ends at byte ${end} of the data, but only ${available} are there.`)
  }
  return { name, dtype: dtype as Dtype, shape, start, end }
}

/** The tensors must fill the data without holes or overlaps; that is also how bytes too many are noticed. */
function checkCovered(ranges: readonly Range[], available: number): void {
  let covered = 0
  for (const { name, start, end } of [...ranges].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== covered) {
      throw new UsageError(`its tensor ${quote(name)} begins at byte ${start} of the data, not at ${covered}.`)
    }
    covered = end
  }
  if (covered !== available) {
    throw new UsageError(`its tensors have ${covered} bytes, but the file has ${available} bytes of data.`)
  }
}

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MAX_RANK && value.every((size) => Number.isSafeInteger(size) && size >= 0)

/**
 * A value of the header as it stands there, cut short. Lists and objects may be nested deeper than they can be written
 * again.
 */
function quote(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const product = (shape: readonly number[]) => shape.reduce((count, size) => count * size, 1)

const isMetadata = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => typeof text === 'string')
