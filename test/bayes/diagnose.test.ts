import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { diagnose } from '../../src/bayes/diagnose.ts'
import { sdOf } from '../../src/bayes/summary.ts'
import { mean as meanOf } from '../../src/core/rows.ts'
import { startTfjs } from '../../src/nn/tfjs.ts'
import { adam } from '../../src/optim/optimizers.ts'
import type { Score } from '../../src/svgd/scores.ts'
import { svgd } from '../../src/svgd/svgd.ts'

beforeAll(() => startTfjs())

interface Moments {
  readonly mean: readonly number[]
  readonly sd: readonly number[]
}

/** A linear regression with n rows by its sums: XᵀX, Xᵀy and yᵀy. */
interface Regression extends Moments {
  readonly name: string
  readonly rows: number
  readonly gram: readonly (readonly number[])[]
  readonly moment: readonly number[]
  readonly square: number
  readonly prior: 'flat' | 'half-Cauchy(2.5) of sigma' | 'N(0, 10) of beta, half-N(10) of sigma'
}

const { regressions, schools } = JSON.parse(
  readFileSync(new URL('../golden/posteriors.json', import.meta.url), 'utf8'),
) as { regressions: Regression[]; schools: Moments & { y: number[]; sigma: number[] } }

/** With u = (β, log σ): the score that somebody writes by hand. */
function regressionScore({ rows, gram, moment, square, prior }: Regression): Score {
  return (out, u) => {
    const k = moment.length
    const sigma = Math.exp(u[k])
    let residual = square
    for (let i = 0; i < k; i++) {
      let fitted = 0
      for (let j = 0; j < k; j++) fitted += gram[i][j] * u[j]
      residual += u[i] * (fitted - 2 * moment[i])
      out[i] = (moment[i] - fitted) / sigma ** 2 - (prior.startsWith('N') ? u[i] / 100 : 0)
    }
    out[k] = 1 - rows + residual / sigma ** 2
    if (prior.startsWith('half')) out[k] -= (2 * sigma ** 2) / (2.5 ** 2 + sigma ** 2)
    if (prior.startsWith('N')) out[k] -= sigma ** 2 / 100
  }
}

/** With u = (η₁ … η₈, μ, log τ). */
const schoolsScore: Score = (out, u) => {
  const [mu, tau] = [u[8], Math.exp(u[9])]
  out[8] = -mu / 25
  out[9] = 1 - (2 * tau ** 2) / (25 + tau ** 2)
  schools.y.forEach((y, j) => {
    const pull = (y - mu - tau * u[j]) / schools.sigma[j] ** 2
    out[j] = tau * pull - u[j]
    out[8] += pull
    out[9] += tau * u[j] * pull
  })
}

const runs: readonly (readonly [name: string, score: Score, dimension: number, from: number, Moments])[] = [
  ...regressions.map((set) => [set.name, regressionScore(set), set.moment.length + 1, 0, set] as const),
  ['eight schools, non-centred', schoolsScore, 10, 8, schools],
]

/** Largest error of a mean in standard deviations, or of a standard deviation as a share. */
function worstOf(particles: Float32Array, dimension: number, from: number, { mean, sd }: Moments): number {
  const wrong = mean.map((value, k) => {
    const column = particles
      .filter((_, at) => at % dimension === from + k)
      .map((u) => (from + k === dimension - 1 ? Math.exp(u) : u))
    return Math.max(Math.abs(meanOf(column) - value) / sd[k], Math.abs(sdOf(column) / sd[k] - 1))
  })
  return Math.max(...wrong)
}

test.each(runs)(
  'svgd() with Adam at a rate of 0.1 on %s is wrong, and called not converged',
  async (_, score, dimension, from, posterior) => {
    const optimizer = adam({ learningRate: 0.1 })
    const particles = await svgd({ score, particles: 100, dimension, iterations: 2000, optimizer })
    expect(worstOf(particles, dimension, from, posterior)).toBeGreaterThan(0.4)
    const { verdict, sentence } = await diagnose({ particles, dimension, score })
    expect([verdict, sentence]).toEqual(['not converged', expect.stringMatching(/^Not converged: .*\d/)])
  },
)

test('svgd() from its defaults is right where steps in units of the posterior suffice, and called fine', async () => {
  const [, score, dimension, from, posterior] = runs[0]
  const particles = await svgd({ score, particles: 100, dimension, iterations: 2000 })
  expect(worstOf(particles, dimension, from, posterior)).toBeLessThan(0.15)
  expect((await diagnose({ particles, dimension, score })).verdict).toBe('fine')
})

describe('diagnosis of plain SVGD', () => {
  test('particles whose scale is far from that of the start are called not converged', async () => {
    const score = (out: Float32Array, [x, y]: Float32Array) => {
      out[0] = -(x - 500) / 1e4
      out[1] = -y / 1e-4
    }
    const optimizer = adam({ learningRate: 0.1 })
    const particles = await svgd({ score, particles: 100, dimension: 2, iterations: 200, optimizer })
    const { verdict, movement } = await diagnose({ particles, dimension: 2, score })
    expect(verdict).toBe('not converged')
    expect(movement.sd).toBeGreaterThan(1)
  })

  test('an RBF kernel in twenty dimensions has too small a variance', async () => {
    const score = (out: Float32Array, x: Float32Array) => out.set(x.map((value) => -value))
    const particles = await svgd({ score, particles: 60, dimension: 20, iterations: 800 })
    const { verdict, spread } = await diagnose({ particles, dimension: 20, score })
    expect(verdict).toBe('variance probably too small')
    expect(spread.least).toBeLessThan(0.8)
  })
})
