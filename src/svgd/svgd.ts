import { platform } from '#platform'
import type { Arena } from '../core/arena.ts'
import { shown, UsageError } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import { asState, namesOf, refuseNoState, refuseUnknown, requireOptions } from '../core/options.ts'
import type { Outputs } from '../core/population.ts'
import { Draw, Purpose, type Seed } from '../core/random.ts'
import { isRecord, requireFunction, requireSignal } from '../core/require.ts'
import type { OwnFloat32Array, StopSignal } from '../core/runtime-types.ts'
import {
  check,
  float32,
  float32Setting,
  MOST_ITERATIONS,
  nonNegativeFloat32,
  oneOf,
  trueOrFalse,
  wholeNumber,
} from '../core/schemas.ts'
import { type MinibatchOptions, type MinibatchState, minibatchAt, startMinibatches } from '../optim/minibatch.ts'
import { type Optimizer, requireOptimizer, sgd } from '../optim/optimizers.ts'
import { relativeAdam } from '../optim/relative-adam.ts'
import type { Schedule } from '../optim/schedules.ts'
import { warnOfCoincidence, warnOfTwins, warnOfUnderflow } from './coincidence.ts'
import { steinDirection } from './direction.ts'
import { type Discrepancy, discrepancyAt, type FixedDiscrepancyKernel } from './discrepancy.ts'
import type { SteinArena, SteinInfo, Variant } from './fields.ts'
import { type FunctionSpace, functionSpaceFor, pullBackInto, requireOutputs, takeOutputs } from './function-space.ts'
import { requireKernel } from './kernel-check.ts'
import { type Kernel, rbf } from './kernels.ts'
import { arenaFor, fieldsOf, memoryOf, type SvgdFields } from './memory.ts'
import {
  populationOf,
  refuseNonFinite,
  refuseSteep,
  rowsOf,
  type Scored,
  type Scores,
  scoreOf,
  warnOfFlatness,
} from './scores.ts'
import { checkStart, place, START_OPTIONS, type SvgdStart } from './start.ts'

/** What createSVGD() takes: a score, and how particles follow it. */
export interface SvgdOptions extends Scores {
  /** Hands each step `size` of `rows` rows of the data; default: none. */
  minibatch?: MinibatchOptions
  /** Default rbf(), with its default bandwidth. */
  kernel?: Kernel
  /**
   * What particles compute, as outputsOf() makes it from a tfjs expression: then scores and the kernel are of outputs
   * [F] in the place of particles, and each particle follows the direction of its outputs (SVGD in function space).
   * Default: none.
   */
  outputs?: Outputs
  /** Default relativeAdam(), whose steps know no unit; with an annealing relativeAdam({ bounded: true }). */
  optimizer?: Optimizer
  /** γ(t), multiplies the drive; default: 1. */
  annealing?: Schedule
  /**
   * Multiplies the repulsion; default 1. 'sqrt d' is √dimension, a hybrid kernel that keeps more of the variance in
   * high dimension, of a target that is then another one: D'Angelo, Fortuin & Wenzel 2021 (arXiv 2106.10760), Mac
   * Donald, Sisson & Pathiraja 2025 (TMLR).
   */
  repulsion?: number | 'sqrt d'
  /**
   * β⁻¹ ≥ 0 of stochastic particle optimization: Langevin's step for each particle on top of the interaction,
   *
   *     x_i ← x_i + ε [ φ(x_i) + β⁻¹ s(x_i) ] + √(2 ε β⁻¹) ξ_i,  ξ_i ~ N(0, I)
   *
   * which keeps particles from collapsing in high dimension. ξ depends on the seed, the particle and the step alone.
   * Needs sgd(), whose ε is a length of time; it is the default then. Default 0. Source: Zhang, Zhang, Carin & Chen
   * 2020 (AISTATS; arXiv 1809.01293).
   */
  noise?: number
  /** What the sums over j are divided by: n, or Σ_j k(x_j, x_i). Default 'n'. */
  normalise?: Variant['normalise']
  /** Whether info holds the norms of drive and repulsion, which costs two thirds more arithmetic. Default true. */
  norms?: boolean
  /**
   * Threads for the direction. The bits are the same for every number. Default 'auto': all processors (at most 8) for
   * large n² d, one otherwise. One as well where memory cannot be shared, or with a core of one's own.
   */
  threads?: number | 'auto'
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
}

