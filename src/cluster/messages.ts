import { UsageError } from '../core/errors.ts'
import { fromJson } from '../core/json.ts'
import { arrayNamed, decodePlain, encodePlain } from '../core/plain.ts'
import { reusedMemory } from '../core/reused-memory.ts'
import type { NumberArray } from '../core/runtime-types.ts'

/**
 * A message: what it says as text, and the arrays behind it as they lie in memory.
 *
 *     | u32 version | u32 n | n bytes: JSON { arrays: [[type, length], …], text } | pad to 8 | array | pad to 8 | … |
 *
 * Floats cost four or eight bytes, not the nineteen of JSON or the six of base64.
 */
const VERSION = 1
const PREFIX = 8
const ALIGNMENT = 8

/** Redis keeps no longer string. */
const MOST_BYTES = 512 * 1024 * 1024
const MOST_HEADER = 16 * 1024 * 1024
const MOST_ARRAYS = 100_000

const aligned = (offset: number) => Math.ceil(offset / ALIGNMENT) * ALIGNMENT

/**
 * Plain data with typed arrays in it as bytes.
 *
 * @param allocate memory for them
 * @throws UsageError for what is no plain data, and for more than Redis keeps in one string
 */
export function encodeMessage(
  value: unknown,
  allocate: (size: number) => Uint8Array = (size) => new Uint8Array(size),
): Uint8Array {
  const arrays: NumberArray[] = []
  const text = encodePlain(value, arrays)
  if (text === undefined) throw new UsageError('Only plain data can be sent to a cluster.')
  const types = arrays.map((array) => [Object.getPrototypeOf(array).constructor.name, array.length])
  const header = new TextEncoder().encode(JSON.stringify({ arrays: types, text }))
  const size = arrays.reduce((end, { byteLength }) => aligned(end) + byteLength, PREFIX + header.length)
  if (size > MOST_BYTES)
    throw new UsageError(`A message of ${size} bytes is more than the ${MOST_BYTES} that Redis keeps in one string.`)
  const bytes = allocate(size)
  bytes.set(new Uint8Array(Uint32Array.of(VERSION, header.length).buffer))
  bytes.set(header, PREFIX)
  let at = PREFIX + header.length
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.fill(0, at, aligned(at))
    at = aligned(at)
    bytes.set(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength), at)
    at += byteLength
  }
  return bytes
}

/**
 * What encodeMessage() wrote. Whoever can write to the server can have written something else: all lengths are compared
 * with the bytes that are there before anything is allocated.
 *
 * @throws UsageError, as the end of a sentence, for what is no message
 */
export function decodeMessage(given: Uint8Array): unknown {
  // A Buffer of Node is sliced otherwise.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
  const { byteLength } = bytes
  if (byteLength < PREFIX) throw new UsageError(`it has ${byteLength} bytes, fewer than a message begins with.`)
  const [version, length] = new Uint32Array(bytes.slice(0, PREFIX).buffer)
  if (version !== VERSION) throw new UsageError(`it has the format ${version}, not ${VERSION}.`)
  if (length > Math.min(MOST_HEADER, byteLength - PREFIX))
    throw new UsageError(`its header is said to have ${length} bytes, of ${byteLength} in all.`)
  const { arrays, text } = headerOf(bytes.subarray(PREFIX, PREFIX + length))
  const places: { start: number; end: number; type: NonNullable<ReturnType<typeof arrayNamed>> }[] = []
  let at = PREFIX + length
  for (const [name, count] of arrays) {
    const type = arrayNamed(name)
    if (!type || !Number.isSafeInteger(count) || count < 0)
      throw new UsageError('its header lists an array of no known type or length.')
    const start = aligned(at)
    at = start + count * type.BYTES_PER_ELEMENT
    if (at > byteLength) throw new UsageError(`its arrays are said to need ${at} bytes, of ${byteLength} in all.`)
    places.push({ start, end: at, type })
  }
  if (at !== byteLength) throw new UsageError(`its arrays are said to need ${at} bytes, of ${byteLength} in all.`)
  try {
    return decodePlain(
      text,
      places.map(({ start, end, type }) =>
        // Bytes may lie anywhere, so that a message in a message is read where it is.
        type === Uint8Array ? bytes.subarray(start, end) : new type(bytes.slice(start, end).buffer as ArrayBuffer),
      ),
    )
  } catch {
    throw new UsageError('its text is no JSON.')
  }
}

function headerOf(bytes: Uint8Array): { arrays: [unknown, number][]; text: string } {
  let header: { arrays?: unknown; text?: unknown } | null = null
  try {
    header = fromJson(new TextDecoder().decode(bytes)) as { arrays?: unknown; text?: unknown } | null
  } catch {}
  const { arrays, text } = header ?? {}
  if (Array.isArray(arrays) && arrays.length <= MOST_ARRAYS && arrays.every(Array.isArray) && typeof text === 'string')
    return { arrays: arrays as [unknown, number][], text }
  throw new UsageError('its header is no JSON of a message.')
}

/** Bytes of a message that has memory of its own, which then is free with it. */
const LARGE = 1024 * 1024

/** Memory of messages; those so far are read no more when it is cleared. */
export const messageMemory = () => reusedMemory(LARGE)

/** Whether two messages are the same bytes. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, k) => byte === b[k])
