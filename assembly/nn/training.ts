// Forward and backward passes of a population of MLPs, each on its batch.

import { activate, differentiate, LINEAR } from './activation'
import { addProducts, addRows, compactRows, dense, packStrips, packTransposed, padded, stripBytes } from './dense'

/**
 * A population of MLPs of one shape on a batch of rows each. src/nn/fused.ts writes the same fields.
 * S(w) = P(w) or 4, P(w) = w rounded up to 4: an odd number of vectors, so that the same column of many rows does not
 * fall into the same few sets of the cache.
 */
@unmanaged
export class Mlp {
  networks: i32
  rows: i32
  layers: i32
  /** i32 [layers + 1] */
  widths: usize
  /** i32 [layers] kinds of activations */
  kinds: usize
  /** f32 [networks, size], size floats of | W₁ [w₀, w₁] | b₁ [w₁] | W₂ | b₂ | … | */
  theta: usize
  /** f32 [networks, rows, w₀] */
  x: usize
  /**
   * f32 [networks, | [rows, S(w₁)] | [rows, S(w₂)] | … |] outputs of the layers; on the way back all but the last give
   * way to the gradients by what goes into their activations
   */
  outputs: usize
  /** f32 [networks, rows, w_last] */
  y: usize
  /** f32, like y: the gradient by y on the way in, by what goes into the last activation on the way out */
  dy: usize
  /** f32, like theta: receives the gradient */
  gradient: usize
  /** f32, like x: receives the gradient */
  dx: usize
  /** f32 [widest rounded up to 16, widest] and 48 more */
  strips: usize
  /** f32 [BLOCK, S(widest)] */
  tile: usize
}

/** Rows from which packing W pays. */
const PACKED: i32 = 16

/** Rows taken at a time: what they touch stays in the first cache. */
const BLOCK: i32 = 64

// @ts-ignore: decorator
@inline
function widthOf(net: Mlp, layer: i32): i32 {
  return load<i32>(net.widths + (layer << 2))
}

// @ts-ignore: decorator
@inline
function kindOf(net: Mlp, layer: i32): i32 {
  return load<i32>(net.kinds + (layer << 2))
}

/** Bytes of a row of outputs of a layer. */
// @ts-ignore: decorator
@inline
function strideOf(width: i32): i32 {
  return (padded(width) | 4) << 2
}

/** Bytes of theta. */
function thetaBytes(net: Mlp): i32 {
  let size = 0
  for (let l = 0; l < net.layers; l++) size += (widthOf(net, l) + 1) * widthOf(net, l + 1)
  return size << 2
}

/** Bytes of the outputs of all layers. */
function outputBytes(net: Mlp): i32 {
  let size = 0
  for (let l = 1; l <= net.layers; l++) size += net.rows * strideOf(widthOf(net, l))
  return size
}

/** From theta and x to y. */
export function trainingForward(net: Mlp): void {
  const rows = net.rows
  const first = widthOf(net, 0)
  const last = widthOf(net, net.layers)
  let theta = net.theta
  let out = net.outputs
  for (let i = 0; i < net.networks; i++) {
    let x = net.x + ((i * rows * first) << 2)
    let stride = first << 2
    for (let l = 0; l < net.layers; l++) {
      const inputs = widthOf(net, l)
      const outputs = widthOf(net, l + 1)
      const to = strideOf(outputs)
      layerForward(net, out, to, x, stride, theta, inputs, outputs, kindOf(net, l))
      theta += ((inputs + 1) * outputs) << 2
      x = out
      stride = to
      out += rows * to
    }
    compactRows(net.y + ((i * rows * last) << 2), x, stride, rows, last)
  }
}

function layerForward(
  net: Mlp, out: usize, outStride: i32, x: usize, xStride: i32, w: usize, inputs: i32, outputs: i32, kind: i32,
): void {
  const bias = w + ((inputs * outputs) << 2)
  let line = outputs << 2
  let step = 64
  if (net.rows >= PACKED) {
    packStrips(net.strips, w, inputs, outputs)
    w = net.strips
    line = 64
    step = stripBytes(inputs)
  }
  for (let r = 0; r < net.rows; r += BLOCK) {
    const rows = min(BLOCK, net.rows - r)
    const to = out + r * outStride
    dense(to, outStride, x + r * xStride, xStride, rows, inputs, outputs, w, line, step, bias)
    activate(to, rows * outStride, kind)
  }
}

