import { platform } from '#platform'
import { adr } from '../algorithms/adr/adr.ts'
import type { Algorithm, Saved } from '../algorithms/algorithm.ts'
import { s2ac } from '../algorithms/s2ac/s2ac.ts'
import { sac } from '../algorithms/sac/sac.ts'
import { sql } from '../algorithms/sql/sql.ts'
import { sqlCompose } from '../algorithms/sql/sql-compose.ts'
import { svpg } from '../algorithms/svpg/svpg.ts'
import { check, show, UsageError, wholeNumber } from '../core/errors.ts'
import type { CoreSource } from '../core/module.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { environmentSpec } from '../envs/registry.ts'
import type { Evaluation, IterationMetrics } from '../report/metrics.ts'
import type { Agents } from '../rl/agents.ts'
import { evaluatePopulation } from '../rl/evaluate.ts'
import type { ParticleInfo, Visited } from '../rl/evaluator.ts'
import { countCoverage } from './coverage.ts'

/** The algorithms by name. */
export const algorithms = { svpg, sac, sql, 'sql-compose': sqlCompose, s2ac, adr } as const
export type AlgorithmName = keyof typeof algorithms

type OptionsOf<A extends AlgorithmName> = Parameters<(typeof algorithms)[A]['init']>[0]
type StateOf<A extends AlgorithmName> = Awaited<ReturnType<(typeof algorithms)[A]['init']>>

/** The settings of one algorithm, and how long it is to run. */
export type TrainOptions<A extends AlgorithmName = 'svpg'> = A extends AlgorithmName
  ? OptionsOf<A> & {
      /** Default 'svpg'. */
      algorithm?: A
      /** Default 60. */
      iterations?: number
    }
  : never

export type AnyTrainOptions = TrainOptions<AlgorithmName>
export type AnyTrainStep = TrainStep<AlgorithmName>

/** One iteration as a consumer of train() sees it. Everything but the metrics is live: read it before asking for the next step. */
export interface TrainStep<A extends AlgorithmName = 'svpg'> {
  readonly iteration: number
  readonly iterations: number
  readonly metrics: IterationMetrics
  /** The algorithm's own state. */
  readonly state: StateOf<A>
  readonly algorithm: A
  /** Id of the task. */
  readonly env: string
  /** Who can be evaluated. */
  agents(): Agents
  /** What brings back a population that is not one of policies. */
  save(): Saved
  /** [n][n] null where particles do not interact. */
  kernel(): number[][] | null
  /**
   * From the next iteration on the temperature α is this.
   *
   * @throws UsageError for a value that is not allowed, and where the algorithm's temperature cannot be changed while it runs
   */
  setTemperature(temperature: number): void
  /** [n] some of the rows that each particle saw in this iteration; none where an algorithm does not tell. */
  visited(): readonly Visited[]
  /** Workers that died in this iteration, in a sentence each; their particles were evaluated elsewhere. */
  readonly losses: readonly string[]
}

interface Info {
  readonly particles?: readonly Pick<ParticleInfo, 'cells'>[]
  readonly losses?: readonly string[]
}

/** The algorithm with this name. Throws a UsageError that lists what exists. */
export function algorithmNamed(name: string) {
  // Which algorithm has which state is known where the name is; in here they are all alike.
  if (Object.hasOwn(algorithms, name)) return algorithms[name as AlgorithmName] as Algorithm<object, unknown, Info>
  throw new UsageError(`Unknown algorithm ${show(name)}; there are ${Object.keys(algorithms).join(', ')}.`)
}

/**
 * What config.json holds of a run: the algorithm, the task, and all settings with their defaults filled in.
 *
 * @throws UsageError for the first setting that is wrong
 */
export function runConfig({ algorithm = 'svpg', env, iterations = 60, ...options }: AnyTrainOptions) {
  const { config } = algorithmNamed(algorithm)
  const { id } = environmentSpec(env)
  return {
    algorithm,
    env: id,
    iterations: check(wholeNumber('iterations', 1), iterations),
    ...config({ env, ...options }),
  } as { algorithm: AlgorithmName; env: string; iterations: number; seed: number } & Readonly<Record<string, unknown>>
}

/**
 * The one training loop. A progress bar, a plot, a test and an early stop are consumers of it:
 *
 *     for await (const { iteration, metrics } of train({ env: 'CartPole-v1', particles: 16, iterations: 60 })) …
 *
 * Same options, same bits of theta, in Node and in browsers.
 *
 * @throws UsageError for a setting that is not allowed, RunError when a value is not finite
 */
export async function* train<A extends AlgorithmName = 'svpg'>({
  algorithm = 'svpg' as A,
  iterations = 60,
  ...options
}: TrainOptions<A>): AsyncGenerator<TrainStep<A>> {
  const { init, step, measure, agents, save, kernel, setTemperature, visited, close } = algorithmNamed(algorithm)
  check(wholeNumber('iterations', 1), iterations)
  const { id } = environmentSpec(options.env)
  const state = await init({ ...options, iterations })
  const coverage = countCoverage()
  const started = platform.now()
  try {
    for (let iteration = 1; iteration <= iterations; iteration++) {
      const info = await step(state)
      const seconds = (platform.now() - started) / 1000
      yield {
        iteration,
        iterations,
        metrics: { iteration, seconds, ...measure(state, info), ...coverage(info.particles ?? []) },
        state: state as StateOf<A>,
        algorithm: algorithm as A,
        env: id,
        agents: () => agents(state),
        save: () => (save as NonNullable<typeof save>)(state),
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
      }
      await platform.breathe()
    }
  } finally {
    close(state)
  }
}

/** The population and how to play it. */
export type EvaluateOptions = Agents & {
  spec: EnvironmentSpec
  /** Default 100. */
  episodes?: number
  /** Default 0. */
  seed?: number
  /** Called after each of the 2 n evaluations. */
  onProgress?: (done: number, total: number) => void
  core?: CoreSource
}

/** Mean return of every particle over a number of episodes, greedily and sampled. */
export async function evaluate({ onProgress, ...options }: EvaluateOptions): Promise<Evaluation> {
  const episodes = check(wholeNumber('episodes', 1, 1_000_000), options.episodes ?? 100)
  const seed = check(wholeNumber('seed', 0), options.seed ?? 0)
  const result: Evaluation = { episodes, greedy: [], sampled: [] }
  let done = 0
  for await (const { greedy, meanReturn } of evaluatePopulation({ ...options, episodes, seed })) {
    result[greedy ? 'greedy' : 'sampled'].push(meanReturn)
    onProgress?.(++done, 2 * options.particles)
    await platform.breathe()
  }
  return result
}
