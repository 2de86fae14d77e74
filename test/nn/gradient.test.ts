import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { policyGradientInto } from '../../src/nn/gradient.ts'
import { mlp, type Network } from '../../src/nn/network.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { logSoftmaxReference, mlpReference, surrogateReference } from '../reference/mlp.ts'

beforeAll(() => startTfjs())

/** Deterministic numbers of order 1; tests need no better generator. */
const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, k) => Math.sin(12.9898 * (k + 1) + 78.233 * (seed + 1)) * 1.3)

function example(net: Network, rows: number, seed: number) {
  const classes = net.widths.at(-1) as number
  const theta = numbers(net.size, seed)
  const batch = {
    observation: numbers(rows * net.widths[0], seed + 1),
    action: Float32Array.from({ length: rows }, (_, b) => (b * 7 + seed) % classes),
    weight: numbers(rows, seed + 2).map((w) => w / rows),
  }
  const reference = {
    observation: Array.from({ length: rows }, (_, b) => [
      ...batch.observation.subarray(b * net.widths[0], (b + 1) * net.widths[0]),
    ]),
    action: [...batch.action],
    weight: [...batch.weight],
  }
  return { theta, batch, reference }
}

function gradientOf(
  net: Network,
  theta: Float32Array,
  batch: Parameters<typeof policyGradientInto>[3],
  entropyBonus: number,
) {
  const out = new Float32Array(net.size)
  const entropy = policyGradientInto(out, net, theta, batch, entropyBonus)
  return { out, entropy }
}

const worstOf = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k]))) / Math.max(...Array.from(b, Math.abs))

describe.each([
  ['linear', [3, 2]],
  ['one hidden layer', [4, 7, 3]],
  ['two hidden layers', [2, 6, 5, 2]],
])('%s', (_, widths) => {
  const net = mlp(widths)

  test.each([0, 0.3])('finite differences of the float64 twin, entropy bonus %p', (bonus) => {
    const { theta, batch, reference } = example(net, 9, 4)
    const { out } = gradientOf(net, theta, batch, bonus)
    const step = 1e-5
    const numeric = Array.from(theta, (_, k) => {
      const shifted = (by: number) => {
        const moved = Float64Array.from(theta)
        moved[k] += by
        return surrogateReference(net, moved, reference, bonus)
      }
      return (shifted(step) - shifted(-step)) / (2 * step)
    })
    expect(worstOf(out, numeric)).toBeLessThan(1e-5)
  })

  test('the entropy is that of the float64 twin', () => {
    const { theta, batch, reference } = example(net, 9, 4)
    const { entropy } = gradientOf(net, theta, batch, 0)
    const exact = reference.observation.map((x) => {
      const logProb = logSoftmaxReference(mlpReference(net, theta, x))
      return -logProb.reduce((sum, value) => sum + Math.exp(value) * value, 0)
    })
    expect(entropy).toBeCloseTo(exact.reduce((a, b) => a + b, 0) / 9, 6)
  })
})

test('the wasm backend and the cpu backend of tfjs agree, for every shape', async () => {
  const shapes = fc.record({
    widths: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
    classes: fc.integer({ min: 2, max: 5 }),
    rows: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat({ max: 1000 }),
    bonus: fc.constantFrom(0, 0.05),
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ widths, classes, rows, seed, bonus }) => {
      const net = mlp([...widths, classes])
      const { theta, batch } = example(net, rows, seed)
      const wasm = gradientOf(net, theta, batch, bonus)
      await tf.setBackend('cpu')
      const cpu = gradientOf(net, theta, batch, bonus)
      // The rows' shares of the gradient may nearly cancel, and float32 errors are relative to the shares.
      const apart = gradientOf(net, theta, { ...batch, weight: batch.weight.map(Math.abs) }, bonus)
      await tf.setBackend('wasm')
      const scale = Math.max(...cpu.out.map(Math.abs), ...apart.out.map(Math.abs))
      expect(Math.max(...wasm.out.map((value, k) => Math.abs(value - cpu.out[k]))) / scale).toBeLessThan(1e-5)
      expect(wasm.entropy).toBeCloseTo(cpu.entropy, 5)
    }),
    { numRuns: 100, seed: 5 },
  )
})

test('no tensor is left behind', () => {
  const net = mlp([4, 8, 2])
  const { theta, batch } = example(net, 16, 1)
  gradientOf(net, theta, batch, 0.1)
  const before = tf.memory().numTensors
  for (let k = 0; k < 20; k++) gradientOf(net, theta, batch, 0.1)
  expect(tf.memory().numTensors).toBe(before)
})
