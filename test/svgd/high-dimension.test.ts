import { describe, expect, test } from '@jest/globals'
import { adam, coin, sgd } from '../../src/optim/optimizers.ts'
import {
  bilinearMatern,
  blockwise,
  graphical,
  imq,
  type Kernel,
  linear,
  matern32,
  rbf,
  sliced,
  sumOf,
} from '../../src/svgd/kernels.ts'
import { type SvgdRun, svgd } from '../../src/svgd/svgd.ts'
import {
  blocksReference,
  directionReference,
  imqReference,
  linearReference,
  matern32Reference,
  medianBandwidthReference,
  rbfReference,
  sampleRows,
  sumReference,
} from '../reference/kernels.ts'
import { medianReference, pairDistances } from '../reference/svgd.ts'
import { directionOf, relativeError } from './population.ts'

// The methods for where plain SVGD loses its variance: twins, and posteriors with known moments.

const n = 17
const d = 6
const X = sampleRows(n, d, 1)
const S = sampleRows(n, d, 2)
const columns = (rows: readonly (readonly number[])[], which: readonly number[]) =>
  rows.map((row) => which.map((k) => row[k]))

const standard = (out: Float32Array, x: Float32Array) => out.set(x.map((value) => -value))

/** Mean over coordinates of the variance of particles that follow N(0, I). */
async function varianceOf(dimension: number, run: Omit<Partial<SvgdRun>, 'initial'> & { initial?: ArrayLike<number> }) {
  const particles = await svgd({ score: standard, particles: 50, dimension, iterations: 600, ...run })
  const variances = Array.from({ length: dimension }, (_, k) => {
    const column = particles.filter((_, at) => at % dimension === k)
    const mean = column.reduce((sum, x) => sum + x, 0) / column.length
    return column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length
  })
  return variances.reduce((sum, variance) => sum + variance, 0) / dimension
}

test('bilinear and Matérn is the sum of the two', async () => {
  const ours = await directionOf(X, S, bilinearMatern({ c: 2, bandwidth: 3 }))
  const twin = directionReference(X, S, sumReference([1, linearReference(2)], [1, matern32Reference(3)]))
  expect(relativeError(ours.phi, twin.phi)).toBeLessThan(1e-5)
  const byDefault = await directionOf(X, S, bilinearMatern())
  const medians = sumReference([1, linearReference(1)], [1, matern32Reference(medianBandwidthReference(X))])
  expect(relativeError(byDefault.phi, directionReference(X, S, medians).phi)).toBeLessThan(1e-5)
})

