import { expect, test } from '@jest/globals'
import { reusedMemory } from '../../src/core/reused-memory.ts'
import { encodeInto, encodeTensors } from '../../src/core/safetensors.ts'

test('what is allocated stays until it is cleared, however much comes after it', () => {
  const { allocate } = reusedMemory()
  const parts = [10, 3, 1000, 7, 5000].map((size, k) => allocate(size).fill(k + 1))
  expect(parts.map(({ length }) => length)).toEqual([10, 3, 1000, 7, 5000])
  for (const [k, part] of parts.entries()) expect(part.every((byte) => byte === k + 1)).toBe(true)
})

test('memory is the same after it is cleared, and what is larger than the limit has its own', () => {
  const { allocate, clear } = reusedMemory(2000)
  const first = allocate(1000)
  clear()
  expect(allocate(900).buffer).toBe(first.buffer)
  clear()
  const large = allocate(2001)
  expect(large).toHaveLength(2001)
  expect(large.buffer).not.toBe(first.buffer)
  expect(allocate(1000).buffer).toBe(first.buffer)
})

test('a file in it has the bytes of one in memory of its own, whatever was there before', () => {
  const { allocate, clear } = reusedMemory()
  const content = (length: number) => ({
    tensors: {
      wide: { shape: [2], data: Float64Array.of(1, -0) },
      x: { shape: [length], data: new Float32Array(length) },
    },
    metadata: { of: 'x'.repeat(length) },
  })
  for (const length of [5, 3, 100, 0]) {
    clear()
    allocate(1000).fill(255)
    clear()
    expect(encodeInto(allocate, content(length))).toEqual(encodeTensors(content(length)))
  }
})
