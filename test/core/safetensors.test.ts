import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { UsageError } from '../../src/core/errors.ts'
import { decodeTensors, encodeTensors, type TensorFile } from '../../src/core/safetensors.ts'

const example: TensorFile = {
  tensors: {
    theta: { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-40, -0) },
    kernel: { shape: [1, 1], data: Float32Array.of(0.25) },
  },
  metadata: { env: 'CartPole-v1', iteration: '7' },
}

/** A file with this header, as the format wants it: length, text, data. */
function assemble(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const file = new Uint8Array(8 + text.length + data.length)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  file.set(data, 8 + text.length)
  return file
}

/** The parts of a file, read without the code under test. */
function dissect(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const length = Number(view.getBigUint64(0, true))
  const header = new TextDecoder().decode(file.subarray(8, 8 + length))
  return { length, header, json: JSON.parse(header), data: file.subarray(8 + length), view }
}

const bits = ({ data }: { data: Float32Array }) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')

const plain = ({ tensors, metadata }: TensorFile) => ({
  tensors: Object.entries(tensors)
    .map(([name, tensor]) => [name, [...tensor.shape], bits(tensor)])
    .sort(),
  metadata: Object.entries(metadata).sort(),
})

function refusal(decode: () => unknown): string {
  try {
    decode()
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    const { message } = error as UsageError
    expect(message).toMatch(/^[^\n]+\.$/)
    expect(message).not.toMatch(/undefined is|NaN|\[object/)
    return message
  }
  return 'not refused'
}

const tensor = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
  const count = shape.reduce((product, size) => product * size, 1)
  return fc.float32Array({ minLength: count, maxLength: count }).map((data) => ({ shape, data }))
})
const name = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '0', '1'),
)
const named = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(name, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries))
const file = fc.record({ tensors: named(tensor), metadata: named(fc.string({ unit: 'grapheme' })) })

