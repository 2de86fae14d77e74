import { beforeAll, describe, expect, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { forward, stockForward } from '../../src/nn/forward.ts'
import { canFuse, fusedForward } from '../../src/nn/fused.ts'
import { type Activation, activations, mlp, type Network } from '../../src/nn/network.ts'
import { kernels, startTfjs, tf } from '../../src/nn/tfjs.ts'
import { mlpReference } from '../reference/mlp.ts'

beforeAll(() => startTfjs())

/** Deterministic numbers of order 1. */
const numbers = (count: number, seed: number, scale = 1) =>
  Float32Array.from({ length: count }, (_, k) => Math.sin(12.9898 * (k + 1) + 78.233 * (seed + 1)) * scale)

type Forward = typeof stockForward

/** Outputs, and the gradients of Σ y · weight by theta and x. */
function passes(run: Forward, net: Network, theta: Float32Array, x: Float32Array, weight: Float32Array) {
  const rows = x.length / net.widths[0]
  const tensors = tf.tidy(() => {
    const inputs = [tf.tensor1d(theta), tf.tensor2d(x, [rows, net.widths[0]])]
    const outputs = run(net, inputs[0] as tf.Tensor1D, inputs[1] as tf.Tensor2D)
    const loss = (...[theta, x]: tf.Tensor[]) =>
      tf.sum(tf.mul(run(net, theta as tf.Tensor1D, x as tf.Tensor2D), tf.reshape(tf.tensor1d(weight), outputs.shape)))
    return [outputs, ...tf.grads(loss)(inputs)]
  })
  const [outputs, dTheta, dx] = tensors.map((tensor) => tensor.dataSync() as Float32Array)
  tf.dispose(tensors)
  return { outputs, dTheta, dx }
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k]))) / (Math.max(...Array.from(b, Math.abs)) || 1)

const shapes = fc.record({
  widths: fc.array(fc.integer({ min: 1, max: 21 }), { minLength: 2, maxLength: 4 }),
  hidden: fc.constantFrom<Activation>(...activations),
  output: fc.constantFrom<Activation>(...activations),
  rows: fc.integer({ min: 1, max: 40 }),
  seed: fc.nat({ max: 1000 }),
})

test.each(['wasm', 'cpu'])(
  'values and both gradients are those of stock tfjs on %s, for every shape',
  async (backend) => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ widths, hidden, output, rows, seed }) => {
        const net = mlp(widths, { hidden, output })
        const last = widths[widths.length - 1]
        const theta = numbers(net.size, seed, 0.7)
        const x = numbers(rows * widths[0], seed + 1, 1.3)
        // All of one sign, so that the rows' shares of a gradient do not cancel.
        const weight = numbers(rows * last, seed + 2).map((value) => 0.1 + Math.abs(value))
        const ours = passes(fusedForward, net, theta, x, weight)
        await tf.setBackend(backend)
        const stock = passes(stockForward, net, theta, x, weight)
        await tf.setBackend('wasm')
        expect(worst(ours.outputs, stock.outputs)).toBeLessThan(1e-5)
        expect(worst(ours.dTheta, stock.dTheta)).toBeLessThan(2e-5)
        expect(worst(ours.dx, stock.dx)).toBeLessThan(2e-5)
      }),
      { numRuns: 150, seed: 3 },
    )
  },
)

describe.each(activations)('%s', (activation) => {
  test('the outputs are those of the float64 twin, far out too', () => {
    const net = mlp([1, 1], { output: activation })
    const x = Float32Array.from([-200, -90, -20, -3, -1, -1e-3, -1e-6, 0, 1e-6, 1e-3, 1, 3, 20, 90, 200])
    const { outputs } = passes(fusedForward, net, Float32Array.from([1, 0]), x, new Float32Array(15).fill(1))
    outputs.forEach((y, k) => {
      const [exact] = mlpReference(net, [1, 0], [x[k]])
      expect(Math.abs(y - exact)).toBeLessThanOrEqual(1e-6 * Math.abs(exact) + 1e-37)
    })
  })

  test('the gradient is that of finite differences of the float64 twin', () => {
    const net = mlp([3, 5, 2], { hidden: activation })
    const theta = numbers(net.size, 1)
    const x = numbers(21, 2)
    const weight = numbers(14, 3)
    const { dTheta } = passes(fusedForward, net, theta, x, weight)
    const loss = (parameters: Float64Array) =>
      Array.from({ length: 7 }, (_, r) => {
        const y = mlpReference(net, parameters, [...x.subarray(3 * r, 3 * r + 3)])
        return y.reduce((sum, value, k) => sum + value * weight[2 * r + k], 0)
      }).reduce((a, b) => a + b)
    const numeric = Array.from(theta, (_, k) => {
      const moved = (by: number) => Float64Array.from(theta, (value, index) => (index === k ? value + by : value))
      return (loss(moved(1e-6)) - loss(moved(-1e-6))) / 2e-6
    })
    expect(worst(dTheta, numeric)).toBeLessThan(1e-5)
  })
})

