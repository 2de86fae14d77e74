/**
 * How a published system chooses h in k(x, y) = exp(−|x−y|²/h). Each is a statistic of the pairwise distances divided
 * by a function of n; they differ in nearly everything else, and results depend on it.
 */
export interface BandwidthConvention {
  /** Which entries of the distance matrix: the pairs i < j once, or all n² entries with the n zeros of the diagonal. */
  readonly over: 'pairs' | 'all'
  /**
   * The statistic: the median of distances (squared afterwards), the median of squared distances, or half their mean.
   */
  readonly statistic: 'median of d, squared' | 'median of d' | 'median of d²' | 'mean of d², halved'
  /** Of the two middle values of an even count: their mean, or the lower one. */
  readonly middle: 'mean' | 'lower'
  /** h = statistic / divisor(log n, log(n+1)). */
  readonly divisor: (logN: number, logN1: number) => number
  /** h is at least this. */
  readonly floor?: number
  /** Added to h. */
  readonly plus?: number
}

/**
 * The named conventions.
 *
 * | name         | h                                  | source |
 * |--------------|------------------------------------|--------|
 * | svgd-paper   | med(d)² / log n                    | Liu & Wang 2016, section 5 |
 * | svpg-paper   | med(d)² / log(n+1)                 | Liu et al. 2017 (SVPG), section 5; the default |
 * | dartml       | med(d², n² entries) / log(n+1)     | DartML's SVGD; also jsikyoon's SVPG, ADR, pandroide |
 * | svpg-code    | med(d², n² entries) / 2 log(n+1)   | largelymfs/svpg_REINFORCE, the author's code |
 * | svpg-pytorch | lower med(d², n² entries) / log n  | bhairavmehta95/svpg-pytorch |
 * | sql-paper    | med(d) / 2 log(n+1), not squared   | Haarnoja et al. 2017, appendix D |
 * | haarnoja-sql | lower med(d²) / log n, at least 1e-3 | haarnoja/softqlearning, softlearning |
 * | pyro         | lower med(d²) / log(n+1)           | Pyro 1.9.2, of each coordinate alone: its default |
 * | pyro-multivariate | pyro for each coordinate: h_k | Pyro 1.9.2, mode 'multivariate' |
 * | per-dimension | svpg-paper after every coordinate is divided by its √h_k | coordinates in units of their own |
 * | numpyro      | med(d, n² entries)² / log n + ε    | numpyro 0.22, ε of float32; 1 for one particle |
 * | s2ac         | mean(d², n² entries) / 2 log(n+1)  | S2AC code, its default statistic |
 */
export const bandwidthConventions = {
  'svgd-paper': { over: 'pairs', statistic: 'median of d, squared', middle: 'mean', divisor: (logN) => logN },
  'svpg-paper': { over: 'pairs', statistic: 'median of d, squared', middle: 'mean', divisor: (_, logN1) => logN1 },
  dartml: { over: 'all', statistic: 'median of d²', middle: 'mean', divisor: (_, logN1) => logN1 },
  'svpg-code': { over: 'all', statistic: 'median of d²', middle: 'mean', divisor: (_, logN1) => 2 * logN1 },
  'svpg-pytorch': { over: 'all', statistic: 'median of d²', middle: 'lower', divisor: (logN) => logN },
  'sql-paper': { over: 'pairs', statistic: 'median of d', middle: 'mean', divisor: (_, logN1) => 2 * logN1 },
  'haarnoja-sql': { over: 'pairs', statistic: 'median of d²', middle: 'lower', divisor: (logN) => logN, floor: 1e-3 },
  pyro: { over: 'pairs', statistic: 'median of d²', middle: 'lower', divisor: (_, logN1) => logN1 },
  'pyro-multivariate': { over: 'pairs', statistic: 'median of d²', middle: 'lower', divisor: (_, logN1) => logN1 },
  'per-dimension': { over: 'pairs', statistic: 'median of d²', middle: 'lower', divisor: (_, logN1) => logN1 },
  numpyro: {
    over: 'all',
    statistic: 'median of d, squared',
    middle: 'mean',
    divisor: (logN) => logN,
    plus: 1.1920928955078125e-7,
  },
  s2ac: { over: 'all', statistic: 'mean of d², halved', middle: 'mean', divisor: (_, logN1) => logN1 },
} as const satisfies Record<string, BandwidthConvention>

/** The bandwidth rules by name; see bandwidthNames. */
export type BandwidthName = keyof typeof bandwidthConventions

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
export const bandwidthNames = Object.keys(bandwidthConventions) as BandwidthName[]

/** Of SVGD. It is defined for every n ≥ 1 and does not count a particle's distance to itself. */
export const DEFAULT_BANDWIDTH: BandwidthName = 'svpg-paper'
