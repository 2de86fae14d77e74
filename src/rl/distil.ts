import { platform } from '#platform'
import { createArenaSync } from '../core/arena.ts'
import { show, UsageError } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import { f32, padded } from '../core/layout.ts'
import { type CoreModule, type CoreSource, compileCore } from '../core/module.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import { leaveIfAborted, requireFunction, requireSignal } from '../core/require.ts'
import { joined, rowAt, takeRows } from '../core/rows.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import { check, layerWidths, MOST_ITERATIONS, positiveFloat32, wholeNumber } from '../core/schemas.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { withoutLearning } from '../envs/description.ts'
import { refuseEndless } from '../envs/errors.ts'
import { taskNamed } from '../envs/named.ts'
import { initialiseInto } from '../nn/network.ts'
import { type Policy, policyOf } from '../nn/policy.ts'
import { beginTfjs, holdingKernels, kernelSettingsOf, type TfjsOptions } from '../nn/tfjs.ts'
import { minibatchAt, startMinibatches } from '../optim/minibatch.ts'
import { type Agents, arePolicies, type Policies, type PolicyAgents, policyAgents, requireAgents } from './agents.ts'
import { crossEntropy, divergence, mixtureOf, spreadOf, type Targets, takeTargets } from './distillation-loss.ts'
import { refuseMisfit } from './heads.ts'
import { playEpisodes } from './play.ts'
import { descend, trainable, trainableFields } from './trainable.ts'

/** What distil() takes. */
export interface DistilOptions {
  /** Policies: those of a step of train(), of loadAgents() or of importStableBaselines(). */
  readonly agents: Agents
  /** The task that they play; default: the one that they were trained on. */
  readonly env?: string | EnvironmentSpec
  /** Which of them are mixed; default: all. */
  readonly particles?: readonly number[]
  /** Widths of the hidden layers of the one policy; default: those of the population. */
  readonly hidden?: readonly number[]
  /** Episodes that each particle plays, drawing its actions. Default 5. */
  readonly episodes?: number
  /** States that are drawn from those visited, at most. Default 10,000. */
  readonly states?: number
  /** Gradient steps. Default 3000. */
  readonly steps?: number
  /** States of a gradient step. Default 256. */
  readonly batchSize?: number
  /** Of Adam in the first step; it falls to 0 in a straight line. Default 0.003. */
  readonly learningRate?: number
  /** Default 0. */
  readonly seed?: number
  /** Called after every twentieth gradient step and the last one. */
  readonly onProgress?: (done: number, total: number) => void
  /** As of an AbortController: what is not waited for any more is left, and rejects with its reason. */
  readonly signal?: StopSignal
  /** The WASM core; default: this package's steinrl.wasm. */
  readonly core?: CoreSource
  readonly tfjs?: TfjsOptions
}

/** One policy that does what a mixture of policies does, and how near it comes. */
export interface Distilled {
  /** A population of one. */
  readonly agents: PolicyAgents
  /** Mean over the states of KL(mixture ‖ policy), in nats; of Gaussians that of the mixture's moments. */
  readonly divergence: number
  /** How many states it was taught on. */
  readonly states: number
}

const OPTIONS = namesOf<DistilOptions>({
  ...{ agents: true, env: true, particles: true, hidden: true, episodes: true, states: true, steps: true },
  ...{ batchSize: true, learningRate: true, seed: true, onProgress: true, signal: true, core: true, tfjs: true },
})

/** A uniform number has 24 bits: with more rows a draw would favour some of them. */
const MOST_STATES = 16_777_216
const BREATHE_EVERY = 20

/**
 * One policy π(a|s) in the place of a population: it is taught the mixture of the particles' policies on states that
 * they visit,
 *
 *     minimise  mean_s KL( 1/n Σ_i π_i(·|s) ‖ π(·|s) ),
 *
 * of classes by the cross entropy, of Gaussians by that of the mixture's mean and variance, which no other Gaussian
 * comes nearer to. It acts, is evaluated, saved and exported as a population of one:
 *
 *     const { agents } = await distil({ agents: await loadAgents('runs/x') })
 *     const { greedy } = await evaluate({ agents })
 *
 * States, minibatches and the first weights are functions of the seed: same bits everywhere. Source: Rusu et al. 2016
 * (arXiv 1511.06295), with the mixture as the teacher.
 *
 * @throws UsageError for an option that is not allowed, agents that are no policies or do not fit the task, and a task
 *   without a time limit; RunError for an observation, a reward or a loss that is not finite; the reason of a signal
 *   that is aborted
 */
export async function distil(options: DistilOptions): Promise<Distilled> {
  requireOptions('distil', options, OPTIONS)
  const { hidden, onProgress, signal, core, tfjs } = options
  if (onProgress !== undefined) requireFunction('onProgress', onProgress, '(done, total) => …')
  requireSignal(signal)
  const teachers = teachersOf(options)
  const spec = await taskOf(options)
  refuseEndless(spec)
  refuseMisfit(spec, teachers.policy, teachers.theta, teachers.particles)
  const policy = hidden
    ? policyOf({ ...teachers.policy, hidden: check(layerWidths('a hidden width'), hidden) as number[] })
    : teachers.policy
  const learning = learningOf(options)
  const module = await compileCore(core)
  const observations = await withoutLearning(spec, () => visitedStates(module, spec, teachers, learning, signal))
  return holdingKernels(await kernelSettingsOf(tfjs, core), async () => {
    await beginTfjs(tfjs)
    const targets = mixtureOf(teachers, observations)
    const following = { onProgress, signal }
    const theta = await taught(module, policy, { observations, targets }, learning, teachers.particles, following)
    const agents = policyAgents(module, spec, { policy, particles: 1, theta }, 0)
    return { agents, divergence: divergence(policy, theta, observations, targets), states: targets.rows }
  })
}