describe('one network, many passes', () => {
  const net = mlp([4, 9, 3])
  const theta = numbers(net.size, 1)
  const pair = (run: Forward, first: Float32Array, second: Float32Array) =>
    tf.tidy(() => {
      const loss = (row: tf.Tensor) => {
        const y = run(net, row as tf.Tensor1D, tf.tensor2d(first, [first.length / 4, 4]))
        const z = run(net, row as tf.Tensor1D, tf.tensor2d(second, [second.length / 4, 4]))
        return tf.add(tf.sum(tf.square(y)), tf.mul(tf.mean(y), tf.mean(z)))
      }
      return tf.grad(loss)(tf.tensor1d(theta)).dataSync()
    })

  test('two passes before the backward ones do not mix', () => {
    const [first, second] = [numbers(20, 2), numbers(44, 3)]
    expect(worst(pair(fusedForward, first, second), pair(stockForward, first, second))).toBeLessThan(1e-5)
    expect(worst(pair(fusedForward, second, first), pair(stockForward, second, first))).toBeLessThan(1e-5)
  })

  test('a row has the same bits alone and among others', () => {
    const x = numbers(4 * 23, 4)
    const all = passes(fusedForward, net, theta, x, new Float32Array(69))
    for (const r of [0, 7, 22]) {
      const alone = passes(fusedForward, net, theta, x.slice(4 * r, 4 * r + 4), new Float32Array(3))
      expect(alone.outputs).toEqual(all.outputs.slice(3 * r, 3 * r + 3))
    }
  })

  test('batches of different sizes in turn are right and share one memory', () => {
    const sizes = [30, 3, 17, 40, 1, 40, 5]
    for (const rows of sizes) {
      const x = numbers(4 * rows, rows)
      const weight = numbers(3 * rows, 7)
      const [ours, stock] = [fusedForward, stockForward].map((run) => passes(run, net, theta, x, weight))
      expect(worst(ours.outputs, stock.outputs)).toBeLessThan(1e-5)
      expect(worst(ours.dTheta, stock.dTheta)).toBeLessThan(2e-5)
      expect(worst(ours.dx, stock.dx)).toBeLessThan(2e-5)
    }
  })

  test('no tensor is left behind over 1,000 iterations', () => {
    const x = numbers(40, 5)
    const weight = numbers(30, 6)
    passes(fusedForward, net, theta, x, weight)
    const before = tf.memory().numTensors
    for (let k = 0; k < 1000; k++) passes(fusedForward, net, theta, x, weight)
    expect(tf.memory().numTensors).toBe(before)
  })
})

test('a population stacked on a leading axis is its networks one by one, with the same bits', () => {
  const net = mlp([5, 7, 3], { hidden: 'elu' })
  const [n, rows] = [4, 9]
  const theta = numbers(n * net.size, 1)
  const x = numbers(n * rows * 5, 2)
  const weight = numbers(n * rows * 3, 3)
  const [outputs, dTheta, dx] = tf.tidy(() => {
    const inputs = [tf.tensor2d(theta, [n, net.size]), tf.tensor3d(x, [n, rows, 5])]
    const loss = (...[theta, x]: tf.Tensor[]) =>
      tf.sum(tf.mul(forward(net, theta, x as tf.Tensor3D), tf.tensor3d(weight, [n, rows, 3])))
    return [forward(net, inputs[0], inputs[1] as tf.Tensor3D), ...tf.grads(loss)(inputs)].map((t) => t.dataSync())
  })
  for (let i = 0; i < n; i++) {
    const slice = (all: Float32Array, size: number) => all.slice(i * size, (i + 1) * size)
    const alone = passes(fusedForward, net, slice(theta, net.size), slice(x, rows * 5), slice(weight, rows * 3))
    expect(slice(outputs as Float32Array, rows * 3)).toEqual(alone.outputs)
    expect(slice(dTheta as Float32Array, net.size)).toEqual(alone.dTheta)
    expect(slice(dx as Float32Array, rows * 5)).toEqual(alone.dx)
  }
})

test('it can be switched off, and is not used on another backend', async () => {
  const net = mlp([3, 4, 2])
  const arguments_ = [net, numbers(net.size, 1), numbers(15, 2), numbers(10, 3)] as const
  const fused = passes(forward, ...arguments_)
  expect(canFuse()).toBe(true)
  await startTfjs({ fused: false })
  expect([canFuse(), kernels.core]).toEqual([false, null])
  const stock = passes(forward, ...arguments_)
  await startTfjs()
  expect(canFuse()).toBe(true)
  expect(worst(fused.dTheta, stock.dTheta)).toBeLessThan(1e-5)
  await tf.setBackend('cpu')
  expect(canFuse()).toBe(false)
  await tf.setBackend('wasm')
})

describe('bad input', () => {
  const net = mlp([3, 4, 2])
  const run = (theta: number, ...shape: [number, number]) =>
    tf.tidy(() => forward(net, tf.zeros([theta]), tf.zeros(shape) as tf.Tensor2D))

  test.each([
    [() => run(net.size, 5, 4), 'The network takes an input [rows, 3], got the shape [5, 4].'],
    [() => run(net.size, 0, 3), 'A batch needs at least one row, got 0.'],
    [
      () => tf.tidy(() => forward(net, tf.zeros([2, net.size]), tf.zeros([3, 5, 3]) as tf.Tensor3D)),
      'The network takes an input [2, rows, 3], got the shape [3, 5, 3].',
    ],
    [() => run(7, 5, 3), 'The network has 26 parameters, got the shape [7].'],
    [
      () => mlp([1, 1], { hidden: 'sigmoid' as Activation }),
      /^The activation of hidden layers must be one of linear, tanh, relu, elu, softplus, got "sigmoid"\.$/,
    ],
  ])('%#', (act, message) => {
    expect(act).toThrow(message)
  })
})
