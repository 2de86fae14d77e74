import { createArena } from '../../core/arena.ts'
import { RunError, UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreSource, compileCore } from '../../core/module.ts'
import { asState, namesOf, refuseNoState } from '../../core/options.ts'
import { Draw, splitSeed } from '../../core/random.ts'
import { areFinite, isRecord, requireThat } from '../../core/require.ts'
import { meanNorm } from '../../core/rows.ts'
import { check, wholeNumber } from '../../core/schemas.ts'
import { checkOptions } from '../../core/settings.ts'
import { forward } from '../../nn/forward.ts'
import { initialiseInto, type Network } from '../../nn/network.ts'
import { beginTfjs, kernelSettingsOf, requireTfjs, type TfjsOptions, tf, underKernels } from '../../nn/tfjs.ts'
import { type MinibatchOptions, startMinibatches } from '../../optim/minibatch.ts'
import { descend, trainable, trainableFields } from '../../rl/trainable.ts'
import type { FixedDiscrepancyKernel } from '../../svgd/discrepancy.ts'
import { checkDiscrepancyKernel } from '../../svgd/discrepancy-gradient.ts'
import { type SteinInfo, steinFields, type Variant } from '../../svgd/fields.ts'
import { type Kernel, rbf } from '../../svgd/kernels.ts'
import { type PerStateBandwidth, perStateFields } from '../../svgd/per-state.ts'
import { populationOf, rowsOf, type Scores, scoreOf } from '../../svgd/scores.ts'
import {
  type AmortizedProblem,
  crossSizes,
  discrepancyOf,
  drawBatch,
  fillNoise,
  type Held,
  pointsOf,
  steinOf,
} from './directions.ts'
import { type amortizedRules, amortizedSchema } from './settings.ts'

/**
 * Amortized SVGD: a sampler x = f(η; ξ), ξ ~ N(0, I), is trained so that its points are spread as p is; then a sample
 * costs one pass through the network and no steps. n points x_i = f(η; ξ_i) are drawn, each gets a direction D_i, and η
 * follows by `rule`:
 *
 *     chain        η ← η + rate · Adam[ 1/n Σ_i (∂f(η; ξ_i)/∂η)ᵀ D_i ],  the gradient of mean_i ⟨stop(D_i), f(η; ξ_i)⟩
 *     regression   `passes` such steps down mean_i |f(η; ξ_i) − (x_i + ε D_i)|², the targets x_i + ε D_i held
 *     discrepancy  as chain, down the U-statistic of the squared kernel Stein discrepancy of x_1 … x_n
 *
 * For the first two D is the Stein direction, an ascent direction: to minimise −⟨stop(D), f⟩ is to go along D.
 *
 *     D_i = φ(x_i) = 1/N Σ_j [ k(x_j, x_i) s(x_j)/α + ∇_{x_j} k(x_j, x_i) ],  N = n or Σ_j k(x_j, x_i)
 *
 * One batch moves the points that the direction is taken from. With two, φ is taken from the particles x_j and moves
 * another batch x′_i, which is not among them: no term j = i, whose score is not shared and whose repulsion is 0.
 *
 * For the third D_i = −n ∂KSD²_U/∂x_i, which needs the Hessian H of log p along one vector a particle, the derivative
 * of KSD²_U by its score: H(x) v is taken as a central difference of the score along v, two more scores a particle and
 * no Hessian.
 *
 * Source: Feng, Wang & Liu 2017 (arXiv 1707.06626); Wang & Liu 2016 (arXiv 1611.01722) for the chain rule; Liu & Feng
 * 2016 (arXiv 1612.00081) for the discrepancy.
 *
 * @throws UsageError for settings that are out of range or do not fit together, a network whose output is not as wide
 *   as the target, and from `step` for a state of other settings, a point or a score that is not finite; RunError for
 *   parameters that are not
 */
export function createAmortizedSVGD(options: AmortizedOptions) {
  const problem = problemOf(options)
  return {
    config: problem.config,
    init: async () => asState('amortized SVGD', await init(problem, options)),
    /** One step in place. */
    step: (state: AmortizedState): AmortizedInfo => {
      own('step', state)
      return underKernels(state.kernels, () => step(state))
    },
    /**
     * `count` points of the sampler as it is, [count × dimension] row by row. They depend on (seed, stream, η) only,
     * share no noise with the training, and drawing them changes nothing that step() reads.
     */
    sample: (state: AmortizedState, count: number, stream = 0): Float32Array =>
      underKernels(own('sample', state).kernels, () => sample(state, count, stream)),
  }

  function own(taker: string, state: AmortizedState): AmortizedState {
    refuseNoState(taker, state, 'amortized SVGD')
    if (state.problem === problem) return state
    throw new UsageError('The state was made by a createAmortizedSVGD() with other options; use the one that made it.')
  }
}

