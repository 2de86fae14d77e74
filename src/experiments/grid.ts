import { meanOf } from '../core/statistics.ts'
import type { EvaluationGrid, Ranges } from '../rl/randomisation.ts'
import { gridPoints } from '../rl/randomisation.ts'
import type { Measures } from './measures.ts'

/** Where the trained policies of an experiment are evaluated beside the task itself. */
export interface PresetGrid {
  readonly ranges: Ranges
  /** Of each dimension. */
  readonly points: number
  readonly episodes: number
  /** The corner that is expected to be the hardest, by its constants. */
  readonly hard: Readonly<Record<string, number>>
}

/** Place of the hard corner in the returns of a grid. */
export function hardIndex({ ranges, points, hard }: PresetGrid): number {
  const ends = Object.entries(ranges).map(([name, [low]]) => (hard[name] === low ? 0 : 1))
  return gridPoints(ends.length, points).findIndex((point) => point.every((x, k) => x === ends[k]))
}

/**
 * What a run comes to over the grid:
 *
 *     gridMean    mean return over all points
 *     gridHard    return at the hard corner
 *     gridWorst   return at the worst point
 */
export function gridMeasures(preset: PresetGrid, grid: EvaluationGrid | undefined): Measures {
  if (!grid) return {}
  const worst = grid.returns.reduce((least, x) => Math.min(least, x), Number.POSITIVE_INFINITY)
  return { gridMean: meanOf(grid.returns), gridHard: grid.returns[hardIndex(preset)], gridWorst: worst }
}

/** Mean over runs at every point; null when there is none. */
export function meanGrid(grids: readonly (EvaluationGrid | undefined)[]): number[] | null {
  const there = grids.filter((grid) => grid !== undefined)
  if (there.length === 0) return null
  return there[0].returns.map((_, k) => meanOf(there.map(({ returns }) => returns[k])) as number)
}

/** The values of a constant at the points of the grid. */
export const gridValues = ([low, high]: readonly [number, number], points: number): number[] =>
  gridPoints(1, points).map(([x]) => low + x * (high - low))

/** mass 2, length 1.5 */
export const cornerName = ({ hard }: PresetGrid) =>
  Object.entries(hard)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
