// Run directories that somebody else wrote or damaged: read or refused with a sentence, and nothing else. Used by a
// test for some cases and by `npm run fuzz` for many.
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isExpected } from '../../src/core/errors.ts'
import { type Generator, generator, uniformInteger } from '../../src/core/generator.ts'
import { decodeTensors, encodeTensors } from '../../src/core/safetensors.ts'
import { decodeState, encodeState } from '../../src/core/state-file.ts'
import { exportRun } from '../../src/export/run.ts'
import { createRun, finishRun, record } from '../../src/train/record.ts'
import { loadAgents } from '../../src/train/run-directory.ts'
import { type AlgorithmName, evaluate, type TrainOptions, train } from '../../src/train/train.ts'

const tiny = { iterations: 1, environments: 2, steps: 16, hidden: [4], seed: 1 }
const offPolicy = { warmup: 8, batchSize: 8, replaySize: 64 }
const RUNS: readonly TrainOptions<AlgorithmName>[] = [
  { algorithm: 'svpg', env: 'CartPole-v1', ...tiny, particles: 2, workers: 0 },
  { algorithm: 'svpg', env: 'MultiGoal-v0', ...tiny, particles: 2, workers: 0 },
  { algorithm: 'sac', env: 'MultiGoal-v0', ...tiny, ...offPolicy },
  { algorithm: 'sql', env: 'MultiGoal-v0', ...tiny, ...offPolicy },
  { algorithm: 's2ac', env: 'MultiGoal-v0', ...tiny, ...offPolicy },
]

/** Trains the runs that are damaged, into folders of their own. */
export async function trainRuns(directory: string): Promise<string[]> {
  const paths: string[] = []
  for (const [k, options] of RUNS.entries()) {
    const path = join(directory, `run-${k}`)
    const run = await createRun(path, { ...options } as Parameters<typeof createRun>[1])
    let particles = 0
    for await (const step of record(run, train(options))) particles = step.agents().particles
    const returns = Array.from({ length: particles }, (_, i) => i)
    await finishRun(run, 'Finished.', { episodes: 1, greedy: returns, sampled: returns })
    paths.push(path)
  }
  return paths
}

/** What became of a case. */
export interface Outcome {
  readonly what: string
  /** Null where it was read and played. */
  readonly refusal: string | null
}

/**
 * Damages one file of a run in a way that follows from the case's number, reads the run, plays an episode and exports
 * it.
 *
 * @throws whatever is not a refusal in one sentence
 */
