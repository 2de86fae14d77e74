import * as v from 'valibot'
import { createArena } from '../../core/arena.ts'
import { inIteration, RunError, UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreModule, compileCore } from '../../core/module.ts'
import type { Seed } from '../../core/random.ts'
import { rowAt } from '../../core/rows.ts'
import { check, countSchema, finiteSchema, positiveFloat32 } from '../../core/schemas.ts'
import { arraysPart, fieldsPart, partsOf, type StatePart } from '../../core/state.ts'
import { environmentSpec } from '../../envs/registry.ts'
import { initialiseInto } from '../../nn/network.ts'
import type { Policy } from '../../nn/policy.ts'
import type { TfjsOptions } from '../../nn/tfjs.ts'
import { adam, optimizerFields } from '../../optim/optimizers.ts'
import { type PolicyAgents, policyAgents } from '../../rl/agents.ts'
import { estimatorOf, gradientsOf, passesOf } from '../../rl/estimator.ts'
import type { ParticleInfo, ParticleState, Probes, Visited } from '../../rl/evaluator.ts'
import { startHead } from '../../rl/heads.ts'
import { particleStatesPart } from '../../rl/particle-states.ts'
import { inverseTemperature, learningRateNow, learningRateShare, schedulesOverRun } from '../../rl/schedules.ts'
import { type SteinInfo, steinFields, type Variant } from '../../svgd/fields.ts'
import { type Metrics, type StateParts, steinMetrics, withCheckedStates } from '../algorithm.ts'
import { carriedFields, refuseCarried } from '../policy-gradient/evaluation-state.ts'
import { policyGradientEvaluator } from '../policy-gradient/policy-gradient.ts'
import { startTaskPool } from '../workers/pool.ts'
import {
  type Behaviour,
  behaviourKernel,
  behaviourPart,
  contextFor,
  createBehaviour,
  observeBehaviour,
} from './behaviour-kernel.ts'
import { evolve } from './evolution.ts'
import { functionDirection, functionsFor, takeProbes } from './function-kernel.ts'
import { actingOf, direct } from './interaction.ts'
import { explorationShare, isDivergence, kernelMatrix, parameterKernel } from './kernel.ts'
import { type SvpgConfig, type SvpgOptions, svpgConfig, svpgSettings } from './settings.ts'
import { fitting, taskAndPolicy } from './task.ts'

/**
 * Stein variational policy gradient: n policies, each a particle θ_i, follow
 *
 *     φ(θ_i) = 1/n Σ_j [ k(θ_j, θ_i) ( ∇J(θ_j)/α + ∇ log q₀(θ_j) ) + ∇_{θ_j} k(θ_j, θ_i) ]
 *
 * towards q(θ) ∝ q₀(θ) exp(J(θ)/α). The temperature α divides the policy gradient only; the repulsion is not scaled.
 * The kernel is on the parameters of the policies alone: critics are trained beside, each on its own loss.
 * interaction 'independent' drops the kernel (and the 1/n), 'joint' trains one policy on the data of n.
 *
 * Source: Liu, Ramachandran, Liu & Peng 2017 (arXiv 1704.02399), equations 7 to 10; J, bandwidth and Adam as in the
 * author's code: J is a mean per step of log π times the standardised advantage, h = med(d²) / 2 log(n+1).
 */
