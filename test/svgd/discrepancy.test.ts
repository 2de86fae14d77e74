import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createArena } from '../../src/core/arena.ts'
import { f32, f64, padded } from '../../src/core/layout.ts'
import { compileCore } from '../../src/core/module.ts'
import { Purpose } from '../../src/core/random.ts'
import {
  type DiscrepancyKernel,
  type DiscrepancyOptions,
  discrepancyAt,
  type FixedDiscrepancyKernel,
  type GoodnessOfFitOptions,
  goodnessOfFit,
  steinDiscrepancy,
} from '../../src/svgd/discrepancy.ts'
import {
  bootstrapReference,
  imqReference,
  rbfReference,
  squaredUReference,
  squaredVReference,
  steinKernelReference,
} from '../reference/discrepancy.ts'

const core = await compileCore()

interface GoldenKernel {
  kind: 'rbf' | 'imq'
  h: number
  c: number
  beta: number
  ksd2_v: number
  ksd2_u: number
  ksd_v: number
  stein_U?: number[][]
}
interface Golden {
  n: number
  d: number
  score: string
  X: number[][]
  G: number[][]
  kernels: Record<string, GoldenKernel>
}
const golden: { cases: Golden[] } = JSON.parse(readFileSync(new URL('../golden/svgd.json', import.meta.url), 'utf8'))
const cases = golden.cases.flatMap((c) =>
  Object.entries(c.kernels).map(([name, kernel]) => ({ ...c, name, kernel, ours: kernelOf(kernel) })),
)

function kernelOf({ kind, h, c, beta }: GoldenKernel): FixedDiscrepancyKernel {
  return kind === 'rbf' ? { kind, bandwidth: h } : { kind, c, beta }
}

const referenceOf = (kernel: FixedDiscrepancyKernel) =>
  kernel.kind === 'rbf' ? rbfReference(kernel.bandwidth) : imqReference(kernel.c, kernel.beta)

/** The options of rows X with scores S. */
const of = (X: number[][], S: number[][], kernel?: DiscrepancyKernel): DiscrepancyOptions => ({
  particles: X.flat(),
  scores: S.flat(),
  dimension: X[0].length,
  kernel,
  core,
})

/** An arena of its own with the rows X and S, its tails dead. */
async function arenaOf(X: number[][], S: number[][]) {
  const n = X.length
  const d = X[0].length
  const D = padded(d)
  const arena = await createArena(core, {
    x: f32(n, D),
    score: f32(n, D),
    pairs: f64((n * (n - 1)) / 2),
    weights: f64(n, 4),
    sums: f64(4),
    uniforms: f32(n),
  })
  X.forEach((x, i) => void arena.view.x.set(x, i * D))
  S.forEach((s, i) => void arena.view.score.set(s, i * D))
  return { ...arena, n, d, rowBytes: 4 * D }
}

/** U [n, n], the diagonal one row at a time. */
async function steinKernelOf(X: number[][], S: number[][], kernel: FixedDiscrepancyKernel): Promise<number[][]> {
  const { ops, at, view, n, d, rowBytes } = await arenaOf(X, S)
  const parameters: [number, number, number] =
    kernel.kind === 'rbf' ? [0, kernel.bandwidth, 0] : [1, kernel.c * kernel.c, kernel.beta]
  ops.steinPairsInto(at.pairs, at.x, at.score, n, d, ...parameters)
  return X.map((_, i) =>
    X.map((_, j) => {
      const low = Math.min(i, j)
      const high = Math.max(i, j)
      if (low < high) return view.pairs[(high * (high - 1)) / 2 + low]
      return ops.steinDiagonal(at.x + i * rowBytes, at.score + i * rowBytes, 1, d, ...parameters)
    }),
  )
}

