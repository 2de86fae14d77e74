import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { SteinInfo } from '../../src/svgd/fields.ts'
import { blockwise, imq, type Kernel, linear, matern32, preconditioned, rbf, sumOf } from '../../src/svgd/kernels.ts'
import {
  blocksReference,
  type DirectionReference,
  diagonal,
  directionReference,
  imqReference,
  type KernelReference,
  linearReference,
  matern32Reference,
  medianBandwidthReference,
  perDimensionReference,
  rbfReference,
  sampleRows,
  scaledImqReference,
  sumReference,
  type VariantReference,
} from '../reference/kernels.ts'
import { directionOf, largestError, relativeError } from './population.ts'

/** Sums of some dozen float32 terms, after distances that are good to 1e-6 except where they cancel. */
const TOLERANCE = 1e-5
/** Below this float32 is subnormal and loses digits. */
const SUBNORMAL = 1e-37

type Twin = (X: number[][], S: number[][], variant?: VariantReference) => DirectionReference
interface Case {
  name: string
  /** The kernel for particles of d coordinates whose squared distances are about h, and its twin. */
  make(d: number, h: number): { kernel: Kernel; twin: Twin }
  /** Taken in coordinates that scale x: info and far particles are another matter, see below. */
  mapped?: true
}

const plain =
  (of: (X: number[][]) => KernelReference): Twin =>
  (X, S, variant) =>
    directionReference(X, S, of(X), variant)

/** Symmetric, positive definite, condition number below 20. */
const fullMetric = (d: number) =>
  Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? 2 + (i % 3) : 1 / (1 + i + j))))
const diagonalMetric = (d: number) => Array.from({ length: d }, (_, k) => [0.5, 3, 1, 2, 0.75][k % 5])

/** Blocks of 1, 2, 3, … columns, the last one what is left. */
function blockWidths(d: number): number[] {
  const widths: number[] = []
  for (let left = d; left > 0; left -= widths[widths.length - 1]) widths.push(Math.min(widths.length + 1, left))
  return widths
}

/** A kernel M⁻¹ k in a metric of either form. */
const metricCase = (
  name: string,
  form: 'diagonal' | 'full',
  kernel: (h: number) => Kernel,
  reference: (h: number, M: number[][], X: number[][]) => KernelReference,
): Case => ({
  name: `${name}, ${form} metric`,
  mapped: true,
  make(d, h) {
    const M = form === 'full' ? fullMetric(d) : diagonal(diagonalMetric(d))
    return {
      kernel: preconditioned(form === 'full' ? M : diagonalMetric(d), kernel(h)),
      twin: (X, S, variant) => directionReference(X, S, reference(h, M, X), variant, { metric: M }),
    }
  },
})

const perDimensionCase = (
  name: string,
  rule: 'per-dimension' | 'pyro-multivariate',
  kernel: (options: { bandwidth: typeof rule }) => Kernel,
  reference: (h: number, M: number[][]) => KernelReference,
): Case => ({
  name: `${name}, ${rule}`,
  mapped: true,
  make: () => ({
    kernel: kernel({ bandwidth: rule }),
    twin(X, S, variant) {
      const M = diagonal(perDimensionReference(X).map((h) => 1 / h))
      const h = rule === 'per-dimension' ? medianBandwidthReference(X, M) : 1
      return directionReference(X, S, reference(h, M), variant, { distance: M })
    },
  }),
})

