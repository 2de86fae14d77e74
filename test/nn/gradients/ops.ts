// Every op of tfjs-core that is differentiable by a tensor, as functions of one tensor; the sweep and docs/tfjs.md read
// this list.
import * as tf from '@tensorflow/tfjs-core'

type F = (x: tf.Tensor) => tf.Tensor

/** Anything of the shape [2, 3], without ties, zeros or whole numbers. */
export const GENERIC = [0.31, -0.72, 1.13, 0.64, 1.87, -1.41]
/** In (0, 1). */
export const UNIT = [0.31, 0.72, 0.13, 0.64, 0.87, 0.41]

const other = () => tf.tensor2d([0.4, 1.3, -0.6, 0.9, -1.2, 0.7], [2, 3])
const row = () => tf.tensor1d([0.4, 1.3, -0.6])
const ids = (...values: number[]) => tf.tensor1d(values, 'int32')
const image = (x: tf.Tensor) => tf.reshape(tf.concat([x, tf.mul(x, 2), tf.square(x)], 0), [1, 6, 3, 1]) as tf.Tensor4D
const filter = () => tf.tensor4d([0.3, -0.4, 0.9, 0.2], [2, 2, 1, 1])
const cube = (x: tf.Tensor) => tf.reshape(tf.concat([x, tf.mul(x, 2)], 0), [1, 2, 2, 3, 1]) as tf.Tensor5D

/** Each op: functions that use it. A name with "unit" is tried in (0, 1). */
export const elementwise: Record<string, F[]> = {
  abs: [tf.abs],
  'acos unit': [tf.acos],
  'acosh unit': [(x) => tf.acosh(tf.add(x, 1.5))],
  asin: [(x) => tf.asin(tf.mul(x, 0.4))],
  asinh: [tf.asinh],
  atan: [tf.atan],
  'atanh unit': [tf.atanh],
  ceil: [(x) => tf.mul(x, tf.ceil(x))],
  clipByValue: [(x) => tf.clipByValue(x, -0.5, 1)],
  cos: [tf.cos],
  cosh: [tf.cosh],
  elu: [tf.elu],
  erf: [tf.erf],
  exp: [tf.exp],
  expm1: [tf.expm1],
  floor: [(x) => tf.mul(x, tf.floor(x))],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.3)],
  'log unit': [tf.log],
  'log1p unit': [tf.log1p],
  logSigmoid: [tf.logSigmoid, (x) => tf.logSigmoid(tf.mul(x, 2))],
  neg: [tf.neg],
  prelu: [
    (x) => tf.prelu(x, tf.scalar(0.3)),
    (x) => tf.prelu(other(), x),
    (x) => tf.prelu(other(), tf.max(x, 0)),
    (x) => tf.prelu(other(), tf.max(x, 1, true)),
  ],
  'reciprocal unit': [tf.reciprocal],
  relu: [tf.relu],
  relu6: [(x) => tf.relu6(tf.mul(x, 4))],
  round: [(x) => tf.mul(x, tf.round(x))],
  'rsqrt unit': [tf.rsqrt],
  selu: [tf.selu],
  sigmoid: [tf.sigmoid],
  sign: [(x) => tf.mul(x, tf.sign(x))],
  sin: [tf.sin],
  sinh: [tf.sinh],
  softplus: [tf.softplus],
  'sqrt unit': [tf.sqrt],
  square: [tf.square],
  step: [(x) => tf.mul(x, tf.step(x, 0.3))],
  tan: [(x) => tf.tan(tf.mul(x, 0.5))],
  tanh: [tf.tanh],
  cast: [(x) => tf.cast(x, 'float32'), (x) => tf.mul(x, tf.cast(tf.cast(x, 'int32'), 'float32'))],
  clone: [tf.clone],
}

