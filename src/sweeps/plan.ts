import { UsageError } from '../core/errors.ts'
import { namesOf, refuseUnknown, requireOptions } from '../core/options.ts'
import { check, MOST_ITERATIONS, oneOf, wholeNumber } from '../core/schemas.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { describeTask, type TaskDescription } from '../envs/description.ts'
import { taskNamed } from '../envs/named.ts'
import { asPopulation, isSinglePolicy, type SinglePolicyName } from '../train/single-policies.ts'
import { type AlgorithmName, type AnyTrainOptions, algorithmNamed, runConfig } from '../train/train.ts'
import { MOST_DIMENSIONS } from './sobol.ts'
import { type Dimension, dimensionsOf, type SweepSpace } from './space.ts'

/** What a trial is judged by. */
export interface SweepObjective {
  /**
   * 'evaluation': mean return of the greedy policy over `episodes` after training; 'training': mean over the last ten
   * iterations of the return in training. Default 'evaluation'.
   */
  readonly by?: 'evaluation' | 'training'
  /** Of the best particle, or of the median one. Default 'best'. */
  readonly of?: 'best' | 'median'
  /** Of the evaluation. Default 20. */
  readonly episodes?: number
}

/** A sampler that is another program's: it begins trials in the journal and says what they try. */
export interface ForeignSampler {
  readonly name: string
  /** @param journal the file; @param study its name; @param distributions of each setting, as Optuna writes them */
  start(
    journal: string,
    study: string,
    distributions: Readonly<Record<string, object>>,
  ): Promise<{
    /** The place in the file of the trial that it has begun, and its values in Optuna's representation. */
    ask(): Promise<{ readonly id: number; readonly parameters: Readonly<Record<string, number>> }>
    end(): Promise<void>
  }>
}

const samplers = ['random', 'sobol', 'halving'] as const

/** What runSweep() takes. */
export interface SweepOptions {
  /** Default 'svpg'. */
  readonly algorithm?: AlgorithmName | SinglePolicyName
  /** The id of a task, MuJoCo's and python:ID among them, or a task of one's own. */
  readonly env: string | EnvironmentSpec
  /** Settings that all trials share; the others take their defaults. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** What is tried. */
  readonly space: SweepSpace
  /** Of each trial. Default 60, where `transitions` does not say it. */
  readonly iterations?: number
  /** Environment steps of each trial, instead of iterations: as many iterations as fit. */
  readonly transitions?: number
  readonly objective?: SweepObjective
  /** Default 'maximise'. */
  readonly direction?: 'maximise' | 'minimise'
  /** Default 20. */
  readonly trials?: number
  /**
   * 'random': independent; 'sobol': a Sobol sequence, which fills the space evenly; 'halving': random, and of
   * the trials only the best third goes on each time, to three times the iterations. Default 'sobol'.
   */
  readonly sampler?: (typeof samplers)[number] | ForeignSampler
  /** Of what is tried; the seed of the trainings is a setting. Default 0. */
  readonly seed?: number
  /** Trials at a time. Default: one a core. It does not change the results. */
  readonly jobs?: number
  /** Names the study. Default ALGORITHM-ENVIRONMENT. */
  readonly name?: string
  /** Directory of the journal and the report. Default sweeps/NAME. */
  readonly out?: string
  /** Start over where there is a sweep already. Default: go on with it. */
  readonly overwrite?: boolean
}

const OPTIONS = namesOf<SweepOptions>({
  ...{ algorithm: true, env: true, settings: true, space: true, iterations: true, transitions: true, name: true },
  ...{ objective: true, direction: true, trials: true, sampler: true, seed: true, jobs: true, out: true },
  overwrite: true,
})

/** What makes a sweep the one that it is, as its journal holds it. */
export interface SweepDescription {
  readonly algorithm: AlgorithmName
  readonly env: string
  readonly task: TaskDescription
  readonly settings: Readonly<Record<string, unknown>>
  readonly space: SweepSpace
  /** Null where transitions say it. */
  readonly iterations: number | null
  readonly transitions: number | null
  readonly objective: Required<SweepObjective>
  readonly direction: 'maximise' | 'minimise'
  readonly sampler: string
  readonly seed: number
  /** Of successive halving, where it decides who goes on; null elsewhere, as trials may be added. */
  readonly trials: number | null
}

/** A sweep before it runs. */
export interface SweepPlan {
  readonly path: string
  readonly name: string
  readonly trials: number
  readonly dimensions: readonly Dimension[]
  readonly spec: EnvironmentSpec
  readonly description: SweepDescription
  readonly foreign: ForeignSampler | null
}

/**
 * What is to be tried.
 *
 * @throws UsageError for an option, a setting, a range or an end of a range that is not allowed
 */