const rounded = (rows: number[][]) => rows.map((row) => row.map(Math.fround))
const largest = (rows: number[][]) => Math.max(...rows.flat().map(Math.abs))
const differences = (a: number[][], b: number[][]) => a.map((row, i) => row.map((value, j) => value - b[i][j]))

/**
 * Against the twin on the same numbers: float64 rounding of sums of some hundred terms, each no larger than the largest
 * U, which stands on the diagonal (U is positive definite). Metrics: 1e-15.
 */
const TWIN = 1e-12
/** Against golden: particles and scores were rounded to float32, 6e-8 relative each, times |x|²/h in the exponent. */
const GOLDEN = 1e-5

describe('the golden discrepancies', () => {
  test.each(cases)('$n × $d, $score, $name', async ({ X, G, kernel, ours }) => {
    const exact = steinKernelReference(X, G, referenceOf(ours))
    const scale = largest(exact)
    expect(Math.abs(squaredVReference(exact) - kernel.ksd2_v)).toBeLessThan(TWIN * scale)
    expect(Math.abs(squaredUReference(exact) - kernel.ksd2_u)).toBeLessThan(TWIN * scale)
    if (kernel.stein_U) expect(largest(differences(exact, kernel.stein_U))).toBeLessThan(TWIN * scale)

    const { discrepancy, squaredV, squaredU } = await steinDiscrepancy(of(X, G, ours))
    expect(Math.abs(squaredV - kernel.ksd2_v)).toBeLessThan(GOLDEN * scale)
    expect(Math.abs((squaredU as number) - kernel.ksd2_u)).toBeLessThan(GOLDEN * scale)
    expect(discrepancy / kernel.ksd_v - 1).toBeCloseTo(0, 4)
    expect(discrepancy).toBe(Math.sqrt(squaredV))

    const twin = steinKernelReference(rounded(X), rounded(G), referenceOf(ours))
    const U = await steinKernelOf(X, G, ours)
    expect(largest(differences(U, twin))).toBeLessThan(TWIN * scale)
    if (kernel.stein_U) expect(largest(differences(U, kernel.stein_U))).toBeLessThan(GOLDEN * scale)
    expect(Math.abs(squaredV - squaredVReference(twin))).toBeLessThan(TWIN * scale)
  })

  test.each(golden.cases)('$n × $d: the default bandwidth of rbf is med²/log(n+1)', async ({ X, G, kernels }) => {
    const { h, ksd2_v } = kernels.rbf_log_n_plus_1
    const scale = largest(steinKernelReference(X, G, rbfReference(h)))
    const { squaredV } = await steinDiscrepancy(of(X, G, { kind: 'rbf' }))
    expect(Math.abs(squaredV - ksd2_v)).toBeLessThan(GOLDEN * scale)
  })
})

const coordinate = fc.float({ min: -8, max: 8, noNaN: true })
/** Particles and scores of random sizes, so that every tail of the SIMD loop is met. */
const population = fc
  .record({ n: fc.integer({ min: 1, max: 12 }), d: fc.integer({ min: 1, max: 11 }) })
  .chain(({ n, d }) => {
    const rows = fc.array(fc.array(coordinate, { minLength: d, maxLength: d }), { minLength: n, maxLength: n })
    return fc.record({ X: rows, S: rows })
  })
const anyKernel: fc.Arbitrary<FixedDiscrepancyKernel> = fc.oneof(
  fc.record({
    kind: fc.constant('imq' as const),
    c: fc.constantFrom(0.1, 1, 30),
    beta: fc.constantFrom(-0.99, -0.5, -0.1),
  }),
  fc.record({ kind: fc.constant('rbf' as const), bandwidth: fc.constantFrom(0.5, 5, 500) }),
)

