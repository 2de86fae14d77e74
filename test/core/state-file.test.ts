import { describe, expect, test } from '@jest/globals'
import { encodeTensors } from '../../src/core/safetensors.ts'
import { decodeState, encodeState } from '../../src/core/state-file.ts'

const PRIME = 0x01000193n

/** FNV-1a of 32 bits, word by word, in whole numbers of any size. */
const fnv = (words: Iterable<number>, start = 0x811c9dc5n): bigint => {
  let hash = start
  for (const word of words) hash = ((hash ^ BigInt(word >>> 0)) * PRIME) & 0xffffffffn
  return hash
}

const codes = (text: string) => Array.from(text, (c) => c.charCodeAt(0))

/** The checksum of one array, by its definition: `chains` sums of every so many words, and then these and the rest. */
function checksum(texts: readonly string[], name: string, data: Float32Array, chains: number): string {
  const start = fnv(codes(texts.join('') + name))
  const words = [...new Uint32Array(data.buffer)]
  const whole = chains === 1 ? 0 : words.length - (words.length % chains)
  const each = Array.from({ length: chains }, (_, c) => words.slice(0, whole).filter((_, k) => k % chains === c))
  const sums = each.map((chain, c) => fnv(chain, c === 0 ? start : undefined))
  const joined = chains === 1 ? start : fnv(sums.slice(1).map(Number), sums[0])
  return fnv(words.slice(whole), joined).toString(16)
}

describe('the checksum of a state file', () => {
  const data = Float32Array.from({ length: 23 }, (_, k) => Math.fround(k * 0.7 - 3))
  const texts = (format: string) => ({ format, kind: 'mine', about: '{"a":1}', values: '{"b":2}' })
  const file = (format: string, sum: string) => {
    const metadata = { ...texts(format), checksum: sum }
    return encodeTensors({ tensors: { x: { shape: [data.length], data } }, metadata })
  }

  test('is FNV-1a in four chains, and in one of format 1', () => {
    const written = encodeState('mine', { a: 1 }, { arrays: { x: data }, values: { b: 2 } })
    const sums = { 1: 1, 2: 4 }
    for (const [format, chains] of Object.entries(sums)) {
      const bytes = file(format, checksum(Object.values(texts(format)), 'x', data, chains))
      expect(decodeState('mine', bytes)).toEqual({ about: { a: 1 }, values: { b: 2 }, arrays: { x: data } })
      if (format === '2') expect(bytes).toEqual(written)
    }
    const other = file('1', checksum(Object.values(texts('1')), 'x', data, 4))
    expect(() => decodeState('mine', other)).toThrow('its checksum is another one')
  })

  test('sees every bit that changes, also before an array of nothing', () => {
    const arrays = { x: data, none: new Float32Array(0), y: Uint8Array.of(1, 2, 3) }
    const bytes = encodeState('mine', { a: 1 }, { arrays, values: {} })
    for (let k = 0; k < 8 * (4 * data.length + 3); k++) {
      const changed = bytes.slice()
      changed[bytes.length - 1 - (k >> 3)] ^= 1 << (k & 7)
      expect(() => decodeState('mine', changed)).toThrow('its checksum is another one')
    }
  })
})