export const svpg = withCheckedStates('svpg', {
  settings: svpgSettings,
  config: svpgConfig,
  init,
  evaluate,
  move,
  /**
   * One iteration in place: a rollout and as many moves as the estimator makes passes over it. Rejects with a RunError
   * naming iteration and particle when a value is not finite.
   */
  step: (state: SvpgState): Promise<SvpgInfo> =>
    inIteration(state.iteration + 1, async () => {
      const start = begin(state)
      const particles = await evaluate(state, start)
      let stein = move(state)
      for (let pass = 1; pass < gradientsOf(state.config); pass++) {
        await evaluate(state, start, pass)
        const moved = move(state)
        // Steps that imitate what is remembered have no exploration to tell of.
        if (pass < passesOf(state.config)) stein = moved
      }
      const replaced = evolution(state, particles)
      const temperature = 1 / state.inverseTemperature(state.iteration, state.arena.ops)
      state.iteration++
      return { particles, stein, temperature, replaced, losses: state.workerPool.takeFailures() }
    }),
  measure,
  /**
   * From the next iteration on α is this to the end of the run, whatever schedule it had. Throws a UsageError unless it
   * is above 0.
   */
  setTemperature(state: SvpgState, temperature: number): void {
    const inverse = 1 / check(positiveFloat32('temperature'), temperature)
    state.temperature = temperature
    state.inverseTemperature = () => inverse
  },
  agents: ({ core, spec, policy, particles, arena }: SvpgState, best?: number | null): PolicyAgents =>
    policyAgents(core, spec, { policy, particles, theta: arena.view.theta }, best),
  kernel: kernelMatrix,
  visited: ({ visited }: SvpgState) => visited,
  parts,
  followsIterations,
  /** Ends the workers of a state that is not needed any more, and closes its environments. */
  close: (state: SvpgState) => state.workerPool.close(),
})

/** What a run of SVPG holds between two iterations. */
export type SvpgState = Awaited<ReturnType<typeof init>>

async function init({ env, workers, workerLimit, iterations, core: source, tfjs, priorMean, ...options }: SvpgOptions) {
  const config = svpgConfig(options)
  const inverse = inverseTemperature(config, iterations)
  const share = learningRateShare(config, iterations)
  if (priorMean && config.prior === 'flat')
    throw new UsageError('A priorMean needs a Gaussian prior: set prior to its standard deviation, got "flat".')
  const { task, policy } = taskAndPolicy(environmentSpec(env), config)
  const n = config.interaction === 'joint' ? 1 : config.particles
  const core = await compileCore(source)
  const behaviour = await behaviourFor(config, { core, n, policy, tfjs, seed: task.seed })
  const functions = await functionsFor(config, { core, n, policy, tfjs })
  /** [n] gradients of the particles away from each other, where the kernel is on behaviour. */
  const exploration: Float32Array[] = []
  const kernel = behaviour ? behaviourKernel(behaviour, exploration) : parameterKernel(config, policy)
  const D = padded(policy.size)
  const arena = await createArena(core, {
    ...steinFields(n, policy.size, { kernel }),
    ...optimizerFields(n, policy.size, adam({ learningRate: config.learningRate })),
    /** [n, D] where the prior is centred, and room for a row of random numbers. */
    priorMean: f32(priorMean ? n : 0, D),
    noise: f32(D),
  })
  for (let i = 0; behaviour && i < n; i++) exploration.push(new Float32Array(policy.size))
  for (let i = 0; priorMean && i < n; i++) arena.view.priorMean.set(fitting(priorMean, policy), i * D)
  // Last, so that nothing that is refused leaves workers behind.
  const probes = functions ? config.probeStates : undefined
  const setup = { task, policy, estimator: estimatorOf(config), divergence: behaviour?.divergence, probes, core, tfjs }
  const create = policyGradientEvaluator
  const workerPool = await startTaskPool({
    ...{ create, evaluator: 'policy-gradient', setup },
    ...{ wanted: workers, jobs: n, limit: workerLimit },
  })
  const state = {
    config,
    spec: task.spec,
    core,
    task,
    policy,
    /** n */
    particles: n,
    /** theta, scores, kernel and moments. */
    arena,
    kernel,
    /** What multiplies the learning rate, and 1/α by iteration; setTemperature replaces the latter. */
    learningRateShare: share,
    inverseTemperature: inverse,
    /** What setTemperature has set it to. */
    temperature: null as number | null,
    explorationShare: explorationShare(config, iterations),
    /** What the particles do, where the kernel is on that. */
    behaviour,
    /** What they are as functions, where the kernel is on those. */
    functions,
    exploration,
    workerPool,
    /** [n] what each particle carries beside its parameters; null before the first evaluation. */
    carried: Array<ParticleState | null>(n).fill(null),
    /** [n] some of the rows of each particle's last rollout. */
    visited: [] as readonly Visited[],
    /** [n] the last mean return of each particle; null before its first episode ended. */
    returns: Array<number | null>(n).fill(null),
    /** Iterations done, and steps of the optimizer. */
    iteration: 0,
    moves: 0,
  }
  const initialisation = { scheme: config.initialisation, gain: config.gain, lastGain: config.lastGain }
  for (let i = 0; i < n; i++) {
    const row = rowOf(state, 'theta', i)
    initialiseInto(row, policy.net, arena.ops, task.seed, i, initialisation)
    startHead(row, policy, task.spec, config.initialDeviation, arena.ops)
  }
  return state
}