export const pairs: Record<string, F[]> = {
  add: [(x) => tf.add(x, other()), (x) => tf.add(other(), x), (x) => tf.add(other(), tf.max(x, 0))],
  addN: [(x) => tf.addN([x, other(), x])],
  atan2: [(x) => tf.atan2(x, other()), (x) => tf.atan2(other(), x), (x) => tf.atan2(other(), tf.max(x, 0))],
  div: [(x) => tf.div(x, other()), (x) => tf.div(other(), x), (x) => tf.div(other(), tf.max(x, 0))],
  divNoNan: [(x) => tf.divNoNan(x, tf.tensor1d([2, 0, 3])), (x) => tf.divNoNan(other(), x)],
  floorDiv: [(x) => tf.mul(x, tf.floorDiv(x, tf.scalar(0.4)))],
  matMul: [
    (x) => tf.matMul(x, other(), false, true),
    (x) => tf.matMul(other(), x, true, false),
    (x) => tf.matMul(x, tf.transpose(other())),
    (x) => tf.matMul(x, other(), true, false),
    (x) => tf.matMul(tf.transpose(x), other(), true, true),
    (x) => tf.matMul(tf.reshape(x, [2, 1, 1, 3]), tf.reshape(x, [1, 2, 3, 1])),
    (x) => tf.matMul(tf.reshape(other(), [3, 1, 2]), tf.reshape(x, [1, 6, 1]), true, true),
    (x) => tf.matMul(tf.reshape(x, [2, 1, 3, 1]), tf.reshape(other(), [2, 3, 1, 1])),
    (x) => tf.matMul(tf.matMul(x, tf.reshape(x, [3, 2])), tf.reshape(tf.square(x), [2, 3])),
  ],
  dot: [(x) => tf.dot(x, row()), (x) => tf.dot(tf.reshape(x, [6]), tf.reshape(x, [6]))],
  outerProduct: [(x) => tf.outerProduct(tf.reshape(x, [6]) as tf.Tensor1D, row())],
  maximum: [(x) => tf.maximum(x, other()), (x) => tf.maximum(other(), tf.max(x, 0))],
  minimum: [(x) => tf.minimum(x, row()), (x) => tf.minimum(other(), tf.max(x, 0)), (x) => tf.minimum(0.2, x)],
  mod: [(x) => tf.mod(x, 0.75), (x) => tf.mod(other(), tf.add(tf.square(x), 0.9))],
  mul: [(x) => tf.mul(x, other()), (x) => tf.mul(x, x), (x) => tf.mul(other(), tf.max(x, 0))],
  'pow unit': [
    (x) => tf.pow(x, 3),
    (x) => tf.pow(x, x),
    (x) => tf.pow(2, x),
    (x) => tf.pow(tf.max(x, 0), tf.abs(other())),
  ],
  squaredDifference: [(x) => tf.squaredDifference(x, row()), (x) => tf.squaredDifference(other(), tf.max(x, 0))],
  sub: [(x) => tf.sub(x, row()), (x) => tf.sub(other(), tf.max(x, 0))],
  where: [
    (x) => tf.where(tf.greater(x, 0), tf.neg(tf.square(x)), x),
    (x) => tf.where(tf.less(x, 0.5), tf.exp(x), tf.max(x, 0)),
    (x) => tf.where(tf.logicalAnd(tf.greaterEqual(x, 0), tf.notEqual(x, 1)), x, tf.square(x)),
  ],
  einsum: [
    (x) => tf.einsum('ni,ni->n', x, x),
    (x) => tf.einsum('ni,mi->nm', x, other()),
    (x) => tf.einsum('ni,nj->', x, other()),
    (x) => tf.einsum('ni->in', x),
    (x) => tf.einsum('ni,nj->nij', x, x),
    (x) => tf.einsum('ni->i', x),
    (x) => tf.einsum('ni,mi,mj->nj', x, other(), x),
    (x) => tf.einsum('ni,ij,nj->n', x, tf.outerProduct(row(), row()), x),
    (x) => tf.einsum('ni,mj,k->k', x, other(), row()),
  ],
  'losses.absoluteDifference': [(x) => tf.losses.absoluteDifference(other(), x)],
  'losses.cosineDistance': [(x) => tf.losses.cosineDistance(other(), x, 1)],
  'losses.hingeLoss': [(x) => tf.losses.hingeLoss(tf.cast(tf.greater(other(), 0), 'float32'), x)],
  'losses.huberLoss': [(x) => tf.losses.huberLoss(other(), x)],
  'losses.logLoss unit': [(x) => tf.losses.logLoss(tf.abs(tf.sin(other())), x)],
  'losses.meanSquaredError': [(x) => tf.losses.meanSquaredError(other(), x)],
  'losses.sigmoidCrossEntropy': [(x) => tf.losses.sigmoidCrossEntropy(tf.cast(tf.greater(other(), 0), 'float32'), x)],
  'losses.softmaxCrossEntropy': [(x) => tf.losses.softmaxCrossEntropy(tf.softmax(other()), x)],
  'losses.computeWeightedLoss': [(x) => tf.losses.computeWeightedLoss(x, other())],
}

