import { exp4, log4 } from '../math/f32x4'
import { storeTransposed } from '../math/matrix'
import { CLOSE, lineOf, sumLanes } from './distances'

// Kinds of terms, as in src/svgd/kernels.ts.
const RBF: i32 = 0
const IMQ: i32 = 1
const MATERN32: i32 = 2
const LINEAR: i32 = 3

/** One term w k(x, y) of a kernel. */
@unmanaged
class Term {
  kind: i32
  weight: f32
  /** rbf: h    imq: c²    matern32: ℓ²    linear: c */
  a: f32
  /** imq: β */
  b: f32
}

const TERM_BYTES: i32 = 16
// Rows that are mirrored together: a whole cache line of each row that is written to.
const MIRROR: i32 = 16

/**
 * From squared distances below the diagonal to the kernel matrix K_ij = Σ_m w_m k_m(x_i, x_j), whole and symmetric to
 * the bit, for rows first … end − 1 (first a multiple of 16). Where `slopes` is not 0 it receives W_ij = −2 Σ_m w_m
 * k'_m(d²), with which ∇_{x_j} k(x_j, x_i) = W_ij (x_i − x_j); a single RBF needs none, as W = 2/h K.
 *
 *     kernel, slopes: f32 [N, N]    squares: f32 [N] |x_i|² and x: f32 [n, D], read by linear terms
 *     terms: Term [count]    distances: f64 [n] Σ_{j<i} d_ij
 *     reach: f32 [⌈n/16⌉, N] the part of Σ_{j≠i} W_ij d_ij (K_ij d_ij without slopes) of each sixteen rows:
 *     see trustInto
 */
export function kernelRows(
  kernel: usize, slopes: usize, squares: usize, x: usize, D: i32, distances: usize, reach: usize, terms: usize,
  count: i32, n: i32, first: i32, end: i32,
): void {
  for (let from = first; from < end; from += MIRROR) {
    const last = min(end, from + MIRROR)
    const part = reach + (from / MIRROR) * lineOf(n)
    memory.fill(part, 0, lineOf(n))
    for (let i = from; i < last; i++) kernelRow(kernel, slopes, squares, x, D << 2, distances, part, terms, count, n, i)
    mirror(kernel, n, from, last)
    if (slopes) mirror(slopes, n, from, last)
  }
}

function kernelRow(
  kernel: usize, slopes: usize, squares: usize, x: usize, bytes: i32, distances: usize, reach: usize, terms: usize,
  count: i32, n: i32, i: i32,
): void {
  const line = lineOf(n)
  const row = kernel + i * line
  // The vector that holds the diagonal is the last: d² = 0 there, and +inf beyond, which adds nothing.
  const last = (i & ~3) << 2
  store<f32>(row + (i << 2), 0)
  const edge = v128.load(row + last)
  let sum = v128.bitselect(f32x4.splat(0), f32x4.sqrt(edge), f32x4.eq(edge, f32x4.splat(Infinity)))
  const atEdge = sum
  let far = f32x4.splat(0)
  if (slopes) {
    const slope = slopes + i * line
    for (let k = 0; k < last; k += 16) {
      const d2 = v128.load(row + k)
      const d = f32x4.sqrt(d2)
      sum = f32x4.add(sum, d)
      evaluateTerms(row + k, slope + k, d2, squares, x, bytes, terms, count, i, k >> 2)
      far = addReach(reach + k, far, v128.load(slope + k), d)
    }
    evaluateTerms(row + last, slope + last, edge, squares, x, bytes, terms, count, i, last >> 2)
    far = addReach(reach + last, far, onlyBefore(v128.load(slope + last), i), atEdge)
  } else {
    const single = changetype<Term>(terms)
    const inverse = f32x4.splat(-1 / single.a)
    const weight = f32x4.splat(single.weight)
    let k = 0
    // Two vectors a round share the constants of exp4, which V8 makes anew in each.
    for (; k + 16 < last; k += 32) {
      const u = v128.load(row + k), v = v128.load(row + k, 16)
      const du = f32x4.sqrt(u), dv = f32x4.sqrt(v)
      sum = f32x4.add(f32x4.add(sum, du), dv)
      const ku = f32x4.mul(weight, exp4(f32x4.mul(u, inverse)))
      const kv = f32x4.mul(weight, exp4(f32x4.mul(v, inverse)))
      v128.store(row + k, ku)
      v128.store(row + k, kv, 16)
      far = addReach(reach + k, far, ku, du)
      far = addReach(reach + k + 16, far, kv, dv)
    }
    if (k < last) {
      const d2 = v128.load(row + k)
      const d = f32x4.sqrt(d2)
      sum = f32x4.add(sum, d)
      const value = f32x4.mul(weight, exp4(f32x4.mul(d2, inverse)))
      v128.store(row + k, value)
      far = addReach(reach + k, far, value, d)
    }
    const kernelAtEdge = f32x4.mul(weight, exp4(f32x4.mul(edge, inverse)))
    v128.store(row + last, kernelAtEdge)
    far = addReach(reach + last, far, onlyBefore(kernelAtEdge, i), atEdge)
  }
  store<f32>(reach + (i << 2), load<f32>(reach + (i << 2)) + sumLanes(far))
  store<f64>(distances + (i << 3), sumLanes(sum))
}

