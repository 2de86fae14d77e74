import type { PbfWriter } from 'pbf'
import { hparamsOf, type SettingsEvent, writeHparams } from './tensorboard-settings.ts'

// Event files of TensorBoard: records of TFRecord, each an Event of tensorflow/core/util/event.proto with the values of
// tensorflow/core/framework/summary.proto.

/** What one Event holds. */
export interface TensorboardEvent extends SettingsEvent {
  readonly step: number
  /** The first record of a file; the others have values. */
  readonly fileVersion?: string
  readonly scalars?: Readonly<Record<string, number>>
  /** Values of which TensorBoard draws the distribution. */
  readonly histograms?: Readonly<Record<string, readonly number[]>>
  /** GIFs. */
  readonly images?: Readonly<Record<string, Uint8Array>>
}

/** The polynomial of CRC-32C (Castagnoli), its bits reversed. */
const CASTAGNOLI = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ CASTAGNOLI : rest >>> 1
  return rest
})

/** CRC-32C of some bytes. Source: RFC 3720, appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]
  return (crc ^ 0xffffffff) >>> 0
}

/** As TFRecord writes it, so that a checksum of checksums is none by chance: rotated by 15 bits, plus a constant. */
const masked = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** One record: length (uint64), its checksum, the bytes, their checksum; little-endian. */
function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16)
  const view = new DataView(record.buffer)
  view.setUint32(0, data.length, true)
  view.setUint32(8, masked(record.subarray(0, 8)), true)
  record.set(data, 12)
  view.setUint32(12 + data.length, masked(data), true)
  return record
}

/** Loaded by the first event, and then at hand: an import at every event takes longer than the event. */
let pbf: Promise<typeof import('pbf')> | null = null

/** The record of an event. */
export async function encodeEvent(event: TensorboardEvent): Promise<Uint8Array> {
  pbf ??= import('pbf')
  const { PbfWriter } = await pbf
  const writer = new PbfWriter()
  writer.writeDoubleField(1, event.wallTime)
  writer.writeVarintField(2, event.step)
  if (event.fileVersion !== undefined) writer.writeStringField(3, event.fileVersion)
  else writer.writeMessage(5, writeSummary, event)
  return tfRecord(writer.finish())
}

function writeSummary(event: TensorboardEvent, pbf: PbfWriter): void {
  const { scalars = {}, histograms = {}, images = {} } = event
  for (const scalar of Object.entries(scalars)) pbf.writeMessage(1, writeScalar, scalar)
  for (const histogram of Object.entries(histograms)) pbf.writeMessage(1, writeHistogram, histogram)
  for (const image of Object.entries(images)) pbf.writeMessage(1, writeImage, image)
  for (const part of hparamsOf(event)) pbf.writeMessage(1, writeHparams, part)
}

function writeScalar([tag, value]: [string, number], pbf: PbfWriter): void {
  pbf.writeStringField(1, tag)
  pbf.writeFloatField(2, value)
}

function writeHistogram([tag, values]: [string, readonly number[]], pbf: PbfWriter): void {
  pbf.writeStringField(1, tag)
  pbf.writeMessage(5, writeBuckets, values)
}

/** Red, green and blue, as SummaryMetadata has it. */
const RGB = 3

function writeImage([tag, gif]: [string, Uint8Array], pbf: PbfWriter): void {
  pbf.writeStringField(1, tag)
  pbf.writeMessage(4, writePicture, gif)
}

function writePicture(gif: Uint8Array, pbf: PbfWriter): void {
  // Width and height stand behind the six letters of the format.
  const [width, height] = [6, 8].map((at) => gif[at] | (gif[at + 1] << 8))
  pbf.writeVarintField(1, height)
  pbf.writeVarintField(2, width)
  pbf.writeVarintField(3, RGB)
  pbf.writeBytesField(4, gif)
}

/** Buckets of equal width between the least and the greatest value. */
const BUCKETS = 30

function writeBuckets(values: readonly number[], pbf: PbfWriter): void {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const width = (high - low) / BUCKETS || 1
  const counts = new Array<number>(BUCKETS).fill(0)
  for (const value of values) counts[Math.min(BUCKETS - 1, Math.floor((value - low) / width))]++
  const sums = [values.reduce((sum, x) => sum + x, 0), values.reduce((sum, x) => sum + x * x, 0)]
  for (const [k, value] of [low, high, values.length, ...sums].entries()) pbf.writeDoubleField(k + 1, value)
  pbf.writePackedDouble(
    6,
    counts.map((_, k) => low + (k + 1) * width),
  )
  pbf.writePackedDouble(7, counts)
}
