import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createArena } from '../../src/core/arena.ts'
import { UsageError } from '../../src/core/errors.ts'
import { generator, normal } from '../../src/core/generator.ts'
import { compileCore } from '../../src/core/module.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import {
  type PerStateOptions,
  perStateBandwidthNames,
  perStateDirection,
  perStateFields,
} from '../../src/svgd/per-state.ts'
import { crossDistances, directionAtReference, type StateReference, traceReference } from '../reference/per-state.ts'
import { directionOf, largestError, relativeError } from './population.ts'

const module = await compileCore()

interface Found {
  phi: number[][]
  trace: number[]
  h: number
}

/** The direction in each of the states, which are all of the same size. */
async function inStates(states: StateReference[], options: PerStateOptions): Promise<Found[]> {
  const [{ fixed, updated }] = states
  const [F, U, d] = [fixed.length, (updated ?? fixed).length, fixed[0].length]
  const sizes = { states: states.length, fixed: F, updated: updated?.length, width: d }
  const arena = await createArena(module, perStateFields(sizes))
  const { view } = arena
  view.fixed.set(states.flatMap((state) => state.fixed.flat()))
  view.fixedScore.set(states.flatMap((state) => state.score.flat()))
  view.updated.set(states.flatMap((state) => state.updated?.flat() ?? []))
  view.trace.fill(Number.NaN)
  perStateDirection(arena, sizes, { trace: true, ...options })
  return states.map((_, b) => ({
    phi: Array.from({ length: U }, (_, i) => [...view.phi.subarray((b * U + i) * d, (b * U + i + 1) * d)]),
    trace: [...view.trace.subarray(b * U, (b + 1) * U)],
    h: view.bandwidths[b],
  }))
}

const inOne = async (state: StateReference, options: PerStateOptions) => (await inStates([state], options))[0]

const coordinate = fc.float({ min: -4, max: 4, noNaN: true })
const rows = (n: number, d: number) =>
  fc.array(fc.array(coordinate, { minLength: d, maxLength: d }), { minLength: n, maxLength: n })
/** States of random sizes, so that every tail of the SIMD loops is met; with one set of particles or two. */
const population = fc
  .record({
    states: fc.integer({ min: 1, max: 3 }),
    F: fc.integer({ min: 1, max: 19 }),
    U: fc.option(fc.integer({ min: 1, max: 19 }), { nil: undefined }),
    d: fc.integer({ min: 1, max: 9 }),
  })
  .chain(({ states, F, U, d }) => {
    const updated = U === undefined ? fc.constant(undefined) : rows(U, d)
    const state = fc.record({ fixed: rows(F, d), score: rows(F, d), updated })
    return fc.array(state, { minLength: states, maxLength: states })
  })

const flatten = (values: number[]) => values.map((value) => [value])

test('equals the float64 twin for every size, with either term alone and weighed', async () => {
  const weights = fc.constantFrom({}, { drive: 0 }, { repulsion: 0 }, { drive: 0.25, repulsion: 3 })
  await fc.assert(
    fc.asyncProperty(population, fc.constantFrom(0.5, 5, 50), weights, async (states, h, weight) => {
      const found = await inStates(states, { bandwidth: h, ...weight })
      states.forEach((state, b) => {
        const { fixed, updated = fixed } = state
        const phi = updated.map((a) => directionAtReference(a, state, h, weight))
        // Terms of float32 size whose sum may cancel: |k s| ≤ 4, |∇k| ≤ √(2/eh), and their slopes that over √h once
        // more.
        const size = (4 + Math.sqrt(2 / h)) * 3
        expect(largestError(found[b].phi, phi)).toBeLessThan(2e-6 * size)
        const trace = traceReference(state, h, weight)
        const slopes = (size * fixed[0].length) / Math.min(Math.sqrt(h), h)
        expect(largestError(flatten(found[b].trace), flatten(trace))).toBeLessThan(2e-6 * slopes)
      })
    }),
    { numRuns: 300, seed: 1 },
  )
})

