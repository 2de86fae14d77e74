// Values that tfjs's WASM backend has wrong, against what they are by their definition.
import { describe, expect, test } from '@jest/globals'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'

await startTfjs()

function expectClose(found: tf.Tensor, right: readonly number[]) {
  const values = found.dataSync()
  expect(values).toHaveLength(right.length)
  right.forEach((value, k) => {
    if (Number.isFinite(value)) expect(Math.abs(values[k] - value)).toBeLessThan(1e-5 * (1 + Math.abs(value)))
    else expect(values[k]).toBe(value)
  })
}

describe('a product of matrices', () => {
  test('reads data in the shape that it has now', () => {
    const data = tf.range(1, 13)
    const sums = (rows: number, columns: number) =>
      Array.from({ length: columns }, (_, j) =>
        Array.from({ length: rows }, (_, i) => 1 + i * columns + j).reduce((sum, value) => sum + value),
      )
    for (const multiply of [
      (a: tf.Tensor2D, b: tf.Tensor2D) => tf.matMul(a, b),
      (a: tf.Tensor2D, b: tf.Tensor2D) => tf.fused.matMul({ a, b, bias: tf.zeros([1]) }),
    ])
      for (const [rows, columns] of [
        [3, 4],
        [4, 3],
        [2, 6],
        [3, 4],
      ])
        expectClose(multiply(tf.ones([1, rows]), tf.reshape(data, [rows, columns])), sums(rows, columns))
  })

  test('takes the matrices that stand in the same place of stacks of several sizes', () => {
    const column = tf.tensor([1, 2], [2, 1, 1, 1])
    const row = tf.tensor([1, 10, 100], [1, 3, 1, 1])
    const both = tf.tensor([1, 10, 100, 2, 20, 200], [2, 3, 1, 1])
    expectClose(tf.matMul(column, row), [1, 10, 100, 2, 20, 200])
    expectClose(tf.matMul(both, column), [1, 10, 100, 4, 40, 400])
    expectClose(tf.matMul(row, both, true, true), [1, 100, 10_000, 2, 200, 20_000])
  })
})

describe('a gather with indices for each batch', () => {
  test.each(['float32', 'int32'] as const)('of %s takes from the batch', (dtype) => {
    for (const [batches, size, count] of [
      [3, 6, 2],
      [5, 6, 3],
      [5, 4, 1],
    ]) {
      const index = Array.from({ length: batches * count }, (_, k) => (5 * k) % size)
      const found = tf.gather(
        tf.reshape(tf.range(0, batches * size, 1, dtype), [batches, size]),
        tf.tensor2d(index, [batches, count], 'int32'),
        ...([1, 1] as const),
      )
      expectClose(
        found,
        index.map((place, k) => Math.floor(k / count) * size + place),
      )
    }
  })

  test('along another axis, and refuses what is beyond it', () => {
    const x = tf.reshape(tf.range(0, 24), [3, 2, 4])
    expectClose(tf.gather(x, tf.tensor2d([3, 0, 1], [3, 1], 'int32'), -1, 1), [3, 7, 8, 12, 17, 21])
    expect(() => tf.gather(x, tf.tensor2d([3, 4, 1], [3, 1], 'int32'), -1, 1)).toThrow('index value 4 is not in [0, 3]')
  })
})

test('slopes of prelu are broadcast as they stand', () => {
  const x = tf.tensor2d([-1, -2, -3, 4, -5, -6], [2, 3])
  expectClose(tf.prelu(x, tf.tensor2d([10, 100], [2, 1])), [-10, -20, -30, 4, -500, -600])
  expectClose(tf.prelu(x, tf.tensor2d([1, 10, 100], [1, 3])), [-1, -20, -300, 4, -50, -600])
  expectClose(tf.prelu(tf.scalar(-1) as tf.Tensor, x), [1, 2, 3, -4, 5, 6])
})

