import { type Arena, createArena } from '../core/arena.ts'
import { breathing } from '../core/breathing.ts'
import { RunError, UsageError } from '../core/errors.ts'
import { f32, type Layout, padded } from '../core/layout.ts'
import { compileCore } from '../core/module.ts'
import { namesOf, refuseUnknown } from '../core/options.ts'
import { Purpose, type Seed, splitSeed } from '../core/random.ts'
import { leaveIfAborted, requireFunction, requireSignal } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { type Agreement, settled } from './agreement.ts'
import { type Draws, drawsOf } from './draws.ts'
import { stack, type Whitening } from './gaussian.ts'
import { climb, flatDirection, type Mode, whiten } from './mode.ts'
import { type Model, requireModel } from './model.ts'
import { freeLabels, type Start, type Supports } from './parameters.ts'
import {
  identitiesOf,
  moveParticles,
  places,
  populate,
  renewWhitening,
  scoreParticles,
  type WhitenedPopulation,
  whitenedDiscrepancy,
} from './population.ts'
import { refuseUnresolved } from './resolution.ts'
import { refuseMixedRows, type Target, targetOf } from './target.ts'

/** What fitPosterior() may be told; nothing is needed. */
export interface FitOptions<S extends Supports = Supports> {
  /** n, default 100. */
  particles?: number
  /** Default 0. Same seed, same bytes. */
  seed?: number
  /** Most steps of SVGD; default 300. */
  iterations?: number
  /** Values that the way to the mode begins at; the others begin where their free numbers are 0. */
  start?: Start<S>
  /**
   * As of an AbortController. Ends the fit early, with the particles as they are then; on the way to the mode, where
   * there are none, it rejects with its reason.
   */
  signal?: StopSignal
  /** Called after every step. */
  onStep?: (step: FitStep) => void
}

const FIT_OPTIONS = namesOf<FitOptions>({
  ...{ particles: true, seed: true, iterations: true, start: true, signal: true, onStep: true },
})

/** One step of SVGD, in whitened coordinates: standard deviations are the unit. */
export interface FitStep {
  /** From 1. */
  readonly iteration: number
  /** Mean length of the Stein direction over √d. */
  readonly movement: number
  /** Kernel Stein discrepancy before the step; null but in every tenth. */
  readonly discrepancy: number | null
}

/** A fitted posterior. */
export interface Fit<S extends Supports = Supports> {
  readonly model: Model<S>
  /** n */
  readonly particles: number
  /** Values of every parameter and generated quantity by name, one a particle. */
  readonly draws: Draws
  /** [n, d] the free numbers of the particles, row by row. */
  readonly free: Float64Array
  /** Where the way up ended, with the Gaussian around it: the start of the particles. */
  readonly mode: Mode
  /** The coordinates at the end. */
  readonly whitening: Whitening
  readonly steps: readonly FitStep[]
  /** Why it stopped, in a sentence. */
  readonly reason: string
  /** SVGD's particles beside a walk from them; null where log p has no values, or no step was taken to the end. */
  readonly agreement: Agreement | null
  /** Whether the particles are of the walk, which leads elsewhere than SVGD did. */
  readonly walked: boolean
  /** Rows whose gradient was taken. */
  readonly evaluations: number
  readonly seed: number
  readonly target: Target
}

/** Steps between two looks at the discrepancy. */
const LOOK = 10
/** Steps after which the metric is renewed: later it would follow the tails. */
const RENEWALS = [40, 80, 120]
/** The fit ends when two looks in a row show less gain than this share, and the identities hold to ACCURACY. */
const GAIN = 0.02
const ACCURACY = 0.02

