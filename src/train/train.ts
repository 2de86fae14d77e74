import { platform } from '#platform'
import { adr } from '../algorithms/adr/adr.ts'
import { type Algorithm, refuseSave, type Saved } from '../algorithms/algorithm.ts'
import { s2ac } from '../algorithms/s2ac/s2ac.ts'
import { sac } from '../algorithms/sac/sac.ts'
import { sql } from '../algorithms/sql/sql.ts'
import { sqlCompose } from '../algorithms/sql/sql-compose.ts'
import { svpg } from '../algorithms/svpg/svpg.ts'
import { closeFailed } from '../core/disposable.ts'
import { show, UsageError } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import { listed, nearest } from '../core/nearest.ts'
import { refuseUnknown } from '../core/options.ts'
import { isRecord, requireFunction, requireSignal, requireThat } from '../core/require.ts'
import type { StopSignal } from '../core/runtime-types.ts'
import { check, MOST_ITERATIONS, wholeNumber } from '../core/schemas.ts'
import { contentOf, partsOf, type StatePart } from '../core/state.ts'
import { quantile } from '../core/statistics.ts'
import { version } from '../core/version.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { describeTask, type TaskDescription, withoutLearning } from '../envs/description.ts'
import { taskNamed } from '../envs/named.ts'
import { environmentSpec } from '../envs/registry.ts'
import type { Acting } from '../policy/request.ts'
import type { Evaluation, IterationMetrics } from '../report/metrics.ts'
import { AGENT_FIELDS, type Agents, type Policies, requireAgents } from '../rl/agents.ts'
import { evaluatePopulation } from '../rl/evaluate.ts'
import type { ParticleInfo, Visited } from '../rl/evaluator.ts'
import { encodeCheckpoint, type Snapshot, spacesOf } from './checkpoint.ts'
import { countCoverage } from './coverage.ts'
import { diversityMeter } from './diversity.ts'
import {
  cellsPart,
  checkpointOf,
  continued,
  learnedPart,
  listPart,
  type ResumeOptions,
  restoreFrom,
  restorePopulation,
  writtenTask,
} from './resume.ts'
import { asPopulation, type SinglePolicyOptions, singlePolicyNames } from './single-policies.ts'

/** The algorithms by name. */
export const algorithms = { svpg, sac, sql, 'sql-compose': sqlCompose, s2ac, adr } as const
/** The algorithms of train() by name. */
export type AlgorithmName = keyof typeof algorithms

/** The settings of one algorithm, and how long it is to run. */
export type TrainOptions<A extends AlgorithmName = 'svpg'> = A extends AlgorithmName
  ? Parameters<(typeof algorithms)[A]['init']>[0] & {
      /** Default 'svpg'. */
      algorithm?: A
      /** Default 60. */
      iterations?: number
    }
  : never

/** Settings of train() for whichever algorithm they name. */
export type AnyTrainOptions = TrainOptions<AlgorithmName>
/** A step of train(), whichever algorithm it is of. */
export type AnyTrainStep = TrainStep<AlgorithmName>

/**
 * One iteration as a consumer of train() sees it. Everything but the metrics is live: read it before asking for the
 * next step.
 */
