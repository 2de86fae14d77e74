// The posteriors of posteriordb by the names of their sets, written with the public API as a user would.

import * as logp from '../../src/bayes/logp.ts'
import { type Model, model } from '../../src/bayes/model.ts'
import { interval, ordered, positive, real } from '../../src/bayes/supports.ts'
import { tf } from '../../src/nn/tfjs.ts'

type Data = Record<string, number[] & number[][] & number>

function regression(
  columns: number[][],
  y: number[],
  priors: (beta: tf.Tensor, sigma: tf.Tensor) => tf.Tensor[] = () => [],
): Model {
  const X = tf.tensor2d(columns)
  const target = tf.tensor1d(y)
  return model({
    parameters: { beta: real(columns.length), sigma: positive() },
    logDensity: ({ beta, sigma }) => [
      logp.normal(target, tf.matMul(beta as tf.Tensor2D, X), sigma),
      ...priors(beta, sigma),
    ],
  }) as unknown as Model
}
const ones = (y: number[]) => y.map(() => 1)
const is = (values: number[], k: number) => values.map((value) => (value === k ? 1 : 0))
const times = (a: number[], b: number[]) => a.map((value, i) => value * b[i])
const less = (a: number[], b: number) => a.map((value) => value - b)
const mean = (a: number[]) => a.reduce((x, y) => x + y, 0) / a.length
const log = (a: number[]) => a.map(Math.log)
const cauchySigma = (_: tf.Tensor, sigma: tf.Tensor) => [logp.halfCauchy(sigma, 2.5)]

