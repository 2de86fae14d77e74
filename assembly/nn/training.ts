// Forward and backward passes of a population of MLPs, each on its batch.

import { activate, differentiate, LINEAR, RELU } from './activation'
import { addProducts, addRows, compactRows, dense, packStrips, packTransposed, strideOf, stripBytes } from './dense'
import { addProductsOfRelu, denseOfRelu } from './sparse'

/**
 * A population of MLPs of one shape on a batch of rows each, S(w) as in strideOf. src/nn/fused.ts writes the same
 * fields.
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
  /** whether outputs are those of theta and x already */
  known: i32
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
  /** f32 [2 BLOCK widest + max(BLOCK, widest) + 1], see listTerms */
  terms: usize
}

/** Rows from which packing W pays. */
const PACKED: i32 = 16

/** Rows taken at a time: what they touch stays in the first cache. */
export const BLOCK: i32 = 64

// @ts-ignore: decorator
@inline
export function widthOf(net: Mlp, layer: i32): i32 {
  return load<i32>(net.widths + (layer << 2))
}

// @ts-ignore: decorator
@inline
export function kindOf(net: Mlp, layer: i32): i32 {
  return load<i32>(net.kinds + (layer << 2))
}

/** Whether a layer ends in a ReLU: many of its outputs are zeros, and of the gradients by what goes into it. */
// @ts-ignore: decorator
@inline
export function isRelu(net: Mlp, layer: i32): bool {
  return layer >= 0 && kindOf(net, layer) == RELU
}