export interface TrainStep<A extends AlgorithmName = 'svpg'> {
  readonly iteration: number
  readonly iterations: number
  readonly metrics: IterationMetrics
  /** The algorithm's own state. */
  readonly state: Awaited<ReturnType<(typeof algorithms)[A]['init']>>
  readonly algorithm: A
  /** Id of the task, and the task. */
  readonly env: string
  readonly spec: EnvironmentSpec
  /**
   * The particles as they are now, to act with, to evaluate and to export. Each call copies them: keep what it gives.
   */
  agents(): Agents
  /** What brings back a population that is not one of policies. */
  save(): Saved
  /** [n][n] null where particles do not interact. */
  kernel(): number[][] | null
  /**
   * From the next iteration on the temperature α is this.
   *
   * @throws UsageError for a value that is not allowed, and where the algorithm's temperature cannot be changed while
   *   it runs
   */
  setTemperature(temperature: number): void
  /** [n] some of the rows that each particle saw in this iteration; none where an algorithm does not tell. */
  visited(): readonly Visited[]
  /** Who evaluates the particles, as train() was told: 0 is its own thread. */
  readonly workers: number | 'auto'
  /** Workers that died in this iteration, in a sentence each; their particles were evaluated elsewhere. */
  readonly losses: readonly string[]
  /** All that the run goes on from, for train({ resume: bytes }): keep it where a closed page does not lose it. */
  checkpoint(): Promise<Uint8Array>
  /**
   * The same on the memory of the run: whoever wants it encodes it at once.
   *
   * @param beside a state of the caller's own, which is kept with it
   */
  snapshot(task: Readonly<Record<string, unknown>> | null, beside?: StatePart): Snapshot
}

interface Info {
  readonly particles?: readonly Pick<ParticleInfo, 'cells'>[]
  readonly losses?: readonly string[]
}

/** Algorithms of others, and what is of their kind here. */
const KIN: Readonly<Record<string, string>> = {
  dqn: 'sql',
  ddpg: 'sac',
  td3: 'sac',
  tqc: 'sac',
  trpo: 'ppo',
  a3c: 'a2c',
}

/** The algorithm with this name. Throws a UsageError that lists what exists. */
export function algorithmNamed(name: string) {
  // Which algorithm has which state is known where the name is; in here they are all alike.
  if (typeof name === 'string' && Object.hasOwn(algorithms, name))
    return algorithms[name as AlgorithmName] as Algorithm<object, unknown, Info>
  const all = [...Object.keys(algorithms), ...singlePolicyNames]
  const near = typeof name === 'string' ? (KIN[name.toLowerCase()] ?? nearest(name, all)) : undefined
  throw new UsageError(`Unknown algorithm ${show(name)}; there are ${listed(all, near)}.`)
}

/**
 * What config.json holds of a run: the algorithm, the task, and all settings with their defaults filled in.
 *
 * @throws UsageError for the first setting that is wrong, and for a task that cannot be made again from what can be
 *   written of it
 */
export function runConfig(given: AnyTrainOptions | SinglePolicyOptions): RunConfig {
  requireOptions(given)
  const { algorithm = 'svpg', env, iterations = 60, ...options } = asPopulation<AnyTrainOptions>(given)
  const { config } = algorithmNamed(algorithm)
  const spec = environmentSpec(env)
  const found = {
    ...{ algorithm, env: spec.id },
    iterations: check(wholeNumber('iterations', 1, MOST_ITERATIONS), iterations),
    ...config({ env, ...options }),
    task: describeTask(spec),
  } as RunConfig
  tasks.set(found, spec)
  return found
}

/** What config.json holds: the algorithm, the task, and the settings with their defaults. */
export type RunConfig = {
  algorithm: AlgorithmName
  env: string
  iterations: number
  seed: number
  /** What it takes to make the task again. */
  task: TaskDescription
} & Readonly<Record<string, unknown>>

/** The task of each configuration: to look into its module takes a moment, which runConfig() has not. */
const tasks = new WeakMap<object, EnvironmentSpec>()

/** The task that runConfig() was given; undefined for a configuration from elsewhere. */
export const taskOfConfig = (config: object): EnvironmentSpec | undefined => tasks.get(config)

/**
 * The one training loop. A progress bar, a plot, a test and an early stop are consumers of it:
 *
 *     for await (const { iteration, metrics } of train({ env: 'CartPole-v1', particles: 16, iterations: 60 })) …
 *
 * Same options, same bits of theta, in Node and in browsers. A run that was stopped goes on from its directory or from
 * the bytes of a checkpoint, as if it had not been stopped:
 *
 *     for await (const step of train({ resume: 'runs/svpg-CartPole-v1-0' })) …
 *
 * @throws UsageError for a setting that is not allowed, or not that of the run that goes on, and for a checkpoint that
 *   cannot be read; RunError when a value is not finite
 */