describe('bandwidths', () => {
  const rules: Record<string, (squares: number[], F: number) => number> = {
    'sql-code': (squares, F) => Math.max(squares[(squares.length - 1) >> 1] / Math.log(F), 1e-3),
    s2ac: (squares, F) => mean(squares) / 2 / Math.log(F + 1),
    's2ac-mean': (squares, F) => mean(squares) / Math.log(F + 1),
    's2ac-median': (squares, F) => squares[(squares.length - 1) >> 1] / Math.log(F + 1),
    's2ac-quantile': (squares, F) => squares[Math.floor((squares.length - 1) / 4)] / Math.log(F + 1),
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const draw = (n: number, d: number, seed: number) => {
    const g = generator(seed)
    return Array.from({ length: n }, () => Array.from({ length: d }, () => Math.fround(normal(g))))
  }

  test('there is a rule for each name', () => {
    expect(Object.keys(rules)).toEqual(perStateBandwidthNames)
  })

  // Few values are selected from as they are, many are narrowed down first; three updated particles leave lanes unused.
  test.each(
    perStateBandwidthNames.flatMap((name) => [
      { name, F: 6, U: undefined },
      { name, F: 8, U: 8 },
      { name, F: 5, U: 3 },
      { name, F: 2, U: 1 },
      { name, F: 32, U: 32 },
      { name, F: 32, U: undefined },
      { name, F: 23, U: 11 },
    ]),
  )('$name with $F fixed and $U updated', async ({ name, F, U }) => {
    const states = [1, 2, 3].map((seed) => ({
      fixed: draw(F, 2, seed),
      score: draw(F, 2, seed + 10),
      updated: U === undefined ? undefined : draw(U, 2, seed + 20),
    }))
    const found = await inStates(states, { bandwidth: name })
    states.forEach((state, b) => {
      const h = rules[name](crossDistances(state), F)
      expect(found[b].h / h - 1).toBeCloseTo(0, 6)
      const phi = (state.updated ?? state.fixed).map((a) => directionAtReference(a, state, h))
      expect(relativeError(found[b].phi, phi)).toBeLessThan(2e-5)
    })
  })

  test('particles that coincide: the floor, or a bandwidth of 1, and nothing but the mean score', async () => {
    const fixed = Array.from({ length: 16 }, () => [2, 2])
    const score = fixed.map((_, j) => [j, -1])
    for (const name of perStateBandwidthNames) {
      const { h, phi } = await inOne({ fixed, score }, { bandwidth: name })
      expect(h).toBe(name === 'sql-code' ? Math.fround(1e-3) : 1)
      for (const row of phi) expect(row).toEqual([7.5, -1])
    }
  })

  test('most particles coincide: the mean where the statistic is 0', async () => {
    const fixed = [[0], [0], [0], [4]]
    const { h } = await inOne({ fixed, score: fixed }, { bandwidth: 's2ac-median' })
    expect(h).toBe(6)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-60, 'median'])('%p is refused', async (bandwidth) => {
    const run = inOne({ fixed: [[1]], score: [[1]] }, { bandwidth: bandwidth as number })
    await expect(run).rejects.toThrow(UsageError)
    await expect(run).rejects.toThrow(/^bandwidth must be a finite number above 0 or one of sql-code, s2ac, .*, got /)
  })

  test('the logarithm of one fixed particle is refused', async () => {
    const run = inOne({ fixed: [[1]], score: [[1]] }, { bandwidth: 'sql-code' })
    await expect(run).rejects.toThrow("The bandwidth 'sql-code' needs at least 2 fixed particles, got 1.")
  })
})

describe('algebra', () => {
  const fixed = [
    [0.125, -1],
    [1.5, 0.25],
    [-2, 0.75],
    [0.5, 2],
    [3, -1.5],
  ]
  const score = fixed.map(([a, b]) => [0.5 - a, b * 0.25])

  test('it is the direction of SVGD', async () => {
    const { phi } = await inOne({ fixed, score }, { bandwidth: 1.7 })
    expect(relativeError(phi, (await directionOf(fixed, score, rbf({ bandwidth: 1.7 }))).phi)).toBeLessThan(1e-6)
  })

  test('divided by row sums: the direction of SVGD for one set, the twin for two, 0 far from all', async () => {
    const normalise = 'row sum'
    const options = { bandwidth: 1.7, normalise, trace: false } as const
    const { phi } = await inOne({ fixed, score }, options)
    const svgd = await directionOf(fixed, score, rbf({ bandwidth: 1.7 }), { normalise })
    expect(relativeError(phi, svgd.phi)).toBeLessThan(1e-6)
    const updated = [
      [0, 0.5],
      [2, 1],
      [500, 500],
    ]
    const two = await inOne({ fixed, score, updated }, options)
    const near = updated.slice(0, 2).map((a) => directionAtReference(a, { fixed, score }, 1.7, { normalise }))
    expect(relativeError(two.phi, [...near, [0, 0]])).toBeLessThan(1e-6)
    await expect(inOne({ fixed, score }, { ...options, trace: true })).rejects.toThrow(
      "The trace is that of a sum divided by 'n', not by 'row sum'.",
    )
  })

  test('states know nothing of each other', async () => {
    const other = { fixed: score, score: fixed }
    const [alone] = await inStates([{ fixed, score }], { bandwidth: 's2ac' })
    const [, between] = await inStates([other, { fixed, score }, other], { bandwidth: 's2ac' })
    expect(between).toEqual(alone)
  })

  test('permuting the updated particles permutes the directions to the bit, permuting the fixed ones changes none', async () => {
    const order = [3, 0, 4, 1, 2]
    const pick = <T>(list: T[]) => order.map((i) => list[i])
    const plain = await inOne({ fixed, score, updated: score }, { bandwidth: 'sql-code' })
    const other = await inOne({ fixed, score, updated: pick(score) }, { bandwidth: 'sql-code' })
    expect(other.phi).toEqual(pick(plain.phi))
    expect(other.trace).toEqual(pick(plain.trace))
    const mixed = await inOne({ fixed: pick(fixed), score: pick(score), updated: score }, { bandwidth: 'sql-code' })
    expect(relativeError(mixed.phi, plain.phi)).toBeLessThan(1e-6)
    const same = await inOne({ fixed, score }, { bandwidth: 's2ac' })
    const sameMixed = await inOne({ fixed: pick(fixed), score: pick(score) }, { bandwidth: 's2ac' })
    expect(relativeError(flatten(sameMixed.trace), flatten(pick(same.trace)))).toBeLessThan(1e-5)
  })

  test('moving all particles moves no direction', async () => {
    const shift = (list: number[][]) => list.map(([a, b]) => [a + 64, b - 128])
    const plain = await inOne({ fixed, score, updated: score }, { bandwidth: 's2ac' })
    const moved = await inOne({ fixed: shift(fixed), score, updated: shift(score) }, { bandwidth: 's2ac' })
    expect(moved).toEqual(plain)
  })

  test('one particle follows its score: plain ascent, and no change of density is counted', async () => {
    const { phi, trace } = await inOne({ fixed: [[3, -4]], score: [[0.5, 2]] }, { bandwidth: 's2ac' })
    expect(phi).toEqual([[0.5, 2]])
    expect(trace).toEqual([0])
  })

  test('without scores the particles move apart, their repulsions cancel and their density falls', async () => {
    const silent = fixed.map(() => [0, 0])
    const { phi, trace } = await inOne({ fixed, score: silent }, { bandwidth: 40 })
    const towards = fixed.map((a, i) => a.reduce((sum, value, c) => sum + value * phi[i][c], 0))
    expect(towards.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(0.1)
    for (const c of [0, 1]) expect(phi.reduce((sum, row) => sum + row[c], 0)).toBeCloseTo(0, 6)
    // log q ← log q − ε trace
    for (const value of trace) expect(value).toBeGreaterThan(0)
  })
})

describe('the trace', () => {
  const h = 1.3
  const fixed = [
    [0.3, -1, 0.2],
    [1.1, 0.25, -0.4],
    [-0.7, 0.75, 0.9],
    [0.5, 0.2, -0.1],
  ]
  /** A Gaussian target, whose score is −A x and whose ∇² log p is −A. */
  const A = [2, 0.5, 1]
  const scoreOf = (x: number[]) => x.map((value, c) => -A[c] * value)
  const state = { fixed, score: fixed.map(scoreOf) }
  const STEP = 1e-5

  /** ∂/∂x_c of component r of a vector field, by central differences. */
  const jacobian = (field: (x: number[]) => number[], x: number[]) =>
    x.map((_, r) =>
      x.map((_, c) => {
        const at = (sign: number) => field(x.map((value, k) => (k === c ? value + sign * STEP : value)))[r]
        return (at(1) - at(-1)) / (2 * STEP)
      }),
    )
  const traceOf = (J: number[][]) => J.reduce((sum, row, c) => sum + row[c], 0)

  test('two sets: the divergence of φ by numerical differentiation', async () => {
    const updated = [
      [0.4, 0.1, 0],
      [-1, 0.6, 0.3],
    ]
    const { trace } = await inOne({ ...state, updated }, { bandwidth: h })
    const numerical = updated.map((x) => traceOf(jacobian((a) => directionAtReference(a, state, h), x)))
    expect(relativeError(flatten(trace), flatten(numerical))).toBeLessThan(1e-6)
  })

  /** φ_i of the whole step when particle i, and its score with it, is moved to x. */
  const stepOf = (i: number) => (x: number[]) => {
    const moved = fixed.map((a, j) => (j === i ? x : a))
    return directionAtReference(x, { fixed: moved, score: moved.map(scoreOf) }, h)
  }

  test('one set: with tr ∇² log p / n added, the derivative of a step by the particle itself', async () => {
    const { trace } = await inOne(state, { bandwidth: h })
    const hessian = -A.reduce((sum, value) => sum + value, 0) / fixed.length
    const numerical = fixed.map((x, i) => traceOf(jacobian(stepOf(i), x)))
    expect(relativeError(flatten(trace.map((value) => value + hessian)), flatten(numerical))).toBeLessThan(1e-6)
  })

  test('log |det(I + ε ∇φ)| is ε times it, but for terms of ε²', async () => {
    const { trace } = await inOne(state, { bandwidth: h })
    const hessian = -A.reduce((sum, value) => sum + value, 0) / fixed.length
    const J = jacobian(stepOf(1), fixed[1])
    const error = (epsilon: number) => Math.abs(logDeterminant(J, epsilon) - epsilon * (trace[1] + hessian))
    expect(error(0.01)).toBeLessThan(1e-3 * Math.abs(logDeterminant(J, 0.01)) + 0.01 ** 2 * 3)
    expect(error(0.01) / error(0.005)).toBeGreaterThan(3.5)
    expect(error(0.01) / error(0.005)).toBeLessThan(4.5)
  })

  /** log |det(I + ε J)| of a 3 × 3 matrix. */
  function logDeterminant(J: number[][], epsilon: number): number {
    const [[a, b, c], [d, e, f], [g, k, l]] = J.map((row, r) =>
      row.map((value, s) => epsilon * value + (r === s ? 1 : 0)),
    )
    return Math.log(a * (e * l - f * k) - b * (d * l - f * g) + c * (d * k - e * g))
  }
})
