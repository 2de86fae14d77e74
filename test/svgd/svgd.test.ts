import { describe, expect, test } from '@jest/globals'
import { adam } from '../../src/optim/optimizers.ts'
import { rbf } from '../../src/svgd/kernels.ts'
import type { Score } from '../../src/svgd/scores.ts'
import { createSVGD, particlesOf } from '../../src/svgd/svgd.ts'

/** ∇ log N(x; mean, Λ⁻¹) = −Λ (x − mean), the two-dimensional Gaussian of the SVGD authors' demo. */
const mean = [-0.6871, 0.801]
const precision = [
  [0.226, 0.1652],
  [0.1652, 0.6779],
]
const gaussian: Score = (out, x) => {
  for (let i = 0; i < 2; i++) out[i] = -precision[i].reduce((sum, p, j) => sum + p * (x[j] - mean[j]), 0)
}

async function run(seed: number, iterations = 1000, particles = 10) {
  const svgd = createSVGD({ score: gaussian, optimizer: adam({ learningRate: 0.05 }) })
  const state = await svgd.init({ particles, dimension: 2, seed })
  for (let k = 0; k < iterations; k++) svgd.step(state)
  return particlesOf(state)
}

describe('a Gaussian posterior', () => {
  test('the mean is found with 10 particles', async () => {
    const x = await run(0)
    const average = [0, 1].map((k) => x.filter((_, index) => index % 2 === k).reduce((a, b) => a + b) / 10)
    expect(average[0]).toBeCloseTo(mean[0], 2)
    expect(average[1]).toBeCloseTo(mean[1], 2)
  })

  test('the covariance is found with 200 particles, correlation and its sign included', async () => {
    const x = await run(1, 1500, 200)
    const determinant = precision[0][0] * precision[1][1] - precision[0][1] ** 2
    const exact = [precision[1][1] / determinant, -precision[0][1] / determinant, precision[0][0] / determinant]
    const covariance = [0, 0, 0]
    for (let i = 0; i < 200; i++) {
      const [a, b] = [x[2 * i] - mean[0], x[2 * i + 1] - mean[1]]
      covariance[0] += (a * a) / 200
      covariance[1] += (a * b) / 200
      covariance[2] += (b * b) / 200
    }
    // A finite set of particles is a little too narrow: 5 % at n = 200, 2 % at n = 800.
    covariance.forEach((value, k) => {
      expect(value / exact[k]).toBeGreaterThan(0.92)
      expect(value / exact[k]).toBeLessThan(1)
    })
  })

  test('same seed, same bytes', async () => {
    expect(await run(3, 50)).toEqual(await run(3, 50))
    expect(await run(4, 50)).not.toEqual(await run(3, 50))
  })
})

describe('bad input', () => {
  const svgd = createSVGD({ score: gaussian, kernel: rbf() })

  test.each([
    [{ particles: 0, dimension: 2 }, 'particles must be a whole number of at least 1, got 0.'],
    [{ particles: 2.5, dimension: 2 }, 'particles must be a whole number of at least 1, got 2.5.'],
    [{ particles: 2, dimension: Number.NaN }, 'dimension must be a whole number of at least 1, got NaN.'],
    [{ particles: 2, dimension: 2, seed: -1 }, 'seed must be a whole number of at least 0, got -1.'],
    [{ particles: 2, dimension: 2, initial: [1, 2, 3] }, 'initial must hold 2 × 2 = 4 numbers, got 3.'],
    [
      { particles: 2, dimension: 2, initial: [1, 2, 3, Number.NaN] },
      'initial particle 1 is [3, NaN]; it must be finite in float32.',
    ],
  ])('%j', async (start, message) => {
    await expect(svgd.init(start)).rejects.toThrow(message)
  })

  test('a score that is not finite names its particle', async () => {
    const broken = createSVGD({
      score: (out, x) => {
        out[0] = x[0] > 1.5 ? Number.NaN : 0
      },
    })
    const state = await broken.init({ particles: 2, dimension: 1, initial: [1, 2] })
    expect(() => broken.step(state)).toThrow('The score of particle 1 is NaN at x = [2] in step 1; it must be finite.')
  })
})