/** Null where the kernel is on parameters. */
function behaviourFor(
  { kernel, kernelTemperature: temperature }: SvpgConfig,
  { core, n, policy, tfjs, seed }: { core: CoreModule; n: number; policy: Policy; tfjs?: TfjsOptions; seed: Seed },
): Promise<Behaviour | null> {
  if (!isDivergence(kernel)) return Promise.resolve(null)
  return createBehaviour(core, n, policy, { divergence: kernel, temperature, tfjs }, seed)
}

interface Population {
  readonly particles: number
  readonly policy: Policy
  readonly arena: { readonly view: { readonly theta: Float32Array; readonly score: Float32Array } }
}

/** Row i of theta or of the scores [particles, parameters], on the memory itself and without the padding. */
export function rowOf({ arena, particles, policy }: Population, name: 'theta' | 'score', i: number): Float32Array {
  return rowAt(arena.view[name], particles, policy.size, i)
}

/** The particles as they were when a rollout began: what its later passes are compared with. */
export interface PopulationStart {
  readonly theta: readonly Float32Array[]
  readonly carried: readonly (ParticleState | null)[]
  /** What is known of the whole population. */
  readonly contexts: readonly (ParticleState | null)[]
}

export function begin(state: SvpgState): PopulationStart {
  const theta = state.carried.map((_, i) => rowOf(state, 'theta', i).slice())
  const contexts = theta.map((_, i) => state.behaviour && contextFor(state.behaviour, i))
  return { theta, carried: [...state.carried], contexts }
}

/** First half of a step: rollout, advantages and gradient of every particle, from theta to score. */
async function evaluate(state: SvpgState, start = begin(state), pass = 0): Promise<ParticleInfo[]> {
  const step = state.iteration * state.task.steps
  const jobs = start.theta.map((behaviour, particle) => ({
    ...{ particle, step, pass, behaviour },
    theta: pass === 0 ? behaviour : rowOf(state, 'theta', particle).slice(),
    carried: pass < passesOf(state.config) ? start.carried[particle] : state.carried[particle],
    context: pass < passesOf(state.config) ? start.contexts[particle] : null,
  }))
  const outcomes = await state.workerPool.evaluate(jobs)
  outcomes.forEach(({ gradient, exploration, carried }, i) => {
    rowOf(state, 'score', i).set(gradient)
    // Steps that imitate what is remembered do not explore.
    if (exploration) state.exploration[i].set(exploration)
    else state.exploration[i]?.fill(0)
    if (carried) state.carried[i] = carried
  })
  if (pass === 0) {
    state.visited = outcomes.map(({ visited }) => visited as Visited)
    if (state.behaviour) observeBehaviour(state.behaviour, state.visited)
    const probes = outcomes.map(({ probes }) => probes as Probes)
    if (state.functions) takeProbes(state.functions, probes)
  }
  if (state.functions) state.functions.isSharing = pass < passesOf(state.config)
  return outcomes.map(({ info }) => info as ParticleInfo)
}

/** Second half: the direction of s_i = ∇J(θ_i)/α + ∇ log q₀(θ_i), and one step of Adam along it. */
function move(state: SvpgState): SteinInfo | null {
  const { arena, config, particles: n, policy, kernel } = state
  const { ops, at, view } = arena
  const count = view.theta.length
  const inverse = state.inverseTemperature(state.iteration, ops)
  const precision = config.prior === 'flat' ? 0 : 1 / (config.prior * config.prior)
  ops.combineInto(at.score, inverse, at.score, -precision, at.theta, count)
  if (view.priorMean.length > 0) ops.combineInto(at.score, 1, at.score, precision, at.priorMean, count)
  const { interaction, repulsion } = config
  const info = state.functions
    ? functionDirection(arena, state.functions, { ...actingOf(interaction), inverse, repulsion })
    : direct(
        arena,
        { particles: n, dimension: policy.size, iteration: state.moves },
        interaction,
        kernel,
        variantOf(state),
      )
  state.moves++
  adam({ learningRate: learningRateNow(state) }).step(arena, state.moves)
  const bad = ops.firstNonFinite(at.theta, count)
  if (bad >= 0) throw new RunError(`Particle ${Math.floor((bad * n) / count)} is not finite after the step.`)
  return info
}