describe('a graphical kernel', () => {
  const blocks = [
    { moves: [2, 0], beside: [5, 1] },
    { moves: [1], beside: [2, 0, 5] },
    { moves: [4] },
    { moves: [5, 3], beside: [4] },
  ]

  test.each([
    ['rbf', rbf(), (rows: number[][]) => rbfReference(medianBandwidthReference(rows))],
    ['imq', imq({ c: 2 }), () => imqReference(2, -0.5)],
    [
      'linear + rbf',
      sumOf([1, linear()], [2, rbf({ bandwidth: 3 })]),
      () => sumReference([1, linearReference(1)], [2, rbfReference(3)]),
    ],
  ] as const)('of %s moves each coordinate by the kernel on its neighbourhood', async (_, kernel, referenceOf) => {
    const ours = await directionOf(X, S, graphical(blocks, kernel))
    const phi = X.map(() => new Array<number>(d).fill(0))
    let [drive, repulsion] = [X.map(() => 0), X.map(() => 0)]
    for (const { moves, beside = [] } of blocks) {
      const seen = [...moves, ...beside]
      const twin = directionReference(columns(X, seen), columns(S, seen), referenceOf(columns(X, seen)))
      const square = (row: readonly number[]) =>
        row.slice(0, moves.length).reduce((sum, value) => sum + value * value, 0)
      drive = drive.map((sum, i) => sum + square(twin.drive[i]))
      repulsion = repulsion.map((sum, i) => sum + square(twin.repulsion[i]))
      moves.forEach((column, k) => {
        phi.forEach((row, i) => {
          row[column] = twin.phi[i][k]
        })
      })
    }
    expect(relativeError(ours.phi, phi)).toBeLessThan(1e-5)
    expect(ours.dead).toEqual(ours.dead.map(() => 0))
    const mean = (squares: number[]) => squares.reduce((sum, square) => sum + Math.sqrt(square), 0) / n
    expect(ours.info.drive / mean(drive)).toBeCloseTo(1, 4)
    expect(ours.info.repulsion / mean(repulsion)).toBeCloseTo(1, 4)
  })

  test('with nothing beside is blockwise, and with all beside is the kernel itself', async () => {
    const alone = graphical([{ moves: [0, 1] }, { moves: [2, 3, 4] }, { moves: [5] }], rbf())
    const blocks = await directionOf(X, S, blockwise([2, 3, 1], rbf()))
    expect((await directionOf(X, S, alone)).phi).toEqual(blocks.phi)
    const all = graphical(
      [
        { moves: [0, 1], beside: [2, 3, 4, 5] },
        { moves: [2, 3, 4, 5], beside: [0, 1] },
      ],
      rbf(),
    )
    expect(relativeError((await directionOf(X, S, all)).phi, (await directionOf(X, S, rbf())).phi)).toBeLessThan(1e-5)
  })

  test('keeps the variance of a chain of 20 dimensions, where the plain kernel loses it', async () => {
    // x_0 ~ N(0, 1), x_k ~ N(0.6 x_{k−1}, 0.64): every marginal is N(0, 1), neighbours have the correlation 0.6.
    const length = 20
    const score = (out: Float32Array, x: Float32Array) => {
      out[0] = -x[0]
      for (let k = 1; k < length; k++) {
        const off = (x[k] - 0.6 * x[k - 1]) / 0.64
        out[k] -= off
        out[k - 1] += 0.6 * off
      }
    }
    const chain = Array.from({ length }, (_, k) => ({
      moves: [k],
      beside: [k - 1, k + 1].filter((other) => other >= 0 && other < length),
    }))
    expect(await varianceOf(length, { score })).toBeLessThan(0.5)
    const optimizer = adam({ learningRate: 0.1 })
    expect(await varianceOf(length, { score, kernel: graphical(chain, rbf()), optimizer })).toBeGreaterThan(0.75)
  })

  test.each<[() => Kernel | Promise<unknown>, string]>([
    [
      () => graphical([{ moves: [0] }, { moves: [0, 1] }], rbf()),
      'Each coordinate from 0 must move in exactly one block',
    ],
    [() => graphical([{ moves: [1] }], rbf()), 'Each coordinate from 0 must move in exactly one block'],
    [() => graphical([], rbf()), 'got none.'],
    [() => graphical([{ moves: [0], beside: [2] }, { moves: [1] }], rbf()), 'An entry of beside must be'],
    [
      () => graphical([{ moves: [0], beside: [1, 1] }, { moves: [1] }], rbf()),
      'stands twice in the block that moves 0.',
    ],
    [() => directionOf(X, S, graphical([{ moves: [0] }], rbf())), 'A graphical kernel must move 6 coordinates, got 1.'],
    [() => sliced(blockwise([1], rbf())), 'sliced takes kernels on the particles themselves'],
  ])('%#: what is no neighbourhood is refused', async (make, message) => {
    await expect((async () => make())()).rejects.toThrow(message)
  })
})

