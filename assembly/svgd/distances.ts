import { positive4 } from '../math/f32x4'
import { multiplyPanels, storeTransposed } from '../math/matrix'

// Up to here differences are formed directly: exact, and faster than a product of such short rows.
const SHORT: i32 = 16
// Rows that the centre is the mean of.
const SAMPLED: i32 = 16
// Below this share of |x_i|² + |x_j|² a distance from the Gram matrix has lost two bits to cancellation: it is computed
// again. A kernel multiplies the relative error of d² by d²/h, so more would show in the direction.
export const CLOSE: f32 = 1.0 / 4

// @ts-ignore: decorator
@inline
export function lineOf(n: i32): i32 {
  return ((n + 3) & ~3) << 2
}

// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}

/**
 * Column means of at most sixteen evenly spaced rows. Distances are formed from a Gram matrix, which cancels when
 * particles are far from the origin and close together; so they are taken from the particles less a point among them.
 * Which one does not matter, and the mean of all would cost another pass through memory.
 *
 *     x: f32 [n, D]    out: f32 [D], D a multiple of 4
 */
export function centreOf(out: usize, x: usize, n: i32, D: i32): void {
  const row = D << 2
  const step = (n + SAMPLED - 1) / SAMPLED
  memory.copy(out, x, row)
  let count = 1
  for (let i = step; i < n; i += step, count++) {
    const xi = x + i * row
    for (let k = 0; k < row; k += 16) v128.store(out + k, f32x4.add(v128.load(out + k), v128.load(xi + k)))
  }
  const inverse = f32x4.splat(1 / <f32>count)
  for (let k = 0; k < row; k += 16) v128.store(out + k, f32x4.mul(v128.load(out + k), inverse))
}

/** Rows 4p … 4p+3 of x less the centre (0: none) as a panel [count][4]. Rows beyond the last repeat it. */
function packRows(panel: usize, x: usize, centre: usize, n: i32, row: i32, p: i32, count: i32): void {
  const last = n - 1
  const x0 = x + min(4 * p, last) * row
  const x1 = x + min(4 * p + 1, last) * row
  const x2 = x + min(4 * p + 2, last) * row
  const x3 = x + min(4 * p + 3, last) * row
  for (let k = 0, end = count << 2; k < end; k += 16, panel += 64) {
    const m = centre ? v128.load(centre + k) : f32x4.splat(0)
    storeTransposed(panel, 16, f32x4.sub(v128.load(x0 + k), m), f32x4.sub(v128.load(x1 + k), m),
      f32x4.sub(v128.load(x2 + k), m), f32x4.sub(v128.load(x3 + k), m))
  }
}

/**
 * First half of the squared distances, for row panels first … end − 1 (four rows each), below the diagonal.
 * Short rows: |x_i − x_j|² itself. Longer rows: inner products of the particles less their centre, diagonal included.
 *
 *     matrix: f32 [N, N], N = n rounded up to 4    x: f32 [n, D]    centre: f32 [D]
 *     panels: f32 [N, block or D ≤ 16]    tile: f32 [4, N]
 *     block: columns that are packed at a time
 */
export function gram(
  matrix: usize, x: usize, centre: usize, n: i32, d: i32, block: i32, panels: usize, tile: usize, first: i32, end: i32,
): void {
  const D = (d + 3) & ~3
  const row = D << 2
  const line = lineOf(n)
  if (d <= SHORT) {
    for (let p = 0; p < end; p++) packRows(panels + p * (D << 4), x, 0, n, row, p, D)
    for (let p = first; p < end; p++) shortDistances(matrix, panels, n, d, p)
    return
  }
  for (let from = 0; from < D; from += block) {
    const count = min(block, D - from)
    const size = count << 4
    for (let p = 0; p < end; p++) packRows(panels + p * size, x + (from << 2), centre + (from << 2), n, row, p, count)
    for (let p = first; p < end; p++) {
      const to = matrix + 4 * p * line
      const sum = from == 0 ? to : tile
      multiplyPanels(sum, line, panels + p * size, panels, p + 1, count)
      if (from > 0) addRows(to, tile, line, (p + 1) << 4)
    }
  }
}

/** Adds the first `bytes` of four rows. */
function addRows(to: usize, from: usize, line: i32, bytes: i32): void {
  for (let r = 0; r < 4; r++, to += line, from += line) {
    for (let k = 0; k < bytes; k += 16) v128.store(to + k, f32x4.add(v128.load(to + k), v128.load(from + k)))
  }
}

