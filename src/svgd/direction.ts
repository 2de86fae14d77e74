import type { Arena } from '../core/arena.ts'
import { UsageError } from '../core/errors.ts'
import { f32, f64, padded, struct, u32 } from '../core/layout.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { resolveBandwidth } from './bandwidth.ts'
import { coordinateFields, directionInCoordinates } from './coordinates.ts'
import { customKernelDirection, customKernelFields } from './custom-kernel.ts'
import { isSingleRbf, type Kernel, type Term, TermKind } from './kernels.ts'

/** Columns of the Gram matrix's factor that are packed at a time: four packed rows stay in the first-level cache. */
const GRAM_BLOCK = 256
/** Rows of the kernel matrix that are mirrored together. */
const KERNEL_BLOCK = 16
/** A strip of packed columns stays in the second-level cache, and there are strips enough for several threads. */
const STRIP_FLOATS = 65536
const STRIP_COLUMNS = 256
/** Drive, repulsion and sharing, whose norms are told. */
const TERMS = 3

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

interface Sizes {
  readonly kernel: Kernel
  /** Whether info tells the norms of the two terms, which costs two thirds more arithmetic. Default true. */
  readonly norms?: boolean
  readonly threads?: number
}

/**
 * The arrays of n particles of d coordinates, rows padded to D = a multiple of 4 with a dead tail of zeros. N is n
 * rounded up to 4; what lies beyond n in a row of an [N, N] matrix means nothing.
 */
