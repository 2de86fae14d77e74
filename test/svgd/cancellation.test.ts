// The direction of each particle keeps 1e-5 of the sum of its terms' sizes, whatever the others do: clusters far apart,
// outliers, offsets. Held against float64 on the same float32 particles.
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { generator, normal } from '../../src/core/generator.ts'
import { sgd } from '../../src/optim/optimizers.ts'
import { blockwise, imq, type Kernel, linear, matern32, preconditioned, rbf, sumOf } from '../../src/svgd/kernels.ts'
import { createSVGD } from '../../src/svgd/svgd.ts'

/** k, W with ∇_{x_j} k(x_j, x_i) = W (x_i − x_j), and l with its part l x_i, from |x − y|² and x·y. */
type Radial = (q: number, product: number) => { k: number; w: number; l: number }

const rbfAt =
  (h: number): Radial =>
  (q) => ({ k: Math.exp(-q / h), w: (2 / h) * Math.exp(-q / h), l: 0 })
const imqAt =
  (c: number): Radial =>
  (q) => ({ k: (c * c + q) ** -0.5, w: (c * c + q) ** -1.5, l: 0 })
const maternAt =
  (h: number): Radial =>
  (q) => {
    const r = Math.sqrt((3 * q) / h)
    return { k: (1 + r) * Math.exp(-r), w: (3 / h) * Math.exp(-r), l: 0 }
  }
const linearAt =
  (c: number): Radial =>
  (_, product) => ({ k: product + c, w: 0, l: 1 })

interface Setting {
  readonly kernel: Kernel
  readonly radial: Radial
  /** Of each coordinate. */
  readonly metric: readonly number[]
}

/** The largest |φ_i − reference| / Σ_j sizes of the terms, by one step without a score worth the name. */
async function errorOf(x: Float32Array, n: number, d: number, { kernel, radial, metric }: Setting): Promise<number> {
  const scoreOf = (row: ArrayLike<number>, k: number) => Math.fround(0.2 - 0.3 * (row[k] - x[k]))
  const { init, step } = createSVGD({
    score: (out, row) => {
      for (let k = 0; k < d; k++) out[k] = scoreOf(row, k)
    },
    kernel,
    optimizer: sgd({ learningRate: 1e-30 }),
    threads: 1,
  })
  const state = await init({ particles: n, dimension: d, initial: x })
  step(state)
  const rows = Array.from({ length: n }, (_, i) => Array.from(x.subarray(i * d, (i + 1) * d)))
  let worst = 0
  for (let i = 0; i < n; i++) {
    const phi = new Array<number>(d).fill(0)
    let size = 0
    for (let j = 0; j < n; j++) {
      const differences = rows[i].map((value, k) => value - rows[j][k])
      const q = differences.reduce((sum, value, k) => sum + metric[k] * value * value, 0)
      const {
        k: value,
        w,
        l,
      } = radial(
        q,
        rows[i].reduce((sum, v, k) => sum + v * rows[j][k], 0),
      )
      const drive = rows[j].map((_, k) => (value * scoreOf(rows[j], k)) / (kernel.coordinates ? metric[k] : 1))
      const repulsion = differences.map((v) => w * v)
      const own = rows[i].map((v) => l * v)
      for (let k = 0; k < d; k++) phi[k] += drive[k] + repulsion[k] + own[k]
      size += Math.hypot(...drive) + Math.hypot(...repulsion) + Math.hypot(...own)
    }
    const found = state.arena.view.direction.subarray(i * state.population.stride)
    const error = Math.hypot(...phi.map((value, k) => value / n - found[k]))
    // What float32 cannot hold is left out of account.
    worst = Math.max(worst, error / (size / n + 1e-30))
  }
  return worst
}

