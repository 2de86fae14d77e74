import { padded } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import { resolveBandwidth } from './bandwidth.ts'
import type { BlockStatistics, Operands, SteinArena, Variant } from './fields.ts'
import type { Coordinates, GraphBlock, LinearMaps, Term } from './kernels.ts'
import { plainDirection } from './passes.ts'
import { type Slicing, turnInto } from './slices.ts'

// A kernel in other coordinates is the plain direction between a map of particles and scores and a map back.

/** The parts of a direction in a kernel's coordinates: one a block, or a single one. */
export function directionInCoordinates(
  arena: SteinArena,
  n: number,
  whole: Operands,
  coordinates: Coordinates,
  terms: readonly Term[],
  variant: Variant,
  iteration: number,
): BlockStatistics[] {
  if (coordinates.kind === 'blocks') return blocks(arena, n, whole, coordinates.widths, terms, variant)
  if (coordinates.kind === 'graph') return neighbourhoods(arena, n, whole, coordinates.blocks, terms, variant)
  if (coordinates.kind === 'slices')
    return slices(arena, n, whole, { seed: coordinates.seed, step: iteration }, terms, variant)
  if (coordinates.kind === 'metric') {
    writeMap(arena, coordinates.map)
    return [mapped(arena, n, whole, coordinates.map.full, terms, variant)]
  }
  const bandwidths = dimensionBandwidths(arena, n, whole)
  writeScales(arena, bandwidths)
  const part = mapped(arena, n, whole, false, terms, variant)
  return [{ ...part, bandwidths: bandwidths.map((h) => h * part.bandwidths[0]) }]
}

function blocks(
  arena: SteinArena,
  n: number,
  whole: Operands,
  widths: readonly number[],
  terms: readonly Term[],
  variant: Variant,
): BlockStatistics[] {
  const { ops, at, view } = arena
  const D = padded(whole.d)
  const parts: BlockStatistics[] = []
  let column = 0
  let strip = whole.strip
  for (const width of widths) {
    const stride = padded(width)
    const gather = (to: Pointer, rows: Float32Array, from: Pointer) => {
      rows.fill(0, 0, n * stride)
      ops.copyColumns(to, stride, from + 4 * column, D, n, width)
    }
    gather(at.innerX, view.innerX, whole.x)
    gather(at.innerScore, view.innerScore, whole.score)
    const part = plainDirection(
      arena,
      n,
      { x: at.innerX, score: at.innerScore, out: at.innerDirection, d: width, strip },
      terms,
      variant,
    )
    ops.copyColumns(whole.out + 4 * column, D, at.innerDirection, stride, n, width)
    averageKernel(arena, parts.length, widths.length)
    parts.push(part)
    column += width
    strip += part.strips
  }
  return parts
}

/** The kernel of each block on its coordinates and those beside them, and the direction of its coordinates alone. */
function neighbourhoods(
  arena: SteinArena,
  n: number,
  whole: Operands,
  blocks: readonly GraphBlock[],
  terms: readonly Term[],
  variant: Variant,
): BlockStatistics[] {
  const { ops, at, view } = arena
  const D = padded(whole.d)
  const parts: BlockStatistics[] = []
  let strip = whole.strip
  for (const { moves, beside } of blocks) {
    const gathered = (columns: readonly number[]): Operands => {
      const d = columns.length
      const gather = (to: Pointer, rows: Float32Array, from: Pointer) => {
        rows.fill(0, 0, n * padded(d))
        columns.forEach((column, k) => void ops.copyColumns(to + 4 * k, padded(d), from + 4 * column, D, n, 1))
      }
      gather(at.innerX, view.innerX, whole.x)
      gather(at.innerScore, view.innerScore, whole.score)
      return { x: at.innerX, score: at.innerScore, out: at.innerDirection, d, strip }
    }
    const part = plainDirection(arena, n, gathered([...moves, ...beside]), terms, variant, () => {
      // The coordinates that move stand first in the centre too.
      view.centre.fill(0, moves.length)
      return gathered(moves)
    })
    const stride = padded(moves.length)
    moves.forEach((column, k) => {
      ops.copyColumns(whole.out + 4 * column, D, at.innerDirection + 4 * k, stride, n, 1)
    })
    averageKernel(arena, parts.length, blocks.length)
    parts.push(part)
    strip += part.strips
  }
  return parts
}

