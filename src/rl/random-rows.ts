import type { Ops, Pointer } from '../core/ops.ts'
import type { Seed } from '../core/random.ts'

/** Which random numbers: two uses that differ in one of these share none. */
export interface RandomDraw {
  readonly seed: Seed
  readonly purpose: number
  readonly particle: number
  readonly step: number
  /** It separates draws of the same purpose, particle and step. Default 0. */
  readonly use?: number
  /** The row of a long fill that row r is; default r itself. */
  readonly rowOf?: (row: number) => number
}

/** Memory for the numbers, [at least rows × width + 3]. */
interface RandomRoom {
  readonly at: Pointer
  readonly view: Float32Array
}

const BLOCK = 4

/** How many numbers the room must hold. */
export const randomRoom = (rows: number, width: number) => rows * width + BLOCK - 1

/**
 * Random numbers [rows, width] of which row r depends on the number rowOf(r) of its row and not on how many rows there
 * are: alone or among others an episode draws the same.
 *
 * @returns a view that the next fill writes over
 */
export function fillRows(
  fill: Ops['fillNormal'],
  { at, view }: RandomRoom,
  rows: number,
  width: number,
  { seed, purpose, particle, step, use = 0, rowOf = (row) => row }: RandomDraw,
): Float32Array {
  const fillFrom = (first: number, count: number) => {
    const skipped = first % BLOCK
    const block = (first - skipped) / BLOCK
    fill(at, skipped + count, seed.lo, seed.hi, purpose, particle, use, step, block)
    return view.subarray(skipped, skipped + count)
  }
  let isContiguous = true
  for (let row = 1; row < rows && isContiguous; row++) isContiguous = rowOf(row) === rowOf(0) + row
  if (isContiguous) return fillFrom(rowOf(0) * width, rows * width)
  const out = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) out.set(fillFrom(rowOf(row) * width, width), row * width)
  view.set(out)
  return view.subarray(0, out.length)
}
