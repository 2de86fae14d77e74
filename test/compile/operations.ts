import type { Expression } from '../../src/compile/recording.ts'
import { forward } from '../../src/nn/forward.ts'
import { mlp } from '../../src/nn/network.ts'
import { tf } from '../../src/nn/tfjs.ts'

/** An op of tfjs on numbers that it is smooth at, and what the numbers lie between. */
export interface Operation {
  readonly f: (x: tf.Tensor2D, y: tf.Tensor2D) => tf.Tensor
  readonly from?: number
  readonly to?: number
}

/** Of x and y, one after the other. */
export const SHAPE = [2, 4, 3] as const
const COUNT = 24

/** Weights that make one number of a result of any shape. */
export const weights = (size: number) => Float32Array.from({ length: size }, (_, k) => Math.sin(1 + 1.7 * k))

/** An operation as one number, and its result. */
export const expression =
  (f: Operation['f']): Expression =>
  (x) => {
    const [a, b] = tf.unstack(x) as tf.Tensor2D[]
    const result = f(a, b)
    return [tf.sum(tf.mul(tf.tensor(weights(result.size), result.shape), result)), result]
  }

export const points = ({ from = -1.3, to = 1.4 }: Operation) =>
  Float32Array.from({ length: COUNT }, (_, k) => from + (to - from) * ((0.37 + k * 0.6180339887) % 1))

type X = tf.Tensor2D

const net = mlp([3, 2], { output: 'tanh' })
const mask = () => tf.tensor2d([1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1], [4, 3], 'bool')

