import { Purpose, type Seed } from '../../core/random.ts'
import type { SteinArena } from '../../svgd/fields.ts'

/** Share of the population that is replaced, and how far a copy is moved: those of the SVPG author's code. */
const REPLACED = 0.25
const NOISE = 0.005

/**
 * The evolution step of the SVPG author's code: the worst quarter of the particles become copies of the others, the
 * best ones first, each parameter moved by U(−0.005, 0.005).
 *
 * @param dimension parameters of a particle; the padding of its row stays 0
 * @param fitness [n] mean returns; a particle whose return is not known yet (null) is neither replaced nor copied
 * @param scratch [D] room for random numbers
 * @returns the particles that were replaced
 */
export function evolve(
  { ops, view }: Pick<SteinArena, 'ops' | 'view'>,
  dimension: number,
  fitness: readonly (number | null)[],
  scratch: Float32Array,
  seed: Seed,
  iteration: number,
): number[] {
  const D = view.theta.length / fitness.length
  const value = (i: number) => fitness[i] as number
  const known = fitness.map((_, i) => i).filter((i) => fitness[i] !== null)
  const ranked = known.sort((a, b) => value(b) - value(a) || a - b)
  const kept = ranked.length - Math.floor(ranked.length * REPLACED)
  const worst = ranked.slice(kept)
  worst.forEach((to, k) => {
    const from = ranked[k % kept]
    ops.fillUniform(scratch.byteOffset, D, seed.lo, seed.hi, Purpose.evolution, to, 0, iteration)
    for (let c = 0; c < dimension; c++) view.theta[to * D + c] = view.theta[from * D + c] + NOISE * (2 * scratch[c] - 1)
  })
  return worst
}