export async function damagedCase(number: number, runs: readonly string[], scratch: string): Promise<Outcome> {
  const random = randomFrom(generator(number))
  const path = join(scratch, 'run')
  const out = join(scratch, 'exported')
  await rm(path, { recursive: true, force: true })
  await rm(out, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  const source = random.any(runs)
  await cp(source, path, { recursive: true })
  const file = random.any([
    'config.json',
    'particles.safetensors',
    'particles.safetensors',
    'evaluation.json',
    'metrics.jsonl',
    await checkpointOf(path),
  ])
  const bytes = new Uint8Array(await readFile(join(path, file)))
  await writeFile(join(path, file), damaged(file, bytes, random))
  const what = `case ${number}: ${file} of ${source}`
  try {
    const agents = await loadAgents(path)
    if (file.startsWith('checkpoint')) await goOn(path)
    agents.act(new Float32Array(agents.observations).fill(0.5))
    await evaluate({ agents, episodes: 1 })
    if (random.below(4) === 0) await exportRun({ run: path, out })
    return { what, refusal: null }
  } catch (error) {
    const { message } = error as Error
    if (!isExpected(error)) throw new Error(`${what} threw ${(error as Error).stack?.slice(0, 800)}`)
    if (!/^[^\n]+\.$/.test(message) || message.length > 700 || /undefined is|\[object/.test(message))
      throw new Error(`${what} is refused by more than a sentence: ${message.slice(0, 800)}`)
    return { what, refusal: message }
  }
}

const checkpointOf = async (path: string) => `checkpoint/${(await readdir(join(path, 'checkpoint')))[0]}`

/** Takes the run up and goes one iteration on. */
async function goOn(path: string): Promise<void> {
  const steps = train({ resume: path, iterations: 2 })
  await steps.next()
  await steps.return(undefined)
}

interface Random {
  below(n: number): number
  any<T>(list: readonly T[]): T
}

const randomFrom = (g: Generator): Random => ({
  below: (n) => uniformInteger(g, Math.max(n, 1)),
  // Of nothing nothing.
  any: (list) => list[uniformInteger(g, Math.max(list.length, 1))],
})

function damaged(file: string, bytes: Uint8Array, random: Random): Uint8Array {
  const { below } = random
  if (below(3) === 0)
    return withDamagedBytes(bytes, file.endsWith('.safetensors') && below(3) ? headerEnd(bytes) : bytes.length, random)
  if (file.startsWith('checkpoint')) return withChangedState(bytes, random)
  if (file.endsWith('.safetensors')) return withChangedTensors(bytes, random)
  const text = new TextDecoder().decode(bytes)
  const change = (json: string) => {
    const changed = changedValue(JSON.parse(json), random)
    return JSON.stringify(below(3) ? changed : changedValue(changed, random)) ?? ''
  }
  return new TextEncoder().encode(
    file.endsWith('.jsonl') ? text.split('\n').filter(Boolean).map(change).join('\n') : change(text),
  )
}

const headerEnd = (bytes: Uint8Array) => 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)

const TOKENS = [...'{}[]",:-0123456789eE.n\\u'].map((character) => character.charCodeAt(0))

function withDamagedBytes(bytes: Uint8Array, end: number, { below, any }: Random): Uint8Array {
  const list = [...bytes]
  const value = () => (below(2) ? any(TOKENS) : below(256))
  for (let damages = 1 + below(3); damages > 0; damages--) {
    const at = below(Math.max(Math.min(end, list.length), 1))
    const kind = below(5)
    if (kind === 0) list.splice(at, 1, value())
    else if (kind === 1) list.splice(at, 0, ...Array.from({ length: 1 + below(6) }, value))
    else if (kind === 2) list.splice(at, 1 + below(8))
    else if (kind === 3) list.splice(at, 4, ...list.slice(below(list.length + 1)).slice(0, 4))
    else if (below(4) === 0) list.length = at
  }
  return Uint8Array.from(list)
}

/** A file that is a good one of another content: other metadata, numbers that no training gives. */
function withChangedTensors(bytes: Uint8Array, random: Random): Uint8Array {
  const { below, any } = random
  const { tensors, metadata } = decodeTensors(bytes)
  const names = Object.keys(tensors)
  if (below(2) === 0) {
    const key = any(Object.keys(metadata))
    let value: string
    try {
      value = JSON.stringify(changedValue(JSON.parse(metadata[key]), random)) ?? ''
    } catch {
      const hostile = any(HOSTILE)
      value = JSON.stringify(hostile) ?? String(hostile)
    }
    return encodeTensors({ tensors, metadata: { ...metadata, [key]: value } })
  }
  const name = any(names)
  const { shape, data } = tensors[name]
  const values = data.slice()
  const extreme = any([3e38, -3e38, 1e20, 1e-45, Number.NaN, Number.POSITIVE_INFINITY, 1e4])
  if (below(2)) values.fill(extreme)
  else if (values.length > 0) values[below(values.length)] = extreme
  const changed = { ...tensors, [name]: { shape, data: values } }
  if (below(6) === 0) delete (changed as Record<string, unknown>)[name]
  return encodeTensors({ tensors: changed, metadata })
}

/** A checkpoint whose checksum is right: of another state, with the same settings, which may be any. */
function withChangedState(bytes: Uint8Array, random: Random): Uint8Array {
  const { below, any } = random
  const { about, arrays, values } = decodeState('training', bytes)
  const { config, ...rest } = about as { config: object }
  const kind = below(3)
  if (kind === 0)
    return encodeState('training', { config, ...(changedValue(rest, random) as object) }, { arrays, values })
  if (kind === 1) {
    const changed = changedValue(values, random) as Record<string, unknown>
    return encodeState('training', about, { arrays, values: changed })
  }
  const name = any(Object.keys(arrays))
  const array = arrays[name].slice()
  if (array.length > 0) array[below(array.length)] = any([3e38, Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 31])
  const changed = below(3) ? array : array.slice(0, below(array.length + 1))
  return encodeState('training', about, { arrays: { ...arrays, [name]: changed }, values })
}

const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)])
/** Values that are nearly right, in places where they may be. */
const HOSTILE: readonly unknown[] = [
  ...[
    0,
    -1,
    1,
    2,
    3,
    0.5,
    1e9,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e308,
    -0,
    1e-300,
    null,
    true,
    false,
    '',
    '3',
    'auto',
    'svpg',
    'sac',
  ],
  ...[
    'gaussian',
    'categorical',
    'CartPole-v1',
    'MultiGoal-v0',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ],
  ...[[], {}, [4], [1, 2, 3], [null], [[]], nested(150), { constructor: 1 }, { length: 1e9 }],
]

function changedValue(value: unknown, random: Random): unknown {
  const { below, any } = random
  if (typeof value !== 'object' || value === null || below(6) === 0) return any(HOSTILE)
  const copy = structuredClone(value) as Record<string, unknown>
  const key = any(Object.keys(copy).concat(below(10) ? [] : ['__proto__', 'constructor', 'extra']))
  if (key === undefined || below(8) === 0) {
    delete copy[key]
    return copy
  }
  const [enumerable, configurable, writable] = [true, true, true]
  return Object.defineProperty(copy, key, {
    value: changedValue(copy[key], random),
    enumerable,
    configurable,
    writable,
  })
}
