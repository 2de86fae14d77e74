import { expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { f32, f64, padded, u8 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'

test('fields are aligned, apart and zero, and the memory cannot grow', async () => {
  const module = await compileCore()
  const { at, view, memory } = await createArena(module, { a: u8(3), b: f64(2, 5), c: f32(7) })
  expect(Object.values(at).every((address) => address > 0 && address % 16 === 0)).toBe(true)
  expect([view.a.length, view.b.length, view.c.length]).toEqual([3, 10, 7])
  expect(at.b).toBeGreaterThanOrEqual(at.a + 3)
  expect(at.c).toBeGreaterThanOrEqual(at.b + 80)
  expect(view.b.every((value) => value === 0)).toBe(true)
  expect(() => memory.grow(1)).toThrow()
})

test('one compiled module serves many runs, each with its own memory', async () => {
  const module = await compileCore()
  const [a, b] = await Promise.all([createArena(module, { x: f32(4) }), createArena(module, { x: f32(4) })])
  a.view.x.fill(1)
  a.ops.expInto(a.at.x, a.at.x, 4)
  expect(a.view.x[0]).toBeCloseTo(Math.E)
  expect(b.view.x[0]).toBe(0)
  expect(await compileCore(module)).toBe(module)
})

test('rows are padded to whole vectors', () => {
  expect([0, 1, 4, 5, 4610].map(padded)).toEqual([0, 4, 4, 8, 4612])
})
