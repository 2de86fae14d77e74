// Files that somebody else wrote: read or refused with a sentence, and nothing else.
import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/core/errors.ts'
import { generator, uniformInteger } from '../../src/core/generator.ts'
import { encodeTensors } from '../../src/core/safetensors.ts'
import { headNames } from '../../src/nn/policy.ts'
import { encodePolicy } from '../../src/policy/description.ts'
import { loadPolicy } from '../../src/policy/policy.ts'
import { core, populationOf, shapeOf } from './exported.ts'

const good = encodePolicy(populationOf(shapeOf('gaussian', { hidden: [4] }), { particles: 2, best: 1 }))
const { description, weights } = good
const squashed = encodePolicy(populationOf(shapeOf('squashed-gaussian', { hidden: [4] }), { particles: 2, best: 1 }))
const classes = encodePolicy(populationOf(shapeOf('categorical', { hidden: [4] }), { particles: 2, best: 1 }))

async function refusal(files: { description: unknown; weights?: unknown }): Promise<string> {
  try {
    await loadPolicy({ weights, ...files, core } as Parameters<typeof loadPolicy>[0])
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    const { message } = error as UsageError
    expect(message).toMatch(/^[^\n]+\.$/)
    expect(message.length).toBeLessThan(500)
    expect(message).not.toMatch(/undefined is|\[object/)
    return message
  }
  return 'not refused'
}

const lists = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const withPolicy = (changes: object) => ({ ...description, policy: { ...description.policy, ...changes } })
const normalisation = { mean: [0, 0, 0], deviation: [1, 1, 1], clip: 5 }
const bounds = description.bounds as NonNullable<typeof description.bounds>

describe('a description that is wrong is refused', () => {
  test.each<[name: string, description: unknown, says: string]>([
    ['no JSON', '{"format": ', 'The description of the policy is damaged: it is no JSON.'],
    ['empty', '', 'no JSON'],
    ['null', null, 'no JSON object'],
    ['a list', [], 'no JSON object'],
    ['a number', 7, 'no JSON object'],
    ['nested deeply', lists(200_000), 'JSON'],
    ['another format', { ...description, format: 'layers-model' }, 'its format is not "steinrl-policy".'],
    ['a later version', { ...description, version: 2 }, 'its version is not 1.'],
    ['no env', { ...description, env: undefined }, 'its env is no text.'],
    ['no policy', { ...description, policy: undefined }, 'it describes no policy'],
    ['a policy nested deeply', JSON.parse(`{"policy":${lists(100_000)}}`), 'format'],
    ['an unknown head', withPolicy({ head: { name: 'beta', actions: 3 } }), 'no policy'],
    ['a head of a long name', withPolicy({ head: { name: 'x'.repeat(1e6), actions: 3 } }), 'no policy'],
    ['a head from Object', withPolicy({ head: { name: 'constructor', actions: 3 } }), 'no policy'],
    ['no actions', withPolicy({ head: { name: 'gaussian', actions: 0 } }), 'actions must be a whole number'],
    ['an unknown activation', withPolicy({ activation: 'toString' }), 'no policy'],
    ['a width below 1', withPolicy({ hidden: [-4] }), 'width'],
    ['a broken width', withPolicy({ hidden: [4.5] }), 'width'],
    ['a width that is no number', withPolicy({ hidden: ['4'] }), 'no policy'],
    ['an infinite width', withPolicy({ hidden: [Number.POSITIVE_INFINITY] }), 'no policy'],
    ['huge widths', withPolicy({ hidden: [2 ** 50, 2 ** 50] }), 'theta has shape [2,34], but the description needs'],
    ['more layers than a network has', withPolicy({ hidden: Array(1e6).fill(1) }), 'more than 1000 hidden layers'],
    ['other widths', withPolicy({ hidden: [5] }), 'theta has shape [2,34], but the description needs [2,41]'],
    ['no particles', { ...description, particles: 0 }, 'the number of particles must be a whole number from 1'],
    ['more particles', { ...description, particles: 3 }, 'needs [3,34]'],
    ['a billion particles', { ...description, particles: 1e9 }, 'to 1000000, got 1000000000'],
    [
      'a best that is none of them',
      { ...description, best: 2 },
      'the best particle must be a whole number from 0 to 1, got 2.',
    ],
    ['no best', { ...description, best: undefined }, 'the best particle'],
    ['a best that inherits', { ...description, best: '__proto__' }, 'got "__proto__"'],
    ['no bounds', { ...description, bounds: null }, 'its bounds is no object.'],
    [
      'bounds of another length',
      { ...description, bounds: { low: [], high: [] } },
      'its bounds.low must be 3 finite numbers or nulls.',
    ],
    [
      'bounds the wrong way round',
      { ...description, bounds: { ...bounds, low: [9, 9, 9] } },
      'its bounds of action 0 are 9 to 0.75.',
    ],
    ['infinite bounds', { ...description, bounds: { ...bounds, high: [1, 2, Number.NaN] } }, 'its bounds.high must be'],
    ['normalisation missing', { ...description, normalisation: undefined }, 'its normalisation is no object.'],
    [
      'a deviation of zero',
      { ...description, normalisation: { ...normalisation, deviation: [1, 0, 1] } },
      'deviation must be 3 finite numbers above 0.',
    ],
    [
      'a mean of another length',
      { ...description, normalisation: { ...normalisation, mean: [0] } },
      'mean must be 3 finite numbers.',
    ],
    [
      'a clip of zero',
      { ...description, normalisation: { ...normalisation, clip: 0 } },
      'its normalisation.clip is no finite number above 0.',
    ],
  ])('%s', async (_, wrong, says) => {
    expect(await refusal({ description: wrong })).toContain(says)
  })

  test('of a squashed head without a bound, and of classes with bounds', async () => {
    const open = { ...squashed.description, bounds: { ...bounds, low: [null, -1, -1] } }
    expect(await refusal({ ...squashed, description: open })).toContain('its bounds.low must be 3 finite numbers.')
    expect(await refusal({ ...classes, description: { ...classes.description, bounds } })).toContain(
      'classes have none',
    )
  })

  test('keys that are special in JavaScript give nothing and leave nothing behind', async () => {
    const text = JSON.stringify(description)
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const polluted = text.replace('{', `{"${key}":{"polluted":1,"best":0,"toString":2},`)
      const { description: read } = await loadPolicy({ description: polluted, weights, core })
      expect(read).toEqual(description)
      // Inherited fields are not fields.
      const { format, ...rest } = description
      const inherited = JSON.stringify(rest).replace('{', `{"${key}":{"format":"steinrl-policy"},`)
      expect(await refusal({ description: inherited })).toContain('format')
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(String({})).toBe('[object Object]')
  })
})

describe('weights that are wrong are refused', () => {
  const size = weights.length
  const header = (json: unknown, data = 0) => {
    const text = new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json))
    const file = new Uint8Array(8 + text.length + data)
    new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
    file.set(text, 8)
    return file
  }
  const theta = { dtype: 'F32', shape: [2, 34], data_offsets: [0, 272] }
  const values = (change: (data: Float32Array) => void) => {
    const data = new Float32Array(68)
    change(data)
    return encodeTensors({ tensors: { theta: { shape: [2, 34], data } }, metadata: {} })
  }

  test.each<[name: string, weights: unknown, says: string]>([
    ['none', undefined, 'The weights must be bytes, got undefined.'],
    ['a text', 'theta', 'The weights must be bytes, got "theta".'],
    ['empty', new Uint8Array(0), 'The weights of the policy are damaged: it has 0 bytes'],
    ['cut', weights.subarray(0, size - 1), 'only 271 are there'],
    ['too long', Uint8Array.of(...weights, 0), 'the file has 273 bytes of data'],
    ['without theta', encodeTensors({ tensors: {}, metadata: {} }), 'its theta is not there'],
    ['theta from Object', header({ constructor: theta }, 272), 'its theta is not there'],
    [
      'another shape',
      header({ theta: { ...theta, shape: [34, 2] } }, 272),
      'its theta has shape [34,2], but the description needs [2,34].',
    ],
    ['flat', header({ theta: { ...theta, shape: [68] } }, 272), 'shape [68]'],
    [
      'huge',
      header({ theta: { ...theta, shape: [2 ** 40, 34], data_offsets: [0, 2 ** 40 * 136] } }),
      'only 0 are there',
    ],
    [
      'an overlap',
      header({ theta, other: { ...theta, data_offsets: [136, 272], shape: [34] } }, 272),
      'begins at byte 136 of the data, not at 272',
    ],
    ['offsets beyond', header({ theta: { ...theta, data_offsets: [272, 544] } }, 272), 'ends at byte 544'],
    ['a dtype nested deeply', header(`{"theta":{"dtype":${lists(100_000)}}}`), 'has dtype a list; only F32'],
    ['a long dtype', header({ theta: { ...theta, dtype: 'F'.repeat(1e6) } }), 'only F32'],
    ['a long name', header({ ['x'.repeat(1e6)]: 3 }), 'x…'],
    ['a shape of a million dimensions', header({ theta: { ...theta, shape: Array(1e6).fill(1) } }), 'no valid shape'],
    ['a header that begins with a blank', header(` ${JSON.stringify({ theta })}`, 272), 'not a JSON object'],
    ['a byte order mark', header(`\ufeff${JSON.stringify({ theta })}`, 272), 'not a JSON object'],
    ['NaN', values((data) => data.fill(Number.NaN, 40, 41)), 'parameter 6 of particle 1 is NaN.'],
    [
      'infinite',
      values((data) => data.fill(Number.NEGATIVE_INFINITY, 0, 1)),
      'parameter 0 of particle 0 is -Infinity.',
    ],
  ])('%s', async (_, wrong, says) => {
    expect(await refusal({ description, weights: wrong })).toContain(says)
  })

  test('bytes of every kind are read', async () => {
    const shifted = new Uint8Array(size + 3).subarray(3)
    shifted.set(weights)
    const { buffer } = weights.slice()
    const expected = (await loadPolicy({ description, weights, core })).act([1, 2, 3])
    for (const bytes of [shifted, Buffer.from(weights), buffer, new DataView(buffer)]) {
      expect((await loadPolicy({ description, weights: bytes, core })).act([1, 2, 3])).toEqual(expected)
    }
  })
})

