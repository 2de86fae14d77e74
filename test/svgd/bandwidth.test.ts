import { expect, test } from '@jest/globals'
import { type BandwidthName, bandwidthNames } from '../../src/svgd/bandwidth-rules.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import { medianReference, pairDistances } from '../reference/svgd.ts'
import { directionOf } from './population.ts'

const random = (n: number, d: number) =>
  Array.from({ length: n }, (_, i) =>
    Array.from({ length: d }, (_, k) => Math.fround(Math.sin(7 * i + 3 * k + i * k) * 3)),
  )

/** Each convention as systems describe it, computed from the list of distances. */
const expected: Record<
  Exclude<BandwidthName, 'per-dimension'>,
  (pairs: number[], all: number[], n: number) => number
> = {
  'svgd-paper': (pairs, _, n) => medianReference(pairs.map(Math.sqrt)) ** 2 / Math.log(n),
  'svpg-paper': (pairs, _, n) => medianReference(pairs.map(Math.sqrt)) ** 2 / Math.log(n + 1),
  dartml: (_, all, n) => medianReference(all) / Math.log(n + 1),
  'svpg-code': (_, all, n) => medianReference(all) / (2 * Math.log(n + 1)),
  'svpg-pytorch': (_, all, n) => medianReference(all, 'lower') / Math.log(n),
  'sql-paper': (pairs, _, n) => medianReference(pairs.map(Math.sqrt)) / (2 * Math.log(n + 1)),
  'haarnoja-sql': (pairs, _, n) => Math.max(medianReference(pairs, 'lower') / Math.log(n), 1e-3),
  pyro: (pairs, _, n) => medianReference(pairs, 'lower') / Math.log(n + 1),
  s2ac: (_, all, n) => all.reduce((a, b) => a + b, 0) / all.length / 2 / Math.log(n + 1),
}

const scalarRules = bandwidthNames.filter((name) => name !== 'per-dimension')

test.each(scalarRules.flatMap((name) => [3, 4, 5, 8, 16, 33].map((n) => ({ name, n }))))(
  '$name at n = $n',
  async ({ name, n }) => {
    const X = random(n, 3)
    const pairs = pairDistances(X)
    const all = [...Array(n).fill(0), ...pairs, ...pairs]
    const { info } = await directionOf(X, X, rbf({ bandwidth: name }))
    expect(info.bandwidth / expected[name](pairs, all, n)).toBeCloseTo(1, 5)
  },
)

test('when most particles coincide and the median is 0, the mean distance is used', async () => {
  const X = [[0], [0], [0], [0], [6]]
  const { info } = await directionOf(X, X, rbf())
  expect(info.bandwidth).toBeCloseTo((4 * 36) / 10)
})

test('a fixed bandwidth is used as it is', async () => {
  const { info } = await directionOf(random(4, 2), random(4, 2), rbf({ bandwidth: 0.75 }))
  expect(info.bandwidth).toBe(0.75)
})

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('the bandwidth %p is refused', (h) => {
  expect(() => rbf({ bandwidth: h })).toThrow(
    /^bandwidth must be a finite number above 0 or one of .*, got (0|-1|NaN|Infinity)\.$/,
  )
})

test('an unknown rule is refused with the list of rules', () => {
  expect(() => rbf({ bandwidth: 'median' as BandwidthName })).toThrow(/one of svgd-paper, .*got "median"/)
})
