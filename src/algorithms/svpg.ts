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
  show,
  trueOrFalse,
  UsageError,
  wholeNumber,
} from '../core/errors.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { splitSeed } from '../core/random.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { environmentSpec } from '../envs/registry.ts'
import { initialiseInto, mlp } from '../nn/network.ts'
import { policyFields, writePolicy } from '../nn/policy.ts'
import { startTfjs, type TfjsOptions } from '../nn/tfjs.ts'
import { batchFields } from '../rl/batch.ts'
import { actionSize, environmentFields, observationSize } from '../rl/environments.ts'
import { baselines, returnsFields } from '../rl/returns.ts'
import { seedFields, startEnvironments, type Task } from '../rl/rollout.ts'
import { bandwidthSchema } from '../svgd/bandwidth.ts'
import { type SteinInfo, steinDirection, steinFields } from '../svgd/direction.ts'
import { rbf } from '../svgd/kernels.ts'
import { adam, optimizerFields } from '../svgd/optimizers.ts'
import { evaluateParticle, type ParticleInfo } from './reinforce.ts'

export const interactions = ['stein', 'independent', 'joint'] as const

/** The settings of SVPG with their defaults, which are those of the author's code where it has the setting. */
const schema = v.object({
  particles: v.optional(wholeNumber('particles', 1, 10_000), 16),
  temperature: v.optional(positiveNumber('temperature'), 10),
  interaction: v.optional(oneOf('interaction', interactions), 'stein'),
  prior: v.optional(positiveNumberOr('prior', ['flat']), 'flat'),
  bandwidth: v.optional(bandwidthSchema, 'svpg-code'),
  hidden: v.optional(v.array(wholeNumber('a hidden width', 1, 4096)), [64, 64]),
  learningRate: v.optional(positiveNumber('learningRate'), 5e-3),
  environments: v.optional(wholeNumber('environments', 1, 100_000), 16),
  steps: v.optional(wholeNumber('steps', 1, 100_000), 128),
  discount: v.optional(fraction('discount'), 0.99),
  baseline: v.optional(oneOf('baseline', baselines), 'linear'),
  standardise: v.optional(trueOrFalse('standardise'), true),
  entropyBonus: v.optional(nonNegativeNumber('entropyBonus'), 0),
  seed: v.optional(wholeNumber('seed', 0), 0),
})

/** What a user may set; see docs/svpg.md. */
export type SvpgOptions = v.InferInput<typeof schema> & {
  /** An id of the registry or a task of one's own. */
  env: string | EnvironmentSpec
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
}

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function svpgConfig({ env, core, tfjs, ...options }: SvpgOptions): SvpgConfig {
  return check(schema, options)
}

async function init(options: SvpgOptions) {
  const config = svpgConfig(options)
  const spec = environmentSpec(options.env)
  // joint: the data of all particles for one policy.
  const n = config.interaction === 'joint' ? 1 : config.particles
  const E = config.interaction === 'joint' ? config.environments * config.particles : config.environments
  const { steps: T } = config
  const O = observationSize(spec)
  const net = mlp([O, ...config.hidden, outputsFor(spec)])
  await startTfjs(options.tfjs)
  const optimizer = adam({ learningRate: config.learningRate })
  const kernel = rbf({ bandwidth: config.bandwidth })
  const arena = await createArena(await compileCore(options.core), {
    ...steinFields(n, net.size, { kernel }),
    ...optimizerFields(n, net.size, optimizer),
    ...policyFields(net, E),
    ...environmentFields(spec, n, E),
    ...seedFields(),
    ...batchFields(n, T, E, O, actionSize(spec)),
    ...returnsFields(n, T * E, O),
  })
  const seed = splitSeed(config.seed)
  const D = arena.view.theta.length / n
  for (let i = 0; i < n; i++) initialiseInto(arena.view.theta.subarray(i * D, (i + 1) * D), net, arena.ops, seed, i)
  writePolicy(arena, net, D)
  const instances = spec.core ? [] : Array.from({ length: n * E }, () => createInstance(spec))
  const task: Task = { spec, particles: n, environments: E, steps: T, seed, instances }
  startEnvironments(arena, task)
  return {
    config,
    task,
    net,
    arena,
    kernel,
    optimizer,
    /** Iterations done. */
    iteration: 0,
  }
}

function outputsFor({ id, actionSpace }: EnvironmentSpec): number {
  if (actionSpace.kind === 'discrete') return actionSpace.n
  throw new UsageError(`${id} has continuous actions.`)
}

function createInstance(spec: EnvironmentSpec) {
  if (!spec.create)
    throw new UsageError(`The environment ${show(spec.id)} has neither physics in the core nor create().`)
  return spec.create()
}

/** First half of a step: rollout, returns and gradient of every particle, from theta to score. */
function evaluate({ arena, task, net, config, iteration }: SvpgState): ParticleInfo[] {
  arena.view.finished.fill(0)
  arena.view.finishedReturn.fill(0)
  return Array.from({ length: task.particles }, (_, i) =>
    evaluateParticle(arena, task, net, i, iteration * task.steps, config),
  )
}

/** Second half: the Stein direction of s_i = ∇J(θ_i)/α + ∇ log q₀(θ_i), and one step of Adam along it. */
function move(state: SvpgState): SteinInfo | null {
  const { arena, config, task, net, kernel, optimizer } = state
  const { ops, at, view } = arena
  const n = task.particles
  const count = view.theta.length
  const priorPrecision = config.prior === 'flat' ? 0 : 1 / (config.prior * config.prior)
  ops.combineInto(at.score, 1 / config.temperature, at.score, -priorPrecision, at.theta, count)
  let info: SteinInfo | null = null
  if (config.interaction === 'stein') info = steinDirection(arena, { particles: n, dimension: net.size }, kernel)
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
  /** One iteration in place. Throws a RunError naming iteration and particle when a value is not finite. */
  step(state: SvpgState): SvpgInfo {
    try {
      const particles = evaluate(state)
      const stein = move(state)
      state.iteration++
      return { particles, stein }
    } catch (error) {
      if (error instanceof RunError) error.message = `Iteration ${state.iteration + 1}: ${error.message}`
      throw error
    }
  },
}
