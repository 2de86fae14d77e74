import { type Breathing, breathing } from '../core/breathing.ts'
import { deriveSeed, exponential, generator, normal } from '../core/generator.ts'
import { Draw, Purpose } from '../core/random.ts'
import { coordinatesIn, dot, moved, stack, type Whitening, whitenedScore } from './gaussian.ts'
import type { Target } from './target.ts'

// Hamiltonian Monte Carlo from every particle, in whitened coordinates: the posterior itself, whatever its shape.

/** Where particles went by themselves. */
interface Walk {
  /** [rounds · n, d] the places of the n particles after each round, round by round. */
  readonly rows: Float64Array
  readonly rounds: number
  /** Share of the moves that were accepted. */
  readonly acceptance: number
  /** Share of the particles of which no move was accepted. */
  readonly stuck: number
}

/** How far a walk goes. */
interface WalkOptions {
  /** Rounds that are kept; a third as many go before. */
  readonly rounds: number
  readonly seed: number
  /** Between two evaluations. */
  readonly breath?: Breathing
}

/** Of the first steps, in standard deviations and over d^¼; and what a trajectory is long. */
const FIRST_STEP = 0.8
const TRAJECTORY = 1.5
const MOST_LEAPS = 8
/** Shares of the step that take turns: the small ones also move particles where the density is narrow. */
const SHARES = [1, 0.5, 0.9, 0.25]
/** Acceptances between which the step stays as it is. */
const ACCEPTED = { least: 0.7, most: 0.9 }

interface State {
  readonly z: Float64Array
  readonly f: number
  /** ∇ log p with respect to z */
  readonly g: Float64Array
}

/**
 * Hamiltonian Monte Carlo from each of the rows [n, d], which leaves the posterior as it is: particles that are spread
 * as the posterior stay so, and others go where it is. Moves are those of z, x = centre + B z:
 *
 *     p ~ N(0, I);  p ← p + ε/2 ∇ log p(z),  z ← z + ε p,  p ← p + ε/2 ∇ log p(z), …
 *     accepted with probability min(1, exp(H(z, p) − H(z′, p′))),  H = |p|²/2 − log p(z)
 *
 * All particles share ε, which is found in the rounds that are not kept.
 *
 * Source: Neal 2011 (arXiv 1206.1901), section 3; Hoffman & Sountsov 2022 for many short chains side by side.
 */
export async function walk(
  target: Target,
  whitening: Whitening,
  rows: Float64Array,
  { rounds, seed, breath = breathing() }: WalkOptions,
): Promise<Walk> {
  const d = target.dimension
  const n = rows.length / d
  const random = generator(deriveSeed(seed, Purpose.particles, 0, Draw.svgd.walk, 0))
  const burn = Math.ceil(rounds / 3)
  const z = coordinatesIn(whitening, rows)
  let states = evaluated(
    target,
    whitening,
    Array.from({ length: n }, (_, i) => z.subarray(i * d, (i + 1) * d)),
  )
  let step = FIRST_STEP / Math.sqrt(Math.sqrt(d))
  let accepted = 0
  const kept: Float64Array[] = []
  const moves = new Uint32Array(n)
  for (let round = -burn; round < rounds; round++) {
    const epsilon = step * SHARES[(round + burn) % SHARES.length]
    const leaps = Math.min(MOST_LEAPS, Math.ceil(TRAJECTORY / step))
    const momenta = states.map(() => Float64Array.from({ length: d }, () => normal(random)))
    const { ends, momenta: last } = await leapfrog(target, whitening, { states, momenta }, { epsilon, leaps, breath })
    const energy = (state: State, p: Float64Array) => dot(p, p) / 2 - state.f
    const takes = states.map(
      (state, i) => energy(ends[i], last[i]) - energy(state, momenta[i]) < exponential(random) && isSound(ends[i]),
    )
    states = states.map((state, i) => (takes[i] ? ends[i] : state))
    const share = takes.filter(Boolean).length / n
    if (round < 0 && epsilon > 0.8 * step) {
      if (share < ACCEPTED.least) step *= 0.7
      if (share > ACCEPTED.most) step *= 1.3
    }
    if (round < 0) continue
    accepted += share / rounds
    for (const [i, take] of takes.entries()) moves[i] += take ? 1 : 0
    kept.push(...states.map((state) => moved(whitening, state.z)))
  }
  return { rows: stack(kept), rounds, acceptance: accepted, stuck: moves.filter((count) => count === 0).length / n }
}

const isSound = ({ f, g }: State) => Number.isFinite(f) && g.every(Number.isFinite)

function evaluated(target: Target, whitening: Whitening, z: readonly Float64Array[]): State[] {
  const { logDensity, score } = target.at(stack(z.map((row) => moved(whitening, row))))
  const d = target.dimension
  return z.map((row, i) => ({
    z: row,
    f: logDensity[i],
    g: whitenedScore(whitening, score.subarray(i * d, (i + 1) * d)),
  }))
}

async function leapfrog(
  target: Target,
  whitening: Whitening,
  { states, momenta }: { readonly states: readonly State[]; readonly momenta: readonly Float64Array[] },
  { epsilon, leaps, breath }: { readonly epsilon: number; readonly leaps: number; readonly breath: Breathing },
) {
  let ends = states
  const p = momenta.map((row) => row.slice())
  const kick = (length: number) => {
    for (const [i, { g }] of ends.entries()) for (let k = 0; k < g.length; k++) p[i][k] += length * g[k]
  }
  kick(epsilon / 2)
  for (let leap = 0; leap < leaps; leap++) {
    if (breath.isDue()) await breath.take()
    const z = ends.map((state, i) => state.z.map((value, k) => value + epsilon * p[i][k]))
    ends = evaluated(target, whitening, z)
    kick(leap < leaps - 1 ? epsilon : epsilon / 2)
  }
  return { ends, momenta: p }
}
