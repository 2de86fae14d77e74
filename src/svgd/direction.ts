import { directionInCoordinates } from './coordinates.ts'
import { customKernelDirection } from './custom-kernel.ts'
import type { BlockStatistics, SteinArena, SteinInfo, Variant } from './fields.ts'
import type { Kernel } from './kernels.ts'
import { plainDirection } from './passes.ts'

/**
 * The Stein direction of n particles, from theta and score to direction, in place:
 *
 *     φ(x_i) = 1/n Σ_j [ k(x_j, x_i) s(x_j) + ∇_{x_j} k(x_j, x_i) ]
 *
 * No memory is allocated, but for an adaptive bandwidth and for slices. `iteration` is what slices depend on.
 *
 * Source: Liu & Wang 2016 (arXiv 1608.04471), equation 8.
 */
export function steinDirection(
  arena: SteinArena,
  size: { readonly particles: number; readonly dimension: number; readonly iteration?: number },
  kernel: Kernel,
  variant: Variant = {},
): SteinInfo {
  const { ops, at, view } = arena
  const { particles: n, dimension: d, iteration = 0 } = size
  const whole = { x: at.theta, score: at.score, out: at.direction, d, strip: 0 }
  const parts = kernel.given
    ? [customKernelDirection(arena, n, whole, kernel.given, variant)]
    : kernel.coordinates
      ? directionInCoordinates(arena, n, whole, kernel.coordinates, kernel.terms, variant, iteration)
      : [plainDirection(arena, n, whole, kernel.terms, variant)]
  const total = (value: (part: BlockStatistics) => number) => parts.reduce((sum, part) => sum + value(part), 0)
  const mean = (value: (part: BlockStatistics) => number) => total(value) / parts.length
  if (view.norms.length > 0)
    ops.meanNorms(
      at.meanNorms,
      at.norms,
      total(({ strips }) => strips),
      n,
    )
  else view.meanNorms.fill(Number.NaN)
  const bandwidths = parts.flatMap((part) => part.bandwidths)
  return {
    bandwidth: bandwidths.reduce((sum, h) => sum + h, 0) / bandwidths.length,
    bandwidths,
    drive: view.meanNorms[0],
    repulsion: view.meanNorms[1],
    sharing: view.meanNorms[2],
    meanRowSum: mean((part) => part.meanRowSum),
    kernelOffDiagonal: mean((part) => part.kernelOffDiagonal),
    meanDistance: mean((part) => part.meanDistance),
  }
}
