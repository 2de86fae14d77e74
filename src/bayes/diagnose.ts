import { breathing } from '../core/breathing.ts'
import { UsageError } from '../core/errors.ts'
import { refuseUnknown } from '../core/options.ts'
import { splitSeed } from '../core/random.ts'
import { areNumbers, isRecord, requireFunction, requireThat } from '../core/require.ts'
import { mean as meanOf } from '../core/rows.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { goodnessOfFit, steinDiscrepancy } from '../svgd/discrepancy.ts'
import type { Score } from '../svgd/scores.ts'
import { type Agreement, agreementOf, type Walkers } from './agreement.ts'
import { columnsOf, drawsOf } from './draws.ts'
import { type Fit, restart } from './fit.ts'
import { coordinatesIn, stack } from './gaussian.ts'
import { whiten } from './mode.ts'
import { type Model, requireModel } from './model.ts'

import { freeLabels, labelsOf } from './parameters.ts'
import { identitiesOf, moveParticles, placeParticles, places, populate, rowOf, scoreParticles } from './population.ts'
import { sdOf } from './summary.ts'
import { scoreTarget, type Target, targetOf } from './target.ts'

/** Particles of SVGD with the score that they followed, in coordinates of their own. */
export interface ScoredParticles {
  /** [n × dimension] row by row. */
  readonly particles: ArrayLike<number>
  readonly dimension: number
  /** ∇ log p of one particle, as svgd() takes it. */
  readonly score: Score
}

/** Particles of a model: [n, d] free numbers, row by row. */
export interface ModelParticles {
  readonly model: Model
  readonly free: ArrayLike<number>
}

/** How much work a diagnosis may do. */
export interface DiagnoseOptions {
  /**
   * Fits from other seeds that a fit is compared with; default 1, and 0 for particles that are not of fitPosterior().
   */
  restarts?: number
  /** Steps that the particles take further, to see where they go; default 100. */
  steps?: number
}

/** What a diagnosis comes to. */
export type Verdict = 'fine' | 'not converged' | 'variance probably too small'

/** Whether a population is where it should be. Distances are in standard deviations, so that units do not matter. */
export interface Diagnosis {
  readonly verdict: Verdict
  /** The verdict in a plain sentence with the number behind it. */
  readonly sentence: string
  /** Largest distance that the mean of a coordinate moves in further steps. */
  readonly movement: { readonly sd: number; readonly name: string }
  /** Smallest and largest ratio of a standard deviation now to that after further steps. */
  readonly spread: {
    readonly least: number
    readonly leastName: string
    readonly most: number
    readonly mostName: string
  }
  /**
   * Stein's identities E[s] = 0 and E[−s_k(z_k − z̄_k)] = 1 in whitened coordinates: largest |E[s_k]|, and the ratios.
   */
  readonly identities: { readonly shift: number; readonly least: number; readonly most: number }
  /**
   * Kernel Stein discrepancy in whitened coordinates over that of n independent draws of a Gaussian: 1 is as good as
   * those.
   */
  readonly discrepancy: number
  /** Of the bootstrap test that the particles are independent draws of the posterior. */
  readonly p: number
  /** Smallest and largest variance of the particles over that of the local curvature at the mode. */
  readonly curvature: { readonly least: number; readonly most: number }
  /** Largest split R̂ over restarts, distance of means and ratio of standard deviations; null without restarts. */
  readonly restarts: {
    readonly rHat: number
    readonly sd: number
    readonly name: string
    readonly ratio: number
    readonly ratioName: string
  } | null
  /** The particles beside a walk from them; null where log p has no values. */
  readonly walk: Agreement | null
  /** Particles on an edge of a support, or not finite. */
  readonly edge: number
}

