import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { tf } from '#tfjs'
import { mendMatrixProducts } from './products.ts'
import { replaceKernel } from './replace-kernel.ts'

// Kernels that tfjs's WASM backend lacks and gradients need, and those whose values are wrong there.

/** Registers them below tfjs; call once, when the backend is there. */
export function registerKernels(): void {
  tf.registerKernel({
    kernelName: tf.UnsortedSegmentSum,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, segmentIds } = inputs as Record<string, tf.Tensor>
      const { numSegments } = attrs as unknown as { numSegments: number }
      const length = x.size / Math.max(segmentIds.size, 1)
      const sums = x.dtype === 'int32' ? new Int32Array(numSegments * length) : new Float32Array(numSegments * length)
      if (x.size > 0) segmentSumInto(sums, valuesOf(x), valuesOf(segmentIds), length)
      return tf.tensor(sums, [numSegments, ...x.shape.slice(segmentIds.rank)], x.dtype)
    },
  })
  for (const name of [tf.Cumsum, tf.Cumprod]) countAxisFromFront(name)
  for (const name of ofFloats) castFirst(name, () => 'float32')
  for (const name of ofNumbers) castFirst(name, ({ dtype }) => (dtype === 'bool' ? 'int32' : dtype))
  replaceKernel(tf.Log1p, ({ inputs }) => tf.tidy(() => tf.clone(log1p((inputs as Record<string, tf.Tensor>).x))))
  gatherInBatches()
  broadcastSlopes()
  mendMatrixProducts()
}

/** Of whole numbers and booleans the stock kernels give whole numbers, or what lay in their memory. */
const ofFloats = [
  ...[tf.Acos, tf.Acosh, tf.Asin, tf.Asinh, tf.Atan, tf.Atan2, tf.Atanh, tf.Sinh],
  ...[tf.Exp, tf.Expm1, tf.Softplus, tf.Reciprocal, tf.Selu, tf.Erf, tf.LeakyRelu],
]

/** Of booleans they give what lay in their memory. */
const ofNumbers = [
  ...[tf.Abs, tf.Neg, tf.Sign, tf.Square, tf.Round, tf.Step, tf.Relu, tf.Relu6],
  ...[tf.Mod, tf.FloorDiv],
]

type Numbers = Float32Array | Int32Array

const valuesOf = (tensor: tf.Tensor) => (tf.backend() as BackendWasm).typedArrayFromHeap(tensor) as Numbers

/** Row s of out is the sum, in order, of the rows of x whose id is s; ids below 0 or beyond the end belong to none. */
function segmentSumInto(out: Numbers, x: Numbers, ids: Numbers, length: number): void {
  const segments = out.length / length
  for (let row = 0; row < ids.length; row++) {
    if (ids[row] < 0 || ids[row] >= segments) continue
    for (let k = 0; k < length; k++) out[ids[row] * length + k] += x[row * length + k]
  }
}

function castFirst(name: string, wanted: (tensor: tf.TensorInfo) => tf.DataType): void {
  replaceKernel(name, (call, stock) => {
    const inputs = Object.entries(call.inputs as Record<string, tf.Tensor>)
    if (inputs.every(([, tensor]) => tensor.dtype === wanted(tensor))) return stock(call)
    return tf.tidy(() => {
      const cast = Object.fromEntries(inputs.map(([key, tensor]) => [key, tf.cast(tensor, wanted(tensor))]))
      return tf.clone(tf.engine().runKernel(name, cast, call.attrs as tf.NamedAttrMap) as tf.Tensor)
    })
  })
}

/** The stock kernel computes log(1 + x), which has lost most of a small x: here its rounding is divided out. */
function log1p(numbers: tf.Tensor): tf.Tensor {
  const x = tf.cast(numbers, 'float32')
  const sum = tf.add(x, 1)
  const share = tf.where(tf.less(tf.abs(x), 1), tf.div(x, tf.sub(sum, 1)), tf.onesLike(x))
  return tf.where(tf.equal(sum, 1), x, tf.mul(tf.log(sum), share))
}

/** Where each batch has indices of its own, the stock kernel reads from beside the tensor. */
function gatherInBatches(): void {
  replaceKernel(tf.GatherV2, (call, stock) => {
    const { x, indices } = call.inputs as Record<string, tf.Tensor>
    const { axis, batchDims } = call.attrs as unknown as { axis: number; batchDims: number }
    return batchDims === 0 ? stock(call) : tf.tidy(() => tf.clone(gatherEach(x, indices, axis, batchDims)))
  })
}

/** The stock kernel of prelu takes slopes for those of the last axes, whatever their shape. */
function broadcastSlopes(): void {
  replaceKernel(tf.Prelu, (call, stock) => {
    const { x, alpha } = call.inputs as Record<string, tf.Tensor>
    const first = alpha.shape.findIndex((size) => size !== 1)
    const slopes = first < 0 ? [] : alpha.shape.slice(first)
    const isLast = x.rank >= slopes.length && tf.util.arraysEqual(x.shape.slice(x.rank - slopes.length), slopes)
    if (isLast && x.rank >= alpha.rank) return stock(call)
    const shape = tf.backend_util.assertAndGetBroadcastShape(x.shape, alpha.shape)
    return tf.tidy(() => tf.clone(tf.prelu(tf.broadcastTo(x, shape), tf.broadcastTo(alpha, shape))))
  })
}

/** One gather of rows: those of batch b stand from b · size on. */
function gatherEach(x: tf.Tensor, indices: tf.Tensor, axis: number, batchDims: number): tf.Tensor {
  const [front] = tf.util.parseAxisParam(axis, x.shape)
  const shapes = tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, front, batchDims)
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = shapes
  const wrong = valuesOf(indices).find((index) => index < 0 || index >= dimSize)
  tf.util.assert(wrong === undefined, () => `GatherV2: the index value ${wrong} is not in [0, ${dimSize - 1}]`)
  const count = indices.size / batchSize
  const inner = [outerSize, sliceSize]
  const rows = tf.transpose(tf.reshape(x, [batchSize, outerSize, dimSize, sliceSize]), [0, 2, 1, 3])
  const first = tf.reshape(tf.range(0, batchSize * dimSize, dimSize, 'int32'), [batchSize, 1])
  const places = tf.reshape(tf.add(tf.reshape(indices, [batchSize, count]), first), [-1]) as tf.Tensor1D
  const picked = tf.gather(tf.reshape(rows, [batchSize * dimSize, ...inner]), places)
  return tf.reshape(tf.transpose(tf.reshape(picked, [batchSize, count, ...inner]), [0, 2, 1, 3]), outputShape)
}

/** With an axis counted from the end the stock kernel takes another one, and writes over its memory. */
function countAxisFromFront(name: string): void {
  replaceKernel(name, (call, stock) => {
    const { axis, ...others } = call.attrs as unknown as { axis: number }
    const [front] = tf.util.parseAxisParam(axis, (call.inputs as Record<string, tf.Tensor>).x.shape)
    return stock({ ...call, attrs: { ...others, axis: front } })
  })
}
