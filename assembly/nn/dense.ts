// Dense layers on rows that are read where they lie. Each element is its bias, then x_k w_k added for k in order, in
// one accumulator: a row's bits depend neither on its neighbours nor on the blocking, nor on whether W was packed.
//
// W is read in strips of sixteen columns: strip s begins at w + s step, its line k lies k line bytes further. Where W
// lies as it is, `step` is 64 and `line` a row of W; packed, a strip is [inputs][16].
//
// Whole vectors are computed: with a width that is no multiple of four the last lanes hold values that nobody reads,
// and up to 12 bytes behind W and the bias are read.

import { mulAdd, storeTransposed } from '../math/matrix'

// @ts-ignore: decorator
@inline
export function padded(size: i32): i32 {
  return (size + 3) & ~3
}

/**
 * Bytes of a row of outputs that a pass back reads: S(w) floats, an odd number of vectors, so that the same column of
 * many rows does not fall into the same few sets of the cache.
 */
// @ts-ignore: decorator
@inline
export function strideOf(width: i32): i32 {
  return (padded(width) | 4) << 2
}

/** Bytes of a packed strip. */
// @ts-ignore: decorator
@inline
export function stripBytes(inputs: i32): i32 {
  return inputs << 6
}

/**
 * out_r = b + x_r W for every row, of which there is one at least, as there is of inputs.
 *
 *     out: f32 [rows, padded(outputs)] at outStride bytes a row    x: f32 [rows, inputs] at xStride    bias: 0 for none
 */
export function dense(
  out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, inputs: i32, outputs: i32, w: usize, line: i32,
  step: i32, bias: usize,
): void {
  let panels = (outputs + 3) >> 2
  if (rows == 1) {
    oneRow(out, x, inputs, panels, w, line, step, bias)
    return
  }
  // A strip stays in the first cache while all rows pass.
  for (; panels >= 4; panels -= 4, out += 64, w += step) {
    twoByFour(out, outStride, x, xStride, rows, inputs, w, line, bias)
    if (bias) bias += 64
  }
  if (panels >= 2) {
    fourByTwo(out, outStride, x, xStride, rows, inputs, w, line, bias)
    if (bias) bias += 32
    out += 32
    w += 32
  }
  if (panels & 1) fourByOne(out, outStride, x, xStride, rows, inputs, w, line, bias)
}

// @ts-ignore: decorator
@inline
function biasAt(bias: usize, offset: usize): v128 {
  return bias ? v128.load(bias + offset) : f32x4.splat(0)
}

/**
 * Two rows at a time by a strip: eight accumulators, and six values that are loaded before the first is used, which is
 * all that V8's registers hold: two steps of k in one round run at half the speed. V8 unrolls the inner loop by itself,
 * but only because it stands in another, and better where its test stands at the end, so that `inputs` is at least 1:
 * on Zen 3 it reaches 78 % of the peak in Node 20 (73 % with the test at the begin), whose V8 puts all six loads before
 * the arithmetic. Five columns of vectors would load less, but a spilled accumulator then halves the speed.
 */
function twoByFour(
  out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, inputs: i32, w: usize, line: i32, bias: usize,
): void {
  const count = inputs << 2
  for (; rows > 0; rows -= 2, x += 2 * xStride, out += 2 * outStride) {
    // The last of an odd number is taken twice.
    const other = rows > 1 ? xStride : 0
    let s00 = biasAt(bias, 0), s01 = biasAt(bias, 16), s02 = biasAt(bias, 32), s03 = biasAt(bias, 48)
    let s10 = s00, s11 = s01, s12 = s02, s13 = s03
    for (let k = x, l = x + other, u = w, end = x + count; ; ) {
      const v0 = v128.load(u), v1 = v128.load(u, 16), v2 = v128.load(u, 32), v3 = v128.load(u, 48)
      const t0 = v128.load32_splat(k)
      s00 = mulAdd(t0, v0, s00)
      s01 = mulAdd(t0, v1, s01)
      s02 = mulAdd(t0, v2, s02)
      s03 = mulAdd(t0, v3, s03)
      const t1 = v128.load32_splat(l)
      s10 = mulAdd(t1, v0, s10)
      s11 = mulAdd(t1, v1, s11)
      s12 = mulAdd(t1, v2, s12)
      s13 = mulAdd(t1, v3, s13)
      k += 4
      l += 4
      u += line
      if (k >= end) break
    }
    v128.store(out, s00)
    v128.store(out, s01, 16)
    v128.store(out, s02, 32)
    v128.store(out, s03, 48)
    const to = rows > 1 ? out + outStride : out
    v128.store(to, s10)
    v128.store(to, s11, 16)
    v128.store(to, s12, 32)
    v128.store(to, s13, 48)
  }
}

