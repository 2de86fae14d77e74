import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createArena } from '../../src/core/arena.ts'
import {
  deriveSeed,
  exponential,
  generator,
  normal,
  philox,
  uniform,
  uniformInteger,
} from '../../src/core/generator.ts'
import { u32 } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { joinSeed, Purpose, splitSeed } from '../../src/core/random.ts'

const { ops, at, view } = await createArena(await compileCore(), { words: u32(4) })
const word = fc.integer({ min: 0, max: 0xffffffff })
const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const N = 10_000

describe('the same bits as the core', () => {
  test('philox', () => {
    const out = new Uint32Array(4)
    fc.assert(
      fc.property(word, word, word, word, word, word, (...input) => {
        philox(out, ...input)
        ops.philox(at.words, ...input)
        expect([...out]).toEqual([...view.words])
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('deriveSeed', () => {
    fc.assert(
      fc.property(seeds, fc.nat(255), fc.nat(0xffffff), word, word, (seed, purpose, particle, environment, step) => {
        const { lo, hi } = splitSeed(seed)
        ops.deriveSeed(at.words, lo, hi, purpose, particle, environment, step)
        expect(deriveSeed(seed, purpose, particle, environment, step)).toBe(joinSeed(view.words))
      }),
      { seed: 1 },
    )
  })

  test('uniform takes two words of a block of the purpose "user" for each number', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const g = generator(seed)
        const { lo, hi } = splitSeed(seed)
        for (let k = 0; k < 5; k++) {
          ops.philox(at.words, k >> 1, 0, 0, Purpose.user, lo, hi)
          const [high, low] = view.words.slice((k % 2) * 2)
          expect(uniform(g)).toBe(((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53)
        }
      }),
      { seed: 1 },
    )
  })
})

/** Kolmogorov-Smirnov: sqrt(n) sup |empirical - cdf|; above 1.95 with probability 0.001. */
function kolmogorov(draw: () => number, cdf: (v: number) => number): number {
  const sorted = Float64Array.from({ length: N }, draw).sort()
  let worst = 0
  sorted.forEach((v, i) => {
    worst = Math.max(worst, cdf(v) - i / N, (i + 1) / N - cdf(v))
  })
  return worst * Math.sqrt(N)
}

/** Standard normal distribution function by its series, good to 1e-12 for |v| < 6. */
function normalCdf(v: number): number {
  let sum = 0
  for (let k = 0, term = v; Math.abs(term) > 1e-17; k++, term *= (v * v) / (2 * k + 1)) sum += term
  return 0.5 + (sum * Math.exp((-v * v) / 2)) / Math.sqrt(2 * Math.PI)
}

test.each([
  ['uniform', uniform, (v: number) => v],
  ['exponential', exponential, (v: number) => 1 - Math.exp(-v)],
  ['normal', normal, normalCdf],
] as const)('%s has its distribution, and neighbours are uncorrelated', (_, draw, cdf) => {
  const g = generator(5)
  expect(kolmogorov(() => draw(g), cdf)).toBeLessThan(1.95)
  const values = Float64Array.from({ length: N }, () => cdf(draw(g)) - 0.5)
  for (const lag of [1, 2, 3]) {
    const covariance = values.reduce((sum, v, i) => sum + v * values[(i + lag) % N], 0) / N
    expect(Math.abs(covariance * 12)).toBeLessThan(4.5 / Math.sqrt(N))
  }
})

test('uniformInteger gives every number as often', () => {
  const g = generator(1)
  const counts = [0, 0, 0]
  for (let k = 0; k < 30_000; k++) counts[uniformInteger(g, 3)]++
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(30_000 * (1 / 3) * (2 / 3)))
})

test('the count is the whole state', () => {
  const g = generator(3)
  for (let k = 0; k < 7; k++) normal(g)
  const { count } = g
  const next = normal(g)
  g.count = count
  expect(normal(g)).toBe(next)
  const other = generator(3)
  other.count = count
  expect(normal(other)).toBe(next)
})
