import { UsageError } from '../core/errors.ts'
import { padded } from '../core/layout.ts'
import type { Ops, Pointer } from '../core/ops.ts'
import { adaptiveBandwidth } from './adaptive-bandwidth.ts'
import { resolveBandwidth } from './bandwidth.ts'
import {
  type BlockStatistics,
  directionTask,
  GRAM_BLOCK,
  KERNEL_BLOCK,
  NORMS,
  type Operands,
  rowFloats,
  SHORT_ROWS,
  type SteinArena,
  stripColumns,
  strips,
  termStruct,
  tileFloats,
  type Variant,
} from './fields.ts'
import { type Term, TermKind } from './kernels.ts'

// The passes over the arena that make a Stein direction: distances, kernel matrix, product; each in parts, one a
// thread.

/**
 * The direction for a sum of terms in the coordinates of the operands.
 *
 * @param moving of the coordinates that move, where the kernel is taken on more of them; made after the kernel matrix
 */
export function plainDirection(
  arena: SteinArena,
  n: number,
  operands: Operands,
  terms: readonly Term[],
  variant: Variant,
  moving: () => Operands = () => operands,
): BlockStatistics {
  const { ops, at } = arena
  squaredDistances(arena, n, operands)
  const bandwidths = writeTerms(arena, n, operands, terms)
  kernelMatrix(arena, n, operands, terms.length)
  trustDifferences(arena, n, operands, terms)
  const meanDistance = ops.meanDistance(at.distances, n)
  if (Number.isNaN(meanDistance)) throw new UsageError('The particles are too far apart for float32.')
  const moved = moving()
  product(arena, n, moved, variant, {
    slopes: arena.view.slopes.length > 0 ? at.slopes : 0,
    slope: 2 / bandwidths[0],
    linear: n * terms.reduce((sum, { kind, weight }) => sum + (kind === 'linear' ? weight : 0), 0),
  })
  return {
    bandwidths: bandwidths.filter((h) => !Number.isNaN(h)),
    strips: strips(n, moved.d),
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
function writeTerms(arena: SteinArena, n: number, operands: Operands, terms: readonly Term[]): number[] {
  const { ops, at, view } = arena
  const { x, d } = operands
  if (terms.some(({ kind }) => kind === 'linear')) ops.rowSquares(at.squares, x, n, padded(d))
  const width = termStruct.names.length
  return terms.map(({ kind, weight, bandwidth, c = 0, beta = 0 }, m) => {
    const h = bandwidthOf(arena, n, operands, bandwidth)
    const isScaledImq = kind === 'imq' && bandwidth !== undefined
    const a = kind === 'linear' ? c : kind === 'imq' && !isScaledImq ? c * c : h
    // (1 + d²/h)^β = h^{−β} (h + d²)^β
    const factor = isScaledImq ? ops.exp64(-beta * ops.log64(h)) : 1
    const constants = { kind: TermKind[kind], weight: factor * weight, a, b: beta }
    termStruct.write(view.terms.subarray(m * width, (m + 1) * width), constants)
    return h
  })
}

function bandwidthOf(arena: SteinArena, n: number, operands: Operands, rule: Term['bandwidth']): number {
  if (rule === undefined) return Number.NaN
  return rule === 'adaptive' ? adaptiveBandwidth(arena, n, operands) : resolveBandwidth(rule, arena, n)
}

function kernelMatrix(arena: SteinArena, n: number, { x, d }: Operands, terms: number): void {
  const { at, view } = arena
  const slopes = view.slopes.length > 0 ? at.slopes : 0
  const blocks = triangular(Math.ceil(n / KERNEL_BLOCK), arena.threadPool.size)
  const rows = blocks.map((block) => Math.min(block * KERNEL_BLOCK, n))
  const constants = [at.kernel, slopes, at.squares, x, padded(d), at.distances, at.reach, at.terms, terms, n]
  inParts(arena, n, 'kernelRows', rows, () => constants)
}

/** The diagonal of the Gram matrix holds |x_i − c|², but for short rows, or where a linear term took its place. */
function trustDifferences({ ops, at }: SteinArena, n: number, { x, d }: Operands, terms: readonly Term[]): void {
  const squares = d > SHORT_ROWS && terms.every(({ kind }) => kind !== 'linear') ? at.squares : 0
  ops.trustInto(at.trust, at.reach, squares, x, at.centre, n, padded(d), trustLimit(n))
}

/**
 * Of trustInto in assembly/svgd/kernels.ts: the difference of two sums of n terms keeps 1e-5 of the sum of the terms'
 * sizes.
 */
const trustLimit = (n: number) => 200 / Math.sqrt(n)

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
    trust: slopes.given === undefined ? at.trust : 0,
    norms: view.norms.length > 0 ? at.norms + operands.strip * n * NORMS * 8 : 0,
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