test('10,000 damaged files are read or refused, and what is read acts', async () => {
  const numbers = generator(11)
  const below = (n: number) => uniformInteger(numbers, Math.max(n, 1))
  const any = <T>(list: readonly T[]): T => list[below(list.length)]
  const files = headNames.map((name) =>
    encodePolicy(
      populationOf(shapeOf(name, { hidden: [4], activation: any(['tanh', 'relu']) }), {
        particles: 2,
        best: 1,
        normalisation,
      }),
    ),
  )
  const tokens = [...'{}[]",:-0123456789eE.n\\u'].map((character) => character.charCodeAt(0))

  const damagedBytes = (bytes: Uint8Array, end: number): Uint8Array => {
    const list = [...bytes]
    for (let damages = 1 + below(3); damages > 0; damages--) {
      const at = below(Math.min(end, list.length))
      const value = () => (below(2) ? any(tokens) : below(256))
      const kind = below(5)
      if (kind === 0) list.splice(at, 1, value())
      else if (kind === 1) list.splice(at, 0, ...Array.from({ length: 1 + below(6) }, value))
      else if (kind === 2) list.splice(at, 1 + below(8))
      else if (kind === 3) list.splice(at, 4, ...list.slice(below(list.length)).slice(0, 4))
      else if (below(4) === 0) list.length = at
    }
    return Uint8Array.from(list)
  }

  /** Values that are nearly right, in places where they may be. */
  const hostile = [
    0,
    -1,
    1,
    2,
    3,
    4,
    0.5,
    1e9,
    2 ** 31,
    2 ** 53,
    1e308,
    -0,
    null,
    true,
    '',
    '3',
    'gaussian',
    'categorical',
    [],
    {},
    [4],
    [1, 2, 3],
    [null],
  ]
  const changed = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || below(5) === 0) return any(hostile)
    const copy = structuredClone(value) as Record<string, unknown>
    const key = any(Object.keys(copy).concat(below(10) ? [] : ['__proto__', 'extra']))
    if (below(8) === 0) delete copy[key]
    else
      Object.defineProperty(copy, key, {
        value: changed(copy[key]),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    return copy
  }

  const headerEnd = (bytes: Uint8Array) => 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const counts = { read: 0, refused: 0 }
  let longest = 0
  for (let trial = 0; trial < 10_000; trial++) {
    const file = any(files)
    const text = JSON.stringify(file.description)
    const damage = below(5)
    const descriptions = [
      file.description,
      damagedText(text),
      changed(file.description),
      changed(changed(file.description)),
      any(files).description,
    ]
    const weights =
      damage === 0 || damage === 4
        ? damagedBytes(file.weights, below(3) ? headerEnd(file.weights) : file.weights.length)
        : file.weights
    const started = performance.now()
    try {
      const actor = await loadPolicy({ description: descriptions[damage], weights, core })
      const { observations, head } = actor.description.policy
      const action = actor.act(new Array(observations).fill(0.5), {
        particle: any([0, 'mean', 'per-call'] as const),
        greedy: below(2) === 0,
      })
      if (head.name === 'categorical') expect([0, 1, 2, 3]).toContain(action)
      else expect(action).toHaveLength(head.actions)
      counts.read++
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      counts.refused++
    }
    longest = Math.max(longest, performance.now() - started)
  }
  expect(counts.read).toBeGreaterThan(500)
  expect(counts.refused).toBeGreaterThan(5000)
  expect(longest).toBeLessThan(2000)
  expect(({} as Record<string, unknown>).extra).toBeUndefined()

  function damagedText(text: string): string {
    return new TextDecoder().decode(damagedBytes(new TextEncoder().encode(text), text.length))
  }
}, 120_000)