export const reductions: Record<string, F[]> = {
  cumprod: [0, 1, -1].flatMap((axis) => [
    (x: tf.Tensor) => tf.cumprod(x, axis),
    (x: tf.Tensor) => tf.cumprod(x, axis, true),
    (x: tf.Tensor) => tf.cumprod(x, axis, true, true),
    (x: tf.Tensor) => tf.cumprod(tf.reshape(x, [6, 1]), axis, false, true),
  ]),
  cumsum: [0, 1, -1, -2].flatMap((axis) => [
    (x: tf.Tensor) => tf.cumsum(x, axis),
    (x: tf.Tensor) => tf.cumsum(x, axis, true),
    (x: tf.Tensor) => tf.cumsum(tf.reshape(x, [3, 1, 2]), axis, true, true),
  ]),
  euclideanNorm: [(x) => tf.euclideanNorm(x, 1)],
  logSoftmax: [(x) => tf.logSoftmax(x), (x) => tf.logSoftmax(x, 1)],
  logSumExp: [
    (x) => tf.logSumExp(x),
    (x) => tf.logSumExp(x, 1),
    (x) => tf.logSumExp(x, 0, true),
    (x) => tf.logSumExp(x, -1),
  ],
  max: [(x) => tf.max(x), (x) => tf.max(x, 0), (x) => tf.max(x, -1, true)],
  mean: [(x) => tf.mean(x), (x) => tf.mean(x, 0), (x) => tf.mean(x, -1, true)],
  min: [(x) => tf.min(x), (x) => tf.min(x, 0), (x) => tf.min(x, -1, true)],
  moments: [(x) => tf.moments(x, 1).variance, (x) => tf.moments(x, 0, true).mean],
  norm: [
    (x) => tf.norm(x),
    (x) => tf.norm(x, 1, 1),
    (x) => tf.norm(x, 2, 0, true),
    (x) => tf.norm(x, Number.POSITIVE_INFINITY, 1),
  ],
  prod: [
    (x) => tf.prod(x),
    (x) => tf.prod(x, 0),
    (x) => tf.prod(x, -1, true),
    (x) => tf.prod(tf.reshape(x, [1, 2, 3]), [0, 2]),
  ],
  softmax: [(x) => tf.softmax(x)],
  sum: [(x) => tf.sum(x), (x) => tf.sum(x, 0), (x) => tf.sum(x, -1, true)],
  topk: [(x) => tf.topk(x, 2).values, (x) => tf.topk(tf.reshape(x, [1, 2, 3]), 1).values],
}

export const places: Record<string, F[]> = {
  batchToSpaceND: [(x) => tf.batchToSpaceND(tf.reshape(x, [2, 3, 1]), [2], [[1, 1]])],
  broadcastTo: [(x) => tf.broadcastTo(x, [2, 2, 3]), (x) => tf.broadcastTo(tf.reshape(x, [2, 1, 3]), [2, 4, 3])],
  concat: [(x) => tf.concat([x, other(), x], 0), (x) => tf.concat([other(), x], -1)],
  depthToSpace: [(x) => tf.depthToSpace(tf.reshape(tf.concat([x, x], 0), [1, 1, 3, 4]) as tf.Tensor4D, 2, 'NHWC')],
  expandDims: [(x) => tf.expandDims(x, 1)],
  gather: [
    (x) => tf.gather(x, ids(1, 0, 1)),
    (x) => tf.gather(x, ids(2, 0, 2, 1), 1),
    (x) => tf.gather(x, ids(0, 0), -1),
    (x) => tf.gather(x, tf.tensor2d([2, 0, 0, 1], [2, 2], 'int32'), 1),
    (x) => tf.gather(x, tf.tensor2d([2, 0, 0, 1], [2, 2], 'int32'), 1, 1),
    (x) => tf.gather(tf.reshape(x, [3, 2]), tf.tensor2d([1, 0, 0, 0, 1, 1], [3, 2], 'int32'), 1, 1),
    (x) => tf.gather(tf.reshape(x, [3, 1, 2]), tf.tensor2d([1, 0, 1], [3, 1], 'int32'), 2, 1),
  ],
  gatherND: [
    (x) => tf.gatherND(x, tf.tensor2d([0, 1, 1, 2, 0, 1], [3, 2], 'int32')),
    (x) => tf.gatherND(x, tf.tensor2d([1, 1], [2, 1], 'int32')),
  ],
  'image.flipLeftRight': [(x) => tf.image.flipLeftRight(image(x))],
  mirrorPad: (['reflect', 'symmetric'] as const).map(
    (mode) => (x: tf.Tensor) =>
      tf.mirrorPad(
        x,
        [
          [1, 1],
          [2, 1],
        ],
        mode,
      ),
  ),
  pad: [
    (x) =>
      tf.pad(x, [
        [1, 0],
        [2, 1],
      ]),
    (x) =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 1],
        ],
        3,
      ),
  ],
  reshape: [(x) => tf.reshape(x, [3, 2])],
  reverse: [(x) => tf.reverse(x), (x) => tf.reverse(x, 1), (x) => tf.reverse(x, -2)],
  scatterND: [(x) => tf.scatterND(tf.tensor2d([2, 0, 2, 1, 1, 3], [6, 1], 'int32'), tf.reshape(x, [6]), [4])],
  slice: [(x) => tf.slice(x, [0, 1], [2, 2]), (x) => tf.slice(x, 1)],
  spaceToBatchND: [(x) => tf.spaceToBatchND(tf.reshape(x, [1, 6, 1]), [2], [[0, 0]])],
  split: [(x) => tf.split(x, 3, 1)[1], (x) => tf.mul(tf.split(x, [1, 2], -1)[1], tf.split(x, [2, 1], 1)[0])],
  squeeze: [(x) => tf.squeeze(tf.reshape(x, [1, 6, 1]))],
  stack: [(x) => tf.stack([x, other(), x], 1)],
  stridedSlice: [
    (x) => tf.stridedSlice(x, [0, 0], [2, 3], [1, 2]),
    (x) => tf.stridedSlice(x, [1, 2], [0, 0], [-1, -1], 0, 2),
  ],
  tile: [(x) => tf.tile(x, [2, 3]), (x) => tf.tile(tf.reshape(x, [1, 1, 1, 2, 3]), [2, 1, 1, 2, 1])],
  transpose: [(x) => tf.transpose(x), (x) => tf.transpose(tf.reshape(x, [1, 2, 3]), [2, 0, 1])],
  unsortedSegmentSum: [(x) => tf.unsortedSegmentSum(x, ids(2, 2), 4), (x) => tf.unsortedSegmentSum(x, ids(-1, 0), 2)],
  unstack: [(x) => tf.unstack(x, 1)[2], (x) => tf.unstack(x)[1]],
}

