import { tf } from '../nn/tfjs.ts'

/**
 * log Γ(x) for x > 0: Stirling's series at z = x + 8, less log x(x+1)…(x+7). Error below 2e-7 of the largest of its
 * terms.
 *
 * Source: Abramowitz & Stegun 1964, 6.1.41.
 */
export function logGamma(input: tf.Tensor | number): tf.Tensor {
  const x = tf.add(input, 0)
  const z = tf.add(x, 8)
  const product = (from: number) => [1, 2, 3].reduce((all, k) => tf.mul(all, tf.add(x, from + k)), tf.add(x, from))
  const steps = tf.add(tf.log(product(0)), tf.log(product(4)))
  const formula = tf.sub(tf.mul(tf.sub(z, 0.5), tf.log(z)), z)
  return tf.sub(tf.add(tf.add(formula, stirling(z)), HALF_LOG_TWO_PI), steps)
}

/**
 * log Γ(x + d) − log Γ(x) for x > 0 and d ≥ 0, without the two, which are large where x is: Stirling's series at
 * z = x + 8,
 *
 *     (z − ½) log(1 + d/z) + d (log(z + d) − 1) + w(z + d) − w(z) − Σ_{i<8} log(1 + d/(x + i)).
 */
export function logGammaRatio(x: tf.Tensor | number, d: tf.Tensor | number): tf.Tensor {
  const z = tf.add(x, 8)
  const end = tf.add(z, d)
  const growth = (from: tf.Tensor) => tf.log1p(tf.div(d, from))
  const steps = Array.from({ length: 8 }, (_, i) => growth(tf.add(x, i))).reduce((sum, step) => tf.add(sum, step))
  const formula = tf.add(tf.mul(tf.sub(z, 0.5), growth(z)), tf.mul(d, tf.sub(tf.log(end), 1)))
  return tf.sub(tf.add(formula, tf.sub(stirling(end), stirling(z))), steps)
}

/**
 * x λ − e^λ − log Γ(x + 1) for x ≥ 0, the logarithm of Poisson's mass by its log mean λ. Where x is large its terms are
 * too, and cancel; by δ = λ − log m with m = max(x, 1), and Stirling's series at z = x + 9, none of them is:
 *
 *     x δ − m (e^δ − 1) − [x log(z/m) + m − z + ½ log 2πz + w(z) − log Π_{i=1…8} (x + i)/z].
 *
 * @param deltaOf δ by m, which has more digits than λ less a logarithm where the mean is at hand
 */
export function logPoisson(x: tf.Tensor | number, deltaOf: (m: tf.Tensor) => tf.Tensor): tf.Tensor {
  const m: tf.Tensor = tf.maximum(x, 1)
  const z = tf.add(x, 9)
  const gap = tf.sub(z, m)
  const delta = deltaOf(m)
  const share = tf.div(1, z)
  const product = [2, 3, 4, 5, 6, 7, 8].reduce(
    (all, i) => tf.mul(all, tf.mul(tf.add(x, i), share)),
    tf.mul(tf.add(x, 1), share) as tf.Tensor,
  )
  const steps = tf.sub(tf.sub(tf.mul(x, tf.log1p(tf.div(gap, m))), gap), tf.log(product))
  const rest = tf.add(steps, tf.add(tf.add(tf.mul(0.5, tf.log(z)), HALF_LOG_TWO_PI), stirling(z)))
  return tf.sub(tf.sub(tf.mul(x, delta), tf.mul(m, tf.expm1(delta))), rest)
}

const HALF_LOG_TWO_PI = 0.9189385332046727

/** w(z), what Stirling's formula lacks: 1/12z − 1/360z³ + 1/1260z⁵. */
function stirling(z: tf.Tensor): tf.Tensor {
  const w = tf.div(1, z)
  const w2 = tf.square(w)
  return tf.mul(w, tf.add(1 / 12, tf.mul(w2, tf.add(-1 / 360, tf.mul(w2, 1 / 1260)))))
}
