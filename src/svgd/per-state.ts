import type { Arena } from '../core/arena.ts'
import { show, UsageError } from '../core/errors.ts'
import { f32, struct } from '../core/layout.ts'
import type { Ops } from '../core/ops.ts'
import type { Variant } from './fields.ts'

/** As the class PerStateTask in assembly/svgd/per-state.ts. */
export const perStateTask = struct(
  [
    'states',
    'fixed',
    'updated',
    'width',
    'same',
    'x',
    'score',
    'y',
    'out',
    'bandwidths',
    'trace',
    'statistic',
    'rank',
    'factor',
    'floor',
    'drive',
    'repulsion',
    'byRowSum',
    'scratch',
  ],
  ['factor', 'floor', 'drive', 'repulsion'],
)

/** As in assembly/svgd/per-state.ts. */
const Statistic = { fixed: 0, ranked: 1, mean: 2, given: 3 } as const
const SAMPLE = 32

/**
 * How a published system chooses h of a state from the squared distances between its fixed and its updated particles.
 */
interface PerStateConvention {
  /** Rank of the entry that is taken among `count`, 0 the smallest; or their mean. */
  readonly statistic: ((count: number) => number) | 'mean'
  /** h = factor × statistic, for F fixed particles. */
  readonly factor: (fixed: number, log: Ops['log64']) => number
  /** h is at least this. */
  readonly floor?: number
}

const lowerMiddle = (count: number) => (count - 1) >> 1

/**
 * The named conventions, over all F × U entries as they stand: where both sets are one, its zero distances count.
 *
 * | name          | h                                       | source |
 * |---------------|-----------------------------------------|--------|
 * | sql-code      | med(d²) / log F, at least 1e-3          | haarnoja/softqlearning, softlearning |
 * | s2ac          | mean(d²) / 2 log(F+1)                   | S2AC code, its default statistic |
 * | s2ac-mean     | mean(d²) / log(F+1)                     | the same, statistic 3 |
 * | s2ac-median   | med(d²) / log(F+1)                      | the same, statistic 1 |
 * | s2ac-quantile | first quartile of d² / log(F+1)         | the same, statistic 2 |
 *
 * Of the two middle entries of an even count all these codes take the lower one (top_k of count/2 + 1; torch.median).
 */
const conventions = {
  'sql-code': { statistic: lowerMiddle, factor: (fixed, log) => 1 / log(fixed), floor: 1e-3 },
  s2ac: { statistic: 'mean', factor: (fixed, log) => 0.5 / log(fixed + 1) },
  's2ac-mean': { statistic: 'mean', factor: (fixed, log) => 1 / log(fixed + 1) },
  's2ac-median': { statistic: lowerMiddle, factor: (fixed, log) => 1 / log(fixed + 1) },
  's2ac-quantile': { statistic: (count) => (count - 1) >> 2, factor: (fixed, log) => 1 / log(fixed + 1) },
} as const satisfies Record<string, PerStateConvention>

/** The published conventions by name. */
export type PerStateBandwidthName = keyof typeof conventions

/** A named convention or a fixed h > 0. */
export type PerStateBandwidth = PerStateBandwidthName | number

export const perStateBandwidthNames = Object.keys(conventions) as PerStateBandwidthName[]

export interface PerStateSizes {
  /** B */
  readonly states: number
  /** F, the particles of a state whose scores are known. */
  readonly fixed: number
  /** U, the particles of a state that φ is wanted at; without it they are the fixed ones. */
  readonly updated?: number
  /** d, coordinates of a particle. */
  readonly width: number
}

/** The arrays of a direction in each of B states. Rows are not padded: they are laid out as tfjs lays out a tensor. */
export function perStateFields({ states, fixed, updated, width }: PerStateSizes) {
  const U = updated ?? fixed
  const vectors = Math.ceil(U / 4) * fixed
  return {
    /** [B, F, d] a_j */
    fixed: f32(states, fixed, width),
    /** [B, F, d] s_j = ∇ log p(a_j) */
    fixedScore: f32(states, fixed, width),
    /** [B, U, d] a_i; empty where they are the fixed ones. */
    updated: f32(updated === undefined ? 0 : states, U, width),
    /** [B, U, d] φ(a_i), an ascent direction. */
    phi: f32(states, U, width),
    /** [B] h, that of the last direction */
    bandwidths: f32(states),
    /** [B, U] tr ∇φ(a_i) where it was asked for. */
    trace: f32(states, U),
    perStateTask: perStateTask.field,
    perStateScratch: f32(4 * (2 * vectors + fixed + width) + SAMPLE),
  }
}