/** Four rows at a time by the next eight columns of the last strip. Rows beyond the last are the last one again. */
function fourByTwo(
  out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, inputs: i32, w: usize, line: i32, bias: usize,
): void {
  const count = inputs << 2
  for (; rows > 0; rows -= 4, x += 4 * xStride, out += 4 * outStride) {
    const second = min(1, rows - 1), third = min(2, rows - 1), fourth = min(3, rows - 1)
    const x1 = x + second * xStride, x2 = x + third * xStride, x3 = x + fourth * xStride
    let s00 = biasAt(bias, 0), s01 = biasAt(bias, 16)
    let s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01
    for (let k = 0, from = w; ; ) {
      const u = v128.load(from)
      const v = v128.load(from, 16)
      let t = v128.load32_splat(x + k)
      s00 = mulAdd(t, u, s00)
      s01 = mulAdd(t, v, s01)
      t = v128.load32_splat(x1 + k)
      s10 = mulAdd(t, u, s10)
      s11 = mulAdd(t, v, s11)
      t = v128.load32_splat(x2 + k)
      s20 = mulAdd(t, u, s20)
      s21 = mulAdd(t, v, s21)
      t = v128.load32_splat(x3 + k)
      s30 = mulAdd(t, u, s30)
      s31 = mulAdd(t, v, s31)
      k += 4
      from += line
      if (k >= count) break
    }
    v128.store(out, s00)
    v128.store(out, s01, 16)
    let to = out + second * outStride
    v128.store(to, s10)
    v128.store(to, s11, 16)
    to = out + third * outStride
    v128.store(to, s20)
    v128.store(to, s21, 16)
    to = out + fourth * outStride
    v128.store(to, s30)
    v128.store(to, s31, 16)
  }
}

/** Four rows at a time by the next four columns of the last strip. */
function fourByOne(
  out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, inputs: i32, w: usize, line: i32, bias: usize,
): void {
  const count = inputs << 2
  for (; rows > 0; rows -= 4, x += 4 * xStride, out += 4 * outStride) {
    const second = min(1, rows - 1), third = min(2, rows - 1), fourth = min(3, rows - 1)
    const x1 = x + second * xStride, x2 = x + third * xStride, x3 = x + fourth * xStride
    let s0 = biasAt(bias, 0), s1 = s0, s2 = s0, s3 = s0
    for (let k = 0, from = w; ; ) {
      const u = v128.load(from)
      s0 = mulAdd(v128.load32_splat(x + k), u, s0)
      s1 = mulAdd(v128.load32_splat(x1 + k), u, s1)
      s2 = mulAdd(v128.load32_splat(x2 + k), u, s2)
      s3 = mulAdd(v128.load32_splat(x3 + k), u, s3)
      k += 4
      from += line
      if (k >= count) break
    }
    v128.store(out, s0)
    v128.store(out + second * outStride, s1)
    v128.store(out + third * outStride, s2)
    v128.store(out + fourth * outStride, s3)
  }
}