export function steinFields(n: number, d: number, { kernel, norms = true, threads = 1 }: Sizes) {
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
    /** [N] Σ_{j<i} |x_i − x_j|. */
    distances: f64(N),
    /** [strips, n, 3] squares of the three in each strip of columns. */
    norms: f64(norms ? stripsOf(n, d, kernel) : 0, n, TERMS),
    meanNorms: f64(TERMS),
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

/** Four rows of the Gram matrix, or of two products. */
const tileFloats = (n: number, D: number) => 4 * Math.max(padded(n), 2 * stripColumns(n, D))
const rowFloats = (N: number) => 2 * 4 * N + 20

function stripColumns(n: number, D: number): number {
  const columns = Math.floor(STRIP_FLOATS / n / 8) * 8
  return Math.min(Math.max(columns, 8), STRIP_COLUMNS, Math.ceil(D / 8) * 8)
}

const panelFloats = (n: number, D: number) => padded(n) * Math.max(Math.min(D, GRAM_BLOCK), stripColumns(n, D))

export const strips = (n: number, d: number) => Math.ceil(padded(d) / stripColumns(n, padded(d)))

/** How many strips all columns make: those of each block where there are blocks. */
function stripsOf(n: number, d: number, { coordinates }: Kernel): number {
  if (coordinates?.kind !== 'blocks') return strips(n, d)
  return coordinates.widths.reduce((sum, width) => sum + strips(n, width), 0)
}

/** What one direction tells about itself. */
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

/** Rows that a direction is taken from and written to: all of the arena, or what a change of coordinates made of it. */
export interface Operands {
  readonly x: Pointer
  readonly score: Pointer
  readonly out: Pointer
  readonly d: number
  /** Where the strips of this part of the columns begin in `norms`. */
  readonly strip: number
}

/** Sums over the parts of a direction: one, or one a block. */
export interface Part {
  readonly bandwidths: readonly number[]
  readonly strips: number
  readonly meanRowSum: number
  readonly kernelOffDiagonal: number
  readonly meanDistance: number
}

/**
 * The Stein direction of n particles, from theta and score to direction, in place:
 *
 *     φ(x_i) = 1/n Σ_j [ k(x_j, x_i) s(x_j) + ∇_{x_j} k(x_j, x_i) ]
 *
 * No memory is allocated.
 *
 * Source: Liu & Wang 2016 (arXiv 1608.04471), equation 8.
 */
export function steinDirection(
  arena: SteinArena,
  { particles: n, dimension: d }: { readonly particles: number; readonly dimension: number },
  kernel: Kernel,
  variant: Variant = {},
): SteinInfo {
  const { ops, at, view } = arena
  const whole = { x: at.theta, score: at.score, out: at.direction, d, strip: 0 }
  const take = (operands: Operands) => plainDirection(arena, n, operands, kernel.terms, variant)
  const parts = kernel.given
    ? [customKernelDirection(arena, n, whole, kernel.given, variant)]
    : kernel.coordinates
      ? directionInCoordinates(arena, n, whole, kernel.coordinates, take)
      : [take(whole)]
  const total = (value: (part: Part) => number) => parts.reduce((sum, part) => sum + value(part), 0)
  const mean = (value: (part: Part) => number) => total(value) / parts.length
  if (view.norms.length > 0)
    ops.meanNorms(
      at.meanNorms,
      at.norms,
      total(({ strips }) => strips),
      n,
    )
  else view.meanNorms.fill(Number.NaN)
  const bandwidths = parts.flatMap((part) => part.bandwidths)
  return {
    bandwidth: bandwidths.reduce((sum, h) => sum + h, 0) / bandwidths.length,
    bandwidths,
    drive: view.meanNorms[0],
    repulsion: view.meanNorms[1],
    sharing: view.meanNorms[2],
    meanRowSum: mean((part) => part.meanRowSum),
    kernelOffDiagonal: mean((part) => part.kernelOffDiagonal),
    meanDistance: mean((part) => part.meanDistance),
  }
}

export type Take = (operands: Operands) => Part

/** The direction for a sum of terms in the coordinates of the operands. */
function plainDirection(
  arena: SteinArena,
  n: number,
  operands: Operands,
  terms: readonly Term[],
  variant: Variant,
): Part {
  const { ops, at } = arena
  squaredDistances(arena, n, operands)
  const bandwidths = writeTerms(arena, n, operands, terms)
  kernelMatrix(arena, n, terms.length)
  const meanDistance = ops.meanDistance(at.distances, n)
  if (Number.isNaN(meanDistance)) throw new UsageError('The particles are too far apart for float32.')
  product(arena, n, operands, variant, {
    slopes: arena.view.slopes.length > 0 ? at.slopes : 0,
    slope: 2 / bandwidths[0],
    linear: n * terms.reduce((sum, { kind, weight }) => sum + (kind === 'linear' ? weight : 0), 0),
  })
  return {
    bandwidths: bandwidths.filter((h) => !Number.isNaN(h)),
    strips: strips(n, operands.d),
    ...kernelStatistics(arena, n),
    meanDistance,
  }
}

function squaredDistances(arena: SteinArena, n: number, { x, d }: Operands): void {
  const { ops, at } = arena
  const panels = padded(n) / 4
  const parts = triangular(panels, arena.threadPool.size)
  ops.centreOf(at.centre, x, n, padded(d))
  inParts(arena, n, 'gram', parts, ({ panels, tile }) => [at.kernel, x, at.centre, n, d, GRAM_BLOCK, panels, tile])
  ops.diagonalInto(at.squares, at.kernel, n)
  inParts(arena, n, 'finishDistances', parts, () => [at.kernel, x, at.squares, n, d])
}

/** Writes the terms with their constants of this step, and returns their bandwidths (NaN where a term has none). */
function writeTerms(arena: SteinArena, n: number, { x, d }: Operands, terms: readonly Term[]): number[] {
  const { ops, at, view } = arena
  if (terms.some(({ kind }) => kind === 'linear')) ops.rowSquares(at.squares, x, n, padded(d))
  const width = termStruct.names.length
  return terms.map(({ kind, weight, bandwidth, c = 0, beta = 0 }, m) => {
    const h = bandwidth === undefined ? Number.NaN : resolveBandwidth(bandwidth, arena, n)
    const isScaledImq = kind === 'imq' && bandwidth !== undefined
    const a = kind === 'linear' ? c : kind === 'imq' && !isScaledImq ? c * c : h
    // (1 + d²/h)^β = h^{−β} (h + d²)^β
    const factor = isScaledImq ? ops.exp64(-beta * ops.log64(h)) : 1
    const constants = { kind: TermKind[kind], weight: factor * weight, a, b: beta }
    termStruct.write(view.terms.subarray(m * width, (m + 1) * width), constants)
    return h
  })
}

function kernelMatrix(arena: SteinArena, n: number, terms: number): void {
  const { at, view } = arena
  const slopes = view.slopes.length > 0 ? at.slopes : 0
  const blocks = triangular(Math.ceil(n / KERNEL_BLOCK), arena.threadPool.size)
  const rows = blocks.map((block) => Math.min(block * KERNEL_BLOCK, n))
  inParts(arena, n, 'kernelRows', rows, () => [at.kernel, slopes, at.squares, at.distances, at.terms, terms, n])
}

/** How the repulsion follows from the kernel matrix. */
interface Slopes {
  readonly slopes: Pointer
  readonly slope: number
  readonly linear: number
  /** [n, D] Σ_j ∇_{x_j} k(x_j, x_i) where it is supplied. */
  readonly given?: Pointer
}

/** φ from the kernel matrix, in strips of columns. */
export function product(arena: SteinArena, n: number, operands: Operands, variant: Variant, slopes: Slopes): void {
  const { at, view, threadPool } = arena
  const { drive = 1, repulsion = 1, normalise = 'n' } = variant
  const D = padded(operands.d)
  directionTask.write(view.task, {
    n,
    D,
    strip: stripColumns(n, D),
    out: operands.out,
    score: operands.score,
    x: operands.x,
    centre: at.centre,
    kernel: at.kernel,
    slopes: slopes.slopes,
    slope: slopes.slope,
    linear: slopes.linear,
    given: slopes.given ?? 0,
    drive,
    repulsion,
    byRowSum: normalise === 'row sum' ? 1 : 0,
    rowSums: at.rowSums,
    norms: view.norms.length > 0 ? at.norms + operands.strip * n * TERMS * 8 : 0,
  })
  const parts = even(strips(n, operands.d), threadPool.size)
  inParts(arena, n, 'steinDirection', parts, ({ panels, rows, tile }) => [at.task, panels, rows, tile])
}

export function kernelStatistics({ view }: SteinArena, n: number) {
  let sum = 0
  let diagonal = 0
  for (let i = 0; i < n; i++) {
    sum += view.rowSums[i]
    diagonal += view.kernel[i * padded(n) + i]
  }
  return { meanRowSum: sum / n, kernelOffDiagonal: n > 1 ? (sum - diagonal) / (n * (n - 1)) : 0 }
}

/** What a thread packs into, in its part of the scratch. */
interface Scratch {
  readonly panels: Pointer
  readonly rows: Pointer
  readonly tile: Pointer
}

function inParts(
  { at, view, threadPool }: SteinArena,
  n: number,
  op: keyof Ops,
  boundaries: readonly number[],
  args: (scratch: Scratch) => readonly number[],
): void {
  const size = (view.scratch.length / threadPool.size) * 4
  const jobs = boundaries.slice(1).map((end, thread) => {
    const panels = at.scratch + thread * size
    const tile = panels + size - tileFloats(n, view.theta.length / n) * 4
    return [...args({ panels, rows: tile - rowFloats(padded(n)) * 4, tile }), boundaries[thread], end]
  })
  threadPool.run(op, jobs)
}

/** Boundaries of equal parts of `count`. */
const even = (count: number, parts: number) =>
  Array.from({ length: parts + 1 }, (_, t) => Math.round((count * t) / parts))

/** Boundaries of parts of equal work where item i costs i. */
const triangular = (count: number, parts: number) =>
  Array.from({ length: parts + 1 }, (_, t) => Math.round(count * Math.sqrt(t / parts)))
