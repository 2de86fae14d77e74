import { positiveFloat32Or, show, UsageError } from '../core/errors.ts'
import type { SteinArena } from './direction.ts'

/**
 * How a published system chooses h in k(x, y) = exp(−|x−y|²/h). Each is a statistic of the pairwise distances divided by
 * a function of n; they differ in nearly everything else, and results depend on it.
 */
interface Convention {
  /** Which entries of the distance matrix: the pairs i < j once, or all n² entries with the n zeros of the diagonal. */
  readonly over: 'pairs' | 'all'
  /** The statistic: the median of distances (squared afterwards), the median of squared distances, or half their mean. */
  readonly statistic: 'median of d, squared' | 'median of d' | 'median of d²' | 'mean of d², halved'
  /** Of the two middle values of an even count: their mean, or the lower one. */
  readonly middle: 'mean' | 'lower'
  /** h = statistic / divisor(log n, log(n+1)). */
  readonly divisor: (logN: number, logN1: number) => number
  /** h is at least this. */
  readonly floor?: number
}

/**
 * The named conventions.
 *
 * | name         | h                                  | source |
 * |--------------|------------------------------------|--------|
 * | svgd-paper   | med(d)² / log n                    | Liu & Wang 2016, section 5 |
 * | svpg-paper   | med(d)² / log(n+1)                 | Liu et al. 2017 (SVPG), section 5; the default of this library |
 * | dartml       | med(d², n² entries) / log(n+1)     | DartML/Stein-Variational-Gradient-Descent; also jsikyoon's SVPG, ADR, pandroide |
 * | svpg-code    | med(d², n² entries) / 2 log(n+1)   | largelymfs/svpg_REINFORCE, the author's code |
 * | svpg-pytorch | lower med(d², n² entries) / log n  | bhairavmehta95/svpg-pytorch |
 * | sql-paper    | med(d) / 2 log(n+1), not squared   | Haarnoja et al. 2017, appendix D |
 * | haarnoja-sql | lower med(d²) / log n, at least 1e-3 | haarnoja/softqlearning, softlearning |
 * | pyro         | lower med(d²) / log(n+1)           | Pyro SVGD |
 * | per-dimension | the same for each coordinate alone | Pyro SVGD, RBFSteinKernel |
 * | s2ac         | mean(d², n² entries) / 2 log(n+1)  | S2AC code, its default statistic |
 */
const conventions = {
  'svgd-paper': { over: 'pairs', statistic: 'median of d, squared', middle: 'mean', divisor: (logN) => logN },
  'svpg-paper': { over: 'pairs', statistic: 'median of d, squared', middle: 'mean', divisor: (_, logN1) => logN1 },
  dartml: { over: 'all', statistic: 'median of d²', middle: 'mean', divisor: (_, logN1) => logN1 },
  'svpg-code': { over: 'all', statistic: 'median of d²', middle: 'mean', divisor: (_, logN1) => 2 * logN1 },
  'svpg-pytorch': { over: 'all', statistic: 'median of d²', middle: 'lower', divisor: (logN) => logN },
  'sql-paper': { over: 'pairs', statistic: 'median of d', middle: 'mean', divisor: (_, logN1) => 2 * logN1 },
  'haarnoja-sql': { over: 'pairs', statistic: 'median of d²', middle: 'lower', divisor: (logN) => logN, floor: 1e-3 },
  pyro: { over: 'pairs', statistic: 'median of d²', middle: 'lower', divisor: (_, logN1) => logN1 },
  'per-dimension': { over: 'pairs', statistic: 'median of d²', middle: 'lower', divisor: (_, logN1) => logN1 },
  s2ac: { over: 'all', statistic: 'mean of d², halved', middle: 'mean', divisor: (_, logN1) => logN1 },
} as const satisfies Record<string, Convention>

/** The bandwidth rules by name; see bandwidthNames. */
export type BandwidthName = keyof typeof conventions

/** What a user's own rule sees: n and statistics of the n(n−1)/2 squared distances of pairs. */
export interface DistanceStatistics {
  readonly particles: number
  /** The squared distance of a rank, 0 the smallest. */
  ranked(rank: number): number
  /** The mean of the two middle squared distances. */
  median(): number
  mean(): number
}

/** A named convention, a fixed h > 0, or a function that returns h > 0. */
export type BandwidthRule = BandwidthName | number | ((distances: DistanceStatistics) => number)

