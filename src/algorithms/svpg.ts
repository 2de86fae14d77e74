import * as v from 'valibot'
import { createArena } from '../core/arena.ts'
import {
  check,
  fraction,
  nonNegativeNumber,
  oneOf,
  positiveNumber,
  positiveNumberOr,
  RunError,
  trueOrFalse,
  UsageError,
  wholeNumber,
  wholeNumberOr,
} from '../core/errors.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { splitSeed } from '../core/random.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { environmentSpec } from '../envs/registry.ts'
import { activations, initialisations, initialiseInto } from '../nn/network.ts'
import { headNames, type Policy, policyOf } from '../nn/policy.ts'
import type { TfjsOptions } from '../nn/tfjs.ts'
import { type Crew, hire, workersFor } from '../rl/crew.ts'
import { headFor, observationSize } from '../rl/environments.ts'
import type { Carried, ParticleInfo } from '../rl/evaluator.ts'
import { baselines } from '../rl/returns.ts'
import type { Task } from '../rl/rollout.ts'
import { bandwidthSchema } from '../svgd/bandwidth.ts'
import { type SteinInfo, steinDirection, steinFields } from '../svgd/direction.ts'
import { rbf } from '../svgd/kernels.ts'
import { adam, optimizerFields } from '../svgd/optimizers.ts'
import { postable } from './evaluators.ts'
import { type ReinforceSetup, reinforceEvaluator } from './reinforce.ts'

export const interactions = ['stein', 'independent', 'joint'] as const

/** The settings of SVPG with their defaults, which are those of the author's code where it has the setting. */
const schema = v.object({
  particles: v.optional(wholeNumber('particles', 1, 10_000), 16),
  temperature: v.optional(positiveNumber('temperature'), 10),
  interaction: v.optional(oneOf('interaction', interactions), 'stein'),
  prior: v.optional(positiveNumberOr('prior', ['flat']), 'flat'),
  bandwidth: v.optional(bandwidthSchema, 'svpg-code'),
  hidden: v.optional(v.array(wholeNumber('a hidden width', 1, 4096)), [64, 64]),
  activation: v.optional(oneOf('activation', activations), 'tanh'),
  head: v.optional(oneOf('head', ['auto', ...headNames]), 'auto'),
  initialisation: v.optional(oneOf('initialisation', initialisations), 'normal'),
  learningRate: v.optional(positiveNumber('learningRate'), 5e-3),
  environments: v.optional(wholeNumber('environments', 1, 100_000), 16),
  steps: v.optional(wholeNumber('steps', 1, 100_000), 128),
  discount: v.optional(fraction('discount'), 0.99),
  baseline: v.optional(oneOf('baseline', baselines), 'linear'),
  standardise: v.optional(trueOrFalse('standardise'), true),
  entropyBonus: v.optional(nonNegativeNumber('entropyBonus'), 0),
  seed: v.optional(wholeNumber('seed', 0), 0),
})

/** What does not change the bits of a run. */
const workersSchema = v.optional(wholeNumberOr('workers', 0, ['auto']), 0)

/** What a user may set; see docs/svpg.md. */
export type SvpgOptions = v.InferInput<typeof schema> & {
  /** An id of the registry or a task of one's own. */
  env: string | EnvironmentSpec
  /**
   * Who evaluates the particles: this thread (0, the default), so many workers, or one a core ('auto'). The bits are the
   * same. A task in TypeScript needs its `module` for workers.
   */
  workers?: number | 'auto'
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
  tfjs?: TfjsOptions
}

export type SvpgConfig = Readonly<Required<v.InferOutput<typeof schema>>>

export type SvpgState = Awaited<ReturnType<typeof init>>

export interface SvpgInfo {
  /** [n] what the evaluation of each particle told. */
  readonly particles: readonly ParticleInfo[]
  /** Null without a kernel. */
  readonly stein: SteinInfo | null
  /** Workers that died in this iteration, in a sentence each; their particles were evaluated elsewhere. */
  readonly losses: readonly string[]
}

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function svpgConfig({ env, core, tfjs, workers, ...options }: SvpgOptions): SvpgConfig {
  return check(schema, options)
}

async function init({ env, workers: wanted, core: source, tfjs, ...options }: SvpgOptions) {
  const config = check(schema, options)
  const spec = environmentSpec(env)
  // joint: the data of all particles for one policy.
  const isJoint = config.interaction === 'joint'
  const n = isJoint ? 1 : config.particles
  const environments = isJoint ? config.environments * config.particles : config.environments
  const seed = splitSeed(config.seed)
  const task: Task = { spec, head: headFor(spec, config.head), environments, steps: config.steps, seed }
  const { hidden, activation } = config
  const policy = policyOf({ observations: observationSize(spec), hidden, activation, head: task.head })
  const core = await compileCore(source)
  const crew = await hireFor({ task, policy, options: config, core, tfjs }, check(workersSchema, wanted), n)
  const optimizer = adam({ learningRate: config.learningRate })
  const kernel = rbf({ bandwidth: config.bandwidth })
  const arena = await createArena(core, {
    ...steinFields(n, policy.size, { kernel }),
    ...optimizerFields(n, policy.size, optimizer),
  })
  const state = {
    config,
    task,
    policy,
    /** n */
    particles: n,
    /** theta, scores, kernel and moments. */
    arena,
    kernel,
    optimizer,
    crew,
    /** [n] what each particle carries beside its parameters; null before the first evaluation. */
    carried: Array<Carried | null>(n).fill(null),
    /** Iterations done. */
    iteration: 0,
  }
  for (let i = 0; i < n; i++)
    initialiseInto(rowOf(state, 'theta', i), policy.net, arena.ops, seed, i, { scheme: config.initialisation })
  return state
}