/** Means may move, and restarts may differ, by this many standard deviations. */
const MOVEMENT = 0.15
const RESTARTS = 0.3
/** Standard deviations may be this much wider than where they go, or this much narrower. */
const WIDER = 1.25
const NARROWER = 0.8
/** A walk may go this far for sure, in means and as a share of standard deviations. */
const WALK = 0.08
const WALK_ROUNDS = 48
/** Of a walk that accepts less, or with more particles that never move, nothing is to be learned. */
const ACCEPTANCE = 0.3
const STUCK = 0.02
/** The discrepancy may be this many times that of independent draws. */
const DISCREPANCY = 2
/** A value nearer to an edge than this is on it. */
const EDGE = 1e-6

/**
 * Did it work? Looks at particles in coordinates in which the posterior is about standard normal, lets them go further
 * under SVGD with a kernel that gets moments right, and says where they went.
 *
 * @throws UsageError for particles that are not finite or do not fit the dimension
 */
export async function diagnose(
  run: Fit | ModelParticles | ScoredParticles,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  refuseUnknown('diagnose', options, ['restarts', 'steps'])
  const { restarts, steps = 100 } = options
  check(wholeNumber('steps', 1, 1_000_000), steps)
  if (restarts !== undefined) check(wholeNumber('restarts', 0, 100), restarts)
  const { target, rows, names } = await subjectOf(run)
  const n = rows.length / target.dimension
  const { mode, whitening } = 'mode' in run ? run : await aroundOf(target, rows)
  const population = await populate(target, whitening, n, splitSeed(0))
  placeParticles(population, rows)
  scoreParticles(population, { capped: false })
  const { shift, ratio } = identitiesOf(population)
  const z = stack(Array.from({ length: n }, (_, i) => rowOf(population, 'theta', i)))
  const scores = stack(Array.from({ length: n }, (_, i) => rowOf(population, 'score', i)))
  const sample = { particles: z, scores, dimension: target.dimension }
  const { discrepancy } = await steinDiscrepancy(sample)
  const { pValue } = await goodnessOfFit({ ...sample, replicates: 500 })
  const curvatures = momentsOf(coordinatesIn(mode, rows), target.dimension).sds.map((sd) => sd * sd)
  const breath = breathing()
  for (let t = 0; t < steps; t++) {
    if (breath.isDue()) await breath.take()
    if (t > 0) scoreParticles(population)
    moveParticles(population)
  }
  const further = furtherOf(rows, places(population), names)
  const again = 'mode' in run ? await restarted(run, restarts ?? 1) : null
  const figures = {
    ...further,
    identities: { shift: Math.max(...shift.map(Math.abs)), least: Math.min(...ratio), most: Math.max(...ratio) },
    // U(x, x) of the inverse multiquadric kernel is |s|² + d, of which 2 d is the mean under a standard normal.
    discrepancy: discrepancy * Math.sqrt(n / (2 * target.dimension)),
    p: pValue,
    curvature: { least: Math.min(...curvatures), most: Math.max(...curvatures) },
    restarts: again,
    walk: 'model' in run && target.hasValue ? await walked(run, { target, whitening, free: rows }) : null,
    edge: edgesOf(run),
  }
  return { ...verdictOn(figures, 'mode' in run), ...figures }
}

/** A walk of another seed than that of the fit. */
function walked(run: Fit | ModelParticles, { target, whitening, free }: Omit<Walkers, 'model'>): Promise<Agreement> {
  const seed = 'seed' in run ? run.seed + 1 : 0
  return agreementOf({ model: run.model, target, whitening, free }, seed, WALK_ROUNDS)
}

interface Subject {
  readonly target: Target
  /** [n, d] */
  readonly rows: Float64Array
  /** [d] */
  readonly names: readonly string[]
}

async function subjectOf(run: Fit | ModelParticles | ScoredParticles): Promise<Subject> {
  const isRun: boolean = isRecord(run)
  requireThat(isRun, 'diagnose', 'a fit, { model, free } or { particles, dimension, score }', run)
  const subject = 'model' in run ? await modelSubject(run) : scoredSubject(run)
  const { rows, target } = subject
  if (rows.length % target.dimension !== 0 || rows.length < 2 * target.dimension)
    throw new UsageError(
      `At least two particles of ${target.dimension} numbers are needed, got ${rows.length} numbers in all.`,
    )
  const bad = rows.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new UsageError(`Particle ${Math.floor(bad / target.dimension)} is ${rows[bad]}; particles must be finite.`)
  return subject
}