/** What createAmortizedSVGD() takes: the score, the sampler's network and how it is trained. */
export interface AmortizedOptions extends Scores {
  /** f: noise ξ in, a point out. Its last width is the dimension of the target. */
  network: Network
  /** Coordinates of the target; the network must put out as many. */
  dimension: number
  /** Hands each step `size` of `rows` rows of the data; default: none. */
  minibatch?: MinibatchOptions
  /** How the sampler follows its particles, see createAmortizedSVGD. Default 'chain'. */
  rule?: (typeof amortizedRules)[number]
  /** n, points drawn from the sampler in a step (with two batches: in each), at least 2. Default 100. */
  particles?: number
  /** 1: the particles of the direction drive the sampler themselves; 2: another batch of as many does. Default 1. */
  batches?: 1 | 2
  /** α, divides the score: the sampler comes to p^(1/α). Default 1. */
  temperature?: number
  /** Multiplies the repulsion of the Stein direction. Default 1; the authors' code has 100 beside row sums. */
  repulsion?: number
  /** What the sums over j are divided by: n, or Σ_j k(x_j, x_i). Default 'n'. */
  normalise?: Variant['normalise']
  /** Of the direction of one batch; default rbf(). */
  kernel?: Kernel
  /** h of two batches, whose kernel is the RBF; default 'sql-code', from the distances between the batches. */
  bandwidth?: PerStateBandwidth
  /** Of the rule 'discrepancy'; default imq with c = 1, β = −1/2. */
  discrepancyKernel?: FixedDiscrepancyKernel
  /** Of Adam on η. Default 5e-3. */
  learningRate?: number
  /** ε of the rule 'regression'; default 1. */
  stepSize?: number
  /** Steps of Adam towards each target of the rule 'regression'; default 5. */
  passes?: number
  /** Default 0. */
  seed?: number
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
  tfjs?: TfjsOptions
}

const OTHER_OPTIONS = namesOf<Omit<AmortizedOptions, keyof typeof amortizedSchema.entries>>({
  ...{ network: true, dimension: true, score: true, populationScore: true, minibatch: true, kernel: true },
  ...{ bandwidth: true, discrepancyKernel: true, core: true, tfjs: true },
})

/** Checks the options and fills in the defaults. */
function problemOf(options: AmortizedOptions): AmortizedProblem {
  const config = checkOptions('createAmortizedSVGD', amortizedSchema, options, OTHER_OPTIONS)
  const { network, kernel = rbf(), bandwidth = 'sql-code', discrepancyKernel } = options
  const dimension = check(wholeNumber('dimension', 1), options.dimension)
  const isNetwork =
    isRecord(network) && [network.widths, network.layers].every(Array.isArray) && Number.isSafeInteger(network.size)
  requireThat(isNetwork && areFinite(network.widths), 'createAmortizedSVGD', 'a network, as mlp() makes it', network)
  const problem = {
    ...{ config, network, dimension, kernel, bandwidth, scoreAll: scoreOf(options) },
    discrepancyKernel: checkDiscrepancyKernel(discrepancyKernel ?? { kind: 'imq', c: 1, beta: -0.5 }),
  }
  refuseMisfit(options, dimension)
  return problem
}

/** Throws for options that are in range and do not fit together. */
function refuseMisfit(options: AmortizedOptions, d: number): void {
  const { network, rule, batches, kernel, bandwidth } = options
  const width = network.widths[network.widths.length - 1]
  if (width !== d) {
    throw new UsageError(
      `The sampler must put out as many numbers as the target has coordinates, ${d}; it puts out ${width}.`,
    )
  }
  if (batches === 2 && kernel) {
    throw new UsageError('Two batches take the RBF kernel: give bandwidth instead of kernel, or batches: 1.')
  }
  if (batches !== 2 && bandwidth !== undefined) {
    throw new UsageError('bandwidth is that of two batches: give kernel: rbf({ bandwidth }) for one.')
  }
  if (rule === 'discrepancy' && batches === 2) {
    throw new UsageError("The rule 'discrepancy' takes one batch, got batches: 2.")
  }
}

/** What amortized SVGD holds between two steps. */
export type AmortizedState = Awaited<ReturnType<typeof init>>

