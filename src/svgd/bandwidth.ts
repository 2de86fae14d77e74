import { check, positiveNumberOr } from '../core/errors.ts'
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
  /** Which of the two middle values of an even count: their mean, the lower or the upper one. */
  readonly middle: 'mean' | 'lower' | 'upper'
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
 * | haarnoja-sql | upper med(d²) / log n, at least 1e-3 | haarnoja/softqlearning, softlearning |
 * | pyro         | med(d²) / log(n+1)                 | Pyro SVGD |
 * | s2ac         | mean(d², n² entries) / 2 log(n+1)  | S2AC code, its default statistic |
 */
const conventions = {
  'svgd-paper': { over: 'pairs', statistic: 'median of d, squared', middle: 'mean', divisor: (logN) => logN },
  'svpg-paper': { over: 'pairs', statistic: 'median of d, squared', middle: 'mean', divisor: (_, logN1) => logN1 },
  dartml: { over: 'all', statistic: 'median of d²', middle: 'mean', divisor: (_, logN1) => logN1 },
  'svpg-code': { over: 'all', statistic: 'median of d²', middle: 'mean', divisor: (_, logN1) => 2 * logN1 },
  'svpg-pytorch': { over: 'all', statistic: 'median of d²', middle: 'lower', divisor: (logN) => logN },
  'sql-paper': { over: 'pairs', statistic: 'median of d', middle: 'mean', divisor: (_, logN1) => 2 * logN1 },
  'haarnoja-sql': { over: 'pairs', statistic: 'median of d²', middle: 'upper', divisor: (logN) => logN, floor: 1e-3 },
  pyro: { over: 'pairs', statistic: 'median of d²', middle: 'mean', divisor: (_, logN1) => logN1 },
  s2ac: { over: 'all', statistic: 'mean of d², halved', middle: 'mean', divisor: (_, logN1) => logN1 },
} as const satisfies Record<string, Convention>

export type BandwidthName = keyof typeof conventions

/** A named convention or a fixed h > 0. */
export type BandwidthRule = BandwidthName | number

export const bandwidthNames = Object.keys(conventions) as BandwidthName[]

export const bandwidthSchema = positiveNumberOr('bandwidth', bandwidthNames)

/** Of SVGD. It is defined for every n ≥ 1 and does not count a particle's distance to itself. */
export const DEFAULT_BANDWIDTH: BandwidthName = 'svpg-paper'

/**
 * The function from an arena with squared distances to h.
 *
 * Where the statistic is 0 (a single particle, or so many that coincide) a rule says nothing about scale; then h is the mean squared
 * distance, and 1 if that is 0 as well: all particles equal, kernel 1, repulsion 0.
 */
export function bandwidthOf(rule: BandwidthRule): (arena: SteinArena, n: number) => number {
  check(bandwidthSchema, rule)
  if (typeof rule === 'number') return () => rule
  return (arena, n) => conventionBandwidth(conventions[rule], arena, n)
}

function conventionBandwidth(convention: Convention, arena: SteinArena, n: number): number {
  if (n === 1) return 1
  const { ops, at } = arena
  const h = statistic(convention, arena, n) / convention.divisor(ops.log64(n), ops.log64(n + 1))
  const floored = Math.max(h, convention.floor ?? 0)
  return floored > 0 ? floored : ops.meanPair(at.distances, n) || 1
}

function statistic({ over, statistic: kind, middle }: Convention, arena: SteinArena, n: number): number {
  if (kind === 'mean of d², halved') {
    const pairs = arena.ops.meanPair(arena.at.distances, n)
    return (over === 'all' ? (pairs * (n - 1)) / n : pairs) / 2
  }
  const count = over === 'all' ? n * n : (n * (n - 1)) / 2
  const ranked = (rank: number) => (over === 'all' ? rankedEntry(arena, n, rank) : rankedPair(arena, n, rank))
  const lower = ranked(middle === 'upper' ? count >> 1 : (count - 1) >> 1)
  const upper = middle === 'mean' ? ranked(count >> 1) : lower
  if (kind === 'median of d²') return (lower + upper) / 2
  const median = (Math.sqrt(lower) + Math.sqrt(upper)) / 2
  return kind === 'median of d' ? median : median * median
}

function rankedPair({ ops, at }: SteinArena, n: number, rank: number): number {
  return ops.rankedPair(at.distances, at.pairs, n, rank)
}

/** Among all n² entries: first the n zeros of the diagonal, then every pair twice. */
function rankedEntry(arena: SteinArena, n: number, rank: number): number {
  return rank < n ? 0 : rankedPair(arena, n, (rank - n) >> 1)
}
