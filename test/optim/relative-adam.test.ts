import { describe, expect, test } from '@jest/globals'
import { createArena } from '../../src/core/arena.ts'
import { compileCore } from '../../src/core/module.ts'
import { optimizerFields } from '../../src/optim/optimizers.ts'
import { relativeAdam } from '../../src/optim/relative-adam.ts'
import { cyclical, tanhRamp } from '../../src/optim/schedules.ts'
import { steinFields } from '../../src/svgd/fields.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import type { Score } from '../../src/svgd/scores.ts'
import { svgd } from '../../src/svgd/svgd.ts'

const module = await compileCore()

const average = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length
const deviation = (x: ArrayLike<number>) => {
  const mean = average(x)
  return Math.sqrt(average(Array.from(x, (value) => (value - mean) ** 2)))
}

/** ∇ log N(x; mean, sd²) of each coordinate. */
const gaussian =
  (mean: number, sd: number): Score =>
  (out, x) => {
    for (let k = 0; k < x.length; k++) out[k] = (mean - x[k]) / sd / sd
  }

test('it follows its equations over many steps', async () => {
  const [n, d, rate, beta1, beta2] = [3, 5, 0.05, 0.8, 0.95]
  for (const bounded of [false, true]) {
    const optimizer = relativeAdam({ learningRate: rate, beta1, beta2, bounded })
    const arena = await createArena(module, {
      ...steinFields(n, d, { kernel: rbf() }),
      ...optimizerFields(n, d, optimizer),
    })
    const { theta, direction } = arena.view
    const D = theta.length / n
    for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) theta[i * D + k] = k === 2 ? 7 : 10 ** k * Math.sin(i + k)
    const x = Array.from({ length: n }, (_, i) => Array.from(theta.subarray(i * D, i * D + d)))
    const column = (k: number) => x.map((row) => row[k])
    const start = [0, 1, 2, 3, 4].map((k) => deviation(column(k)))
    const others = Math.sqrt(start.reduce((sum, value) => sum + value ** 2, 0) / 4)
    start[2] = others
    const path = start.map((_, k) => ({ centre: average(column(k)), variance: k === 2 ? others ** 2 : 0 }))
    const moments = x.map((row) => row.map(() => ({ m: 0, v: 0 })))
    for (let t = 1; t <= 60; t++) {
      const phi = (i: number, k: number) => Math.fround((1 + Math.cos(i + 3 * k + t)) * 10 ** (k - 3))
      for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) direction[i * D + k] = phi(i, k)
      optimizer.step(arena, t)
      const scale = path.map((way, k) => {
        const off = average(column(k)) - way.centre
        way.centre += (1 - beta2) * off
        way.variance = beta2 * (way.variance + (1 - beta2) * off ** 2)
        const s = Math.sqrt(deviation(column(k)) ** 2 + way.variance)
        return bounded ? Math.min(s, start[k]) : s
      })
      for (let i = 0; i < n; i++) {
        for (let k = 0; k < d; k++) {
          const p = moments[i][k]
          p.m = beta1 * p.m + (1 - beta1) * phi(i, k)
          p.v = beta2 * p.v + (1 - beta2) * phi(i, k) ** 2
          const move = p.m / (1 - beta1 ** t) / Math.sqrt(p.v / (1 - beta2 ** t))
          x[i][k] += (rate / Math.sqrt(1 + t / 1000)) * scale[k] * move
        }
      }
    }
    x.forEach((row, i) => {
      row.forEach((value, k) => void expect(theta[i * D + k] / value).toBeCloseTo(1, 4))
    })
  }
})

describe('svgd() from its defaults', () => {
  const initial = Array.from({ length: 20 }, (_, i) => 1.5 * Math.sin(7.3 * i))

  test.each([2 ** -40, 2 ** 30])('takes the same way, bit by bit, in a unit of %p', async (unit) => {
    const bent = (scale: number): Score =>
      function score(out, [x, y]) {
        const [a, b] = [x / scale, y / scale]
        out[0] = (-a / 4 + 2 * a * (b - a * a)) / scale
        out[1] = (a * a - b) / scale
      }
    const run = (scale: number) =>
      svgd({
        ...{ score: bent(scale), particles: 10, dimension: 2, iterations: 200 },
        initial: initial.map((value) => value * scale),
      })
    const plain = await run(1)
    expect(await run(unit)).toEqual(plain.map((value) => value * unit))
  })

  test.each([
    [2, 1],
    [2, 1e-3],
    [0, 1e-4],
    [1000, 1],
    [70_000, 1000],
    [0, 10_000],
  ])('finds N(%d, %d²) in 3,000 steps and stays there', async (mean, sd) => {
    for (const iterations of [3000, 6000]) {
      const x = await svgd({ score: gaussian(mean, sd), particles: 20, dimension: 1, initial, iterations })
      expect(Math.abs(average(x) - mean) / sd).toBeLessThan(0.02)
      // What 20 particles of SVGD have at rest.
      expect(deviation(x) / sd).toBeCloseTo(0.938, 1)
    }
  })

  test('finds a mode with one particle, and with all at one place', async () => {
    for (const particles of [1, 5]) {
      const start = { particles, dimension: 1, initial: Array(particles).fill(0) }
      const x = await svgd({ score: gaussian(300, 1e-2), ...start, iterations: 3000 })
      x.forEach((value) => void expect(value).toBeCloseTo(300, 3))
    }
  })

  test('takes scores whose square float32 cannot hold', async () => {
    const score = gaussian(0, 2e-10)
    const x = await svgd({ score, particles: 2, dimension: 1, initial: [-3, -2.5], iterations: 4000 })
    x.forEach((value) => void expect(Math.abs(value)).toBeLessThan(1e-9))
  })

  test.each([tanhRamp({ iterations: 1000 }), cyclical({ iterations: 1000 })])(
    'does not run away while the annealing $name lets nothing drive the particles back',
    async (annealing) => {
      let largest = 0
      const watched: Score = (out, x) => {
        largest = Math.max(largest, Math.abs(x[0]))
        gaussian(2, 0.1)(out, x, { rows: new Int32Array(0), scale: 1 })
      }
      const x = await svgd({ score: watched, particles: 20, dimension: 1, initial, iterations: 2000, annealing })
      expect(largest).toBeLessThan(100)
      expect(Math.abs(average(x) - 2)).toBeLessThan(0.01)
      expect(deviation(x) / 0.1).toBeCloseTo(0.938, 1)
    },
  )
})

test.each([
  [{ learningRate: 0 }, 'learningRate must be a finite number above 0, got 0.'],
  [{ beta2: 1 }, 'beta2 must be'],
  [{ bounded: 1 as unknown as boolean }, 'bounded must be true or false, got 1.'],
])('%j is refused', (options, message) => {
  expect(() => relativeAdam(options)).toThrow(message)
})
