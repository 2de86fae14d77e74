// The same actions, bit by bit, wherever the same population is loaded.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { headNames } from '../../src/nn/policy.ts'
import { encodePolicy } from '../../src/policy/description.ts'
import { loadPolicy } from '../../src/policy/policy.ts'
import type { Who } from '../../src/policy/request.ts'
import { binaryOf, hasNested } from '../nested.ts'
import { core, coreFile, observationsOf, populationOf, shapeOf } from './exported.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bundler = join(root, 'node_modules/.bin/esbuild')
const inRuntime = (name: string) => (hasNested(name) ? test : test.skip)
const runtime = (name: string) => fileURLToPath(new URL(`runtimes/${name}`, import.meta.url))
const run = async (file: string, ...args: string[]) => (await promisify(execFile)(file, args)).stdout

interface Directory {
  path: string
  requests: object[]
  expected: (number | number[])[]
}

const directories: Record<string, Directory> = {}
let top: string

/** A population, requests of every kind and what this process answers. */
async function prepare(head: (typeof headNames)[number]): Promise<Directory> {
  const path = join(top, head)
  const normalisation = { mean: [0.1, 0.2, 0.3], deviation: [1, 2, 3], clip: 2 }
  const { description, weights } = encodePolicy(populationOf(shapeOf(head, { hidden: [64, 64] }), { normalisation }))
  const policy = await loadPolicy({ description, weights, core })
  const whos: Who[] = ['best', 4, 'per-episode', 'per-call', 'mean']
  const requests = Array.from({ length: 30 }, (_, k) => ({
    observation: [...observationsOf(1, 3, k)],
    particle: whos[k % whos.length],
    greedy: k % 2 === 0,
    ...{ seed: 2 ** 45 + k, episode: k, step: 3 * k },
  }))
  const expected = requests.map(({ observation, ...options }) => {
    const action = policy.act(observation, options)
    return typeof action === 'number' ? action : [...action]
  })
  await mkdir(join(path, 'policy'), { recursive: true })
  await writeFile(join(path, 'policy.json'), JSON.stringify(description))
  await writeFile(join(path, 'policy.safetensors'), weights)
  await writeFile(join(path, 'requests.json'), JSON.stringify(requests))
  await copyFile(coreFile, join(path, 'steinrl-policy.wasm'))
  // The example as it stands, next to an export.
  await copyFile(join(path, 'policy.json'), join(path, 'policy/policy.json'))
  await bundle(join(root, 'examples/edge/worker.js'), path)
  return { path, requests, expected }
}

/** Builds a worker into a directory as wrangler does: modules that are no JavaScript stay outside. */
async function bundle(source: string, path: string): Promise<void> {
  const copy = join(path, 'source.js')
  await copyFile(source, copy)
  const options = ['--bundle', '--minify', '--format=esm', '--log-level=error']
  const outside = ['--external:*.wasm', '--external:*.safetensors']
  const entry = `--alias:steinrl/policy=${join(root, 'dist/policy/index.js')}`
  await run(bundler, copy, ...options, ...outside, entry, `--outfile=${join(path, 'worker.js')}`)
}

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'steinrl-runtimes-'))
  for (const head of headNames) directories[head] = await prepare(head)
})
afterAll(() => rm(top, { recursive: true, force: true }))

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "steinrl/policy.wasm", wasm = embed "steinrl-policy.wasm"),
    (name = "policy/policy.safetensors", data = embed "policy.safetensors"),
  ],
  compatibilityDate = "2026-01-01",
);
`

/** Serves the worker of a directory in workerd while `use` runs. */
async function inWorkerd(path: string, use: (url: string) => Promise<void>, config = CONFIG): Promise<void> {
  await writeFile(join(path, 'config.capnp'), config)
  const server: ChildProcess = spawn(binaryOf('workerd'), ['serve', join(path, 'config.capnp'), '--control-fd=1'])
  const errors: string[] = []
  server.stderr?.on('data', (text) => errors.push(String(text)))
  const ended = once(server, 'close')
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.stdout?.on('data', (text) => resolve(JSON.parse(String(text).split('\n')[0]).port))
      server.on('error', reject)
      server.on('exit', (code) => reject(new Error(`workerd ended with ${code}: ${errors.join('')}`)))
    })
    await use(`http://127.0.0.1:${port}/`)
    expect(errors.join('')).toBe('')
  } finally {
    server.kill()
    await ended
  }
}

describe.each(headNames)('%s', (head) => {
  test.each(
    (
      [
        ['Node', process.execPath, []],
        ['Bun', binaryOf('bun'), ['run']],
        ['Deno', binaryOf('deno'), ['run', '--quiet', '--node-modules-dir=manual', '--allow-read']],
      ] as const
    ).filter(([, file]) => existsSync(file)),
  )('%s', async (_, file, args) => {
    const { path, expected } = directories[head]
    expect(JSON.parse(await run(file, ...args, runtime('act.js'), path))).toEqual(expected)
  })

  inRuntime('workerd')('workerd, as a fetch handler', async () => {
    const { path, requests, expected } = directories[head]
    await inWorkerd(path, async (url) => {
      const post = async (body: string) => {
        const response = await fetch(url, { method: 'POST', body })
        return { status: response.status, body: await response.json() }
      }
      for (const [k, request] of requests.entries()) {
        expect(await post(JSON.stringify(request))).toEqual({ status: 200, body: { action: expected[k] } })
      }
      expect(await post('{ "observation": [1] }')).toEqual({
        status: 400,
        body: { error: 'An observation must be 3 numbers, got 1.' },
      })
      expect((await post('no JSON')).status).toBe(400)
    })
  })

  inRuntime('miniflare')('miniflare, as a fetch handler', async () => {
    const { path, expected } = directories[head]
    const answers = JSON.parse(await run(process.execPath, join(root, 'test/browser/miniflare.js'), path))
    expect(answers).toEqual(expected.map((action) => ({ action })))
  })
})

inRuntime('workerd')('workerd is as strict as the edge: bytes are refused, with a sentence', async () => {
  const { path } = directories.gaussian
  const own = join(top, 'bytes')
  await cp(path, own, { recursive: true })
  await bundle(runtime('bytes-worker.js'), own)
  const asData = CONFIG.replace('wasm = embed', 'data = embed')
  await inWorkerd(
    own,
    async (url) => {
      expect(await (await fetch(url)).text()).toMatch(
        /^UsageError: The core cannot be compiled here: .*disallowed.*; a WebAssembly\.Module can be given instead\.$/,
      )
    },
    asData,
  )
})
