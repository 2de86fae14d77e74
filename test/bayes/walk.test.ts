import { beforeAll, describe, expect, test } from '@jest/globals'
import { Matrix } from 'ml-matrix'
import { agreementOf, settled } from '../../src/bayes/agreement.ts'
import { chooseRows } from '../../src/bayes/choose.ts'
import { diagnose } from '../../src/bayes/diagnose.ts'
import { type Fit, fitPosterior } from '../../src/bayes/fit.ts'
import * as logp from '../../src/bayes/logp.ts'
import { type Model, model } from '../../src/bayes/model.ts'
import { sdOf, summary } from '../../src/bayes/summary.ts'
import { positive, real } from '../../src/bayes/supports.ts'
import { type Target, targetOf } from '../../src/bayes/target.ts'
import { walk } from '../../src/bayes/walk.ts'
import { generator, normal } from '../../src/core/generator.ts'
import { mean as meanOf } from '../../src/core/rows.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

beforeAll(() => startTfjs())

const unit = (d: number) => ({ centre: new Float64Array(d), basis: Matrix.eye(d) })
const normals = (count: number, seed = 1) => {
  const random = generator(seed)
  return Float64Array.from({ length: count }, () => normal(random))
}
const column = (rows: Float64Array, d: number, k: number) => rows.filter((_, at) => at % d === k)

/** Neal's funnel: y ~ N(0, 1), x | y ~ N(0, e^y); of x the mean is 0 and the variance E[e^y] = e^½. */
const funnel = model({
  parameters: { y: real(), x: real() },
  logDensity: ({ y, x }) => [logp.normal(y, 0, 1), logp.normal(x, 0, tf.exp(tf.mul(0.5, y)))],
}) as unknown as Model

describe('a walk', () => {
  test('from draws of the posterior keeps its moments, and draws that are elsewhere go there', async () => {
    const target = await targetOf(funnel, 300)
    const [good, bad] = [normals(600), normals(600)]
    for (let i = 0; i < 300; i++) {
      good[2 * i + 1] *= Math.exp(good[2 * i] / 2)
      bad[2 * i] = 0.2 * bad[2 * i] + 2
      bad[2 * i + 1] *= 0.3
    }
    for (const rows of [good, bad]) {
      const { rows: states, rounds, acceptance } = await walk(target, unit(2), rows, { rounds: 400, seed: 3 })
      expect(states).toHaveLength(400 * 600)
      expect(rounds).toBe(400)
      expect(acceptance).toBeGreaterThan(0.6)
      const [y, x] = [column(states, 2, 0), column(states, 2, 1)]
      expect(Math.abs(meanOf(y))).toBeLessThan(0.06)
      expect(Math.abs(sdOf(y) - 1)).toBeLessThan(0.05)
      expect(Math.abs(meanOf(x))).toBeLessThan(0.05)
      expect(Math.abs(sdOf(x) / Math.exp(0.25) - 1)).toBeLessThan(0.06)
    }
  })

  test('never goes where the density is not finite', async () => {
    const half: Target = {
      ...{ dimension: 1, hasValue: true, evaluations: 0, blame: () => '' },
      at: (rows) => ({
        logDensity: Float32Array.from(rows, (x) => (x > 0 ? -x : Number.NaN)),
        score: Float32Array.from(rows, () => -1),
      }),
    }
    const { rows } = await walk(
      half,
      unit(1),
      Float64Array.from({ length: 200 }, (_, i) => (i + 0.5) / 100),
      {
        rounds: 800,
        seed: 0,
      },
    )
    expect(Math.min(...rows.slice(-200))).toBeGreaterThan(0)
    // Exp(1)
    expect(Math.abs(meanOf(rows) - 1)).toBeLessThan(0.06)
    expect(Math.abs(sdOf(rows) - 1)).toBeLessThan(0.08)
  })

  test('is the same for the same seed, and another for another', async () => {
    const target = await targetOf(funnel, 10)
    const rows = async (seed: number) => (await walk(target, unit(2), normals(20), { rounds: 3, seed })).rows
    expect(await rows(1)).toEqual(await rows(1))
    expect(await rows(2)).not.toEqual(await rows(1))
  })
})

