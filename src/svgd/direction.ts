import { type Arena, f32, padded } from '../core/arena.ts'
import type { Kernel } from './kernels.ts'

/** The arrays of n particles of d coordinates, rows padded to D = a multiple of 4 with a dead tail of zeros. */
export function steinFields(n: number, d: number) {
  const D = padded(d)
  return {
    /** [n, D] the particles. */
    theta: f32(n, D),
    /** [n, D] s = ∇ log p of each particle. */
    score: f32(n, D),
    /** [n, D] drive_i = 1/n Σ_j k(x_j, x_i) s(x_j). */
    drive: f32(n, D),
    /** [n, D] repulsion_i = 1/n Σ_j ∇_{x_j} k(x_j, x_i). */
    repulsion: f32(n, D),
    /** [n, D] φ = drive + repulsion, an ascent direction: x ← x + ε φ. */
    direction: f32(n, D),
    /** [n, n] k(x_i, x_j). */
    kernel: f32(n, n),
    /** [n, n] |x_i − x_j|². */
    distances: f32(n, n),
    /** [n, D] particles moved to mean 0. */
    centred: f32(n, D),
    /** [n(n−1)/2] room for selecting a median. */
    pairs: f32((n * (n - 1)) / 2),
    /** [n] norms of rows. */
    norms: f32(n),
  }
}

export type SteinArena = Arena<ReturnType<typeof steinFields>>

/** What one direction tells about itself. */
export interface SteinInfo {
  /** h in exp(−|x−y|²/h). */
  readonly bandwidth: number
  /** Mean over particles of |drive_i|. */
  readonly drive: number
  /** Mean over particles of |repulsion_i|. */
  readonly repulsion: number
  /** Mean of k(x_i, x_j) over i ≠ j; 0 for one particle. */
  readonly kernelOffDiagonal: number
}

/**
 * The Stein direction of n particles, from theta and score to direction, in place:
 *
 *     φ(x_i) = 1/n Σ_j [ k(x_j, x_i) s(x_j) + ∇_{x_j} k(x_j, x_i) ]
 *
 * Source: Liu & Wang 2016 (arXiv 1608.04471), equation 8.
 */
export function steinDirection(arena: SteinArena, n: number, kernel: Kernel): SteinInfo {
  const { ops, at } = arena
  const D = arena.view.theta.length / n
  const { bandwidth } = kernel.evaluate(arena, n)
  ops.mixRows(at.drive, at.kernel, at.score, n, D, 1 / n)
  ops.combineInto(at.direction, 1, at.drive, 1, at.repulsion, n * D)
  return {
    bandwidth,
    drive: meanNorm(arena, at.drive, n),
    repulsion: meanNorm(arena, at.repulsion, n),
    kernelOffDiagonal: offDiagonalMean(arena.view.kernel, n),
  }
}

function meanNorm({ ops, at, view }: SteinArena, rows: number, n: number): number {
  ops.rowNorms(at.norms, rows, n, view.theta.length / n)
  return view.norms.reduce((sum, norm) => sum + norm, 0) / n
}

function offDiagonalMean(kernel: Float32Array, n: number): number {
  if (n === 1) return 0
  let sum = 0
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (i !== j) sum += kernel[i * n + j]
  }
  return sum / (n * (n - 1))
}
