import { UsageError } from '../core/errors.ts'
import { canFuse, fusedForward } from './fused.ts'
import type { Activation, Network } from './network.ts'
import { tf } from './tfjs.ts'

/**
 * x W with a gradient in plain products of explicitly transposed matrices: tfjs-wasm multiplies with a transpose flag
 * on a scalar path, ten times slower than transposing first.
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

/**
 * Outputs [rows, last width] of the network with parameters theta [size] for inputs x [rows, first width]: a tfjs
 * expression that can be differentiated by theta and x. With a leading axis, theta [n, size] and x [n, rows, first
 * width], n networks of one shape at once. Runs in the core where tfjs runs on WASM, see fused.ts.
 *
 * @param outputs of all layers for these theta and x, as a rollout has kept them: a compiled gradient takes them and
 *   does not compute them again
 * @throws UsageError when x and theta do not fit the network or each other, or x has no row
 */
export function forward<X extends tf.Tensor2D | tf.Tensor3D>(
  net: Network,
  theta: tf.Tensor,
  x: X,
  outputs?: tf.Tensor1D,
): X {
  refuseMisfit(net, theta, x)
  if (canFuse()) return fusedForward(net, theta, x, outputs)
  if (x.rank === 2) return stockForward(net, theta as tf.Tensor1D, x as tf.Tensor2D) as X
  const rows = tf.unstack(theta)
  const batches = tf.unstack(x)
  return tf.stack(rows.map((row, i) => stockForward(net, row as tf.Tensor1D, batches[i] as tf.Tensor2D))) as X
}

/** The same in ops of tfjs alone. */
export function stockForward(net: Network, theta: tf.Tensor1D, x: tf.Tensor2D): tf.Tensor2D {
  return net.layers.reduce((input, { inputs, outputs, weight, bias, activation }) => {
    const w = tf.reshape(tf.slice(theta, weight, inputs * outputs), [inputs, outputs]) as tf.Tensor2D
    const b = tf.slice(theta, bias, outputs)
    return activate[activation](tf.add(product(input, w), b) as tf.Tensor2D)
  }, x)
}

const activate: Readonly<Record<Activation, (x: tf.Tensor2D) => tf.Tensor2D>> = {
  linear: (x) => x,
  tanh: tf.tanh,
  relu: tf.relu,
  elu: tf.elu,
  softplus: tf.softplus,
}

function refuseMisfit(net: Network, theta: tf.Tensor, x: tf.Tensor): void {
  const leading = theta.shape.slice(0, -1)
  if (theta.rank > 2 || theta.shape[theta.rank - 1] !== net.size) {
    const { size } = net
    throw new UsageError(`The parameters must be [${size}] or [n, ${size}], got the shape [${theta.shape.join(', ')}].`)
  }
  if (x.rank !== theta.rank + 1 || x.shape[x.rank - 1] !== net.widths[0] || leading.some((n, k) => n !== x.shape[k])) {
    const expected = [...leading, 'rows', net.widths[0]].join(', ')
    throw new UsageError(`The network takes an input [${expected}], got the shape [${x.shape.join(', ')}].`)
  }
  if (x.size === 0) throw new UsageError('A batch needs at least one row, got 0.')
}