/** A row alone. */
function oneRow(out: usize, x: usize, inputs: i32, panels: i32, w: usize, line: i32, step: i32, bias: usize): void {
  const end = x + (inputs << 2)
  let b: usize = 0
  for (; panels >= 4; panels -= 4, w += step, b += 64) {
    let s0 = biasAt(bias, b), s1 = biasAt(bias, b + 16), s2 = biasAt(bias, b + 32), s3 = biasAt(bias, b + 48)
    for (let k = x, u = w; k < end; k += 4, u += line) {
      const t = v128.load32_splat(k)
      s0 = mulAdd(t, v128.load(u), s0)
      s1 = mulAdd(t, v128.load(u, 16), s1)
      s2 = mulAdd(t, v128.load(u, 32), s2)
      s3 = mulAdd(t, v128.load(u, 48), s3)
    }
    v128.store(out + b, s0)
    v128.store(out + b, s1, 16)
    v128.store(out + b, s2, 32)
    v128.store(out + b, s3, 48)
  }
  for (; panels > 0; panels--, w += 16, b += 16) {
    let s = biasAt(bias, b)
    for (let k = x, u = w; k < end; k += 4, u += line) s = mulAdd(v128.load32_splat(k), v128.load(u), s)
    v128.store(out + b, s)
  }
}

/** Strips [inputs][16] of W [inputs, outputs]. */
export function packStrips(strips: usize, w: usize, inputs: i32, outputs: i32): void {
  const line = outputs << 2
  for (let c = 0; c < line; c += 64) {
    for (let k = 0, from = w + c; k < inputs; k++, from += line, strips += 64) {
      v128.store(strips, v128.load(from))
      v128.store(strips, v128.load(from, 16), 16)
      v128.store(strips, v128.load(from, 32), 32)
      v128.store(strips, v128.load(from, 48), 48)
    }
  }
}

/**
 * Strips [outputs][16] of Wᵀ [outputs, inputs], from W [inputs, outputs]. Up to three lines behind the last are
 * written.
 */
export function packTransposed(strips: usize, w: usize, inputs: i32, outputs: i32): void {
  const line = outputs << 2
  const last = w + (inputs - 1) * line
  for (let i = 0; i < inputs; i += 4) {
    const w0 = w + i * line
    const w1 = min(w0 + line, last), w2 = min(w1 + line, last), w3 = min(w2 + line, last)
    const strip = strips + (i >> 4) * stripBytes(outputs) + ((i & 12) << 2)
    for (let k = 0; k < line; k += 16) {
      storeTransposed(
        strip + (k << 4), 64, v128.load(w0 + k), v128.load(w1 + k), v128.load(w2 + k), v128.load(w3 + k),
      )
    }
  }
}

/** Stores the first `count` lanes of v; all for 4 or more, none for 0 or less. */
// @ts-ignore: decorator
@inline
export function storeLanes(to: usize, v: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, v)
    return
  }
  if (count > 0) v128.store_lane<f32>(to, v, 0)
  if (count > 1) v128.store_lane<f32>(to, v, 1, 4)
  if (count > 2) v128.store_lane<f32>(to, v, 2, 8)
}

/**
 * W += xᵀ d over some rows, at least one, in order, for the columns of d from `c` on; `first` takes W as zero.
 *
 *     w: f32 [inputs, outputs]    x: f32 [rows, inputs] at xStride bytes a row    d: f32 [rows, outputs] at dStride
 */
export function addProducts(
  w: usize, x: usize, xStride: i32, d: usize, dStride: i32, rows: i32, inputs: i32, outputs: i32,
  first: bool, c: i32,
): void {
  for (; c + 12 < outputs; c += 16) {
    const at = c << 2
    addByTwo(w + at, outputs << 2, x, xStride, d + at, dStride, rows, inputs, outputs - c, first)
  }
  for (; c + 4 < outputs; c += 8) {
    const at = c << 2
    addByFour(w + at, outputs << 2, x, xStride, d + at, dStride, rows, inputs, outputs - c, first)
  }
  if (c < outputs) {
    const at = c << 2
    addByEight(w + at, outputs << 2, x, xStride, d + at, dStride, rows, inputs, outputs - c, first)
  }
}

