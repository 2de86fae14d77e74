// What runs in the core below tfjs: blocks of rows, gradients on demand, the categorical distribution.
import { beforeAll, describe, expect, jest, test } from '@jest/globals'
import '@tensorflow/tfjs-backend-cpu'
import fc from 'fast-check'
import { categorical, stockCategorical } from '../../src/nn/distributions.ts'
import { forward, stockForward } from '../../src/nn/forward.ts'
import { fusedForward } from '../../src/nn/fused.ts'
import { mlp } from '../../src/nn/network.ts'
import { startTfjs, tf } from '../../src/nn/tfjs.ts'
import { logSoftmaxReference } from '../reference/mlp.ts'
import { type Forward, numbers, passes, worst } from './passes.ts'

beforeAll(() => startTfjs())

test.each([15, 16, 63, 64, 65, 131])('batches that are cut into blocks and packed, %i rows', (rows) => {
  for (const widths of [
    [4, 64, 64, 2],
    [17, 50, 37, 3],
    [3, 100, 50, 25, 1],
  ]) {
    const net = mlp(widths)
    const last = widths[widths.length - 1]
    // Of one sign, so that the sums do not cancel: elsewhere both are off the float64 twin by up to 2e-5 of the largest
    // dx.
    const theta = numbers(net.size, 1, 0.1).map(Math.abs)
    const given = [net, theta, numbers(rows * widths[0], 2)] as const
    const weight = numbers(rows * last, 3).map((value) => 0.1 + Math.abs(value))
    const [ours, stock] = [passes(fusedForward, ...given, weight), passes(stockForward, ...given, weight)]
    expect(worst(ours.outputs, stock.outputs)).toBeLessThan(2e-6)
    expect(worst(ours.dTheta, stock.dTheta)).toBeLessThan(2e-6)
    expect(worst(ours.dx, stock.dx)).toBeLessThan(2e-6)
    const row = 4 * 3
    const alone = passes(
      fusedForward,
      net,
      given[1],
      given[2].slice(row * widths[0], (row + 1) * widths[0]),
      new Float32Array(last),
    )
    expect(alone.outputs).toEqual(ours.outputs.slice(row * last, (row + 1) * last))
  }
})

describe('only the gradients that are asked for are computed', () => {
  const net = mlp([5, 9, 6, 3])
  const rows = 7
  const inputs = () => [tf.tensor1d(numbers(net.size, 1)), tf.tensor2d(numbers(rows * 5, 2), [rows, 5])] as const
  const loss = (theta: tf.Tensor, x: tf.Tensor) => tf.sum(tf.square(forward(net, theta, x as tf.Tensor2D)))
  const both = () =>
    tf.tidy(() =>
      tf
        .grads(loss)([...inputs()])
        .map((t) => t.dataSync()),
    )
  const byTheta = () =>
    tf.tidy(() =>
      tf
        .grad((row) => loss(row, inputs()[1]))(inputs()[0])
        .dataSync(),
    )
  const byX = () =>
    tf.tidy(() =>
      tf
        .grad((x) => loss(inputs()[0], x))(inputs()[1])
        .dataSync(),
    )

  test('each alone has the bits that it has beside the other', () => {
    expect([byTheta(), byX()]).toEqual(both())
  })

  test.each([
    ['theta', byTheta, ['theta']],
    ['x', byX, ['x']],
    ['both', both, ['theta', 'x']],
  ])('%s', (_, run, asked) => {
    const config = tf.getGradient('SteinrlMlp')
    const called: string[] = []
    const original = config.gradFunc
    const spy = jest.spyOn(config, 'gradFunc').mockImplementation((...args) => {
      const gradients = Object.entries(original(...args)).map(([name, gradient]) => [
        name,
        () => {
          called.push(name)
          return gradient()
        },
      ])
      return Object.fromEntries(gradients)
    })
    run()
    spy.mockRestore()
    expect(called).toEqual(asked)
  })
})

test('a network of its own outputs has the gradient of stock tfjs by theta and x', () => {
  const net = mlp([4, 7, 4], { output: 'tanh' })
  const twice: Forward = (net, theta, x) => stockForward(net, theta, stockForward(net, theta, x))
  const fusedTwice: Forward = (net, theta, x) => fusedForward(net, theta, fusedForward(net, theta, x))
  const given = [net, numbers(net.size, 1), numbers(4 * 13, 2), numbers(4 * 13, 3)] as const
  const [ours, stock] = [passes(fusedTwice, ...given), passes(twice, ...given)]
  expect(worst(ours.dTheta, stock.dTheta)).toBeLessThan(1e-5)
  expect(worst(ours.dx, stock.dx)).toBeLessThan(1e-5)
})