test('windows whose number would be rounded up are refused', () => {
  const image = tf.ones([1, 6, 3, 1]) as tf.Tensor4D
  const refused = 'rounds the number of windows'
  expect(() => tf.maxPool(image, 2, 2, 1, 'ceil')).toThrow(refused)
  expect(() => tf.avgPool(image, 2, 2, 1, 'ceil')).toThrow(refused)
  expect(() => tf.conv2d(image, tf.ones([2, 2, 1, 1]), 2, 1, 'NHWC', 1, 'ceil')).toThrow(refused)
  expect(tf.maxPool(image, 2, 2, 0, 'floor').shape).toEqual([1, 3, 1, 1])
  expect(tf.maxPool(image, 2, 1, 1, 'ceil').shape).toEqual([1, 7, 4, 1])
})

test('log1p keeps small numbers', () => {
  const small = [1e-6, 1e-9, -1e-6, 1e-30, -0.5, 0.3, 1e-3, 5, 1e20].map(Math.fround)
  const found = tf.log1p(tf.tensor1d(small)).dataSync()
  small.forEach((x, k) => void expect(Math.abs(found[k] / Math.log1p(x) - 1)).toBeLessThan(3e-7))
  expect([...tf.log1p(tf.tensor1d([0, Infinity, -1, -2, NaN])).dataSync()]).toEqual([0, Infinity, -Infinity, NaN, NaN])
})

describe('functions of whole numbers and booleans', () => {
  const functions: Record<string, [(x: tf.Tensor) => tf.Tensor, (x: number) => number]> = {
    log1p: [tf.log1p, Math.log1p],
    softplus: [tf.softplus, (x) => Math.log1p(Math.exp(x))],
    logSigmoid: [tf.logSigmoid, (x) => -Math.log1p(Math.exp(-x))],
    reciprocal: [tf.reciprocal, (x) => 1 / x],
    exp: [tf.exp, Math.exp],
    expm1: [tf.expm1, Math.expm1],
    sinh: [tf.sinh, Math.sinh],
    asinh: [tf.asinh, Math.asinh],
    acosh: [tf.acosh, Math.acosh],
    atan: [tf.atan, Math.atan],
    asin: [tf.asin, Math.asin],
    acos: [tf.acos, Math.acos],
    atanh: [tf.atanh, Math.atanh],
    atan2: [(x) => tf.atan2(x, tf.cast(tf.onesLike(x), 'int32')), Math.atan],
    selu: [tf.selu, (x) => 1.05070098 * x],
    leakyRelu: [tf.leakyRelu, (x) => x],
    neg: [tf.neg, (x) => -x],
    abs: [tf.abs, Math.abs],
    sign: [tf.sign, Math.sign],
    square: [tf.square, (x) => x * x],
    round: [tf.round, (x) => x],
    relu: [tf.relu, (x) => x],
    relu6: [tf.relu6, (x) => x],
    step: [tf.step, Math.sign],
  }
  test.each(Object.entries(functions))('%s', (_, [f, right]) => {
    const values = [1, 0, 1]
    for (const dtype of ['int32', 'bool'] as const) expectClose(f(tf.tensor1d(values, dtype)), values.map(right))
    if (Number.isFinite(right(3))) expectClose(f(tf.tensor1d([3, 2], 'int32')), [right(3), right(2)])
  })
})

describe('einsum refuses', () => {
  const [x, y] = [tf.ones([2, 3]), tf.ones([3, 3])]
  test.each<[string, tf.Tensor[], string]>([
    ['ii->', [y], 'has a letter twice for one tensor'],
    ['ij,jk', [x, y], 'must name its result behind one ->'],
    ['...i->...', [x], 'takes letters alone'],
    ['ij,jk->ik', [y, x], 'has j for axes of 3 and 2'],
    ['ij->ik', [x], 'must name each letter of its result once'],
    ['i->i', [x], 'has the letters i for the shape [2, 3]'],
    ['ij,jk->ik', [x], 'names 2 tensors and was given 1'],
  ])('%s', (equation, tensors, sentence) => {
    expect(() => tf.einsum(equation, ...tensors)).toThrow(sentence)
  })
})
