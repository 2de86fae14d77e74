import { platform } from '#platform'
import { show, UsageError } from '../core/errors.ts'
import { asState, isMade } from '../core/options.ts'
import type { Minibatch, Population, PopulationScore } from '../core/population.ts'
import { areNumbers, requireFunction } from '../core/require.ts'
import type { SteinArena } from './fields.ts'

/**
 * Writes s(x) = ∇ log p(x) of one particle into out, which holds zeros; both have `dimension` entries. It may return
 * them instead, as an array. Each call has an out of its own: one that was kept is not looked at again.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: most write and return nothing
export type Score = (out: Float32Array, x: Float32Array, batch: Minibatch) => void | number | ArrayLike<number>

/** Where the scores of particles come from: one of the two is given. */
export interface Scores {
  /** The score of one particle. Give this or populationScore. */
  score?: Score
  /** The scores of all particles at once, as logDensity() makes them from a tfjs expression. */
  populationScore?: PopulationScore
}

/** Particles and their scores: the population as a whole, and one view on each particle and on its score. */
export interface Scored {
  readonly population: Population
  readonly rows: readonly { readonly x: Float32Array; readonly score: Float32Array }[]
}

export function populationOf({ view }: SteinArena, n: number, d: number): Population {
  return { particles: n, dimension: d, stride: view.theta.length / n, x: view.theta, score: view.score }
}

export function rowsOf({ particles, dimension, stride, x, score }: Population): Scored['rows'] {
  return Array.from({ length: particles }, (_, i) => ({
    x: x.subarray(i * stride, i * stride + dimension),
    score: score.subarray(i * stride, i * stride + dimension),
  }))
}

const OWN = 'scores of the library'

/** Marks scores as the library's own, which are known to write scores and nothing else. */
export const asOwn = (scores: PopulationScore): PopulationScore => asState(OWN, scores)

/**
 * The score of one particle or of all, whichever was given, as a function of the state.
 *
 * @throws UsageError unless exactly one is given and is a function
 */
export function scoreOf({ score, populationScore }: Scores): (state: Scored, batch: Minibatch) => void {
  if (score !== undefined && populationScore !== undefined)
    throw new UsageError('Give either score or populationScore, not both.')
  if (score !== undefined) {
    requireFunction('score', score, '(out, x) => …')
    refuseAlone(score)
    return ({ rows }, batch) => scoreRows(score, rows.length, (i) => rows[i], batch)
  }
  if (populationScore === undefined)
    throw new UsageError('Give a score (of one particle) or a populationScore (of all of them).')
  requireFunction('populationScore', populationScore, '({ x, score, particles, dimension, stride }) => …')
  if (isMade(OWN, populationScore)) return ({ population }, batch) => populationScore(population, batch)
  return (state, batch) => scorePopulation(populationScore, state, batch)
}

/**
 * A function of one argument gets `out` alone, where its author may have meant x: handed NaN there, it gives NaN.
 *
 * @throws UsageError
 */
function refuseAlone(score: Score): void {
  if (score.length !== 1) return
  const returned: unknown = attempt(() => score(new Float32Array(64).fill(Number.NaN), new Float32Array(64), NO_BATCH))
  if (areNumbers(returned) && Array.prototype.some.call(returned, Number.isNaN))
    throw new UsageError('score is called as (out, x) => …, and yours takes one argument: the first is out, not x.')
}

const NO_BATCH: Minibatch = { rows: new Int32Array(0), scale: 1 }

/** What it returns; what it throws is told when it is called for a particle. */
function attempt(run: () => unknown): unknown {
  try {
    return run()
  } catch {
    return undefined
  }
}

/** The scores of particles one after the other, whether they are written or returned, into their rows. */
export function scoreRows(
  score: Score,
  count: number,
  row: (i: number) => Scored['rows'][number],
  batch: Minibatch,
): void {
  eachDerivative('score', count, (i) => {
    const { x, score: out } = row(i)
    derivativeInto('score', out, x, () => score(out, x, batch))
    return out
  })
}

