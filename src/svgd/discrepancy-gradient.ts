import { show, UsageError } from '../core/errors.ts'
import type { Ops } from '../core/ops.ts'
import type { FixedDiscrepancyKernel } from './discrepancy.ts'

/** What the gradient of the discrepancy is made of, rows of `stride` floats for each of n particles. */
interface DiscrepancySlopes {
  /** [n, stride] 2/(n(n−1)) Σ_{j≠i} of the gradients of U(x_i, x_j) by x_i with the scores held. */
  readonly held: Float64Array
  /** [n, stride] 2/(n(n−1)) Σ_{j≠i} ∂U(x_i, x_j)/∂s_i. */
  readonly byScore: Float64Array
}

interface ScoredRows {
  /** [n, stride] */
  readonly x: Float32Array
  /** [n, stride] s = ∇ log p of each particle. */
  readonly score: Float32Array
  readonly stride: number
}

/**
 * The U-statistic of the squared kernel Stein discrepancy and its gradient by the particles, but for the scores' own
 * dependence on them. With a radial kernel k(x, y) = f(q), q = |r|², r = x − y, and scores s, t,
 *
 *     U(x, y) = f s·t − 2f′ (s − t)·r − 2d f′ − 4q f″
 *     ∂U/∂x at given scores = 2 [ f′ s·t − 2f″ (s − t)·r − 2(d + 2) f″ − 4q f‴ ] r − 2f′ (s − t)
 *     ∂U/∂s = f t − 2f′ r = k t + ∇_y k
 *
 * The gradient by x_i is held_i + H_i byScore_i with H_i = ∇s(x_i), the Hessian of log p; byScore_i is 2/(n−1) of the
 * Stein direction at x_i without its own term. All arithmetic in float64; every sum over j in order. Source: Liu & Feng
 * 2016 (arXiv 1612.00081), section 3; U: Liu, Lee & Jordan 2016 (arXiv 1602.03253), theorem 3.6.
 *
 * @returns squaredU as in discrepancy.ts
 */
export function discrepancySlopesInto(
  { held, byScore }: DiscrepancySlopes,
  { x, score, stride }: ScoredRows,
  n: number,
  d: number,
  kernel: FixedDiscrepancyKernel,
  ops: Ops,
): number {
  const scale = 2 / (n * (n - 1))
  const derivatives = derivativesOf(kernel, ops)
  held.fill(0)
  byScore.fill(0)
  let sum = 0
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const a = i * stride
      const b = j * stride
      let q = 0
      let scores = 0
      let slope = 0
      for (let c = 0; c < d; c++) {
        const r = x[a + c] - x[b + c]
        q += r * r
        scores += score[a + c] * score[b + c]
        slope += (score[a + c] - score[b + c]) * r
      }
      const [f, f1, f2, f3] = derivatives(q)
      sum += f * scores - 2 * f1 * (slope + d) - 4 * q * f2
      const along = 2 * (f1 * scores - 2 * f2 * (slope + d + 2) - 4 * q * f3)
      for (let c = 0; c < d; c++) {
        const r = x[a + c] - x[b + c]
        const move = scale * (along * r - 2 * f1 * (score[a + c] - score[b + c]))
        // U is symmetric and depends on x through differences alone: what moves i moves j the other way.
        held[a + c] += move
        held[b + c] -= move
        byScore[a + c] += scale * (f * score[b + c] - 2 * f1 * r)
        byScore[b + c] += scale * (f * score[a + c] + 2 * f1 * r)
      }
    }
  }
  return scale * sum
}

/** f, f′, f″ and f‴ at q. */
type Derivatives = (q: number) => readonly [number, number, number, number]

function derivativesOf(kernel: FixedDiscrepancyKernel, { exp64, log64 }: Ops): Derivatives {
  if (kernel.kind === 'rbf') {
    const { bandwidth: h } = kernel
    return (q) => {
      const f = exp64(-q / h)
      return [f, -f / h, f / (h * h), -f / (h * h * h)]
    }
  }
  const { c, beta } = kernel
  return (q) => {
    const base = c * c + q
    const f = exp64(beta * log64(base))
    const f1 = (beta * f) / base
    const f2 = ((beta - 1) * f1) / base
    return [f, f1, f2, ((beta - 2) * f2) / base]
  }
}

/** @throws UsageError for a kernel whose numbers are out of range or missing */
export function checkDiscrepancyKernel(kernel: FixedDiscrepancyKernel): FixedDiscrepancyKernel {
  const isSound =
    kernel.kind === 'rbf'
      ? kernel.bandwidth > 0 && kernel.bandwidth < Number.POSITIVE_INFINITY
      : kernel.kind === 'imq' && kernel.c > 0 && kernel.c * kernel.c < Infinity && kernel.beta > -1 && kernel.beta < 0
  if (isSound) return kernel
  throw new UsageError(
    `discrepancyKernel must be an rbf with bandwidth > 0 or an imq with c > 0 and -1 < beta < 0, got ${show(kernel)}.`,
  )
}