const plainCases: Case[] = [
  { name: 'rbf', make: (_, h) => ({ kernel: rbf({ bandwidth: h }), twin: plain(() => rbfReference(h)) }) },
  {
    name: 'rbf, median',
    make: () => ({ kernel: rbf(), twin: plain((X) => rbfReference(medianBandwidthReference(X))) }),
  },
  ...[-0.5, -0.1, -0.3, -0.9].map((beta) => ({
    name: `imq, β = ${beta}`,
    make: (_: number, h: number) => {
      const c = beta === -0.5 ? 1 : 0.5 * Math.sqrt(h)
      return { kernel: imq({ c, beta }), twin: plain(() => imqReference(c, beta)) }
    },
  })),
  ...[-0.5, -0.3].map((beta) => ({
    name: `imq with a bandwidth, β = ${beta}`,
    make: (_: number, h: number) => ({
      kernel: imq({ bandwidth: h, beta }),
      twin: plain(() => scaledImqReference(h, beta)),
    }),
  })),
  {
    name: 'imq, median',
    make: () => ({
      kernel: imq({ bandwidth: 'svpg-paper' }),
      twin: plain((X) => scaledImqReference(medianBandwidthReference(X), -0.5)),
    }),
  },
  {
    name: 'matern32',
    make: (_, h) => ({ kernel: matern32({ bandwidth: h }), twin: plain(() => matern32Reference(h)) }),
  },
  {
    name: 'matern32, median',
    make: () => ({ kernel: matern32(), twin: plain((X) => matern32Reference(medianBandwidthReference(X))) }),
  },
  ...[0, 2.5].map((c) => ({
    name: `linear, c = ${c}`,
    make: () => ({ kernel: linear({ c }), twin: plain(() => linearReference(c)) }),
  })),
  {
    name: 'sum of one weighted rbf',
    make: (_, h) => ({
      kernel: sumOf([0.25, rbf({ bandwidth: h })]),
      twin: plain(() => sumReference([0.25, rbfReference(h)])),
    }),
  },
  {
    name: 'sum without linear',
    make: (_, h) => ({
      kernel: sumOf([2, rbf()], [0.5, imq()], [3, matern32({ bandwidth: h })], [1, rbf({ bandwidth: 2 * h })]),
      twin: plain((X) =>
        sumReference(
          [2, rbfReference(medianBandwidthReference(X))],
          [0.5, imqReference(1, -0.5)],
          [3, matern32Reference(h)],
          [1, rbfReference(2 * h)],
        ),
      ),
    }),
  },
  {
    name: 'sum of sums with linear',
    make: (_, h) => ({
      kernel: sumOf([2, sumOf([0.25, linear({ c: 3 })], [0.5, imq()])], [4, rbf({ bandwidth: h })]),
      twin: plain(() => sumReference([0.5, linearReference(3)], [1, imqReference(1, -0.5)], [4, rbfReference(h)])),
    }),
  },
  {
    name: 'blockwise rbf, median',
    make: (d) => ({
      kernel: blockwise(blockWidths(d), rbf()),
      twin: (X, S, variant) =>
        blocksReference(X, S, blockWidths(d), (block) => rbfReference(medianBandwidthReference(block)), variant),
    }),
  },
  {
    name: 'blockwise sum with linear',
    make: (d) => ({
      kernel: blockwise(blockWidths(d), sumOf([1, imq()], [2, linear()])),
      twin: (X, S, variant) =>
        blocksReference(
          ...([X, S, blockWidths(d)] as const),
          () => sumReference([1, imqReference(1, -0.5)], [2, linearReference(1)]),
          variant,
        ),
    }),
  },
]

const mappedCases: Case[] = [
  metricCase(
    'rbf',
    'diagonal',
    (h) => rbf({ bandwidth: h }),
    (h, M) => rbfReference(h, M),
  ),
  metricCase(
    'rbf, median',
    'full',
    () => rbf(),
    (_, M, X) => rbfReference(medianBandwidthReference(X, M), M),
  ),
  metricCase(
    'imq',
    'full',
    () => imq({ c: 2, beta: -0.7 }),
    (_, M) => imqReference(2, -0.7, M),
  ),
  metricCase(
    'linear',
    'full',
    () => linear(),
    (_, M) => linearReference(1, M),
  ),
  metricCase(
    'sum',
    'diagonal',
    (h) => sumOf([2, matern32({ bandwidth: h })], [0.5, linear()]),
    (h, M) => sumReference([2, matern32Reference(h, M)], [0.5, linearReference(1, M)]),
  ),
  perDimensionCase('rbf', 'pyro-multivariate', rbf, rbfReference),
  perDimensionCase('matern32', 'pyro-multivariate', matern32, matern32Reference),
  perDimensionCase('rbf', 'per-dimension', rbf, rbfReference),
  perDimensionCase('matern32', 'per-dimension', matern32, matern32Reference),
]

const cases = [...plainCases, ...mappedCases]

/** The direction and its info equal the twin's. */
async function expectTwin({ make, mapped }: Case, n: number, d: number, seed: number, scale: number, width: number) {
  const X = sampleRows(n, d, seed, scale)
  const S = sampleRows(n, d, seed + 1)
  const { kernel, twin } = make(d, width * d * scale * scale)
  const expected = twin(X, S)
  const ours = await directionOf(X, S, kernel)
  const { drive, repulsion } = expected.largest
  expect(relativeError(ours.kernel, expected.kernel)).toBeLessThan(TOLERANCE)
  expect(largestError(ours.drive, expected.drive)).toBeLessThanOrEqual(TOLERANCE * drive)
  expect(largestError(ours.repulsion, expected.repulsion)).toBeLessThanOrEqual(TOLERANCE * repulsion + SUBNORMAL)
  expect(largestError(ours.phi, expected.phi)).toBeLessThanOrEqual(TOLERANCE * (drive + repulsion))
  expect(ours.dead.every((value) => value === 0)).toBe(true)
  expect(ours.kernel.every((row, i) => row.every((value, j) => value === ours.kernel[j][i]))).toBe(true)
  expectInfo(ours.info, expected, d, mapped)
}

