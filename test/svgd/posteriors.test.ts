import { describe, expect, test } from '@jest/globals'
import { adagrad, adam } from '../../src/optim/optimizers.ts'
import { imq, matern32, preconditioned, rbf } from '../../src/svgd/kernels.ts'
import type { Score } from '../../src/svgd/scores.ts'
import { createSVGD, particlesOf, svgd } from '../../src/svgd/svgd.ts'

/** The two-dimensional Gaussian of the SVGD authors' demo. */
const mean = [-0.6871, 0.801]
const precision = [
  [0.226, 0.1652],
  [0.1652, 0.6779],
]
const gaussian: Score = (out, x) => {
  for (let i = 0; i < 2; i++) out[i] = -(precision[i][0] * (x[0] - mean[0]) + precision[i][1] * (x[1] - mean[1]))
}

const average = (x: Float32Array, k: number, d: number) =>
  x.filter((_, index) => index % d === k).reduce((sum, value) => sum + value, 0) / (x.length / d)

test.each([0, 1, 2])("the authors' demo with their settings finds the mean within 0.01, seed %d", async (seed) => {
  const particles = await svgd({
    score: gaussian,
    particles: 10,
    dimension: 2,
    seed,
    kernel: rbf({ bandwidth: 'dartml' }),
    optimizer: adagrad({ learningRate: 0.01 }),
    iterations: 1000,
  })
  for (const k of [0, 1]) expect(Math.abs(average(particles, k, 2) - mean[k])).toBeLessThan(0.01)
})

test.each([imq(), matern32(), preconditioned(precision, rbf())])('$name finds the mean too', async (kernel) => {
  const optimizer = adam({ learningRate: 0.05 })
  const particles = await svgd({ score: gaussian, particles: 20, dimension: 2, kernel, optimizer, iterations: 1500 })
  for (const k of [0, 1]) expect(Math.abs(average(particles, k, 2) - mean[k])).toBeLessThan(0.01)
})

describe('the mixture 1/3 N(-2, 1) + 2/3 N(2, 1), started at N(-10, 1)', () => {
  const score: Score = (out, [x]) => {
    // Both densities over the larger one, so that neither sum vanishes.
    const [left, right] = [-((x + 2) ** 2) / 2, -((x - 2) ** 2) / 2]
    const largest = Math.max(left, right)
    const [a, b] = [Math.exp(left - largest) / 3, (2 * Math.exp(right - largest)) / 3]
    out[0] = (a * (-2 - x) + b * (2 - x)) / (a + b)
  }

  async function run(particles: number, seed: number) {
    const { init, step } = createSVGD({ score, optimizer: adam({ learningRate: 0.3 }), norms: false })
    const state = await init({ particles, dimension: 1, seed })
    for (const { x } of state.rows) x[0] -= 10
    for (let t = 0; t < 1500; t++) step(state)
    return particlesOf(state)
  }

  test.each([0, 1, 2])('both modes are covered in proportion, seed %d', async (seed) => {
    const x = await run(100, seed)
    const left = x.filter((value) => value < 0).length / 100
    // 1/3 Φ(2) + 2/3 Φ(−2)
    expect(Math.abs(left - 0.3409)).toBeLessThan(0.03)
  })

  test('the mean is the more exact the more particles there are', async () => {
    const meanSquaredError = async (particles: number, seeds: number) => {
      let sum = 0
      for (let seed = 0; seed < seeds; seed++) sum += (average(await run(particles, seed), 0, 1) - 2 / 3) ** 2
      return sum / seeds
    }
    const errors = [await meanSquaredError(10, 6), await meanSquaredError(50, 4), await meanSquaredError(250, 2)]
    expect(errors[1]).toBeLessThan(errors[0] / 4)
    expect(errors[2]).toBeLessThan(errors[1])
  })
})

describe('a run', () => {
  const options = { score: gaussian, particles: 8, dimension: 2 }

  test('in one call takes the steps of createSVGD and tells of each', async () => {
    const { init, step } = createSVGD({ score: gaussian })
    const state = await init({ particles: 8, dimension: 2, seed: 5 })
    const drives = Array.from({ length: 12 }, () => step(state).drive)
    const told: number[] = []
    const particles = await svgd({
      ...options,
      seed: 5,
      iterations: 12,
      onStep: (info, iteration) => {
        told.push(info.drive)
        expect(iteration).toBe(told.length)
      },
    })
    expect(particles).toEqual(particlesOf(state))
    expect(told).toEqual(drives)
  })

  test('that is stopped returns the particles it has', async () => {
    const stop = new AbortController()
    const stopped = await svgd({
      ...options,
      iterations: 1000,
      signal: stop.signal,
      onStep: (_, iteration) => {
        if (iteration === 3) stop.abort()
      },
    })
    expect(stopped).toEqual(await svgd({ ...options, iterations: 3 }))
  })

  test('measures the discrepancy when asked, and it falls', async () => {
    const { init, step } = createSVGD({ score: gaussian })
    const state = await init({ particles: 50, dimension: 2 })
    const first = step(state, { discrepancy: true })
    expect(step(state).discrepancy).toBeNull()
    for (let t = 0; t < 500; t++) step(state)
    const last = step(state, { discrepancy: true })
    expect(last.discrepancy?.squaredV).toBeLessThan((first.discrepancy?.squaredV ?? 0) / 4)
    const narrow = step(state, { discrepancy: { kind: 'rbf', bandwidth: 0.1 } })
    expect(narrow.discrepancy?.squaredV).not.toBeCloseTo(last.discrepancy?.squaredV ?? 0, 3)
  })

  test('whose particles leave the numbers names the row and the step', async () => {
    const { init, step } = createSVGD({ score: gaussian })
    const state = await init({ particles: 3, dimension: 2 })
    step(state)
    state.rows[1].x[0] = Number.POSITIVE_INFINITY
    expect(() => step(state)).toThrow(/^Particle 1 is \[Infinity, .*\] in step 2; it must be finite\.$/)
  })

  test('needs one way to the scores', () => {
    expect(() => createSVGD({})).toThrow('Give a score (of one particle) or a populationScore (of all of them).')
    const both = { score: gaussian, populationScore: () => {} }
    expect(() => createSVGD(both)).toThrow('Give either score or populationScore, not both.')
  })

  test.each([-1, 1.5, 1e12])('of %p iterations is refused', async (iterations) => {
    await expect(svgd({ ...options, iterations })).rejects.toThrow(
      `iterations must be a whole number from 0 to 1000000000, got ${iterations}.`,
    )
  })
})
