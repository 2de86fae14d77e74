import { type Arena, createArena } from '../core/arena.ts'
import { check, show, UsageError, wholeNumber } from '../core/errors.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import { type SteinInfo, steinDirection, steinFields } from './direction.ts'
import { type Kernel, rbf } from './kernels.ts'
import { adam, type Optimizer, optimizerFields } from './optimizers.ts'

/** Writes s(x) = ∇ log p(x) of one particle into out; both have `dimension` entries. */
export type Score = (out: Float32Array, x: Float32Array) => void

export interface SvgdOptions {
  score: Score
  /** Default rbf(), with its default bandwidth. */
  kernel?: Kernel
  /** Default adam({ learningRate: 0.1 }). */
  optimizer?: Optimizer
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
}

export interface SvgdStart {
  particles: number
  dimension: number
  /** [particles × dimension] start, row by row. Default: standard normal draws from the seed. */
  initial?: ArrayLike<number>
  /** Default 0. */
  seed?: number
}

export interface SvgdState {
  readonly particles: number
  readonly dimension: number
  /** Steps taken. */
  iteration: number
  readonly arena: Arena<ReturnType<typeof steinFields> & ReturnType<typeof optimizerFields>>
  /** One view on each particle, and one on its score. */
  readonly rows: readonly { readonly x: Float32Array; readonly score: Float32Array }[]
}

/**
 * Stein variational gradient descent: x_i ← x_i + ε φ(x_i), until the particles are spread as p is.
 *
 *     φ(x_i) = 1/n Σ_j [ k(x_j, x_i) ∇ log p(x_j) + ∇_{x_j} k(x_j, x_i) ]
 *
 * Source: Liu & Wang 2016 (arXiv 1608.04471), algorithm 1.
 * `step` throws a UsageError naming the particle when a score is not finite.
 */
export function createSVGD({ score, kernel = rbf(), optimizer = adam({ learningRate: 0.1 }), core }: SvgdOptions) {
  return {
    async init(start: SvgdStart): Promise<SvgdState> {
      const n = check(wholeNumber('particles', 1), start.particles)
      const d = check(wholeNumber('dimension', 1), start.dimension)
      const seed = splitSeed(check(wholeNumber('seed', 0), start.seed ?? 0))
      const arena = await createArena(await compileCore(core), { ...steinFields(n, d), ...optimizerFields(n, d) })
      const D = arena.view.theta.length / n
      const rows = Array.from({ length: n }, (_, i) => ({
        x: arena.view.theta.subarray(i * D, i * D + d),
        score: arena.view.score.subarray(i * D, i * D + d),
      }))
      rows.forEach(({ x }, i) => {
        arena.ops.fillNormal(x.byteOffset, d, seed.lo, seed.hi, Purpose.particles, i, 0, 0)
      })
      if (start.initial) setParticles(rows, start.initial, d)
      return { particles: n, dimension: d, iteration: 0, arena, rows }
    },

    /** One step in place. */
    step(state: SvgdState): SteinInfo {
      const { arena, rows } = state
      rows.forEach((row, i) => {
        score(row.score, row.x)
        const bad = row.score.findIndex((value) => !Number.isFinite(value))
        if (bad >= 0)
          throw new UsageError(`The score of particle ${i} is ${row.score[bad]} at x = ${show([...row.x])}.`)
      })
      const info = steinDirection(arena, state.particles, kernel)
      state.iteration++
      optimizer.step(arena, state.iteration)
      return info
    },
  }
}

function setParticles(rows: SvgdState['rows'], initial: ArrayLike<number>, d: number): void {
  if (initial.length !== rows.length * d) {
    throw new UsageError(`initial must hold ${rows.length} × ${d} = ${rows.length * d} numbers, got ${initial.length}.`)
  }
  rows.forEach(({ x }, i) => {
    for (let k = 0; k < d; k++) x[k] = initial[i * d + k]
    if (!x.every(Number.isFinite)) throw new UsageError(`initial particle ${i} is ${show([...x])}; it must be finite.`)
  })
}

/** A copy of the particles, [particles × dimension], without the padding of the rows. */
export function particlesOf({ rows, dimension }: SvgdState): Float32Array {
  const out = new Float32Array(rows.length * dimension)
  rows.forEach(({ x }, i) => {
    out.set(x, i * dimension)
  })
  return out
}
