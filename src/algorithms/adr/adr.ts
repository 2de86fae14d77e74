import { inIteration } from '../../core/errors.ts'
import { type CoreModule, compileCore } from '../../core/module.ts'
import { type Seed, splitSeed } from '../../core/random.ts'
import { joined } from '../../core/rows.ts'
import { countSchema } from '../../core/schemas.ts'
import { arraysPart, fieldsPart, partsOf } from '../../core/state.ts'
import { environmentSpec } from '../../envs/registry.ts'
import { observationSize } from '../../envs/spaces.ts'
import { policyOf } from '../../nn/policy.ts'
import { beginTfjs } from '../../nn/tfjs.ts'
import { type PolicyAgents, policyAgents } from '../../rl/agents.ts'
import { estimatorOf, passesOf } from '../../rl/estimator.ts'
import type { Job, Outcome, ParticleInfo, ParticleState, Visited } from '../../rl/evaluator.ts'
import { headFor } from '../../rl/heads.ts'
import { constantsAt, packConstants } from '../../rl/randomisation.ts'
import type { Task } from '../../rl/rollout.ts'
import { learningRateShare, schedulesOverRun } from '../../rl/schedules.ts'
import { type StateParts, withCheckedStates } from '../algorithm.ts'
import { startTaskPool } from '../workers/pool.ts'
import { carriedPart, createAgent, merged, update } from './agent.ts'
import {
  accuracyOf,
  discriminatorPart,
  discriminatorReward,
  logitsOf,
  remember,
  trainDiscriminator,
  transitionRows,
} from './discriminator.ts'
import { randomisedEvaluator } from './evaluator.ts'
import { type AdrInfo, measure, visited } from './metrics.ts'
import {
  createRandomiser,
  learn,
  type Move,
  propose,
  type Randomiser,
  randomiserPart,
  uniformPoint,
} from './particles.ts'
import { type AdrConfig, type AdrOptions, adrConfig, adrSettings } from './settings.ts'

/**
 * Active domain randomisation: n particles, each a policy over the parameters ξ of an environment, look for the ones in
 * which the agent's transitions differ most from those of the reference environment. The agent, a policy over actions,
 * is trained where they go.
 *
 *     r(ξ) = mean_b [ log D(s_b, a_b, s′_b) − log ½ ]      over the agent's transitions at ξ
 *     φ(θ_i) = 1/n Σ_j [ k(θ_j, θ_i) ∇J(θ_j)/α + ∇_{θ_j} k(θ_j, θ_i) ]      J: return of r over the particle's moves
 *
 * D tells transitions of the randomised environments (1) from those of the reference (0). A particle's observation is
 * its point in the unit cube, its action a move of at most `maxMove`. The agent follows the mean of the policy
 * gradients at all points. randomisation 'uniform' and 'default' train the same agent on as many transitions at points
 * drawn uniformly, or in the reference.
 *
 * Source: Mehta, Diaz, Golemo, Pal & Paull 2019 (arXiv 1904.04762), algorithm 2; what differs from the authors' code is
 * described in docs/adr.md.
 */
export const adr = withCheckedStates('adr', {
  settings: adrSettings,
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
  agents: ({ core, spec, policy, arena }: AdrState): PolicyAgents =>
    policyAgents(core, spec, { policy, particles: 1, theta: arena.view.theta }),
  visited,
  parts,
  followsIterations: schedulesOverRun,
  /** Ends the workers of a state that is not needed any more. */
  close: (state: AdrState) => state.workerPool.close(),
})

/** What a run of active domain randomisation holds between two iterations. */
export type AdrState = Awaited<ReturnType<typeof init>>

async function init({ workers, workerLimit, iterations, core: source, tfjs, ...options }: AdrOptions) {
  const spec = environmentSpec(options.env)
  const config = adrConfig(options)
  const share = learningRateShare(config, iterations)
  const estimator = estimatorOf(config)
  const { hidden, activation, environments, steps } = config
  const task: Task = { spec, head: headFor(spec, config.head), environments, steps, seed: splitSeed(config.seed) }
  const policy = policyOf({ observations: observationSize(spec), hidden, activation, head: task.head })
  const core = await compileCore(source)
  await beginTfjs({ ...tfjs, core })
  const agent = await createAgent(core, { config, estimator, policy, task })
  const randomiser = await randomiserFor(core, config, task.seed)
  // Last, so that nothing that is refused leaves workers behind.
  const setup = { task, policy, estimator, core, tfjs, constants: Object.keys(config.ranges) }
  const create = randomisedEvaluator
  const jobs = config.particles * config.moves
  const workerPool = await startTaskPool({
    ...{ create, evaluator: 'randomised', setup },
    ...{ wanted: workers, jobs, limit: workerLimit },
  })
  return {
    config,
    spec,
    core,
    estimator,
    task,
    policy,
    ...agent,
    /** What multiplies the learning rate in iteration t. */
    learningRateShare: share,
    /** The particles; it draws the points of 'uniform' too. */
    randomiser,
    workerPool,
    /** [n × moves] some rows of each rollout of the last iteration. */
    visited: [] as readonly Visited[],
    /** Iterations done, and steps of the agent's Adam. */
    iteration: 0,
    updates: 0,
  }
}

function parts(state: AdrState): StateParts {
  const { arena, randomiser, discriminator } = state
  const { theta, moment1, moment2 } = arena.view
  return {
    population: arraysPart({ theta }),
    rest: partsOf({
      moments: arraysPart({ moment1, moment2 }),
      counters: fieldsPart(state, { iteration: countSchema, updates: countSchema }),
      carried: carriedPart(state),
      randomiser: randomiser && randomiserPart(randomiser),
      discriminator: discriminator && discriminatorPart(discriminator),
    }),
  }
}

/** Null in the default environment, where there is nothing to propose. */
async function randomiserFor(core: CoreModule, config: AdrConfig, seed: Seed): Promise<Randomiser | null> {
  if (config.randomisation === 'default') return null
  const { particles, moves, maxMove, horizon, temperature, repulsion, bandwidth } = config
  const settings = {
    ...{ particles, moves, maxMove, horizon, temperature, repulsion, bandwidth },
    dimensions: Object.keys(config.ranges).length,
    hidden: config.particleHidden,
    learningRate: config.particleLearningRate,
    criticLearningRate: config.particleCriticLearningRate,
    discount: config.particleDiscount,
  }
  return createRandomiser(core, settings, seed)
}

/** Where the agent rolls out in an iteration: the moves of the particles, or points [n × moves] that nobody chose. */
interface Proposals {
  readonly moves: readonly (readonly Move[])[] | null
  readonly points: readonly Float32Array[]
  /** [n × moves] what a job is given. */
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
interface AgentStart {
  readonly behaviour: Float32Array
  readonly carried: ParticleState
}

/**
 * The gradients of an iteration's rollouts at the agent as it is now; in pass 0 they roll out, and the reference
 * environment too.
 */
async function evaluate(
  state: AdrState,
  constants: readonly Float64Array[],
  { behaviour, carried }: AgentStart,
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
