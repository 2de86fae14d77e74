import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { generator, uniform } from '../src/core/generator.ts'
import { policyOf } from '../src/nn/policy.ts'
import { encodePolicy } from '../src/policy/description.ts'
import { loadPolicy } from '../src/policy/policy.ts'
import type { ActOptions } from '../src/policy/request.ts'
import { measure, type Report } from './harness.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const coreFile = join(root, 'dist/steinrl-policy.wasm')
const PROCESSES = 21
/** Calls in one sample. */
const CALLS = 1000

/**
 * steinrl/policy as an edge runtime has it: bytes of the bundled entry and its core, start-up in fresh processes, and
 * one action of eight policies of 4-64-64-2.
 */
export default async function bench(): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'steinrl-bench-'))
  try {
    const bundle = join(directory, 'policy.mjs')
    const options = ['--bundle', '--minify', '--format=esm', '--log-level=error', `--outfile=${bundle}`]
    execFileSync(join(root, 'node_modules/.bin/esbuild'), [join(root, 'dist/policy/index.js'), ...options])
    writePolicies(directory)
    const rows = [...sizes(bundle), ...startUp(bundle, directory), ...(await actions(directory))]
    return { rows, table: rows }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function writePolicies(directory: string): void {
  const policy = policyOf({ observations: 4, hidden: [64, 64], head: { name: 'categorical', actions: 2 } })
  const numbers = generator(0)
  const theta = Float32Array.from({ length: 8 * policy.size }, () => uniform(numbers) - 0.5)
  const { description, weights } = encodePolicy({ env: 'CartPole-v1', policy, theta, particles: 8, best: 0 })
  writeFileSync(join(directory, 'policy.json'), JSON.stringify(description))
  writeFileSync(join(directory, 'policy.safetensors'), weights)
  copyFileSync(coreFile, join(directory, 'core.wasm'))
}

function sizes(bundle: string): object[] {
  return [
    { name: 'JavaScript', path: bundle },
    { name: 'WASM', path: coreFile },
  ].map(({ name, path }) => {
    const bytes = readFileSync(path)
    return { name, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
  })
}

function startUp(bundle: string, directory: string): object[] {
  const script = fileURLToPath(new URL('policy-start.js', import.meta.url))
  const times = Array.from({ length: PROCESSES }, () =>
    JSON.parse(execFileSync(process.execPath, [script, bundle, directory], { encoding: 'utf8' })),
  )
  return ['imported', 'loaded', 'processor'].map((name) => {
    const sorted = times.map((time) => time[name]).sort((a, b) => a - b)
    return { name, ms: sorted[PROCESSES >> 1], min: sorted[0], max: sorted[PROCESSES - 1], samples: PROCESSES }
  })
}

async function actions(directory: string): Promise<object[]> {
  const read = (name: string) => readFileSync(join(directory, name))
  const core = read('core.wasm')
  const policy = await loadPolicy({
    description: read('policy.json').toString(),
    weights: read('policy.safetensors'),
    core,
  })
  const observation = Float32Array.of(0.1, 0.2, 0.3, 0.4)
  const cases: Record<string, ActOptions> = {
    'act, greedy': {},
    'act, drawn': { greedy: false },
    'act, Thompson sampling': { particle: 'per-episode' },
    'act, mean of 8': { particle: 'mean' },
  }
  let sink = 0
  const rows = await measure(
    'act',
    Object.entries(cases).map(([name, options]) => ({
      name,
      params: { particles: 8, network: '4-64-64-2' },
      run: () => {
        for (let step = 0; step < CALLS; step++) sink += Number(policy.act(observation, { ...options, step }))
      },
      derive: (ms) => ({ microsecondsPerAction: (1000 * ms) / CALLS }),
    })),
  )
  return rows.map((row) => ({ ...row, sink }))
}
