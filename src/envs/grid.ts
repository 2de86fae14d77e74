/**
 * Equal cells over some of the numbers of an observation: which of them a population visits is its coverage. Plain
 * data.
 */
export interface CellGrid {
  /** Which numbers of an observation it lies over. */
  readonly columns: readonly number[]
  /** [columns] its ends; what lies beyond counts to the outermost cells. */
  readonly low: readonly number[]
  readonly high: readonly number[]
  /** Cells along each column. */
  readonly cells: number
  /** How many of all cells can be reached at all. */
  readonly reachable: number
}

/** The numbers of the cells that observations [rows, O] lie in, each once, in rising order: Σ_k place_k cellsᵏ. */
export function cellsOf(
  { columns, low, high, cells }: CellGrid,
  observations: ArrayLike<number>,
  O: number,
): Int32Array {
  const place = (value: number, k: number) => {
    const share = (value - low[k]) / (high[k] - low[k])
    return Math.min(Math.max(Math.floor(share * cells), 0), cells - 1)
  }
  const visited = new Set<number>()
  for (let row = 0; row < observations.length; row += O)
    visited.add(columns.reduceRight((cell, column, k) => cell * cells + place(observations[row + column], k), 0))
  return Int32Array.from(visited).sort()
}
