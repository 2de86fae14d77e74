import { activate } from './activation'

// @ts-ignore: decorator
@inline
export function padded(size: i32): i32 {
  return (size + 3) & ~3
}

/**
 * One dense layer: out_r = x_r W + b.
 * Each output is the bias, then x_k W_k added for k in order, whatever the blocking: a row's bits do not depend on its
 * neighbours. Whole vectors are computed, so with `outputs` not a multiple of 4 the last lanes hold values that
 * nobody reads (and up to 12 bytes behind W and b are read).
 *
 *     x: f32 [rows, inputs] at xStride bytes a row    out: f32 [rows, padded(outputs)]
 *     w: f32 [inputs, outputs], directly followed by b: f32 [outputs]
 */
function dense(out: usize, x: usize, xStride: i32, rows: i32, inputs: i32, outputs: i32, w: usize): void {
  const line = outputs << 2
  const outStride = padded(outputs) << 2
  const bias = w + inputs * line
  let r = 0
  for (; r + 3 < rows; r += 4) {
    const xr = x + r * xStride
    const to = out + r * outStride
    let column = 0
    for (; column + 32 <= outStride; column += 32) {
      denseTile4x2(to + column, outStride, xr, xStride, inputs, w + column, bias + column, line)
    }
    if (column < outStride) {
      for (let i = 0; i < 4; i++) {
        denseTile1x1(to + i * outStride + column, xr + i * xStride, inputs, w + column, bias + column, line)
      }
    }
  }
  for (; r < rows; r++) {
    for (let column = 0; column < outStride; column += 16) {
      denseTile1x1(out + r * outStride + column, x + r * xStride, inputs, w + column, bias + column, line)
    }
  }
}

function denseTile1x1(out: usize, x: usize, inputs: i32, w: usize, bias: usize, line: i32): void {
  let sum = v128.load(bias)
  for (let k = 0; k < inputs; k++, w += line, x += 4) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x), v128.load(w)))
  }
  v128.store(out, sum)
}

function denseTile4x2(
  out: usize, outStride: i32, x: usize, xStride: i32, inputs: i32, w: usize, bias: usize, line: i32,
): void {
  let s00 = v128.load(bias), s01 = v128.load(bias, 16)
  let s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01
  const x1 = x + xStride, x2 = x1 + xStride, x3 = x2 + xStride
  for (let k = 0, end = inputs << 2; k < end; k += 4, w += line) {
    const w0 = v128.load(w)
    const w1 = v128.load(w, 16)
    let v = v128.load32_splat(x + k)
    s00 = f32x4.add(s00, f32x4.mul(v, w0))
    s01 = f32x4.add(s01, f32x4.mul(v, w1))
    v = v128.load32_splat(x1 + k)
    s10 = f32x4.add(s10, f32x4.mul(v, w0))
    s11 = f32x4.add(s11, f32x4.mul(v, w1))
    v = v128.load32_splat(x2 + k)
    s20 = f32x4.add(s20, f32x4.mul(v, w0))
    s21 = f32x4.add(s21, f32x4.mul(v, w1))
    v = v128.load32_splat(x3 + k)
    s30 = f32x4.add(s30, f32x4.mul(v, w0))
    s31 = f32x4.add(s31, f32x4.mul(v, w1))
  }
  v128.store(out, s00)
  v128.store(out, s01, 16)
  out += outStride
  v128.store(out, s10)
  v128.store(out, s11, 16)
  out += outStride
  v128.store(out, s20)
  v128.store(out, s21, 16)
  out += outStride
  v128.store(out, s30)
  v128.store(out, s31, 16)
}

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
    dense(to, from, stride, rows, inputs, outputs, theta)
    stride = padded(outputs) << 2
    activate(to, rows * stride, load<i32>(kinds + (layer << 2)))
    theta += ((inputs + 1) * outputs) << 2
    from = to
    to = scratch + (layer & 1 ? 0 : half)
  }
  return from
}
