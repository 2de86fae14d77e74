import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import type { DistanceStatistics } from '../../src/svgd/bandwidth-rules.ts'
import { steinDirection } from '../../src/svgd/direction.ts'
import { steinFields, type Variant } from '../../src/svgd/fields.ts'
import { type CustomKernel, given, imq, type Kernel, linear, rbf, sumOf } from '../../src/svgd/kernels.ts'
import { directionReference, imqReference, rbfReference, sampleRows } from '../reference/kernels.ts'
import { medianReference, pairDistances } from '../reference/svgd.ts'
import { directionOf, relativeError } from './population.ts'

const module = await compileCore()
const n = 21
const d = 19
const X = sampleRows(n, d, 1)
const S = sampleRows(n, d, 2)
const h = 12
const twins = [
  { kernel: rbf({ bandwidth: h }), reference: rbfReference(h) },
  { kernel: imq({ c: 2 }), reference: imqReference(2, -0.5) },
]

describe.each(twins)('$kernel.name', ({ kernel, reference }) => {
  test.each<Variant>([
    { drive: 0.3 },
    { repulsion: 2.5 },
    { drive: 0.1, repulsion: 4 },
    { normalise: 'row sum' },
    { normalise: 'row sum', drive: 0.5, repulsion: 3 },
  ])('%j equals the twin', async (variant) => {
    const ours = await directionOf(X, S, kernel, variant)
    const twin = directionReference(X, S, reference, variant)
    expect(relativeError(ours.phi, twin.phi)).toBeLessThan(1e-5)
    expect(ours.info.drive / twin.info.drive).toBeCloseTo(1, 5)
    expect(ours.info.repulsion / twin.info.repulsion).toBeCloseTo(1, 4)
  })
})

test('drive and repulsion alone add up to φ', async () => {
  const { phi, drive, repulsion } = await directionOf(X, S, rbf())
  const sum = drive.map((row, i) => row.map((value, k) => value + repulsion[i][k]))
  expect(relativeError(sum, phi)).toBeLessThan(1e-6)
})

describe('the norms of the two terms', () => {
  async function infoOf(kernel: Kernel, norms: boolean, rows: number, columns: number) {
    const arena = await createArena(module, steinFields(rows, columns, { kernel, norms }))
    const stride = arena.view.theta.length / rows
    sampleRows(rows, columns, 3).forEach((row, i) => void arena.view.theta.set(row, i * stride))
    sampleRows(rows, columns, 4).forEach((row, i) => void arena.view.score.set(row, i * stride))
    const info = steinDirection(arena, { particles: rows, dimension: columns }, kernel)
    return { info, direction: arena.view.direction.slice() }
  }

  test.each([rbf(), imq(), sumOf([1, rbf()], [2, linear()])])(
    'can be left out without touching φ: $name',
    async (kernel) => {
      const withNorms = await infoOf(kernel, true, 10, 600)
      const without = await infoOf(kernel, false, 10, 600)
      expect(without.direction).toEqual(withNorms.direction)
      const none = { drive: Number.NaN, repulsion: Number.NaN, sharing: Number.NaN }
      expect(without.info).toMatchObject(none)
      expect(without.info).toEqual({ ...withNorms.info, ...none })
    },
  )

  test('are those of several strips of columns together', async () => {
    const { info } = await infoOf(rbf({ bandwidth: 600 }), true, 10, 600)
    const twin = directionReference(sampleRows(10, 600, 3), sampleRows(10, 600, 4), rbfReference(600))
    expect(info.drive / twin.info.drive).toBeCloseTo(1, 5)
    expect(info.repulsion / twin.info.repulsion).toBeCloseTo(1, 4)
    expect(info.sharing / twin.info.sharing).toBeCloseTo(1, 5)
  })
})

