import * as v from 'valibot'
import { isExpected, show, UsageError } from './errors.ts'
import { fromJson } from './json.ts'
import { type Allocate, ownMemory } from './reused-memory.ts'
import type { NumberArray } from './runtime-types.ts'
import { decodeArrays, encodeInto } from './safetensors.ts'
import { check } from './schemas.ts'
import { contentOf, restore, type StateContent, type StatePart } from './state.ts'

// A state as a file: safetensors with the arrays, and in its metadata what it is of, as JSON.

/** It changes when the parts of a file do. Files of format 1, whose checksum is one chain, can be read. */
const FORMAT = 2
const READ = ['1', String(FORMAT)]

const EXPECTED = v.object({
  format: v.string(),
  kind: v.string(),
  about: v.string(),
  values: v.string(),
  checksum: v.string(),
})

/** What a file of a state holds. */
interface StateFile {
  /** What it is of, as plain data. */
  readonly about: unknown
  readonly arrays: Readonly<Record<string, NumberArray>>
  readonly values: Readonly<Record<string, unknown>>
}

/** The bytes of a state. @param kind what reads it, as 'train'; @param allocate gives the memory */
export function encodeState(
  kind: string,
  about: unknown,
  { arrays, values }: Pick<StateContent, 'arrays' | 'values'>,
  allocate: Allocate = ownMemory,
): Uint8Array {
  const texts = { format: String(FORMAT), kind, about: JSON.stringify(about), values: JSON.stringify(values) }
  const wideFirst = Object.entries(arrays).sort(([, a], [, b]) => b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT)
  const tensors = Object.fromEntries(wideFirst.map(([name, data]) => [name, { shape: [data.length], data }]))
  return encodeInto(allocate, { tensors, metadata: { ...texts, checksum: checksumOf(texts, wideFirst) } })
}

/**
 * Reads what encodeState() wrote.
 *
 * @throws UsageError for what is damaged, of another kind or of another format
 */
export function decodeState(kind: string, bytes: Uint8Array): StateFile {
  const { tensors, metadata } = decodeArrays(bytes)
  const missing = Object.keys(EXPECTED.entries).find((name) => !Object.hasOwn(metadata, name))
  if (missing) throw new UsageError(`it is no checkpoint: it has no ${missing}.`)
  const { checksum, ...texts } = check(EXPECTED, metadata)
  if (!READ.includes(texts.format))
    throw new UsageError(
      `it has the format ${show(texts.format.slice(0, 20))}; this version reads ${READ.join(' and ')}.`,
    )
  if (texts.kind !== kind) throw new UsageError(`it is one of ${show(texts.kind.slice(0, 40))}, not of ${kind}.`)
  const arrays = Object.entries(tensors).map(([name, { data }]) => [name, data] as const)
  if (checksum !== checksumOf(texts, arrays)) throw new UsageError('its checksum is another one: a part of it changed.')
  return {
    about: parsed(texts.about),
    values: v.parse(v.record(v.string(), v.unknown()), parsed(texts.values)),
    arrays: Object.fromEntries(arrays),
  }
}

const parsed = (text: string): unknown => {
  try {
    return fromJson(text)
  } catch (error) {
    if (isExpected(error)) throw error
    throw new UsageError('its description is no JSON.')
  }
}

/** FNV-1a over words of 32 bits: any change of one word changes it. */
function checksumOf(
  { format, kind, about, values }: Readonly<Record<string, string>>,
  arrays: readonly (readonly [string, NumberArray])[],
): string {
  const addWords = format === '1' ? inOneChain : inFourChains
  let hash = START
  const addText = (text: string) => {
    for (let k = 0; k < text.length; k++) hash = hashed(hash, text.charCodeAt(k))
  }
  for (const text of [format, kind, about, values]) addText(text)
  for (const [name, { buffer, byteOffset, byteLength }] of arrays) {
    addText(name)
    const whole = byteOffset % 4 === 0 ? byteLength >> 2 : 0
    hash = addWords(hash, new Int32Array(buffer, whole > 0 ? byteOffset : 0, whole))
    const rest = new Uint8Array(buffer, byteOffset + 4 * whole, byteLength - 4 * whole)
    for (const byte of rest) hash = hashed(hash, byte)
  }
  return (hash >>> 0).toString(16)
}

/** Where FNV-1a begins, as an integer of 32 bits like all that follows. */
const START = 0x811c9dc5 | 0

/** One step of it. */
const hashed = (hash: number, word: number) => Math.imul(hash ^ word, 0x01000193)

const inOneChain = (hash: number, words: Int32Array): number => words.reduce(hashed, hash)

/**
 * Word k in chain k mod 4, and then the four: a processor multiplies for all of them at once. One alone goes on from
 * what came before, so that this changes the result whatever the words are.
 */
function inFourChains(hash: number, words: Int32Array): number {
  const whole = words.length & ~3
  let [a, b, c, d] = [hash, START, START, START]
  for (let k = 0; k < whole; k += 4) {
    a = hashed(a, words[k])
    b = hashed(b, words[k + 1])
    c = hashed(c, words[k + 2])
    d = hashed(d, words[k + 3])
  }
  return inOneChain(hashed(hashed(hashed(a, b), c), d), words.subarray(whole))
}

/** The bytes of a part, and what it is of. */
export const savePart = (kind: string, about: object, part: StatePart): Uint8Array =>
  encodeState(kind, about, contentOf(part))

/**
 * Puts a part to where savePart() found it.
 *
 * @throws UsageError for bytes that are damaged, or of something else than `about` says; nothing is changed then
 */
export function loadPart(kind: string, about: object, part: StatePart, bytes: Uint8Array): void {
  try {
    if (!(bytes instanceof Uint8Array)) throw new UsageError(`it must be bytes, got ${show(bytes)}.`)
    const { about: found, ...content } = decodeState(kind, bytes)
    for (const [name, value] of Object.entries(about)) {
      const other = (found as Record<string, unknown> | null)?.[name]
      if (JSON.stringify(other) !== JSON.stringify(value))
        throw new UsageError(`it is of ${name} ${show(other)}, not ${show(value)}.`)
    }
    restore(part, { ...content, logs: {} })
  } catch (error) {
    if (isExpected(error)) throw new UsageError(`The checkpoint does not fit: ${error.message}`)
    throw error
  }
}