/** Two inputs by sixteen outputs at a time, of which `outputs` are stored. Lines behind the last are not read. */
function addByTwo(
  w: usize, line: i32, x: usize, xStride: i32, d: usize, dStride: i32, rows: i32, inputs: i32, outputs: i32,
  first: bool,
): void {
  for (; inputs > 0; inputs -= 2, x += 8, w += 2 * line) {
    const w1 = inputs > 1 ? w + line : w
    let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00
    if (!first) {
      s00 = v128.load(w)
      s01 = v128.load(w, 16)
      s02 = v128.load(w, 32)
      s03 = v128.load(w, 48)
      s10 = v128.load(w1)
      s11 = v128.load(w1, 16)
      s12 = v128.load(w1, 32)
      s13 = v128.load(w1, 48)
    }
    for (let r = rows, p = x, q = d; ; ) {
      const v0 = v128.load(q), v1 = v128.load(q, 16), v2 = v128.load(q, 32), v3 = v128.load(q, 48)
      const t0 = v128.load32_splat(p)
      s00 = mulAdd(t0, v0, s00)
      s01 = mulAdd(t0, v1, s01)
      s02 = mulAdd(t0, v2, s02)
      s03 = mulAdd(t0, v3, s03)
      const t1 = v128.load32_splat(p, 4)
      s10 = mulAdd(t1, v0, s10)
      s11 = mulAdd(t1, v1, s11)
      s12 = mulAdd(t1, v2, s12)
      s13 = mulAdd(t1, v3, s13)
      p += xStride
      q += dStride
      if (--r <= 0) break
    }
    storeFour(w, s00, s01, s02, s03, outputs)
    if (inputs > 1) storeFour(w1, s10, s11, s12, s13, outputs)
  }
}

// @ts-ignore: decorator
@inline
function storeFour(to: usize, a: v128, b: v128, c: v128, d: v128, count: i32): void {
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  storeLanes(to + 48, d, count - 12)
}

/** Four inputs by eight outputs at a time, of which `outputs` are stored. */
function addByFour(
  w: usize, line: i32, x: usize, xStride: i32, d: usize, dStride: i32, rows: i32, inputs: i32, outputs: i32,
  first: bool,
): void {
  for (; inputs > 0; inputs -= 4, x += 16, w += 4 * line) {
    const w1 = w + min(1, inputs - 1) * line, w2 = w + min(2, inputs - 1) * line, w3 = w + min(3, inputs - 1) * line
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00
    if (!first) {
      s00 = v128.load(w)
      s01 = v128.load(w, 16)
      s10 = v128.load(w1)
      s11 = v128.load(w1, 16)
      s20 = v128.load(w2)
      s21 = v128.load(w2, 16)
      s30 = v128.load(w3)
      s31 = v128.load(w3, 16)
    }
    for (let r = rows, p = x, q = d; ; ) {
      const u = v128.load(q)
      const v = v128.load(q, 16)
      let t = v128.load32_splat(p)
      s00 = mulAdd(t, u, s00)
      s01 = mulAdd(t, v, s01)
      t = v128.load32_splat(p, 4)
      s10 = mulAdd(t, u, s10)
      s11 = mulAdd(t, v, s11)
      t = v128.load32_splat(p, 8)
      s20 = mulAdd(t, u, s20)
      s21 = mulAdd(t, v, s21)
      t = v128.load32_splat(p, 12)
      s30 = mulAdd(t, u, s30)
      s31 = mulAdd(t, v, s31)
      p += xStride
      q += dStride
      if (--r <= 0) break
    }
    storePair(w, s00, s01, outputs)
    if (inputs > 1) storePair(w1, s10, s11, outputs)
    if (inputs > 2) storePair(w2, s20, s21, outputs)
    if (inputs > 3) storePair(w3, s30, s31, outputs)
  }
}

// @ts-ignore: decorator
@inline
function storePair(to: usize, u: v128, v: v128, count: i32): void {
  if (count >= 8) {
    v128.store(to, u)
    v128.store(to, v, 16)
  } else {
    storeLanes(to, u, count)
    storeLanes(to + 16, v, count - 4)
  }
}