describe("a user's bandwidth", () => {
  test('is a function of the distances', async () => {
    let seen: DistanceStatistics | undefined
    const { info } = await directionOf(
      X,
      S,
      rbf({
        bandwidth: (distances) => {
          const pairs = pairDistances(X).sort((a, b) => a - b)
          expect(distances.particles).toBe(n)
          expect(distances.median() / medianReference(pairs)).toBeCloseTo(1, 5)
          expect(distances.mean() / (pairs.reduce((a, b) => a + b) / pairs.length)).toBeCloseTo(1, 5)
          for (const rank of [0, 1, 100, pairs.length - 1])
            expect(distances.ranked(rank) / pairs[rank]).toBeCloseTo(1, 5)
          expect(distances.ranked(-3)).toBe(distances.ranked(0))
          expect(distances.ranked(1e9)).toBe(distances.ranked(pairs.length - 1))
          seen = distances
          return 3.5
        },
      }),
    )
    expect(seen).toBeDefined()
    expect(info.bandwidth).toBe(3.5)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('that is %p is refused', async (value) => {
    await expect(directionOf(X, S, rbf({ bandwidth: () => value }))).rejects.toThrow(
      `A bandwidth function must return a finite number above 0, got ${value}.`,
    )
  })
})

describe('a given kernel', () => {
  /** The RBF kernel as a caller would write it. */
  const supply: CustomKernel = (kernel, repulsion, x) => {
    repulsion.fill(0)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let square = 0
        for (let k = 0; k < d; k++) square += (x[i * d + k] - x[j * d + k]) ** 2
        kernel[i * n + j] = Math.exp(-square / h)
        for (let k = 0; k < d; k++) {
          repulsion[i * d + k] += (2 / h) * (x[i * d + k] - x[j * d + k]) * Math.exp(-square / h)
        }
      }
    }
  }

  test.each<Variant>([{}, { drive: 0.5, repulsion: 2, normalise: 'row sum' }])(
    'equals the built-in one, %j',
    async (variant) => {
      const ours = await directionOf(X, S, given(supply), variant)
      const builtIn = await directionOf(X, S, rbf({ bandwidth: h }), variant)
      expect(relativeError(ours.phi, builtIn.phi)).toBeLessThan(1e-5)
      expect(ours.info.drive / builtIn.info.drive).toBeCloseTo(1, 5)
      expect(ours.info.repulsion / builtIn.info.repulsion).toBeCloseTo(1, 4)
      expect(ours.info.meanRowSum).toBeCloseTo(builtIn.info.meanRowSum, 5)
      expect([ours.info.bandwidth, ours.info.meanDistance]).toEqual([Number.NaN, Number.NaN])
    },
  )

  const broken = (change: (kernel: Float32Array, repulsion: Float32Array) => void) =>
    given((kernel, repulsion, x) => {
      supply(kernel, repulsion, x)
      change(kernel, repulsion)
    })

  test.each<[(kernel: Float32Array, repulsion: Float32Array) => void, RegExp]>([
    [(K) => K.fill(-1, 3 * n + 3, 3 * n + 4), /positive on its diagonal, got k\(x_3, x_3\) = -1\.$/],
    [(K) => K.fill(0, 0, 1), /positive on its diagonal, got k\(x_0, x_0\) = 0\.$/],
    [(K) => K.fill(Number.NaN, 0, 1), /positive on its diagonal, got k\(x_0, x_0\) = NaN\.$/],
    [
      (K) => K.fill(0.75, 5 * n + 2, 5 * n + 3),
      /finite and symmetric, got k\(x_5, x_2\) = 0.75 and k\(x_2, x_5\) = .*\.$/,
    ],
    [(K) => K.fill(Number.NaN, 5 * n + 2, 5 * n + 3), /finite and symmetric, got k\(x_5, x_2\) = NaN/],
    [(_, R) => R.fill(Number.NaN, 4 * d + 1, 4 * d + 2), /^The repulsion of particle 4 is NaN; it must be finite\.$/],
  ])('%#: is refused when it is none', async (change, message) => {
    await expect(directionOf(X, S, broken(change))).rejects.toThrow(message)
  })
})

test('memory: n² + 4nd floats are more than a direction takes, the large case included', async () => {
  for (const [particles, dimension] of [
    [256, 1000],
    [2048, 10000],
  ]) {
    const { memory } = await createArena(module, steinFields(particles, dimension, { kernel: rbf(), norms: false }))
    expect(memory.buffer.byteLength / 4).toBeLessThan(particles ** 2 + 4 * particles * dimension)
  }
})
