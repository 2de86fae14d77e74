/** Trials are taken together in this many groups of equal size along a range. */
const GROUPS = 4

/** Fewer trials say nothing about a setting. */
const LEAST = 8

/**
 * How much of the differences between trials one setting alone explains: the share of the variance of the ranks of
 * their values between groups of trials, less what chance would have it,
 *
 *     ε² = (SS_between − (k − 1) MS_within)/SS_total, at least 0
 *
 * Groups are the values of a choice, or quarters of the trials along a range. What only matters together with another
 * setting is not seen. Source: Kelley 1935, "An unbiased correlation ratio measure"; of ranks, so that a few trials
 * that come to nothing do not decide it.
 *
 * @param places [trials] where each trial is along the setting
 * @param values [trials]
 * @returns null for fewer than eight trials, or where all values or all places are the same
 */
export function importanceOf(places: readonly number[], values: readonly number[], isChoice: boolean): number | null {
  const n = values.length
  if (n < LEAST) return null
  const ranks = ranksOf(values)
  const order = ranksOf(places)
  const group = (i: number) => (isChoice ? places[i] : Math.min(Math.floor((order[i] / n) * GROUPS), GROUPS - 1))
  const groups = new Map<number, number[]>()
  ranks.forEach((rank, i) => {
    groups.set(group(i), [...(groups.get(group(i)) ?? []), rank])
  })
  const mean = (n - 1) / 2
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) * (rank - mean), 0)
  const k = groups.size
  if (k < 2 || k >= n || total === 0) return null
  const between = [...groups.values()].reduce((sum, of) => {
    const off = of.reduce((s, rank) => s + rank, 0) / of.length - mean
    return sum + of.length * off * off
  }, 0)
  return Math.max((between - ((k - 1) * (total - between)) / (n - k)) / total, 0)
}

/** 0 for the smallest; equals share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  return values.map((x) => {
    const below = values.filter((y) => y < x).length
    const same = values.filter((y) => y === x).length
    return below + (same - 1) / 2
  })
}
