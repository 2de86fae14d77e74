// Forward and backward passes of a whole MLP on a batch, as products of panels (assembly/math/matrix.ts).

import { multiplyPanels, storeTransposed, sumPanel } from '../math/matrix'
import { activate, differentiate, LINEAR } from './activation'
import { padded } from './mlp'

/**
 * An MLP on a batch. src/nn/fused.ts writes the same fields. R = rows rounded up to 4; P(w) = w rounded up to 4. Rows of
 * matrices are padded with zeros, rows beyond the last are zero or mean nothing.
 */
@unmanaged
export class Mlp {
  rows: i32
  layers: i32
  /** i32 [layers + 1] */
  widths: usize
  /** i32 [layers] kinds of activations */
  kinds: usize
  /** f32 | W₁ [w₀, w₁] | b₁ [w₁] | W₂ | b₂ | … | */
  theta: usize
  /** f32 [R, P(w₀)] */
  x: usize
  /** f32 | [R, P(w₁)] | [R, P(w₂)] | … | outputs of the layers, the last of them the network's */
  outputs: usize
  /** f32, like theta: receives the gradient */
  gradient: usize
  /** f32 [R, P(w_last)] gradient by the outputs on the way in; both f32 [R, widest] on the way */
  delta: usize
  spare: usize
  /** f32 [R, P(w₀)] receives the gradient by x */
  dx: usize
  /** f32 [widest, max(R, widest)] */
  panels: usize
  /** f32 [max(R, widest), 4] */
  rowPanel: usize
  /** f32 [4, widest] */
  tile: usize
}

// @ts-ignore: decorator
@inline
function widthOf(net: Mlp, layer: i32): i32 {
  return load<i32>(net.widths + (layer << 2))
}

/** All layers, from x to outputs. */
export function trainingForward(address: usize): void {
  const net = changetype<Mlp>(address)
  const rows4 = padded(net.rows)
  let theta = net.theta
  let x = net.x
  let out = net.outputs
  for (let l = 0; l < net.layers; l++) {
    const inputs = widthOf(net, l)
    const outputs = widthOf(net, l + 1)
    denseForward(net, out, x, theta, inputs, outputs, load<i32>(net.kinds + (l << 2)))
    theta += ((inputs + 1) * outputs) << 2
    x = out
    out += (rows4 * padded(outputs)) << 2
  }
}

function denseForward(net: Mlp, out: usize, x: usize, w: usize, inputs: i32, outputs: i32, kind: i32): void {
  const from = padded(inputs) << 2
  const to = padded(outputs) << 2
  packWeightColumns(net.panels, w, inputs, outputs)
  loadRow(net.tile, w + ((inputs * outputs) << 2), outputs)
  for (let r = 0; r < net.rows; r += 4) {
    packFour(net.rowPanel, x + r * from, from)
    const rows = out + r * to
    multiplyPanels(rows, to, net.rowPanel, net.panels, to >> 4, inputs)
    for (let i = rows, end = rows + 4 * to; i < end; i += to) {
      for (let k = 0; k < to; k += 16) v128.store(i + k, f32x4.add(v128.load(i + k), v128.load(net.tile + k)))
    }
    activate(rows, 4 * to, kind)
  }
}

/** Columns of W [inputs, outputs] as panels [inputs][4]; columns beyond the last are 0. */
function packWeightColumns(panels: usize, w: usize, inputs: i32, outputs: i32): void {
  const line = outputs << 2
  let to = panels
  for (let c = 0; c < outputs; c += 4) {
    for (let k = 0; k < inputs; k++, to += 16) loadRow(to, w + k * line + (c << 2), min(4, outputs - c))
  }
}

/** Copies `count` floats and fills the last vector with zeros. */
// @ts-ignore: decorator
@inline
function loadRow(to: usize, from: usize, count: i32): void {
  const whole = count & ~3
  for (let k = 0; k < whole; k += 4) v128.store(to + (k << 2), v128.load(from + (k << 2)))
  if (whole < count) {
    v128.store(to + (whole << 2), f32x4.splat(0))
    for (let k = whole; k < count; k++) store<f32>(to + (k << 2), load<f32>(from + (k << 2)))
  }
}