const SVGD_OPTIONS = namesOf<SvgdOptions>({
  ...{ score: true, populationScore: true, minibatch: true, kernel: true, optimizer: true, annealing: true },
  ...{ outputs: true, repulsion: true, noise: true, normalise: true, norms: true, threads: true, core: true },
})
const RUN_OPTIONS = namesOf<Pick<SvgdRun, 'iterations' | 'signal' | 'onStep'>>({
  ...{ iterations: true, signal: true, onStep: true },
})

/** What SVGD holds between two steps. */
export interface SvgdState extends Scored {
  readonly particles: number
  readonly dimension: number
  readonly seed: Seed
  /** Steps taken. */
  iteration: number
  readonly arena: Arena<SvgdFields>
  /** @internal The outputs of the particles, where scores and the kernel are of these; otherwise null. */
  readonly functions: FunctionSpace | null
  readonly settings: SvgdOptions
  /** The fields of its memory and the optimizer that moves it: steps of other settings have no room in it. */
  readonly madeFor: string
  readonly minibatches: MinibatchState
  readonly isClosed: boolean
  /**
   * Ends its threads: it takes no more steps, its particles can still be read. Also by `using state = await init(…)`.
   */
  close(): void
  [Symbol.dispose](): void
}

/** Metrics of a step of SVGD. */
export interface SvgdInfo extends SteinInfo {
  /** γ of this step. */
  readonly annealing: number
  /** The kernel Stein discrepancy of the particles before this step, where it was asked for. */
  readonly discrepancy: Discrepancy | null
}

/** What a step of SVGD measures beside. */
export interface StepOptions {
  /**
   * Measures the kernel Stein discrepancy too: true for the inverse multiquadric kernel, or a kernel. Default false.
   */
  discrepancy?: boolean | FixedDiscrepancyKernel
}

/**
 * Stein variational gradient descent: x_i ← x_i + ε φ(x_i), until the particles are spread as p is.
 *
 *     φ(x_i) = 1/n Σ_j [ γ(t) k(x_j, x_i) ∇ log p(x_j) + ∇_{x_j} k(x_j, x_i) ]
 *
 * Source: Liu & Wang 2016 (arXiv 1608.04471), algorithm 1; γ: D'Angelo & Fortuin 2021 (arXiv 2101.09815).
 *
 * @throws UsageError for settings that are out of range; `step` for a particle or score that is not finite, naming its
 *   row, and for a state that is closed
 */
export function createSVGD(options: SvgdOptions) {
  requireOptions('createSVGD', options, SVGD_OPTIONS)
  return methodOf(options)
}

/** Noise needs steps of a length of time. While γ is about 0 nothing drives particles back, so steps are bounded. */
const defaultOptimizer = ({ noise, annealing }: SvgdOptions): Optimizer =>
  noise ? sgd({ learningRate: 0.1 }) : relativeAdam({ bounded: annealing !== undefined })

