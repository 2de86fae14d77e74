import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { tf } from '#tfjs'
import { UsageError } from '../../core/errors.ts'
import { replaceKernel } from './replace-kernel.ts'

/** Refuses windows whose number is rounded up: the WASM backend computes those of rounding down, in the other shape. */
export function refuseRoundingUp(): void {
  for (const name of [tf.MaxPool, tf.AvgPool, tf.Conv2D, tf.DepthwiseConv2dNative]) {
    replaceKernel(name, (call, stock) => {
      const { x, filter } = call.inputs as Record<string, tf.Tensor4D | undefined>
      const { filterSize, strides, pad, dilations, dimRoundingMode } = call.attrs as unknown as Windows
      const window = (filter ? filter.shape.slice(0, 2) : filterSize) as [number, number]
      const count = (rounding?: 'ceil' | 'round') =>
        tf.backend_util
          .computePool2DInfo((x as tf.Tensor4D).shape, window, strides, dilations ?? 1, pad, rounding)
          .outShape.join()
      if ((dimRoundingMode === 'ceil' || dimRoundingMode === 'round') && count(dimRoundingMode) !== count())
        throw new UsageError(
          `tfjs's WASM backend rounds the number of windows of ${name} down. Pad with tf.pad before.`,
        )
      return stock(call)
    })
  }
}

interface Windows {
  readonly filterSize: number | [number, number]
  readonly strides: number | [number, number]
  readonly pad: 'same' | 'valid' | number
  readonly dilations?: number | [number, number]
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/**
 * Registers the gradient of maxPool by its input: all to the first of the largest entries of each window. The stock
 * kernel of the WASM backend takes none that is below 0.
 */
export function registerMaxPoolGradient(): void {
  tf.unregisterKernel(tf.MaxPoolGrad, 'wasm')
  tf.registerKernel({
    kernelName: tf.MaxPoolGrad,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { dy, input } = inputs as Record<string, tf.Tensor4D>
      const { filterSize, strides, pad } = attrs as unknown as tf.MaxPoolGradAttrs
      const windows = tf.backend_util.computePool2DInfo(input.shape, filterSize, strides, 1, pad)
      const out = new Float32Array(input.size)
      const valuesOf = (tensor: tf.Tensor) => (backend as BackendWasm).typedArrayFromHeap(tensor) as Float32Array
      addToLargest(out, { x: valuesOf(input), dy: valuesOf(dy), windows })
      return tf.tensor(out, input.shape)
    },
  })
}

interface Pooled {
  readonly x: Float32Array
  readonly dy: Float32Array
  readonly windows: tf.backend_util.Conv2DInfo
}

function addToLargest(out: Float32Array, { x, dy, windows }: Pooled): void {
  const { batchSize, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = windows
  let at = 0
  for (let image = 0; image < batchSize; image++)
    for (let row = 0; row < outHeight; row++)
      for (let column = 0; column < outWidth; column++)
        for (let channel = 0; channel < inChannels; channel++) {
          const corner = [row * strideHeight - padInfo.top, column * strideWidth - padInfo.left] as const
          const place = largestOf(x, windows, image, corner, channel)
          if (place >= 0) out[place] += dy[at]
          at++
        }
}

/** Where the largest entry of a window stands. */
function largestOf(
  x: Float32Array,
  { inHeight, inWidth, inChannels, filterHeight, filterWidth }: tf.backend_util.Conv2DInfo,
  image: number,
  [top, left]: readonly [number, number],
  channel: number,
): number {
  let place = -1
  for (let row = Math.max(top, 0); row < Math.min(top + filterHeight, inHeight); row++)
    for (let column = Math.max(left, 0); column < Math.min(left + filterWidth, inWidth); column++) {
      const here = ((image * inHeight + row) * inWidth + column) * inChannels + channel
      if (place < 0 || x[here] > x[place]) place = here
    }
  return place
}