describe('a sliced kernel', () => {
  test('is one-dimensional kernels in an orthogonal basis, which changes from step to step', async () => {
    // With the scores of N(0, I), φ by slices in any basis is R times that of R-rotated rows; its length is known.
    const ours = await directionOf(X, S, sliced(rbf({ bandwidth: 2 })))
    const other = await directionOf(X, S, sliced(rbf({ bandwidth: 2 }), { seed: 1 }))
    expect(relativeError(other.phi, ours.phi)).toBeGreaterThan(1e-3)
    // With the linear kernel every slice has (xᵀr rᵀy + 1), which does not depend on the others: check in the basis.
    const basis = await basisOf(0)
    for (const r of basis) for (const s of basis) expect(dot(r, s)).toBeCloseTo(r === s ? 1 : 0, 5)
    const rotated = (rows: readonly (readonly number[])[]) => rows.map((row) => basis.map((r) => dot(r, row)))
    const twin = blocksReference(rotated(X), rotated(S), Array(d).fill(1), () => rbfReference(2))
    const back = twin.phi.map((row) =>
      basis[0].map((_, k) => row.reduce((sum, value, r) => sum + value * basis[r][k], 0)),
    )
    expect(relativeError(ours.phi, back)).toBeLessThan(1e-5)
    expect(ours.info.drive / twin.info.drive).toBeCloseTo(1, 4)
    expect(ours.info.repulsion / twin.info.repulsion).toBeCloseTo(1, 4)
  })

  test('has slices that are uniform: no direction is met more often, by the first of them or the last', async () => {
    const steps = Array.from({ length: 500 }, (_, step) => step)
    const bases = await Promise.all(steps.map((step) => basisOf(3, step)))
    const mean = (of: (basis: readonly (readonly number[])[]) => number) =>
      bases.reduce((sum, basis) => sum + of(basis), 0) / steps.length
    for (let r = 0; r < d; r++)
      for (let k = 0; k < d; k++) {
        expect(Math.abs(mean((basis) => basis[r][k] ** 2) - 1 / d)).toBeLessThan(0.05)
        // On a sphere; a fourth moment of 1/d would be axes, one of 1/d² directions that keep away from them.
        expect(Math.abs(mean((basis) => basis[r][k] ** 4) - 3 / (d * (d + 2)))).toBeLessThan(0.04)
      }
  })

  /** [d][d] the slices of a step: what they make of the axes. */
  async function basisOf(seed: number, step = 0): Promise<number[][]> {
    const { createArena } = await import('../../src/core/arena.ts')
    const { compileCore } = await import('../../src/core/module.ts')
    const { steinFields } = await import('../../src/svgd/fields.ts')
    const { turnInto } = await import('../../src/svgd/slices.ts')
    const arena = await createArena(await compileCore(), steinFields(d, d, { kernel: sliced(rbf(), { seed }) }))
    const D = arena.view.theta.length / d
    for (let k = 0; k < d; k++) arena.view.theta[k * D + k] = 1
    turnInto(arena, [arena.at.slicedX, arena.at.theta], d, d, { seed, step })
    return Array.from({ length: d }, (_, r) => Array.from({ length: d }, (_, k) => arena.view.slicedX[k * D + r]))
  }
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0)

  test('keeps the variance of N(0, I) in 30 dimensions', async () => {
    expect(await varianceOf(30, {})).toBeLessThan(0.3)
    expect(await varianceOf(30, { kernel: sliced(rbf()), iterations: 200 })).toBeGreaterThan(0.85)
  })

  test('sees correlations, which a kernel on every coordinate alone does not', async () => {
    // Particles on the diagonal of the plane, whose marginals are right already.
    const initial = Float32Array.from({ length: 100 }, (_, at) => 2.5 * Math.sin(Math.floor(at / 2)) * 0.57)
    const run = { dimension: 2, particles: 50, initial, iterations: 300, score: standard }
    const correlation = (rows: Float32Array) => {
      let [xx, yy, xy] = [0, 0, 0]
      for (let i = 0; i < 50; i++) {
        xx += rows[2 * i] ** 2
        yy += rows[2 * i + 1] ** 2
        xy += rows[2 * i] * rows[2 * i + 1]
      }
      return xy / Math.sqrt(xx * yy)
    }
    expect(correlation(await svgd({ ...run, kernel: blockwise([1, 1], rbf()) }))).toBeGreaterThan(0.99)
    expect(Math.abs(correlation(await svgd({ ...run, kernel: sliced(rbf()) })))).toBeLessThan(0.2)
  })
})

describe('an adaptive bandwidth', () => {
  /** U- and V-statistic of the squared discrepancy for the RBF kernel, by the definition. */
  function statistics(rows: readonly (readonly number[])[], scores: readonly (readonly number[])[], h: number) {
    let [u, v] = [0, 0]
    rows.forEach((x, i) => {
      rows.forEach((y, j) => {
        const r = x.reduce((sum, value, k) => sum + (value - y[k]) ** 2, 0)
        const kernel = Math.exp(-r / h)
        let value = (kernel * 2 * x.length) / h - (kernel * 4 * r) / h ** 2
        x.forEach((_, k) => {
          const towards = (2 / h) * (x[k] - y[k]) * kernel
          value += kernel * scores[i][k] * scores[j][k] + scores[i][k] * towards - scores[j][k] * towards
        })
        v += value
        if (i !== j) u += value
      })
    })
    return { u: u / (rows.length * (rows.length - 1)), v: v / rows.length ** 2 }
  }
  const factors = Array.from({ length: 13 }, (_, k) => 2 ** (k - 6))
  const median = medianReference(pairDistances(X))

  test.each([0.5, 3, -1])('maximises the U-statistic among 13, with scores times %d', async (factor) => {
    const scores = X.map((x) => x.map((value) => Math.fround(-factor * value)))
    const { info, phi } = await directionOf(X, scores, rbf({ bandwidth: 'adaptive' }))
    const u = factors.map((by) => statistics(X, scores, by * median).u)
    const best = factors[u.indexOf(Math.max(...u))] * median
    expect(info.bandwidth / best).toBeCloseTo(1, 5)
    expect(relativeError(phi, directionReference(X, scores, rbfReference(best)).phi)).toBeLessThan(1e-4)
  })

  test('is wide where no bandwidth shows a discrepancy', async () => {
    // Two particles of N(0, 1) where the repulsion balances the drive at once: U is below 0 for every h.
    const rows = [[-0.8], [0.8]]
    const scores = rows.map(([x]) => [-x])
    expect(Math.max(...factors.map((by) => statistics(rows, scores, by * 1.6 ** 2).u))).toBeLessThan(0)
    const { info } = await directionOf(rows, scores, rbf({ bandwidth: 'adaptive' }))
    expect(info.bandwidth).toBeCloseTo(16 * 1.6 ** 2, 4)
  })

  test('the V-statistic would collapse: it takes the narrowest kernel there is, however narrow', () => {
    const scores = X.map((x) => x.map((value) => 3 - value))
    const narrow = [...Array.from({ length: 10 }, (_, k) => 2 ** (k - 20)), ...factors]
    const v = narrow.map((by) => statistics(X, scores, by * median).v)
    expect(v.indexOf(Math.max(...v))).toBe(0)
    const u = narrow.map((by) => statistics(X, scores, by * median).u)
    expect(u.indexOf(Math.max(...u))).toBeGreaterThan(5)
  })

  test('keeps the variance of N(0, I) in 20 dimensions', async () => {
    expect(await varianceOf(20, {})).toBeLessThan(0.4)
    expect(await varianceOf(20, { kernel: rbf({ bandwidth: 'adaptive' }), iterations: 300 })).toBeGreaterThan(0.9)
  })

  test('is of rbf alone', () => {
    expect(() => imq({ bandwidth: 'adaptive' as never })).toThrow('bandwidth must be')
    expect(() => matern32({ bandwidth: 'adaptive' as never })).toThrow('bandwidth must be')
  })
})

