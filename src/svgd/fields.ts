import type { Arena } from '../core/arena.ts'
import { UsageError } from '../core/errors.ts'
import { f32, f64, padded, struct, u32 } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import { type Coordinates, isSingleRbf, type Kernel } from './kernels.ts'

// What the Stein direction works on: the arrays of an arena, their sizes, and the names that all of its passes share.

/** Rows of the kernel matrix that are mirrored together, and whose sums of distances stand together. */
export const KERNEL_BLOCK = 16
/** Up to this dimension squared distances are formed directly: SHORT in assembly/svgd/distances.ts. */
export const SHORT_ROWS = 16
/** Columns of the Gram matrix's factor that are packed at a time: four packed rows stay in the first-level cache. */
export const GRAM_BLOCK = 256
/** A strip of packed columns stays in the second-level cache, and there are strips enough for several threads. */
const STRIP_FLOATS = 65536
const STRIP_COLUMNS = 256

/** Drive, repulsion and sharing, whose norms are computed. */
export const NORMS = 3

export const directionTask = struct(
  [
    'n',
    'D',
    'strip',
    'out',
    'score',
    'x',
    'centre',
    'kernel',
    'slopes',
    'given',
    'slope',
    'drive',
    'repulsion',
    'linear',
    'byRowSum',
    'rowSums',
    'trust',
    'norms',
  ],
  ['slope', 'drive', 'repulsion', 'linear'],
)

export const termStruct = struct(['kind', 'weight', 'a', 'b'], ['weight', 'a', 'b'])

/** Changes to the Stein direction; the defaults are none. */
export interface Variant {
  /** Multiplies the drive: annealed SVGD, or 0 for the repulsion alone. Default 1. */
  readonly drive?: number
  /** Multiplies the repulsion; 0 for the drive alone. Default 1. */
  readonly repulsion?: number
  /** What the sums over j are divided by: n, or Σ_j k(x_j, x_i). Default 'n'. */
  readonly normalise?: 'n' | 'row sum'
}

/** Measures of one direction. */
export interface SteinInfo {
  /** h in exp(−|x−y|²/h), or the mean over terms, blocks or dimensions; NaN where the kernel has none. */
  readonly bandwidth: number
  /** Every bandwidth: of each term, in each block, or of each dimension. */
  readonly bandwidths: readonly number[]
  /** Mean over particles of |drive_i|; NaN without norms. */
  readonly drive: number
  /** Mean over particles of |repulsion_i|; NaN without norms. */
  readonly repulsion: number
  /** Mean over particles of |1/n Σ_{j≠i} k_ji s_j|, the drive that comes from other particles; NaN without norms. */
  readonly sharing: number
  /** Mean over i of Σ_j k(x_j, x_i). */
  readonly meanRowSum: number
  /** Mean of k(x_i, x_j) over i ≠ j; 0 for one particle. */
  readonly kernelOffDiagonal: number
  /** Mean of |x_i − x_j| over pairs, in the kernel's coordinates; 0 for one particle. */
  readonly meanDistance: number
}

interface SteinFieldOptions {
  readonly kernel: Kernel
  /** Whether the norms of the two terms are computed, which costs two thirds more arithmetic. Default true. */
  readonly norms?: boolean
  readonly threads?: number
}

/**
 * The arrays of n particles of d coordinates, rows padded to D = a multiple of 4 with a dead tail of zeros. N is n
 * rounded up to 4; what lies beyond n in a row of an [N, N] matrix means nothing.
 */
export function steinFields(n: number, d: number, { kernel, norms = true, threads = 1 }: SteinFieldOptions) {
  const D = padded(d)
  const N = padded(n)
  const slopes = isSingleRbf(kernel) || kernel.given ? 0 : N
  return {
    /** [n, D] the particles. */
    theta: f32(n, D),
    /** [n, D] s = ∇ log p of each particle. */
    score: f32(n, D),
    /** [n, D] φ = drive + repulsion, an ascent direction: x ← x + ε φ. */
    direction: f32(n, D),
    /** [N, N] k(x_i, x_j); for a moment before, the squared distances. */
    kernel: f32(N, N),
    /** [N, N] W with ∇_{x_j} k(x_j, x_i) = W_ij (x_i − x_j); empty where it is a multiple of the kernel. */
    slopes: f32(slopes, slopes),
    /** [D] a point among the particles, which they are taken less of. */
    centre: f32(D),
    /** [N] |x_i|², of x or of x − centre. */
    squares: f32(N),
    /** [N] Σ_j k(x_i, x_j). */
    rowSums: f32(N),
    /** [⌈n/16⌉, N] parts of Σ_j W_ij |x_i − x_j|, the sum of the sizes of the repulsion's terms. */
    reach: f32(kernel.given ? 0 : Math.ceil(n / KERNEL_BLOCK), N),
    /** [N] up to which Σ_j W_ij the repulsion is taken as a difference of two sums. */
    trust: f32(N),
    /** [N] Σ_{j<i} |x_i − x_j|. */
    distances: f64(N),
    /** [strips, n, 3] squares of the three in each strip of columns. */
    norms: f64(norms ? stripsOf(n, d, kernel) : 0, n, NORMS),
    meanNorms: f64(NORMS),
    ranked: f32(2),
    task: directionTask.field,
    terms: u32(Math.max(kernel.terms.length, 1), termStruct.names.length),
    /** [threads, …] packed panels, one part a thread. */
    scratch: f32(threads, panelFloats(n, D) * (slopes ? 2 : 1) + rowFloats(N) + tileFloats(n, D)),
    ...coordinateFields(n, d, kernel),
    ...customKernelFields(n, d, kernel),
  }
}

