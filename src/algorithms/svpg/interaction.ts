import type { Ops } from '../../core/ops.ts'
import { steinDirection } from '../../svgd/direction.ts'
import type { SteinArena, SteinInfo, Variant } from '../../svgd/fields.ts'
import type { Kernel } from '../../svgd/kernels.ts'

/**
 * How particles act on each other. With s the scores and k the kernel,
 *
 * 'stein': φ_i = 1/n Σ_j [ k_ji s_j + ∇_{θ_j} k_ji ];
 * 'independent': φ_i = s_i, no kernel and no mean over particles;
 * 'joint': the same with one particle that has the data of all;
 * 'determinant': φ_i = 1/n [ s_i + ∇_i log det K ], the volume of all instead of pairs; with the kernel on functions.
 *
 * The others take stein apart, to see what it works by:
 *
 * 'no-sharing': φ_i = 1/n [ s_i + Σ_j ∇_{θ_j} k_ji ], only the repulsion is mutual;
 * 'self-push': φ_i = 1/n [ s_i + (n − 1) (2/h) e^{−2|θ_i|²/h} θ_i ], no interaction at all: each is pushed from the
 * origin as n − 1 others would push it that are as far from the origin in directions of their own.
 */
export const interactions = ['stein', 'independent', 'joint', 'determinant', 'no-sharing', 'self-push'] as const
type Interaction = (typeof interactions)[number]

/** Whether particles are moved by a kernel. */
export const isMutual = (interaction: Interaction) =>
  interaction === 'stein' || interaction === 'determinant' || interaction === 'no-sharing'

/** How policies act on each other as functions. */
export const actingOf = (interaction: Interaction) => ({
  isSharing: interaction === 'stein',
  byVolume: interaction === 'determinant',
})

/** From the scores to the directions. Null where there is no kernel. */
export function direct(
  arena: SteinArena,
  size: Parameters<typeof steinDirection>[1],
  interaction: Interaction,
  kernel: Kernel,
  variant: Variant,
): SteinInfo | null {
  const { ops, at, view } = arena
  const { particles: n } = size
  const count = view.theta.length
  if (interaction === 'stein') return steinDirection(arena, size, kernel, variant)
  if (interaction === 'no-sharing') {
    const info = steinDirection(arena, size, kernel, { ...variant, drive: 0 })
    ops.combineInto(at.direction, 1, at.direction, 1 / n, at.score, count)
    return { ...info, drive: ownDrive(arena, n) }
  }
  ops.combineInto(at.direction, 1, at.score, 0, at.score, count)
  if (interaction === 'self-push') pushFromOrigin(arena, n, variant.repulsion ?? 1)
  return null
}

/** Mean of |s_i|/n, the norm of the drive that is a particle's own. */
function ownDrive({ ops, at, view }: SteinArena, n: number): number {
  ops.rowSquares(at.squares, at.score, n, view.score.length / n)
  return view.squares.subarray(0, n).reduce((sum, square) => sum + Math.sqrt(square), 0) / (n * n)
}

/**
 * The bandwidth of the SVPG author's code for distances of √2 times the particles' own norms: h = 2 mean|θ|² / 2
 * log(n+1).
 */
function pushFromOrigin({ ops, at, view }: SteinArena, n: number, repulsion: number): void {
  const D = view.theta.length / n
  ops.rowSquares(at.squares, at.theta, n, D)
  const squares = Array.from(view.squares.subarray(0, n))
  const h = squares.reduce((sum, square) => sum + square, 0) / n / ops.log64(n + 1)
  squares.forEach((square, i) => {
    const weight = (((n - 1) * 2) / h) * ops.exp64((-2 * square) / h)
    combineRow(ops, at, i, D, 1 / n, (repulsion * weight) / n)
  })
}

/** direction_i ← a direction_i + b θ_i */
function combineRow(ops: Ops, at: SteinArena['at'], i: number, D: number, a: number, b: number): void {
  const row = i * D * 4
  ops.combineInto(at.direction + row, a, at.direction + row, b, at.theta + row, D)
}
