// Log densities as users write them.

import type { LogDensity } from '../../src/compile/log-density.ts'
import { tf } from '../../src/nn/tfjs.ts'

/** A posterior of so many coordinates. */
export interface PlainModel {
  readonly dimension: number
  readonly density: LogDensity
}

const waves = (count: number, speed: number) =>
  Float32Array.from({ length: count }, (_, k) => Math.sin(speed * (k + 1)))

/** β of ten columns from 1,000 rows of 0 and 1, with N(0, 1) as the prior. */
export function logisticRegression(): PlainModel {
  const [rows, dimension] = [1000, 10]
  const x = tf.keep(tf.tensor2d(waves(rows * dimension, 1.7), [rows, dimension]))
  const y = tf.keep(tf.tensor1d(waves(rows, 0.9).map((value) => (value > 0 ? 1 : 0))))
  return {
    dimension,
    density(beta) {
      const logit = tf.matMul(beta, x, false, true)
      const likelihood = tf.sum(tf.sub(tf.mul(y, logit), tf.softplus(logit)), 1)
      return tf.sub(likelihood, tf.mul(0.5, tf.sum(tf.square(beta), 1)))
    },
  }
}

/** Eight schools with θ = μ + τ η (Rubin 1981): η, μ and log τ. */
export function eightSchools(): PlainModel {
  const y = tf.keep(tf.tensor1d([28, 8, -3, 7, -1, 1, 18, 12]))
  const sigma = tf.keep(tf.tensor1d([15, 10, 16, 11, 9, 11, 10, 18]))
  return {
    dimension: 10,
    density(z) {
      const [eta, mu, logTau] = tf.split(z, [8, 1, 1], 1)
      const tau = tf.exp(logTau)
      const misfit = tf.div(tf.sub(y, tf.add(mu, tf.mul(tau, eta))), sigma)
      const squares = tf.add(tf.sum(tf.square(misfit), 1, true), tf.sum(tf.square(eta), 1, true))
      const priors = tf.sub(tf.mul(-0.02, tf.square(mu)), tf.log1p(tf.mul(0.04, tf.square(tau))))
      return tf.add(tf.add(tf.mul(-0.5, squares), priors), logTau)
    },
  }
}

/** Two normal parts of 200 numbers: both means, both log σ and the logit of the share. */
export function mixture(): PlainModel {
  const y = tf.keep(tf.tensor1d(waves(200, 2.3).map((value, k) => value + (k % 3 === 0 ? 3 : -2))))
  return {
    dimension: 5,
    density(z) {
      const [mean, logSd, logit] = tf.split(z, [2, 2, 1], 1)
      const part = (k: number, logShare: tf.Tensor) => {
        const [m, l] = [tf.slice(mean, [0, k], [-1, 1]), tf.slice(logSd, [0, k], [-1, 1])]
        return tf.add(logShare, tf.sub(tf.mul(-0.5, tf.square(tf.div(tf.sub(y, m), tf.exp(l)))), l))
      }
      const parts = tf.stack([part(0, tf.neg(tf.softplus(tf.neg(logit)))), part(1, tf.neg(tf.softplus(logit)))], 2)
      const priors = tf.add(tf.sum(tf.square(mean), 1), tf.sum(tf.square(logSd), 1))
      return tf.sub(tf.sum(tf.logSumExp(parts, 2), 1), tf.mul(0.1, priors))
    },
  }
}