describe('algebra', () => {
  test('equals the twin for every size and kernel; V is not negative', async () => {
    await fc.assert(
      fc.asyncProperty(population, anyKernel, async ({ X, S }, kernel) => {
        const twin = steinKernelReference(X, S, referenceOf(kernel))
        const tolerance = TWIN * largest(twin)
        expect(largest(differences(await steinKernelOf(X, S, kernel), twin))).toBeLessThanOrEqual(tolerance)
        const { squaredV, squaredU } = await steinDiscrepancy(of(X, S, kernel))
        expect(squaredV).toBeGreaterThanOrEqual(0)
        expect(Math.abs(squaredV - squaredVReference(twin))).toBeLessThanOrEqual(tolerance)
        if (X.length === 1) expect(squaredU).toBeNull()
        else expect(Math.abs((squaredU as number) - squaredUReference(twin))).toBeLessThanOrEqual(tolerance)
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  test('the same particles and scores in another order: the same discrepancy', async () => {
    await fc.assert(
      fc.asyncProperty(population, anyKernel, async ({ X, S }, kernel) => {
        const order = X.map((_, i) => i).sort((i, j) => ((i * 7 + 3) % 13) - ((j * 7 + 3) % 13))
        const pick = (rows: number[][]) => order.map((i) => rows[i])
        const plain = await steinDiscrepancy(of(X, S, kernel))
        const permuted = await steinDiscrepancy(of(pick(X), pick(S), kernel))
        const scale = largest(await steinKernelOf(X, S, kernel))
        expect(Math.abs(permuted.squaredV - plain.squaredV)).toBeLessThanOrEqual(TWIN * scale)
        expect(Math.abs((permuted.squaredU ?? 0) - (plain.squaredU ?? 0))).toBeLessThanOrEqual(TWIN * scale)
      }),
      { numRuns: 50, seed: 2 },
    )
  })

  // On a grid of 2^-10, coordinates of up to 8 shifted by 4096 are exact in float32, and so are their differences.
  test('moving target and particles together changes no bit', async () => {
    await fc.assert(
      fc.asyncProperty(population, anyKernel, async ({ X, S }, kernel) => {
        const onGrid = X.map((x) => x.map((value) => Math.round(value * 1024) / 1024))
        const moved = onGrid.map((x) => x.map((value, k) => value + (k % 2 ? -4096 : 4096)))
        expect(await steinDiscrepancy(of(moved, S, kernel))).toEqual(await steinDiscrepancy(of(onGrid, S, kernel)))
      }),
      { numRuns: 50, seed: 3 },
    )
  })

  test('one particle: U = k(x, x) (|s|² + 2dm) with m = 1/h and −β/c²; there is no U-statistic', async () => {
    const one = of([[5, -1, 2]], [[1, 2, -2]])
    const rbf = await steinDiscrepancy({ ...one, kernel: { kind: 'rbf', bandwidth: 4 } })
    expect(rbf).toEqual({ discrepancy: Math.sqrt(10.5), squaredV: 10.5, squaredU: null })
    const { squaredV } = await steinDiscrepancy({ ...one, kernel: { kind: 'imq', c: 2, beta: -0.5 } })
    expect(squaredV).toBeCloseTo((9 + 0.75) / 2, 14)
    // one particle has no median distance: h = 1
    expect((await steinDiscrepancy({ ...one, kernel: { kind: 'rbf' } })).squaredV).toBe(15)
  })

  test('equal particles have the bandwidth 1, mostly equal ones the mean squared distance', async () => {
    const zeros = (n: number) => Array.from({ length: n }, () => [0])
    const same = await steinDiscrepancy(of(zeros(4), zeros(4), { kind: 'rbf' }))
    expect(same.squaredV).toBe(2)
    const X = [...zeros(4), [3]]
    const mean = await steinDiscrepancy(of(X, zeros(5), { kind: 'rbf', bandwidth: (4 * 9) / 10 }))
    expect(await steinDiscrepancy(of(X, zeros(5), { kind: 'rbf' }))).toEqual(mean)
  })

  test('the default kernel is (1 + |x−y|²)^(−1/2)', async () => {
    const [X, S] = [
      [
        [0, 1],
        [2, -1],
      ],
      [
        [1, 1],
        [0, -2],
      ],
    ]
    const plain = await steinDiscrepancy(of(X, S))
    expect(await steinDiscrepancy(of(X, S, { kind: 'imq' }))).toEqual(plain)
    expect(await steinDiscrepancy(of(X, S, { kind: 'imq', c: 1, beta: -0.5 }))).toEqual(plain)
    expect(await steinDiscrepancy(of(X, S, { kind: 'imq', c: 2 }))).not.toEqual(plain)
    expect(await steinDiscrepancy(of(X, S, { kind: 'imq', beta: -0.4 }))).not.toEqual(plain)
    const { at, ops } = await arenaOf(X, S)
    expect(discrepancyAt(ops, at, 2, 2)).toEqual(plain)
  })
})

/** n × d draws of N(shift, scale²), with the scores of N(0, 1): s = −x. */
async function gaussian(n: number, d: number, seed: number, shift = 0, scale = 1): Promise<DiscrepancyOptions> {
  const { ops, at, view } = await createArena(core, { x: f32(n * d) })
  ops.fillNormal(at.x, n * d, seed, 0, Purpose.user, 0, 0, 0)
  const particles = view.x.map((value) => shift + scale * value)
  return { particles, scores: particles.map((value) => -value), dimension: d, core }
}

describe('what it measures', () => {
  // With x ~ N(μ, σ²I) and the target N(0, I), KSD² = E[(s_p − s)(x)·(s_p − s)(x') k(x, x')], all Gaussian integrals
  // for rbf. One U-statistic of 500 particles scatters around it by 10 %; it is unbiased, so the mean of 40 does by 1.6
  // %.
  test.each([
    { shift: 0.5, scale: 1 },
    { shift: 1, scale: 1 },
    { shift: -2, scale: 1 },
    { shift: 0, scale: 1.5 },
    { shift: 0, scale: 0.5 },
  ])('rbf: the exact value for N($shift, $scale²) against N(0, 1)', async ({ shift, scale }) => {
    const [d, h] = [3, 5]
    const g = 1 / Math.sqrt(1 + (4 * scale ** 2) / h)
    const shifted = d * shift ** 2 * g ** d
    const scaled = (1 / scale ** 2 - 1) ** 2 * (d / 2) * scale ** 2 * g ** d * (1 - g ** 2)
    let mean = 0
    for (let seed = 0; seed < 40; seed++) {
      const sample = await gaussian(500, d, seed, shift, scale)
      const { squaredU } = await steinDiscrepancy({ ...sample, kernel: { kind: 'rbf', bandwidth: h } })
      mean += (squaredU as number) / 40
    }
    expect(Math.abs(mean / (shifted + scaled) - 1)).toBeLessThan(0.06)
  })

  test.each(['imq', 'rbf'] as const)('%s: exact samples are near, all others far', async (kind) => {
    const squaredU = async (shift: number, scale: number) => {
      const sample = await gaussian(400, 3, 1, shift, scale)
      return (await steinDiscrepancy({ ...sample, kernel: { kind } })).squaredU as number
    }
    const exact = Math.abs(await squaredU(0, 1))
    for (const far of [
      [0.5, 1],
      [0, 1.5],
      [0, 0.5],
    ]) {
      expect(await squaredU(far[0], far[1])).toBeGreaterThan(10 * exact)
    }
  })

  test('the discrepancy of exact samples falls as 1/√n', async () => {
    const { discrepancy: few } = await steinDiscrepancy(await gaussian(50, 2, 1))
    const { discrepancy: many } = await steinDiscrepancy(await gaussian(1250, 2, 2))
    expect(few / many).toBeGreaterThan(3.5)
    expect(few / many).toBeLessThan(6.5)
  })
})

/** 0.999 of Binomial(200, 0.05) lies from 1 to 21. */
const LEVEL = { tests: 200, from: 1, to: 21 }

async function rejections(tests: number, sample: (seed: number) => Promise<DiscrepancyOptions>) {
  const p: number[] = []
  for (let seed = 0; seed < tests; seed++) {
    p.push((await goodnessOfFit({ ...(await sample(seed)), replicates: 200, seed })).pValue)
  }
  return { rejected: p.filter((value) => value <= 0.05).length, mean: p.reduce((sum, value) => sum + value) / tests }
}

describe('the goodness-of-fit test', () => {
  test.each([
    { d: 1, kind: 'imq' },
    { d: 4, kind: 'imq' },
    { d: 2, kind: 'rbf' },
  ] as const)('$kind, dimension $d: keeps its level on samples of the target', async ({ d, kind }) => {
    const { rejected, mean } = await rejections(LEVEL.tests, async (seed) => ({
      ...(await gaussian(60, d, seed)),
      kernel: { kind },
    }))
    expect(rejected).toBeGreaterThanOrEqual(LEVEL.from)
    expect(rejected).toBeLessThanOrEqual(LEVEL.to)
    // A uniform p has mean 1/2 ± 0.02 over 200 tests.
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.07)
  })

  test.each([
    { what: 'shifted', shift: 0.7, scale: 1 },
    { what: 'too wide', shift: 0, scale: 1.6 },
    { what: 'too narrow', shift: 0, scale: 0.5 },
  ])('notices samples that are $what', async ({ shift, scale }) => {
    const { rejected } = await rejections(20, (seed) => gaussian(60, 2, seed, shift, scale))
    expect(rejected).toBeGreaterThanOrEqual(18)
  })

  test('each replicate is the bootstrap statistic of its draws; the p-value counts them', async () => {
    const sample = await gaussian(13, 3, 4)
    const X = Array.from({ length: 13 }, (_, i) => Array.from(sample.particles).slice(3 * i, 3 * i + 3))
    const S = X.map((x) => x.map((value) => -value))
    const { statistic, pValue, bootstrap } = await goodnessOfFit({ ...sample, replicates: 6, seed: 5 * 2 ** 32 + 3 })
    const U = steinKernelReference(X, S, imqReference(1, -0.5))
    const { ops, at, view } = await arenaOf(X, S)
    bootstrap.forEach((value, r) => {
      ops.fillUniform(at.uniforms, 13, 3, 5, Purpose.bootstrap, 0, 0, r)
      const drawn = Array.from(view.uniforms, (u) => Math.floor(13 * u))
      expect(Math.abs(value - bootstrapReference(U, drawn))).toBeLessThan(TWIN * largest(U))
    })
    expect(bootstrap).toHaveLength(6)
    expect(statistic).toBe((await steinDiscrepancy(sample)).squaredU)
    expect(pValue).toBe((1 + bootstrap.filter((value) => value >= statistic).length) / 7)
  })

  test('same seed, same bits; another seed, other replicates; more replicates begin with the same ones', async () => {
    const sample = await gaussian(30, 2, 1)
    const run = (seed: number, replicates: number) => goodnessOfFit({ ...sample, seed, replicates })
    expect(await run(7, 50)).toEqual(await run(7, 50))
    expect((await run(8, 50)).bootstrap).not.toEqual((await run(7, 50)).bootstrap)
    expect((await run(8, 50)).statistic).toBe((await run(7, 50)).statistic)
    expect((await run(7, 51)).bootstrap.slice(0, 5)).toEqual((await run(7, 5)).bootstrap)
    expect(await goodnessOfFit(sample)).toEqual(await run(0, 1000))
  })
})

describe('bad input', () => {
  const good = of(
    [
      [0, 1],
      [2, 3],
    ],
    [
      [1, 0],
      [0, 1],
    ],
  )

  test.each<[Partial<DiscrepancyOptions>, string]>([
    [{ dimension: 0 }, 'dimension must be a whole number of at least 1, got 0.'],
    [{ dimension: 1.5 }, 'dimension must be a whole number of at least 1, got 1.5.'],
    [{ dimension: 3 }, 'particles must hold n × dimension numbers, a multiple of 3 above 0, got 4.'],
    [{ particles: [] }, 'particles must hold n × dimension numbers, a multiple of 2 above 0, got 0.'],
    [{ particles: undefined }, 'particles must be an array of numbers, got undefined.'],
    [{ scores: [1, 2] }, 'scores must hold 4 numbers, as many as particles, got 2.'],
    [{ particles: [0, 1, Number.NaN, 3] }, 'Row 1 of particles holds NaN at 0; it must be finite as a float32.'],
    [{ particles: [0, 1e39, 2, 3] }, 'Row 0 of particles holds 1e+39 at 1; it must be finite as a float32.'],
    [{ scores: [0, 1, 2, -Infinity] }, 'Row 1 of scores holds -Infinity at 1; it must be finite as a float32.'],
    [
      { particles: [[0, 1] as unknown as number, 2, 3, 4] },
      'Row 0 of particles holds [0, 1] at 0; it must be finite as a float32.',
    ],
    [{ kernel: { kind: 'imq', c: 0 } }, 'kernel.c must be a finite number above 0, got 0.'],
    [{ kernel: { kind: 'imq', c: Infinity } }, 'kernel.c must be a finite number above 0, got Infinity.'],
    [{ kernel: { kind: 'imq', c: 1e200 } }, 'kernel.c must have a finite square, got 1e+200.'],
    [{ kernel: { kind: 'imq', beta: 0 } }, 'kernel.beta must be a number above -1 and below 0, got 0.'],
    [{ kernel: { kind: 'imq', beta: -1 } }, 'kernel.beta must be a number above -1 and below 0, got -1.'],
    [{ kernel: { kind: 'imq', beta: Number.NaN } }, 'kernel.beta must be a number above -1 and below 0, got NaN.'],
    [{ kernel: { kind: 'rbf', bandwidth: 0 } }, 'kernel.bandwidth must be a finite number above 0, got 0.'],
    [{ kernel: { kind: 'rbf', bandwidth: -2 } }, 'kernel.bandwidth must be a finite number above 0, got -2.'],
    [{ kernel: { kind: 'linear' as 'rbf' } }, 'kernel.kind must be one of imq, rbf, got "linear".'],
    [
      { kernel: { kind: 'rbf', bandwidth: 1e-310 } },
      'The Stein kernel of these particles overflows float64 with the kernel {"kind":"rbf","bandwidth":1e-310}.',
    ],
    [
      { kernel: { kind: 'imq', c: 1e-170 } },
      'The Stein kernel of these particles overflows float64 with the kernel {"kind":"imq","c":1e-170,"beta":-0.5}.',
    ],
  ])('%j', async (change, message) => {
    const failure = { name: 'UsageError', message }
    await expect(steinDiscrepancy({ ...good, ...change })).rejects.toMatchObject(failure)
    await expect(goodnessOfFit({ ...good, ...change })).rejects.toMatchObject(failure)
  })

  test.each<[Partial<GoodnessOfFitOptions>, string]>([
    [{ particles: [1, 2], scores: [1, 2] }, 'goodnessOfFit needs at least 2 particles, got 1.'],
    [{ replicates: 0 }, 'replicates must be a whole number from 1 to 1000000, got 0.'],
    [{ replicates: 2.5 }, 'replicates must be a whole number from 1 to 1000000, got 2.5.'],
    [{ seed: -1 }, 'seed must be a whole number of at least 0, got -1.'],
  ])('%j', async (change, message) => {
    await expect(goodnessOfFit({ ...good, ...change })).rejects.toMatchObject({ name: 'UsageError', message })
  })
})
