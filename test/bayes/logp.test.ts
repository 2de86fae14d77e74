import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from '@jest/globals'
import * as logp from '../../src/bayes/logp.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'

interface Recorded {
  readonly name: keyof typeof logp
  readonly args: readonly number[]
  readonly value: number
}

const { rows } = JSON.parse(readFileSync(new URL('../golden/logp.json', import.meta.url), 'utf8')) as {
  rows: Recorded[]
}

beforeAll(() => startTfjs())

const value = (name: keyof typeof logp, args: readonly (number | tf.Tensor)[]) =>
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: by the names of the recording
  (logp[name] as (...inputs: readonly (number | tf.Tensor)[]) => tf.Tensor)(...args)

describe('log densities against scipy', () => {
  for (const name of new Set(rows.map((row) => row.name))) {
    test(name, () => {
      for (const row of rows.filter((one) => one.name === name)) {
        const [found] = value(name, row.args).dataSync()
        // float32, of terms that may be larger than their sum, but not as large as a parameter.
        const size = 1 + Math.abs(row.value) + Math.min(100, Math.max(...row.args.map(Math.abs)))
        expect([row.args, Math.abs(found - row.value) / size]).toEqual([row.args, expect.closeTo(0, 5)])
      }
    })
  }
})

test('gradients agree with central differences of the recorded densities', () => {
  for (const { name, args } of rows.filter(({ name }) => !/Logit|Log$|uniform|laplace/.test(name))) {
    const [gradient] = tf
      .grad((x) => value(name, [x, ...args.slice(1)]))(tf.tensor1d([args[0]]))
      .dataSync()
    // Within the width of the density, which is narrow where its second argument is large.
    const h = (1e-2 * Math.min(Math.abs(args[0]), name === 'beta' ? 1 - args[0] : 1)) / Math.max(1, args[1] / 10)
    const [up] = value(name, [args[0] + h, ...args.slice(1)]).dataSync()
    const [down] = value(name, [args[0] - h, ...args.slice(1)]).dataSync()
    const size = 1 + Math.abs(gradient) + Math.abs(up) / h / 100
    expect([name, args, Math.abs((up - down) / (2 * h) - gradient) / size < 5e-3]).toEqual([name, args, true])
  }
})

test('logGamma is the logarithm of factorials, and finite from tiny to huge', () => {
  let sum = 0
  for (let n = 1; n < 60; n++) {
    const [found] = logp.logGamma(n + 1).dataSync()
    sum += Math.log(n)
    expect(Math.abs(found - sum)).toBeLessThan(2e-6 * (10 + sum))
  }
  for (const x of [1e-20, 1e-3, 1e6, 1e9]) expect(Number.isFinite(logp.logGamma(x).dataSync()[0])).toBe(true)
})

test('a multivariate normal is that of its factors', () => {
  const L = [
    [1.2, 0, 0],
    [0.5, 0.8, 0],
    [-0.3, 0.4, 1.5],
  ]
  const covariance = L.map((a) => L.map((b) => a.reduce((sum, value, k) => sum + value * b[k], 0)))
  const z = [0.3, -1.1, 0.7]
  const x = L.map((row) => row.reduce((sum, value, k) => sum + value * z[k], 0))
  const expected =
    -0.5 * z.reduce((sum, value) => sum + value * value, 0) - Math.log(1.2 * 0.8 * 1.5) - 1.5 * Math.log(2 * Math.PI)
  const [found] = logp.multivariateNormal(tf.tensor1d(x), 0, tf.tensor2d(covariance)).dataSync()
  expect(found).toBeCloseTo(expected, 4)
})

test('categorical and ordered logits are probabilities that add up to 1', () => {
  const logits = tf.tensor2d([[0.2, -1, 2, 0.5]])
  const cuts = tf.tensor2d([[-1, 0.3, 2]])
  const eta = tf.tensor2d([[0.4]])
  const total = (values: tf.Tensor) => [...values.dataSync()].reduce((sum, value) => sum + Math.exp(value), 0)
  expect(total(logp.categoricalLogit([0, 1, 2, 3], logits))).toBeCloseTo(1, 5)
  const ordered = logp.orderedLogit([0, 1, 2, 3], eta, cuts)
  expect(total(ordered)).toBeCloseTo(1, 5)
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
  const above = [1, sigmoid(1.4), sigmoid(0.1), sigmoid(-1.6), 0]
  ordered.dataSync().forEach((value, k) => void expect(Math.exp(value)).toBeCloseTo(above[k] - above[k + 1], 5))
  expect(() => logp.orderedLogit([4], eta, cuts)).toThrow('Observation 0 of orderedLogit is 4; it must be from 0 to 3.')
})

test('dirichlet and LKJ have the densities of their definitions', () => {
  // Γ(6) / (Γ(1) Γ(2) Γ(3)) x₁ x₂²
  const [dirichlet] = logp.dirichlet(tf.tensor2d([[0.2, 0.3, 0.5]]), [1, 2, 3]).dataSync()
  expect(dirichlet).toBeCloseTo(Math.log((120 / 2) * 0.3 * 0.25), 4)
  const L = tf.tensor3d([
    [
      [1, 0, 0],
      [0.6, 0.8, 0],
      [0, 0.6, 0.8],
    ],
  ])
  // Σ (K − 1 − k + 2η − 2) log L_kk = (3 log 0.8) + (2 log 0.8) with η = 2
  expect(logp.lkjCholesky(L, 2).dataSync()[0]).toBeCloseTo(5 * Math.log(0.8), 5)
  expect(() => logp.lkjCholesky(L, 0)).toThrow('eta of lkjCholesky must be above 0, got 0.')
})