function methodOf(options: SvgdOptions) {
  const { kernel = rbf(), annealing, repulsion = 1, normalise = 'n', noise = 0 } = options
  const { optimizer = defaultOptimizer(options) } = options
  const scoreAll = scoreOf(options)
  const outputs = options.outputs === undefined ? null : requireOutputs(options.outputs)
  if (outputs && noise) throw new UsageError('noise is for scores of particles: leave it out with outputs.')
  refuseMisuse({ kernel, optimizer, annealing, repulsion, noise, normalise, norms: options.norms ?? true })
  // With outputs the kernel is in their memory.
  const memory = { ...options, kernel: outputs ? rbf() : kernel, optimizer, noise, ...(outputs && { threads: 1 }) }
  return {
    async init(start: SvgdStart): Promise<SvgdState> {
      // Before there are threads that an error would leave behind.
      const { particles: n, dimension: d, seed, initial } = checkStart(start)
      const minibatches = startMinibatches(options.minibatch)
      const fields = (threads: number) => fieldsOf(n, d, { ...memory, threads }, minibatches)
      const arena = await arenaFor(memory, n, d, fields)
      const functions = outputs && (await functionSpaceFor({ ...options, outputs, kernel }, n))
      const population = populationOf(arena, n, d)
      const rows = rowsOf(population)
      place(rows, arena.ops, seed, initial)
      if (initial && noise === 0) warnOfTwins(initial, n)
      if (initial && repulsion !== 0 && !outputs) warnOfUnderflow(initial, n, kernel)
      const data = { particles: n, dimension: d, seed, iteration: 0, arena, functions, population, rows, minibatches }
      const madeFor = memoryOf(fields(arena.threadPool.size), optimizer, outputs)
      const close = () => {
        Object.assign(state, { isClosed: true })
        arena.threadPool.close()
        functions?.arena.threadPool.close()
      }
      const rest = { settings: options, madeFor, isClosed: false, close, [Symbol.dispose]: close }
      const state: SvgdState = asState('SVGD', { ...data, ...rest })
      return state
    },

    /** One step in place. */
    step(state: SvgdState, stepOptions: StepOptions = {}): SvgdInfo {
      refuseUnknown('step', stepOptions, ['discrepancy'])
      const { discrepancy = false } = stepOptions
      refuseNoState('step', state, 'SVGD')
      if (state.settings !== options) refuseForeign(state)
      const { arena, minibatches, iteration, seed, particles: n } = state
      if (state.isClosed) throw new UsageError('This state is closed and takes no more steps.')
      refuseNonFinite(state, 'particle')
      const scratch = { at: arena.at.shuffle, view: arena.view.shuffle }
      const batch = minibatchAt(minibatches, iteration, arena.ops, seed, scratch)
      const { functions } = state
      if (functions) takeOutputs(functions, state.population, batch)
      // What scores and the kernel are of.
      const seen = functions ? { ...functions, particles: n, iteration } : state
      scoreAll(seen, batch)
      refuseNonFinite(seen, 'score')
      if (iteration === 0) warnOfFlatness(seen)
      const measured = measure(seen, discrepancy)
      const drive = annealing
        ? check(float32(`annealing in step ${iteration + 1}`), annealing.at(iteration, arena.ops))
        : 1
      const scale = repulsion === 'sqrt d' ? Math.sqrt(seen.dimension) : repulsion
      const info = steinDirection(seen.arena, seen, kernel, { drive, repulsion: scale, normalise })
      if (functions) pullBackInto(arena.view.direction, functions, state.population, batch)
      if (optimizer.keeps.includes('square')) refuseSteep(state)
      state.iteration++
      optimizer.step(arena, state.iteration)
      if (noise > 0) diffuse(state, noise, optimizer.rate as number)
      refuseNonFinite({ ...state, iteration }, 'particle')
      return { ...info, annealing: drive, discrepancy: measured }
    },
  }

  /** A state of another createSVGD() is taken where its settings need the same memory. */
  function refuseForeign(state: SvgdState): void {
    const { particles: n, dimension: d, minibatches, arena } = state
    const fields = fieldsOf(n, d, { ...memory, threads: arena.threadPool.size }, minibatches)
    if (memoryOf(fields, optimizer, outputs) !== state.madeFor)
      throw new UsageError(
        `This state was made for other settings than the kernel ${kernel.name} and the optimizer ${optimizer.name}: go on by ` +
          'init({ …, initial: particlesOf(state) }).',
      )
  }
}

/** The kernel Stein discrepancy of what scores are of, where it is asked for. */
function measure(
  { arena: { ops, at }, population: { particles, dimension } }: Scored & { readonly arena: SteinArena },
  discrepancy: StepOptions['discrepancy'],
): Discrepancy | null {
  if (!discrepancy) return null
  const kernel = discrepancy === true ? undefined : discrepancy
  return discrepancyAt(ops, { x: at.theta, score: at.score }, particles, dimension, kernel)
}

