// Slow, obvious float64 twins of the Stein core.

export interface SteinReference {
  kernel: number[][]
  drive: number[][]
  repulsion: number[][]
  phi: number[][]
}

const squaredDistance = (x: number[], y: number[]) => x.reduce((sum, value, k) => sum + (value - y[k]) ** 2, 0)

/** Squared distances of the pairs i < j. */
export function pairDistances(X: number[][]): number[] {
  return X.flatMap((x, i) => X.slice(i + 1).map((y) => squaredDistance(x, y)))
}

/** φ(x_i) = 1/n Σ_j [ k(x_j, x_i) g_j + (2/h)(x_i − x_j) k(x_j, x_i) ], k = exp(−|x−y|²/h). */
export function steinDirectionReference(X: number[][], G: number[][], h: number): SteinReference {
  const n = X.length
  const kernel = X.map((x) => X.map((y) => Math.exp(-squaredDistance(x, y) / h)))
  const mean = (term: (i: number, j: number, k: number) => number) =>
    X.map((x, i) => x.map((_, k) => X.reduce((sum, _, j) => sum + term(i, j, k), 0) / n))
  const drive = mean((i, j, k) => kernel[j][i] * G[j][k])
  const repulsion = mean((i, j, k) => (2 / h) * (X[i][k] - X[j][k]) * kernel[j][i])
  return { kernel, drive, repulsion, phi: drive.map((row, i) => row.map((value, k) => value + repulsion[i][k])) }
}

/** Linear interpolation is not meant: the mean or the lower of the two middle values. */
export function medianReference(values: number[], middle: 'mean' | 'lower' = 'mean'): number {
  const sorted = [...values].sort((a, b) => a - b)
  const lower = sorted[(sorted.length - 1) >> 1]
  return middle === 'mean' ? (lower + sorted[sorted.length >> 1]) / 2 : lower
}