/**
 * Fits a posterior without settings:
 *
 * 1. the way up to a mode by L-BFGS from four starts, then Newton's method in whitened coordinates (mode.ts);
 * 2. n particles from the Gaussian there;
 * 3. SVGD in the coordinates in which that Gaussian is standard normal, with a kernel whose linear part makes means and
 *    covariances exact for Gaussians; the coordinates are renewed from the particles;
 * 4. an end when the discrepancy falls no more and Stein's identities hold;
 * 5. Hamiltonian Monte Carlo from every particle (walk.ts), which sees what 100 particles in many dimensions do not: a
 *    particle alone in a tail lacks neighbours that spread as the posterior does there, and drifts out. Where the walk
 *    leads elsewhere for sure, particles are chosen from its states (choose.ts).
 *
 * Source: Zhang et al. 2022 (arXiv 2108.03782) for 1 and 2; Liu & Wang 2018 (arXiv 1810.11693) for the linear kernel.
 *
 * @throws UsageError for a start outside a support, or a density whose rows depend on each other
 * @throws RunError when the log density is not finite where it is needed; the reason of a signal that is aborted before
 *   the first step
 */
export async function fitPosterior<S extends Supports>(model: Model<S>, options: FitOptions<S> = {}): Promise<Fit<S>> {
  requireModel('fitPosterior', model)
  refuseUnknown('fitPosterior', options, FIT_OPTIONS)
  if (options.onStep !== undefined) requireFunction('onStep', options.onStep, '(step) => …')
  requireSignal(options.signal)
  const n = check(wholeNumber('particles', 2, 100_000), options.particles ?? 100)
  const iterations = check(wholeNumber('iterations', 0, 1_000_000), options.iterations ?? 300)
  const seed = check(wholeNumber('seed', 0), options.seed ?? 0)
  const target = await targetOf(model, n)
  const core: Arena<Layout> = await createArena(await compileCore(), { noise: f32(padded(target.dimension)) })
  const starts = startsOf(model, options.start ?? {}, splitSeed(seed), core)
  refuseMixedRows(target, stack(starts))
  const breath = breathing(options.signal)
  const top = await climb(target, starts, breath)
  const mode = await whiten(target, top.x, top.scales, breath)
  leaveIfAborted(options.signal)
  refuseEndless(model, mode)
  refuseFlat(model, flatDirection(target, top, mode))
  refuseUnresolved(model, target, mode, core.ops)
  const population = await populate(target, mode, n, splitSeed(seed))
  const { steps, reason, free, agreement, walked } = await settle(model, population, { ...options, iterations, seed })
  return {
    ...{ model, particles: n, free, mode, steps, reason, agreement, walked, seed, target },
    draws: drawsOf(model, free),
    whitening: population.whitening,
    evaluations: target.evaluations,
  }
}

/** [n, d] the particles of the same fit from another seed: the way to the mode is not gone again. */
export async function restart<S extends Supports>(
  { model, target, mode, particles, steps }: Fit<S>,
  seed: number,
): Promise<Float64Array> {
  const population = await populate(target, mode, particles, splitSeed(seed))
  return (await settle(model, population, { iterations: Math.max(steps.length, 1), seed })).free
}

interface Following {
  readonly iterations: number
  readonly seed: number
  readonly signal?: StopSignal
  readonly onStep?: (step: FitStep) => void
}

/** SVGD, and then a walk from the particles, which they are taken from where it leads elsewhere. */
async function settle<S extends Supports>(model: Model<S>, population: WhitenedPopulation, options: Following) {
  const { steps, reason } = await follow(population, options)
  const { target, whitening } = population
  const free = places(population)
  const isWhole = steps.length > 0 && !options.signal?.aborted
  const alone = { steps, free, agreement: null, walked: false }
  if (!isWhole || !target.hasValue) return { ...alone, reason }
  const walkers = { model: model as unknown as Model, target, whitening, free }
  const end = await settled(walkers, options.seed, breathing(options.signal)).catch((error: unknown) => {
    if (options.signal?.aborted) return null
    throw error
  })
  if (!end) return { ...alone, reason: `${reason} The walk from the particles was stopped by hand.` }
  return { steps, reason: end.walked ? `${reason} ${elsewhere(end.agreement)}` : reason, ...end }
}

/** The larger of the two differences, in words. */
function elsewhere({ sd, name, ratio, ratioName }: Agreement): string {
  const what =
    sd > Math.abs(ratio - 1)
      ? `the mean of ${name} is ${sd.toFixed(2)} standard deviations off`
      : `the standard deviation of ${ratioName} is ${ratio.toFixed(2)} of that`
  return `A walk from the particles goes elsewhere (${what}): the particles are of that walk.`
}

