import { describe, expect, test } from '@jest/globals'
import { volumeGradient } from '../../../src/algorithms/svpg/determinant.ts'
import type { SvpgOptions } from '../../../src/algorithms/svpg/settings.ts'
import { svpg } from '../../../src/algorithms/svpg/svpg.ts'
import { expectClose } from '../../helpers/close.ts'
import { differences } from '../../reference/functions.ts'

const EPSILON = 1e-3
const distance = (x: readonly number[], y: readonly number[]) =>
  x.reduce((sum, value, k) => sum + (value - y[k]) ** 2, 0)

/** What the gradient is for policies with these outputs. */
function gradientOf(f: readonly (readonly number[])[], h: number, factor = 1): number[] {
  const n = f.length
  const N = Math.ceil(n / 4) * 4
  const kernel = new Float32Array(N * N)
  f.forEach((x, i) => {
    f.forEach((y, j) => {
      kernel[i * N + j] = Math.exp(-distance(x, y) / h)
    })
  })
  const theta = Float32Array.from(f.flat())
  const view = { theta, kernel, direction: new Float32Array(theta.length).fill(7) }
  volumeGradient({ view }, n, h, factor)
  return [...view.direction]
}

/** log det(K + εI), by elimination. */
function logVolume(f: readonly (readonly number[])[], h: number): number {
  const M = f.map((x, i) => f.map((y, j) => Math.exp(-distance(x, y) / h) + (i === j ? EPSILON : 0)))
  let total = 0
  M.forEach((pivot, i) => {
    total += Math.log(pivot[i])
    for (const row of M.slice(i + 1)) {
      const factor = row[i] / pivot[i]
      for (let c = i; c < M.length; c++) row[c] -= factor * pivot[c]
    }
  })
  return total
}

describe('the gradient of the log-volume', () => {
  test.each([0.3, 2])('of two policies at two states is that of log((1 + ε)² − k²), h = %p', (h) => {
    const f = [
      [0.2, -0.5],
      [0.7, 0.1],
    ]
    const k = Math.exp(-distance(f[0], f[1]) / h)
    // dk/df_0 = −(2/h)(f_0 − f_1) k
    const slope = ((-2 * k) / ((1 + EPSILON) ** 2 - k * k)) * (-2 / h) * k
    const expected = [0, 1].map((c) => slope * (f[0][c] - f[1][c]))
    expectClose(gradientOf(f, h), [...expected, ...expected.map((x) => -x)], 1e-5)
    // Apart.
    expect(expected[0] * (f[0][0] - f[1][0])).toBeGreaterThan(0)
  })

  test.each([1, -0.7])('of five by differences, times %p', (factor) => {
    const f = Array.from({ length: 5 }, (_, i) => [0, 1, 2].map((c) => Math.sin(2 * i + 5 * c)))
    const flat = f.flat()
    const rows = (x: readonly number[]) => f.map((_, i) => x.slice(3 * i, 3 * i + 3))
    const expected = differences((x) => factor * logVolume(rows(x), 1.5), flat)
    expectClose(gradientOf(f, 1.5, factor), expected, 1e-4)
  })

  test('of policies that are the same is 0 between them, and finite', () => {
    expect(
      gradientOf(
        [
          [1, 2],
          [1, 2],
        ],
        1,
      ).every((x) => x === 0),
    ).toBe(true)
    const three = gradientOf(
      [
        [1, 2],
        [1, 2],
        [1.5, 2],
      ],
      1,
    )
    expect(three.every(Number.isFinite)).toBe(true)
    expect(three.slice(0, 2)).toEqual(three.slice(2, 4))
    expect(three[4]).toBeGreaterThan(0)
  })

  test('a third policy between two is pushed less than by pairs: a volume counts clusters', () => {
    const [near] = gradientOf([[0], [0.001], [1]], 1).slice(2)
    const [alone] = gradientOf([[0], [1]], 1).slice(1)
    // Two that are the same push the other no more than one does, within what ε leaves.
    expect(near / alone).toBeGreaterThan(0.99)
    expect(near / alone).toBeLessThan(1.05)
  })
})

describe('in a run', () => {
  const small = {
    ...{ env: 'CartPole-v1', particles: 3, environments: 4, steps: 32, hidden: [8], seed: 2 },
    ...{ kernel: 'function', interaction: 'determinant', bandwidth: 20 },
  } satisfies SvpgOptions
  const rowsOf = (values: Float32Array, size: number) =>
    Array.from({ length: 3 }, (_, i) => [...values.subarray((i * values.length) / 3, (i * values.length) / 3 + size)])

  test('its own score over n and the volume, which grows along its gradient', async () => {
    const state = await svpg.init(small)
    await svpg.step(state)
    await svpg.evaluate(state)
    const outputs = () => {
      const theta = state.functions?.arena.view.theta ?? new Float32Array()
      return rowsOf(theta, theta.length / 3)
    }
    state.arena.view.score.fill(0)
    const info = svpg.move(state)
    expect(info?.sharing).toBe(0)
    expect(info?.repulsion).toBeGreaterThan(0)
    const before = logVolume(outputs(), 20)
    for (let k = 0; k < 3; k++) {
      state.arena.view.score.fill(0)
      svpg.move(state)
    }
    expect(logVolume(outputs(), 20)).toBeGreaterThan(before)
  })

  test('a population of equal policies stays finite', async () => {
    const state = await svpg.init(small)
    const { theta } = state.arena.view
    const D = theta.length / 3
    for (const i of [1, 2]) theta.copyWithin(i * D, 0, D)
    await svpg.step(state)
    expect(theta.every(Number.isFinite)).toBe(true)
  })

  test('a kernel on parameters is refused', async () => {
    await expect(svpg.init({ ...small, kernel: 'rbf' })).rejects.toThrow(
      'The interaction determinant needs the kernel "function", got "rbf".',
    )
  })
})
