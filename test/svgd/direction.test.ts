import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { rbf } from '../../src/svgd/kernels.ts'
import { steinDirectionReference } from '../reference/svgd.ts'
import { directionOf, largestError, relativeError } from './population.ts'

interface Golden {
  n: number
  d: number
  score: string
  X: number[][]
  G: number[][]
  median_sq: number
  kernels: Record<
    string,
    { kind: string; h: number; drive: number[][]; repulse: number[][]; phi: number[][]; K?: number[][] }
  >
}
const golden: { cases: Golden[] } = JSON.parse(readFileSync(new URL('../golden/svgd.json', import.meta.url), 'utf8'))
const rbfCases = golden.cases.flatMap((c) =>
  Object.entries(c.kernels)
    .filter(([, kernel]) => kernel.kind === 'rbf')
    .map(([name, kernel]) => ({ ...c, name, kernel })),
)

/** float32 arithmetic on some hundred terms: a few units of 6e-8. */
const TOLERANCE = 1e-5

describe('the golden directions', () => {
  test.each(rbfCases)('$n × $d, $score, $name', async ({ X, G, kernel }) => {
    const twin = steinDirectionReference(X, G, kernel.h)
    expect(relativeError(twin.phi, kernel.phi)).toBeLessThan(1e-12)
    const ours = await directionOf(X, G, rbf({ bandwidth: kernel.h }))
    expect(relativeError(ours.drive, kernel.drive)).toBeLessThan(TOLERANCE)
    expect(relativeError(ours.repulsion, kernel.repulse)).toBeLessThan(TOLERANCE)
    expect(relativeError(ours.phi, kernel.phi)).toBeLessThan(TOLERANCE)
    if (kernel.K) expect(relativeError(ours.kernel, kernel.K)).toBeLessThan(TOLERANCE)
    expect(ours.dead.every((value) => value === 0)).toBe(true)
  })

  test.each(golden.cases)('$n × $d: the rules find the golden bandwidths', async ({ n, X, G, median_sq }) => {
    const plusOne = await directionOf(X, G, rbf({ bandwidth: 'svpg-paper' }))
    expect(plusOne.info.bandwidth / (median_sq / Math.log(n + 1)) - 1).toBeCloseTo(0, 5)
    const plain = await directionOf(X, G, rbf({ bandwidth: 'svgd-paper' }))
    expect(plain.info.bandwidth / (median_sq / Math.log(n)) - 1).toBeCloseTo(0, 5)
  })

  // Shifted by 1000, a float32 coordinate keeps steps of 6e-5: particles on that grid lose nothing, so the answer is
  // exact.
  test.each(rbfCases)('$n × $d, $score, $name, shifted by 1000', async ({ X, G, kernel }) => {
    const grid = 2 ** -14
    const onGrid = X.map((x) => x.map((value) => Math.round(value / grid) * grid))
    const reference = steinDirectionReference(onGrid, G, kernel.h)
    const far = await directionOf(
      onGrid.map((x) => x.map((value) => value + 1000)),
      G,
      rbf({ bandwidth: kernel.h }),
    )
    expect(relativeError(far.phi, reference.phi)).toBeLessThan(TOLERANCE)
  })
})

const coordinate = fc.float({ min: -8, max: 8, noNaN: true })
/** Particles and scores of random sizes, so that every tail of the SIMD loops is met. */
const population = fc
  .record({ n: fc.integer({ min: 1, max: 21 }), d: fc.integer({ min: 1, max: 19 }) })
  .chain(({ n, d }) => {
    const rows = fc.array(fc.array(coordinate, { minLength: d, maxLength: d }), { minLength: n, maxLength: n })
    return fc.record({ X: rows, G: rows })
  })

