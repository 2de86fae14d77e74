// Products of rows with many zeros, such as what a ReLU gives and the gradients that it lets through. Terms of zeros
// are left out, which changes no sum: s + 0 w = s for every finite w.

import { mulAdd } from '../math/matrix'
import { addProducts, dense } from './dense'

/** Strips of sixteen columns from which looking for zeros pays. */
const STRIPS: i32 = 4

/**
 * Eighths of the numbers that may be other than zero: a term costs 1.4 times as much here as in dense, where two rows
 * share what is loaded.
 */
const EIGHTHS: i32 = 5

/**
 * As dense, for rows that may hold many zeros; the bits are the same.
 *
 *     room: see listTerms
 */
export function denseOfRelu(
  out: usize, outStride: i32, x: usize, xStride: i32, rows: i32, inputs: i32, outputs: i32, w: usize, line: i32,
  step: i32, bias: usize, room: usize,
): void {
  let strips = outputs >> 4
  if (strips < STRIPS || !listTerms(room, x, xStride, 4, rows, inputs, line)) strips = 0
  sparse(out, outStride, bias, 0, rows, strips, w, step, room)
  const left = outputs - (strips << 4)
  if (left == 0) return
  const at = strips << 6
  dense(out + at, outStride, x, xStride, rows, inputs, left, w + strips * step, line, step, bias ? bias + at : 0)
}

/** As addProducts, for x that may hold many zeros; the bits are the same. */
export function addProductsOfRelu(
  w: usize, x: usize, xStride: i32, d: usize, dStride: i32, rows: i32, inputs: i32, outputs: i32, first: bool,
  room: usize,
): void {
  let strips = outputs >> 4
  if (strips < STRIPS || !listTerms(room, x, 4, xStride, inputs, rows, dStride)) strips = 0
  const line = outputs << 2
  sparse(w, line, first ? 0 : w, line, inputs, strips, d, 64, room)
  addProducts(w, x, xStride, d, dStride, rows, inputs, outputs, first, strips << 4)
}

// @ts-ignore: decorator
@inline
function termsOf(room: usize, rows: i32): usize {
  return room + (<usize>((rows + 1) & ~1) << 2)
}

/**
 * Lists the terms of rows x, `stride` bytes apart, whose numbers are `next` bytes apart. Number k stands for line k of
 * a matrix, `line` bytes each.
 *
 *     room: | ends of the rows' terms, i32 [rows] | offset of the line, i32; number, f32 | … |
 *
 * Returns whether they are so few that leaving zeros out is faster.
 */
function listTerms(room: usize, x: usize, stride: i32, next: i32, rows: i32, inputs: i32, line: i32): bool {
  let term = termsOf(room, rows)
  const most = term + rows * inputs * EIGHTHS
  for (let r = 0; r < rows; r++, x += stride) {
    let p = x
    for (let offset = 0, end = inputs * line; offset < end; offset += line, p += next) {
      const bits = load<i32>(p)
      store<i32>(term, offset)
      store<i32>(term, bits, 4)
      // All but the sign.
      term += <usize>(bits << 1 != 0) << 3
    }
    store<usize>(room + (r << 2), term)
  }
  // Eight bytes each.
  return term <= most
}

/**
 * out_r = begin_r + Σ_k x_rk line_k for all rows, of which `room` lists the terms, in strips of sixteen columns.
 *
 *     out: f32 [rows, 16 strips] at outStride bytes a row
 *     begin: the same at beginStride, or 0 for zero
 *     w: line 0; strip s of it begins s step bytes further
 */
function sparse(
  out: usize, outStride: i32, begin: usize, beginStride: i32, rows: i32, strips: i32, w: usize, step: i32, room: usize,
): void {
  for (; strips > 0; strips--, out += 64, w += step) {
    let term = termsOf(room, rows)
    let to = out, from = begin
    for (let r = 0; r < rows; r++, to += outStride, from += beginStride) {
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
      if (begin) {
        s0 = v128.load(from)
        s1 = v128.load(from, 16)
        s2 = v128.load(from, 32)
        s3 = v128.load(from, 48)
      }
      for (const end = load<usize>(room + (r << 2)); term < end; term += 8) {
        const u = w + load<i32>(term)
        const t = v128.load32_splat(term, 4)
        s0 = mulAdd(t, v128.load(u), s0)
        s1 = mulAdd(t, v128.load(u, 16), s1)
        s2 = mulAdd(t, v128.load(u, 32), s2)
        s3 = mulAdd(t, v128.load(u, 48), s3)
      }
      v128.store(to, s0)
      v128.store(to, s1, 16)
      v128.store(to, s2, 32)
      v128.store(to, s3, 48)
    }
    if (begin) begin += 64
  }
}
