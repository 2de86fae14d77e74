import { EigenvalueDecomposition, inverse, Matrix } from 'ml-matrix'

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

/** z = B⁻¹ (x − centre) of rows x [n, d]. */
export function coordinatesIn({ centre, basis }: Whitening, rows: Float64Array): Float64Array {
  const d = centre.length
  const back = { centre: new Float64Array(d), basis: inverse(basis) }
  const out = new Float64Array(rows.length)
  for (let at = 0; at < rows.length; at += d)
    out.set(
      moved(
        back,
        centre.map((value, k) => rows[at + k] - value),
      ),
      at,
    )
  return out
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

/**
 * The same Gaussian by the root of its covariance that keeps coordinate k of z nearest to coordinate k of x, whatever
 * the units: B = D R^(1/2), with D the standard deviations and R the correlations. Null where the covariance is not
 * positive definite.
 *
 * Source: Kessy, Lewin & Strimmer 2018 (arXiv 1512.00809), "ZCA-cor".
 */
export function aligned({ centre, basis }: Whitening): Whitening | null {
  const d = centre.length
  const covariance = basis.mmul(basis.transpose())
  const sd = Array.from({ length: d }, (_, k) => Math.sqrt(covariance.get(k, k)))
  const correlations = Matrix.zeros(d, d)
  for (let k = 0; k < d; k++) for (let l = 0; l < d; l++) correlations.set(k, l, covariance.get(k, l) / (sd[k] * sd[l]))
  const { realEigenvalues: values, eigenvectorMatrix: V } = new EigenvalueDecomposition(correlations, {
    assumeSymmetric: true,
  })
  if (!values.every((value) => value > 0)) return null
  const root = V.mmul(Matrix.diag(values.map(Math.sqrt))).mmul(V.transpose())
  return { centre, basis: Matrix.diag(sd).mmul(root) }
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