export async function planOf(given: SweepOptions): Promise<SweepPlan> {
  requireOptions('A sweep', given, OPTIONS)
  const { space, direction = 'maximise', sampler = 'sobol' } = given
  const { algorithm, settings } = learnerOf(given)
  algorithmNamed(algorithm)
  if (given.env === undefined) throw new UsageError('A sweep needs the task to train on: its id as env.')
  const objective = objectiveOf(given.objective ?? {})
  const trials = check(wholeNumber('trials', 1, 1_000_000), given.trials ?? 20)
  const [iterations, transitions] = lengthOf(given)
  check(oneOf('direction', ['maximise', 'minimise']), direction)
  const foreign = typeof sampler === 'object' ? sampler : null
  if (!foreign) check(oneOf('sampler', samplers), sampler)
  const called = given.algorithm ?? algorithm
  const dimensions = dimensionsOf(algorithm, space, called)
  if (sampler === 'sobol' && dimensions.length > MOST_DIMENSIONS)
    throw new UsageError(`The Sobol sequence goes over up to ${MOST_DIMENSIONS} settings, got ${dimensions.length}.`)
  refuseValues(algorithm, settings, dimensions, called)
  if (transitions !== null) transitionsPerIteration(algorithm, settings)
  // Last, so that nothing that is refused leaves processes behind.
  const spec = await taskNamed(given.env)
  const description: SweepDescription = {
    ...{ algorithm, env: spec.id, task: describeTask(spec), settings, space, iterations, transitions },
    ...{ objective, direction, sampler: foreign?.name ?? (sampler as string) },
    seed: check(wholeNumber('seed', 0), given.seed ?? 0),
    trials: sampler === 'halving' ? trials : null,
  }
  const name = given.name ?? `${called}-${spec.id}`
  const path = given.out ?? `sweeps/${name}`
  return { path, name, trials, dimensions, spec, foreign, description: JSON.parse(JSON.stringify(description)) }
}

/**
 * The algorithm and the settings that all trials share; of ppo, a2c and reinforce those of svpg that train one policy.
 *
 * @throws UsageError for a setting of populations where one policy learns
 */
function learnerOf({ algorithm = 'svpg', settings = {}, space }: SweepOptions) {
  if (!isSinglePolicy(algorithm)) return { algorithm, settings }
  asPopulation({ ...settings, ...space, algorithm })
  const { algorithm: name, ...own } = asPopulation<object>({ algorithm }) as { readonly algorithm: AlgorithmName }
  return { algorithm: name, settings: { ...own, ...settings } }
}

function objectiveOf(given: SweepObjective): Required<SweepObjective> {
  refuseUnknown('The objective', given, ['by', 'of', 'episodes'])
  return {
    by: check(oneOf('by', ['evaluation', 'training']), given.by ?? 'evaluation'),
    of: check(oneOf('of', ['best', 'median']), given.of ?? 'best'),
    episodes: check(wholeNumber('episodes', 1, 1_000_000), given.episodes ?? 20),
  }
}

function lengthOf({ iterations, transitions }: SweepOptions): [number | null, number | null] {
  if (transitions === undefined) return [check(wholeNumber('iterations', 1, MOST_ITERATIONS), iterations ?? 60), null]
  if (iterations !== undefined) throw new UsageError('Give iterations or transitions of a trial, not both.')
  return [null, check(wholeNumber('transitions', 1), transitions)]
}

/**
 * Checks each of the shared settings, every value of a list and both ends of a range by itself; what does not go
 * together fails as a trial.
 */
function refuseValues(
  algorithm: AlgorithmName,
  settings: Readonly<Record<string, unknown>>,
  dimensions: readonly Dimension[],
  called: string,
): void {
  const { settings: entries } = algorithmNamed(algorithm)
  refuseUnknown(`The settings of ${called}`, settings, Object.keys(entries))
  const both = dimensions.find(({ name }) => Object.hasOwn(settings, name))
  if (both) throw new UsageError(`${both.name} is in the settings and in the space; take it out of one.`)
  for (const [name, value] of Object.entries(settings)) if (value !== undefined) check(entries[name], value)
  for (const dimension of dimensions) {
    const values = dimension.kind === 'choice' ? dimension.among : [dimension.from, dimension.to]
    for (const value of values) check(entries[dimension.name], value)
  }
}

/** Algorithms whose iterations are all of one length that the settings tell, and what multiplies it. */
const LENGTHS: Partial<Record<AlgorithmName, readonly string[]>> = {
  svpg: ['particles', 'environments', 'steps'],
  sac: ['environments', 'steps'],
  sql: ['environments', 'steps'],
  s2ac: ['environments', 'steps'],
}

/**
 * Environment steps of one iteration.
 *
 * @throws UsageError for an algorithm whose settings do not tell
 */
export function transitionsPerIteration(algorithm: AlgorithmName, config: Readonly<Record<string, unknown>>): number {
  const names = LENGTHS[algorithm]
  if (!names) throw new UsageError(`The length of a trial of ${algorithm} is given by iterations, not transitions.`)
  return names.reduce((product, name) => product * Number(config[name] ?? 1), 1)
}

/**
 * All settings of a trial, and how many iterations it takes.
 *
 * @throws UsageError for settings that do not go together, or with which no iteration fits into the transitions
 */
export function trialConfig({ description, spec }: SweepPlan, values: Readonly<Record<string, unknown>>) {
  const { algorithm, settings, iterations, transitions } = description
  const config = runConfig({ algorithm, env: spec, ...settings, ...values } as AnyTrainOptions)
  const whole = transitions === null ? (iterations as number) : fitting(algorithm, config, transitions)
  return { ...config, iterations: whole }
}

function fitting(algorithm: AlgorithmName, config: Readonly<Record<string, unknown>>, transitions: number): number {
  const each = transitionsPerIteration(algorithm, config)
  if (each <= transitions) return Math.floor(transitions / each)
  throw new UsageError(`An iteration takes ${each} transitions, more than the ${transitions} of the trial.`)
}