/** Bytes of theta. */
export function thetaBytes(net: Mlp): i32 {
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

/** Bytes of theta before the weights of a layer. */
export function thetaBefore(net: Mlp, layer: i32): i32 {
  let size = 0
  for (let l = 0; l < layer; l++) size += (widthOf(net, l) + 1) * widthOf(net, l + 1)
  return size << 2
}

/** Where network i's inputs of a layer stand; behind the last layer its outputs. */
export function inputsOf(net: Mlp, i: i32, layer: i32): usize {
  if (layer == 0) return net.x + ((i * net.rows * widthOf(net, 0)) << 2)
  let before = 0
  for (let l = 1; l < layer; l++) before += net.rows * strideOf(widthOf(net, l))
  return net.outputs + i * outputBytes(net) + before
}

/** Bytes from one row of them to the next. */
export function inputStride(net: Mlp, layer: i32): i32 {
  const width = widthOf(net, layer)
  return layer == 0 ? width << 2 : strideOf(width)
}

/** Where the gradient by what goes into a layer's activation stands. */
function gradientOf(net: Mlp, i: i32, layer: i32): usize {
  if (layer < net.layers - 1) return inputsOf(net, i, layer + 1)
  return net.dy + ((i * net.rows * widthOf(net, net.layers)) << 2)
}

/** Bytes from one row of it to the next. */
function gradientStride(net: Mlp, layer: i32): i32 {
  const width = widthOf(net, layer + 1)
  return layer < net.layers - 1 ? strideOf(width) : width << 2
}

// A pass can be shared: part `part` of `parts` takes a range of the rows of all networks, or of the rows of their
// weights, and packs into scratch memory of its own, `scratch` bytes behind that of the part before. What it computes
// is the same whoever else computes what, and no part reads what another one writes.

/** The first of some units that a part takes. */
// @ts-ignore: decorator
@inline
export function firstOf(units: i32, part: i32, parts: i32): i32 {
  return <i32>((<i64>units * part) / parts)
}

/** From theta and x to y. */
export function trainingForward(net: Mlp): void {
  forwardPart(net, 0, 1, 0)
}

/** The same for some of the rows. */
export function forwardPart(net: Mlp, part: i32, parts: i32, scratch: i32): void {
  const groups = (net.rows + 3) >> 2
  const end = firstOf(net.networks * groups, part + 1, parts)
  for (let at = firstOf(net.networks * groups, part, parts); at < end; ) {
    const i = at / groups
    const first = (at - i * groups) << 2
    networkForward(net, i, first, min((end - i * groups) << 2, net.rows) - first, part * scratch)
    at = (i + 1) * groups
  }
}

/** Rows of one network, from `first` on. */
function networkForward(net: Mlp, i: i32, first: i32, rows: i32, scratch: i32): void {
  const strips = net.strips + scratch
  const last = widthOf(net, net.layers)
  const bytes = thetaBytes(net)
  for (let l = 0; !net.known && l < net.layers; l++) {
    const inputs = widthOf(net, l)
    const outputs = widthOf(net, l + 1)
    const xStride = inputStride(net, l)
    const stride = strideOf(outputs)
    const x = inputsOf(net, i, l) + first * xStride
    const out = inputsOf(net, i, l + 1) + first * stride
    const theta = net.theta + i * bytes + thetaBefore(net, l)
    const terms = isRelu(net, l - 1) ? net.terms + scratch : 0
    layerForward(rows, out, stride, x, xStride, theta, inputs, outputs, kindOf(net, l), strips, terms)
  }
  const stride = strideOf(last)
  const y = net.y + (((i * net.rows + first) * last) << 2)
  compactRows(y, inputsOf(net, i, net.layers) + first * stride, stride, rows, last)
}

function layerForward(
  rows: i32, out: usize, outStride: i32, x: usize, xStride: i32, w: usize, inputs: i32, outputs: i32, kind: i32,
  strips: usize, terms: usize,
): void {
  const bias = w + ((inputs * outputs) << 2)
  let line = outputs << 2
  let step = 64
  if (rows >= PACKED) {
    packStrips(strips, w, inputs, outputs)
    w = strips
    line = 64
    step = stripBytes(inputs)
  }
  for (let r = 0; r < rows; r += BLOCK) {
    const count = min(BLOCK, rows - r)
    const to = out + r * outStride
    products(to, outStride, x + r * xStride, xStride, count, inputs, outputs, w, line, step, bias, terms)
    activate(to, count * outStride, kind)
  }
}

/** As dense; for rows that may hold many zeros there is room to list the other numbers. */
// @ts-ignore: decorator
@inline
export function products(
  out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, inputs: i32, outputs: i32, w: usize, line: i32,
  step: i32, bias: usize, terms: usize,
): void {
  if (terms) denseOfRelu(out, outStride, x, xStride, rows, inputs, outputs, w, line, step, bias, terms)
  else dense(out, outStride, x, xStride, rows, inputs, outputs, w, line, step, bias)
}

/**
 * From dy to the gradient by theta and by what goes into the first activation, which stays in outputs. These must be
 * those of the last trainingForward, and no longer are afterwards.
 */
export function trainingBackward(net: Mlp): void {
  backwardStart(net)
  for (let i = 0; i < net.networks; i++) {
    for (let l = net.layers - 1; l >= 0; l--) {
      weightGradient(net, i, l, 0, widthOf(net, l), 0)
      if (l > 0) layerBackward(net, i, l, 0, net.rows, 0)
    }
  }
}

/** What comes before the layers: dy through the last activation. */
export function backwardStart(net: Mlp): void {
  const kind = kindOf(net, net.layers - 1)
  const bytes = (net.networks * net.rows * widthOf(net, net.layers)) << 2
  if (kind != LINEAR) differentiate(net.dy, net.dy, net.y, bytes, kind)
}

/** Rows of the weights that a part takes at least. */
const INPUTS: i32 = 8

/** The gradient by some of the weights of a layer, once all parts have the gradient by what goes into it. */
export function weightsPart(net: Mlp, layer: i32, part: i32, parts: i32, scratch: i32): void {
  const inputs = widthOf(net, layer)
  const groups = (inputs + INPUTS - 1) / INPUTS
  const end = firstOf(net.networks * groups, part + 1, parts)
  for (let at = firstOf(net.networks * groups, part, parts); at < end; ) {
    const i = at / groups
    const first = (at - i * groups) * INPUTS
    weightGradient(net, i, layer, first, min((end - i * groups) * INPUTS, inputs) - first, part * scratch)
    at = (i + 1) * groups
  }
}

/** dW = xᵀ d for some rows of W from `first` on, and with the first of them db = Σ_r d_r. */
function weightGradient(net: Mlp, i: i32, layer: i32, first: i32, count: i32, scratch: i32): void {
  const inputs = widthOf(net, layer)
  const outputs = widthOf(net, layer + 1)
  const xStride = inputStride(net, layer)
  const dStride = gradientStride(net, layer)
  const x = inputsOf(net, i, layer) + (first << 2)
  const d = gradientOf(net, i, layer)
  const gradient = net.gradient + i * thetaBytes(net) + thetaBefore(net, layer)
  const w = gradient + ((first * outputs) << 2)
  const bias = gradient + ((inputs * outputs) << 2)
  for (let r = 0; r < net.rows; r += BLOCK) {
    const rows = min(BLOCK, net.rows - r)
    const from = x + r * xStride, by = d + r * dStride
    if (isRelu(net, layer - 1)) {
      addProductsOfRelu(w, from, xStride, by, dStride, rows, count, outputs, r == 0, net.terms + scratch)
    } else {
      addProducts(w, from, xStride, by, dStride, rows, count, outputs, r == 0, 0)
    }
    if (first == 0) addRows(bias, d + r * dStride, dStride, rows, outputs, r == 0)
  }
}

/**
 * From the gradient by what goes into a layer's activation to that of the layer before, for some of the rows, once all
 * parts have the gradient by the layer's weights; before the first layer to dx.
 */
export function backwardPart(net: Mlp, layer: i32, part: i32, parts: i32, scratch: i32): void {
  const groups = (net.rows + 3) >> 2
  const end = firstOf(net.networks * groups, part + 1, parts)
  for (let at = firstOf(net.networks * groups, part, parts); at < end; ) {
    const i = at / groups
    const first = (at - i * groups) << 2
    const rows = min((end - i * groups) << 2, net.rows) - first
    if (layer > 0) layerBackward(net, i, layer, first, rows, part * scratch)
    else inputsLayer(net, i, first, rows, part * scratch)
    at = (i + 1) * groups
  }
}

/** a ← (d Wᵀ) f′(a): the gradient by what went into the layer before, in the place of its outputs a. */
function layerBackward(net: Mlp, i: i32, layer: i32, first: i32, count: i32, scratch: i32): void {
  const strips = net.strips + scratch
  const tile = net.tile + scratch
  const terms = isRelu(net, layer) ? net.terms + scratch : 0
  const inputs = widthOf(net, layer)
  const outputs = widthOf(net, layer + 1)
  const aStride = inputStride(net, layer)
  const dStride = gradientStride(net, layer)
  const a = inputsOf(net, i, layer) + first * aStride
  const d = gradientOf(net, i, layer) + first * dStride
  const kind = kindOf(net, layer - 1)
  packTransposed(strips, net.theta + i * thetaBytes(net) + thetaBefore(net, layer), inputs, outputs)
  for (let r = 0; r < count; r += BLOCK) {
    const rows = min(BLOCK, count - r)
    const to = a + r * aStride
    const step = stripBytes(outputs)
    products(tile, aStride, d + r * dStride, dStride, rows, outputs, inputs, strips, 64, step, 0, terms)
    differentiate(to, tile, to, rows * aStride, kind)
  }
}

/** dx = d₁ W₁ᵀ, after trainingBackward. */
export function trainingInputs(net: Mlp): void {
  backwardPart(net, 0, 0, 1, 0)
}

function inputsLayer(net: Mlp, i: i32, first: i32, count: i32, scratch: i32): void {
  const strips = net.strips + scratch
  const tile = net.tile + scratch
  const inputs = widthOf(net, 0)
  const outputs = widthOf(net, 1)
  const dStride = gradientStride(net, 0)
  const stride = strideOf(inputs)
  const d = gradientOf(net, i, 0) + first * dStride
  const dx = net.dx + (((i * net.rows + first) * inputs) << 2)
  packTransposed(strips, net.theta + i * thetaBytes(net), inputs, outputs)
  for (let r = 0; r < count; r += BLOCK) {
    const rows = min(BLOCK, count - r)
    dense(tile, stride, d + r * dStride, dStride, rows, outputs, inputs, strips, 64, stripBytes(outputs), 0)
    compactRows(dx + ((r * inputs) << 2), tile, stride, rows, inputs)
  }
}
