import { platform } from '#platform'
import { type SvpgInfo, type SvpgOptions, type SvpgState, svpg } from '../algorithms/svpg.ts'
import { padded } from '../core/arena.ts'
import { check, show, UsageError, wholeNumber } from '../core/errors.ts'
import { environmentSpec } from '../envs/registry.ts'
import { evaluatePopulation } from '../rl/evaluate.ts'
import type { Evaluation, IterationMetrics } from './metrics.ts'

/** The algorithms by name. */
export const algorithms = { svpg } as const
export type AlgorithmName = keyof typeof algorithms

export interface TrainOptions extends SvpgOptions {
  /** Default 'svpg'. */
  algorithm?: AlgorithmName
  /** Default 60. */
  iterations?: number
}

/** One iteration as a consumer of train() sees it. */
export interface TrainStep {
  readonly iteration: number
  readonly iterations: number
  readonly metrics: IterationMetrics
  /** The live state; theta is state.arena.view.theta. Read it before asking for the next step. */
  readonly state: SvpgState
  /** Workers that died in this iteration, in a sentence each; their particles were evaluated elsewhere. */
  readonly losses: readonly string[]
}

/** The algorithm with this name. Throws a UsageError that lists what exists. */
export function algorithmNamed(name: string) {
  if (Object.hasOwn(algorithms, name)) return algorithms[name as AlgorithmName]
  throw new UsageError(`Unknown algorithm ${show(name)}; there are ${Object.keys(algorithms).join(', ')}.`)
}

/**
 * What config.json holds of a run: the algorithm, the task, and all settings with their defaults filled in.
 *
 * @throws UsageError for the first setting that is wrong
 */
export function runConfig({ algorithm = 'svpg', env, iterations = 60, ...options }: TrainOptions) {
  const { config } = algorithmNamed(algorithm)
  const { id } = environmentSpec(env)
  return {
    algorithm,
    env: id,
    iterations: check(wholeNumber('iterations', 1), iterations),
    ...config({ env, ...options }),
  }
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
export async function* train({
  algorithm = 'svpg',
  iterations = 60,
  ...options
}: TrainOptions): AsyncGenerator<TrainStep> {
  const { init, step, close } = algorithmNamed(algorithm)
  check(wholeNumber('iterations', 1), iterations)
  const state = await init({ ...options, iterations })
  const started = platform.now()
  try {
    for (let iteration = 1; iteration <= iterations; iteration++) {
      const info = await step(state)
      const metrics = measure(state, info, (platform.now() - started) / 1000)
      yield { iteration, iterations, metrics, state, losses: info.losses }
      await platform.breathe()
    }
  } finally {
    close(state)
  }
}

function measure(state: SvpgState, { particles, stein, temperature }: SvpgInfo, seconds: number): IterationMetrics {
  const { arena, task, particles: n, iteration } = state
  const { ops, at, view } = arena
  ops.rowSquares(at.squares, at.theta, n, view.theta.length / n)
  return {
    iteration,
    seconds,
    transitions: iteration * n * task.environments * task.steps,
    returns: particles.map(({ meanReturn }) => meanReturn),
    episodes: particles.map(({ episodes }) => episodes),
    entropy: particles.map(({ entropy }) => entropy),
    thetaNorm: Array.from(view.squares.subarray(0, n), Math.sqrt),
    drive: stein?.drive ?? null,
    repulsion: stein?.repulsion ?? null,
    sharing: stein?.sharing ?? null,
    bandwidth: stein?.bandwidth ?? null,
    kernelOffDiagonal: stein?.kernelOffDiagonal ?? null,
    temperature,
  }
}

/** [n][n] the kernel matrix of the last step, with a kernel on each layer their mean; null where particles do not interact. */
export function kernelMatrix({ arena, particles: n, config }: SvpgState): number[][] | null {
  if (config.interaction !== 'stein') return null
  const { kernel, meanKernel } = arena.view
  const matrix = meanKernel.length > 0 ? meanKernel : kernel
  return Array.from({ length: n }, (_, i) => [...matrix.subarray(i * padded(n), i * padded(n) + n)])
}

export interface EvaluateOptions extends Pick<SvpgState, 'policy'> {
  spec: SvpgState['task']['spec']
  theta: Float32Array
  particles: number
  /** Default 100. */
  episodes?: number
  /** Default 0. */
  seed?: number
  /** Called after each of the 2 n evaluations. */
  onProgress?: (done: number, total: number) => void
  core?: SvpgOptions['core']
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