export function train(given: ResumeOptions): AsyncGenerator<AnyTrainStep>
export function train(given: SinglePolicyOptions): AsyncGenerator<TrainStep<'svpg'>>
export function train<A extends AlgorithmName = 'svpg'>(given: TrainOptions<A>): AsyncGenerator<TrainStep<A>>
export function train(given: object): AsyncGenerator<unknown> {
  return stepsOf(given as ResumeOptions | AnyTrainOptions)
}

async function* stepsOf(given: ResumeOptions | AnyTrainOptions): AsyncGenerator<AnyTrainStep> {
  requireOptions(given)
  const isFork = 'resume' in given && given.fork === true
  const from = 'resume' in given && given.resume !== undefined ? await checkpointOf(given.resume) : null
  const settings = from
    ? await continued(from, given as ResumeOptions, algorithmNamed(from.about.config.algorithm))
    : (given as AnyTrainOptions)
  const { algorithm = 'svpg', iterations = 60, ...options } = asPopulation(settings as AnyTrainOptions)
  const method = algorithmNamed(algorithm)
  const { init, step, config, measure, agents, save, kernel, setTemperature, visited, close } = method
  check(wholeNumber('iterations', 1, MOST_ITERATIONS), iterations)
  const spec = await taskNamed(options.env)
  const state = await init({ ...options, env: spec, iterations })
  const { workers = 0 } = options as { readonly workers?: number | 'auto' }
  const written = { algorithm, env: spec.id, iterations, ...config({ ...options, env: spec }) }
  const seen = new Set<number>()
  const lastReturns: (number | null)[] = []
  const coverage = countCoverage(seen)
  const diversity = diversityMeter()
  const bestOf = bestOfReturns(lastReturns)
  const { population, rest } = method.parts(state)
  const whole = partsOf({
    ...{ population, rest, wrappers: learnedPart(spec) },
    ...{ coverage: cellsPart(seen), returns: listPart(lastReturns) },
  })
  const before = from && !isFork ? from.about : null
  const spaces = spacesOf(spec)
  let started = platform.now()
  let end = () => close(state)
  try {
    if (from && isFork) restorePopulation(from, population)
    else if (from) restoreFrom(from, 'whole', whole)
    started -= (before?.seconds ?? 0) * 1000
    for (let iteration = (before?.iteration ?? 0) + 1; iteration <= iterations; iteration++) {
      const info = await step(state)
      const seconds = (platform.now() - started) / 1000
      const measured = measure(state, info)
      const snapshot: AnyTrainStep['snapshot'] = (task, beside) => ({
        about: { version, iteration, seconds, config: { ...written, task }, spaces },
        content: contentOf(partsOf({ whole, beside: beside ?? null })),
      })
      const best = bestOf(measured.returns)
      const counted = { ...coverage(info.particles ?? [], lastReturns), ...diversity(state, visited?.(state) ?? []) }
      yield {
        iteration,
        iterations,
        metrics: { iteration, seconds, ...measured, ...standing(lastReturns), ...counted },
        state: state as AnyTrainStep['state'],
        algorithm,
        env: spec.id,
        ...{ spec, workers },
        agents: () => agents(state, best),
        save: () => (save ?? refuseSave(algorithm))(state),
        kernel: () => kernel?.(state) ?? null,
        setTemperature(temperature) {
          if (!setTemperature)
            throw new UsageError(
              `The temperature of ${algorithm} cannot be changed while it runs, to ${show(temperature)}.`,
            )
          setTemperature(state, temperature)
        },
        visited: () => visited?.(state) ?? [],
        losses: info.losses ?? [],
        snapshot,
        checkpoint: async () => encodeCheckpoint(snapshot(await writtenTask(spec))),
      } as AnyTrainStep
      await platform.breathe()
    }
  } catch (error) {
    end = () => closeFailed(() => close(state))
    throw error
  } finally {
    end()
  }
}