async function init(problem: AmortizedProblem, { core, tfjs, minibatch }: AmortizedOptions) {
  const { config, network, dimension: d } = problem
  const n = config.particles
  await beginTfjs(tfjs)
  const seed = splitSeed(config.seed)
  const minibatches = startMinibatches(minibatch)
  const arena = await createArena(await compileCore(core), fieldsOf(problem, minibatches.order.length))
  const sampler = trainable(arena, 'sampler', network)
  // The last layer in full: a sampler that starts as a point has no spread to learn from.
  initialiseInto(sampler.view.theta, network, arena.ops, seed, 0, { lastGain: 1 })
  const population = populationOf(arena, n, d)
  const count = n * population.stride
  return {
    ...{ problem, particles: n, dimension: d, seed, network, arena, sampler, population, minibatches },
    kernels: await kernelSettingsOf(tfjs, tfjs?.core ?? core),
    rows: rowsOf(population),
    /** Steps taken. */
    iteration: 0,
    /** Parts of the gradient of the discrepancy, [n, stride] each. */
    slopes: { held: new Float64Array(count), byScore: new Float64Array(count) },
  }
}

function fieldsOf({ config, network, dimension: d, kernel }: AmortizedProblem, minibatchRows: number) {
  const { particles: n, batches } = config
  return {
    ...steinFields(n, d, { kernel }),
    ...perStateFields(batches === 2 ? crossSizes(n, d) : { states: 0, fixed: 0, width: d }),
    ...trainableFields('sampler', network),
    /** [n, noise] ξ of the batch that is being drawn. */
    noise: f32(n, network.widths[0]),
    /** [rows] uniform numbers for shuffling. */
    shuffle: f32(padded(minibatchRows)),
  }
}

function step(state: AmortizedState): AmortizedInfo {
  requireTfjs('step')
  const { rule } = state.problem.config
  const noise = drawBatch(state, 0)
  const { held, ...info } = rule === 'discrepancy' ? discrepancyOf(state, noise) : steinOf(state, noise)
  const direction = meanNorm(held.direction, state.dimension)
  if (rule === 'regression') regress(state, held)
  else follow(state, held)
  state.iteration++
  if (!state.sampler.view.theta.every(Number.isFinite)) {
    throw new RunError(`The parameters of the sampler are not finite after step ${state.iteration}.`)
  }
  return { stein: null, bandwidth: null, squaredU: null, ...info, direction }
}

/** A step up mean_i ⟨stop(D_i), f(η; ξ_i)⟩. */
function follow({ problem: { config }, sampler, dimension: d }: AmortizedState, { noise, direction }: Held): void {
  const { net } = sampler
  const n = config.particles
  descend(sampler, config.learningRate, (eta) => {
    const points = forward(net, eta, tf.tensor2d(noise, [n, net.widths[0]]))
    return tf.neg(tf.div(tf.sum(tf.mul(points, tf.tensor2d(direction, [n, d]))), n)) as tf.Scalar
  })
}

/** Steps down mean_i |f(η; ξ_i) − (x_i + ε D_i)|². */
function regress(state: AmortizedState, { noise, points, direction }: Held): void {
  const { problem, sampler, dimension: d } = state
  const { particles: n, stepSize, passes, learningRate } = problem.config
  const { net } = sampler
  const targets = points.map((value, k) => value + stepSize * direction[k])
  for (let pass = 0; pass < passes; pass++) {
    descend(sampler, learningRate, (eta) => {
      const found = forward(net, eta, tf.tensor2d(noise, [n, net.widths[0]]))
      return tf.div(tf.sum(tf.square(tf.sub(found, tf.tensor2d(targets, [n, d])))), n) as tf.Scalar
    })
  }
}

function sample(state: AmortizedState, count: number, stream: number): Float32Array {
  check(wholeNumber('count', 1), count)
  check(wholeNumber('stream', 0, 0xffffffff), stream)
  const { particles: n, dimension: d } = state
  const out = new Float32Array(count * d)
  for (let first = 0, part = 0; first < count; first += n, part++) {
    const rows = Math.min(n, count - first)
    fillNoise(state, rows, Draw.amortized.sampling, part, stream)
    out.set(pointsOf(state, state.arena.view.noise, rows), first * d)
  }
  return out
}

/** What a step of amortized SVGD measures. */
export interface AmortizedInfo {
  /** About the direction; null with two batches and where the rule is 'discrepancy'. */
  readonly stein: SteinInfo | null
  /** h of two batches, or null. */
  readonly bandwidth: number | null
  /** The U-statistic of the squared discrepancy that the rule 'discrepancy' descends, before the step; or null. */
  readonly squaredU: number | null
  /** Mean over the batch of |D_i|, which the sampler is to follow. */
  readonly direction: number
}