type PerStateArena = Arena<ReturnType<typeof perStateFields>>

export interface PerStateOptions extends Variant {
  /** Or what `bandwidths` holds: that of the direction before, for example. */
  readonly bandwidth: PerStateBandwidth | 'given'
  /** Whether `trace` is computed as well. Default false. */
  readonly trace?: boolean
}

/**
 * The Stein direction in each of B states at once, from `fixed`, `fixedScore` and `updated` to `phi`:
 *
 *     φ(a_i) = 1/F Σ_j [ k(a_j, a_i) s_j + ∇_{a_j} k(a_j, a_i) ]      k(a, a′) = exp(−|a − a′|²/h), h of the state
 *
 * and where it is asked for its divergence, with which a step a ← a + ε φ(a) changes the density of the particles:
 *
 *     log q ← log q − ε tr ∇φ(a_i) + O(ε²)
 *     tr ∇φ(a_i) = 1/F Σ_j k(a_j, a_i) [ −(2/h) (a_i − a_j)·s_j + 2d/h − 4 |a_i − a_j|²/h² ]
 *
 * Where both sets are one, j = i is left out of the trace. A particle's own term of φ is s(a_i)/F and no more, however
 * it moves; its derivative is tr ∇²log p(a_i)/F, for which the score of the score would be needed. Whoever has it adds
 * it, and the sum is the exact ∂φ_i/∂a_i at a given h. So for one particle the trace is 0, though plain ascent changes
 * its density by that very term. The authors' code divides the trace by F − 1, the mean over the other particles:
 * multiply by F/(F − 1) for that.
 *
 * No gradient passes through h. No memory is allocated, nothing is checked but the bandwidth: what is not finite goes
 * through to φ. Source: Haarnoja et al. 2017 (arXiv 1702.08165), equation 13 (two sets); Messaoud et al. 2024
 * (arXiv 2405.00987), theorem 3.3.
 *
 * @throws UsageError for an unknown or non-positive bandwidth, for 'sql-code' with one fixed particle, whose log is 0,
 *   and for a trace by row sums
 */
export function perStateDirection(arena: PerStateArena, sizes: PerStateSizes, options: PerStateOptions): void {
  const { ops, at, view } = arena
  const { states, fixed, updated = fixed, width } = sizes
  const { bandwidth, drive = 1, repulsion = 1, normalise = 'n', trace = false } = options
  if (trace && normalise === 'row sum')
    throw new UsageError("The trace is that of a sum divided by 'n', not by 'row sum'.")
  const same = sizes.updated === undefined
  perStateTask.write(view.perStateTask, {
    ...{ states, fixed, updated, width, drive, repulsion },
    same: same ? 1 : 0,
    byRowSum: normalise === 'row sum' ? 1 : 0,
    x: at.fixed,
    score: at.fixedScore,
    y: same ? at.fixed : at.updated,
    out: at.phi,
    bandwidths: at.bandwidths,
    trace: trace ? at.trace : 0,
    ...bandwidthRule(bandwidth, fixed, updated, ops),
    scratch: at.perStateScratch,
  })
  ops.perStateDirection(at.perStateTask)
}

function bandwidthRule(rule: PerStateOptions['bandwidth'], fixed: number, updated: number, { log64 }: Ops) {
  if (rule === 'given') return { statistic: Statistic.given, rank: 0, factor: 0, floor: 0 }
  if (typeof rule === 'number' && Math.fround(rule) > 0 && Math.fround(rule) < Number.POSITIVE_INFINITY) {
    return { statistic: Statistic.fixed, rank: 0, factor: rule, floor: 0 }
  }
  if (typeof rule === 'number' || !Object.hasOwn(conventions, rule)) {
    const names = perStateBandwidthNames.join(', ')
    throw new UsageError(`bandwidth must be a finite number above 0 or one of ${names}, got ${show(rule)}.`)
  }
  const { statistic, factor, floor = 0 }: PerStateConvention = conventions[rule]
  if (rule === 'sql-code' && fixed < 2) {
    throw new UsageError(`The bandwidth 'sql-code' needs at least 2 fixed particles, got ${fixed}.`)
  }
  return {
    statistic: statistic === 'mean' ? Statistic.mean : Statistic.ranked,
    rank: statistic === 'mean' ? 0 : statistic(fixed * updated),
    factor: factor(fixed, log64),
    floor,
  }
}