/** Adds W d of four pairs to the sums of their columns, and to that of the row, which is returned. */
// @ts-ignore: decorator
@inline
function addReach(columns: usize, row: v128, w: v128, d: v128): v128 {
  const product = f32x4.mul(w, d)
  v128.store(columns, f32x4.add(v128.load(columns), product))
  return f32x4.add(row, product)
}

/** Of the vector that holds the diagonal of row i, what stands before it; 0 for the rest. */
// @ts-ignore: decorator
@inline
function onlyBefore(v: v128, i: i32): v128 {
  return v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(i & 3)))
}

/**
 * How large Σ_{j≠i} W_ij may be for Σ_j W_ij (x_i − x_j) to be taken as the difference of two sums,
 *
 *     Σ_j W_ij (x_i − x_j) = (Σ_j W_ij) (x_i − c) − Σ_j W_ij (x_j − c)
 *
 * Each loses some √n ulp of (Σ_j W_ij) |x_i − c|, which must be little beside the sum of the terms' sizes,
 * Σ_j W_ij d_ij:
 *
 *     trust_i = limit Σ_j W_ij d_ij / |x_i − c|
 *
 *     trust: f32 [n]    reach: f32 [⌈n/16⌉, N] as kernelRows leaves it    x: f32 [n, D]    centre: f32 [D]
 *     squares: f32 [n] |x_i − c|² where they are known, or 0
 */
export function trustInto(
  trust: usize, reach: usize, squares: usize, x: usize, centre: usize, n: i32, D: i32, limit: f32,
): void {
  const line = lineOf(n)
  const row = D << 2
  for (let i = 0; i < n; i++) {
    let far: f32 = 0
    const end = reach + ((n + MIRROR - 1) / MIRROR) * line
    for (let p = reach + (i / MIRROR) * line + (i << 2); p < end; p += line) {
      far += load<f32>(p)
    }
    const square = squares ? load<f32>(squares + (i << 2)) : squareFrom(x + i * row, centre, row)
    store<f32>(trust + (i << 2), limit * far / sqrt(square))
  }
}

/** |x − c|² over so many bytes. */
// @ts-ignore: decorator
@inline
function squareFrom(x: usize, centre: usize, bytes: i32): f32 {
  let sum = f32x4.splat(0)
  for (let k = 0; k < bytes; k += 16) {
    const centred = f32x4.sub(v128.load(x + k), v128.load(centre + k))
    sum = f32x4.add(sum, f32x4.mul(centred, centred))
  }
  return sumLanes(sum)
}

