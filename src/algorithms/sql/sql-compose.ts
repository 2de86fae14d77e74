import { createArena } from '../../core/arena.ts'
import { closeAll, closeFailed } from '../../core/disposable.ts'
import { inIteration, show, UsageError } from '../../core/errors.ts'
import { f32, padded } from '../../core/layout.ts'
import { type CoreModule, type CoreSource, compileCore } from '../../core/module.ts'
import { Purpose, splitSeed } from '../../core/random.ts'
import { normOf } from '../../core/rows.ts'
import { countSchema } from '../../core/schemas.ts'
import { fieldsPart, partsOf } from '../../core/state.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { environmentSpec } from '../../envs/registry.ts'
import { haveSameSpaces } from '../../envs/spaces.ts'
import { type Agents, withBest } from '../../rl/agents.ts'
import { numberedOrBounded } from '../../rl/off-policy.ts'
import { createBatch, mergeReplays, type Replay, sampleInto } from '../../rl/replay.ts'
import { initialiseTrainable, trainable, trainableFields, trainableParts } from '../../rl/trainable.ts'
import { type Metrics, type Saved, type StateParts, steinMetrics, withCheckedStates } from '../algorithm.ts'
import type { SqlClassState } from './classes.ts'
import type { SqlComposeClassState } from './compose-classes.ts'
import * as classes from './compose-classes.ts'
import {
  type Constants,
  type SqlComposeConfig,
  type SqlComposeOptions,
  sqlComposeConfig,
  sqlComposeSettings,
} from './compose-settings.ts'
import type { SqlComposeInfo } from './info.ts'
import { type SamplerWithCritics, samplerAgents, samplerStart, saveSamplers } from './sampler.ts'
import { createSamplerLearning, learnSampler } from './sampler-learning.ts'
import { splitOf } from './settings.ts'
import { hasSampler, type SqlState, samplerOf, sqlMembers, temperatureOf } from './sql.ts'

/**
 * Composition of soft Q functions: components learn a task each, then a sampler is trained on the sum of their Qs,
 * which stay as they are, in the states that they have seen and without another step of the environment,
 *
 *     π(a|s) ∝ exp( Σ_c Q_c(s, a)/α )
 *
 * which does what is good for all of them. The population is the components, each with its own policy, and the composed
 * one last; it is evaluated on the run's task, the one that asks for all at once.
 *
 * Where actions are numbered that policy is known, and nothing is learned for it: see compose-classes.ts.
 *
 * Source: Haarnoja, Pong, Zhou, Dalal, Abbeel & Levine 2018 (arXiv 1803.06773); the sum of Q functions and the merged
 * replay are those of the authors' soft Q-learning code.
 */
export const sqlCompose = withCheckedStates('sqlCompose', {
  settings: sqlComposeSettings,
  config: sqlComposeConfig,
  init,
  /** One iteration in place: of every component, or of the composed sampler. Rejects with a RunError that names it. */
  step: (state: SqlComposeState | SqlComposeClassState): Promise<SqlComposeInfo> =>
    inIteration(state.iteration + 1, async () => {
      if ('policy' in state) return classes.step(state)
      const { components, config } = state
      const isLearning = state.iteration < config.componentIterations
      const results: (Awaited<ReturnType<typeof sqlMembers.step>> | null)[] = []
      for (const component of components) results.push(isLearning ? await sqlMembers.step(component) : null)
      const direction = isLearning ? null : compose(state)
      state.iteration++
      return { components: results, direction }
    }),
  measure: (state: SqlComposeState | SqlComposeClassState, info: SqlComposeInfo): Metrics =>
    'policy' in state ? classes.measure(state, info) : measure(state, info),
  /** Where no particle is named the composed one acts. */
  agents: (state: SqlComposeState | SqlComposeClassState): Agents =>
    'policy' in state
      ? classes.agents(state)
      : samplerAgents(state.core, state.spec, samplersOf(state), state.components.length),
  /** Of samplers alone: policies are written as such. */
  save: (state: SqlComposeState | SqlComposeClassState): Saved =>
    'policy' in state ? sqlMembers.save(state.components[0]) : saveSamplers(samplersOf(state)),
  async restore(saved: Saved, spec: EnvironmentSpec, core?: CoreSource): Promise<Agents> {
    const agents = await sqlMembers.restore(saved, spec, core)
    return withBest(agents, agents.particles - 1)
  },
  parts: (state: SqlComposeState | SqlComposeClassState): StateParts =>
    'policy' in state ? classes.parts(state) : parts(state),
  /** Closes the environments of the components. */
  close: ({ components }: SqlComposeState | SqlComposeClassState) => closeAll(components.map(({ loop }) => loop.envs)),
})

/** What a run of the composition over continuous actions holds between two iterations: a state for each component. */
export type SqlComposeState = Awaited<ReturnType<typeof composing>>