/** Langevin's step x_i ← x_i + ε β⁻¹ s(x_i) + √(2 ε β⁻¹) ξ_i, with the scores of before. */
function diffuse({ arena, seed, iteration, particles: n, dimension: d }: SvgdState, noise: number, rate: number): void {
  const { ops, at, view } = arena
  const row = view.noise.byteLength / n
  for (let i = 0; i < n; i++)
    ops.fillNormal(at.noise + i * row, d, seed.lo, seed.hi, Purpose.particles, i, Draw.svgd.noise, iteration)
  ops.ascend(at.theta, at.score, view.theta.length, rate * noise)
  ops.ascend(at.theta, at.noise, view.theta.length, Math.sqrt(2 * rate * noise))
}

/**
 * Throws for settings of another kind than they are: a function that was to be called, a number in the place of a
 * record.
 */
function refuseMisuse(
  options: Required<Pick<SvgdOptions, 'kernel' | 'optimizer' | 'repulsion' | 'noise' | 'normalise' | 'norms'>> &
    Pick<SvgdOptions, 'annealing'>,
): void {
  const { kernel, optimizer, annealing, repulsion, noise, normalise, norms } = options
  requireKernel('kernel', kernel)
  requireOptimizer(optimizer)
  if (annealing !== undefined && !(isRecord(annealing) && typeof annealing.at === 'function'))
    throw new UsageError(`annealing must be a schedule such as constant(0.5), got ${shown(annealing)}.`)
  if (repulsion !== 'sqrt d') check(float32Setting('repulsion'), repulsion)
  check(nonNegativeFloat32('noise'), noise)
  check(float32Setting('noise'), noise)
  if (noise > 0 && optimizer.rate === undefined)
    throw new UsageError(`noise needs the optimizer sgd(), whose rate is a length of time; got ${optimizer.name}.`)
  check(trueOrFalse('norms'), norms)
  check(oneOf('normalise', ['n', 'row sum']), normalise)
}

/** What svgd() takes: settings, a start and how many steps. */
export interface SvgdRun extends SvgdOptions, SvgdStart {
  /** Steps to take, at most 10⁹. */
  iterations: number
  /** As of an AbortController. Ends the run early; the particles are returned as they are then. */
  signal?: StopSignal
  /** Called after every step. */
  onStep?: (info: SvgdInfo, iteration: number) => void
}

/**
 * The common case in one call: starts, takes `iterations` steps and returns the particles [particles × dimension], row
 * by row. Everything else as createSVGD.
 */
export async function svgd(run: SvgdRun): Promise<OwnFloat32Array> {
  requireOptions('svgd', run, [...SVGD_OPTIONS, ...START_OPTIONS, ...RUN_OPTIONS])
  const { iterations, signal, onStep, ...options } = run
  check(wholeNumber('iterations', 0, MOST_ITERATIONS), iterations)
  requireSignal(signal)
  if (onStep !== undefined) requireFunction('onStep', onStep, '(info, iteration) => …')
  const { particles, dimension, initial, seed, ...settings } = options
  const { init, step } = methodOf(settings)
  const state = await init({ particles, dimension, initial, seed })
  try {
    let breath = platform.now()
    while (state.iteration < iterations && !signal?.aborted) {
      const info = step(state)
      onStep?.(info, state.iteration)
      // A page draws and a signal arrives only in between.
      if (platform.now() - breath > BREATH_MS) {
        await platform.breathe()
        breath = platform.now()
      }
    }
    const end = particlesOf(state)
    // Without repulsion they are meant to come to the mode.
    if (settings.repulsion !== 0) warnOfCoincidence(initial, end, particles)
    if (settings.repulsion !== 0 && !initial && !settings.outputs)
      warnOfUnderflow(end, particles, settings.kernel ?? rbf())
    return end
  } finally {
    state.close()
  }
}

const BREATH_MS = 50

/** A copy of the particles, [particles × dimension], without the padding of the rows. */
export function particlesOf(state: SvgdState): OwnFloat32Array {
  refuseNoState('particlesOf', state, 'SVGD')
  const { rows, dimension } = state
  const out = new Float32Array(rows.length * dimension)
  rows.forEach(({ x }, i) => {
    out.set(x, i * dimension)
  })
  return out
}
