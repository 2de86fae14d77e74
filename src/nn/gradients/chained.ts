import { tf } from '#tfjs'

// x.square().sum(1): the ops of tfjs as methods of tensors, which the package @tensorflow/tfjs adds and tfjs-core in
// Node does not have.

// biome-ignore lint/suspicious/noExplicitAny: the ops check their tensors themselves
type Operation = (x: any, ...rest: any[]) => unknown

/** Ops that take the tensor as their first argument, and the rest as the method does. */
const operations: Readonly<Record<string, Operation>> = {
  // One number
  ...{ abs: tf.abs, acos: tf.acos, acosh: tf.acosh, asin: tf.asin, asinh: tf.asinh, atan: tf.atan, atanh: tf.atanh },
  ...{ ceil: tf.ceil, clipByValue: tf.clipByValue, cos: tf.cos, cosh: tf.cosh, elu: tf.elu, erf: tf.erf, exp: tf.exp },
  ...{ expm1: tf.expm1, floor: tf.floor, isFinite: tf.isFinite, isInf: tf.isInf, isNaN: tf.isNaN, log: tf.log },
  ...{ leakyRelu: tf.leakyRelu, log1p: tf.log1p, logSigmoid: tf.logSigmoid, logicalNot: tf.logicalNot, neg: tf.neg },
  ...{ prelu: tf.prelu, reciprocal: tf.reciprocal, relu: tf.relu, relu6: tf.relu6, round: tf.round, rsqrt: tf.rsqrt },
  ...{ selu: tf.selu, sigmoid: tf.sigmoid, sign: tf.sign, sin: tf.sin, sinh: tf.sinh, softplus: tf.softplus },
  ...{ sqrt: tf.sqrt, square: tf.square, step: tf.step, tan: tf.tan, tanh: tf.tanh },
  // Two
  ...{ add: tf.add, atan2: tf.atan2, div: tf.div, divNoNan: tf.divNoNan, dot: tf.dot, equal: tf.equal },
  ...{ floorDiv: tf.floorDiv, greater: tf.greater, greaterEqual: tf.greaterEqual, less: tf.less },
  ...{ lessEqual: tf.lessEqual, logicalAnd: tf.logicalAnd, logicalOr: tf.logicalOr, logicalXor: tf.logicalXor },
  ...{ matMul: tf.matMul, maximum: tf.maximum, minimum: tf.minimum, mod: tf.mod, mul: tf.mul, notEqual: tf.notEqual },
  ...{ pow: tf.pow, squaredDifference: tf.squaredDifference, sub: tf.sub },
  // Along axes
  ...{ all: tf.all, any: tf.any, argMax: tf.argMax, argMin: tf.argMin, cumprod: tf.cumprod, cumsum: tf.cumsum },
  ...{ euclideanNorm: tf.euclideanNorm, logSoftmax: tf.logSoftmax, logSumExp: tf.logSumExp, max: tf.max },
  ...{ mean: tf.mean, min: tf.min, norm: tf.norm, prod: tf.prod, softmax: tf.softmax, sum: tf.sum, topk: tf.topk },
  // Shapes and places
  ...{ batchToSpaceND: tf.batchToSpaceND, broadcastTo: tf.broadcastTo, cast: tf.cast, depthToSpace: tf.depthToSpace },
  ...{ expandDims: tf.expandDims, gather: tf.gather, mirrorPad: tf.mirrorPad, oneHot: tf.oneHot, pad: tf.pad },
  ...{ onesLike: tf.onesLike, reshape: tf.reshape, reverse: tf.reverse, slice: tf.slice, split: tf.split },
  ...{ spaceToBatchND: tf.spaceToBatchND, squeeze: tf.squeeze, stridedSlice: tf.stridedSlice, tile: tf.tile },
  ...{ transpose: tf.transpose, unique: tf.unique, unsortedSegmentSum: tf.unsortedSegmentSum, unstack: tf.unstack },
  ...{ zerosLike: tf.zerosLike },
  // Images
  ...{ avgPool: tf.avgPool, batchNorm: tf.batchNorm, conv1d: tf.conv1d, conv2d: tf.conv2d, maxPool: tf.maxPool },
  ...{ conv2dTranspose: tf.conv2dTranspose, depthwiseConv2d: tf.depthwiseConv2d, dilation2d: tf.dilation2d },
  ...{ localResponseNormalization: tf.localResponseNormalization, pool: tf.pool, separableConv2d: tf.separableConv2d },
  ...{ resizeBilinear: tf.image.resizeBilinear, resizeNearestNeighbor: tf.image.resizeNearestNeighbor },
  ...{ fft: tf.spectral.fft, ifft: tf.spectral.ifft, rfft: tf.spectral.rfft, irfft: tf.spectral.irfft },
  // Other names of some
  ...{
    as1D: (x: tf.Tensor) => tf.reshape(x, [x.size]),
    asScalar: (x: tf.Tensor) => tf.reshape(x, []),
    flatten: (x: tf.Tensor) => tf.reshape(x, [-1]),
  },
  ...{ as2D: reshaped, as3D: reshaped, as4D: reshaped, as5D: reshaped },
  ...{ asType: tf.cast, toBool: (x) => tf.cast(x, 'bool'), toFloat: (x) => tf.cast(x, 'float32') },
  ...{ toInt: (x) => tf.cast(x, 'int32'), reshapeAs: (x, other: tf.Tensor) => tf.reshape(x, other.shape) },
  concat: (x, others: tf.Tensor | tf.Tensor[], axis?: number) => tf.concat([x, ...listOf(others)], axis),
  stack: (x, others: tf.Tensor | tf.Tensor[], axis?: number) => tf.stack([x, ...listOf(others)], axis),
  where: (x, condition: tf.Tensor, other: tf.Tensor) => tf.where(condition, x, other),
}

function reshaped(x: tf.Tensor, ...shape: number[]): tf.Tensor {
  return tf.reshape(x, shape)
}

const listOf = (tensors: tf.Tensor | tf.Tensor[]) => (Array.isArray(tensors) ? tensors : [tensors])

/** Adds those that are not there yet to tensors. */
export function registerChainedOps(): void {
  const methods = tf.Tensor.prototype as unknown as Record<string, unknown>
  for (const [name, operation] of Object.entries(operations)) {
    if (name in methods) continue
    methods[name] = function (this: tf.Tensor, ...rest: unknown[]) {
      return operation(this, ...rest)
    }
  }
}
