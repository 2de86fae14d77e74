import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { flatSize, flatten, flattenSpace, unflatten } from '../../src/envs/flatten.ts'
import {
  box,
  contains,
  dict,
  discrete,
  type Element,
  multiBinary,
  multiDiscrete,
  type Space,
  sampler,
  sizeOf,
  tuple,
} from '../../src/envs/spaces.ts'

describe('contains', () => {
  test.each([
    [discrete(3), 0, true],
    [discrete(3), 2, true],
    [discrete(3), 3, false],
    [discrete(3), -1, false],
    [discrete(3), 0.5, false],
    [discrete(3), Number.NaN, false],
    [discrete(3), [1], false],
    [box([-1, 0], [1, 2]), [-1, 2], true],
    [box([-1, 0], [1, 2]), Float32Array.of(0, 0), true],
    [box([-1, 0], [1, 2]), [-1.1, 0], false],
    [box([-1, 0], [1, 2]), [0, 2.1], false],
    [box([-1, 0], [1, 2]), [0, Number.NaN], false],
    [box([-1, 0], [1, 2]), [0], false],
    [box([-1, 0], [1, 2]), [0, 0, 0], false],
    [box([-1, 0], [1, 2]), 0, false],
    [box([-1, 0], [1, 2]), null, false],
    [box([-1], [1]), 0.5, true],
    [box([-1], [1]), 1.5, false],
    [box([-Infinity], [Infinity]), [1e30], true],
    // A box holds float32 numbers, which 0.1 is not.
    [box([0], [0.1]), [Math.fround(0.1)], true],
    [box([0], [0.1]), [0.1000001], false],
  ])('%j, %j: %p', (space, x, expected) => expect(contains(space, x)).toBe(expected))
})

describe('sampler', () => {
  test('a discrete space: each number as often', () => {
    const sample = sampler(discrete(4), 1)
    const counts = [0, 0, 0, 0]
    for (let k = 0; k < 8_000; k++) counts[sample()]++
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(5 * Math.sqrt(8_000 * 0.25 * 0.75))
  })

  const space = box([-2, 1, -Infinity, -Infinity], [4, Infinity, 3, Infinity])
  const sample = sampler(space, 2)
  const rows = Array.from({ length: 5_000 }, () => sample())
  const moments = (k: number) => {
    const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length
    return [mean, rows.reduce((sum, row) => sum + (row[k] - mean) ** 2, 0) / rows.length]
  }

  test('every element is in the space', () => expect(rows.every((row) => contains(space, row))).toBe(true))

  // The fourth central moments are 0.0125 of width⁴, 9 and 3: five standard deviations of mean and variance.
  test.each([
    ['two bounds: uniform', 0, 1, 3, 16.2],
    ['a lower bound: it plus an exponential number', 1, 2, 1, 9],
    ['an upper bound: it minus one', 2, 2, 1, 9],
    ['no bounds: normal', 3, 0, 1, 3],
  ])('%s', (_, k, mean, variance, fourth) => {
    const [m, v] = moments(k)
    expect(Math.abs(m - mean)).toBeLessThan(5 * Math.sqrt(variance / rows.length))
    expect(Math.abs(v - variance)).toBeLessThan(5 * Math.sqrt((fourth - variance ** 2) / rows.length))
  })

  test('a function of the seed', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, sampler(discrete(1000), seed))
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(draw(7)).not.toEqual(draw(7 + 2 ** 40))
  })

  test('these very numbers, in every engine', () => {
    expect(Array.from({ length: 6 }, sampler(discrete(1000), 7))).toEqual([134, 445, 324, 514, 613, 269])
  })
})

test('flatten and its size', () => {
  expect([...flatten(discrete(3), 1)]).toEqual([0, 1, 0])
  expect([...flatten(box([0, 0], [1, 1]), [0.5, 1])]).toEqual([0.5, 1])
  expect([...flatten(box([0], [1]), 0.5)]).toEqual([0.5])
  expect([flatSize(discrete(3)), sizeOf(discrete(3))]).toEqual([3, 1])
  expect([flatSize(box([0, 0], [1, 1])), sizeOf(box([0, 0], [1, 1]))]).toEqual([2, 2])
})