/** Of the last mean return of each particle. */
const standing = (last: readonly (number | null)[]) => ({ best: quantile(last, 1), median: quantile(last, 0.5) })

function requireOptions(options: unknown): void {
  if (options === null || typeof options !== 'object')
    throw new UsageError(`train takes its options as an object, { env: 'CartPole-v1', … }, got ${show(options)}.`)
}

/** The particle of the highest last mean return, from those of each iteration; null before any episode has ended. */
export function bestOfReturns(last: (number | null)[] = []): (returns: readonly (number | null)[]) => number | null {
  return (returns) => {
    returns.forEach((value, i) => {
      last[i] = value ?? last[i] ?? null
    })
    const known = last.filter((value) => value !== null)
    return known.length > 0 ? last.indexOf(Math.max(...known)) : null
  }
}

/** Who plays, and how: `{ env, agents }`, or agents spread as in `{ spec, ...step.agents() }`. */
export type EvaluateOptions = ({ readonly agents: Acting } | Acting | Policies) & {
  /** An id of the registry or a task of one's own; default: the task that the agents were trained on. */
  readonly env?: string | EnvironmentSpec
  /** The same by another name, which goes first. */
  readonly spec?: EnvironmentSpec
  /** Default 100. */
  readonly episodes?: number
  /** Default 0. */
  readonly seed?: number
  /** Called after each of the 2 n evaluations. */
  readonly onProgress?: (done: number, total: number) => void
  /** As of an AbortController: what is not waited for any more is left, and rejects with its reason. */
  readonly signal?: StopSignal
  readonly core?: CoreSource
}

/**
 * Mean return of every particle over a number of episodes, greedily and sampled:
 *
 *     const { greedy, sampled } = await evaluate({ env: 'CartPole-v1', agents, episodes: 100 })
 *
 * Every particle gets the same initial states, a function of the seed. Wrappers that learn of the task, as running
 * statistics, learn nothing meanwhile.
 *
 * @throws UsageError for an option that is not allowed, agents that do not fit the task and a task without a time
 *   limit; RunError for an observation or a reward that is not finite, naming particle and step; the reason of a signal
 *   that is aborted
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const known = ['agents', 'env', 'spec', 'episodes', 'seed', 'onProgress', 'signal', 'core']
  requireThat(isRecord(options), 'evaluate', 'its options as an object', options)
  refuseUnknown('evaluate', options, 'agents' in options ? known : [...known, ...AGENT_FIELDS])
  const { onProgress, signal, core } = options
  if (onProgress !== undefined) requireFunction('onProgress', onProgress, '(done, total) => …')
  requireSignal(signal)
  const agents = agentsOf(options)
  const spec = await taskOf(options, agents)
  const episodes = check(wholeNumber('episodes', 1, 1_000_000), options.episodes ?? 100)
  const seed = check(wholeNumber('seed', 0), options.seed ?? 0)
  const result: Evaluation = { episodes, greedy: [], sampled: [] }
  let done = 0
  await withoutLearning(spec, async () => {
    for await (const { greedy, meanReturn } of evaluatePopulation({ ...agents, spec, episodes, seed, core, signal })) {
      result[greedy ? 'greedy' : 'sampled'].push(meanReturn)
      onProgress?.(++done, 2 * agents.particles)
      await platform.breathe()
    }
  })
  return result
}

function agentsOf(options: EvaluateOptions): Acting | Policies {
  const given = 'agents' in options ? options.agents : options
  requireAgents('evaluate', 'actRows' in options || 'policy' in options || 'agents' in options ? given : undefined)
  return given
}

async function taskOf({ env, spec }: EvaluateOptions, agents: Acting | Policies): Promise<EnvironmentSpec> {
  if (spec ?? env) return taskNamed((spec ?? env) as string | EnvironmentSpec)
  const { task } = agents as Partial<Agents>
  if (task) return task
  throw new UsageError('evaluate needs the task to play: an id or a task of your own as env.')
}
