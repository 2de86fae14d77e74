import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { isBytes, isList, isRecord, requireFunction, requireThat } from '../../src/core/require.ts'

test('records are neither lists, nor promises, nor nothing', () => {
  expect([{}, Object.create(null)].every(isRecord)).toBe(true)
  expect([null, undefined, [], 'text', 3, Promise.resolve({}), () => {}].some(isRecord)).toBe(false)
})

test('lists are arrays and typed arrays, bytes are buffers and their views', () => {
  expect([[], Float32Array.of(1)].every(isList)).toBe(true)
  expect([{}, 'text', new DataView(new ArrayBuffer(1)), null].some(isList)).toBe(false)
  expect([new ArrayBuffer(1), Uint8Array.of(1)].every(isBytes)).toBe(true)
  expect([[1], 'text', null].some(isBytes)).toBe(false)
})

test('what is wrong is refused in a sentence, whatever it is', () => {
  expect(() => requireThat(false, 'sliced', 'a kernel', Symbol('mine'))).toThrow(
    new UsageError('sliced takes a kernel, got Symbol(mine).'),
  )
  expect(() => requireFunction('score', 3, '(out, x) => …')).toThrow('score must be a function, (out, x) => …, got 3.')
  requireThat(true, 'sliced', 'a kernel', {})
  requireFunction('score', () => {}, '(out, x) => …')
})
