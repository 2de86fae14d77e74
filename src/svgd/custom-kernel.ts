import { UsageError } from '../core/errors.ts'
import { padded } from '../core/layout.ts'
import { type BlockStatistics, type Operands, type SteinArena, strips, type Variant } from './fields.ts'
import type { CustomKernel } from './kernels.ts'
import { kernelStatistics, product } from './passes.ts'

/** Entries of a supplied kernel may differ from their mirror image by this share of the larger diagonal entry. */
const ASYMMETRY = 1e-5

/** The direction with the caller's K and Σ_j ∇_{x_j} k(x_j, x_i). */
export function customKernelDirection(
  arena: SteinArena,
  n: number,
  operands: Operands,
  supply: CustomKernel,
  variant: Variant,
): BlockStatistics {
  const { ops, at, view } = arena
  const { d } = operands
  const D = padded(d)
  ops.copyColumns(at.givenX, d, operands.x, D, n, d)
  supply(view.customKernelOf, view.givenRepulsion, view.givenX)
  refuseBadKernel(view.customKernelOf, n)
  ops.copyColumns(at.kernel, padded(n), at.customKernelOf, n, n, n)
  ops.copyColumns(at.repulsion, D, at.givenRepulsion, d, n, d)
  const bad = ops.firstNonFinite(at.repulsion, n * D)
  if (bad >= 0)
    throw new UsageError(
      `The repulsion of particle ${Math.floor(bad / D)} is ${view.repulsion[bad]}; it must be finite.`,
    )
  product(arena, n, operands, variant, { slopes: 0, slope: 0, linear: 0, given: at.repulsion })
  return { bandwidths: [], strips: strips(n, d), ...kernelStatistics(arena, n), meanDistance: Number.NaN }
}

function refuseBadKernel(kernel: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const self = kernel[i * n + i]
    if (!(self > 0 && Number.isFinite(self)))
      throw new UsageError(`A kernel must be finite and positive on its diagonal, got k(x_${i}, x_${i}) = ${self}.`)
    for (let j = 0; j < i; j++) {
      const [a, b] = [kernel[i * n + j], kernel[j * n + i]]
      if (!(Math.abs(a - b) <= ASYMMETRY * Math.max(self, kernel[j * n + j])))
        throw new UsageError(
          `A kernel must be finite and symmetric, got k(x_${i}, x_${j}) = ${a} and k(x_${j}, x_${i}) = ${b}.`,
        )
    }
  }
}
