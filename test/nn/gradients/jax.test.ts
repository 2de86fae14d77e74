// At kinks, ties, bounds and zeros, gradients and second derivatives are those of JAX.
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { startTfjs, tf } from '../../../src/nn/tfjs.ts'

await startTfjs()

type Recorded = Readonly<Record<'shape' | 'x' | 'gradient' | 'second', (number | string)[]>>
const recorded: Record<string, Recorded> = JSON.parse(
  readFileSync(new URL('../../golden/jax-gradients.json', import.meta.url), 'utf8'),
)

const W = [1, 2, 3, 4]
const firstRow = (x: tf.Tensor) => tf.mul(tf.slice(x, [0, 0], [1, 7]), [1, 2, 3, 4, 5, 6, 7])
const paddings: [number, number][] = [
  [1, 1],
  [2, 2],
]

const functions: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  abs: tf.abs,
  'clip -1 1': (x) => tf.clipByValue(x, -1, 1),
  'maximum 0': (x) => tf.maximum(x, 0),
  'minimum 0': (x) => tf.minimum(x, 0),
  'maximum reversed': (x) => tf.maximum(x, tf.reverse(x)),
  relu: tf.relu,
  relu6: tf.relu6,
  elu: tf.elu,
  selu: tf.selu,
  'leaky relu': (x) => tf.leakyRelu(x, 0.2),
  sign: tf.sign,
  floor: tf.floor,
  round: tf.round,
  'floor divide': (x) => tf.floorDiv(x, tf.scalar(0.75)),
  mod: (x) => tf.mod(x, 0.75),
  square: tf.square,
  'power 2': (x) => tf.pow(x, tf.fill([9], 2)),
  'power 0': (x) => tf.pow(x, 0),
  'power 1': (x) => tf.pow(x, 1),
  '2 to the power': (x) => tf.pow(2, x),
  '0 to the power': (x) => tf.pow(tf.zeros([9]), tf.add(tf.abs(x), 1)),
  where: (x) => tf.where(tf.greater(x, 0), tf.neg(tf.square(x)), x),
  'to whole numbers': (x) => tf.mul(tf.cast(tf.cast(x, 'int32'), 'float32'), x),
  softplus: tf.softplus,
  'log sigmoid': tf.logSigmoid,
  'max along rows': (x) => tf.max(x, 1),
  'min along rows': (x) => tf.min(x, 1),
  'max along columns': (x) => tf.max(x, 0),
  'max of all': (x) => tf.max(x),
  logsumexp: (x) => tf.logSumExp(x, 1),
  'prod along rows': (x) => tf.prod(x, 1),
  'prod of all': (x) => tf.prod(x),
  cumprod: (x) => tf.mul(tf.cumprod(x, 1), W),
  'cumsum along columns': (x) => tf.mul(tf.cumsum(x, 0), W.slice(0, 3)),
  topk: (x) => tf.mul(tf.topk(x, 2).values, [1, 2]),
  reflect: (x) => firstRow(tf.mirrorPad(x, paddings, 'reflect')),
  symmetric: (x) => firstRow(tf.mirrorPad(x, paddings, 'symmetric')),
}

test('every recorded function is tried', () => {
  expect(Object.keys(functions).sort()).toEqual(Object.keys(recorded).sort())
})

test.each(Object.entries(recorded))('%s', (name, { shape, x, gradient, second }) => {
  const f = functions[name]
  const first = tf.grad((x) => tf.sum(f(x)))
  const at = tf.tensor(x.map(Number), shape as number[])
  const found = first(at).dataSync()
  const curved = tf
    .grad((x) => tf.sum(tf.mul(first(x), tf.cos(x))))(at)
    .dataSync()
  gradient.forEach((value, k) => {
    expect(found[k]).toBeCloseTo(Number(value), 4)
    expect(Math.abs(curved[k] - Number(second[k]))).toBeLessThan(2e-5 * (1 + Math.abs(Number(second[k]))))
  })
})
