import type { stockForward } from '../../src/nn/forward.ts'
import type { Network } from '../../src/nn/network.ts'
import { tf } from '../../src/nn/tfjs.ts'

/** Deterministic numbers of order 1. */
export const numbers = (count: number, seed: number, scale = 1) =>
  Float32Array.from({ length: count }, (_, k) => Math.sin(12.9898 * (k + 1) + 78.233 * (seed + 1)) * scale)

export type Forward = typeof stockForward

/** Outputs, and the gradients of Σ y · weight by theta and x. */
export function passes(run: Forward, net: Network, theta: Float32Array, x: Float32Array, weight: Float32Array) {
  const rows = x.length / net.widths[0]
  const tensors = tf.tidy(() => {
    const inputs = [tf.tensor1d(theta), tf.tensor2d(x, [rows, net.widths[0]])]
    const outputs = run(net, inputs[0] as tf.Tensor1D, inputs[1] as tf.Tensor2D)
    const loss = (...[theta, x]: tf.Tensor[]) =>
      tf.sum(tf.mul(run(net, theta as tf.Tensor1D, x as tf.Tensor2D), tf.reshape(tf.tensor1d(weight), outputs.shape)))
    return [outputs, ...tf.grads(loss)(inputs)]
  })
  const [outputs, dTheta, dx] = tensors.map((tensor) => tensor.dataSync() as Float32Array)
  tf.dispose(tensors)
  return { outputs, dTheta, dx }
}

/** Largest difference in proportion to the largest value, or to the given sizes of the terms of the sums. */
export const worst = (a: ArrayLike<number>, b: ArrayLike<number>, sizes: ArrayLike<number> = b) =>
  Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k]))) / (Math.max(...Array.from(sizes, Math.abs)) || 1)