describe('noise', () => {
  test('is Langevin’s step on top of the interaction, of numbers that the seed, the particle and the step give', async () => {
    const run: SvgdRun = {
      score: standard,
      particles: 4,
      dimension: 3,
      iterations: 1,
      optimizer: sgd({ learningRate: 0.2 }),
    }
    const start = await svgd({ ...run, iterations: 0 })
    const still = await svgd(run)
    const noisy = await svgd({ ...run, noise: 0.5 })
    // What is left of a step without interaction and drift is √(2 ε β⁻¹) ξ.
    const xi = noisy.map((x, at) => (x - still[at] - 0.2 * 0.5 * -start[at]) / Math.sqrt(0.2))
    expect(Math.max(...xi.map(Math.abs))).toBeGreaterThan(0.5)
    expect(new Set(xi).size).toBe(12)
    expect(await svgd({ ...run, noise: 0.5 })).toEqual(noisy)
    const more = await svgd({ ...run, noise: 0.5, particles: 6 })
    const others = await svgd({ ...run, particles: 6 })
    // The first four particles keep their numbers when there are more.
    for (let at = 0; at < 12; at++)
      expect((more[at] - others[at] + 0.1 * start[at]) / Math.sqrt(0.2)).toBeCloseTo(xi[at], 4)
  })

  test('keeps the variance of N(0, I) in 30 dimensions', async () => {
    const run = { noise: 1, optimizer: sgd({ learningRate: 0.05 }), iterations: 400 }
    expect(Math.abs((await varianceOf(30, run)) - 1)).toBeLessThan(0.15)
  })

  test('takes sgd by default and no other optimizer', async () => {
    const run: SvgdRun = { score: standard, particles: 3, dimension: 1, iterations: 1, noise: 0.1 }
    expect(await svgd(run)).toEqual(await svgd({ ...run, optimizer: sgd({ learningRate: 0.1 }) }))
    await expect(svgd({ ...run, optimizer: coin() })).rejects.toThrow(
      'noise needs the optimizer sgd(), whose rate is a length of time; got coin.',
    )
    await expect(svgd({ ...run, noise: -1 })).rejects.toThrow('noise must be')
  })
})

test("the repulsion 'sqrt d' is √d times as strong", async () => {
  const run: SvgdRun = { score: standard, particles: 10, dimension: 9, iterations: 5 }
  expect(await svgd({ ...run, repulsion: 'sqrt d' })).toEqual(await svgd({ ...run, repulsion: 3 }))
  await expect(svgd({ ...run, repulsion: 'sqrt' as never })).rejects.toThrow('repulsion must be')
})

test('coin needs no rate: N(500, 1) from N(0, 1) is found, where 1,000 steps of adam(0.1) do not arrive', async () => {
  const score = (out: Float32Array, x: Float32Array) => out.set(x.map((value) => 500 - value))
  const run: SvgdRun = { score, particles: 50, dimension: 1, iterations: 1000 }
  const mean = (rows: Float32Array) => rows.reduce((sum, x) => sum + x, 0) / rows.length
  expect(mean(await svgd({ ...run, optimizer: adam({ learningRate: 0.1 }) }))).toBeLessThan(200)
  const found = await svgd({ ...run, optimizer: coin() })
  expect(Math.abs(mean(found) - 500)).toBeLessThan(0.1)
  expect(found.reduce((sum, x) => sum + (x - 500) ** 2, 0) / 50).toBeGreaterThan(0.7)
})
