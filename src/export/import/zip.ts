import { UsageError } from '../../core/errors.ts'

// What is read of zip files (PKWARE APPNOTE 6.3): stored members of files below 4 GB, as Python's zipfile and torch
// write them.

const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50]
const [LOCAL_SIZE, CENTRAL_SIZE, END_SIZE] = [30, 46, 22]
/** The comment behind the end may have so many bytes. */
const LONGEST_COMMENT = 65_535
const MOST_MEMBERS = 10_000

/** Reversed polynomial of CRC-32 (ISO 3309). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]
  return (crc ^ 0xffffffff) >>> 0
}

const damaged = (what: string) => new UsageError(`it is a damaged zip: ${what}.`)

/**
 * The members of a zip by name, on the memory of the file.
 *
 * @throws UsageError for what is no zip, is damaged, compressed or encrypted
 */
export function readZip(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = endOf(view)
  const count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  if (count > MOST_MEMBERS)
    throw new UsageError(`it is a zip of ${count} files, of which there may be ${MOST_MEMBERS}.`)
  const members = new Map<string, Uint8Array>()
  for (let k = 0; k < count; k++) {
    if (at + CENTRAL_SIZE > end || view.getUint32(at, true) !== CENTRAL) throw damaged(`entry ${k} is not there`)
    const [nameSize, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true))
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameSize))
    if (members.has(name)) throw damaged(`it has ${JSON.stringify(name)} twice`)
    members.set(name, memberAt(bytes, view, at, name, end))
    at += CENTRAL_SIZE + nameSize + extra + comment
  }
  return members
}

function endOf(view: DataView): number {
  const last = view.byteLength - END_SIZE
  for (let at = last; at >= 0 && at >= last - LONGEST_COMMENT; at--) if (view.getUint32(at, true) === END) return at
  throw new UsageError('it is no zip.')
}

function memberAt(bytes: Uint8Array, view: DataView, entry: number, name: string, end: number): Uint8Array {
  const [flags, method] = [8, 10].map((field) => view.getUint16(entry + field, true))
  const [crc, stored, size, local] = [16, 20, 24, 42].map((field) => view.getUint32(entry + field, true))
  const quoted = JSON.stringify(name)
  if (flags & 1) throw new UsageError(`its ${quoted} is encrypted.`)
  if (method !== 0 || stored !== size)
    throw new UsageError(`its ${quoted} is compressed: it must be as model.save() writes it.`)
  if (local + LOCAL_SIZE > end || view.getUint32(local, true) !== LOCAL) throw damaged(`${quoted} is not there`)
  const from = local + LOCAL_SIZE + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  if (from + size > end) throw damaged(`${quoted} is cut off`)
  const member = bytes.subarray(from, from + size)
  if (crc32(member) !== crc) throw damaged(`the checksum of ${quoted} is wrong`)
  return member
}
