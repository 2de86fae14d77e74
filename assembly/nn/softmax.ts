// log π(a) and entropy of softmax(logits) on rows of logits [rows, classes] one after the other, and their gradients.
// Four rows at a time, one a lane; rows beyond the last are the last one again.

import { exp4, log4 } from '../math/f32x4'
import { storeLanes } from './dense'

/** Four values at p0 … p3. */
// @ts-ignore: decorator
@inline
function gather4(p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  const v = v128.load_lane<f32>(p1, v128.load32_zero(p0), 1)
  return v128.load_lane<f32>(p3, v128.load_lane<f32>(p2, v, 2), 3)
}

/** The same of rows r … r + 3 of a column of numbers. */
// @ts-ignore: decorator
@inline
function rows4(column: usize, r: i32, rows: i32): v128 {
  if (r + 4 <= rows) return v128.load(column + (r << 2))
  return gather4(
    column + (r << 2), column + (min(r + 1, rows - 1) << 2), column + (min(r + 2, rows - 1) << 2),
    column + ((rows - 1) << 2),
  )
}

/** max_c l_c of four rows. */
// @ts-ignore: decorator
@inline
function highest4(p0: usize, p1: usize, p2: usize, p3: usize, line: i32): v128 {
  let highest = gather4(p0, p1, p2, p3)
  for (let c = 4; c < line; c += 4) highest = f32x4.max(highest, gather4(p0 + c, p1 + c, p2 + c, p3 + c))
  return highest
}

/** Σ_c e^{l_c − highest} of four rows. */
// @ts-ignore: decorator
@inline
function total4(p0: usize, p1: usize, p2: usize, p3: usize, line: i32, highest: v128): v128 {
  let total = f32x4.splat(0)
  for (let c = 0; c < line; c += 4) {
    total = f32x4.add(total, exp4(f32x4.sub(gather4(p0 + c, p1 + c, p2 + c, p3 + c), highest)))
  }
  return total
}

/** −Σ_c π_c log π_c of four rows. */
// @ts-ignore: decorator
@inline
function entropy4(p0: usize, p1: usize, p2: usize, p3: usize, line: i32, highest: v128, total: v128): v128 {
  const logTotal = log4(total)
  let sum = f32x4.splat(0)
  for (let c = 0; c < line; c += 4) {
    const shifted = f32x4.sub(gather4(p0 + c, p1 + c, p2 + c, p3 + c), highest)
    sum = f32x4.add(sum, f32x4.mul(exp4(shifted), f32x4.sub(shifted, logTotal)))
  }
  // Subtracted from 0, not negated: 0, never −0.
  return f32x4.sub(f32x4.splat(0), f32x4.div(sum, total))
}

/** log π(a) of every row; 0 where a is no class.    action, out: f32 [rows] */
export function logProbRows(out: usize, logits: usize, action: usize, rows: i32, classes: i32): void {
  const line = classes << 2
  for (let r = 0; r < rows; r += 4) {
    const p0 = logits + r * line
    const p1 = logits + min(r + 1, rows - 1) * line
    const p2 = logits + min(r + 2, rows - 1) * line
    const p3 = logits + min(r + 3, rows - 1) * line
    const a = i32x4.trunc_sat_f32x4_s(rows4(action, r, rows))
    const highest = highest4(p0, p1, p2, p3, line)
    const logTotal = log4(total4(p0, p1, p2, p3, line, highest))
    let logProb = f32x4.splat(0)
    for (let c = 0; c < classes; c++) {
      const at = c << 2
      const value = f32x4.sub(f32x4.sub(gather4(p0 + at, p1 + at, p2 + at, p3 + at), highest), logTotal)
      logProb = v128.bitselect(value, logProb, i32x4.eq(a, i32x4.splat(c)))
    }
    storeLanes(out + (r << 2), logProb, rows - r)
  }
}

/** Its gradient by the logits, d (1[c = a] − π_c).    d: f32 [rows]    out: f32 [rows, classes] */
export function logProbGradient(
  out: usize, d: usize, logits: usize, action: usize, rows: i32, classes: i32,
): void {
  const line = classes << 2
  for (let r = 0; r < rows; r += 4) {
    const q1 = min(1, rows - 1 - r) * line, q2 = min(2, rows - 1 - r) * line, q3 = min(3, rows - 1 - r) * line
    const p = logits + r * line
    const to = out + r * line
    const a = i32x4.trunc_sat_f32x4_s(rows4(action, r, rows))
    const inside = v128.andnot(i32x4.lt_s(a, i32x4.splat(classes)), i32x4.lt_s(a, i32x4.splat(0)))
    const scale = v128.and(rows4(d, r, rows), inside)
    const highest = highest4(p, p + q1, p + q2, p + q3, line)
    const total = total4(p, p + q1, p + q2, p + q3, line, highest)
    for (let c = 0; c < classes; c++) {
      const at = p + (c << 2)
      const weight = exp4(f32x4.sub(gather4(at, at + q1, at + q2, at + q3), highest))
      const hit = v128.and(i32x4.eq(a, i32x4.splat(c)), f32x4.splat(1))
      scatter4(to + (c << 2), q1, q2, q3, f32x4.mul(scale, f32x4.sub(hit, f32x4.div(weight, total))))
    }
  }
}

// @ts-ignore: decorator
@inline
function scatter4(to: usize, q1: usize, q2: usize, q3: usize, v: v128): void {
  v128.store_lane<f32>(to, v, 0)
  v128.store_lane<f32>(to + q1, v, 1)
  v128.store_lane<f32>(to + q2, v, 2)
  v128.store_lane<f32>(to + q3, v, 3)
}

/** H = −Σ_c π_c log π_c of every row, in nats.    out: f32 [rows] */
export function entropyRows(out: usize, logits: usize, rows: i32, classes: i32): void {
  const line = classes << 2
  for (let r = 0; r < rows; r += 4) {
    const p0 = logits + r * line
    const p1 = logits + min(r + 1, rows - 1) * line
    const p2 = logits + min(r + 2, rows - 1) * line
    const p3 = logits + min(r + 3, rows - 1) * line
    const highest = highest4(p0, p1, p2, p3, line)
    const total = total4(p0, p1, p2, p3, line, highest)
    storeLanes(out + (r << 2), entropy4(p0, p1, p2, p3, line, highest, total), rows - r)
  }
}

/** Its gradient by the logits, −d π_c (log π_c + H).    d: f32 [rows]    out: f32 [rows, classes] */
export function entropyGradient(out: usize, d: usize, logits: usize, rows: i32, classes: i32): void {
  const line = classes << 2
  for (let r = 0; r < rows; r += 4) {
    const q1 = min(1, rows - 1 - r) * line, q2 = min(2, rows - 1 - r) * line, q3 = min(3, rows - 1 - r) * line
    const p = logits + r * line
    const to = out + r * line
    const highest = highest4(p, p + q1, p + q2, p + q3, line)
    const total = total4(p, p + q1, p + q2, p + q3, line, highest)
    const entropy = entropy4(p, p + q1, p + q2, p + q3, line, highest, total)
    const offset = f32x4.sub(entropy, log4(total))
    const scale = f32x4.neg(f32x4.div(rows4(d, r, rows), total))
    for (let c = 0; c < classes; c++) {
      const at = p + (c << 2)
      const shifted = f32x4.sub(gather4(at, at + q1, at + q2, at + q3), highest)
      const value = f32x4.mul(f32x4.mul(scale, exp4(shifted)), f32x4.add(shifted, offset))
      scatter4(to + (c << 2), q1, q2, q3, value)
    }
  }
}
