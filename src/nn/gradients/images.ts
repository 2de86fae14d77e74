import { tf } from '#tfjs'
import { UsageError } from '../../core/errors.ts'
import { differentiate } from './differentiate.ts'

interface Pooling {
  readonly filterSize: number | number[]
  readonly strides: number | number[]
  readonly pad: 'valid' | 'same' | number
}

/**
 * Registers what is silently wrong about images: at a border with padding a mean is taken over fewer entries, of which
 * tfjs's gradient of avgPool knows nothing; that of resizing knows nothing of half pixel centers; that of
 * conv3d by its input is wrong on the WASM backend.
 */
export function differentiateImages(): void {
  for (const [name, axes] of [
    [tf.AvgPool, 2],
    [tf.AvgPool3D, 3],
  ] as const) {
    const stock = tf.getGradient(name)
    tf.registerGradient({
      ...stock,
      gradFunc: (dy, saved, attributes) => {
        const share = tf.mul(dy as tf.Tensor, wholeOverPart(saved[0].shape, attributes as unknown as Pooling, axes))
        return stock.gradFunc(share, saved, attributes)
      },
    })
  }
  for (const name of [tf.ResizeBilinear, tf.ResizeNearestNeighbor]) {
    differentiate({
      name,
      save: ['images'],
      by: (dy, [images], attributes) => ({ images: () => resizedBack(name, dy, images.shape, attributes) }),
    })
  }
  const refused = (sentence: string) => () => {
    throw new UsageError(sentence)
  }
  tf.registerGradient({
    kernelName: tf.Dilation2D,
    gradFunc: refused(
      "tfjs's WASM backend has wrong values of dilation2d where they are negative. Write tf.max of a tf.stack of slices.",
    ),
  })
  const stock = tf.getGradient(tf.Conv3D)
  differentiate({
    name: tf.Conv3D,
    save: ['x', 'filter'],
    by: (dy, saved, attributes) => ({
      x: refused(
        "tfjs's WASM backend has a wrong gradient of conv3d by its input. Write it as a sum of tf.conv2d of slices.",
      ),
      filter: () => stock.gradFunc(dy, [...saved], attributes as unknown as tf.NamedAttrMap).filter(),
    }),
  })
}

/** How many entries a window has over how many of them lie inside, for each window. */
function wholeOverPart(shape: number[], { filterSize, strides, pad }: Pooling, axes: 2 | 3): tf.Tensor {
  const window = typeof filterSize === 'number' ? new Array<number>(axes).fill(filterSize) : filterSize
  const inside = tf.ones([1, ...shape.slice(1, -1), 1])
  const filter = tf.ones([...window, 1, 1])
  const counts =
    axes === 2
      ? tf.conv2d(inside as tf.Tensor4D, filter as tf.Tensor4D, strides as [number, number], pad)
      : tf.conv3d(inside as tf.Tensor5D, filter as tf.Tensor5D, strides as [number, number, number], pad as 'same')
  return tf.div(tf.util.sizeFromShape(window), counts)
}

/**
 * Images are resized by R x Cᵀ, where R is what becomes of the rows of a unit matrix and C of its columns; the gradient
 * is Rᵀ dy C.
 */
function resizedBack(name: string, dy: tf.Tensor, shape: number[], attributes: Readonly<Record<string, unknown>>) {
  const [batch, height, width, channels] = shape
  const [rowsAfter, columnsAfter] = dy.shape.slice(1)
  const matrix = (from: number, to: number) => {
    const images = tf.reshape(tf.eye(from), [1, from, from, 1])
    const size = { ...attributes, size: [to, from] } as unknown as tf.NamedAttrMap
    return tf.reshape(tf.engine().runKernel(name, { images }, size) as tf.Tensor, [to, from])
  }
  const alongRows = tf.matMul(tf.reshape(tf.transpose(dy, [0, 3, 2, 1]), [-1, rowsAfter]), matrix(height, rowsAfter))
  const byColumns = tf.transpose(tf.reshape(alongRows, [batch, channels, columnsAfter, height]), [0, 1, 3, 2])
  const alongColumns = tf.matMul(tf.reshape(byColumns, [-1, columnsAfter]), matrix(width, columnsAfter))
  return tf.transpose(tf.reshape(alongColumns, [batch, channels, height, width]), [0, 2, 3, 1])
}