export const models: Record<string, (data: Data) => Model> = {
  'kidiq-kidscore_momhs': (d) => regression([ones(d.kid_score), d.mom_hs], d.kid_score, cauchySigma),
  'kidiq-kidscore_momiq': (d) => regression([ones(d.kid_score), d.mom_iq], d.kid_score, cauchySigma),
  'kidiq-kidscore_momhsiq': (d) => regression([ones(d.kid_score), d.mom_hs, d.mom_iq], d.kid_score, cauchySigma),
  'kidiq-kidscore_interaction': (d) =>
    regression([ones(d.kid_score), d.mom_hs, d.mom_iq, times(d.mom_hs, d.mom_iq)], d.kid_score, cauchySigma),
  'kidiq_with_mom_work-kidscore_interaction_c': (d) => {
    const [h, q] = [less(d.mom_hs, mean(d.mom_hs)), less(d.mom_iq, mean(d.mom_iq))]
    return regression([ones(h), h, q, times(h, q)], d.kid_score)
  },
  'kidiq_with_mom_work-kidscore_interaction_c2': (d) => {
    const [h, q] = [less(d.mom_hs, 0.5), less(d.mom_iq, 100)]
    return regression([ones(h), h, q, times(h, q)], d.kid_score)
  },
  'kidiq_with_mom_work-kidscore_mom_work': (d) =>
    regression([ones(d.kid_score), is(d.mom_work, 2), is(d.mom_work, 3), is(d.mom_work, 4)], d.kid_score),
  'mesquite-mesquite': (d) =>
    regression([ones(d.weight), d.diam1, d.diam2, d.canopy_height, d.total_height, d.density, d.group], d.weight),
  'mesquite-logmesquite': (d) =>
    regression(
      [ones(d.weight), log(d.diam1), log(d.diam2), log(d.canopy_height), log(d.total_height), log(d.density), d.group],
      log(d.weight),
    ),
  'mesquite-logmesquite_logvolume': (d) =>
    regression([ones(d.weight), log(times(times(d.diam1, d.diam2), d.canopy_height))], log(d.weight)),
  'earnings-earn_height': (d) => regression([ones(d.earn), d.height], d.earn),
  'earnings-logearn_height': (d) => regression([ones(d.earn), d.height], log(d.earn)),
  'earnings-logearn_interaction': (d) =>
    regression([ones(d.earn), d.height, d.male, times(d.height, d.male)], log(d.earn)),
  'nes1972-nes': nes,
  'nes2000-nes': nes,
  'sblri-blr': (d) =>
    regression(
      d.X[0].map((_: number, k: number) => d.X.map((row: number[]) => row[k])),
      d.y,
      (beta, sigma) => [logp.normal(beta, 0, 10), logp.halfNormal(sigma, 10)],
    ),
  'kilpisjarvi_mod-kilpisjarvi': (d) => {
    const x = tf.tensor1d(d.x)
    const y = tf.tensor1d(d.y)
    return model({
      parameters: { alpha: real(), beta: real(), sigma: positive() },
      logDensity: ({ alpha, beta, sigma }) => [
        logp.normal(alpha, d.pmualpha, d.psalpha),
        logp.normal(beta, d.pmubeta, d.psbeta),
        logp.normal(y, tf.add(alpha, tf.mul(beta, x)), sigma),
      ],
    }) as unknown as Model
  },
  'arK-arK': (d) => {
    const lags = Array.from({ length: d.K as number }, (_, k) => d.y.slice(d.K - k - 1, d.y.length - k - 1))
    const X = tf.tensor2d(lags)
    const y = tf.tensor1d(d.y.slice(d.K))
    return model({
      parameters: { alpha: real(), beta: real(d.K as number), sigma: positive() },
      logDensity: ({ alpha, beta, sigma }) => [
        logp.normal(alpha, 0, 10),
        logp.normal(beta, 0, 10),
        logp.halfCauchy(sigma, 2.5),
        logp.normal(y, tf.add(alpha, tf.matMul(beta as tf.Tensor2D, X)), sigma),
      ],
    }) as unknown as Model
  },
  'eight_schools-eight_schools_noncentered': (d) => {
    const [y, sigma] = [tf.tensor1d(d.y), tf.tensor1d(d.sigma)]
    return model({
      parameters: { theta_trans: real(8), mu: real(), tau: positive() },
      logDensity: ({ theta_trans, mu, tau }) => [
        logp.normal(theta_trans, 0, 1),
        logp.normal(mu, 0, 5),
        logp.halfCauchy(tau, 5),
        logp.normal(y, tf.add(mu, tf.mul(tau, theta_trans)), sigma),
      ],
      generated: ({ theta_trans, mu, tau }) => ({ theta: tf.add(mu, tf.mul(tau, theta_trans)) }),
    }) as unknown as Model
  },
  'low_dim_gauss_mix-low_dim_gauss_mix': (d) => {
    const y = tf.tensor1d(d.y)
    return model({
      parameters: { mu: ordered(2), sigma: positive(2), theta: interval(0, 1) },
      logDensity: ({ mu, sigma, theta }) => {
        const part = (k: number) => logp.normal(y, tf.slice(mu, [0, k], [-1, 1]), tf.slice(sigma, [0, k], [-1, 1]))
        const a = tf.add(tf.log(theta), part(0))
        const b = tf.add(tf.log1p(tf.neg(theta)), part(1))
        const most = tf.maximum(a, b)
        const mixed = tf.add(most, tf.log1p(tf.exp(tf.neg(tf.abs(tf.sub(a, b))))))
        return [logp.normal(mu, 0, 2), logp.halfNormal(sigma, 2), logp.beta(theta, 5, 5), mixed]
      },
    }) as unknown as Model
  },
  'gp_pois_regr-gp_regr': (d) => {
    const y = tf.tensor1d(d.y)
    const squares = tf.tensor2d(d.x.map((a: number) => d.x.map((b: number) => (a - b) * (a - b))))
    return model({
      parameters: { rho: positive(), alpha: positive(), sigma: positive() },
      logDensity: ({ rho, alpha, sigma }) => {
        const [r, a, s] = [rho, alpha, sigma].map((value) => tf.expandDims(value, 2))
        const smooth = tf.mul(tf.square(a), tf.exp(tf.div(squares, tf.mul(-2, tf.square(r)))))
        const covariance = tf.add(smooth, tf.mul(s, tf.eye(d.x.length)))
        return [
          logp.multivariateNormal(y, 0, covariance),
          logp.gamma(rho, 25, 4),
          logp.halfNormal(alpha, 2),
          logp.halfNormal(sigma, 1),
        ]
      },
    }) as unknown as Model
  },
  'garch-garch11': (d) => {
    const y = tf.tensor1d(d.y)
    return model({
      parameters: { mu: real(), alpha0: positive(), alpha1: interval(0, 1), share: interval(0, 1) },
      logDensity: ({ mu, alpha0, alpha1, share }) => {
        const rest = tf.sub(1, alpha1)
        const beta1 = tf.mul(rest, share)
        const residuals = tf.square(tf.sub(y, mu))
        const driven = tf.add(alpha0, tf.mul(alpha1, residuals))
        let variance: tf.Tensor = tf.add(tf.zerosLike(mu), d.sigma1 * d.sigma1)
        const variances = [variance]
        for (let t = 1; t < d.T; t++) {
          variance = tf.add(tf.slice(driven, [0, t - 1], [-1, 1]), tf.mul(beta1, variance))
          variances.push(variance)
        }
        const v = tf.concat(variances, 1)
        return [tf.mul(-0.5, tf.add(tf.div(residuals, v), tf.log(v))), tf.log(rest)]
      },
      generated: ({ alpha1, share }) => ({ beta1: tf.mul(tf.sub(1, alpha1), share) }),
    }) as unknown as Model
  },
}

function nes(d: Data): Model {
  const a = d.age_discrete
  return regression(
    [ones(a), d.real_ideo, d.race_adj, is(a, 2), is(a, 3), is(a, 4), d.educ1, d.gender, d.income],
    d.partyid7,
  )
}