/** Four rows of `bytes` as a panel. */
function packFour(panel: usize, x: usize, bytes: i32): void {
  const x1 = x + bytes, x2 = x1 + bytes, x3 = x2 + bytes
  for (let k = 0; k < bytes; k += 16) {
    storeTransposed(panel + (k << 2), 16, v128.load(x + k), v128.load(x1 + k), v128.load(x2 + k), v128.load(x3 + k))
  }
}

/** From the gradient by the outputs in delta to those by theta and x. The outputs must be those of these theta and x. */
export function trainingBackward(address: usize): void {
  const net = changetype<Mlp>(address)
  const rows4 = padded(net.rows)
  let theta = net.theta
  let out = net.outputs
  for (let l = 0; l < net.layers; l++) {
    theta += ((widthOf(net, l) + 1) * widthOf(net, l + 1)) << 2
    out += (rows4 * padded(widthOf(net, l + 1))) << 2
  }
  let d = net.delta
  for (let l = net.layers - 1; l >= 0; l--) {
    const inputs = widthOf(net, l)
    const outputs = widthOf(net, l + 1)
    const bytes = (rows4 * padded(outputs)) << 2
    out -= bytes
    theta -= ((inputs + 1) * outputs) << 2
    const x = l == 0 ? net.x : out - ((rows4 * padded(inputs)) << 2)
    const kind = load<i32>(net.kinds + (l << 2))
    if (kind != LINEAR) differentiate(d, out, bytes, kind)
    weightGradient(net, net.gradient + (theta - net.theta), x, d, inputs, outputs)
    const before = l == 0 ? net.dx : d == net.delta ? net.spare : net.delta
    inputGradient(net, before, theta, d, inputs, outputs)
    d = before
  }
}

/** dW = xᵀ d and db = Σ_r d_r. */
function weightGradient(net: Mlp, gradient: usize, x: usize, d: usize, inputs: i32, outputs: i32): void {
  const from = padded(inputs) << 2
  const wide = padded(outputs) << 2
  const line = outputs << 2
  const rows = net.rows
  for (let c = 0; c < wide; c += 16) packColumn(net.panels + c * rows, d + c, wide, rows)
  for (let i = 0; i < inputs; i += 4) {
    packColumn(net.rowPanel, x + (i << 2), from, rows)
    multiplyPanels(net.tile, wide, net.rowPanel, net.panels, wide >> 4, rows)
    for (let r = 0; r < 4 && i + r < inputs; r++) memory.copy(gradient + (i + r) * line, net.tile + r * wide, line)
  }
  const bias = gradient + inputs * line
  for (let c = 0; c < wide; c += 16) v128.store(net.tile + c, sumPanel(net.panels + c * rows, rows))
  memory.copy(bias, net.tile, line)
}

/** Four columns of rows that are `stride` bytes apart as a panel. */
// @ts-ignore: decorator
@inline
function packColumn(panel: usize, x: usize, stride: i32, rows: i32): void {
  for (let r = 0; r < rows; r++, x += stride, panel += 16) v128.store(panel, v128.load(x))
}

/** dx = d Wᵀ. */
function inputGradient(net: Mlp, out: usize, w: usize, d: usize, inputs: i32, outputs: i32): void {
  const wide = padded(outputs) << 2
  const to = padded(inputs) << 2
  packWeightRows(net.panels, w, inputs, outputs)
  for (let r = 0; r < net.rows; r += 4) {
    packFour(net.rowPanel, d + r * wide, wide)
    multiplyPanels(out + r * to, to, net.rowPanel, net.panels, to >> 4, outputs)
  }
}

/** Rows of W [inputs, outputs] as panels [outputs][4] of four inputs each; inputs beyond the last are 0. */
function packWeightRows(panels: usize, w: usize, inputs: i32, outputs: i32): void {
  const line = outputs << 2
  let panel = panels
  for (let i = 0; i < inputs; i += 4, panel += outputs << 4) {
    for (let r = 0; r < 4; r++) {
      const row = w + (i + r) * line
      for (let k = 0, p = panel + (r << 2); k < outputs; k++, p += 16) {
        store<f32>(p, i + r < inputs ? load<f32>(row + (k << 2)) : 0)
      }
    }
  }
}
