import type { Network } from './network.ts'
import { tf } from './tfjs.ts'

/**
 * x W with a gradient in plain products of explicitly transposed matrices: tfjs-wasm multiplies with a transpose flag on
 * a scalar path, ten times slower than transposing first.
 */
function product(x: tf.Tensor2D, w: tf.Tensor2D): tf.Tensor2D {
  const op = tf.customGrad((...inputs) => {
    const [x, w, save] = inputs as unknown as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc]
    save([x, w])
    return {
      value: tf.matMul(x, w),
      gradFunc: (dy, saved) => {
        const [x, w] = saved as [tf.Tensor2D, tf.Tensor2D]
        return [tf.matMul(dy as tf.Tensor2D, tf.transpose(w)), tf.matMul(tf.transpose(x), dy as tf.Tensor2D)]
      },
    }
  })
  return op(x, w) as tf.Tensor2D
}

/** Outputs [rows, last width] of the network with parameters theta [size] for inputs x [rows, first width]. */
export function forward(net: Network, theta: tf.Tensor1D, x: tf.Tensor2D): tf.Tensor2D {
  return net.layers.reduce((input, { inputs, outputs, weight, bias }, l) => {
    const w = tf.reshape(tf.slice(theta, weight, inputs * outputs), [inputs, outputs]) as tf.Tensor2D
    const b = tf.slice(theta, bias, outputs)
    const y = tf.add(product(input, w), b) as tf.Tensor2D
    return l < net.layers.length - 1 ? tf.tanh(y) : y
  }, x)
}
