import { describe, expect, test } from '@jest/globals'
import { box, contains, discrete, flatSize, flatten, sampler, sizeOf } from '../../src/envs/spaces.ts'

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
