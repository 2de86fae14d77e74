import type { RedisAddress } from '../cluster/address.ts'
import { show, UsageError } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { namesOf, requireOptions } from '../core/options.ts'
import { isList, isRecord, requireText, requireThat } from '../core/require.ts'
import { check, MOST_ITERATIONS, trueOrFalse, wholeNumber } from '../core/schemas.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { taskNamed } from '../envs/named.ts'
import { environments } from '../envs/registry.ts'
import { type AnyTrainOptions, runConfig } from '../train/train.ts'
import type { PresetGrid } from './grid.ts'
import type { ExperimentVariant, Preset } from './preset.ts'

/** Episodes that every particle is evaluated on after training. */
const EVALUATION_EPISODES = 100

/** What runExperiment() takes: a preset or one's own variants, seeds and where to write. */
export interface ExperimentOptions {
  readonly preset: Preset
  /** How many runs of each variant. Default: as the preset says. */
  readonly seeds?: number
  /** Default: as the preset says. */
  readonly iterations?: number
  /** Labels of those to run; what earlier calls have left of others is kept and reported too. Default: all. */
  readonly variants?: readonly string[]
  /** Directory of the runs, the summary and the report. Default runs/NAME. */
  readonly out?: string
  /** Start over where there is an experiment already. Default: go on with it. */
  readonly overwrite?: boolean
  /**
   * Runs at a time, or the address of a Redis server whose workers do them. Default: one a core. It does not change the
   * bits.
   */
  readonly jobs?: number | RedisAddress
  /**
   * Seconds between two checkpoints of a run, of which one that is killed loses at most the last; 0: one an iteration.
   * Default 30.
   */
  readonly checkpointEvery?: number
  /**
   * Which share of the runs this call does, the others being done by other calls with the same directory: 2 of 8 as [2,
   * 8]. Default: all. A later call without it does what is left, and reports all.
   */
  readonly shard?: readonly [number, number]
}

/** What an experiment is: the part of experiment.json that is known before it runs. */
const EXPERIMENT_OPTIONS = namesOf<ExperimentOptions>({
  ...{ preset: true, seeds: true, iterations: true, variants: true, out: true, overwrite: true, jobs: true },
  ...{ shard: true, checkpointEvery: true },
})

/**
 * The share of the runs that a call does.
 *
 * @throws UsageError for a share that is none
 */
export function jobsOf(jobs: readonly ExperimentJob[], shard: ExperimentOptions['shard']): readonly ExperimentJob[] {
  if (shard === undefined) return jobs
  if (!isList(shard)) throw new UsageError(`shard must be i of n, as [2, 8], got ${show(shard)}.`)
  const [i, n] = shard
  const isShare = shard.length === 2 && Number.isSafeInteger(i) && Number.isSafeInteger(n) && i >= 1 && i <= n
  if (!isShare) throw new UsageError(`shard must be i of n with 1 ≤ i ≤ n, as 2/8, got ${show([...shard].join('/'))}.`)
  return jobs.filter((_, k) => k % n === i - 1)
}

/** What an experiment is, as experiment.json holds it. */
export interface Description {
  readonly name: string
  readonly shows: string
  readonly env: string
  readonly constants?: Readonly<Record<string, number>>
  readonly iterations: number
  readonly evaluationEpisodes: number
  /** Where it evaluates over the environment's parameters. */
  readonly grid?: PresetGrid
  readonly seeds: readonly number[]
  readonly variants: readonly DescribedVariant[]
}

