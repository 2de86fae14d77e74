import { type Arena, createArena, f32, padded } from '../core/arena.ts'
import { check, show, UsageError, wholeNumber } from '../core/errors.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import type { Minibatch, Population, PopulationScore } from '../core/population.ts'
import { Purpose, type Seed, splitSeed } from '../core/random.ts'
import { type SteinInfo, steinDirection, steinFields } from './direction.ts'
import { type Kernel, rbf } from './kernels.ts'
import { type MinibatchOptions, type MinibatchState, minibatchAt, startMinibatches } from './minibatch.ts'
import { adam, type Optimizer, optimizerFields } from './optimizers.ts'

/** Writes s(x) = ∇ log p(x) of one particle into out; both have `dimension` entries. */
export type Score = (out: Float32Array, x: Float32Array, batch: Minibatch) => void

export interface SvgdOptions {
  /** The score of one particle. Give this or populationScore. */
  score?: Score
  /** The scores of all particles at once, as logDensity() makes them from a tfjs expression. */
  populationScore?: PopulationScore
  /** Hands each step `size` of `rows` rows of the data; default: none. */
  minibatch?: MinibatchOptions
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

type SvgdFields = ReturnType<typeof steinFields> &
  ReturnType<typeof optimizerFields> & { shuffle: ReturnType<typeof f32> }

export interface SvgdState {
  readonly particles: number
  readonly dimension: number
  readonly seed: Seed
  /** Steps taken. */
  iteration: number
  readonly arena: Arena<SvgdFields>
  /** What a score function sees. */
  readonly population: Population
  /** One view on each particle, and one on its score. */
  readonly rows: readonly { readonly x: Float32Array; readonly score: Float32Array }[]
  readonly minibatches: MinibatchState
}

/**
 * Stein variational gradient descent: x_i ← x_i + ε φ(x_i), until the particles are spread as p is.
 *
 *     φ(x_i) = 1/n Σ_j [ k(x_j, x_i) ∇ log p(x_j) + ∇_{x_j} k(x_j, x_i) ]
 *
 * Source: Liu & Wang 2016 (arXiv 1608.04471), algorithm 1.
 * `step` throws a UsageError naming the particle when a score is not finite.
 */
export function createSVGD(options: SvgdOptions) {
  const { kernel = rbf(), optimizer = adam({ learningRate: 0.1 }), core } = options
  const scoreAll = scoreOf(options)
  return {
    async init(start: SvgdStart): Promise<SvgdState> {
      const n = check(wholeNumber('particles', 1), start.particles)
      const d = check(wholeNumber('dimension', 1), start.dimension)
      const seed = splitSeed(check(wholeNumber('seed', 0), start.seed ?? 0))
      const minibatches = startMinibatches(options.minibatch)
      const arena = await createArena(await compileCore(core), {
        ...steinFields(n, d, { kernel }),
        ...optimizerFields(n, d, optimizer),
        /** [rows] uniform numbers for shuffling. */
        shuffle: f32(padded(minibatches.order.length)),
      })
      const stride = arena.view.theta.length / n
      const population = {
        particles: n,
        dimension: d,
        stride,
        x: arena.view.theta,
        score: arena.view.score,
      }
      const rows = Array.from({ length: n }, (_, i) => ({
        x: population.x.subarray(i * stride, i * stride + d),
        score: population.score.subarray(i * stride, i * stride + d),
      }))
      rows.forEach(({ x }, i) => {
        arena.ops.fillNormal(x.byteOffset, d, seed.lo, seed.hi, Purpose.particles, i, 0, 0)
      })
      if (start.initial) setParticles(rows, start.initial, d)
      return { particles: n, dimension: d, seed, iteration: 0, arena, population, rows, minibatches }
    },

    /** One step in place. */
    step(state: SvgdState): SteinInfo {
      const { arena, minibatches, iteration, seed } = state
      const scratch = { at: arena.at.shuffle, view: arena.view.shuffle }
      scoreAll(state, minibatchAt(minibatches, iteration, arena.ops, seed, scratch))
      refuseNonFinite(state)
      const info = steinDirection(arena, state, kernel)
      state.iteration++
      optimizer.step(arena, state.iteration)
      return info
    },
  }
}

/** The score of one particle or of all, whichever was given, as a function of the state. */
function scoreOf({ score, populationScore }: SvgdOptions): (state: SvgdState, batch: Minibatch) => void {
  if (score && populationScore) throw new UsageError('Give either score or populationScore, not both.')
  if (score) return ({ rows }, batch) => rows.forEach((row) => void score(row.score, row.x, batch))
  if (populationScore) return ({ population }, batch) => populationScore(population, batch)
  throw new UsageError('Give a score (of one particle) or a populationScore (of all of them).')
}

function refuseNonFinite({ arena, population, rows }: SvgdState): void {
  const bad = arena.ops.firstNonFinite(arena.at.score, population.score.length)
  if (bad < 0) return
  const i = Math.floor(bad / population.stride)
  throw new UsageError(`The score of particle ${i} is ${population.score[bad]} at x = ${show([...rows[i].x])}.`)
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
