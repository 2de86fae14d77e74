import { show, UsageError } from '../core/errors.ts'
import type { Ops } from '../core/ops.ts'
import { namesOf, refuseUnknown } from '../core/options.ts'
import { Draw, Purpose, type Seed, splitSeed } from '../core/random.ts'
import { isRecord } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import type { Scored } from './scores.ts'

// Where the particles of SVGD begin.

/** How many particles there are, of how many coordinates, and where they begin. */
export interface SvgdStart {
  particles: number
  dimension: number
  /** [particles × dimension] start, row by row. Default: standard normal draws from the seed. */
  initial?: ArrayLike<number>
  /** Default 0. */
  seed?: number
}

export const START_OPTIONS = namesOf<SvgdStart>({ particles: true, dimension: true, initial: true, seed: true })

interface CheckedStart extends Pick<SvgdStart, 'particles' | 'dimension'> {
  readonly seed: Seed
  readonly initial: Float32Array | null
}

/** @throws UsageError for a start that cannot be */
export function checkStart(start: SvgdStart): CheckedStart {
  if (!isRecord(start)) throw new UsageError(`init takes { particles, dimension, … }, got ${show(start)}.`)
  refuseUnknown('init', start, START_OPTIONS)
  const particles = check(wholeNumber('particles', 1), start.particles)
  const dimension = check(wholeNumber('dimension', 1), start.dimension)
  const seed = splitSeed(check(wholeNumber('seed', 0), start.seed ?? 0))
  const initial = start.initial ? initialOf(start.initial, particles, dimension) : null
  return { particles, dimension, seed, initial }
}

/** Writes where particles begin: as given, or normal draws. */
export function place(rows: Scored['rows'], ops: Ops, seed: Seed, initial: Float32Array | null): void {
  rows.forEach(({ x }, i) => {
    const { length: d } = x
    if (initial) x.set(initial.subarray(i * d, (i + 1) * d))
    else ops.fillNormal(x.byteOffset, d, seed.lo, seed.hi, Purpose.particles, i, Draw.svgd.start, 0)
  })
}

/** Particles to begin with, [n × d] in float32. */
function initialOf(given: ArrayLike<number>, n: number, d: number): Float32Array {
  const { length } = given
  if (length !== n * d) {
    const found = length === undefined ? show(given) : length
    throw new UsageError(`initial must hold ${n} × ${d} = ${n * d} numbers, got ${found}.`)
  }
  // What is no number would become one: null, as which JSON writes NaN, 0.
  const initial = Float32Array.from(given, (x) => (typeof x === 'number' ? x : Number.NaN))
  const wrong = initial.findIndex((x) => !Number.isFinite(x))
  if (wrong < 0) return initial
  const i = Math.floor(wrong / d)
  const particle = Array.from({ length: d }, (_, k) => given[i * d + k])
  throw new UsageError(`initial particle ${i} is ${show(particle)}; it must be finite in float32.`)
}