describe('algebra', () => {
  test('equals the float64 twin for every size', async () => {
    await fc.assert(
      fc.asyncProperty(population, fc.constantFrom(5, 50, 500), async ({ X, G }, h) => {
        const ours = await directionOf(X, G, rbf({ bandwidth: h }))
        const twin = steinDirectionReference(X, G, h)
        // Distances come from a Gram matrix: their error scales with |x|², and the kernel's with |x|² / h.
        const spread = Math.max(...X.map((x) => x.reduce((sum, value) => sum + value * value, 0)))
        const tolerance = 1e-6 * (1 + spread / h)
        const largest = Math.max(...G.flat().map(Math.abs))
        expect(largestError(ours.drive, twin.drive)).toBeLessThanOrEqual(tolerance * largest)
        expect(largestError(ours.repulsion, twin.repulsion)).toBeLessThanOrEqual((tolerance * Math.sqrt(spread)) / h)
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  test('the kernel is symmetric to the bit, 1 on the diagonal and within [0, 1]', async () => {
    await fc.assert(
      fc.asyncProperty(population, async ({ X, G }) => {
        const { kernel } = await directionOf(X, G)
        kernel.forEach((row, i) => {
          expect(row[i]).toBe(1)
          row.forEach((value, j) => {
            expect(value).toBe(kernel[j][i])
            expect(value >= 0 && value <= 1).toBe(true)
          })
        })
      }),
      { numRuns: 100, seed: 2 },
    )
  })

  const X = [
    [0.1, -1, 2],
    [1.5, 0.25, -0.5],
    [-2, 0.75, 1],
    [0.5, 2, 0],
    [3, -1.5, -1],
  ]
  const G = X.map((x) => x.map((value) => -value))

  test('permuting the particles permutes the directions', async () => {
    const order = [3, 0, 4, 1, 2]
    const pick = (rows: number[][]) => order.map((i) => rows[i])
    const plain = await directionOf(X, G)
    const permuted = await directionOf(pick(X), pick(G))
    expect(relativeError(permuted.phi, pick(plain.phi))).toBeLessThan(1e-6)
  })

  test('moving all particles moves no direction', async () => {
    const plain = await directionOf(X, G)
    const moved = await directionOf(
      X.map((x) => x.map((value, k) => value + [64, -128, 32][k])),
      G,
    )
    expect(relativeError(moved.phi, plain.phi)).toBeLessThan(1e-6)
    expect(moved.info.bandwidth).toBeCloseTo(plain.info.bandwidth, 5)
  })

  test('one particle follows its score: plain ascent', async () => {
    const { phi, info } = await directionOf([[3, -4]], [[0.5, 2]])
    expect(phi).toEqual([[0.5, 2]])
    expect(info.repulsion).toBe(0)
  })

  test('two particles without a score move straight apart', async () => {
    const [a, b] = (
      await directionOf(
        [
          [0, 0],
          [1, 2],
        ],
        [
          [0, 0],
          [0, 0],
        ],
      )
    ).phi
    expect(a[0]).toBeLessThan(0)
    expect(a[1]).toBeCloseTo(2 * a[0], 6)
    expect(b[0]).toBeCloseTo(-a[0], 6)
    expect(b[1]).toBeCloseTo(-a[1], 6)
  })

  test('the repulsions of all particles cancel', async () => {
    const { repulsion } = await directionOf(X, G)
    for (let k = 0; k < 3; k++) expect(repulsion.reduce((sum, row) => sum + row[k], 0)).toBeCloseTo(0, 6)
  })

  test('equal particles: kernel 1, no repulsion, the mean score, no NaN', async () => {
    const { kernel, repulsion, phi } = await directionOf(
      [
        [2, 2],
        [2, 2],
        [2, 2],
      ],
      [
        [3, 0],
        [0, 3],
        [0, 0],
      ],
    )
    expect(kernel.flat().every((value) => value === 1)).toBe(true)
    expect(repulsion.flat().every((value) => value === 0)).toBe(true)
    phi.forEach((row) => {
      expect(row[0]).toBeCloseTo(1, 6)
      expect(row[1]).toBeCloseTo(1, 6)
    })
  })
})
