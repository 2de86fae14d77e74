import { beforeAll, expect, test } from '@jest/globals'
import { policyOf } from '../../src/nn/policy.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { crossEntropy, divergence, mixtureOf } from '../../src/rl/distillation-loss.ts'

beforeAll(() => startTfjs())

const softmax = (logits: readonly number[]) => {
  const all = logits.map(Math.exp)
  return all.map((value) => value / all.reduce((a, b) => a + b))
}

test.each(['categorical', 'gaussian', 'squashed-gaussian'] as const)('%s: its loss against float64', async (head) => {
  const policy = policyOf({ observations: 2, hidden: [3], head: { name: head, actions: 2 } })
  const theta = Float32Array.from({ length: 2 * policy.size }, (_, k) => Math.sin(1 + 3 * k) * 0.8)
  const x = Float32Array.from([0.3, -1, 0.7, 0.2, -0.5, 0.9])
  const student = Float32Array.from({ length: policy.size }, (_, k) => Math.cos(2 * k) * 0.5)
  const targets = mixtureOf({ policy, particles: 2, theta }, x)
  const outputs = (own: Float32Array, row: number) => {
    const [first, last] = policy.net.layers
    const hidden = [0, 1, 2].map((j) =>
      Math.tanh(
        own[first.bias + j] +
          x[2 * row] * own[first.weight + j] +
          x[2 * row + 1] * own[first.weight + first.outputs + j],
      ),
    )
    const all = Array.from({ length: last.outputs }, (_, k) =>
      hidden.reduce((sum, h, j) => sum + h * own[last.weight + j * last.outputs + k], own[last.bias + k]),
    )
    const logStd = head === 'gaussian' ? [...own.subarray(policy.net.size, policy.size)] : all.slice(2)
    return { mean: all.slice(0, 2), logStd }
  }
  let cross = 0
  let kl = 0
  for (const row of [0, 1, 2]) {
    const teachers = [0, 1].map((i) => outputs(theta.subarray(i * policy.size, (i + 1) * policy.size), row))
    const own = outputs(student, row)
    if (head === 'categorical') {
      const [a, b] = teachers.map(({ mean }) => softmax(mean))
      const q = softmax(own.mean)
      for (const k of [0, 1]) {
        const p = (a[k] + b[k]) / 2
        cross -= (p * Math.log(q[k])) / 3
        kl += (p * Math.log(p / q[k])) / 3
      }
    } else
      for (const k of [0, 1]) {
        const M = (teachers[0].mean[k] + teachers[1].mean[k]) / 2
        const second = teachers.map(({ mean, logStd }) => Math.exp(2 * logStd[k]) + mean[k] ** 2)
        const V = (second[0] + second[1]) / 2 - M * M
        const s2 = Math.exp(2 * own.logStd[k])
        cross += (own.logStd[k] + (V + (own.mean[k] - M) ** 2) / (2 * s2)) / 3
        kl += (0.5 * ((V + (own.mean[k] - M) ** 2) / s2 - 1 - Math.log(V / s2))) / 3
      }
  }
  const found = tf.tidy(() => crossEntropy(policy, tf.tensor1d(student), x, targets).dataSync()[0])
  expect(Math.abs(found - cross)).toBeLessThan(2e-6 * (1 + Math.abs(cross)))
  expect(Math.abs(divergence(policy, student, x, targets) - kl)).toBeLessThan(5e-6 * (1 + kl))
})
