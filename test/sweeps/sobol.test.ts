import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { MOST_DIMENSIONS, sobol } from '../../src/sweeps/sobol.ts'

const { points } = JSON.parse(readFileSync(new URL('../golden/sobol.json', import.meta.url), 'utf8'))

test('the points are scipy’s to the last bit, in every dimension', () => {
  expect(points[0].length).toBe(MOST_DIMENSIONS)
  const at = sobol(MOST_DIMENSIONS)
  expect(points.map((_: unknown, n: number) => at(n))).toEqual(points)
})

test('a shifted sequence is another one and as even: every interval of 1/64 has one of 64 points', () => {
  const at = sobol(3, [123456789, 987654321, 5])
  const all = Array.from({ length: 64 }, (_, n) => at(n))
  expect(all[0]).not.toEqual([0, 0, 0])
  for (let d = 0; d < 3; d++) expect(new Set(all.map((x) => Math.floor(x[d] * 64))).size).toBe(64)
})
