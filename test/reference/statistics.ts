/** Kolmogorov-Smirnov: sqrt(n) sup |empirical - cdf|; above 1.95 with probability 0.001. */
export function kolmogorov(sample: Float32Array, cdf: (v: number) => number): number {
  const sorted = sample.slice().sort()
  const n = sorted.length
  let worst = 0
  for (let i = 0; i < n; i++) {
    const p = cdf(sorted[i])
    worst = Math.max(worst, p - i / n, (i + 1) / n - p)
  }
  return worst * Math.sqrt(n)
}

/** Standard normal distribution export function by its series, good to 1e-12 for |v| < 6. */
export function normalCdf(v: number): number {
  let sum = 0
  for (let k = 0, term = v; Math.abs(term) > 1e-17; k++, term *= (v * v) / (2 * k + 1)) sum += term
  return 0.5 + (sum * Math.exp((-v * v) / 2)) / Math.sqrt(2 * Math.PI)
}

/** Mean, and its standard error, of independent numbers. */
export function meanOf(sample: ArrayLike<number>): { mean: number; error: number } {
  const n = sample.length
  let mean = 0
  for (let i = 0; i < n; i++) mean += sample[i] / n
  let variance = 0
  for (let i = 0; i < n; i++) variance += (sample[i] - mean) ** 2 / (n - 1)
  return { mean, error: Math.sqrt(variance / n) }
}

/** Correlation of a and b times √n: about standard normal when they are independent. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [first, second] = [meanOf(a), meanOf(b)]
  const products = Array.from(a, (_, i) => (a[i] - first.mean) * (b[i] - second.mean))
  return meanOf(products).mean / (first.error * second.error * Math.sqrt(a.length))
}

/** Normal and uniform numbers of a seed, of the test's own: mulberry32. */
export function numbersOf(seed: number) {
  let state = seed
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return { uniform, normal, between: (low: number, high: number) => low + (high - low) * uniform() }
}
