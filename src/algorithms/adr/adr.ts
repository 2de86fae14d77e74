import * as v from 'valibot'
import { createArena } from '../../core/arena.ts'
import {
  check,
  fraction,
  inIteration,
  nonNegativeNumber,
  oneOf,
  positiveNumber,
  RunError,
  wholeNumber,
  wholeNumberOr,
} from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreSource, compileCore } from '../../core/module.ts'
import { Purpose, splitSeed } from '../../core/random.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { environmentSpec } from '../../envs/registry.ts'
import { initialiseInto, mlp, valueNetwork } from '../../nn/network.ts'
import { actionWidth, policyOf } from '../../nn/policy.ts'
import { policyEntries } from '../../nn/policy-settings.ts'
import { startTfjs, type TfjsOptions } from '../../nn/tfjs.ts'
import { adam } from '../../optim/optimizers.ts'
import { advantageFields } from '../../rl/advantages.ts'
import type { Policies } from '../../rl/agents.ts'
import { headFor, observationSize } from '../../rl/environments.ts'
import { joined } from '../../rl/episodes.ts'
import { type Estimator, estimatorOf, gradientEntries, passesOf } from '../../rl/estimator.ts'
import type { Job, Outcome, ParticleInfo, ParticleState, Visited } from '../../rl/evaluator.ts'
import { constantsAt, packConstants, type Ranges, rangesSchema, refuseRanges } from '../../rl/randomisation.ts'
import type { Task } from '../../rl/rollout.ts'
import { initialiseTrainable, saveTrainable, takeRows, trainable, trainableFields } from '../../rl/trainable.ts'
import { bandwidthSchema } from '../../svgd/bandwidth.ts'
import type { SteinInfo } from '../../svgd/direction.ts'
import { type Metrics, normOf } from '../algorithm.ts'
import { startTaskPool } from '../workers/pool.ts'
import {
  accuracyOf,
  discriminatorReward,
  drawFields,
  logitsOf,
  remember,
  trainDiscriminator,
  transitionDiscriminator,
  transitionRows,
  transitionSize,
} from './discriminator.ts'
import { randomisedEvaluator } from './evaluator.ts'
import { createRandomiser, learn, type Move, propose, uniformPoint } from './particles.ts'

/**
 * Where the agent is trained:
 *
 * 'adr': at the points that the particles propose;
 * 'uniform': at points drawn uniformly from the ranges, domain randomisation as it is usually done;
 * 'default': in the reference environment alone.
 */
export const randomisations = ['adr', 'uniform', 'default'] as const

/** The settings with their defaults; where they are not those of the authors' code, docs/adr.md says why. */
const schema = v.object({
  randomisation: v.optional(oneOf('randomisation', randomisations), 'adr'),
  /** The constants that are varied, { name: [low, high] }. */
  ranges: rangesSchema,
  /** n, policies over the ranges, and the moves of each in an iteration: the agent rolls out at n × moves points. */
  particles: v.optional(wholeNumber('particles', 1, 1000), 10),
  moves: v.optional(wholeNumber('moves', 1, 1000), 2),
  /** Of the unit cube, in each dimension. */
  maxMove: v.optional(positiveNumber('maxMove'), 0.05),
  /** Moves after which a particle's point is drawn anew. */
  horizon: v.optional(wholeNumber('horizon', 1), 25),
  /** α, which divides the policy gradient of the particles. */
  temperature: v.optional(positiveNumber('temperature'), 10),
  repulsion: v.optional(nonNegativeNumber('repulsion'), 1),
  bandwidth: v.optional(bandwidthSchema, 'dartml'),
  particleHidden: v.optional(v.array(wholeNumber('a hidden width of the particles', 1, 4096)), [100, 100]),
  /** Of the Adam of the particles, and of that of their critics. */
  particleLearningRate: v.optional(positiveNumber('particleLearningRate'), 3e-3),
  particleCriticLearningRate: v.optional(positiveNumber('particleCriticLearningRate'), 3e-3),
  particleDiscount: v.optional(fraction('particleDiscount'), 0.9),
  transitionHidden: v.optional(v.array(wholeNumber('a hidden width of the discriminator', 1, 4096)), [128, 128]),
  transitionLearningRate: v.optional(positiveNumber('transitionLearningRate'), 3e-3),
  /** Steps of the discriminator in an iteration, with so many rows of each kind, out of those of the last iterations. */
  transitionSteps: v.optional(wholeNumber('transitionSteps', 1, 1000), 5),
  transitionBatch: v.optional(wholeNumber('transitionBatch', 1, 100_000), 320),
  transitionMemory: v.optional(wholeNumber('transitionMemory', 1, 10_000), 20),
  /** Rollouts in the reference environment in an iteration, which only the discriminator learns from. */
  references: v.optional(wholeNumber('references', 1, 1000), 1),
  ...policyEntries,
  /** Of the Adam of the agent. */
  learningRate: v.optional(positiveNumber('learningRate'), 1e-3),
  /** Environments at each point, and their steps: every rollout begins new episodes. */
  environments: v.optional(wholeNumber('environments', 1, 100_000), 1),
  steps: v.optional(wholeNumber('steps', 1, 100_000), 200),
  ...gradientEntries,
  estimator: v.optional(gradientEntries.estimator.wrapped, 'ppo'),
  seed: v.optional(wholeNumber('seed', 0), 0),
})