/** A variant as experiment.json holds it. */
export interface DescribedVariant extends Pick<ExperimentVariant, 'label' | 'note'> {
  /** As in config.json of its runs, but for the seed. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** One run of a variant. */
export interface ExperimentJob {
  readonly variant: string
  readonly seed: number
  /** Its run directory. */
  readonly path: string
  readonly options: AnyTrainOptions
  readonly config: Readonly<Record<string, unknown>>
}

export interface Plan {
  readonly path: string
  readonly preset: Preset
  readonly description: Description
  /** Seed by seed, so that every variant has something to show early. */
  readonly jobs: readonly ExperimentJob[]
}

/**
 * What is to be run.
 *
 * @throws UsageError for a setting that is not allowed, a variant that does not exist, or a preset whose labels are
 *   none
 */
export async function planOf(given: ExperimentOptions): Promise<Plan> {
  requireOptions('runExperiment', given, EXPERIMENT_OPTIONS)
  refuseNoPreset(given.preset)
  const { preset, out = `runs/${preset.name}`, ...options } = given
  requireText('runExperiment', 'the directory to write to, out', out)
  if (options.overwrite !== undefined) check(trueOrFalse('overwrite'), options.overwrite)
  const count = check(wholeNumber('seeds', 1, 10_000), options.seeds ?? preset.seeds)
  const iterations = check(wholeNumber('iterations', 1, MOST_ITERATIONS), options.iterations ?? preset.iterations)
  const seeds = Array.from({ length: count }, (_, seed) => seed)
  const variants = chosen(preset, options.variants)
  const env = await taskOf(preset)
  const jobs = seeds.flatMap((seed) =>
    variants.map(({ label, settings }): ExperimentJob => {
      const given = { ...preset.settings, ...settings, env, iterations, seed } as AnyTrainOptions
      const config = plain(runConfig(given))
      return { variant: label, seed, path: `${out}/${label}/seed-${seed}`, options: given, config }
    }),
  )
  const described = variants.map(({ label, note }, v) => {
    const { seed: _, task: __, ...settings } = jobs[v].config
    return { label, note, settings }
  })
  const { name, shows, constants, grid } = preset
  const evaluationEpisodes = EVALUATION_EPISODES
  const description = {
    name,
    shows,
    env: preset.env,
    ...(constants && { constants }),
    iterations,
    evaluationEpisodes,
    seeds,
    variants: described,
    ...(grid && { grid }),
  }
  return { path: out, preset, description, jobs }
}

/** @throws UsageError for what is no experiment */
function refuseNoPreset(preset: Preset): void {
  const isPreset = isRecord(preset) && typeof preset.name === 'string' && Array.isArray(preset.variants)
  requireThat(isPreset, 'runExperiment', 'a preset, as presetNamed() gives it, or one of that form', preset)
  for (const variant of preset.variants) {
    const isVariant = isRecord(variant) && typeof variant.label === 'string'
    requireThat(isVariant, 'runExperiment', 'variants { label, note, settings }', variant)
  }
}

/** MuJoCo's and Box2D's tasks are loaded when an experiment needs them. */
async function taskOf({ env, constants }: Preset): Promise<string | EnvironmentSpec> {
  return !constants && Object.hasOwn(environments, env) ? env : taskNamed(env, { constants })
}

/** As it is read back from a file. */
const plain = <T extends object>(value: T): Readonly<Record<string, unknown>> => JSON.parse(JSON.stringify(value))

function chosen({ name, variants }: Preset, labels?: readonly string[]): ExperimentVariant[] {
  requireThat(labels === undefined || Array.isArray(labels), 'runExperiment', 'variants by their labels', labels)
  const known = variants.map(({ label }) => label)
  const bad = known.find((label, v) => !/^[a-z0-9][a-z0-9.-]*$/.test(label) || known.indexOf(label) !== v)
  if (bad !== undefined)
    throw new UsageError(`A variant's label must be its own and of a-z, 0-9, . and -, got ${show(bad)}.`)
  const unknown = labels?.find((label) => !known.includes(label))
  if (unknown !== undefined) {
    const near = nearest(unknown, known)
    const guess = near ? ` (did you mean ${near}?)` : ''
    throw new UsageError(`${name} has no variant ${show(unknown)}${guess}; there are ${known.join(', ')}.`)
  }
  if (labels?.length === 0) throw new UsageError(`${name} needs a variant to run; there are ${known.join(', ')}.`)
  return variants.filter(({ label }) => labels?.includes(label) ?? true)
}

/**
 * Why an experiment cannot go on with what an earlier one has left, as a part of a sentence; null when it can. More
 * seeds and more variants are welcome, anything else must be the same.
 */
export function conflict(earlier: Description, now: Description): string | null {
  if (earlier.name !== now.name) return `the experiment ${show(earlier.name)}`
  for (const name of ['env', 'iterations', 'evaluationEpisodes'] as const)
    if (earlier[name] !== now[name]) return `${now.name} with ${name} ${show(earlier[name])}, not ${show(now[name])}`
  if (!equal(earlier.constants, now.constants)) return `${now.name} with other constants of its task`
  if (!equal(earlier.grid, now.grid)) return `${now.name} with another grid`
  const lost = earlier.seeds.filter((seed) => !now.seeds.includes(seed))
  if (lost.length > 0) return `${now.name} with ${earlier.seeds.length} seeds, not ${now.seeds.length}`
  for (const { label, settings } of earlier.variants) {
    const same = now.variants.find((variant) => variant.label === label)
    if (!same) return `${now.name} with the variant ${label}, which it does not have any more`
    const names = [...new Set([...Object.keys(settings), ...Object.keys(same.settings)])]
    const changed = names.find((name) => !equal(settings[name], same.settings[name]))
    if (changed)
      return `${now.name} with ${changed} ${show(settings[changed])} for ${label}, not ${show(same.settings[changed])}`
  }
  return null
}

/** Of values that come from JSON. */
export const equal = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => [name, sorted(entry)]),
  )
}