/** All bandwidth rules by name, in the order of the documentation. */
export const bandwidthNames = Object.keys(conventions) as BandwidthName[]

/** A rule that can be written down. */
export const bandwidthSchema = positiveFloat32Or('bandwidth', bandwidthNames)

/** Of SVGD. It is defined for every n ≥ 1 and does not count a particle's distance to itself. */
export const DEFAULT_BANDWIDTH: BandwidthName = 'svpg-paper'

/**
 * h for the squared distances that stand in the arena's kernel matrix, rounded to the float32 that is used.
 *
 * Where the statistic is 0 (a single particle, or so many that coincide) a rule says nothing about scale; then h is the mean squared
 * distance, and 1 if that is 0 as well: all particles equal, kernel 1, repulsion 0.
 *
 * @throws UsageError when the distances overflow or a user's rule does not return a finite number above 0
 */
export function resolveBandwidth(rule: BandwidthRule, arena: SteinArena, n: number): number {
  if (typeof rule === 'number') return Math.fround(rule)
  if (n === 1) return 1
  const h =
    typeof rule === 'function' ? userBandwidth(rule, arena, n) : conventionBandwidth(conventions[rule], arena, n)
  const rounded = Math.fround(h)
  if (rounded > 0 && rounded < Number.POSITIVE_INFINITY) return rounded
  throw new UsageError(`The bandwidth is ${h}: the particles are too far apart, or too close, for float32.`)
}

function userBandwidth(rule: (distances: DistanceStatistics) => number, arena: SteinArena, n: number): number {
  const pairs = (n * (n - 1)) / 2
  const h = rule({
    particles: n,
    ranked: (rank) => ranked(arena, n, Math.min(Math.max(Math.floor(rank), 0), pairs - 1))[0],
    median: () => middleOf(arena, n, 'pairs', 'mean', (x) => x),
    mean: () => arena.ops.meanPair(arena.at.kernel, n),
  })
  if (h > 0 && Number.isFinite(h)) return h
  throw new UsageError(`A bandwidth function must return a finite number above 0, got ${show(h)}.`)
}

function conventionBandwidth(convention: Convention, arena: SteinArena, n: number): number {
  const { ops, at } = arena
  const h = statistic(convention, arena, n) / convention.divisor(ops.log64(n), ops.log64(n + 1))
  const floored = Math.max(h, convention.floor ?? 0)
  return floored === 0 ? ops.meanPair(at.kernel, n) || 1 : floored
}

function statistic({ over, statistic: kind, middle }: Convention, arena: SteinArena, n: number): number {
  if (kind === 'mean of d², halved') {
    const pairs = arena.ops.meanPair(arena.at.kernel, n)
    return (over === 'all' ? (pairs * (n - 1)) / n : pairs) / 2
  }
  if (kind === 'median of d²') return middleOf(arena, n, over, middle, (x) => x)
  const median = middleOf(arena, n, over, middle, Math.sqrt)
  return kind === 'median of d' ? median : median * median
}

/** The middle of the squared distances, or the mean of the two middle ones after a function of each. */
function middleOf(
  arena: SteinArena,
  n: number,
  over: Convention['over'],
  middle: Convention['middle'],
  value: (squared: number) => number,
): number {
  // Among all n² entries stand first the n zeros of the diagonal, then every pair twice.
  const count = over === 'all' ? n * n : (n * (n - 1)) / 2
  const rankOf = (entry: number) => (over === 'all' ? (entry < n ? -1 : (entry - n) >> 1) : entry)
  const lowerRank = rankOf((count - 1) >> 1)
  const upperRank = rankOf(count >> 1)
  const [first, second] = ranked(arena, n, Math.max(lowerRank, 0))
  const lower = lowerRank < 0 ? 0 : first
  if (middle === 'lower') return value(lower)
  const upper = upperRank === lowerRank || lowerRank < 0 ? first : second
  return (value(lower) + value(upper)) / 2
}

/** The squared distances of a rank and of the next one. */
function ranked({ ops, at, view }: SteinArena, n: number, rank: number): readonly [number, number] {
  ops.rankedPairs(at.ranked, at.kernel, n, rank, at.scratch, view.scratch.length)
  return [view.ranked[0], view.ranked[1]]
}
