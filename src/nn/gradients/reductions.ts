import { tf } from '#tfjs'
import { axesOf, differentiate, indicator } from './differentiate.ts'

/**
 * Registers the gradients of what runs along axes: largest and smallest entries, products, running sums and products.
 */
export function differentiateReductions(): void {
  differentiateExtreme(tf.Max, 'reductionIndices')
  differentiateExtreme(tf.Min, 'axis')
  differentiate({
    name: tf.Prod,
    save: ['x'],
    by: (dy, [x], { axis }) => ({ x: () => productGradient(dy, x, axesOf(axis, x.shape)) }),
  })
  differentiate({
    name: tf.Cumsum,
    save: ['x'],
    by: (dy, [x], { axis, exclusive, reverse }) => ({
      x: () => tf.cumsum(dy, axesOf(axis, x.shape)[0], exclusive as boolean, !reverse),
    }),
  })
  differentiate({
    name: tf.Cumprod,
    save: ['x'],
    by: (dy, [x], { axis, exclusive, reverse }) => ({
      x() {
        const $axis = axesOf(axis, x.shape)[0]
        const flip = (tensor: tf.Tensor) => (reverse ? tf.reverse(tensor, $axis) : tensor)
        const along = (tensor: tf.Tensor) => rowsAlong(flip(tensor), [$axis])
        const { rows, undo } = along(x)
        return flip(undo(runningProductGradient(along(dy).rows, rows, exclusive as boolean)))
      },
    }),
  })
}

/** Equal extremes share the gradient, as in JAX; tfjs gives each of them all of it. */
function differentiateExtreme(name: string, axisName: string): void {
  differentiate({
    name,
    save: ['x'],
    saveOutputs: [true],
    by: (dy, [x, y], attributes) => ({
      x() {
        const axes = axesOf(attributes[axisName], x.shape)
        const kept = x.shape.map((size, k) => (axes.includes(k) ? 1 : size))
        const chosen = indicator(tf.equal(x, tf.reshape(y, kept)))
        return tf.mul(tf.reshape(dy, kept), tf.div(chosen, tf.sum(chosen, axes, true)))
      },
    }),
  })
}

/** x with the given axes as rows [others, together], and the way back. */
function rowsAlong(x: tf.Tensor, axes: number[]) {
  const others = x.shape.flatMap((_, k) => (axes.includes(k) ? [] : [k]))
  const order = [...others, ...axes]
  const length = axes.reduce((size, axis) => size * x.shape[axis], 1)
  const transposed = tf.transpose(x, order)
  return {
    rows: tf.reshape(transposed, [-1, length]) as tf.Tensor2D,
    undo: (rows: tf.Tensor) =>
      tf.transpose(
        tf.reshape(rows, transposed.shape),
        order.map((_, k) => order.indexOf(k)),
      ),
  }
}

/** ∂ Π_k x_k / ∂x_j = Π_{k<j} x_k Π_{k>j} x_k: no division, so that zeros do no harm. */
function productGradient(dy: tf.Tensor, x: tf.Tensor, axes: number[]): tf.Tensor {
  const { rows, undo } = rowsAlong(x, axes)
  const others = tf.mul(tf.cumprod(rows, 1, true, false), tf.cumprod(rows, 1, true, true))
  return undo(tf.mul(tf.reshape(dy, [-1, 1]), others))
}

/**
 * Running products y_i = Π_{k≤i} x_k of rows (Π_{k<i} with `exclusive`) have
 *
 *     dx_j = Π_{k<j} x_k S_j,    S_j = Σ_{i≥j} dy_i Π_{j<k≤i} x_k = dy_j + x_{j+1} S_{j+1}
 *
 * The recurrence is solved in log₂ steps, each of which doubles the reach: S_j = b_j + a_j S_{j+reach}.
 */
function runningProductGradient(dy: tf.Tensor2D, x: tf.Tensor2D, exclusive: boolean): tf.Tensor {
  const [rows, length] = x.shape
  const earlier = (tensor: tf.Tensor2D, by: number) =>
    tf.pad(tf.slice2d(tensor, [0, by], [rows, length - by]), [
      [0, 0],
      [0, by],
    ]) as tf.Tensor2D
  let b = exclusive ? earlier(dy, 1) : dy
  let a = earlier(x, 1)
  for (let reach = 1; reach < length; reach *= 2) {
    b = tf.add(b, tf.mul(a, earlier(b, reach)))
    a = tf.mul(a, earlier(a, reach))
  }
  return tf.mul(tf.cumprod(x, 1, true, false), b)
}
