import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { type BandwidthName, bandwidthNames } from '../../src/svgd/bandwidth-rules.ts'
import { blockwise, type Kernel, rbf } from '../../src/svgd/kernels.ts'
import type { Score } from '../../src/svgd/scores.ts'
import { svgd } from '../../src/svgd/svgd.ts'
import { perDimensionReference } from '../reference/kernels.ts'
import { medianReference, pairDistances } from '../reference/svgd.ts'
import { directionOf } from './population.ts'

const random = (n: number, d: number) =>
  Array.from({ length: n }, (_, i) =>
    Array.from({ length: d }, (_, k) => Math.fround(Math.sin(7 * i + 3 * k + i * k) * 3)),
  )

/** Each convention as systems describe it, computed from the list of distances. */
const expected: Record<
  Exclude<BandwidthName, 'pyro-multivariate' | 'per-dimension'>,
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
  numpyro: (_, all, n) => medianReference(all.map(Math.sqrt)) ** 2 / Math.log(n) + 2 ** -23,
  s2ac: (_, all, n) => all.reduce((a, b) => a + b, 0) / all.length / 2 / Math.log(n + 1),
}

const scalarRules = bandwidthNames.filter((name) => name in expected) as (keyof typeof expected)[]

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

test('numpyro gives what numpyro gives, for one particle and for equal ones too', async () => {
  const file = new URL('../golden/numpyro-bandwidth.json', import.meta.url)
  const { cases }: { cases: { x: number[][]; bandwidth: number }[] } = JSON.parse(await readFile(file, 'utf8'))
  expect(cases.length).toBe(11)
  for (const { x, bandwidth } of cases) {
    const { info } = await directionOf(x, x, rbf({ bandwidth: 'numpyro' }))
    expect(info.bandwidth / bandwidth).toBeCloseTo(1, 5)
  }
})

test('the default of Pyro is a kernel for each coordinate, its multivariate mode one kernel with an h for each', async () => {
  const X = random(9, 3)
  const each = blockwise([1, 1, 1], rbf({ bandwidth: 'pyro' }))
  for (const kernel of [each, rbf({ bandwidth: 'pyro-multivariate' })]) {
    const { info } = await directionOf(X, X, kernel)
    const expected = perDimensionReference(X)
    info.bandwidths.forEach((h, k) => void expect(h / expected[k]).toBeCloseTo(1, 5))
  }
})

test('both modes of Pyro have its bandwidths and take its steps, of a standard normal', async () => {
  const file = new URL('../golden/pyro-svgd.json', import.meta.url)
  type Recorded = Record<'x' | 'univariate' | 'multivariate', number[][]> & { bandwidths: number[] }
  const { versions, cases } = JSON.parse(await readFile(file, 'utf8')) as { versions: object; cases: Recorded[] }
  expect(versions).toMatchObject({ pyro: '1.9.2' })
  expect(cases.length).toBe(9)
  for (const { x, bandwidths, univariate, multivariate } of cases) {
    const each = blockwise(Array(x[0].length).fill(1), rbf({ bandwidth: 'pyro' }))
    const modes = [
      [each, univariate],
      [rbf({ bandwidth: 'pyro-multivariate' }), multivariate],
    ] as const
    for (const [kernel, moved] of modes) {
      const score = x.map((row) => row.map((value) => -value))
      const { info, phi } = await directionOf(x, score, kernel)
      bandwidths.forEach((h, k) => void expect(info.bandwidths[k] / h).toBeCloseTo(1, 5))
      // Moved in float32 from where the particle was.
      x.forEach((row, i) => {
        row.forEach((from, k) => {
          const size = 1 + Math.abs(from) + Math.abs(moved[i][k])
          expect(Math.abs(phi[i][k] - moved[i][k])).toBeLessThan(3e-6 * size)
        })
      })
    }
  }
})

test.each([5, 10, 50])('per dimension is no narrower than the default on N(0, I) of dimension %d', async (d) => {
  const score: Score = (out, x) => out.set(x.map((value) => -value))
  const varianceOf = async (kernel: Kernel) => {
    const x = await svgd({ score, kernel, particles: 40, dimension: d, iterations: 400 })
    return x.reduce((sum, value) => sum + value * value, 0) / x.length
  }
  const [each, plain] = [await varianceOf(rbf({ bandwidth: 'per-dimension' })), await varianceOf(rbf())]
  expect(each / plain).toBeGreaterThan(0.95)
})

test('per dimension knows no unit of a coordinate', async () => {
  const X = random(12, 3)
  const units = [2 ** -12, 1, 2 ** 15]
  const kernel = rbf({ bandwidth: 'per-dimension' })
  const plain = await directionOf(X, X, kernel)
  const other = await directionOf(
    X.map((x) => x.map((value, k) => value * units[k])),
    X.map((x) => x.map((value, k) => value / units[k])),
    kernel,
  )
  plain.phi.forEach((row, i) => {
    row.forEach((value, k) => void expect(other.phi[i][k] * units[k]).toBe(value))
  })
})

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
