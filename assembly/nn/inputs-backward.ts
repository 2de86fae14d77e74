// The gradient by the inputs of networks alone. Rows whose dy is zero need no pass: of a pair of Q networks, of which
// the smaller value counts, that is half of them. The others move together, from layer to layer: row c of them stands
// where row c of all stood, which is at or before where its own outputs are.

import { differentiate } from './activation'
import { dense, packTransposed, strideOf, stripBytes } from './dense'
import {
  backwardStart, BLOCK, firstOf, inputsOf, inputStride, isRelu, kindOf, Mlp, products, thetaBefore, thetaBytes, widthOf,
} from './training'

/** From dy to dx, after trainingForward, whose outputs are no longer there afterwards. */
export function inputsBackward(net: Mlp): void {
  backwardStart(net)
  inputsPart(net, 0, 1, 0)
}

/** The same after backwardStart for some of the rows, as many with a gradient as other parts have. */
export function inputsPart(net: Mlp, part: i32, parts: i32, scratch: i32): void {
  const all = net.networks * net.rows
  let active = 0
  for (let row = 0; row < all; row++) active += i32(hasGradient(net, row))
  let at = part == 0 ? 0 : rowBehind(net, firstOf(active, part, parts))
  const end = part == parts - 1 ? all : rowBehind(net, firstOf(active, part + 1, parts))
  while (at < end) {
    const i = at / net.rows
    const next = min((i + 1) * net.rows, end)
    rowsBackward(net, i, at - i * net.rows, next - at, part * scratch)
    at = next
  }
}

/** Whether dy of a row of all networks is not zero. */
// @ts-ignore: decorator
@inline
function hasGradient(net: Mlp, row: i32): bool {
  const bytes = widthOf(net, net.layers) << 2
  const dy = net.dy + row * bytes
  for (let k = 0; k < bytes; k += 4) if (load<f32>(dy + k) != 0) return true
  return false
}

/** The row behind the first `count` with a gradient. */
function rowBehind(net: Mlp, count: i32): i32 {
  let row = 0
  for (; count > 0; row++) count -= i32(hasGradient(net, row))
  return row
}

/** dx of some rows of network i from `first` on. */
function rowsBackward(net: Mlp, i: i32, first: i32, count: i32, scratch: i32): void {
  const strips = net.strips + scratch
  const tile = net.tile + scratch
  const theta = net.theta + i * thetaBytes(net)
  const row = i * net.rows + first
  let d = inputsOf(net, i, net.layers) + first * inputStride(net, net.layers)
  let dStride = inputStride(net, net.layers)
  const active = gatherGradients(net, row, count, d, dStride)
  for (let layer = net.layers - 1; layer > 0; layer--) {
    const inputs = widthOf(net, layer)
    const outputs = widthOf(net, layer + 1)
    const stride = inputStride(net, layer)
    const a = inputsOf(net, i, layer) + first * stride
    const kind = kindOf(net, layer - 1)
    const terms = isRelu(net, layer) ? net.terms + scratch : 0
    packTransposed(strips, theta + thetaBefore(net, layer), inputs, outputs)
    for (let r = 0, c = 0; c < active; ) {
      const rows = min(BLOCK, active - c)
      const step = stripBytes(outputs)
      products(tile, stride, d + c * dStride, dStride, rows, outputs, inputs, strips, 64, step, 0, terms)
      for (let k = 0; k < rows; k++, c++, r++) {
        while (!hasGradient(net, row + r)) r++
        differentiate(a + c * stride, tile + k * stride, a + r * stride, stride, kind)
      }
    }
    d = a
    dStride = stride
  }
  const inputs = widthOf(net, 0)
  const outputs = widthOf(net, 1)
  const stride = strideOf(inputs)
  packTransposed(strips, theta, inputs, outputs)
  for (let r = 0, c = 0; r < count; c += BLOCK) {
    const rows = min(BLOCK, active - c)
    if (rows > 0) {
      dense(tile, stride, d + c * dStride, dStride, rows, outputs, inputs, strips, 64, stripBytes(outputs), 0)
    }
    r = spreadRows(net, row, r, count, tile, rows)
  }
}

/** dy of the rows that have one, one after the other. Returns how many there are. */
function gatherGradients(net: Mlp, row: i32, count: i32, to: usize, stride: i32): i32 {
  const bytes = widthOf(net, net.layers) << 2
  let active = 0
  for (let r = 0; r < count; r++) {
    if (!hasGradient(net, row + r)) continue
    memory.copy(to + active * stride, net.dy + (row + r) * bytes, bytes)
    active++
  }
  return active
}

/** Writes dx of a tile's rows, and zeros between and behind them. Returns the row behind. */
function spreadRows(net: Mlp, row: i32, r: i32, count: i32, tile: usize, rows: i32): i32 {
  const inputs = widthOf(net, 0)
  const bytes = inputs << 2
  const stride = strideOf(inputs)
  for (let k = 0; r < count; r++) {
    const dx = net.dx + (row + r) * bytes
    if (!hasGradient(net, row + r)) {
      memory.fill(dx, 0, bytes)
      continue
    }
    if (k >= rows) return r
    memory.copy(dx, tile + k * stride, bytes)
    k++
  }
  return r
}