describe('the format', () => {
  test('is u64 header length, JSON header, data: read by hand', () => {
    const { length, header, json, data, view } = dissect(encodeTensors(example))
    expect(length % 8).toBe(0)
    expect(header).toMatch(/^\{.*\} *$/)
    expect(json).toEqual({
      __metadata__: { env: 'CartPole-v1', iteration: '7' },
      theta: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      kernel: { dtype: 'F32', shape: [1, 1], data_offsets: [24, 28] },
    })
    expect(data.length).toBe(28)
    // Little-endian, row after row.
    const values = Array.from({ length: 7 }, (_, i) => view.getFloat32(8 + length + 4 * i, true))
    expect(values).toEqual([1, -2, 3.5, 0, Math.fround(1e-40), -0, 0.25])
    expect(Object.is(values[5], -0)).toBe(true)
  })

  test('every file starts its data at a multiple of 8 and covers them without holes, whatever the names', () => {
    fc.assert(
      fc.property(file, (written) => {
        const { length, json, data } = dissect(encodeTensors(written))
        expect(length % 8).toBe(0)
        const { __metadata__, ...entries } = json
        expect(__metadata__).toEqual(JSON.parse(JSON.stringify(written.metadata)))
        let end = 0
        for (const { dtype, shape, data_offsets: offsets } of Object.values<Record<string, number[]>>(entries)) {
          expect(dtype).toBe('F32')
          expect(offsets).toEqual([end, end + 4 * shape.reduce((product, size) => product * size, 1)])
          end = offsets[1]
        }
        expect(data.length).toBe(end)
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  test('reads files of other writers: unpadded header, no metadata, tensors in any order', () => {
    const data = new Uint8Array(Float32Array.of(1, 2, 3).buffer)
    const header =
      '{"b":{"shape":[2],"data_offsets":[4,12],"dtype":"F32"}, "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]} }'
    const { tensors, metadata } = decodeTensors(assemble(header, data))
    expect([...tensors.b.data]).toEqual([2, 3])
    expect([...tensors.a.data]).toEqual([1])
    expect(tensors.a.shape).toEqual([])
    expect(metadata).toEqual({})
  })
})

describe('round trip', () => {
  test('gives back shapes, metadata and every bit of every value', () => {
    fc.assert(
      fc.property(file, (written) => {
        expect(plain(decodeTensors(encodeTensors(written)))).toEqual(plain(written))
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  test('from any kind of bytes: a view into a larger buffer, a Buffer, a file', async () => {
    const encoded = encodeTensors(example)
    const shifted = new Uint8Array(encoded.length + 5).subarray(3, 3 + encoded.length)
    shifted.set(encoded)
    const path = join(tmpdir(), `steinrl-test-${process.pid}.safetensors`)
    await writeFile(path, encoded)
    const read = await readFile(path)
    await rm(path)
    for (const bytes of [encoded, shifted, Buffer.from(encoded), read]) {
      const decoded = decodeTensors(bytes)
      expect(plain(decoded)).toEqual(plain(example))
      // What was read is its own: it does not change with the bytes.
      bytes.fill(0)
      expect(plain(decoded)).toEqual(plain(example))
    }
  })

  test('of views on a part of a larger memory', () => {
    const memory = Float32Array.of(9, 9, 1, 2, 9)
    const { tensors } = decodeTensors(
      encodeTensors({ tensors: { x: { shape: [2], data: memory.subarray(2, 4) } }, metadata: {} }),
    )
    expect([...tensors.x.data]).toEqual([1, 2])
    expect(tensors.x.data.buffer.byteLength).toBe(8)
  })

  test('refuses to write what could not be read', () => {
    const data = Float32Array.of(1, 2, 3)
    const write = (label: string, shape: number[]) =>
      refusal(() => encodeTensors({ tensors: { [label]: { shape, data } }, metadata: {} }))
    expect(write('theta', [2, 2])).toBe('The tensor "theta" has 3 values, which do not make the shape [2,2].')
    expect(write('theta', [-1, -3])).toContain('[-1,-3]')
    expect(write('theta', [1.5, 2])).toContain('[1.5,2]')
    expect(write('__metadata__', [3])).toContain('__metadata__')
  })
})

describe('a damaged file is refused, and the message says why', () => {
  const good = encodeTensors(example)
  const data = new Uint8Array(8)
  const entry = (changes: object) => ({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changes })
  const one = (changes: object) => assemble(JSON.stringify({ x: entry(changes) }), data)
  const withLength = (length: bigint) => {
    const copy = good.slice()
    new DataView(copy.buffer).setBigUint64(0, length, true)
    return copy
  }

  test.each<[name: string, file: Uint8Array, says: string]>([
    ['empty', new Uint8Array(0), '0 bytes'],
    ['shorter than the length', good.slice(0, 7), '7 bytes'],
    ['only the length', good.slice(0, 8), 'the file has 8'],
    ['cut in the header', good.slice(0, 50), 'the file has 50'],
    ['cut in the data', good.slice(0, -1), 'ends at byte 28 of the data, but only 27 are there'],
    ['without data', good.slice(0, -28), 'only 0 are there'],
    ['too long', Uint8Array.of(...good, 0), 'the file has 29 bytes of data'],
    ['length too large', withLength(1000n), 'header should have 1000 bytes'],
    ['length absurd', withLength(2n ** 64n - 1n), 'header should have'],
    ['length negative as i64', withLength(2n ** 63n), 'header should have'],
    ['length zero', withLength(0n), 'not JSON'],
    ['length too small', withLength(10n), 'not JSON'],
    ['header no JSON', assemble('{"x": '), 'not JSON'],
    ['header no UTF-8', assemble(Uint8Array.of(0x7b, 0xff, 0x7d)), 'not JSON'],
    ['header null', assemble('null'), 'not a JSON object'],
    ['header a list', assemble('[]'), 'not a JSON object'],
    ['header a number', assemble('8'), 'not a JSON object'],
    ['metadata no object', assemble('{"__metadata__": 3}'), '__metadata__'],
    ['metadata null', assemble('{"__metadata__": null}'), '__metadata__'],
    ['metadata a list', assemble('{"__metadata__": ["a"]}'), '__metadata__'],
    ['metadata not texts', assemble('{"__metadata__": {"a": 1}}'), '__metadata__'],
    ['a tensor null', assemble('{"x": null}'), '"x"'],
    ['a tensor a number', assemble('{"x": 3}'), '"x"'],
    ['a line break in a name', assemble('{"x\\ny": 3}'), '"x\\ny"'],
    ['dtype missing', one({ dtype: undefined }), 'dtype'],
    ['dtype another', one({ dtype: 'F64' }), 'dtype "F64"; only F32'],
    ['shape missing', one({ shape: undefined }), 'no valid shape'],
    ['shape negative', one({ shape: [-1, -2] }), 'no valid shape'],
    ['shape a fraction', one({ shape: [0.5, 4] }), 'no valid shape'],
    ['shape a text', one({ shape: '2' }), 'no valid shape'],
    ['shape of texts', one({ shape: ['2'] }), 'no valid shape'],
    ['shape too large', one({ shape: [3] }), '[3] needs 12 bytes, but its offsets are 0 to 8'],
    ['shape too small', one({ shape: [1] }), '[1] needs 4 bytes'],
    ['shape huge', one({ shape: [2 ** 50, 2 ** 50, 2 ** 50] }), 'no valid shape'],
    [
      'shape huge times zero',
      one({
        shape: Array(30)
          .fill(2 ** 50)
          .concat(0),
      }),
      '"x"',
    ],
    ['offsets missing', one({ data_offsets: undefined }), 'offsets'],
    ['offsets one', one({ data_offsets: [8] }), 'offsets'],
    ['offsets three', one({ data_offsets: [0, 8, 8] }), 'offsets'],
    ['offsets reversed', one({ data_offsets: [8, 0] }), 'offsets are 8 to 0'],
    ['offsets negative', one({ data_offsets: [-8, 0] }), 'offsets'],
    ['offsets beyond', one({ data_offsets: [8, 16] }), 'ends at byte 16 of the data, but only 8 are there'],
    ['offsets far beyond', one({ data_offsets: [2 ** 52, 2 ** 52 + 8] }), 'only 8 are there'],
    ['a hole before', assemble(JSON.stringify({ x: entry({ shape: [1], data_offsets: [4, 8] }) }), data), 'not at 0'],
    [
      'bytes no tensor owns',
      assemble(JSON.stringify({ x: entry({ shape: [1], data_offsets: [0, 4] }) }), data),
      '8 bytes',
    ],
    ['an overlap', assemble(JSON.stringify({ x: entry({}), y: entry({}) }), data), '"y" begins at byte 0'],
    ['data without tensors', assemble('{}', data), '8 bytes'],
  ])('%s', (_, damaged, says) => {
    // As Uint8Array and as what Node reads from a disk.
    expect(refusal(() => decodeTensors(damaged))).toContain(says)
    expect(refusal(() => decodeTensors(Buffer.from(damaged)))).toContain(says)
  })

  test('2,000 damages at random are read or refused, nothing else', () => {
    const started = performance.now()
    const position = fc.nat(good.length - 1)
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(...new TextEncoder().encode('{}[]",:-0123456789e.')))
    const damage = fc.oneof(
      fc.nat(good.length).map((end) => ({ what: 'cut' as const, at: end, bytes: [] })),
      fc.tuple(position, byte).map(([at, value]) => ({ what: 'set' as const, at, bytes: [value] })),
      fc
        .tuple(position, fc.array(byte, { minLength: 1, maxLength: 12 }))
        .map(([at, bytes]) => ({ what: 'insert' as const, at, bytes })),
      fc
        .tuple(position, fc.integer({ min: 1, max: 20 }))
        .map(([at, n]) => ({ what: 'remove' as const, at, bytes: Array(n) })),
    )
    const apply = (bytes: number[], { what, at, bytes: values }: { what: string; at: number; bytes: number[] }) => {
      if (what === 'cut') return bytes.slice(0, at)
      const changed = [...bytes]
      changed.splice(at, what === 'insert' ? 0 : values.length, ...(what === 'remove' ? [] : values))
      return changed
    }
    let refused = 0
    const decode = (bytes: readonly number[]) => {
      try {
        decodeTensors(Uint8Array.from(bytes))
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        refused++
      }
    }
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) =>
        decode(damages.reduce(apply, [...good])),
      ),
      { seed: 3, numRuns: 1000 },
    )
    // Headers that are JSON, of values that are nearly right.
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('F32', [2, 3], [1, 1], [0, 24], [24, 28], [0]),
    )
    const record = fc.dictionary(fc.constantFrom('dtype', 'shape', 'data_offsets', '__proto__'), value)
    const key = fc.constantFrom('theta', 'kernel', '__metadata__', '__proto__', 'constructor')
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(record, value)), (changes) =>
        decode([...assemble(JSON.stringify({ ...dissect(good).json, ...changes }), dissect(good).data)]),
      ),
      { seed: 4, numRuns: 1000 },
    )
    expect(refused).toBeGreaterThan(1500)
    expect(refused).toBeLessThan(2000)
    expect(performance.now() - started).toBeLessThan(30_000)
  })
})

describe('names that are special in JavaScript do no harm', () => {
  test('"__proto__" as tensor and as metadata is a name like any other', () => {
    const data = new Uint8Array(Float32Array.of(5).buffer)
    const header =
      '{"__metadata__":{"__proto__":"p","env":"e"},"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    const { tensors, metadata } = decodeTensors(assemble(header, data))
    expect(Object.keys(tensors)).toEqual(['__proto__'])
    expect([...(Object.getOwnPropertyDescriptor(tensors, '__proto__')?.value.data ?? [])]).toEqual([5])
    expect(tensors.dtype).toBeUndefined()
    expect(tensors.shape).toBeUndefined()
    expect(metadata.env).toBe('e')
    expect(Object.keys(metadata)).toEqual(['__proto__', 'env'])
    expect(Object.hasOwn(Object.prototype, 'dtype')).toBe(false)
    expect(({} as Record<string, unknown>).shape).toBeUndefined()
  })

  test('a tensor does not inherit its fields from a "__proto__" in the file', () => {
    const header = '{"x":{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}'
    expect(refusal(() => decodeTensors(assemble(header, new Uint8Array(4))))).toContain('dtype')
  })
})

test('what the safetensors package refuses is refused, and what it takes is taken', async () => {
  const file = new URL('../golden/safetensors-mutated.json', import.meta.url)
  const { accepted, refused } = JSON.parse(await readFile(file, 'utf8')) as Record<string, string[]>
  const takes = (text: string) => {
    try {
      return Boolean(decodeTensors(Buffer.from(text, 'base64')))
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
      return false
    }
  }
  expect(refused.filter(takes)).toEqual([])
  expect(accepted.filter(takes).length).toBe(accepted.length)
})