const one = (d: number) => new Array<number>(d).fill(1)
const settings: Record<string, (d: number, scale: number) => Setting> = {
  rbf: (d, s) => ({ kernel: rbf({ bandwidth: s * s }), radial: rbfAt(Math.fround(s * s)), metric: one(d) }),
  imq: (d, s) => ({ kernel: imq({ c: s }), radial: imqAt(s), metric: one(d) }),
  matern32: (d, s) => ({
    kernel: matern32({ bandwidth: s * s }),
    radial: maternAt(Math.fround(s * s)),
    metric: one(d),
  }),
  linear: (d) => ({ kernel: linear(), radial: linearAt(1), metric: one(d) }),
  'a sum': (d, s) => ({
    kernel: sumOf([0.5, rbf({ bandwidth: s * s })], [2, imq({ c: s })]),
    radial: (q) => {
      const [a, b] = [rbfAt(Math.fround(s * s))(q, 0), imqAt(s)(q, 0)]
      return { k: 0.5 * a.k + 2 * b.k, w: 0.5 * a.w + 2 * b.w, l: 0 }
    },
    metric: one(d),
  }),
  'a metric': (d, s) => {
    const metric = one(d).map((_, k) => 4 ** (k % 3))
    return { kernel: preconditioned(metric, rbf({ bandwidth: s * s })), radial: rbfAt(Math.fround(s * s)), metric }
  },
}

/** n particles of d coordinates: clusters of a width at places up to `reach` apart, outliers, an offset of all. */
const geometry = fc.record({
  n: fc.integer({ min: 2, max: 70 }),
  d: fc.constantFrom(1, 2, 5, 18, 40),
  clusters: fc.integer({ min: 1, max: 4 }),
  reach: fc.constantFrom(0, 1, 30, 1e3, 1e5),
  outliers: fc.constantFrom(0, 0, 7),
  offset: fc.constantFrom(0, 0, 1e4),
  seed: fc.nat(1000),
})

type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? T : never

function particlesOf({ n, d, clusters, reach, outliers, offset, seed }: Geometry): Float32Array {
  const g = generator(seed)
  const places = Array.from({ length: clusters * d }, () => reach * normal(g))
  return Float32Array.from({ length: n * d }, (_, at) => {
    const [i, k] = [Math.floor(at / d), at % d]
    const isOutlier = outliers > 0 && i % outliers === 3
    return offset + places[(i % clusters) * d + k] + (isOutlier ? 500 : 1) * normal(g)
  })
}

describe.each(Object.entries(settings))('%s', (name, setting) => {
  test('keeps 1e-5 of the terms in any geometry', async () => {
    await fc.assert(
      fc.asyncProperty(geometry, async (given) => {
        // k of a linear kernel grows with the offset itself, and a metric scales d² by up to 16.
        const scale = name === 'linear' ? 1 : Math.sqrt(given.d) * (name === 'a metric' ? 3 : 1)
        expect(await errorOf(particlesOf(given), given.n, given.d, setting(given.d, scale))).toBeLessThan(1e-5)
      }),
      { numRuns: 60, seed: 7 },
    )
  })
})

test('clusters at ±1000 of width 0.01 and a bandwidth of 2e-4', async () => {
  const g = generator(5)
  const x = Float32Array.from({ length: 400 }, (_, i) => (i % 2 ? 1000 : -1000) + 0.01 * normal(g))
  const h = Math.fround(2e-4)
  expect(await errorOf(x, 400, 1, { kernel: rbf({ bandwidth: h }), radial: rbfAt(h), metric: [1] })).toBeLessThan(2e-6)
})

test('blocks of coordinates, one of them tight clusters far apart', async () => {
  const g = generator(6)
  const n = 60
  const x = Float32Array.from({ length: 2 * n }, (_, at) => (at % 2 ? 1e4 * ((at >> 1) % 3) + normal(g) : normal(g)))
  const { init, step } = createSVGD({
    score: () => {},
    kernel: blockwise([1, 1], rbf({ bandwidth: 1 })),
    optimizer: sgd({ learningRate: 1e-30 }),
  })
  const state = await init({ particles: n, dimension: 2, initial: x })
  step(state)
  for (let k = 0; k < 2; k++) {
    for (let i = 0; i < n; i++) {
      let [phi, size] = [0, 0]
      for (let j = 0; j < n; j++) {
        const difference = x[2 * i + k] - x[2 * j + k]
        const term = (2 * difference * Math.exp(-(difference ** 2))) / n
        phi += term
        size += Math.abs(term)
      }
      expect(Math.abs(state.arena.view.direction[i * state.population.stride + k] - phi)).toBeLessThan(
        1e-5 * size + 1e-30,
      )
    }
  }
})
