import { type BandwidthRule, bandwidthOf, DEFAULT_BANDWIDTH } from './bandwidth.ts'
import type { SteinArena } from './direction.ts'

/**
 * A positive-definite k(x, y) over particles. `evaluate` reads theta and writes two arrays of the arena:
 * kernel [n, n] with k(x_i, x_j), and repulsion [n, D] with 1/n Σ_j ∇_{x_j} k(x_j, x_i).
 */
export interface Kernel {
  readonly name: string
  evaluate(arena: SteinArena, n: number): { readonly bandwidth: number }
}

/**
 * Radial basis function kernel k(x, y) = exp(−|x−y|²/h), ∇_x k(x, y) = −(2/h)(x − y) k(x, y).
 *
 * @param bandwidth a named rule or a fixed h > 0; default 'svpg-paper', h = med²/log(n+1). See bandwidth.ts.
 * @throws UsageError for an unknown rule or h ≤ 0
 */
export function rbf({ bandwidth = DEFAULT_BANDWIDTH }: { bandwidth?: BandwidthRule } = {}): Kernel {
  const rule = bandwidthOf(bandwidth)
  return {
    name: 'rbf',
    evaluate(arena, n) {
      const { ops, at } = arena
      const D = arena.view.theta.length / n
      ops.centreInto(at.centred, at.theta, n, D)
      ops.squaredDistances(at.distances, at.centred, n, D)
      // Rounded here so that the value reported is the one used.
      const h = Math.fround(rule(arena, n))
      ops.rbfKernel(at.kernel, at.distances, n, h)
      ops.rbfRepulsion(at.repulsion, at.centred, at.kernel, n, D, h)
      return { bandwidth: h }
    },
  }
}