test('rows are chosen with the moments of all rows, a long tail and a correlation among them', () => {
  const [a, b] = [normals(4000, 1), normals(4000, 2)]
  const columns = [a, a.map((x, i) => 0.8 * x + 0.6 * b[i]), b.map((x) => Math.exp(x)), a.map(() => 7)]
  const chosen = chooseRows(columns, 100, 0)
  expect(new Set(chosen).size).toBe(100)
  for (const values of columns.slice(0, 3)) {
    const few = chosen.map((row) => values[row])
    expect(Math.abs(meanOf(few) - meanOf(values)) / sdOf(values)).toBeLessThan(0.02)
    expect(Math.abs(sdOf(few) / sdOf(values) - 1)).toBeLessThan(0.03)
  }
  const product = (rows: readonly number[]) => meanOf(rows.map((row) => columns[0][row] * columns[1][row]))
  expect(Math.abs(product(chosen) - product([...a.keys()]))).toBeLessThan(0.03)
})

describe('agreement', () => {
  const walkers = async (free: Float64Array) => ({
    ...{ model: funnel, target: await targetOf(funnel, 100), whitening: unit(2), free },
  })

  test('of draws of the posterior is within what draws differ by, and of others it is told by name', async () => {
    const good = normals(800)
    for (let i = 0; i < 400; i++) good[2 * i + 1] *= Math.exp(good[2 * i] / 2)
    expect((await agreementOf(await walkers(good), 0, 48)).sd).toBeLessThan(0.08)
    const moved = good.map((value, at) => (at % 2 === 0 ? value + 0.3 : value))
    const { sd, name } = await agreementOf(await walkers(moved), 0, 48)
    expect(name).toBe('y')
    expect(sd).toBeGreaterThan(0.2)
    expect(sd).toBeLessThan(0.4)
    const narrow = good.map((value, at) => (at % 2 === 1 ? 0.6 * value : value))
    const { ratio, ratioName } = await agreementOf(await walkers(narrow), 0, 48)
    expect(ratioName).toBe('x')
    expect(ratio).toBeLessThan(0.8)
  })

  test('makes particles that are elsewhere those of the walk, and leaves others as they are', async () => {
    const wrong = normals(200).map((value) => 0.5 * value)
    const end = await settled(await walkers(wrong), 0)
    expect(end.walked).toBe(true)
    expect(Math.abs(sdOf(column(end.free, 2, 0)) - 1)).toBeLessThan(0.06)
    const again = await settled(await walkers(end.free), 1)
    expect(again.agreement.sd).toBeLessThan(0.1)
  })
})

test('long tails: the standard deviation of a half-Cauchy scale with eight groups is found, whatever the seed', async () => {
  const [y, sigma] = [
    [28, 8, -3, 7, -1, 1, 18, 12],
    [15, 10, 16, 11, 9, 11, 10, 18],
  ].map((values) => tf.tensor1d(values))
  const schools = model({
    parameters: { eta: real(8), mu: real(), tau: positive() },
    logDensity: ({ eta, mu, tau }) => [
      logp.normal(eta, 0, 1),
      logp.normal(mu, 0, 5),
      logp.halfCauchy(tau, 5),
      logp.normal(y, tf.add(mu, tf.mul(tau, eta)), sigma),
    ],
  })
  for (const seed of [0, 3]) {
    const fit = await fitPosterior(schools, { seed })
    expect(fit.walked).toBe(true)
    expect(fit.reason).toMatch(
      /A walk from the particles goes elsewhere \(the (mean|standard deviation) of .*\d\.\d\d .*\): the particles are of that walk/,
    )
    const tau = summary(fit).find(({ name }) => name === 'tau')
    // posteriordb's 10,000 draws
    expect(Math.abs((tau?.mean ?? 0) - 3.602) / 3.198).toBeLessThan(0.1)
    expect(Math.abs((tau?.sd ?? 0) / 3.198 - 1)).toBeLessThan(0.1)
    expect((await diagnose(fit as unknown as Fit)).verdict).toBe('fine')
    const own = async (free: Float64Array) => (await diagnose({ model: schools as unknown as Model, free })).sentence
    expect(await own(fit.free)).toMatch(/^Fine: a walk/)
    // The same particles with a longer tail, of which plain discrepancies and further steps see nothing.
    const longer = fit.free.map((value, at) => (at % 10 === 9 && value > 1.5 ? value + 0.35 : value))
    expect(await own(longer)).toMatch(/^Not converged: .*walk/)
  }
})