/**
 * Calls what writes the derivative of each particle and returns where.
 *
 * @throws UsageError when calls for other particles wrote into what was the first one's, as a function does that keeps
 *   its first out
 */
export function eachDerivative<N extends Numbers>(
  name: keyof typeof DERIVATIVES,
  count: number,
  write: (i: number) => N,
): N[] {
  const all: N[] = []
  let first: Numbers | undefined
  for (let i = 0; i < count; i++) {
    all.push(write(i))
    first ??= all[0].slice()
  }
  if (first?.every((value, k) => Object.is(value, all[0][k])) ?? true) return all
  throw new UsageError(
    `${name} wrote into the out of the first particle when it was called for another: each call has an out of its own.`,
  )
}

/** What users' functions write into out, which holds zeros, or return. */
const DERIVATIVES = { score: '∇ log p', hessian: '−∂²log p' } as const

type Numbers = Float32Array | Float64Array

/**
 * What a user's function writes into out or returns, into out.
 *
 * @throws UsageError for a function that is asynchronous, returns something else than it writes, or writes into x
 */
export function derivativeInto(name: keyof typeof DERIVATIVES, out: Numbers, x: Numbers, call: () => unknown): void {
  out.fill(0)
  const returned = unchanged(name, x, call)
  if (returned !== undefined && returned !== out) takeReturned(name, out, returned)
}

/** Calls a function that may read x and not write it, as (x, out) => … in the place of (out, x) => … does. */
function unchanged(name: string, x: Numbers, call: () => unknown): unknown {
  const before = x.slice()
  const returned = call()
  for (let k = 0; k < x.length; k++) {
    if (x[k] === before[k]) continue
    const form = name === 'populationScore' ? '({ x, score, … }) => …' : '(out, x) => …'
    throw new UsageError(`${name} wrote ${x[k]} into x, which it must leave as it is: it is called as ${form}.`)
  }
  return returned
}

/**
 * What a score returns is the score where nothing was written into out. Beside what was written it must be the same, or
 * no numbers: (out, [x]) => (out[0] = −x) returns one by accident.
 */
function takeReturned(name: keyof typeof DERIVATIVES, out: Numbers, returned: unknown): void {
  const is = DERIVATIVES[name]
  refuseForeign(name, returned, `write ${is} into out, or return it as an array,`)
  const isWritten = out.some((value) => value !== 0)
  const values = typeof returned === 'number' && out.length === 1 ? [returned] : returned
  if (!isArrayLike(values)) {
    if (isWritten || !returned) return
    throw new UsageError(
      `${name} wrote nothing into out and returned ${show(returned)}: it must write ${is} into out, or return it as an array of ${out.length}.`,
    )
  }
  if (!isWritten) {
    requireNumbers(name, values, out.length)
    out.set(values)
    return
  }
  const differs = values.length === out.length && out.some((value, k) => differ(value, values[k]))
  if (differs)
    throw new UsageError(
      `${name} wrote ${show([...out])} into out and returned ${show([...out].map((_, k) => values[k]))}.`,
    )
}

const differ = (written: number, returned: number) =>
  Number.isFinite(returned) && Math.abs(Math.fround(returned) - written) > 1e-6 * Math.abs(written)

function scorePopulation(score: PopulationScore, { population }: Scored, batch: Minibatch): void {
  const { score: out } = population
  out.fill(0)
  const returned = unchanged('populationScore', population.x, () => score(population, batch))
  if (returned !== undefined && returned !== out) takeReturnedRows(population, returned)
  refuseInTail(population)
}

/** The same of all particles. */
function takeReturnedRows({ particles: n, dimension: d, stride, score: out }: Population, returned: unknown): void {
  refuseForeign('populationScore', returned, 'write the scores into `score`')
  const isWritten = out.some((value) => value !== 0)
  if (!isArrayLike(returned)) {
    if (isWritten || !returned) return
    throw new UsageError(
      `populationScore wrote nothing into score and returned ${show(returned)}: it must write the scores into score, or return them as an array of ${n * d}.`,
    )
  }
  if (!isWritten) requireNumbers('populationScore', returned, n * d)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      const value = returned[i * d + k]
      if (!isWritten) out[i * stride + k] = value
      else if (returned.length === n * d && differ(out[i * stride + k], value))
        throw new UsageError(
          `populationScore wrote ${out[i * stride + k]} as coordinate ${k} of particle ${i} and returned ${value}.`,
        )
    }
  }
}