async function modelSubject({ model, free }: Fit | ModelParticles): Promise<Subject> {
  requireModel('diagnose', model)
  requireThat(areNumbers(free), 'diagnose', 'free numbers as a list', free)
  const { dimension } = model.parameters
  const target = await targetOf(model, Math.ceil(free.length / dimension))
  return { target, rows: Float64Array.from(free), names: freeLabels(model.parameters) }
}

function scoredSubject({ particles, dimension, score }: ScoredParticles): Subject {
  requireThat(areNumbers(particles), 'diagnose', 'particles as a list of numbers', particles)
  const d = check(wholeNumber('dimension', 1, Math.max(particles.length, 1)), dimension)
  requireFunction('score', score, '(out, x) => …')
  return { target: scoreTarget(score, d), rows: Float64Array.from(particles), names: labelsOf('x', [d]) }
}

/** The mode next to the particles, whose coordinates are those to look at them in. */
async function aroundOf(target: Target, rows: Float64Array): Promise<Pick<Fit, 'mode' | 'whitening'>> {
  const { means, sds } = momentsOf(rows, target.dimension)
  const mode = await whiten(target, means, sds)
  return { mode, whitening: mode }
}

/** [d] means and standard deviations of rows [n, d]. */
function momentsOf(rows: Float64Array, d: number): { means: Float64Array; sds: Float64Array } {
  const columns = Array.from({ length: d }, (_, k) => rows.filter((_, at) => at % d === k))
  return { means: Float64Array.from(columns, meanOf), sds: Float64Array.from(columns, (column) => sdOf(column) || 1) }
}

/** Where the particles went: in units of the standard deviations that they have there. */
function furtherOf(before: Float64Array, after: Float64Array, names: readonly string[]) {
  const [old, now] = [before, after].map((rows) => momentsOf(rows, names.length))
  const movements = names.map((_, k) => Math.abs(now.means[k] - old.means[k]) / now.sds[k])
  const ratios = names.map((_, k) => old.sds[k] / now.sds[k])
  const [sd, least, most] = [Math.max(...movements), Math.min(...ratios), Math.max(...ratios)]
  return {
    movement: { sd, name: names[movements.indexOf(sd)] },
    spread: { least, leastName: names[ratios.indexOf(least)], most, mostName: names[ratios.indexOf(most)] },
  }
}

/** The same fit from other seeds: split R̂, means and standard deviations of every number of the draws. */
async function restarted(run: Fit, restarts: number): Promise<Diagnosis['restarts']> {
  if (restarts === 0) return null
  const fits = [run.draws]
  for (let r = 1; r <= restarts; r++) fits.push(drawsOf(run.model, await restart(run, run.seed + r)))
  const columns = fits.map(columnsOf)
  const n = run.particles
  const figures = columns[0].map(({ label }, k) => {
    const means = columns.map((all) => meanOf(all[k].values))
    const sds = columns.map((all) => sdOf(all[k].values))
    const within = meanOf(sds.map((sd) => sd * sd)) || 1
    const between = sdOf(means)
    return {
      name: label,
      rHat: Math.sqrt((((n - 1) / n) * within + between * between) / within),
      sd: (Math.max(...means) - Math.min(...means)) / Math.sqrt(within),
      ratio: Math.max(...sds) / Math.min(...sds) || 1,
    }
  })
  const furthest = figures.reduce((a, b) => (b.sd > a.sd ? b : a))
  const widest = figures.reduce((a, b) => (b.ratio > a.ratio ? b : a))
  return {
    rHat: Math.max(...figures.map(({ rHat }) => rHat)),
    ...{ sd: furthest.sd, name: furthest.name, ratio: widest.ratio, ratioName: widest.name },
  }
}