describe('several choices at once', () => {
  test.each([
    [multiDiscrete([3, 2]), [2, 1], true],
    [multiDiscrete([3, 2]), Int32Array.of(0, 0), true],
    [multiDiscrete([3, 2]), [3, 0], false],
    [multiDiscrete([3, 2]), [0, -1], false],
    [multiDiscrete([3, 2]), [0.5, 0], false],
    [multiDiscrete([3, 2]), [0], false],
    [multiDiscrete([3, 2]), 0, false],
    [multiDiscrete([3, 2], [5, -2]), [5, -1], true],
    [multiDiscrete([3, 2], [5, -2]), [4, -1], false],
    [multiBinary(3), [0, 1, 1], true],
    [multiBinary(3), [0, 1, 2], false],
    [multiBinary(3), [0, 1], false],
    [discrete(3, -1), -1, true],
    [discrete(3, -1), 2, false],
    [dict({ a: discrete(2), b: box([0], [1]) }), { a: 1, b: [0.5] }, true],
    [dict({ a: discrete(2), b: box([0], [1]) }), { a: 2, b: [0.5] }, false],
    [dict({ a: discrete(2) }), { a: 1, b: 0 }, false],
    [dict({ a: discrete(2) }), {}, false],
    [tuple([discrete(2), multiBinary(2)]), [1, [0, 1]], true],
    [tuple([discrete(2), multiBinary(2)]), [1], false],
  ])('%j contains %j: %p', (space, x, expected) => expect(contains(space, x)).toBe(expected))

  test('what is drawn is in the space, and every choice is drawn as often', () => {
    const space = multiDiscrete([3, 2], [0, 4])
    const sample = sampler(space, 3)
    const counts = [0, 0, 0]
    for (let k = 0; k < 6_000; k++) {
      const drawn = sample()
      expect(contains(space, drawn)).toBe(true)
      counts[drawn[0]]++
    }
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(5 * Math.sqrt((6_000 * 2) / 9))
    const nested = dict({ b: tuple([discrete(3), multiBinary(2)]), a: box([0], [1]) })
    expect(contains(nested, sampler(nested, 1)())).toBe(true)
  })

  test('their sizes', () => {
    const space = dict({ a: multiDiscrete([3, 2]), b: tuple([discrete(4), multiBinary(3)]) })
    expect([sizeOf(space), flatSize(space)]).toEqual([6, 12])
  })

  test.each(['graph', 'Sequence', 'text'])('a %s space is refused by name', (kind) => {
    const space = { kind } as unknown as Space
    expect(() => flatten(space, 1)).toThrow(`flatten takes no ${kind} spaces, as they have no vector of fixed length.`)
  })

  test.each([
    [() => flatten(dict({ a: discrete(2) }), { b: 1 }), 'elements of the names a, got {"b":1}.'],
    [() => flatten(tuple([discrete(2)]), [1, 2]), 'a list of 1 elements, got [1, 2].'],
    [() => flatten(multiDiscrete([3, 2]), [0, 2]), 'a list of 2 whole numbers from [0, 0] to [2, 1], got [0, 2].'],
    [() => flatten(multiBinary(2), [0, 2]), 'a list of 2 numbers that are 0 or 1, got [0, 2].'],
    [() => unflatten(discrete(2), [0, 0]), 'unflatten takes a 1 among the numbers of each choice, got [0, 0].'],
    [() => unflatten(discrete(2), [0]), 'unflatten takes a vector of 2 numbers, got [0].'],
    [() => multiDiscrete([]), 'multiDiscrete takes a list of whole numbers of at least 1'],
    [() => multiDiscrete([2], [1, 2]), 'multiDiscrete takes 1 whole numbers that the choices start at, got [1, 2].'],
    [() => dict({ a: 1 } as never), 'dict takes spaces by name'],
    [() => tuple([1] as never), 'tuple takes a list of spaces, got [1].'],
  ])('%p', (run, message) => expect(run).toThrow(message))
})

describe('flatten and unflatten are those of Gymnasium 1.4', () => {
  interface Case {
    readonly space: unknown
    readonly size: number
    readonly low: (number | string)[]
    readonly high: (number | string)[]
    readonly elements: Element[]
    readonly vectors: number[][]
    readonly back: Element[]
  }
  const { cases } = JSON.parse(readFileSync(new URL('../golden/spaces.json', import.meta.url), 'utf8')) as {
    cases: Case[]
  }

  /** Dicts were recorded in another order than Gymnasium's. */
  const spaceOf = (described: unknown): Space => {
    const { kind, spaces, low, high, n, start } = described as Record<string, never>
    if (kind === 'dict')
      return dict(Object.fromEntries((spaces as [string, unknown][]).map(([name, inner]) => [name, spaceOf(inner)])))
    if (kind === 'tuple') return tuple((spaces as unknown[]).map(spaceOf))
    if (kind === 'box') return box((low as unknown[]).map(Number), (high as unknown[]).map(Number))
    if (kind === 'multi-discrete') return multiDiscrete(n, start)
    return kind === 'multi-binary' ? multiBinary(n) : discrete(n, start)
  }
  /** Arrays of every kind as lists. */
  const listed = (x: Element): unknown => {
    if (typeof x === 'number') return x
    if (ArrayBuffer.isView(x)) return Array.from(x as unknown as ArrayLike<number>)
    if (Array.isArray(x)) return x.map(listed)
    return Object.fromEntries(Object.entries(x).map(([name, inner]) => [name, listed(inner)]))
  }

  test.each(cases.map((recorded, k) => [k, recorded] as const))('recorded space %i', (_, recorded) => {
    const space = spaceOf(recorded.space)
    expect(flatSize(space)).toBe(recorded.size)
    const bounds = flattenSpace(space)
    expect([bounds.low, bounds.high]).toEqual([recorded.low.map(Number), recorded.high.map(Number)])
    recorded.elements.forEach((element, k) => {
      expect(contains(space, element)).toBe(true)
      const vector = flatten(space, element)
      expect([...vector]).toEqual(recorded.vectors[k].map(Math.fround))
      expect(listed(unflatten(space, vector))).toEqual(recorded.back[k])
    })
  })
})
