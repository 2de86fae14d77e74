import { padded } from '../core/layout.ts'
import { resolveBandwidth } from './bandwidth.ts'
import type { Operands, SteinArena } from './fields.ts'

/** Bandwidths that are tried, in medians of the squared distances. */
const FACTORS = [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64]
/**
 * What is taken where no bandwidth shows a discrepancy (all U-statistics are below 0, as those of particles that lie
 * more evenly than independent draws): a wide kernel, which is about quadratic and keeps means and variances.
 */
const AT_REST = 16

/**
 * The bandwidth of the RBF kernel under which the particles are furthest from the target: among h = med(d²) 2ᵏ the one
 * with the largest U-statistic of the squared discrepancy.
 *
 *     U_h(x, y) = e^(−r/h) [ s(x)·s(y) + (2/h) (s(x) − s(y))·(x − y) + 2d/h − 4r/h² ],  r = |x − y|²
 *     h = argmax_h 1/(n(n−1)) Σ_{i≠j} U_h(x_i, x_j)
 *
 * The V-statistic has the terms U_h(x_i, x_i) = |s_i|² + 2d/h too, which grow without bound as h → 0: its maximum is
 * always the narrowest kernel, under which every particle climbs alone. Time n² (dimension / 2 + 13).
 *
 * Source: Melcher, Weissmann, Wilson & Zech 2025 (arXiv 2510.02067), Ad-SVGD, which goes uphill in h; Liu, Lee & Jordan
 * 2016 (arXiv 1602.03253) for the U-statistic.
 */
export function adaptiveBandwidth(arena: SteinArena, n: number, operands: Operands): number {
  const median = resolveBandwidth((distances) => distances.median() || distances.mean() || 1, arena, n)
  if (n === 1) return median
  const { squares, products, slopes } = pairsOf(arena, n, operands)
  let best = AT_REST * median
  let most = 0
  for (const factor of FACTORS) {
    const h = factor * median
    let sum = 0
    for (let pair = 0; pair < squares.length; pair++) {
      const r = squares[pair]
      const rest = products[pair] + (2 * slopes[pair]) / h + (2 * operands.d) / h - (4 * r) / (h * h)
      sum += arena.ops.exp64(-r / h) * rest
    }
    if (sum > most) {
      most = sum
      best = h
    }
  }
  return Math.fround(best)
}

/** Of every pair |x − y|², s(x)·s(y) and (s(x) − s(y))·(x − y). */
function pairsOf({ memory }: SteinArena, n: number, { x, score, d }: Operands) {
  const D = padded(d)
  const rows = new Float32Array(memory.buffer, x, n * D)
  const scores = new Float32Array(memory.buffer, score, n * D)
  const [squares, products, slopes] = [0, 1, 2].map(() => new Float64Array((n * (n - 1)) / 2))
  let pair = 0
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++, pair++) {
      for (let k = 0; k < d; k++) {
        const apart = rows[i * D + k] - rows[j * D + k]
        const [a, b] = [scores[i * D + k], scores[j * D + k]]
        squares[pair] += apart * apart
        products[pair] += a * b
        slopes[pair] += (a - b) * apart
      }
    }
  }
  return { squares, products, slopes }
}