type Learning = ReturnType<typeof learningOf>

const learningOf = (options: DistilOptions) => ({
  episodes: check(wholeNumber('episodes', 1, 100_000), options.episodes ?? 5),
  states: check(wholeNumber('states', 1, MOST_STATES), options.states ?? 10_000),
  steps: check(wholeNumber('steps', 1, MOST_ITERATIONS), options.steps ?? 3000),
  batchSize: check(wholeNumber('batchSize', 1, MOST_STATES), options.batchSize ?? 256),
  learningRate: check(positiveFloat32('learningRate'), options.learningRate ?? 3e-3),
  seed: check(wholeNumber('seed', 0), options.seed ?? 0),
})

/** The chosen policies, row by row without padding. */
function teachersOf({ agents, particles: chosen }: DistilOptions): Policies {
  requireAgents('distil', agents)
  if (!arePolicies(agents))
    throw new UsageError('distil takes policies; actions of these agents are drawn by an algorithm of their own.')
  const { policy, particles: n, theta } = agents
  const isChoice = chosen === undefined || (Array.isArray(chosen) && chosen.length > 0)
  const isParticle = (i: unknown) => Number.isSafeInteger(i) && Number(i) >= 0 && Number(i) < n
  if (!isChoice || chosen?.some((i, k) => !isParticle(i) || chosen.indexOf(i) !== k))
    throw new UsageError(`particles must be a list of different whole numbers below ${n}, got ${show(chosen)}.`)
  const numbers = chosen ?? Array.from({ length: n }, (_, i) => i)
  const rows = numbers.map((i) => rowAt(theta, n, policy.size, i))
  return { policy, particles: numbers.length, theta: joined(rows) }
}

async function taskOf({ env, agents }: DistilOptions): Promise<EnvironmentSpec> {
  if (env !== undefined) return taskNamed(env)
  if (agents.task) return agents.task
  throw new UsageError('distil needs the task to play: an id or a task of your own as env.')
}

/** [states × O] drawn from all that the particles visit, each as often as another; all of them where they are fewer. */
async function visitedStates(
  module: CoreModule,
  spec: EnvironmentSpec,
  teachers: Policies,
  learning: Learning,
  signal?: StopSignal,
): Promise<Float32Array> {
  const agents = policyAgents(module, spec, teachers)
  // Not the episodes of an evaluation with this seed.
  const { episodes } = learning
  const seed = deriveSeed(learning.seed, Purpose.probes, 0, 0, 0)
  const request = { spec, agents, greedy: false, episodes, seed, signal }
  const visited: Float32Array[] = []
  for (let particle = 0; particle < teachers.particles; particle++)
    await playEpisodes(module, { ...request, particle }, (_, observation, step) => {
      // Nothing is done in the last state of an episode.
      if (step && (step.terminated || step.truncated)) return
      visited.push(Float32Array.from(observation))
    })
  return joined(Array.from(chosenRows(module, visited.length, learning), (row) => visited[row]))
}

/** The first rows of a shuffle of all. */
function chosenRows(module: CoreModule, count: number, { states, seed }: Learning): Int32Array {
  if (count > MOST_STATES) throw new UsageError(`The particles visited ${count} states: give fewer episodes.`)
  const { ops, at, view } = createArenaSync(module, { shuffle: f32(padded(count)) })
  const batches = startMinibatches({ rows: count, size: Math.min(states, count) })
  const shuffle = { at: at.shuffle, view: view.shuffle }
  return minibatchAt(batches, 0, ops, splitSeed(deriveSeed(seed, Purpose.probes, 0, 1, 0)), shuffle).rows
}

/** [policy.size] the parameters of the policy after its training. */
async function taught(
  module: CoreModule,
  policy: Policy,
  { observations, targets }: { readonly observations: Float32Array; readonly targets: Targets },
  { steps, batchSize, learningRate, seed: number }: Learning,
  particle: number,
  { onProgress, signal }: Pick<DistilOptions, 'onProgress' | 'signal'>,
): Promise<Float32Array> {
  const { rows } = targets
  const seed = splitSeed(number)
  // The head's own parameters are learned with those of the network.
  const net = { ...policy.net, size: policy.size }
  const arena = createArenaSync(module, { ...trainableFields('student', net), shuffle: f32(padded(rows)) })
  const student = trainable(arena, 'student', net)
  const start = student.view.theta.subarray(0, policy.size)
  // The particles have the numbers before it.
  initialiseInto(start, policy.net, arena.ops, seed, particle)
  start.set(spreadOf(policy, targets, arena.ops), policy.net.size)
  const size = Math.min(batchSize, rows)
  const batches = startMinibatches({ rows, size })
  const shuffle = { at: arena.at.shuffle, view: arena.view.shuffle }
  for (let t = 0; t < steps; t++) {
    const batch = minibatchAt(batches, t, arena.ops, seed, shuffle).rows
    const x = takeRows(observations, batch, policy.observations)
    const part = takeTargets(targets, batch)
    descend(student, learningRate * (1 - t / steps), (theta) => crossEntropy(policy, theta, x, part))
    if (t % BREATHE_EVERY !== 0) continue
    onProgress?.(t, steps)
    await platform.breathe()
    leaveIfAborted(signal)
  }
  onProgress?.(steps, steps)
  return start.slice()
}