/** Of x and y [4, 3]. */
export const operations: Readonly<Record<string, Operation>> = {
  abs: { f: (x) => tf.abs(x), from: 0.1 },
  acos: { f: (x) => tf.acos(x), from: -0.9, to: 0.9 },
  acosh: { f: (x) => tf.acosh(x), from: 1.2, to: 4 },
  asin: { f: (x) => tf.asin(x), from: -0.9, to: 0.9 },
  asinh: { f: (x) => tf.asinh(x), from: -3, to: 3 },
  atan: { f: (x) => tf.atan(x), from: -4, to: 4 },
  atan2: { f: (x, y) => tf.atan2(x, y) },
  atanh: { f: (x) => tf.atanh(x), from: -0.9, to: 0.9 },
  ceil: { f: (x) => tf.mul(x, tf.ceil(x)), from: 0.1, to: 0.9 },
  clipByValue: { f: (x) => tf.clipByValue(x, -0.5, 0.7) },
  cos: { f: (x) => tf.cos(x), from: -8, to: 8 },
  cosh: { f: (x) => tf.cosh(x) },
  elu: { f: (x) => tf.elu(x) },
  erf: { f: (x) => tf.erf(x), from: -3, to: 3 },
  exp: { f: (x) => tf.exp(x), from: -3, to: 3 },
  expm1: { f: (x) => tf.expm1(x) },
  floor: { f: (x) => tf.mul(x, tf.floor(x)), from: 0.1, to: 0.9 },
  leakyRelu: { f: (x) => tf.leakyRelu(x, 0.3) },
  log: { f: (x) => tf.log(x), from: 0.2, to: 5 },
  log1p: { f: (x) => tf.log1p(x), from: -0.8, to: 5 },
  logSigmoid: { f: (x) => tf.logSigmoid(x), from: -4, to: 4 },
  neg: { f: (x) => tf.neg(x) },
  prelu: { f: (x, y) => tf.prelu(x, y) },
  reciprocal: { f: (x) => tf.reciprocal(x), from: 0.3, to: 2 },
  relu: { f: (x) => tf.relu(x) },
  relu6: { f: (x) => tf.relu6(tf.mul(x, 5)) },
  round: { f: (x) => tf.mul(x, tf.round(x)), from: 0.6, to: 0.9 },
  rsqrt: { f: (x) => tf.rsqrt(x), from: 0.3, to: 3 },
  selu: { f: (x) => tf.selu(x) },
  sigmoid: { f: (x) => tf.sigmoid(x), from: -4, to: 4 },
  sign: { f: (x) => tf.mul(x, tf.sign(x)) },
  sin: { f: (x) => tf.sin(x), from: -8, to: 8 },
  sinh: { f: (x) => tf.sinh(x) },
  softplus: { f: (x) => tf.softplus(x), from: -4, to: 4 },
  sqrt: { f: (x) => tf.sqrt(x), from: 0.3, to: 3 },
  square: { f: (x) => tf.square(x) },
  step: { f: (x) => tf.mul(x, tf.step(x, 0.2)) },
  tan: { f: (x) => tf.tan(x) },
  tanh: { f: (x) => tf.tanh(x), from: -3, to: 3 },
  add: { f: (x, y) => tf.add(x, y) },
  addN: { f: (x, y) => tf.addN([x, y, tf.square(x)]) },
  sub: { f: (x, y) => tf.sub(x, y) },
  mul: { f: (x, y) => tf.mul(x, y) },
  div: { f: (x, y) => tf.div(x, tf.add(y, 3)) },
  divNoNan: { f: (x, y) => tf.divNoNan(x, tf.mul(tf.add(y, 3), tf.tensor1d([1, 0, 1]))) },
  floorDiv: { f: (x, y) => tf.mul(x, tf.floorDiv(x, tf.add(y, 3))) },
  maximum: { f: (x, y) => tf.maximum(x, y) },
  minimum: { f: (x, y) => tf.minimum(x, y) },
  mod: { f: (x, y) => tf.mod(x, tf.add(y, 3)) },
  pow: { f: (x, y) => tf.pow(x, y), from: 0.3, to: 2 },
  'pow of a number': { f: (x) => tf.add(tf.pow(x, 3), tf.add(tf.pow(x, -1), tf.pow(x, 2.5))), from: 0.3, to: 2 },
  squaredDifference: { f: (x, y) => tf.squaredDifference(x, y) },
  comparisons: {
    f: (x, y) => {
      const tests = [tf.less(x, y), tf.lessEqual(x, y), tf.greater(x, 0), tf.greaterEqual(y, 0), tf.equal(x, x)]
      return tests.reduce<tf.Tensor>((sum, test) => tf.add(sum, tf.mul(x, tf.cast(test, 'float32'))), tf.notEqual(x, y))
    },
  },
  logical: {
    f: (x, y) => {
      const [a, b] = [tf.greater(x, 0), tf.greater(y, 0)]
      const tests = [tf.logicalAnd(a, b), tf.logicalOr(a, b), tf.logicalXor(a, b), tf.logicalNot(a)]
      return tests.reduce<tf.Tensor>((sum, test) => tf.add(sum, tf.mul(x, tf.cast(test, 'float32'))), y)
    },
  },
  'sums of booleans': {
    f: (x, y) => {
      const [a, b] = [tf.greater(x, 0), tf.greater(y, 0)]
      const counts = [tf.add(a, b), tf.sub(a, b), tf.addN([a, b]), tf.neg(a), tf.square(b)]
      return counts.reduce<tf.Tensor>((sum, count) => tf.add(sum, tf.mul(x, tf.cast(count, 'float32'))), y)
    },
  },
  finiteness: {
    f: (x) =>
      tf.where(tf.logicalAnd(tf.isFinite(x), tf.logicalNot(tf.logicalOr(tf.isNaN(x), tf.isInf(x)))), x, tf.square(x)),
  },
  where: { f: (x, y) => tf.where(tf.greater(x, y), tf.square(x), tf.exp(y)) },
  'where by a constant': { f: (x, y) => tf.where(mask(), tf.square(x), tf.exp(y)) },
  cast: { f: (x) => tf.mul(x, tf.cast(tf.cast(tf.mul(x, 3), 'int32'), 'float32')) },
  sum: { f: (x) => tf.square(tf.sum(x, 0)) },
  'sum of rows': { f: (x) => tf.square(tf.sum(x, 1, true)) },
  mean: { f: (x) => tf.square(tf.mean(x, 1)) },
  'mean of all': { f: (x) => tf.mul(x, tf.mean(x)) },
  max: { f: (x) => tf.square(tf.max(x, 1)) },
  min: { f: (x) => tf.square(tf.min(x, 0)) },
  prod: { f: (x) => tf.prod(x, 1), from: 0.3, to: 2 },
  logSumExp: { f: (x) => tf.square(tf.logSumExp(x, 1)) },
  softmax: { f: (x) => tf.square(tf.softmax(x)) },
  logSoftmax: { f: (x) => tf.square(tf.logSoftmax(x)) },
  'all and any': {
    f: (x) =>
      tf.mul(x, tf.add(tf.cast(tf.all(tf.greater(x, -9)), 'float32'), tf.cast(tf.any(tf.less(x, -9)), 'float32'))),
  },
  argMax: {
    f: (x) => tf.mul(tf.sum(x, 1), tf.add(tf.cast(tf.argMax(x, 1), 'float32'), tf.cast(tf.argMin(x, 1), 'float32'))),
  },
  cumsum: { f: (x) => tf.square(tf.cumsum(x, 1)) },
  'cumsum the other way': { f: (x) => tf.square(tf.cumsum(x, 0, true, true)) },
  cumprod: { f: (x) => tf.cumprod(x, 1), from: 0.3, to: 2 },
  reshape: { f: (x) => tf.square(tf.reshape(tf.transpose(x), [2, 6])) },
  expandDims: { f: (x, y) => tf.mul(tf.expandDims(x, 1), tf.expandDims(y, 0)) },
  transpose: { f: (x, y) => tf.mul(tf.transpose(x), tf.reshape(y, [3, 4])) },
  broadcastTo: { f: (x) => tf.square(tf.broadcastTo(tf.expandDims(x, 0), [2, 4, 3])) },
  slice: { f: (x) => tf.square(tf.slice(x, [1, 0], [2, 2])) },
  stridedSlice: { f: (x) => tf.square(tf.stridedSlice(x, [3, 0], [0, 3], [-2, 2])) },
  split: {
    f: (x) => {
      const [a, b] = tf.split(x, [1, 2], 1)
      return tf.mul(tf.exp(a), b)
    },
  },
  unstack: {
    f: (x) => {
      const [a, b, c] = tf.unstack(x, 1)
      return tf.mul(a, tf.add(tf.square(b), c))
    },
  },
  concat: { f: (x, y) => tf.square(tf.concat([x, tf.mul(y, 2)], 1)) },
  stack: { f: (x, y) => tf.square(tf.stack([x, y], 1)) },
  pad: {
    f: (x) =>
      tf.exp(
        tf.pad(
          x,
          [
            [1, 2],
            [0, 1],
          ],
          0.5,
        ),
      ),
  },
  tile: { f: (x, y) => tf.mul(tf.tile(x, [2, 1]), tf.concat([y, tf.square(y)], 0)) },
  reverse: { f: (x, y) => tf.mul(tf.reverse(x, 1), y) },
  gather: { f: (x) => tf.square(tf.gather(x, tf.tensor1d([2, 0, 2, 1, 2], 'int32'))) },
  'gather of columns': { f: (x) => tf.square(tf.gather(x, tf.tensor1d([2, 0], 'int32'), 1)) },
  unsortedSegmentSum: { f: (x) => tf.square(tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1, 2], 'int32'), 3)) },
  oneHot: { f: (x) => tf.mul(x, tf.oneHot(tf.tensor1d([2, 0, 1, 2], 'int32'), 3)) },
  range: { f: (x) => tf.mul(x, tf.range(0, 3)) },
  fill: { f: (x) => tf.mul(x, tf.add(tf.fill([4, 3], 2), tf.add(tf.onesLike(x), tf.zerosLike(x)))) },
  matMul: { f: (x, y) => tf.square(tf.matMul(x, tf.reshape(y, [3, 4]))) },
  'matMul transposed': {
    f: (x, y) => tf.add(tf.square(tf.matMul(x, y, true)), tf.sum(tf.square(tf.matMul(x, y, false, true)))),
  },
  'matMul twice transposed': { f: (x, y) => tf.square(tf.matMul(x, tf.reshape(y, [3, 4]), true, true)) },
  'matMul of stacks': {
    f: (x, y) => tf.square(tf.matMul(tf.reshape(x, [2, 2, 3]), tf.reshape(y, [2, 3, 2]))),
  },
  'matMul of stacks that are broadcast': {
    f: (x, y) => tf.square(tf.matMul(tf.reshape(x, [4, 1, 1, 3]), tf.reshape(y, [1, 4, 3, 1]))),
  },
  dot: { f: (x, y) => tf.square(tf.dot(tf.reshape(x, [12]) as tf.Tensor1D, tf.reshape(y, [12]) as tf.Tensor1D)) },
  einsum: { f: (x, y) => tf.square(tf.einsum('ij,kj->ik', x, y)) },
  'einsum of three': { f: (x, y) => tf.einsum('ni,mi,mj->nj', x, y, x) },
  norm: { f: (x) => tf.norm(x, 2, 1), from: 0.2, to: 2 },
  moments: { f: (x) => tf.add(tf.moments(x, 0).variance, tf.moments(x, 0).mean) },
  customGrad: {
    f: (x) =>
      tf.customGrad((...given) => {
        const [x, save] = given as unknown as [X, tf.GradSaveFunc]
        save([x])
        return { value: tf.mul(x, tf.square(x)), gradFunc: (dy, [x]) => tf.mul(dy, tf.mul(3, tf.square(x))) }
      })(x),
  },
  'a gradient inside': { f: (x, y) => tf.mul(tf.grad((z) => tf.mul(tf.square(z), tf.exp(y)))(x), x) },
  'the slope of elu': { f: (x) => tf.grad((z) => tf.elu(z))(x), from: -1.3, to: -0.2 },
  network: { f: (x, y) => forward(net, tf.slice(tf.reshape(y, [12]), [1], [net.size]), x) },
  'chained methods': {
    f: (x, y) => (x as unknown as { square(): { mul(y: X): { sum(axis: number): tf.Tensor } } }).square().mul(y).sum(1),
  },
}