/** What is written behind the coordinates of a particle was meant for the next one. */
function refuseInTail({ particles: n, dimension: d, stride, score }: Population): void {
  for (let i = 0; i < n; i++) {
    for (let k = d; k < stride; k++) {
      if (score[i * stride + k] === 0) continue
      throw new UsageError(
        `populationScore wrote behind the ${d} coordinates of particle ${i}: particle i begins at i × stride = i × ${stride}, ` +
          'in x and in score.',
      )
    }
  }
}

function refuseForeign(name: string, returned: unknown, should: string): void {
  if (typeof returned !== 'object' || returned === null) return
  if ('then' in returned) {
    // It is refused already: a rejection of its own would come on top.
    Promise.resolve(returned).catch(() => {})
    throw new UsageError(`${name} is asynchronous, it returned a promise: it must ${should} before it returns.`)
  }
  if ('dataSync' in returned)
    throw new UsageError(
      `${name} returned a tensor: give the log density itself, populationScore: logDensity((x) => …).`,
    )
}

const isArrayLike = (value: unknown): value is ArrayLike<number> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)

function requireNumbers(name: string, values: ArrayLike<number>, right: number): void {
  if (values.length !== right)
    throw new UsageError(`${name} returned ${values.length} numbers for ${right} coordinates.`)
  const wrong = Array.prototype.findIndex.call(values, (value: unknown) => typeof value !== 'number')
  if (wrong >= 0) throw new UsageError(`${name} returned ${show(values[wrong])} as number ${wrong}.`)
}

/** @throws UsageError for particles, or their scores, that are not finite, naming the first */
export function refuseNonFinite(
  { arena, population, rows, iteration }: Scored & { readonly arena: SteinArena; readonly iteration: number },
  what: 'particle' | 'score',
): void {
  const { ops, at } = arena
  const bad = ops.firstNonFinite(what === 'score' ? at.score : at.theta, population.x.length)
  if (bad < 0) return
  const i = Math.floor(bad / population.stride)
  const x = show([...rows[i].x])
  const found =
    what === 'score' ? `The score of particle ${i} is ${population.score[bad]} at x = ${x}` : `Particle ${i} is ${x}`
  throw new UsageError(`${found} in step ${iteration + 1}; it must be finite.`)
}

/** Warns of scores that are 0 in every coordinate: those of a flat density, and of a function that writes nothing. */
export function warnOfFlatness({ population: { particles: n, stride, x, score } }: Scored): void {
  // Together they may stand on a mode.
  const areApart = x.some((value, at) => value !== x[at % stride])
  if (!areApart || score.some((value) => value !== 0)) return
  platform.warn(
    `The scores of all ${n} particles are 0 at the start, so they only repel each other. A score writes into out, as by ` +
      'out[0] = −x; out = [−x] writes nothing.',
  )
}

/** The largest number whose square float32 can hold. */
const STEEPEST = 1.8e19

/**
 * Throws for a direction whose square overflows: a running mean of squares would stay infinite and the particle stand
 * still.
 */
export function refuseSteep({ arena, population: { particles: n, stride } }: Scored & { arena: SteinArena }): void {
  const { ops, at, view } = arena
  ops.rowSquares(at.squares, at.direction, n, stride)
  // A sum that float32 can hold has no square in it that it cannot.
  if (view.squares.subarray(0, n).every(Number.isFinite)) return
  const steep = view.direction.findIndex((value) => !(Math.abs(value) <= STEEPEST))
  if (steep < 0) return
  throw new UsageError(
    `The direction of particle ${Math.floor(steep / stride)} is ${view.direction[steep]}, whose square float32 cannot ` +
      'hold: take relativeAdam(), the default, which needs no square, or a larger unit for this coordinate.',
  )
}