type Settings = v.InferOutput<typeof schema>

/** What a user may set; see docs/adr.md. */
export type AdrOptions = v.InferInput<typeof schema> & {
  /** An id of the registry or a task of one's own that has `configure`. */
  env: string | EnvironmentSpec
  /** Who evaluates: this thread (0, the default), so many workers, or one a core ('auto'). The bits are the same. */
  workers?: number | 'auto'
  /** Iterations of the whole run. train() sets it. */
  iterations?: number
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
  tfjs?: TfjsOptions
}

export type AdrConfig = Readonly<Omit<Settings, 'ranges'>> & { readonly ranges: Ranges } & Pick<
    Estimator,
    keyof typeof gradientEntries
  >

export type AdrState = Awaited<ReturnType<typeof init>>

/** Where the agent was trained in one iteration, and what came of it. */
export interface AdrInfo {
  /** [n × moves] what each rollout of the agent told. */
  readonly rollouts: readonly ParticleInfo[]
  /** [n × moves][d] where they were, in the unit cube; in the default environment none. */
  readonly points: readonly Float32Array[]
  /** Of the rollouts; null where there is no discriminator. */
  readonly rewards: readonly number[] | null
  /** Share of transitions that it told right; null where there is none. */
  readonly accuracy: number | null
  /** Of the particles over the ranges; null where there are none. */
  readonly stein: SteinInfo | null
  /** Workers that died in this iteration, in a sentence each. */
  readonly losses: readonly string[]
}

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function adrConfig({ env, ...options }: Partial<AdrOptions>): AdrConfig {
  const spec = environmentSpec(env as string)
  const ranges = refuseRanges(spec, options.ranges)
  const settings = check(schema, { ...options, ranges })
  return { ...settings, ...gradientPart(estimatorOf(settings)), ranges }
}

const gradientPart = (estimator: Estimator) =>
  Object.fromEntries(Object.keys(gradientEntries).map((name) => [name, estimator[name as keyof Estimator]])) as Pick<
    Estimator,
    keyof typeof gradientEntries
  >

const workersSchema = v.optional(wholeNumberOr('workers', 0, ['auto']), 0)

