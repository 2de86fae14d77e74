import { padded } from '../../core/layout.ts'
import { rowAt } from '../../core/rows.ts'
import { choleskyOf, invertLower } from '../../svgd/cholesky.ts'

/**
 * ε, added to the diagonal of K. Policies that are the same make det K zero and its logarithm −∞; with ε it is finite,
 * the gradient between the two is 0, no direction being better than another, and the force between policies that are
 * nearly the same grows with their distance up to |f_i − f_j|² ≈ ε h, instead of without bound towards 0.
 */
const RIDGE = 1e-3

/** An arena of functions after a direction: outputs in theta, K in kernel, room in direction. */
interface FunctionRows {
  readonly view: { readonly theta: Float32Array; readonly kernel: Float32Array; readonly direction: Float32Array }
}

/**
 * The gradient of the log-volume of a population by the outputs of each policy, times a factor, into direction [n, F]:
 *
 *     ∇_{f_i} log det(K + εI) = −(4/h) Σ_j (K + εI)⁻¹_ij k_ij (f_i − f_j),   k_ij = exp(−|f_i − f_j|²/h)
 *
 * A volume counts clusters: a policy between two others adds nothing, where pairs would count it twice.
 *
 * Source: Parker-Holder, Pacchiano, Choromanski & Roberts 2020 (arXiv 2002.00632), section 4, DvD.
 */
export function volumeGradient({ view }: FunctionRows, n: number, h: number, factor: number): void {
  const N = padded(n)
  const K = (i: number, j: number) => view.kernel[i * N + j]
  const inverse = inverseOf(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => K(i, j))))
  const row = (values: Float32Array, i: number) => rowAt(values, n, values.length / n, i)
  for (let i = 0; i < n; i++) {
    const [own, out] = [row(view.theta, i), row(view.direction, i)]
    const weights = inverse[i].map((value, j) => (j === i ? 0 : ((-4 * factor) / h) * value * K(i, j)))
    const others = weights.map((_, j) => row(view.theta, j))
    for (let c = 0; c < out.length; c++)
      out[c] = weights.reduce((sum, weight, j) => sum + weight * (own[c] - others[j][c]), 0)
  }
}

/** (K + εI)⁻¹ of a kernel matrix, by Cholesky. */
function inverseOf(K: readonly (readonly number[])[]): number[][] {
  const n = K.length
  const ridged = K.map((row, i) => row.map((value, j) => (i === j ? value + RIDGE : value)))
  const L = choleskyOf(ridged, 'The kernel matrix')
  const lower = invertLower(L)
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => {
      let sum = 0
      for (let k = Math.max(i, j); k < n; k++) sum += lower[k][i] * lower[k][j]
      return sum
    }),
  )
}
