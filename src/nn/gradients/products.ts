import { tf } from '#tfjs'
import { unbroadcast } from './differentiate.ts'
import { replaceKernel } from './replace-kernel.ts'

// Products of matrices: values that tfjs's WASM backend has wrong, and the gradient of those that are broadcast.

interface Product extends tf.BatchMatMulAttrs {
  readonly a: tf.Tensor
  readonly b: tf.Tensor
}

/**
 * Mends two faults. The stock kernel keeps its second matrix, packed, for the next product with the same data, also
 * where that reads it in another shape. And where stacks of several sizes are broadcast together it takes matrix k
 * modulo the size of the smaller stack, or writes over its memory.
 */
export function mendMatrixProducts(): void {
  const shapes = new WeakMap<object, string>()
  for (const name of [tf.BatchMatMul, tf._FusedMatMul]) {
    replaceKernel(name, (call, stock) => {
      const { a, b } = call.inputs as unknown as Product
      const { transposeA, transposeB } = call.attrs as unknown as Product
      const again = (x: tf.Tensor, y: tf.Tensor) =>
        tf.tidy(() => {
          const inputs = { ...call.inputs, a: x, b: y } as tf.NamedTensorMap
          return tf.clone(tf.engine().runKernel(name, inputs, call.attrs as tf.NamedAttrMap) as tf.Tensor)
        })
      const [batchesA, batchesB] = [a, b].map(({ shape }) => shape.slice(0, -2))
      const [sizeA, sizeB] = [batchesA, batchesB].map((shape) => tf.util.sizeFromShape(shape))
      if (!tf.util.arraysEqual(batchesA, batchesB) && sizeA !== 1 && sizeB !== 1) {
        const batches = tf.backend_util.assertAndGetBroadcastShape(batchesA, batchesB)
        const whole = (x: tf.Tensor) => tf.broadcastTo(x, [...batches, ...x.shape.slice(-2)])
        return again(whole(a), whole(b))
      }
      const isPacked = sizeA === 1 && sizeB === 1 && !transposeA && !transposeB
      if (!isPacked) return stock(call)
      const shape = b.shape.slice(-2).join()
      const known = shapes.get(b.dataId) ?? shape
      shapes.set(b.dataId, known)
      return known === shape ? stock(call) : again(a, tf.mul(b, 1))
    })
  }
}

/** Registers the gradient of stacks of which one is broadcast: it is summed over the others. */
export function differentiateProducts(): void {
  const stock = tf.getGradient(tf.BatchMatMul)
  tf.registerGradient({
    ...stock,
    gradFunc: (dy, saved, attributes) => {
      const by = stock.gradFunc(dy, saved, attributes)
      const [a, b] = saved
      const stackOf = ({ shape }: tf.Tensor) => shape.slice(0, -2)
      const summed = (gradient: tf.Tensor, x: tf.Tensor) =>
        tf.util.arraysEqual(stackOf(gradient), stackOf(x)) ? gradient : unbroadcast(gradient, x.shape)
      return { a: () => summed(by.a(), a), b: () => summed(by.b(), b) }
    },
  })
}