async function init({ workers: wanted, iterations: _, core: source, tfjs, ...options }: AdrOptions) {
  const spec = environmentSpec(options.env)
  const config = adrConfig(options)
  const estimator = estimatorOf(config)
  const seed = splitSeed(config.seed)
  const { hidden, activation, environments, steps } = config
  const task: Task = { spec, head: headFor(spec, config.head), environments, steps, seed }
  const policy = policyOf({ observations: observationSize(spec), hidden, activation, head: task.head })
  const core = await compileCore(source)
  await startTfjs({ ...tfjs, core })
  const dimensions = Object.keys(config.ranges).length
  const isActive = config.randomisation === 'adr'
  const nets = {
    critic: estimator.baseline === 'value' ? valueNetwork(policy.observations, estimator.criticHidden) : null,
    transition: isActive
      ? mlp([transitionSize(policy.observations, policy.head), ...config.transitionHidden, 1])
      : null,
  }
  const D = padded(policy.size)
  const arena = await createArena(core, {
    /** [1, D] the agent, its gradient and the moments of its Adam. */
    theta: f32(D),
    direction: f32(D),
    moment1: f32(D),
    moment2: f32(D),
    ...trainableFields('critic', nets.critic),
    ...trainableFields('transition', nets.transition),
    ...drawFields(isActive ? config.transitionBatch : 0),
  })
  initialiseInto(arena.view.theta.subarray(0, policy.size), policy.net, arena.ops, seed, 0, {
    scheme: config.initialisation,
    gain: config.gain,
    lastGain: config.lastGain,
  })
  const discriminator = nets.transition && transitionDiscriminator(trainable(arena, 'transition', nets.transition))
  if (discriminator) initialiseTrainable(discriminator.network, seed, 0, { purpose: Purpose.discriminator })
  const randomiser =
    config.randomisation === 'default'
      ? null
      : await createRandomiser(
          core,
          {
            ...{ dimensions, particles: config.particles, moves: config.moves, maxMove: config.maxMove },
            ...{ horizon: config.horizon, hidden: config.particleHidden, discount: config.particleDiscount },
            ...{ learningRate: config.particleLearningRate, criticLearningRate: config.particleCriticLearningRate },
            ...{ temperature: config.temperature, repulsion: config.repulsion, bandwidth: config.bandwidth },
          },
          seed,
        )
  const setup = { task, policy, estimator, core, tfjs, constants: Object.keys(config.ranges) }
  // Last, so that nothing that is refused leaves workers behind.
  const workerPool = await startTaskPool({
    ...{ create: randomisedEvaluator, evaluator: 'randomised', setup },
    ...{ wanted: check(workersSchema, wanted), jobs: config.particles * config.moves },
  })
  return {
    config,
    estimator,
    task,
    policy,
    arena,
    optimizer: adam({ learningRate: config.learningRate }),
    /** The particles; it draws the points of 'uniform' too. */
    randomiser,
    discriminator,
    workerPool,
    /** What the agent has beside its policy: the mean over the rollouts of an iteration of what they made of it. */
    carried: {
      ...startCritic(),
      valueWeights: new Float64Array(advantageFields(0, policy.observations).valueWeights.shape[0]),
    } as ParticleState,
    /** [n × moves] some rows of each rollout of the last iteration. */
    visited: [] as readonly Visited[],
    /** Iterations done, and steps of the agent's optimizer. */
    iteration: 0,
    updates: 0,
  }

  function startCritic(): ParticleState {
    if (!nets.critic) return {}
    const critic = trainable(arena, 'critic', nets.critic)
    initialiseTrainable(critic, seed, 0, { purpose: Purpose.critic })
    return saveTrainable(critic)
  }
}

/** Where the agent rolls out in an iteration: the moves of the particles, or points [n × moves] that nobody chose. */
interface Proposals {
  readonly moves: readonly (readonly Move[])[] | null
  readonly points: readonly Float32Array[]
  /** [n × moves] what a job is told. */
  readonly constants: readonly Float64Array[]
}

function proposals({ config, task: { spec }, randomiser, iteration }: AdrState): Proposals {
  const count = config.particles * config.moves
  if (!randomiser) return { moves: null, points: [], constants: Array(count).fill(packConstants(spec, {})) }
  const moves = config.randomisation === 'adr' ? propose(randomiser) : null
  const points = moves
    ? moves.flatMap((row) => row.map(({ to }) => to))
    : Array.from({ length: count }, (_, k) => uniformPoint(randomiser, k, iteration))
  return { moves, points, constants: points.map((point) => packConstants(spec, constantsAt(config.ranges, point))) }
}

/** What the agent was when a rollout began. */
interface Begun {
  readonly behaviour: Float32Array
  readonly carried: ParticleState
}