describe('the categorical distribution', () => {
  type Categorical = Pick<typeof categorical, 'logProb' | 'entropy'>

  /** log π(a), H, and their gradients by the logits, each row weighted. */
  function statistics({ logProb, entropy }: Categorical, logits: Float32Array, action: Float32Array) {
    const rows = action.length
    const weight = numbers(rows, 5)
    return tf.tidy(() => {
      const x = tf.tensor2d(logits, [rows, logits.length / rows])
      const a = tf.tensor2d(action, [rows, 1])
      const w = tf.tensor1d(weight)
      const tensors = [
        logProb(x, a),
        entropy(x),
        tf.grad((x) => tf.sum(tf.mul(logProb(x as tf.Tensor2D, a), w)))(x),
        tf.grad((x) => tf.sum(tf.mul(entropy(x as tf.Tensor2D), w)))(x),
        // Both from one expression, as in a policy's objective.
        tf.grad((x) => tf.sum(tf.add(logProb(x as tf.Tensor2D, a), tf.mul(w, entropy(x as tf.Tensor2D)))))(x),
      ]
      return tensors.map((tensor) => tensor.dataSync() as Float32Array)
    })
  }

  test.each(['wasm', 'cpu'])('values and gradients are those of stock tfjs on %s', async (backend) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 2, max: 9 }),
        fc.nat({ max: 1000 }),
        fc.constantFrom(0.01, 1, 8),
        async (rows, classes, seed, scale) => {
          const logits = numbers(rows * classes, seed, scale)
          const action = Float32Array.from({ length: rows }, (_, r) => (r * 7 + seed) % classes)
          const ours = statistics(categorical, logits, action)
          await tf.setBackend(backend)
          const stock = statistics(stockCategorical, logits, action)
          await tf.setBackend('wasm')
          // Of order 1; where all classes are about equally likely the gradient of the entropy cancels.
          ours.forEach((values, k) => {
            expect(values.length).toBe(stock[k].length)
            values.forEach((value, i) => {
              expect(Math.abs(value - stock[k][i])).toBeLessThan(2e-6 * Math.max(1, Math.abs(stock[k][i])))
            })
          })
        },
      ),
      { numRuns: 100, seed: 3 },
    )
  })

  test('values are those of the float64 twin, gradients of its differences', () => {
    const logits = [0.3, -1.2, 2.1, 0.4]
    const [logProb, entropy, dLogProb, dEntropy] = statistics(
      categorical,
      Float32Array.from(logits),
      Float32Array.from([2]),
    )
    const entropyOf = (logits: readonly number[]) =>
      -logSoftmaxReference(logits).reduce((sum, value) => sum + Math.exp(value) * value, 0)
    const slopes = (f: (logits: readonly number[]) => number) =>
      logits.map((_, c) => {
        const moved = (by: number) => f(logits.map((value, k) => (k === c ? value + by : value)))
        return ((moved(1e-5) - moved(-1e-5)) / 2e-5) * numbers(1, 5)[0]
      })
    expect(logProb[0]).toBeCloseTo(logSoftmaxReference(logits)[2], 6)
    expect(entropy[0]).toBeCloseTo(entropyOf(logits), 6)
    expect(
      worst(
        dLogProb,
        slopes((x) => logSoftmaxReference(x)[2]),
      ),
    ).toBeLessThan(1e-6)
    expect(worst(dEntropy, slopes(entropyOf))).toBeLessThan(1e-6)
  })

  test('extreme logits neither overflow nor lose the tail', () => {
    const [logProb, entropy, dLogProb, dEntropy] = statistics(
      categorical,
      Float32Array.from([1e30, -1e30, 90, -90]),
      Float32Array.from([0, 1]),
    )
    expect([...logProb]).toEqual([0, -180])
    expect([...entropy]).toEqual([0, 0])
    for (const values of [dLogProb, dEntropy]) expect(values.every(Number.isFinite)).toBe(true)
  })

  test('a number that is no class has, as in stock tfjs, log-probability 0 and no gradient', () => {
    const arguments_ = [numbers(9, 1), Float32Array.from([3, -1, 2])] as const
    const [ours, stock] = [statistics(categorical, ...arguments_), statistics(stockCategorical, ...arguments_)]
    expect([...ours[0].subarray(0, 2)]).toEqual([0, 0])
    expect(ours[2].subarray(0, 6).every((value) => value === 0)).toBe(true)
    expect(worst(ours[2], stock[2])).toBeLessThan(1e-6)
  })

  test('a row has the same bits alone and among others', () => {
    const logits = numbers(5 * 11, 2, 3)
    const action = Float32Array.from({ length: 11 }, (_, r) => r % 5)
    const [logProb, entropy] = statistics(categorical, logits, action)
    for (const r of [0, 5, 10]) {
      const alone = statistics(categorical, logits.slice(5 * r, 5 * r + 5), action.slice(r, r + 1))
      expect([alone[0][0], alone[1][0]]).toEqual([logProb[r], entropy[r]])
    }
  })

  test('no tensor is left behind', () => {
    const run = () => statistics(categorical, numbers(12, 1), Float32Array.from([0, 1, 2]))
    run()
    const before = tf.memory().numTensors
    for (let k = 0; k < 100; k++) run()
    expect(tf.memory().numTensors).toBe(before)
  })
})

test('a second derivative is refused by name, not computed without a term', () => {
  const net = mlp([2, 3, 1])
  const theta = tf.tensor1d(numbers(net.size, 1))
  const x = tf.tensor2d(numbers(4, 2), [2, 2])
  const inner = (at: tf.Tensor) => tf.sum(fusedForward(net, theta, at as tf.Tensor2D))
  expect(() => tf.grad((at) => tf.sum(tf.square(tf.grad(inner)(at))))(x)).toThrow(
    "A second derivative through SteinrlMlp is not computed: build the network of tfjs's own ops.",
  )
  // A gradient of what another gradient does not depend on passes.
  const other = tf.tensor2d(numbers(4, 3), [2, 2])
  const twice = tf.grad((at) => tf.sum(tf.mul(at, tf.grad(inner)(x))))(other)
  expect(twice.dataSync()).toEqual(tf.grad(inner)(x).dataSync())
})