/** A kernel on every coordinate of R x, and the direction back. */
function slices(
  arena: SteinArena,
  n: number,
  whole: Operands,
  slicing: Slicing,
  terms: readonly Term[],
  variant: Variant,
): BlockStatistics[] {
  const { at } = arena
  const { d, strip } = whole
  const x = isInvariant(terms) ? centred(arena, n, whole, whole.out) : whole.x
  turnInto(arena, [at.slicedX, x], n, d, slicing)
  turnInto(arena, [at.slicedScore, whole.score], n, d, slicing)
  const inner = { x: at.slicedX, score: at.slicedScore, out: at.slicedDirection, d, strip }
  const parts = blocks(arena, n, inner, Array(d).fill(1), terms, variant)
  turnInto(arena, [whole.out, at.slicedDirection], n, d, { ...slicing, back: true })
  return parts
}

/** Adds the share of block b to the mean of the kernel matrices. */
function averageKernel({ ops, at, view }: SteinArena, b: number, blocks: number): void {
  const share = 1 / blocks
  ops.combineInto(at.meanKernel, share, at.kernel, b > 0 ? 1 : 0, b > 0 ? at.meanKernel : at.kernel, view.kernel.length)
}

function mapped(
  arena: SteinArena,
  n: number,
  whole: Operands,
  full: boolean,
  terms: readonly Term[],
  variant: Variant,
): BlockStatistics {
  const { ops, at } = arena
  const D = padded(whole.d)
  const apply = full ? ops.multiplyRows : ops.scaleColumns
  // The direction's place is free until it is there.
  const x = isInvariant(terms) ? centred(arena, n, whole, whole.out) : whole.x
  apply(at.innerX, x, at.mapX, n, D)
  apply(at.innerScore, whole.score, at.mapScore, n, D)
  const part = plainDirection(
    arena,
    n,
    { ...whole, x: at.innerX, score: at.innerScore, out: at.innerDirection },
    terms,
    variant,
  )
  apply(whole.out, at.innerDirection, at.mapBack, n, D)
  return part
}

/** Whether all kernels are functions of differences. */
const isInvariant = (terms: readonly Term[]) => terms.every(({ kind }) => kind !== 'linear')

/**
 * The particles less what they have in common, in the place `free`: rounding in a map would eat into the differences of
 * particles far from 0. Only coordinates in which all lie within an eighth of their distance from 0 are moved, where
 * subtracting is exact.
 */
function centred(arena: SteinArena, n: number, { x, d }: Operands, free: Pointer): Pointer {
  const { ops, at, view } = arena
  const D = padded(d)
  ops.centreOf(at.centre, x, n, D)
  const rows = view.theta.subarray((x - at.theta) / 4)
  for (let k = 0; k < d; k++) {
    const centre = view.centre[k]
    for (let i = 0; i < n && view.centre[k] !== 0; i++) {
      if (8 * Math.abs(rows[i * D + k] - centre) > Math.abs(centre)) view.centre[k] = 0
    }
  }
  if (view.centre.every((value) => value === 0)) return x
  for (let i = 0; i < n; i++) ops.combineInto(free + 4 * i * D, 1, x + 4 * i * D, -1, at.centre, D)
  return free
}

function writeMap({ view }: SteinArena, { d, full, x, score, back }: LinearMaps): void {
  const D = padded(d)
  const write = (to: Float32Array, from: Float32Array) => {
    if (!full) to.set(from)
    else for (let row = 0; row < d; row++) to.set(from.subarray(row * d, (row + 1) * d), row * D)
  }
  write(view.mapX, x)
  write(view.mapScore, score)
  write(view.mapBack, back)
}

/** What each coordinate's squared distances are divided by. */
function dimensionBandwidths(arena: SteinArena, n: number, { x, d }: Operands): number[] {
  const { ops, at } = arena
  return Array.from({ length: d }, (_, k) => {
    ops.columnDistances(at.kernel, x, n, padded(d), k)
    return resolveBandwidth('pyro-multivariate', arena, n)
  })
}

/** y = x/√h. The scalar kernel's gradient by x is 1/√h of that by y, while the score is not changed: s √h / √h. */
function writeScales({ view }: SteinArena, bandwidths: readonly number[]): void {
  bandwidths.forEach((h, k) => {
    view.mapX[k] = 1 / Math.sqrt(h)
    view.mapScore[k] = Math.sqrt(h)
    view.mapBack[k] = 1 / Math.sqrt(h)
  })
}