/** The gradients of an iteration's rollouts at the agent as it is now; in pass 0 they roll out, and the reference environment too. */
async function evaluate(
  state: AdrState,
  constants: readonly Float64Array[],
  { behaviour, carried }: Begun,
  pass: number,
) {
  const { config, task, policy, arena, iteration } = state
  const reference = packConstants(task.spec, {})
  const references = pass === 0 && state.discriminator ? config.references : 0
  const theta = pass === 0 ? behaviour : arena.view.theta.slice(0, policy.size)
  const jobs = [...constants, ...Array<Float64Array>(references).fill(reference)].map(
    (values, particle): Job => ({
      ...{ particle, step: iteration * task.steps, pass, theta, behaviour, carried },
      context: { constants: values },
    }),
  )
  const outcomes = await state.workerPool.evaluate(jobs)
  return { rollouts: outcomes.slice(0, constants.length), references: outcomes.slice(constants.length) }
}

/** One step of Adam along the mean of the gradients. */
function update(state: AdrState, rollouts: readonly Outcome[]): void {
  const { arena, policy, optimizer } = state
  const gradients = rollouts.map(({ gradient }) => gradient)
  meanInto(arena.view.direction, gradients)
  state.updates++
  optimizer.step(arena, state.updates)
  if (arena.ops.firstNonFinite(arena.at.theta, policy.size) >= 0)
    throw new RunError('The parameters of the agent are not finite after the step.')
}

/** out[k] = mean over rows of row[k], summed in their order in float64. */
function meanInto(out: Float32Array | Float64Array, rows: readonly ArrayLike<number>[]): void {
  for (let k = 0; k < rows[0].length; k++) {
    let sum = 0
    for (const row of rows) sum += row[k]
    out[k] = sum / rows.length
  }
}

/** What the agent carries on: the mean of what every rollout made of its critic, each from the same one. */
function merged(carried: ParticleState, rollouts: readonly Outcome[]): ParticleState {
  const all = rollouts.map((outcome) => outcome.carried as ParticleState)
  const entries = Object.entries(carried).map(([name, array]) => {
    const out = array.slice()
    if (out instanceof Int32Array) out.set(all[0][name])
    else
      meanInto(
        out as Float32Array,
        all.map((each) => each[name]),
      )
    return [name, out]
  })
  return Object.fromEntries(entries)
}

/** What the particles are rewarded for, before the discriminator learns from the same transitions; then both learn. */
function randomise(
  state: AdrState,
  moves: Proposals['moves'],
  rollouts: readonly Outcome[],
  references: readonly Outcome[],
) {
  const { config, discriminator, randomiser, policy } = state
  if (!discriminator || !randomiser || !moves) return { rewards: null, accuracy: null, stein: null }
  const rowsOf = ({ visited }: Outcome) => transitionRows(visited as Visited, policy.observations, policy.head)
  const own = rollouts.map(rowsOf)
  const reference = joined(references.map(rowsOf))
  remember(discriminator, { randomised: joined(own), reference }, config.transitionMemory)
  const logits = own.map((rows) => logitsOf(discriminator, rows))
  const rewards = logits.map(discriminatorReward)
  const all = Float64Array.from(logits.flatMap((row) => [...row]))
  const accuracy = accuracyOf(all, logitsOf(discriminator, reference))
  const { transitionLearningRate: rate, transitionSteps: steps, transitionBatch: batch } = config
  trainDiscriminator(discriminator, state.arena, {
    rate,
    steps,
    batch,
    seed: state.task.seed,
    iteration: state.iteration,
  })
  const stein = learn(
    randomiser,
    moves,
    moves.map((row, i) => rewards.slice(i * row.length, (i + 1) * row.length)),
  )
  return { rewards, accuracy, stein }
}

function measure(state: AdrState, { rollouts, points, rewards, accuracy, stein }: AdrInfo): Metrics {
  const { config, task, arena, policy, iteration } = state
  const perIteration = rollouts.length + (state.discriminator ? config.references : 0)
  const ended = rollouts.filter(({ meanReturn }) => meanReturn !== null)
  const episodes = rollouts.reduce((sum, rollout) => sum + rollout.episodes, 0)
  const total = ended.reduce((sum, { meanReturn, episodes }) => sum + (meanReturn as number) * episodes, 0)
  const { theta } = arena.view
  return {
    transitions: iteration * perIteration * task.environments * task.steps,
    returns: [episodes === 0 ? null : total / episodes],
    episodes: [episodes],
    entropy: [mean(rollouts.map(({ entropy }) => entropy))],
    thetaNorm: [normOf(theta.subarray(0, policy.size))],
    drive: stein?.drive ?? null,
    repulsion: stein?.repulsion ?? null,
    sharing: stein?.sharing ?? null,
    bandwidth: stein?.bandwidth ?? null,
    kernelOffDiagonal: stein?.kernelOffDiagonal ?? null,
    temperature: config.temperature,
    ...(rewards && { discriminatorReward: mean(rewards), discriminatorAccuracy: accuracy }),
    ...spreads(points, config.ranges),
  }
}

