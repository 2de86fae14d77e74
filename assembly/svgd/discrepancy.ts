// The Stein kernel U of a radial kernel k(x, y) = φ(q), q = |x − y|², with scores s = ∇ log p. From
//
//     U(x, y) = k s(x)·s(y) + s(x)·∇_y k + s(y)·∇_x k + tr ∇_x ∇_y k
//
// and ∇_x k = −∇_y k = 2φ′ (x − y), tr ∇_x ∇_y k = −2dφ′ − 4qφ″ follows, with m = φ′/φ and p = φ″/φ′,
//
//     U(x, y) = φ [ s(x)·s(y) − 2m ( (s(x) − s(y))·(x − y) + d + 2pq ) ]
//
//     kind  φ            a   b   m            p
//     RBF   exp(−q/a)    h   -   −1/a         −1/a
//     IMQ   (a + q)ᵇ     c²  β   b/(a + q)    (b − 1)/(a + q)
//
//     x, score: f32 [n, D], D = d rounded up to a multiple of 4, the tail 0     all arithmetic in float64
//
// Differences are formed coordinate by coordinate, so particles far from the origin lose nothing.

import { exp64, log64 } from '../math/f64'

const RBF: i32 = 0

/** Two float32 as doubles. */
// @ts-ignore: decorator
@inline
function load2(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(p))
}

// @ts-ignore: decorator
@inline
function sum2(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
}

/** Bytes from one row to the next. */
// @ts-ignore: decorator
@inline
function rowBytes(d: i32): i32 {
  return ((d + 3) & ~3) << 2
}

/** U of the rows at xi and xj with their scores at si and sj. */
function stein(xi: usize, si: usize, xj: usize, sj: usize, d: i32, kind: i32, a: f64, b: f64): f64 {
  let scores = f64x2.splat(0), slope = scores, squares = scores
  const end = <usize>(((d + 1) & ~1) << 2)
  for (let k: usize = 0; k < end; k += 8) {
    const s = load2(si + k), t = load2(sj + k)
    const difference = f64x2.sub(load2(xi + k), load2(xj + k))
    scores = f64x2.add(scores, f64x2.mul(s, t))
    slope = f64x2.add(slope, f64x2.mul(f64x2.sub(s, t), difference))
    squares = f64x2.add(squares, f64x2.mul(difference, difference))
  }
  const q = sum2(squares)
  const base = kind == RBF ? a : a + q
  const phi = kind == RBF ? exp64(-q / base) : exp64(b * log64(base))
  const m = kind == RBF ? -1 / base : b / base
  const p = kind == RBF ? m : (b - 1) / base
  return phi * (sum2(scores) - 2 * m * (sum2(slope) + <f64>d + 2 * p * q))
}

/** Σ_i U(x_i, x_i). */
export function steinDiagonal(x: usize, score: usize, n: i32, d: i32, kind: i32, a: f64, b: f64): f64 {
  const row = rowBytes(d)
  let sum: f64 = 0
  for (let i = 0; i < n; i++, x += row, score += row) sum += stein(x, score, x, score, d, kind, a, b)
  return sum
}

/** Σ U(x_i, x_j) over the n(n−1)/2 pairs i > j, row by row. */
export function steinPairs(x: usize, score: usize, n: i32, d: i32, kind: i32, a: f64, b: f64): f64 {
  const row = rowBytes(d)
  let sum: f64 = 0
  for (let i = 1; i < n; i++) {
    let rowSum: f64 = 0
    for (let j = 0, at = 0; j < i; j++, at += row) {
      rowSum += stein(x + i * row, score + i * row, x + at, score + at, d, kind, a, b)
    }
    sum += rowSum
  }
  return sum
}

/**
 * U(x_i, x_j) of the pairs i > j.
 *
 *     out: f64 [n(n−1)/2]    | U10 | U20 U21 | U30 U31 U32 | ...
 */
export function steinPairsInto(
  out: usize, x: usize, score: usize, n: i32, d: i32, kind: i32, a: f64, b: f64,
): void {
  const row = rowBytes(d)
  for (let i = 1; i < n; i++) {
    for (let j = 0, at = 0; j < i; j++, at += row, out += 8) {
      store<f64>(out, stein(x + i * row, score + i * row, x + at, score + at, d, kind, a, b))
    }
  }
}

/**
 * out_r = Σ_{i>j} w_ir w_jr U_ij for four sets of weights at once: U is read once for four, and no lanes are summed.
 *
 *     out: f64 [4]    pairs: f64 [n(n−1)/2] as above    weights: f64 [n, 4]
 */
export function weightPairs4(out: usize, pairs: usize, weights: usize, n: i32): void {
  let s0 = f64x2.splat(0), s1 = s0
  for (let i = 1, w = weights + 32; i < n; i++, w += 32) {
    let r0 = f64x2.splat(0), r1 = r0
    for (let v = weights; v < w; v += 32, pairs += 8) {
      const u = v128.load64_splat(pairs)
      r0 = f64x2.add(r0, f64x2.mul(u, v128.load(v)))
      r1 = f64x2.add(r1, f64x2.mul(u, v128.load(v, 16)))
    }
    s0 = f64x2.add(s0, f64x2.mul(v128.load(w), r0))
    s1 = f64x2.add(s1, f64x2.mul(v128.load(w, 16), r1))
  }
  v128.store(out, s0)
  v128.store(out, s1, 16)
}