/** Σ_m w_m k_m and Σ_m −2 w_m k'_m at four distances. */
function evaluateTerms(
  kernel: usize, slopes: usize, d2: v128, squares: usize, x: usize, bytes: i32, terms: usize, count: i32,
  i: i32, j: i32,
): void {
  let k = f32x4.splat(0)
  let slope = f32x4.splat(0)
  for (let m = 0; m < count; m++) {
    const term = changetype<Term>(terms + m * TERM_BYTES)
    const weight = f32x4.splat(term.weight)
    if (term.kind == RBF) {
      // k = exp(−d²/h), −2k' = 2/h k
      const value = f32x4.mul(weight, exp4(f32x4.mul(d2, f32x4.splat(-1 / term.a))))
      k = f32x4.add(k, value)
      slope = f32x4.add(slope, f32x4.mul(value, f32x4.splat(2 / term.a)))
    } else if (term.kind == IMQ) {
      // k = (c² + d²)^β, −2k' = −2β k / (c² + d²)
      const base = f32x4.add(f32x4.splat(term.a), d2)
      const value = f32x4.mul(weight, powerOf(base, term.b))
      k = f32x4.add(k, value)
      slope = f32x4.add(slope, f32x4.div(f32x4.mul(value, f32x4.splat(-2 * term.b)), base))
    } else if (term.kind == MATERN32) {
      // k = (1 + r) e^−r with r = √(3 d²)/ℓ, −2k' = 3/ℓ² e^−r
      const r = f32x4.sqrt(f32x4.mul(d2, f32x4.splat(3 / term.a)))
      const decay = f32x4.mul(weight, exp4(f32x4.neg(r)))
      k = f32x4.add(k, f32x4.mul(f32x4.add(f32x4.splat(1), r), decay))
      slope = f32x4.add(slope, f32x4.mul(decay, f32x4.splat(3 / term.a)))
    } else {
      // k = x_i·x_j + c with x_i·x_j = (|x_i|² + |x_j|² − d²)/2; its gradient is not along x_i − x_j
      const sum = f32x4.add(v128.load32_splat(squares + (i << 2)), v128.load(squares + (j << 2)))
      let product = f32x4.mul(f32x4.splat(0.5), f32x4.sub(sum, d2))
      const cancels = i32x4.bitmask(f32x4.lt(f32x4.abs(product), f32x4.mul(sum, f32x4.splat(CLOSE))))
      if (cancels) product = productsAgain(product, cancels, x, bytes, i, j)
      k = f32x4.add(k, f32x4.mul(weight, f32x4.add(product, f32x4.splat(term.a))))
    }
  }
  v128.store(kernel, k)
  v128.store(slopes, slope)
}

/**
 * x_i·x_{j+r} summed over coordinates, for the bits r of `cancels` up to the diagonal: as half a difference it lost
 * digits.
 */
function productsAgain(products: v128, cancels: i32, x: usize, bytes: i32, i: i32, j: i32): v128 {
  for (let r = 0; r < 4 && j + r <= i; r++) {
    if (!((cancels >> r) & 1)) continue
    let sum = f32x4.splat(0)
    for (let k = 0; k < bytes; k += 16) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(x + i * bytes + k), v128.load(x + (j + r) * bytes + k)))
    }
    const value = sumLanes(sum)
    if (r == 0) products = f32x4.replace_lane(products, 0, value)
    else if (r == 1) products = f32x4.replace_lane(products, 1, value)
    else if (r == 2) products = f32x4.replace_lane(products, 2, value)
    else products = f32x4.replace_lane(products, 3, value)
  }
  return products
}

/** x^β for x > 0; β = −1/2, the usual one, by a root. */
function powerOf(x: v128, beta: f32): v128 {
  if (beta == -0.5) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x))
  return exp4(f32x4.mul(f32x4.splat(beta), log4(x)))
}

/** Copies what is left of the diagonal in rows from … last − 1 to the other side. */
function mirror(matrix: usize, n: i32, from: i32, last: i32): void {
  const line = lineOf(n)
  for (let j = 0; j < last; j += 4) {
    for (let i = max(from, j); i < last; i += 4) {
      const p = matrix + i * line + (j << 2)
      const v0 = v128.load(p), v1 = v128.load(p + line), v2 = v128.load(p + 2 * line), v3 = v128.load(p + 3 * line)
      if (i > j) storeTransposed(matrix + j * line + (i << 2), line, v0, v1, v2, v3)
      else mirrorDiagonal(p, line)
    }
  }
}

function mirrorDiagonal(p: usize, line: i32): void {
  for (let r = 1; r < 4; r++) {
    for (let c = 0; c < r; c++) store<f32>(p + c * line + (r << 2), load<f32>(p + r * line + (c << 2)))
  }
}

/** Σ_i of the distances that kernelRows left, over the n(n−1)/2 pairs.    distances: f64 [n] */
export function meanDistance(distances: usize, n: i32): f64 {
  let sum: f64 = 0
  for (let i = 1; i < n; i++) sum += load<f64>(distances + (i << 3))
  return n > 1 ? sum / (0.5 * <f64>n * <f64>(n - 1)) : 0
}

/** |x_i|² of rows.    out: f32 [n]    x: f32 [n, D] */
export function rowSquares(out: usize, x: usize, n: i32, D: i32): void {
  const row = D << 2
  for (let i = 0; i < n; i++) {
    let sum = f64x2.splat(0)
    for (let p = x + i * row, end = p + row; p < end; p += 16) {
      const v = v128.load(p)
      const low = f64x2.promote_low_f32x4(v)
      const high = f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 0))
      sum = f64x2.add(sum, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)))
    }
    store<f32>(out + (i << 2), <f32>(f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)))
  }
}
