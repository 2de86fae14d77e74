import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createArena } from '../../src/core/arena.ts'
import { f32, padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import { sampleRows } from '../reference/kernels.ts'
import { steinDirectionReference } from '../reference/svgd.ts'
import { directionOf, relativeError } from './population.ts'

const module = await compileCore()

describe('tight clusters far apart keep their distances', () => {
  // Clusters of radius r at distance 100: from a Gram matrix alone d² would be off by about 1e-3, more than it is.
  test.each([4, 64])('d = %d', async (d) => {
    const r = 2 ** -7
    const offsets = sampleRows(24, d, 1, r).map((row) => row.map((value) => Math.round(value * 2 ** 16) / 2 ** 16))
    const X = offsets.map((row, i) => row.map((value, k) => value + (k === i % 3 ? 100 : 0)))
    const S = sampleRows(24, d, 2)
    const h = 2 * d * r * r
    const ours = await directionOf(X, S, rbf({ bandwidth: h }))
    const twin = steinDirectionReference(X, S, h)
    expect(relativeError(ours.kernel, twin.kernel)).toBeLessThan(1e-5)
    expect(relativeError(ours.phi, twin.phi)).toBeLessThan(1e-3)
  })
})

describe('the ranked distances', () => {
  /** Values as the distances of pairs, and what the op says of every rank asked for. */
  async function ranked(n: number, values: readonly number[], ranks: readonly number[], capacity: number) {
    const { ops, at, view } = await createArena(module, {
      matrix: f32(padded(n), padded(n)),
      out: f32(2),
      scratch: f32(capacity),
    })
    const line = padded(n)
    for (let i = 0, pair = 0; i < n; i++) {
      for (let j = 0; j < i; j++) view.matrix[i * line + j] = values[pair++]
      for (let j = i; j <= (i | 3); j++) view.matrix[i * line + j] = Number.POSITIVE_INFINITY
    }
    return ranks.map((rank) => {
      ops.rankedPairs(at.out, at.matrix, n, rank, at.scratch, capacity)
      return [...view.out]
    })
  }

  async function expectSorted(n: number, values: readonly number[], capacity: number, every: number) {
    const sorted = Float32Array.from(values).sort()
    const ranks = [...sorted.keys()].filter((rank) => rank % every === 0)
    ranks.push(sorted.length - 1)
    const expected = ranks.map((rank) => [sorted[rank], sorted[Math.min(rank + 1, sorted.length - 1)]])
    expect(await ranked(n, values, ranks, capacity)).toEqual(expected)
  }

  const pairs = (n: number) => (n * (n - 1)) / 2

  test.each([2, 3, 4, 5, 9, 16, 30])('every rank of %d particles', async (n) => {
    const values = sampleRows(1, pairs(n), n)[0].map((value) => value * value)
    await expectSorted(n, values, 1024, 1)
    await expectSorted(n, values, 64, 1)
  })

  test.each([
    ['few distinct values', (k: number) => k % 3],
    ['all equal', () => 7],
    ['all zero', () => 0],
    ['two values', (k: number) => (k < 3000 ? 1 : 2)],
    ['sixty binades', (k: number) => 2 ** ((k * 37) % 121) / 2 ** 60],
    ['some infinite', (k: number) => (k % 2 ? Number.POSITIVE_INFINITY : k)],
    ['sorted', (k: number) => k],
    ['neighbouring floats', (k: number) => 1 + (k % 5) * 2 ** -23],
  ])('%s', async (_, value) => {
    const values = Array.from({ length: pairs(110) }, (_, k) => value(k))
    await expectSorted(110, values, 64, 97)
    await expectSorted(110, values, 4096, 397)
  })

  test('random sizes and values', async () => {
    const size = fc.integer({ min: 2, max: 60 })
    await fc.assert(
      fc.asyncProperty(size, fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(64, 300), async (n, seed, capacity) => {
        await expectSorted(n, sampleRows(1, pairs(n), seed)[0].map(Math.abs), capacity, 13)
      }),
      { numRuns: 60, seed: 1 },
    )
  })
})
