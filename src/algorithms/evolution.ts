import { Purpose, type Seed } from '../core/random.ts'
import type { SteinArena } from '../svgd/direction.ts'

/** Share of the population that is replaced, and how far a copy is moved: those of the SVPG author's code. */
const REPLACED = 0.25
const NOISE = 0.005

/**
 * The evolution step of the SVPG author's code: the worst quarter of the particles become copies of the others, the best ones
 * first, each parameter moved by U(−0.005, 0.005).
 *
 * @param fitness [n] mean returns; null is worse than any number
 * @param scratch [D] room for random numbers
 * @returns the particles that were replaced
 */
export function evolve(
  { ops, view }: Pick<SteinArena, 'ops' | 'view'>,
  fitness: readonly (number | null)[],
  scratch: Float32Array,
  seed: Seed,
  iteration: number,
): number[] {
  const n = fitness.length
  const D = view.theta.length / n
  const value = (i: number) => fitness[i] ?? Number.NEGATIVE_INFINITY
  const ranked = fitness.map((_, i) => i).sort((a, b) => value(b) - value(a) || a - b)
  const count = Math.floor(n * REPLACED)
  const worst = ranked.slice(n - count)
  worst.forEach((to, k) => {
    const from = ranked[k % (n - count)]
    ops.fillUniform(scratch.byteOffset, D, seed.lo, seed.hi, Purpose.evolution, to, 0, iteration)
    for (let c = 0; c < D; c++) view.theta[to * D + c] = view.theta[from * D + c] + NOISE * (2 * scratch[c] - 1)
  })
  return worst
}