async function init({ env, iterations, core: source, tfjs, ...options }: SqlComposeOptions) {
  const { components, componentIterations, ...config } = sqlComposeConfig(options)
  if (iterations !== undefined && iterations <= componentIterations)
    throw new UsageError(
      `componentIterations must leave iterations for the composed sampler: fewer than ${iterations}, got ${componentIterations}.`,
    )
  const spec = numberedOrBounded('sql-compose', environmentSpec(env))
  const core = await compileCore(source)
  const tasks = components.map((constants) => taskOf(spec, constants))
  const states: Awaited<ReturnType<typeof sqlMembers.init>>[] = []
  try {
    for (const task of tasks)
      states.push(await sqlMembers.init({ ...config, env: task, iterations: componentIterations, core, tfjs }))
    const all = { ...config, components, componentIterations }
    const [samplers, others] = [states.filter(hasSampler), states.filter((state) => !hasSampler(state))]
    return others.length > 0
      ? classes.composing(others as SqlClassState[], { config: all, spec, core })
      : await composing(samplers, spec, core, all)
  } catch (error) {
    closeFailed(() => closeAll(states.map(({ loop }) => loop.envs)))
    throw error
  }
}

/** The components, and a new sampler for the sum of their Q functions. */
async function composing(states: SqlState[], spec: EnvironmentSpec, core: CoreModule, config: SqlComposeConfig) {
  const { nets, shape } = states[0]
  const { batchSize: B } = config
  const arena = await createArena(core, { ...trainableFields('sampler', nets.sampler), uniform: f32(padded(B)) })
  const composed = trainable(arena, 'sampler', nets.sampler)
  initialiseTrainable(composed, splitSeed(config.seed), states.length, samplerStart(shape))
  const sizes = { states: B, ...splitOf(config), width: nets.sampler.widths[nets.sampler.widths.length - 1] }
  return {
    config,
    spec,
    core,
    arena,
    components: states,
    /** The sampler of Σ_c Q_c. */
    sampler: composed,
    learning: await createSamplerLearning(core, sizes, shape.latents),
    /** All that the components have seen; null while they learn. */
    replay: null as Replay | null,
    batch: createBatch(states[0].loop.replay, B),
    iteration: 0,
    updates: 0,
  }
}

function taskOf(spec: EnvironmentSpec, constants: Constants): EnvironmentSpec {
  if (!spec.configure) throw new UsageError(`${spec.id} has no constants to make components with.`)
  const task = spec.configure(constants)
  if (haveSameSpaces(spec, task)) return task
  throw new UsageError(
    `The component ${show(constants)} changes the spaces of ${spec.id}, which must be the same for all that are composed.`,
  )
}

/** The number of the composed sampler in the counter of its random rows; components take theirs as 0. */
const COMPOSED = 1

/**
 * Retrains the sampler alone on the states that the components have seen: as many gradient steps as they took in an
 * iteration.
 */
function compose(state: SqlComposeState): number {
  const { config, components, batch, arena, learning, sampler } = state
  state.replay ??= mergeReplays(components.map(({ loop }) => loop.replay))
  const { lo, hi } = splitSeed(config.seed)
  const steps = config.steps * config.gradientSteps
  const rate = config.samplerLearningRate ?? config.learningRate
  let direction = 0
  for (let t = 0; t < steps; t++) {
    const { ops, at, view } = arena
    ops.fillUniform(at.uniform, batch.rows, lo, hi, Purpose.replay, COMPOSED, 0, state.updates)
    sampleInto(batch, state.replay, view.uniform)
    const step = {
      states: batch.observation,
      temperature: temperatureOf(components[0]),
      ...{ bandwidth: config.bandwidth, rate, seed: { lo, hi }, update: state.updates },
    }
    direction += learnSampler(learning, composedOf(state), sampler, step).direction / steps
    state.updates++
  }
  return direction
}

/** The sampler of the sum: every component scores its actions. */
function composedOf({ components, sampler }: SqlComposeState): SamplerWithCritics {
  const one = samplerOf(components[0])
  return { ...one, theta: sampler.view.theta, criticThetas: components.map(({ critics }) => critics.q.view.theta) }
}

const samplersOf = (state: SqlComposeState) => [...state.components.map(samplerOf), composedOf(state)]

/** The merged replay is that of the components, which is made again. */
function parts(state: SqlComposeState): StateParts {
  const sampler = trainableParts(state.sampler)
  const all = state.components.map((component) => sqlMembers.parts(component))
  const named = (of: 'population' | 'rest') => Object.fromEntries(all.map((each, c) => [`component${c}`, each[of]]))
  return {
    population: partsOf({ sampler: sampler.population, ...named('population') }),
    rest: partsOf({
      ...{ sampler: sampler.rest, ...named('rest') },
      counters: fieldsPart(state, { iteration: countSchema, updates: countSchema }),
    }),
  }
}

function measure({ components, sampler, iteration }: SqlComposeState, info: SqlComposeInfo): Metrics {
  return {
    ...steinMetrics(null),
    transitions: components.reduce((sum, { loop, config }) => sum + loop.steps * config.environments, 0),
    returns: [...components.map((_, c) => info.components[c]?.meanReturn ?? null), null],
    episodes: [...components.map((_, c) => info.components[c]?.episodes ?? 0), 0],
    entropy: [],
    thetaNorm: [...components, { sampler }].map((one) => normOf(one.sampler.view.theta)),
    temperature: temperatureOf({ ...components[0], iteration }),
    direction: info.direction,
  }
}
