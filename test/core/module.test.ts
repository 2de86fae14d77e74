import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, jest, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { compileCore, compileRelaxedCore, compileThreadedCore } from '../../src/core/module.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

const file = new URL('../../dist/steinrl.wasm', import.meta.url)

afterEach(() => {
  jest.restoreAllMocks()
})

test('without SIMD there is one sentence, before anything is fetched or compiled', async () => {
  jest.spyOn(WebAssembly, 'validate').mockReturnValue(false)
  const compile = jest.spyOn(WebAssembly, 'compile')
  const fetched = jest.spyOn(globalThis, 'fetch')
  const attempts = [
    () => compileCore(),
    () => compileCore('http://127.0.0.1:1/steinrl.wasm'),
    compileThreadedCore,
    compileRelaxedCore,
    () => startTfjs(),
    () => startTfjs({ fused: false }),
  ]
  for (const attempt of attempts) {
    const error = await attempt().catch((error: Error) => error)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toBe(
      'This runtime has no WebAssembly SIMD, which steinrl needs: take Node 20, Chromium 91, Firefox 89, Safari 16.4 or newer.',
    )
  }
  expect(compile).not.toHaveBeenCalled()
  expect(fetched).not.toHaveBeenCalled()
  expect(tf.getBackend()).toBeFalsy()
})

test('without WebAssembly there is one sentence as well', async () => {
  const { WebAssembly: own } = globalThis
  try {
    Reflect.deleteProperty(globalThis, 'WebAssembly')
    const attempts = [
      () => compileCore(),
      () => compileCore(new Uint8Array(8)),
      compileThreadedCore,
      compileRelaxedCore,
    ]
    for (const attempt of [...attempts, () => startTfjs()]) {
      const error = await attempt().catch((error: Error) => error)
      expect(error).toBeInstanceOf(UsageError)
      expect((error as Error).message).toMatch(/^This runtime has no WebAssembly, which steinrl needs: take Node 20, /)
    }
  } finally {
    globalThis.WebAssembly = own
  }
})

test('a core is compiled once in the life of the process, and tried again where it could not be loaded', async () => {
  const builds = [() => compileCore(), compileThreadedCore, () => compileCore(file)]
  const first = await Promise.all(builds.map((build) => build()))
  const compile = jest.spyOn(WebAssembly, 'compile')
  expect(await Promise.all(builds.map((build) => build()))).toEqual(first)
  for (const [k, build] of builds.entries()) expect(await build()).toBe(first[k])
  expect(compile).not.toHaveBeenCalled()
  const missing = new URL('missing.wasm', file)
  for (const _ of [1, 2]) await expect(compileCore(missing)).rejects.toThrow('ENOENT')
  // Bytes may be changed between two calls.
  await compileCore(await readFile(file))
  expect(compile).toHaveBeenCalledTimes(1)
})

test('the probe is a valid module that needs SIMD', async () => {
  const validate = jest.spyOn(WebAssembly, 'validate')
  await compileCore(await readFile(file))
  const [probe] = validate.mock.calls[0] as [Uint8Array<ArrayBuffer>]
  expect(WebAssembly.validate(probe)).toBe(true)
  // 0xfd stands before every SIMD instruction, 0xff before none that exists.
  const plain = probe.slice()
  plain[plain.indexOf(0xfd)] = 0xff
  expect(WebAssembly.validate(plain)).toBe(false)
})

test('the core comes from the package, bytes, an address, a path below the working directory, or a ready module', async () => {
  const own = await compileCore()
  const names = WebAssembly.Module.exports(own).map(({ name }) => name)
  expect(names).toContain('steinDirection')
  const path = `./${relative(process.cwd(), fileURLToPath(file))}`
  for (const source of [await readFile(file), file, file.href, path]) {
    const found = await compileCore(source)
    expect(WebAssembly.Module.exports(found).map(({ name }) => name)).toEqual(names)
  }
  expect(await compileCore(own)).toBe(own)
})
