import { describe, expect, test } from '@jest/globals'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'

await startTfjs()

const x = () => tf.tensor2d([0.3, -0.5, 1.2, 0.7, -0.2, 0.1], [2, 3])

describe('a failed gradient leaves no tensors', () => {
  test.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['an op without a gradient', (x) => tf.sum(tf.mul(tf.exp(x), tf.unique(tf.reshape(x, [6])).values))],
    ['an op without a kernel', (x) => tf.sum(tf.abs(tf.complex(tf.tanh(x), x)))],
    ['shapes that do not fit', (x) => tf.sum(tf.add(tf.exp(x), tf.ones([5])))],
    [
      'an error of the caller',
      (x) => {
        tf.sum(tf.logSigmoid(tf.exp(x)))
        throw new Error('mine')
      },
    ],
  ])('%s', (_, f) => {
    const at = x()
    const before = tf.memory().numTensors
    for (let k = 0; k < 3; k++) expect(() => tf.tidy(() => tf.grad(f)(at))).toThrow()
    expect(tf.memory().numTensors).toBe(before)
    const right = tf.tidy(() => tf.grad((x) => tf.sum(tf.square(x)))(at))
    expect([...right.dataSync()]).toEqual([...at.dataSync()].map((v) => 2 * v))
    tf.dispose([right, at])
  })
})

test('gradients that work leave none either, of any order', () => {
  const at = x()
  const f = (x: tf.Tensor) => tf.sum(tf.logSigmoid(tf.mul(tf.logSoftmax(x), tf.exp(tf.tanh(x)))))
  const before = tf.memory().numTensors
  tf.tidy(() => {
    tf.grad((x) => tf.sum(tf.grad((x) => tf.sum(tf.square(tf.grad(f)(x))))(x)))(at)
  })
  expect(tf.memory().numTensors).toBe(before)
})

test('a third derivative goes through saved results: exp, tanh, logSoftmax', () => {
  const at = [0.3, -0.5]
  const third = (f: (x: tf.Tensor) => tf.Tensor) =>
    tf
      .grad((x) => tf.sum(tf.grad((x) => tf.sum(tf.grad((x) => tf.sum(f(x)))(x)))(x)))(tf.tensor1d(at))
      .dataSync()
  at.forEach((v, k) => {
    const t = Math.tanh(v)
    expect(third(tf.exp)[k]).toBeCloseTo(Math.exp(v), 5)
    expect(third(tf.tanh)[k]).toBeCloseTo(-2 * (1 - t * t) * (1 - 3 * t * t), 5)
  })
})

test('a custom gradient may read its inputs without saving them, and return one of them', () => {
  const doubled = tf.customGrad((x) => ({
    value: x as tf.Tensor,
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.mul(2, x as tf.Tensor)),
  }))
  const found = tf
    .grad((x) => tf.sum(doubled(tf.mul(x, 3))))(x())
    .dataSync()
  x()
    .dataSync()
    .forEach((v, k) => void expect(found[k]).toBeCloseTo(18 * v, 5))
})

test('tensors have the ops as methods', () => {
  const f = (x: tf.Tensor) => (x as unknown as { square(): { sum(axis: number): tf.Tensor } }).square().sum(1)
  expect([
    ...tf
      .grad((x) => tf.sum(f(x)))(x())
      .dataSync(),
  ]).toEqual([...x().dataSync()].map((v) => 2 * v))
})

describe('one sentence says what to write instead', () => {
  test.each<[string, (x: tf.Tensor) => tf.Tensor, RegExp]>([
    ['unique', (x) => tf.unique(tf.reshape(x, [6])).values, /no gradient of Unique.*docs\/tfjs\.md/],
    ['fft', (x) => tf.real(tf.spectral.fft(tf.complex(x, x))), /WASM backend has no Complex. Write real/],
    [
      'the filter of conv2d',
      (x) => tf.conv2d(tf.ones<tf.Rank.R4>([1, 4, 4, 1]), tf.reshape(x, [2, 3, 1, 1]) as tf.Tensor4D, 1, 'valid'),
      /Conv2DBackpropFilter.*tf.slice and tf.matMul/,
    ],
    [
      'the input of conv3d',
      (x) => tf.conv3d(tf.reshape(x, [1, 1, 2, 3, 1]) as tf.Tensor5D, tf.ones([1, 1, 1, 1, 1]), 1, 'valid'),
      /wrong gradient of conv3d/,
    ],
    [
      'dilation2d',
      (x) => tf.dilation2d(tf.reshape(x, [1, 2, 3, 1]) as tf.Tensor4D, tf.ones([2, 2, 1]), 1, 'same'),
      /wrong values of dilation2d where they are negative/,
    ],
  ])('%s', (_, f, message) => {
    expect(() => tf.grad((x) => tf.sum(f(x)))(x())).toThrow(message)
  })
})

test('a tensor that does not fit into the memory is refused, and tfjs goes on', () => {
  const backend = tf.backend() as BackendWasm
  const tensor = (shape: number[]) => tf.engine().makeTensorFromTensorInfo(backend.makeOutput(shape, 'float32'))
  const big: tf.Tensor[] = []
  const fill = () => {
    for (let k = 0; k < 9; k++) big.push(tensor([1 << 27]))
  }
  expect(fill).toThrow(/no room for a tensor of 0\.5 GB.*Take minibatches/)
  tf.dispose(big)
  expect(() => tensor([1 << 30, 2])).toThrow(/no room for a tensor of 8\.6 GB/)
  expect([...tf.add(x(), 1).dataSync()][0]).toBeCloseTo(1.3, 6)
})
