import { beforeAll, expect, test } from '@jest/globals'
import { inverse, Matrix } from 'ml-matrix'
import { fitPosterior } from '../../src/bayes/fit.ts'
import * as logp from '../../src/bayes/logp.ts'
import { model } from '../../src/bayes/model.ts'
import { summary } from '../../src/bayes/summary.ts'
import { positive, real } from '../../src/bayes/supports.ts'
import { generator, normal, uniform } from '../../src/core/generator.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

beforeAll(() => startTfjs())

const random = generator(11)
const draws = (count: number, make: () => number) => Array.from({ length: count }, make)
const times = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value * b[i])
const ROWS = 120
const ones = draws(ROWS, () => 1)
const age = draws(ROWS, () => 20 + 50 * uniform(random))
const woman = draws(ROWS, () => (uniform(random) < 0.4 ? 1 : 0))
const income = draws(ROWS, () => 1e4 + 9e4 * uniform(random))
const z = draws(ROWS, () => normal(random))
/** Of the correlation 0.99 with z. */
const beside = z.map((value) => 0.99 * value + Math.sqrt(1 - 0.99 ** 2) * normal(random))

/** Designs as people have them, not centred, with the coefficients of the simulation and the noise. */
const designs: readonly (readonly [name: string, columns: readonly number[][], beta: number[], sigma: number])[] = [
  ['interactions', [ones, age, woman, times(age, woman)], [30, 0.5, -8, 0.3], 6],
  ['logs', [ones, income.map(Math.log), age.map(Math.log)], [2, 0.7, -0.4], 0.3],
  ['correlated columns', [ones, z, beside, income], [1, 2, -2, 3e-5], 1],
]

/**
 * With flat priors of β and σ, β has a t distribution of ν = N − k − 1 degrees of freedom around the least squares, of
 * the covariance s² (XᵀX)⁻¹ ν/(ν − 2), s² = |y − Xβ̂|²/ν (Gelman et al. 2013, section 14.2).
 */
function exactMoments(columns: readonly number[][], y: readonly number[]) {
  const X = new Matrix(columns as number[][]).transpose()
  const cross = inverse(X.transpose().mmul(X))
  const beta = cross.mmul(X.transpose()).mmul(Matrix.columnVector(y as number[]))
  const residual = Matrix.sub(Matrix.columnVector(y as number[]), X.mmul(beta)).to1DArray()
  const degrees = y.length - columns.length - 1
  const variance = residual.reduce((sum, value) => sum + value * value, 0) / (degrees - 2)
  return columns.map((_, k) => ({ mean: beta.get(k, 0), sd: Math.sqrt(variance * cross.get(k, k)) }))
}

test.each(designs)(
  'a regression with %s has its exact means and standard deviations',
  async (_, columns, beta, sigma) => {
    const y = ones.map((_, i) => columns.reduce((sum, column, k) => sum + beta[k] * column[i], sigma * normal(random)))
    const [X, target] = [tf.tensor2d(columns as number[][]), tf.tensor1d(y)]
    const regression = model({
      parameters: { beta: real(columns.length), sigma: positive() },
      logDensity: ({ beta, sigma }) => logp.normal(target, tf.matMul(beta as tf.Tensor2D, X), sigma),
    })
    const rows = summary(await fitPosterior(regression))
    exactMoments(columns, y).forEach(({ mean, sd }, k) => {
      expect(Math.abs(rows[k].mean - mean) / sd).toBeLessThan(0.1)
      expect(Math.abs(rows[k].sd / sd - 1)).toBeLessThan(0.1)
    })
  },
)