/** Particles with a value on an edge of its support. */
function edgesOf(run: Fit | ModelParticles | ScoredParticles): number {
  if (!('model' in run)) return 0
  const { supports, names } = run.model.parameters
  const draws = drawsOf({ ...run.model, generated: undefined }, Float64Array.from(run.free))
  const n = run.free.length / run.model.parameters.dimension
  const onEdge = (i: number) =>
    names.some((name) => {
      const width = draws[name].data.length / n
      const value = draws[name].data.subarray(i * width, (i + 1) * width)
      return !(supports[name].inside(value) > EDGE * Math.max(...value.map(Math.abs))) || !value.every(Number.isFinite)
    })
  return Array.from({ length: n }, (_, i) => onEdge(i)).filter(Boolean).length
}

type Figures = Omit<Diagnosis, 'verdict' | 'sentence'>

const off = (sentence: string) => ({ verdict: 'not converged' as const, sentence: `Not converged: ${sentence}` })
const narrow = (sentence: string) => ({
  verdict: 'variance probably too small' as const,
  sentence: `The variance is probably too small: the standard deviation of ${sentence}`,
})

/**
 * A walk tells more than further steps do; those tell where there is none, and of a fit, which ends where they stop, as
 * well: a walk is short for a slow direction. Then seeds, then the discrepancy.
 */
function verdictOn(figures: Figures, isFit: boolean): Pick<Diagnosis, 'verdict' | 'sentence'> {
  const { movement, discrepancy, restarts, walk } = figures
  const wrong =
    (walk && wrongInWalk(walk)) ??
    (walk && !isFit ? null : wrongInSteps(figures)) ??
    (restarts && wrongInRestarts(restarts))
  if (wrong) return wrong
  if (!(discrepancy <= DISCREPANCY))
    return off(`the discrepancy is ${discrepancy.toFixed(1)} times that of as many independent draws.`)
  const moves = walk
    ? `a walk from the particles moves means by no more than ${walk.sd.toFixed(3)} standard deviations for sure (${walk.name})`
    : `means move by at most ${movement.sd.toFixed(3)} standard deviations in further steps (${movement.name})`
  return {
    verdict: 'fine',
    sentence: `Fine: ${moves}, and the discrepancy is ${discrepancy.toFixed(2)} of that of as many independent draws.`,
  }
}

function wrongInSteps({ movement: { sd, name }, spread }: Figures) {
  if (!(sd <= MOVEMENT))
    return off(`the mean of ${name} goes on by ${sd.toFixed(2)} standard deviations in further steps.`)
  if (!(spread.most <= WIDER))
    return off(`${spread.mostName} is ${spread.most.toFixed(2)} times as wide as where further steps take it.`)
  if (!(spread.least >= NARROWER))
    return narrow(`${spread.leastName} is ${spread.least.toFixed(2)} of where further steps take it.`)
  return null
}

function wrongInWalk({ sd, name, ratio, ratioName, acceptance, stuck }: Agreement) {
  if (!(acceptance >= ACCEPTANCE && stuck <= STUCK))
    return off(
      `a walk from the particles is stuck: ${(100 * acceptance).toFixed(0)} % of its moves are accepted, and ` +
        `${(100 * stuck).toFixed(0)} % of the particles never move.`,
    )
  if (!(sd <= WALK))
    return off(
      `a walk from the particles takes the mean of ${name} at least ${sd.toFixed(2)} standard deviations away.`,
    )
  if (ratio > 1 + WALK)
    return off(`the standard deviation of ${ratioName} is ${ratio.toFixed(2)} of that of a walk from the particles.`)
  return ratio >= 1 - WALK ? null : narrow(`${ratioName} is ${ratio.toFixed(2)} of that of a walk from the particles.`)
}

function wrongInRestarts({ sd, name, ratio, ratioName }: NonNullable<Diagnosis['restarts']>) {
  if (!(sd <= RESTARTS))
    return off(`the mean of ${name} differs by ${sd.toFixed(2)} standard deviations between seeds.`)
  if (!(ratio <= WIDER))
    return off(
      `the standard deviation of ${ratioName} differs by a factor of ${ratio.toFixed(2)} between seeds; a long tail ` +
        'needs more particles.',
    )
  return null
}
