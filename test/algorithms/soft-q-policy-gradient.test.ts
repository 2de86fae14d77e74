import { beforeAll, expect, test } from '@jest/globals'
import { policyGradientInto } from '../../src/compile/policy-gradient.ts'
import { categorical } from '../../src/nn/distributions.ts'
import { forward } from '../../src/nn/forward.ts'
import { mlp } from '../../src/nn/network.ts'
import { policyOf } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { numbersOf } from '../reference/statistics.ts'
import { chain } from '../reference/tabular.ts'

beforeAll(() => startTfjs())

/**
 * Schulman, Chen & Abbeel 2017 (arXiv 1704.06440), section 3: with Q = α log π + V, the gradient of soft Q-learning's
 * loss over the policy's own actions is that of the entropy-regularised policy gradient, times −α, plus that of the
 * value error. Here for every state and action of a tabular process at once.
 */
test('with Q = α log π + V the soft Q gradient is a policy gradient plus a value-error gradient', () => {
  const { states: S, actions: A, transition, reward } = chain
  const alpha = 0.7
  const discount = 0.9
  const policy = policyOf({ observations: S, hidden: [], head: { name: 'categorical', actions: A } })
  const valueNet = mlp([S, 1])
  const { normal } = numbersOf(12)
  const phi = Float32Array.from({ length: policy.size }, normal)
  const theta = Float32Array.from({ length: valueNet.size }, normal)
  const rows = S * A
  const oneHot = Float32Array.from({ length: rows * S }, (_, k) => (Math.floor(k / S / A) === k % S ? 1 : 0))
  const action = Float32Array.from({ length: rows }, (_, k) => k % A)
  const x = tf.tensor2d(oneHot, [rows, S])
  const chosen = tf.tensor2d(action, [rows, 1])
  const logProbOf = (p: tf.Tensor) => categorical.logProb(forward(policy.net, p, x), chosen)
  const stateValue = (v: tf.Tensor) => tf.reshape(forward(valueNet, v, x), [rows])
  const [logProb, value] = [logProbOf(tf.tensor1d(phi)).dataSync(), stateValue(tf.tensor1d(theta)).dataSync()]

  // y(s, a) = r + γ E V(s'), and weights ρ(s) π(a|s) with any ρ.
  const rho = [0.5, 0.2, 0.3]
  const y = Array.from({ length: rows }, (_, k) => {
    const [s, a] = [Math.floor(k / A), k % A]
    return reward[s][a] + discount * transition[s][a].reduce((sum, p, next) => sum + p * value[next * A], 0)
  })
  const weight = Float32Array.from(y, (_, k) => rho[Math.floor(k / A)] * Math.exp(logProb[k]))

  const softQ = tf.grads((p, v) => {
    const q = tf.add(tf.mul(alpha, logProbOf(p)), stateValue(v))
    return tf.sum(tf.mul(tf.mul(0.5, weight), tf.square(tf.sub(q, tf.tensor1d(y)))))
  })([tf.tensor1d(phi), tf.tensor1d(theta)])

  // The policy gradient of rewards less α log π, with V for a baseline.
  const advantage = Float32Array.from(y, (target, k) => weight[k] * (target - alpha * logProb[k] - value[k]))
  const gradient = new Float32Array(policy.size)
  policyGradientInto(
    gradient,
    policy,
    phi,
    { observation: oneHot, action, weight: advantage },
    { entropyBonus: 0, clip: null, floor: null },
  )
  // The value error towards E_a [ y − α log π ], with weights ρ.
  const soft = Float32Array.from(y, (target, k) => target - alpha * logProb[k])
  const valueGradient = tf.grad((v) =>
    tf.sum(tf.mul(tf.mul(0.5, weight), tf.square(tf.sub(stateValue(v), tf.tensor1d(soft))))),
  )(tf.tensor1d(theta))

  const [byPolicy, byValue] = softQ.map((g) => g.dataSync())
  expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.05)
  byPolicy.forEach((g, k) => void expect(Math.abs(g + alpha * gradient[k])).toBeLessThan(2e-6))
  const expected = valueGradient.dataSync()
  byValue.forEach((g, k) => void expect(Math.abs(g - expected[k])).toBeLessThan(2e-6))
})