function expectInfo(
  info: SteinInfo,
  { info: expected, kernel, largest }: DirectionReference,
  d: number,
  mapped?: true,
) {
  const close = (value: number, twin: number, scale: number) =>
    expect(Math.abs(value - twin)).toBeLessThanOrEqual(TOLERANCE * scale)
  const top = Math.max(...kernel.flat().map(Math.abs))
  close(info.meanRowSum, expected.meanRowSum, top * kernel.length)
  close(info.kernelOffDiagonal, expected.kernelOffDiagonal, top * 2)
  close(info.meanDistance, expected.meanDistance, expected.meanDistance)
  if (mapped) return
  close(info.drive, expected.drive, Math.sqrt(d) * largest.drive)
  close(info.sharing, expected.sharing, Math.sqrt(d) * largest.drive)
  // The repulsion's norm is that of φ − drive.
  close(info.repulsion, expected.repulsion, Math.sqrt(d) * (largest.drive + largest.repulsion))
}

describe('the twins', () => {
  const M = fullMetric(5)
  const references: Record<string, KernelReference> = {
    rbf: rbfReference(3),
    'rbf in a metric': rbfReference(3, M),
    'imq −1/2': imqReference(1, -0.5),
    'imq −0.2': imqReference(0.7, -0.2, M),
    matern32: matern32Reference(2, M),
    linear: linearReference(0.5, M),
    sum: sumReference([2, rbfReference(1)], [0.5, linearReference(1)]),
  }

  test.each(Object.entries(references))('%s: the gradient is that of finite differences', (_, { k, gradient }) => {
    const [x, y] = sampleRows(2, 5, 3)
    const step = 1e-5
    const moved = (a: number, by: number) => x.map((value, b) => (b === a ? value + by : value))
    gradient(x, y).forEach((value, a) => {
      expect(value).toBeCloseTo((k(moved(a, step), y) - k(moved(a, -step), y)) / (2 * step), 8)
    })
  })
})

