import { describe, expect, test } from '@jest/globals'
import { type NewtonOptions, svgdNewton } from '../../src/svgd/newton.ts'
import { sampleRows } from '../reference/kernels.ts'
import { newtonReference } from '../reference/newton.ts'

/** log p = −(1 − x)² / 2 − 2 (y − x²)², a banana. */
const banana = {
  score(out: Float64Array, [x, y]: Float64Array) {
    out[0] = 1 - x + 8 * x * (y - x * x)
    out[1] = -4 * (y - x * x)
  },
  /** JᵀJ of the residuals 1 − x and 2 (y − x²). */
  hessian: (out: Float64Array, [x]: Float64Array) => out.set([1 + 16 * x * x, -8 * x, -8 * x, 4]),
}

/** N(mean, P⁻¹) with precision P. */
const gaussian = (mean: readonly number[], P: readonly (readonly number[])[]) => ({
  score(out: Float64Array, x: Float64Array) {
    P.forEach((row, a) => {
      out[a] = row.reduce((sum, value, b) => sum + value * (mean[b] - x[b]), 0)
    })
  },
  hessian: (out: Float64Array) => out.set(P.flat()),
})

const rowsOf = (flat: Float64Array, d: number) =>
  Array.from({ length: flat.length / d }, (_, i) => [...flat.subarray(i * d, (i + 1) * d)])
const moments = (rows: readonly (readonly number[])[], k: number) => {
  const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length
  const variance = rows.reduce((sum, row) => sum + (row[k] - mean) ** 2, 0) / (rows.length - 1)
  return { mean, sd: Math.sqrt(variance) }
}

test('a step equals the twin, in which gradients of the kernel are differences', async () => {
  const X = sampleRows(9, 2, 3)
  const run = { ...banana, particles: 9, dimension: 2, iterations: 1, learningRate: 0.7, initial: X.flat() }
  const S = X.map((x) => {
    const out = new Float64Array(2)
    banana.score(out, Float64Array.from(x))
    return [...out]
  })
  const hessians = X.map((x) => {
    const out = new Float64Array(4)
    banana.hessian(out, Float64Array.from(x))
    return [
      [out[0], out[1]],
      [out[2], out[3]],
    ]
  })
  const twin = newtonReference(X, S, hessians, 0.7)
  rowsOf(await svgdNewton(run), 2).forEach((row, i) => {
    row.forEach((value, k) => void expect(value).toBeCloseTo(twin[i][k], 8))
  })
})

test('other units and correlations of the coordinates change nothing', async () => {
  // x′ = A x, with A lower triangular: the particles must be A times the others.
  const P = [
    [2, 0.5],
    [0.5, 1],
  ]
  const A = [
    [1e4, 0],
    [3, 1e-3],
  ]
  const inverse = [
    [1e-4, 0],
    [-0.3, 1e3],
  ]
  const image = (x: readonly number[]) => A.map((row) => row[0] * x[0] + row[1] * x[1])
  const Q = [0, 1].map((a) =>
    [0, 1].map((b) => {
      let sum = 0
      for (const c of [0, 1]) for (const e of [0, 1]) sum += inverse[c][a] * P[c][e] * inverse[e][b]
      return sum
    }),
  )
  const X = sampleRows(20, 2, 5)
  const run = { particles: 20, dimension: 2, iterations: 15 }
  const plain = rowsOf(await svgdNewton({ ...run, ...gaussian([1, -2], P), initial: X.flat() }), 2)
  const stretched = rowsOf(
    await svgdNewton({ ...run, ...gaussian(image([1, -2]), Q), initial: X.flatMap((x) => image(x)) }),
    2,
  )
  plain.forEach((row, i) => {
    image(row).forEach((value, k) => void expect(Math.abs(stretched[i][k] / value - 1)).toBeLessThan(1e-6))
  })
})

test('a Gaussian of scales 1 to 10,000 is found in 20 steps', async () => {
  const run = {
    ...gaussian(
      [3, 2e4],
      [
        [50.25, -4.9749e-3],
        [-4.9749e-3, 5.0251e-7],
      ],
    ),
    particles: 50,
    dimension: 2,
  }
  const rows = rowsOf(await svgdNewton({ ...run, iterations: 20 }), 2)
  for (const [k, mean, sd] of [
    [0, 3, 1],
    [1, 2e4, 1e4],
  ]) {
    const found = moments(rows, k)
    expect(Math.abs(found.mean - mean) / sd).toBeLessThan(0.05)
    expect(Math.abs(found.sd / sd - 1)).toBeLessThan(0.12)
  }
})

test('the banana has its means', async () => {
  // E[x] = 1, E[y] = E[x²] = 2; sd of x is 1.
  const rows = rowsOf(
    await svgdNewton({ ...banana, particles: 80, dimension: 2, iterations: 60, learningRate: 0.5 }),
    2,
  )
  expect(Math.abs(moments(rows, 0).mean - 1)).toBeLessThan(0.1)
  expect(Math.abs(moments(rows, 0).sd - 1)).toBeLessThan(0.15)
  expect(Math.abs(moments(rows, 1).mean - 2)).toBeLessThan(0.3)
})

const run: NewtonOptions = { ...banana, particles: 3, dimension: 2, iterations: 2 }

test('derivatives may be returned', async () => {
  const returned = { score: ([x, y]: Float64Array) => [1 - x + 8 * x * (y - x * x), -4 * (y - x * x)] }
  const found = svgdNewton({
    ...run,
    score: (_, x) => returned.score(x),
    hessian: (_, [x]) => [1 + 16 * x * x, -8 * x, -8 * x, 4],
  })
  expect(await found).toEqual(await svgdNewton(run))
})

describe('what it cannot do is said in a sentence', () => {
  test.each<[Partial<NewtonOptions>, string]>([
    [
      { hessian: (out) => out.set([1, 0, 0, -1]) },
      'The mean over the particles of −∂²log p must be positive definite: pivot 1 is -1; give the Gauss-Newton matrix',
    ],
    [{ hessian: (out) => out.fill(Number.NaN) }, 'The hessian of particle 0 at x = '],
    [{ score: (out) => out.fill(Number.POSITIVE_INFINITY) }, 'The score of particle 0 at x = '],
    [{ initial: [1, 2] }, 'initial must hold 3 × 2 = 6 numbers, got 2.'],
    [{ initial: [0, 0, Number.NaN, 0, 0, 0] }, 'initial particle 1 is [NaN, 0]; it must be finite.'],
    [{ initial: [0, 0, null as never, 0, 0, 0] }, 'initial particle 1 is [null,0]; it must be finite.'],
    [{ learningRate: 0 }, 'learningRate must be'],
    [{ score: (async () => {}) as never }, 'score is asynchronous, it returned a promise'],
    [{ hessian: (async () => {}) as never }, 'hessian is asynchronous, it returned a promise'],
    [{ score: (out, x) => x.set(out.map((value) => -value)) }, 'score wrote 0 into x, which it must leave as it is'],
    [{ hessian: () => [1, 0, 0] }, 'hessian returned 3 numbers for 4 coordinates.'],
    [{ hessian: (out) => out.set([2, 0, 1, 2]) }, 'is not symmetric, entry 0, 1 is 0 and entry 1, 0 is 1.'],
    [{ iterations: 1e12 }, 'iterations must be a whole number from 0 to 1000000000, got 1000000000000.'],
    [{ particles: 1e12 }, 'particles × dimension² must be at most 134217728, got 1000000000000 × 2² = 4000000000000.'],
  ])('%#', async (changes, message) => {
    await expect(svgdNewton({ ...run, ...changes })).rejects.toThrow(message)
  })
})
