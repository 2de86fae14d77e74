import { show, UsageError } from '../core/errors.ts'
import {
  type BandwidthConvention,
  type BandwidthRule,
  bandwidthConventions,
  type DistanceStatistics,
} from './bandwidth-rules.ts'
import type { SteinArena } from './fields.ts'

/**
 * h for the squared distances that stand in the arena's kernel matrix, rounded to the float32 that is used.
 *
 * Where the statistic is 0 (a single particle, or many that coincide) a rule says nothing about scale; then h is the
 * mean squared distance, and 1 if that is 0 as well: all particles equal, kernel 1, repulsion 0.
 *
 * @throws UsageError when the distances overflow or a user's rule does not return a finite number above 0
 */
export function resolveBandwidth(rule: BandwidthRule, arena: SteinArena, n: number): number {
  if (typeof rule === 'number') return Math.fround(rule)
  if (n === 1) return 1
  const h =
    typeof rule === 'function'
      ? userBandwidth(rule, arena, n)
      : conventionBandwidth(bandwidthConventions[rule], arena, n)
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

function conventionBandwidth(convention: BandwidthConvention, arena: SteinArena, n: number): number {
  const { ops, at } = arena
  const h = statistic(convention, arena, n) / convention.divisor(ops.log64(n), ops.log64(n + 1))
  const floored = Math.max(h, convention.floor ?? 0) + (convention.plus ?? 0)
  return floored === 0 ? ops.meanPair(at.kernel, n) || 1 : floored
}

function statistic({ over, statistic: kind, middle }: BandwidthConvention, arena: SteinArena, n: number): number {
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
  over: BandwidthConvention['over'],
  middle: BandwidthConvention['middle'],
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