/** Four rows at once, so that each column is read once for them. Rows beyond the last are the last one again. */
function shortDistances(matrix: usize, panels: usize, n: i32, d: i32, p: i32): void {
  const size = ((d + 3) & ~3) << 4
  const end = d << 4
  const line = lineOf(n)
  const a = panels + p * size
  const last = n - 1 - 4 * p
  const second = min(1, last) * line, third = min(2, last) * line, fourth = min(3, last) * line
  let to = matrix + 4 * p * line
  for (let q = 0, b = panels; q <= p; q++, to += 16, b += size) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    for (let k = 0; k < end; k += 16) {
      const v = v128.load(b + k)
      s0 = addSquare(s0, v128.load32_splat(a + k), v)
      s1 = addSquare(s1, v128.load32_splat(a + k, 4), v)
      s2 = addSquare(s2, v128.load32_splat(a + k, 8), v)
      s3 = addSquare(s3, v128.load32_splat(a + k, 12), v)
    }
    v128.store(to, s0)
    v128.store(to + second, s1)
    v128.store(to + third, s2)
    v128.store(to + fourth, s3)
  }
}

// @ts-ignore: decorator
@inline
function addSquare(sum: v128, x: v128, y: v128): v128 {
  const difference = f32x4.sub(x, y)
  return f32x4.add(sum, f32x4.mul(difference, difference))
}

/**
 * Second half: d²_ij = x_i·x_i + x_j·x_j − 2 x_i·x_j for j < i, rows of panels first … end − 1. Pairs so close that the
 * difference cancels are computed from x. The rest of the vector that holds
 * the diagonal becomes +inf, so that counting values below a bound needs no tail.
 *
 *     matrix, x as above    squares: f32 [N] the diagonal of the Gram matrix
 */
export function finishDistances(matrix: usize, x: usize, squares: usize, n: i32, d: i32, first: i32, end: i32): void {
  const line = lineOf(n)
  const D = (d + 3) & ~3
  for (let i = first << 2, last = min(n, end << 2); i < last; i++) {
    const to = matrix + i * line
    if (d > SHORT) {
      const square = v128.load32_splat(squares + (i << 2))
      // Close ones wait until there are four.
      let waiting = 0, j0 = 0, j1 = 0, j2 = 0, j3 = 0
      for (let j = 0; j < i; j += 4) {
        let close = fromProducts(to + (j << 2), square, squares + (j << 2))
        // Those below the diagonal.
        if (j + 4 > i) close &= (1 << (i - j)) - 1
        for (; close; close &= close - 1) {
          j3 = j2
          j2 = j1
          j1 = j0
          j0 = j + ctz(close)
          if (++waiting < 4) continue
          refine(to, x, D, i, j0, j1, j2, j3)
          waiting = 0
        }
      }
      if (waiting > 0) refine(to, x, D, i, j0, waiting > 1 ? j1 : j0, waiting > 2 ? j2 : j0, j0)
    }
    for (let j = i; j <= (i | 3); j++) store<f32>(to + (j << 2), Infinity)
  }
}

/** Four distances; returns the bits of those that are too close. */
// @ts-ignore: decorator
@inline
function fromProducts(to: usize, square: v128, squares: usize): i32 {
  const sum = f32x4.add(square, v128.load(squares))
  const product = v128.load(to)
  const d2 = positive4(f32x4.sub(sum, f32x4.add(product, product)))
  v128.store(to, d2)
  return i32x4.bitmask(f32x4.lt(d2, f32x4.mul(sum, f32x4.splat(CLOSE))))
}

/** d² of i and four others from differences: at once, or each addition would wait for the one before. */
function refine(to: usize, x: usize, D: i32, i: i32, j0: i32, j1: i32, j2: i32, j3: i32): void {
  const row = D << 2
  const x0 = x + j0 * row, x1 = x + j1 * row, x2 = x + j2 * row, x3 = x + j3 * row
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
  for (let k = 0, own = x + i * row; k < row; k += 16) {
    const v = v128.load(own + k)
    s0 = addSquare(s0, v, v128.load(x0 + k))
    s1 = addSquare(s1, v, v128.load(x1 + k))
    s2 = addSquare(s2, v, v128.load(x2 + k))
    s3 = addSquare(s3, v, v128.load(x3 + k))
  }
  store<f32>(to + (j0 << 2), sumLanes(s0))
  store<f32>(to + (j1 << 2), sumLanes(s1))
  store<f32>(to + (j2 << 2), sumLanes(s2))
  store<f32>(to + (j3 << 2), sumLanes(s3))
}

/** The diagonal of an [n, N] matrix.    out: f32 [n] */
export function diagonalInto(out: usize, matrix: usize, n: i32): void {
  const line = lineOf(n)
  for (let i = 0; i < n; i++) store<f32>(out + (i << 2), load<f32>(matrix + i * line + (i << 2)))
}

/** (x_ik − x_jk)² of one coordinate k, below the diagonal, as finishDistances leaves distances. */
export function columnDistances(matrix: usize, x: usize, n: i32, D: i32, column: i32): void {
  const row = D << 2
  const line = lineOf(n)
  for (let i = 0; i < n; i++) {
    const to = matrix + i * line
    const value = load<f32>(x + i * row + (column << 2))
    for (let j = 0; j < i; j++) {
      const difference = value - load<f32>(x + j * row + (column << 2))
      store<f32>(to + (j << 2), difference * difference)
    }
    for (let j = i; j <= (i | 3); j++) store<f32>(to + (j << 2), Infinity)
  }
}
