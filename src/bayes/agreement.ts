import type { Breathing } from '../core/breathing.ts'
import { mean as meanOf } from '../core/rows.ts'
import { chooseRows } from './choose.ts'
import { columnsOf, drawsOf } from './draws.ts'
import type { Whitening } from './gaussian.ts'
import type { Model } from './model.ts'
import { sdOf } from './summary.ts'
import type { Target } from './target.ts'
import { walk } from './walk.ts'

// Whether particles are where a walk from them goes.

/**
 * Particles beside a walk from them, in standard deviations of the walk. Both distances are less twice the Monte Carlo
 * error of the walk: what is left is sure.
 */
export interface Agreement {
  /** Largest distance of a mean. */
  readonly sd: number
  readonly name: string
  /** Ratio of standard deviations, of the particles over the walk, that is furthest from 1. */
  readonly ratio: number
  readonly ratioName: string
  /** Share of the moves of the walk that were accepted. */
  readonly acceptance: number
  /** Share of the particles of which no move was accepted. */
  readonly stuck: number
}

/** Rounds of a walk that looks, and of one that the particles are chosen from. */
const LOOK = 24
const LONG = 96
/** A difference in means, or of a ratio from 1, that makes a fit take its particles from the walk. */
const APART = 0.04
/** With more numbers, quantities that the model generates are left out. */
const MOST_GENERATED = 100

/** Of whom a walk is asked. */
export interface Walkers {
  readonly model: Model
  readonly target: Target
  readonly whitening: Whitening
  /** [n, d] free numbers */
  readonly free: Float64Array
}

/** Where a walk from the particles goes, beside where they are. */
export async function agreementOf(walkers: Walkers, seed: number, rounds = LOOK): Promise<Agreement> {
  return (await lookAt(walkers, seed, rounds)).agreement
}

/**
 * The particles themselves where a walk from them agrees; where it does not, as many of the states of a longer walk, of
 * the same means, variances and correlations.
 */
export async function settled(
  walkers: Walkers,
  seed: number,
  breath?: Breathing,
): Promise<{ free: Float64Array; agreement: Agreement; walked: boolean }> {
  const { target, free } = walkers
  const { agreement } = await lookAt(walkers, seed, LOOK, breath)
  if (agreement.sd <= APART && Math.abs(agreement.ratio - 1) <= APART) return { free, agreement, walked: false }
  const { rows, columns } = await lookAt(walkers, seed, LONG, breath)
  const d = target.dimension
  const chosen = new Float64Array(free.length)
  const picked = chooseRows(columns, free.length / d, seed)
  for (const [i, row] of picked.entries()) chosen.set(rows.subarray(row * d, (row + 1) * d), i * d)
  return { free: chosen, agreement, walked: true }
}

async function lookAt({ model, target, whitening, free }: Walkers, seed: number, rounds: number, breath?: Breathing) {
  const all = columnsOf(drawsOf(model, free))
  const compared = all.length > MOST_GENERATED ? { ...model, generated: undefined } : model
  const { rows, acceptance, stuck } = await walk(target, whitening, free, { rounds, seed, breath })
  const here = compared === model ? all : columnsOf(drawsOf(compared, free))
  const there = columnsOf(drawsOf(compared, rows))
  const n = free.length / target.dimension
  const apart = here.map(({ label, values }, k) => ({ name: label, ...apartOf(values, there[k].values, n) }))
  const furthest = apart.reduce((a, b) => (b.sd > a.sd ? b : a))
  const widest = apart.reduce((a, b) => (Math.abs(b.ratio - 1) > Math.abs(a.ratio - 1) ? b : a))
  return {
    rows,
    columns: there.map(({ values }) => values),
    agreement: { ...furthest, ratio: widest.ratio, ratioName: widest.name, acceptance, stuck },
  }
}

/** Of [n] particles and [rounds · n] states of the chains that began at them. */
function apartOf(particles: Float32Array, states: Float32Array, n: number): { sd: number; ratio: number } {
  const mean = meanOf(states)
  const spread = sdOf(states)
  if (!(spread > 0) || !Number.isFinite(spread)) return { sd: 0, ratio: 1 }
  const standard = Float64Array.from(states, (x) => (x - mean) / spread)
  const sure = (difference: number, error: number) =>
    Math.sign(difference) * Math.max(0, Math.abs(difference) - 2 * error)
  const ofMean = errorOf(standard, n)
  const ofSpread =
    errorOf(
      standard.map((t) => t * t),
      n,
    ) / 2
  return {
    sd: Math.abs(sure((meanOf(particles) - mean) / spread, ofMean)),
    ratio: 1 + sure(sdOf(particles) / spread - 1, ofSpread),
  }
}

/** Standard error of the mean of n independent chains' states. */
function errorOf(states: Float64Array, n: number): number {
  const means = new Float64Array(n)
  for (let at = 0; at < states.length; at++) means[at % n] += (states[at] * n) / states.length
  return sdOf(means) / Math.sqrt(n)
}
