// A slow, obvious float64 twin of one step of Stein variational Newton.

import { times } from './kernels.ts'
import { solve } from './linear.ts'

/** x_i + ε H_i⁻¹ φ(x_i), with M the mean of the Hessians and k = exp(−|x−y|²_M / 2d). */
export function newtonReference(
  X: readonly number[][],
  S: readonly number[][],
  hessians: readonly number[][][],
  rate: number,
): number[][] {
  const n = X.length
  const d = X[0].length
  const indices = X[0].map((_, k) => k)
  const M = indices.map((a) => indices.map((b) => hessians.reduce((sum, H) => sum + H[a][b], 0) / n))
  const k = (x: number[], y: number[]) => {
    const apart = x.map((value, a) => value - y[a])
    return Math.exp(-times(M, apart).reduce((sum, value, a) => sum + value * apart[a], 0) / (2 * d))
  }
  /** ∇_x k(x, y) by central differences, so that no sign is taken from the formula. */
  const gradient = (x: number[], y: number[]) =>
    indices.map((a) => {
      const at = (by: number) => x.map((value, b) => value + (a === b ? by : 0))
      return (k(at(1e-5), y) - k(at(-1e-5), y)) / 2e-5
    })
  return X.map((x) => {
    const phi = indices.map((a) => X.reduce((sum, y, j) => sum + k(y, x) * S[j][a] + gradient(y, x)[a], 0) / n)
    const H = indices.map((a) =>
      indices.map(
        (b) =>
          X.reduce((sum, y, j) => sum + k(y, x) ** 2 * hessians[j][a][b] + gradient(y, x)[a] * gradient(y, x)[b], 0) /
          n,
      ),
    )
    const step = solve(H, phi)
    return x.map((value, a) => value + rate * step[a])
  })
}
