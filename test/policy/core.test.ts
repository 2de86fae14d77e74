import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { compileCore, compileThreadedCore } from '../../src/core/module.ts'
import { encodePolicy } from '../../src/policy/description.ts'
import { loadPolicy, type PolicyFiles } from '../../src/policy/policy.ts'
import { core, coreFile, populationOf, shapeOf } from './exported.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = encodePolicy(populationOf(shapeOf('gaussian')))
const bytes = await readFile(coreFile)
const expected = (await loadPolicy({ ...files, core })).act([1, 2, 3])

const actionWith = async (given: unknown) =>
  (await loadPolicy({ ...files, core: given as PolicyFiles['core'] })).act([1, 2, 3])
const refusal = (given: unknown) =>
  actionWith(given).then(
    () => 'not refused',
    (error) => `${error.name}: ${error.message}`,
  )

describe('the core may be', () => {
  let server: Server
  let url: string
  beforeAll(async () => {
    server = createServer(({ url: path }, response) => {
      if (path !== '/core.wasm') response.statusCode = 404
      response.end(bytes)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  test('a module, bytes of any kind, an address', async () => {
    const { buffer } = new Uint8Array(bytes)
    for (const given of [core, bytes, buffer, new DataView(buffer), `${url}/core.wasm`, new URL(`${url}/core.wasm`)]) {
      expect(await actionWith(given)).toEqual(expected)
    }
  })

  test('the whole core, which has more', async () => {
    expect(await actionWith(await compileCore())).toEqual(expected)
  })

  test('nothing else', async () => {
    expect(await refusal(undefined)).toBe(
      'UsageError: The core must be a WebAssembly.Module, its bytes or a URL, got undefined.',
    )
    expect(await refusal({})).toContain('got {}.')
    expect(await refusal(new Uint8Array(8))).toMatch(
      /^UsageError: The core cannot be compiled here: .*; a WebAssembly\.Module can be given instead\.$/,
    )
    expect(await refusal(bytes.subarray(0, 5000))).toMatch(/^UsageError: The core cannot be compiled here/)
    expect(await refusal(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).toBe(
      'UsageError: The core has no act: it must be steinrl-policy.wasm.',
    )
    expect(await refusal(await compileThreadedCore())).toMatch(
      /^UsageError: The core does not start: .*; it must be steinrl-policy\.wasm\.$/,
    )
    expect(await refusal(`${url}/nothing`)).toBe(
      `UsageError: Cannot fetch the core from "${url}/nothing": 404 Not Found.`,
    )
    expect(await refusal(pathToFileURL(coreFile))).toMatch(
      /^UsageError: Cannot fetch the core from "file:.*; its bytes can be given instead\.$/,
    )
    expect(await refusal('steinrl-policy.wasm')).toMatch(
      /^UsageError: Cannot fetch the core from "steinrl-policy\.wasm"/,
    )
  })
})

describe('a runtime that cannot run the core is told before anything is loaded', () => {
  const untouchable = new Proxy(
    {},
    {
      get: () => {
        throw new Error('It was read.')
      },
    },
  )

  test('without WebAssembly SIMD', async () => {
    const validate = jest.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    const compile = jest.spyOn(WebAssembly, 'compile')
    try {
      await expect(loadPolicy({ description: untouchable, weights: files.weights, core: bytes })).rejects.toThrow(
        'This runtime has no WebAssembly SIMD, which policies need: Safari has it since version 16.4.',
      )
      expect(compile).not.toHaveBeenCalled()
    } finally {
      validate.mockRestore()
      compile.mockRestore()
    }
  })

  const onX64 = process.arch === 'x64' ? test : test.skip
  onX64('a real engine whose processor has no vectors', async () => {
    const script = `
      const { loadPolicy } = await import(${JSON.stringify(pathToFileURL(`${root}/dist/policy/index.js`).href)})
      const error = await loadPolicy({ description: null, weights: null, core: null }).catch((error) => error)
      console.log(error.name, error.message)`
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--no-enable-sse4-1',
      '--input-type=module',
      '-e',
      script,
    ])
    expect(stdout).toContain('UsageError This runtime has no WebAssembly SIMD')
    const usual = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    expect(usual.stdout).toContain('UsageError The weights must be bytes, got null.')
  })
})

test('the entry and its core are small: 40 KB compressed at the most', async () => {
  const args = ['--bundle', '--minify', '--format=esm', '--log-level=error', `${root}/dist/policy/index.js`]
  const { stdout } = await promisify(execFile)(`${root}/node_modules/.bin/esbuild`, args)
  const sizes = [stdout, bytes].map((content) => gzipSync(content, { level: 9 }).length)
  expect(sizes[0] + sizes[1]).toBeLessThan(40_000)
  expect(sizes[0]).toBeLessThan(11_900)
  expect(sizes[1]).toBeLessThan(6_000)
})

test('the core of policies has their three ops, no data and no memory of its own', async () => {
  expect(
    WebAssembly.Module.exports(core)
      .filter(({ kind }) => kind === 'function')
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['act', 'actTogether', 'boundRows'])
  expect(WebAssembly.Module.imports(core)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }])
  const memory = new WebAssembly.Memory({ initial: 1 })
  new Uint8Array(memory.buffer).fill(0xab)
  await WebAssembly.instantiate(core, { env: { memory } })
  expect(new Uint8Array(memory.buffer).every((byte) => byte === 0xab)).toBe(true)
})