/** A kernel on behaviour weighs exploration against the rest, and divides by the sum of its rows as its authors do. */
function variantOf({ behaviour, config, explorationShare, iteration }: SvpgState): Variant {
  if (!behaviour) return { repulsion: config.repulsion }
  const share = explorationShare(iteration)
  return { drive: 1 - share, repulsion: config.repulsion * share, normalise: 'row sum' }
}

function evolution(state: SvpgState, particles: readonly ParticleInfo[]): number[] {
  const { arena, config, task, policy, iteration, returns } = state
  particles.forEach(({ meanReturn }, i) => {
    // Episodes of good policies can be longer than a rollout: a particle none of whose episodes ended keeps its return.
    returns[i] = meanReturn ?? returns[i]
  })
  const { evolutionEvery } = config
  if (evolutionEvery === 0 || (iteration + 1) % evolutionEvery !== 0) return []
  const replaced = evolve(arena, policy.size, returns, arena.view.noise, task.seed, iteration)
  for (const i of replaced) returns[i] = null
  return replaced
}

function parts(state: SvpgState): StateParts {
  const { arena, behaviour, carried, policy, task, config } = state
  const { theta, moment1, moment2 } = arena.view
  const by = { task, policy, estimator: estimatorOf(config), divergence: behaviour?.divergence }
  return {
    population: arraysPart({ theta }),
    rest: partsOf({
      moments: arraysPart({ moment1, moment2 }),
      counters: fieldsPart(state, { iteration: countSchema, moves: countSchema, returns: returnsOf(carried.length) }),
      temperature: temperaturePart(state),
      behaviour: behaviour && behaviourPart(behaviour),
      carried: particleStatesPart(carried, carriedFields(by), (one) => refuseCarried(by, one)),
    }),
  }
}

const returnsOf = (n: number) => v.pipe(v.array(v.nullable(finiteSchema)), v.length(n))

/** Set by hand, if it was. */
const temperaturePart = (state: SvpgState): StatePart => ({
  save: (to) => to.value('set', state.temperature),
  load(from) {
    const set = from.value('set', v.nullable(positiveFloat32('temperature')))
    return () => {
      if (set !== null) svpg.setTemperature(state, set)
    }
  },
})

function followsIterations(config: object): string[] {
  const { kernel, exploration, ...schedule } = config as SvpgConfig
  const isAnnealed = isDivergence(kernel) && exploration === 'anneal'
  return [...schedulesOverRun(schedule), ...(isAnnealed ? ['exploration'] : [])]
}

/** What an iteration of SVPG measures. */
export interface SvpgInfo {
  /** [n] what the evaluation of each particle came to. */
  readonly particles: readonly ParticleInfo[]
  /** Null without a kernel. */
  readonly stein: SteinInfo | null
  /** α in this iteration. */
  readonly temperature: number
  /** Particles that evolution has replaced. */
  readonly replaced: readonly number[]
  /** Workers that died in this iteration, in a sentence each; their particles were evaluated elsewhere. */
  readonly losses: readonly string[]
}

function measure(
  { arena, task, particles: n, iteration }: SvpgState,
  { particles, stein, temperature }: SvpgInfo,
): Metrics {
  const { ops, at, view } = arena
  ops.rowSquares(at.squares, at.theta, n, view.theta.length / n)
  return {
    transitions: iteration * n * task.environments * task.steps,
    returns: particles.map(({ meanReturn }) => meanReturn),
    episodes: particles.map(({ episodes }) => episodes),
    entropy: particles.map(({ entropy }) => entropy),
    thetaNorm: Array.from(view.squares.subarray(0, n), Math.sqrt),
    ...steinMetrics(stein),
    temperature,
  }
}
