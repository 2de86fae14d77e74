import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Draw, Purpose } from '../../src/core/random.ts'
import { type AnyTrainOptions, train } from '../../src/train/train.ts'

/** One op's random numbers: whose key and counter, which blocks of four, and by which op. */
interface Stream {
  readonly counter: string
  readonly first: number
  readonly end: number
  readonly op: string
}

const streams: Stream[] = []

/** What an op draws, from its arguments as core/ops.ts names them. Episodes inside the core are left aside. */
const drawnBy: Readonly<Record<string, (...args: number[]) => Stream[]>> = {
  fillUniform: (_, count, lo, hi, purpose, particle, environment, step, first = 0) => [
    streamOf('fillUniform', [lo, hi, purpose, particle, environment, step], first, count),
  ],
  fillNormal: (_, count, lo, hi, purpose, particle, environment, step, first = 0) => [
    streamOf('fillNormal', [lo, hi, purpose, particle, environment, step], first, count),
  ],
  deriveSeed: (_, lo, hi, purpose, particle, environment, step) => [
    streamOf('deriveSeed', [lo, hi, purpose, particle, environment, step], 0, 1),
  ],
  act: (_policy, _particle, _observation, rows, _action, _list, greedy, purpose, stream, step, lo, hi) =>
    greedy ? [] : Array.from({ length: rows }, (_, row) => streamOf('act', [lo, hi, purpose, stream, row, step], 0, 4)),
}

function streamOf(op: string, counter: readonly number[], first: number, count: number): Stream {
  return { counter: counter.map((word) => word >>> 0).join(' '), first, end: first + Math.ceil(count / 4), op }
}

/** A shuffle is drawn again in every pass over its rows. */
const AGAIN = [Purpose.passes, Purpose.minibatch].map(String)

const isAgain = (a: Stream, b: Stream) =>
  a.op === b.op && a.first === b.first && a.end === b.end && AGAIN.includes(a.counter.split(' ')[2])

/** Streams that share a block of numbers. */
function meetings(all: readonly Stream[]): string[] {
  const known = new Map<string, Stream[]>()
  const found: string[] = []
  for (const stream of all) {
    const others = known.get(stream.counter) ?? []
    for (const other of others)
      if (stream.first < other.end && other.first < stream.end && !isAgain(stream, other))
        found.push(`${other.op} and ${stream.op} at ${stream.counter}`)
    known.set(stream.counter, [...others, stream])
  }
  return [...new Set(found)]
}

/** An instance of the core whose calls are written down. */
function recorded(instance: WebAssembly.Instance): WebAssembly.Instance {
  const exports = { ...instance.exports }
  for (const [name, streamsOf] of Object.entries(drawnBy)) {
    const op = exports[name] as ((...args: number[]) => unknown) | undefined
    if (op)
      exports[name] = (...args: number[]) => {
        streams.push(...streamsOf(...args))
        return op(...args)
      }
  }
  return { exports } as WebAssembly.Instance
}

const { Instance, instantiate } = WebAssembly
beforeEach(() => {
  streams.length = 0
  Object.assign(WebAssembly, {
    Instance: function make(module: WebAssembly.Module, imports: WebAssembly.Imports) {
      return recorded(new Instance(module, imports))
    },
    // tfjs gives bytes, and gets its module beside the instance.
    instantiate: async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
      const result = await instantiate(module, imports)
      return module instanceof WebAssembly.Module ? recorded(result) : result
    },
  })
})
afterEach(() => void Object.assign(WebAssembly, { Instance, instantiate }))

const onPolicy = { particles: 3, environments: 2, steps: 20, hidden: [4], iterations: 3, seed: 3 }
const offPolicy = { environments: 2, hidden: [4], batchSize: 8, warmup: 4, steps: 8, iterations: 3, seed: 3 }
const adr = { particles: 3, environments: 2, steps: 20, hidden: [4], iterations: 3, references: 2, transitionBatch: 8 }

const runs: Readonly<Record<string, AnyTrainOptions>> = {
  svpg: { env: 'CartPole-v1', ...onPolicy },
  'svpg, PPO with a critic': { env: 'Pendulum-v1', estimator: 'ppo', criticHidden: [4], minibatches: 2, ...onPolicy },
  'svpg, behaviour': { env: 'CartPole-v1', kernel: 'js', ...onPolicy },
  'svpg, functions': { env: 'CartPole-v1', kernel: 'function', ...onPolicy },
  sac: { algorithm: 'sac', env: 'Pendulum-v1', ...offPolicy },
  sql: { algorithm: 'sql', env: 'Pendulum-v1', ...offPolicy },
  s2ac: { algorithm: 's2ac', env: 'Pendulum-v1', ...offPolicy },
  adr: { algorithm: 'adr', env: 'Pendulum-v1', ranges: { gravity: [8, 12] }, seed: 3, ...adr },
}

/** A seed of the critic's shuffles is made of the words that its first weights are: it is the key of other numbers. */
const criticSeeds = (particles: number) =>
  Array.from({ length: particles }, (_, i) => `fillNormal and deriveSeed at 3 0 ${Purpose.critic} ${i} 0 0`)

/**
 * Meetings that are known and stay, as numbers that are recorded depend on them. Layer l of the discriminator of adr
 * shares its first weights' words with the rows that iteration l draws first.
 */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'svpg, PPO with a critic': criticSeeds(3),
  adr: [
    ...criticSeeds(1),
    ...[0, 1, 2].map((l) => `fillNormal and fillUniform at 3 0 ${Purpose.discriminator} 0 ${l} 0`),
  ],
}

test.each(Object.keys(runs))('no two draws of a training share a random number but known ones: %s', async (name) => {
  for await (const _ of train(runs[name]));
  expect(streams.length).toBeGreaterThan(5)
  expect(meetings(streams).sort()).toEqual([...(KNOWN[name] ?? [])].sort())
})

test('draws that share a block are found', () => {
  const one = streamOf('a', [1, 0, 17, 0, 0, 5], 0, 9)
  expect(meetings([one, streamOf('b', [1, 0, 17, 0, 0, 5], 2, 4)])).toEqual(['a and b at 1 0 17 0 0 5'])
  expect(meetings([one, streamOf('b', [1, 0, 17, 0, 0, 5], 3, 4), streamOf('c', [1, 0, 17, 0, 1, 5], 0, 9)])).toEqual(
    [],
  )
})

test('purposes are different numbers below 256', () => {
  const numbers = Object.values(Purpose)
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(Math.max(...numbers)).toBeLessThan(256)
})

test('the sets of particles of a Stein policy and its choices do not share a draw', () => {
  const { driven, driving, next, current, choice } = Draw.stein
  const numbers = [next + driven, next + driving, current + driven, current + driving, choice]
  expect(new Set(numbers).size).toBe(numbers.length)
})