interface Rows {
  readonly particles: number
  readonly policy: Policy
  readonly arena: { readonly view: { readonly theta: Float32Array; readonly score: Float32Array } }
}

/** Row i of theta or of the scores [particles, parameters], on the memory itself and without the padding. */
export function rowOf({ arena, particles, policy }: Rows, name: 'theta' | 'score', i: number): Float32Array {
  const D = arena.view[name].length / particles
  return arena.view[name].subarray(i * D, i * D + policy.size)
}

function hireFor(setup: ReinforceSetup, wanted: number | 'auto', n: number): Promise<Crew> {
  const { spec } = setup.task
  const isPostable = spec.core !== undefined || spec.module !== undefined
  if (typeof wanted === 'number' && wanted > 0 && !isPostable)
    throw new UsageError(`${spec.id} has no module that workers could load; take workers: 0, or give it one.`)
  const workers = isPostable ? workersFor(wanted, n) : 0
  return hire({ create: reinforceEvaluator, evaluator: 'reinforce', setup, posted: postable(setup), workers })
}

/** First half of a step: rollout, returns and gradient of every particle, from theta to score. */
async function evaluate(state: SvpgState): Promise<ParticleInfo[]> {
  const { crew, task, iteration, carried } = state
  const step = iteration * task.steps
  const jobs = carried.map((carried, particle) => ({
    ...{ particle, step, carried },
    theta: rowOf(state, 'theta', particle).slice(),
  }))
  const outcomes = await crew.evaluate(jobs)
  return outcomes.map(({ gradient, carried, info }, i) => {
    rowOf(state, 'score', i).set(gradient)
    state.carried[i] = carried
    return info
  })
}

/** Second half: the Stein direction of s_i = ∇J(θ_i)/α + ∇ log q₀(θ_i), and one step of Adam along it. */
function move(state: SvpgState): SteinInfo | null {
  const { arena, config, particles: n, policy, kernel, optimizer } = state
  const { ops, at, view } = arena
  const count = view.theta.length
  const priorPrecision = config.prior === 'flat' ? 0 : 1 / (config.prior * config.prior)
  ops.combineInto(at.score, 1 / config.temperature, at.score, -priorPrecision, at.theta, count)
  let info: SteinInfo | null = null
  if (config.interaction === 'stein') info = steinDirection(arena, { particles: n, dimension: policy.size }, kernel)
  // Without a kernel there is no mean over particles either: each follows its own score, not 1/n of it.
  else ops.combineInto(at.direction, 1, at.score, 0, at.score, count)
  optimizer.step(arena, state.iteration + 1)
  const bad = ops.firstNonFinite(at.theta, count)
  if (bad >= 0) throw new RunError(`Particle ${Math.floor((bad * n) / count)} is not finite after the step.`)
  return info
}

/**
 * Stein variational policy gradient: n policies, each a particle θ_i, follow
 *
 *     φ(θ_i) = 1/n Σ_j [ k(θ_j, θ_i) ( ∇J(θ_j)/α + ∇ log q₀(θ_j) ) + ∇_{θ_j} k(θ_j, θ_i) ]
 *
 * towards q(θ) ∝ q₀(θ) exp(J(θ)/α). The temperature α divides the policy gradient only; the repulsion is not scaled.
 * interaction 'independent' drops the kernel (and the 1/n), 'joint' trains one policy on the data of n.
 *
 * Source: Liu, Ramachandran, Liu & Peng 2017 (arXiv 1704.02399), equations 7 to 10; J, bandwidth and Adam as in the
 * author's code: J is a mean per step of log π times the standardised advantage, h = med(d²) / 2 log(n+1).
 */
export const svpg = {
  init,
  evaluate,
  move,
  /** One iteration in place. Rejects with a RunError naming iteration and particle when a value is not finite. */
  async step(state: SvpgState): Promise<SvpgInfo> {
    try {
      const particles = await evaluate(state)
      const stein = move(state)
      state.iteration++
      return { particles, stein, losses: state.crew.takeLosses() }
    } catch (error) {
      if (error instanceof RunError) error.message = `Iteration ${state.iteration + 1}: ${error.message}`
      throw error
    }
  },
  /** Ends the workers of a state that is not needed any more. */
  close: (state: SvpgState) => state.crew.close(),
}