export type SteinArena = Arena<ReturnType<typeof steinFields>>

/** What a change of coordinates needs; empty where there is none. */
function coordinateFields(n: number, d: number, { coordinates }: Kernel) {
  if (coordinates) checkDimension(coordinates, d)
  const D = padded(d)
  const rows = coordinates ? n : 0
  const isSliced = coordinates?.kind === 'slices'
  const isParted = isSliced || coordinates?.kind === 'blocks' || coordinates?.kind === 'graph'
  const N = isParted ? padded(n) : 0
  const map = coordinates?.kind === 'metric' && coordinates.map.full ? D : 1
  return {
    /** [n, D] particles and scores in the kernel's coordinates, and the direction there. */
    innerX: f32(rows, D),
    innerScore: f32(rows, D),
    innerDirection: f32(rows, D),
    /** [D, D] or the diagonals [D] of the linear maps there and back. */
    mapX: f32(rows && map, D),
    mapScore: f32(rows && map, D),
    mapBack: f32(rows && map, D),
    /** [N, N] the mean over the blocks of their kernel matrices; `kernel` is that of the last block. */
    meanKernel: f32(N, N),
    /** [n, D] particles, scores and direction in slices, and the normal numbers of one slice. */
    slicedX: f32(isSliced ? n : 0, D),
    slicedScore: f32(isSliced ? n : 0, D),
    slicedDirection: f32(isSliced ? n : 0, D),
    slice: f32(isSliced ? D : 0),
  }
}

function checkDimension(coordinates: Coordinates, d: number): void {
  if (coordinates.kind === 'blocks') {
    const sum = coordinates.widths.reduce((total, width) => total + width, 0)
    if (sum !== d)
      throw new UsageError(
        `The blocks of a kernel must add up to the dimension ${d}, got ${coordinates.widths.join(' + ')}.`,
      )
  }
  if (coordinates.kind === 'graph') {
    const moved = coordinates.blocks.reduce((sum, { moves }) => sum + moves.length, 0)
    if (moved !== d) throw new UsageError(`A graphical kernel must move ${d} coordinates, got ${moved}.`)
  }
  if (coordinates.kind === 'metric' && coordinates.map.d !== d)
    throw new UsageError(`The metric must have the dimension ${d} of the particles, got ${coordinates.map.d}.`)
}

/** What a kernel that the caller supplies needs; empty for others. */
function customKernelFields(n: number, d: number, { given }: Kernel) {
  const rows = given ? n : 0
  return {
    /** [n, n], [n, d] and [n, d] as the caller sees them. */
    customKernelOf: f32(rows, n),
    givenRepulsion: f32(rows, d),
    givenX: f32(rows, d),
    /** [n, D] the repulsion in padded rows. */
    repulsion: f32(rows, padded(d)),
  }
}

/** Four rows of the Gram matrix, or of two products. */
export const tileFloats = (n: number, D: number) => 4 * Math.max(padded(n), 2 * stripColumns(n, D))
export const rowFloats = (N: number) => 2 * 4 * N + 24

export function stripColumns(n: number, D: number): number {
  const columns = Math.floor(STRIP_FLOATS / n / 8) * 8
  return Math.min(Math.max(columns, 8), STRIP_COLUMNS, Math.ceil(D / 8) * 8)
}

const panelFloats = (n: number, D: number) => padded(n) * Math.max(Math.min(D, GRAM_BLOCK), stripColumns(n, D))

export const strips = (n: number, d: number) => Math.ceil(padded(d) / stripColumns(n, padded(d)))

/** How many strips all columns make: those of each block where there are blocks. */
function stripsOf(n: number, d: number, { coordinates }: Kernel): number {
  return blockWidths(coordinates, d).reduce((sum, width) => sum + strips(n, width), 0)
}

/** How many coordinates move in each block. */
function blockWidths(coordinates: Coordinates | undefined, d: number): readonly number[] {
  if (coordinates?.kind === 'blocks') return coordinates.widths
  if (coordinates?.kind === 'graph') return coordinates.blocks.map(({ moves }) => moves.length)
  return coordinates?.kind === 'slices' ? Array(d).fill(1) : [d]
}

/** Rows that a direction is taken from and written to: all of the arena, or what a change of coordinates made of it. */
export interface Operands {
  readonly x: Pointer
  readonly score: Pointer
  readonly out: Pointer
  readonly d: number
  /** Where the strips of this part of the columns begin in `norms`. */
  readonly strip: number
}

/** What the direction of one block of coordinates, or of all of them, measures of its kernel. */
export interface BlockStatistics {
  readonly bandwidths: readonly number[]
  readonly strips: number
  readonly meanRowSum: number
  readonly kernelOffDiagonal: number
  readonly meanDistance: number
}