/** Eight inputs at a time by the last one to four outputs. */
function addByEight(
  w: usize, line: i32, x: usize, xStride: i32, d: usize, dStride: i32, rows: i32, inputs: i32, outputs: i32,
  first: bool,
): void {
  for (; inputs > 0; inputs -= 8, x += 32, w += 8 * line) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
    if (!first) {
      const last = inputs - 1
      s0 = v128.load(w)
      s1 = v128.load(w + min(1, last) * line)
      s2 = v128.load(w + min(2, last) * line)
      s3 = v128.load(w + min(3, last) * line)
      s4 = v128.load(w + min(4, last) * line)
      s5 = v128.load(w + min(5, last) * line)
      s6 = v128.load(w + min(6, last) * line)
      s7 = v128.load(w + min(7, last) * line)
    }
    for (let r = rows, p = x, q = d; ; ) {
      const u = v128.load(q)
      s0 = mulAdd(v128.load32_splat(p), u, s0)
      s1 = mulAdd(v128.load32_splat(p, 4), u, s1)
      s2 = mulAdd(v128.load32_splat(p, 8), u, s2)
      s3 = mulAdd(v128.load32_splat(p, 12), u, s3)
      s4 = mulAdd(v128.load32_splat(p, 16), u, s4)
      s5 = mulAdd(v128.load32_splat(p, 20), u, s5)
      s6 = mulAdd(v128.load32_splat(p, 24), u, s6)
      s7 = mulAdd(v128.load32_splat(p, 28), u, s7)
      p += xStride
      q += dStride
      if (--r <= 0) break
    }
    storeLanes(w, s0, outputs)
    if (inputs > 1) storeLanes(w + line, s1, outputs)
    if (inputs > 2) storeLanes(w + 2 * line, s2, outputs)
    if (inputs > 3) storeLanes(w + 3 * line, s3, outputs)
    if (inputs > 4) storeLanes(w + 4 * line, s4, outputs)
    if (inputs > 5) storeLanes(w + 5 * line, s5, outputs)
    if (inputs > 6) storeLanes(w + 6 * line, s6, outputs)
    if (inputs > 7) storeLanes(w + 7 * line, s7, outputs)
  }
}

/** b += Σ_r d_r over some rows, in order; `first` takes b as zero.    d: f32 [rows, columns] at stride bytes a row */
export function addRows(b: usize, d: usize, stride: i32, rows: i32, columns: i32, first: bool): void {
  let c = 0
  for (; c + 16 <= columns; c += 16, b += 64, d += 64) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    if (!first) {
      s0 = v128.load(b)
      s1 = v128.load(b, 16)
      s2 = v128.load(b, 32)
      s3 = v128.load(b, 48)
    }
    for (let r = 0, p = d; r < rows; r++, p += stride) {
      s0 = f32x4.add(s0, v128.load(p))
      s1 = f32x4.add(s1, v128.load(p, 16))
      s2 = f32x4.add(s2, v128.load(p, 32))
      s3 = f32x4.add(s3, v128.load(p, 48))
    }
    v128.store(b, s0)
    v128.store(b, s1, 16)
    v128.store(b, s2, 32)
    v128.store(b, s3, 48)
  }
  for (; c < columns; c += 4, b += 16, d += 16) {
    let s = first ? f32x4.splat(0) : v128.load(b)
    for (let r = 0, p = d; r < rows; r++, p += stride) s = f32x4.add(s, v128.load(p))
    storeLanes(b, s, columns - c)
  }
}

/** Rows that are `stride` bytes apart one after the other. Nothing behind the last is written. */
export function compactRows(out: usize, from: usize, stride: i32, rows: i32, columns: i32): void {
  const line = columns << 2
  // A vector at the end of a row reaches into at most three others.
  for (; rows > 3; rows--, out += line, from += stride) {
    for (let k = 0; k < line; k += 16) v128.store(out + k, v128.load(from + k))
  }
  for (; rows > 0; rows--, out += line, from += stride) {
    for (let k = 0; k < line; k += 16) storeLanes(out + k, v128.load(from + k), columns - (k >> 2))
  }
}
