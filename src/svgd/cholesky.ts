import { UsageError } from '../core/errors.ts'

/**
 * L with M = L Lᵀ, in float64.
 *
 * @throws UsageError that says of `name` whether it is not square, symmetric or positive definite
 */
export function choleskyOf(M: readonly ArrayLike<number>[], name: string): number[][] {
  const d = M.length
  const L = M.map(() => new Array<number>(d).fill(0))
  for (let i = 0; i < d; i++) {
    if (M[i].length !== d)
      throw new UsageError(`${name} must be a square matrix: row ${i} has ${M[i].length} of ${d} entries.`)
    for (let j = 0; j <= i; j++) {
      if (!(Math.abs(M[i][j] - M[j][i]) <= 1e-9 * (Math.abs(M[i][j]) + Math.abs(M[j][i]))))
        throw new UsageError(
          `${name} must be symmetric, got ${M[i][j]} at (${i}, ${j}) and ${M[j][i]} at (${j}, ${i}).`,
        )
      let sum = M[i][j]
      for (let k = 0; k < j; k++) sum -= L[i][k] * L[j][k]
      if (i === j && !(sum > 0)) throw new UsageError(`${name} must be positive definite: pivot ${i} is ${sum}.`)
      L[i][j] = i === j ? Math.sqrt(sum) : sum / L[j][j]
    }
  }
  return L
}

/** L⁻¹ of a lower triangular L. */
export function invertLower(L: readonly (readonly number[])[]): number[][] {
  const d = L.length
  const inverse = L.map(() => new Array<number>(d).fill(0))
  for (let column = 0; column < d; column++) {
    for (let i = column; i < d; i++) {
      let sum = i === column ? 1 : 0
      for (let k = column; k < i; k++) sum -= L[i][k] * inverse[k][column]
      inverse[i][column] = sum / L[i][i]
    }
  }
  return inverse
}

/** M⁻¹ b with M = L Lᵀ. */
export function solveCholesky(L: readonly (readonly number[])[], b: ArrayLike<number>): Float64Array {
  const x = Float64Array.from(b)
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) x[i] -= L[i][k] * x[k]
    x[i] /= L[i][i]
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i] -= L[k][i] * x[k]
    x[i] /= L[i][i]
  }
  return x
}