/** One in so many rows of each rollout is shown to whoever draws where the agent goes. */
const SHOWN = 16

/** Those of the agent, which is the only one of its population. */
function visited({ visited, policy }: AdrState): Visited[] {
  const shown = (rows: Float32Array, width: number) =>
    takeRows(
      rows,
      Int32Array.from({ length: Math.ceil(rows.length / width / SHOWN) }, (_, k) => k * SHOWN),
      width,
    )
  const { observations, head } = policy
  return [
    {
      observation: joined(visited.map(({ observation }) => shown(observation, observations))),
      action: joined(visited.map(({ action }) => shown(action, actionWidth(head)))),
    },
  ]
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length

/** Mean and standard deviation of each constant over the points, in its units. */
function spreads(points: readonly Float32Array[], ranges: Ranges): Record<string, number> {
  if (points.length === 0) return {}
  const all = points.map((point) => constantsAt(ranges, point))
  const entries = Object.keys(ranges).flatMap((name) => {
    const values = all.map((constants) => constants[name])
    const centre = mean(values)
    const spread = Math.sqrt(mean(values.map((x) => (x - centre) * (x - centre))))
    return [
      [`${name}Mean`, centre],
      [`${name}Spread`, spread],
    ]
  })
  return Object.fromEntries(entries)
}

/**
 * Active domain randomisation: n particles, each a policy over the parameters ξ of an environment, look for the ones in which the
 * agent's transitions differ most from those of the reference environment. The agent, a policy over actions, is trained where they go.
 *
 *     r(ξ) = mean_b [ log D(s_b, a_b, s′_b) − log ½ ]      over the agent's transitions at ξ
 *     φ(θ_i) = 1/n Σ_j [ k(θ_j, θ_i) ∇J(θ_j)/α + ∇_{θ_j} k(θ_j, θ_i) ]      J: return of r over the particle's moves
 *
 * D tells transitions of the randomised environments (1) from those of the reference (0). A particle's observation is its point in
 * the unit cube, its action a move of at most `maxMove`. The agent follows the mean of the policy gradients at all points.
 * randomisation 'uniform' and 'default' train the same agent on as many transitions at points drawn uniformly, or in the reference.
 *
 * Source: Mehta, Diaz, Golemo, Pal & Paull 2019 (arXiv 1904.04762), algorithm 2; what differs from the authors' code is told in docs/adr.md.
 */
export const adr = {
  config: adrConfig,
  init,
  /** One iteration in place. Rejects with a RunError naming the iteration when a value is not finite. */
  step: (state: AdrState): Promise<AdrInfo> =>
    inIteration(state.iteration + 1, async () => {
      const { arena, policy } = state
      const { moves, points, constants } = proposals(state)
      const begun = { behaviour: arena.view.theta.slice(0, policy.size), carried: state.carried }
      const { rollouts, references } = await evaluate(state, constants, begun, 0)
      update(state, rollouts)
      for (let pass = 1; pass < passesOf(state.estimator); pass++)
        update(state, (await evaluate(state, constants, begun, pass)).rollouts)
      state.carried = merged(begun.carried, rollouts)
      state.visited = rollouts.map(({ visited }) => visited as Visited)
      const randomised = randomise(state, moves, rollouts, references)
      state.iteration++
      return {
        rollouts: rollouts.map(({ info }) => info as ParticleInfo),
        points,
        ...randomised,
        losses: state.workerPool.takeFailures(),
      }
    }),
  measure,
  agents: ({ policy, arena }: AdrState): Policies => ({ policy, particles: 1, theta: arena.view.theta }),
  visited,
  /** Ends the workers of a state that is not needed any more. */
  close: (state: AdrState) => state.workerPool.close(),
}