/** SVGD until nothing is gained any more. */
async function follow(population: WhitenedPopulation, { iterations, signal, onStep }: Omit<Following, 'seed'>) {
  const steps: FitStep[] = []
  const looks: number[] = []
  const breath = breathing()
  for (let t = 0; t < iterations; t++) {
    if (signal?.aborted) return { steps, reason: `It was stopped by hand after step ${t}.` }
    scoreParticles(population)
    const discrepancy = t % LOOK === 0 ? whitenedDiscrepancy(population) : null
    if (discrepancy !== null) {
      looks.push(discrepancy)
      if (isStill(looks) && isBalanced(population))
        return { steps, reason: `The discrepancy falls no more after step ${t}: it is ${discrepancy.toFixed(3)}.` }
    }
    const step = { iteration: t + 1, movement: moveParticles(population), discrepancy }
    steps.push(step)
    onStep?.(step)
    if (RENEWALS.includes(t + 1)) {
      renewWhitening(population)
      looks.length = 0
    }
    if (breath.isDue()) await breath.take()
  }
  return { steps, reason: `All ${iterations} steps were taken.` }
}

/** Whether the last three looks gained next to nothing. */
function isStill(looks: readonly number[]): boolean {
  if (looks.length < 3) return false
  const [before, , now] = looks.slice(-3)
  return before - now < GAIN * now
}

function isBalanced(population: WhitenedPopulation): boolean {
  const { shift, ratio } = identitiesOf(population)
  return shift.every((value) => Math.abs(value) < ACCURACY) && ratio.every((value) => Math.abs(value - 1) < ACCURACY)
}

const STARTS = 4

/** The start of the user, and others around it by standard normal numbers. */
function startsOf<S extends Supports>(
  model: Model<S>,
  start: Start<S>,
  seed: Seed,
  arena: Arena<Layout>,
): Float64Array[] {
  const d = model.parameters.dimension
  const centre = model.parameters.unconstrain(start, arena.ops)
  return Array.from({ length: STARTS }, (_, r) => {
    if (r === 0) return centre
    arena.ops.fillNormal(arena.at.noise, d, seed.lo, seed.hi, Purpose.user, r, 0, 0)
    return centre.map((value, k) => value + arena.view.noise[k])
  })
}

/** No posterior has a mode beyond this in free numbers; where the density curves upwards, not beyond the second. */
const FARTHEST = 1e30
const FARTHEST_UPWARDS = 1e12

/** @throws RunError where the way up did not end: a density without a mode, which no posterior is */
function refuseEndless<S extends Supports>(
  { parameters }: Model<S>,
  { centre, basis, curvatures, logDensity }: Mode,
): void {
  const most = curvatures.some((w) => w < 0) ? FARTHEST_UPWARDS : FARTHEST
  const far = centre.findIndex((value) => !(Math.abs(value) < most))
  const isKnown = far < 0 && logDensity !== Number.POSITIVE_INFINITY && basis.to1DArray().every(Number.isFinite)
  if (isKnown) return
  const name = freeLabels(parameters)[Math.max(far, 0)]
  throw new RunError(
    `The log density has no mode: it rises without an end along ${name}. Give the parameter a prior, or look for a wrong sign.`,
  )
}

/** @throws UsageError that names the direction of which the data and the priors know nothing */
function refuseFlat<S extends Supports>({ parameters }: Model<S>, direction: Float64Array | null): void {
  if (!direction) return
  const names = freeLabels(parameters)
  const sign = Math.sign(direction.find((share) => Math.abs(share) >= 0.01) as number)
  const terms = names.flatMap((name, k) => {
    const share = sign * direction[k]
    if (Math.abs(share) < 0.01) return []
    return [`${share < 0 ? '− ' : '+ '}${Math.abs(share).toPrecision(2)} ${name}`]
  })
  throw new UsageError(
    `The posterior has no information about ${terms.join(' ').replace(/^\+ /, '')}: the log density does not fall along ` +
      'it. Columns of the data may be collinear; leave one out, or give the parameters a prior.',
  )
}
