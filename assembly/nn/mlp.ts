import { activate } from './activation'
import { dense, padded, strideOf } from './dense'

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
    const outStride = padded(outputs) << 2
    layerForward(to, outStride, from, stride, rows, inputs, outputs, theta, load<i32>(kinds + (layer << 2)))
    stride = outStride
    theta += ((inputs + 1) * outputs) << 2
    from = to
    to = scratch + (layer & 1 ? 0 : half)
  }
  return from
}

/**
 * The same with the outputs of all layers kept as a pass back reads them, S(w) as in strideOf:
 *
 *     kept: f32 | [capacity, S(w₁)] | [capacity, S(w₂)] | … |, of which rows `first` … first + rows − 1 are written
 *
 * Returns the address of the outputs of the last layer, f32 [rows, S(w_last)].
 */
export function mlpForwardKept(
  x: usize, rows: i32, theta: usize, widths: usize, kinds: usize, layers: i32, kept: usize, capacity: i32, first: i32,
): usize {
  let from = x
  let stride = load<i32>(widths) << 2
  for (let layer = 0; layer < layers; layer++) {
    const inputs = load<i32>(widths + (layer << 2))
    const outputs = load<i32>(widths + (layer << 2), 4)
    const outStride = strideOf(outputs)
    const to = kept + first * outStride
    layerForward(to, outStride, from, stride, rows, inputs, outputs, theta, load<i32>(kinds + (layer << 2)))
    theta += ((inputs + 1) * outputs) << 2
    kept += capacity * outStride
    from = to
    stride = outStride
  }
  return from
}

/** out = f(b + x W) for every row.    theta: | W [inputs, outputs] | b [outputs] | */
// @ts-ignore: decorator
@inline
function layerForward(
  out: usize, outStride: i32, x: usize, stride: i32, rows: i32, inputs: i32, outputs: i32, theta: usize, kind: i32,
): void {
  const line = outputs << 2
  dense(out, outStride, x, stride, rows, inputs, outputs, theta, line, 64, theta + inputs * line)
  activate(out, rows * outStride, kind)
}
