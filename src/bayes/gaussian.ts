import { CholeskyDecomposition, type Matrix } from 'ml-matrix'

/** A Gaussian N(centre, B Bᵀ), and coordinates in which it is standard normal: x = centre + B z. */
export interface Whitening {
  readonly centre: Float64Array
  /** B [d][d] */
  readonly basis: Matrix
}

/** centre + length · B z */
export function moved({ centre, basis }: Whitening, z: ArrayLike<number>, length = 1): Float64Array {
  return centre.map((value, i) => {
    let sum = 0
    for (let k = 0; k < centre.length; k++) sum += basis.get(i, k) * z[k]
    return value + length * sum
  })
}

/** Bᵀ s: the gradient with respect to z. */
export function whitenedScore({ basis }: Whitening, score: ArrayLike<number>): Float64Array {
  const d = basis.rows
  return Float64Array.from({ length: d }, (_, k) => {
    let sum = 0
    for (let i = 0; i < d; i++) sum += basis.get(i, k) * score[i]
    return sum
  })
}

/** √ of the diagonal of B Bᵀ: the standard deviation of each coordinate of x. */
export function deviations({ basis }: Whitening): Float64Array {
  return Float64Array.from({ length: basis.rows }, (_, i) => {
    let squares = 0
    for (let k = 0; k < basis.columns; k++) squares += basis.get(i, k) * basis.get(i, k)
    return Math.sqrt(squares)
  })
}

/** L with L Lᵀ = C; null where C is not positive definite. */
export function choleskyOf(covariance: Matrix): Matrix | null {
  const decomposition = new CholeskyDecomposition(covariance)
  return decomposition.isPositiveDefinite() ? decomposition.lowerTriangularMatrix : null
}

/** Rows one after the other. */
export function stack(rows: readonly ArrayLike<number>[]): Float64Array {
  const width = rows[0].length
  const out = new Float64Array(rows.length * width)
  rows.forEach((row, r) => void out.set(row, r * width))
  return out
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k]
  return sum
}

export const norm = (a: ArrayLike<number>) => Math.sqrt(dot(a, a))
