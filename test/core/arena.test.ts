import { execFileSync } from 'node:child_process'
import { afterEach, expect, jest, test } from '@jest/globals'
import { createArena, createArenaSync } from '../../src/core/arena.ts'
import { UsageError } from '../../src/core/errors.ts'
import { allocate, f32, f64, padded, u8 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

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

test('small arenas share memories, and none reaches into another', async () => {
  const module = await compileCore()
  const arenas = await Promise.all(Array.from({ length: 400 }, () => createArena(module, { a: u8(3), x: f64(20) })))
  arenas.push(createArenaSync(module, { a: u8(3), x: f64(20) }))
  expect(new Set(arenas.map(({ memory }) => memory)).size).toBeLessThan(10)
  arenas.forEach(({ view }, k) => {
    expect([...view.a, ...view.x].every((value) => value === 0)).toBe(true)
    view.a.fill(k % 256)
    view.x.fill(k)
  })
  arenas.forEach(({ at, view, ops }, k) => {
    expect(at.a % 16).toBe(0)
    expect([...view.a]).toEqual(Array(3).fill(k % 256))
    expect([...view.x]).toEqual(Array(20).fill(k))
    view.x.fill(0)
    ops.sin64Into(at.x, at.x, 20)
    expect([...view.x]).toEqual(Array(20).fill(0))
  })
  // What is large has a memory of its own.
  const large = [createArenaSync(module, { x: f32(5000) }), createArenaSync(module, { x: f32(5000) })]
  expect(large[0].memory).not.toBe(large[1].memory)
})

test('what is too large for a memory, and a system that gives none, are told apart', () => {
  expect(() => allocate(5 * 2 ** 30)).toThrow(
    new UsageError(
      'These settings need 5.0 GB in one WASM memory, which has at most 4 GB: take fewer particles or smaller settings.',
    ),
  )
  jest.spyOn(WebAssembly, 'Memory').mockImplementation(() => {
    throw new RangeError('could not allocate memory')
  })
  const refused =
    /^The system gives no more WASM memory, here of 0\.1 MB: Node 20 and 22 take 10 GB of address space .* --disable-wasm-trap-handler /
  expect(() => allocate(100)).toThrow(refused)
  expect(() => allocate(100)).toThrow(UsageError)
})

test('thousands of environments and of small states live at a time', () => {
  const script = `
    const { createSVGD, make } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})
    const { init } = createSVGD({ score: (out, x) => { out[0] = -x[0] } })
    const kept = []
    for (let k = 0; k < 7000; k++) kept.push(await make('CartPole-v1'), await init({ particles: 3, dimension: 1 }))
    console.log(kept.length)`
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('14000\n')
})

test('rows are padded to whole vectors', () => {
  expect([0, 1, 4, 5, 4610].map(padded)).toEqual([0, 4, 4, 8, 4612])
})