/**
 * From dy to the gradient by theta, unless `weights` is false, and by what goes into the first activation, which stays
 * in outputs. These must be those of the last trainingForward, and no longer are afterwards.
 */
export function trainingBackward(net: Mlp, weights: bool): void {
  const rows = net.rows
  const first = widthOf(net, 0)
  const last = widthOf(net, net.layers)
  const size = thetaBytes(net)
  const block = outputBytes(net)
  const kind = kindOf(net, net.layers - 1)
  if (kind != LINEAR) differentiate(net.dy, net.dy, net.y, (net.networks * rows * last) << 2, kind)
  for (let i = 0; i < net.networks; i++) {
    let d = net.dy + ((i * rows * last) << 2)
    let dStride = last << 2
    let at = (i + 1) * size
    let out = net.outputs + (i + 1) * block - rows * strideOf(last)
    for (let l = net.layers - 1; l >= 0; l--) {
      const inputs = widthOf(net, l)
      const outputs = widthOf(net, l + 1)
      at -= ((inputs + 1) * outputs) << 2
      const xStride = l == 0 ? first << 2 : strideOf(inputs)
      const x = l == 0 ? net.x + ((i * rows * first) << 2) : out - rows * xStride
      if (weights) weightGradient(net.gradient + at, x, xStride, d, dStride, rows, inputs, outputs)
      if (l == 0) break
      layerBackward(net, x, xStride, d, dStride, net.theta + at, inputs, outputs, kindOf(net, l - 1))
      d = x
      dStride = xStride
      out = x
    }
  }
}

/** dW = xᵀ d and db = Σ_r d_r. */
function weightGradient(
  gradient: usize, x: usize, xStride: i32, d: usize, dStride: i32, rows: i32, inputs: i32, outputs: i32,
): void {
  const bias = gradient + ((inputs * outputs) << 2)
  for (let r = 0; r < rows; r += BLOCK) {
    const count = min(BLOCK, rows - r)
    addProducts(gradient, x + r * xStride, xStride, d + r * dStride, dStride, count, inputs, outputs, r == 0)
    addRows(bias, d + r * dStride, dStride, count, outputs, r == 0)
  }
}

/** a ← (d Wᵀ) f′(a): the gradient by what went into the layer before, in the place of its outputs a. */
function layerBackward(
  net: Mlp, a: usize, aStride: i32, d: usize, dStride: i32, w: usize, inputs: i32, outputs: i32, kind: i32,
): void {
  packTransposed(net.strips, w, inputs, outputs)
  for (let r = 0; r < net.rows; r += BLOCK) {
    const rows = min(BLOCK, net.rows - r)
    const to = a + r * aStride
    dense(
      net.tile, aStride, d + r * dStride, dStride, rows, outputs, inputs, net.strips, 64, stripBytes(outputs), 0,
    )
    differentiate(to, net.tile, to, rows * aStride, kind)
  }
}

/** dx = d₁ W₁ᵀ, after trainingBackward. */
export function trainingInputs(net: Mlp): void {
  const rows = net.rows
  const inputs = widthOf(net, 0)
  const outputs = widthOf(net, 1)
  const size = thetaBytes(net)
  const block = outputBytes(net)
  const dStride = net.layers == 1 ? outputs << 2 : strideOf(outputs)
  const stride = strideOf(inputs)
  for (let i = 0; i < net.networks; i++) {
    const d = net.layers == 1 ? net.dy + i * rows * dStride : net.outputs + i * block
    const dx = net.dx + ((i * rows * inputs) << 2)
    packTransposed(net.strips, net.theta + i * size, inputs, outputs)
    for (let r = 0; r < rows; r += BLOCK) {
      const count = min(BLOCK, rows - r)
      dense(
        net.tile, stride, d + r * dStride, dStride, count, outputs, inputs, net.strips, 64, stripBytes(outputs), 0,
      )
      compactRows(dx + ((r * inputs) << 2), net.tile, stride, count, inputs)
    }
  }
}
