import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { tf } from '#tfjs'

// Kernels that tfjs's WASM backend lacks and gradients need, and one that writes over its memory.

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
}

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

/** With an axis counted from the end the stock kernel takes another one, and writes over its memory. */
function countAxisFromFront(name: string): void {
  const stock = tf.getKernel(name, 'wasm')
  tf.unregisterKernel(name, 'wasm')
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => {
      const { axis, ...others } = call.attrs as unknown as { axis: number }
      const [front] = tf.util.parseAxisParam(axis, (call.inputs as Record<string, tf.Tensor>).x.shape)
      return stock.kernelFunc({ ...call, attrs: { ...others, axis: front } })
    },
  })
}
