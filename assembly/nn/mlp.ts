import { activate } from './activation'
import { dense, padded } from './dense'

export { padded }

/**
 * Forward pass of an MLP.
 *
 *     widths: i32 [layers + 1] = observation, hidden …, output    kinds: i32 [layers] of activations
 *     theta:  | W₁ [w₀, w₁] | b₁ [w₁] | W₂ [w₁, w₂] | b₂ | … |
 *     x: f32 [rows, w₀]    scratch: f32 [2, rows, widest], widest = the largest padded width
 *
 * Returns the address of the outputs, f32 [rows, padded(w_last)], in scratch.
 */
export function mlpForward(
  x: usize, rows: i32, theta: usize, widths: usize, kinds: usize, layers: i32, widest: i32, scratch: usize,
): usize {
  const half = (rows * widest) << 2
  let from = x
  let stride = load<i32>(widths) << 2
  let to = scratch
  for (let layer = 0; layer < layers; layer++) {
    const inputs = load<i32>(widths + (layer << 2))
    const outputs = load<i32>(widths + (layer << 2), 4)
    const line = outputs << 2
    const outStride = padded(outputs) << 2
    dense(to, outStride, from, stride, rows, inputs, outputs, theta, line, 64, theta + inputs * line)
    stride = outStride
    activate(to, rows * stride, load<i32>(kinds + (layer << 2)))
    theta += ((inputs + 1) * outputs) << 2
    from = to
    to = scratch + (layer & 1 ? 0 : half)
  }
  return from
}