describe('equal to the float64 twin', () => {
  // n and d meet every tail of tiles of 4 rows and 8 columns, and both ways to the distances (d ≤ 16, d > 16). The twin
  // of a metric is slow.
  const sizes = (mapped?: true) =>
    fc.tuple(
      fc.integer({ min: 1, max: mapped ? 13 : 40 }),
      fc.integer({ min: 1, max: mapped ? 25 : 40 }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.constantFrom(0.03, 1, 20),
      fc.constantFrom(0.3, 1, 5),
    )
  const edges: [number, number, number, number, number][] = [
    [1, 1, 1, 1, 1],
    [2, 16, 2, 1, 1],
    [3, 17, 3, 1, 1],
    [12, 12, 4, 1, 1],
    [13, 20, 5, 1, 1],
    [9, 25, 6, 1, 1],
  ]

  test.each(cases)('$name', async (which) => {
    await fc.assert(
      fc.asyncProperty(sizes(which.mapped), ([n, d, seed, scale, width]) =>
        expectTwin(which, n, d, seed, scale, width),
      ),
      { numRuns: 30, seed: 1, examples: edges.map((edge) => [edge]) },
    )
  })

  // Several strips of columns, several blocks of the Gram matrix.
  test.each(plainCases)('$name, 37 × 270', async (which) => {
    await expectTwin(which, 37, 270, 7, 1, 1)
  })

  test.each(mappedCases)('$name, 5 × 150', async (which) => {
    await expectTwin(which, 5, 150, 8, 1, 1)
  })
})

interface Golden {
  n: number
  d: number
  X: number[][]
  G: number[][]
  kernels: Record<
    string,
    { kind: string; c: number; beta: number; drive: number[][]; repulse: number[][]; phi: number[][] }
  >
}
const golden: { cases: Golden[] } = JSON.parse(readFileSync(new URL('../golden/svgd.json', import.meta.url), 'utf8'))

test.each(golden.cases)('the golden inverse multiquadric, $n × $d', async ({ X, G, kernels }) => {
  const { c, beta, drive, repulse, phi } = kernels.imq
  const ours = await directionOf(X, G, imq({ c, beta }))
  expect(relativeError(ours.drive, drive)).toBeLessThan(TOLERANCE)
  expect(relativeError(ours.repulsion, repulse)).toBeLessThan(TOLERANCE)
  expect(relativeError(ours.phi, phi)).toBeLessThan(TOLERANCE)
})

describe('special cases', () => {
  const X = sampleRows(9, 11, 1)
  const S = sampleRows(9, 11, 2)

  test('an identity metric and a single block change nothing', async () => {
    const { phi } = await directionOf(X, S, rbf())
    const same = [
      preconditioned(Array(11).fill(1), rbf()),
      preconditioned(diagonal(Array(11).fill(1)), rbf()),
      blockwise([11], rbf()),
    ]
    for (const kernel of same) expect(relativeError((await directionOf(X, S, kernel)).phi, phi)).toBeLessThan(1e-6)
  })

  test('a diagonal metric is the same as a list and as a matrix', async () => {
    const list = await directionOf(X, S, preconditioned(diagonalMetric(11), imq()))
    const matrix = await directionOf(X, S, preconditioned(diagonal(diagonalMetric(11)), imq()))
    expect(relativeError(list.phi, matrix.phi)).toBeLessThan(1e-6)
  })

  test.each(cases)(
    '$name: equal particles give no NaN and no repulsion but that of the linear kernel',
    async ({ make }) => {
      const equal = Array.from({ length: 6 }, () => sampleRows(1, 5, 4)[0])
      const { kernel } = make(5, 1)
      const { phi, repulsion, kernel: K } = await directionOf(equal, sampleRows(6, 5, 5), kernel)
      expect([...phi, ...K].flat().every(Number.isFinite)).toBe(true)
      if (!kernel.name.includes('linear')) expect(Math.max(...repulsion.flat().map(Math.abs))).toBeLessThan(1e-6)
    },
  )
})

describe('bad input', () => {
  const square = (...rows: number[][]) => preconditioned(rows, rbf())

  test.each([
    [() => sumOf(), 'A sum of kernels needs at least one kernel.'],
    [() => sumOf([0, rbf()]), 'A weight of a sum of kernels must be a finite number above 0, got 0.'],
    [() => sumOf([1, blockwise([2], rbf())]), 'sumOf takes kernels on the particles themselves, got blockwise rbf.'],
    [() => imq({ c: 0 }), 'c must be a finite number above 0, got 0.'],
    [
      () => imq({ c: 2, bandwidth: 'pyro' }),
      'imq takes its scale from c or from a bandwidth, got c = 2 and a bandwidth.',
    ],
    [() => imq({ bandwidth: -1 }), 'bandwidth must be a finite number above 0 or one of svgd-paper,'],
    [() => imq({ beta: 0 }), 'beta must be a number between -1 and 0, got 0.'],
    [() => imq({ beta: -1e-50 }), 'beta must be a number between -1 and 0, got -1e-50.'],
    [() => imq({ beta: -1 }), 'beta must be a number between -1 and 0, got -1.'],
    [() => imq({ beta: Number.NaN }), 'beta must be a number between -1 and 0, got NaN.'],
    [() => linear({ c: -1 }), 'c must be a finite number of at least 0, got -1.'],
    [() => matern32({ bandwidth: 0 }), /^bandwidth must be a finite number above 0 or one of .*, got 0\.$/],
    [() => square([1, 0]), 'metric must be a square matrix: row 0 has 2 of 1 entries.'],
    [() => square([1, 0.5], [0.4, 1]), 'metric must be symmetric, got 0.4 at (1, 0) and 0.5 at (0, 1).'],
    [() => square([1, 2], [2, 1]), 'metric must be positive definite: pivot 1 is -3.'],
    [() => preconditioned([1, 0], rbf()), 'metric[1] must be a finite number above 0, got 0.'],
    [() => blockwise([2, 0], rbf()), 'widths[1] must be a whole number of at least 1, got 0.'],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
  })

  test.each([
    [blockwise([2, 2], rbf()), 'The blocks of a kernel must add up to the dimension 3, got 2 + 2.'],
    [preconditioned([1, 1], rbf()), 'The metric must have the dimension 3 of the particles, got 2.'],
  ])('%#: a kernel for another dimension', async (kernel, message) => {
    await expect(directionOf(sampleRows(2, 3, 1), sampleRows(2, 3, 2), kernel)).rejects.toThrow(message)
  })

  test.each([3, 40])('distances that overflow float32 are refused, d = %d', async (d) => {
    const X = sampleRows(4, d, 1, 1e25)
    await expect(directionOf(X, sampleRows(4, d, 2))).rejects.toThrow(/too far apart, or too close, for float32/)
  })
})