export const images: Record<string, F[]> = {
  avgPool: [(x) => tf.avgPool(image(x), 2, 1, 'same')],
  batchNorm: [
    (x) => tf.batchNorm(x, tf.tensor1d([0.1, 0.2, 0.3]), tf.tensor1d([1, 2, 0.5]), row(), row()),
    (x) => tf.batchNorm(other(), tf.mean(x, 0) as tf.Tensor1D, tf.add(tf.mean(tf.square(x), 0), 0.1) as tf.Tensor1D),
  ],
  conv1d: [(x) => tf.conv1d(tf.reshape(x, [1, 6, 1]) as tf.Tensor3D, tf.tensor3d([0.4, -0.3], [2, 1, 1]), 1, 'valid')],
  conv2d: [(x) => tf.conv2d(image(x), filter(), 1, 'same')],
  conv2dTranspose: [(x) => tf.conv2dTranspose(image(x), filter(), [1, 7, 4, 1], 1, 'valid')],
  conv3d: [(x) => tf.conv3d(cube(tf.ones([2, 3])), tf.reshape(x, [1, 2, 3, 1, 1]) as tf.Tensor5D, 1, 'same')],
  localResponseNormalization: [
    (x) => tf.localResponseNormalization(tf.reshape(tf.concat([x, x], 0), [1, 2, 2, 3]) as tf.Tensor4D, 1),
  ],
  maxPool: [
    (x) => tf.maxPool(image(x), 2, 1, 'same'),
    (x) => tf.maxPool(tf.sub(image(x), 9) as tf.Tensor4D, [1, 2], [2, 1], 'valid'),
    (x) => tf.maxPool(tf.sub(image(x), 9) as tf.Tensor4D, [1, 2], 2, 'same'),
  ],
  avgPool3d: [(x) => tf.avgPool3d(cube(x), [1, 2, 1], 1, 'same')],
  maxPool3d: [(x) => tf.maxPool3d(cube(x), [1, 2, 1], 1, 'same')],
  pool: [(x) => tf.pool(image(x), 2, 'avg', 'same')],
  'image.resizeBilinear': [
    (x) => tf.image.resizeBilinear(image(x), [4, 5]),
    (x) => tf.image.resizeBilinear(image(x), [4, 5], false, true),
    (x) => tf.image.resizeBilinear(image(x), [9, 2], true),
  ],
  'image.resizeNearestNeighbor': [
    (x) => tf.image.resizeNearestNeighbor(image(x), [9, 5]),
    (x) => tf.image.resizeNearestNeighbor(image(x), [9, 5], false, true),
    (x) => tf.image.resizeNearestNeighbor(image(x), [4, 2], true),
  ],
}
