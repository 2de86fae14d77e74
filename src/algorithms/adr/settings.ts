import * as v from 'valibot'
import type { Workers } from '../../cluster/address.ts'
import type { CoreSource } from '../../core/module.ts'
import { refuseUnknown } from '../../core/options.ts'
import {
  check,
  fraction,
  layerWidths,
  nonNegativeFloat32,
  oneOf,
  positiveFloat32,
  wholeNumber,
} from '../../core/schemas.ts'
import { required, seedEntry, setting, withDefault } from '../../core/settings.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { environmentSpec } from '../../envs/registry.ts'
import { policyEntries } from '../../nn/policy-settings.ts'
import type { TfjsOptions } from '../../nn/tfjs.ts'
import { type Estimator, estimatorOf, gradientEntries } from '../../rl/estimator.ts'
import { type Ranges, rangesSchema, refuseRanges } from '../../rl/randomisation.ts'
import { learningRateEntries } from '../../rl/schedules.ts'
import { bandwidthSchema } from '../../svgd/bandwidth-schema.ts'
import { RUN_OPTIONS } from '../algorithm.ts'
import { workersEntry } from '../workers/pool.ts'

/**
 * Where the agent is trained:
 *
 * 'adr': at the points that the particles propose;
 * 'uniform': at points drawn uniformly from the ranges, domain randomisation as it is usually done;
 * 'default': in the reference environment alone.
 */
export const randomisations = ['adr', 'uniform', 'default'] as const

/** Defaults are those of the authors' code but for what docs/adr.md names. */
const schema = v.object({
  randomisation: setting(
    oneOf('randomisation', randomisations),
    'adr',
    'adr: the agent is trained at points that the particles propose; uniform: at points drawn uniformly from the ranges; ' +
      'default: in the task as it is.',
  ),
  ranges: required(rangesSchema, 'The constants that are varied, { name: [low, high] }.'),
  particles: setting(wholeNumber('particles', 1, 1000), 10, 'n, policies over the ranges.'),
  moves: setting(
    wholeNumber('moves', 1, 1000),
    2,
    'Moves of each particle in an iteration, after each of which the agent rolls out.',
  ),
  maxMove: setting(positiveFloat32('maxMove'), 0.05, 'The largest move, as a share of the range in each dimension.'),
  horizon: setting(wholeNumber('horizon', 1, 1_000_000), 25, "Moves after which a particle's point is drawn anew."),
  temperature: setting(
    positiveFloat32('temperature'),
    10,
    'α, which divides the policy gradient of the particles and not their repulsion.',
  ),
  repulsion: setting(nonNegativeFloat32('repulsion'), 1, 'Multiplies the repulsion of the particles.'),
  bandwidth: setting(bandwidthSchema, 'dartml', "h of the particles' kernel: a named rule or a number."),
  particleHidden: setting(
    layerWidths('a hidden width of the particles', 'particleHidden'),
    [100, 100],
    'Widths of the hidden layers of the particles.',
  ),
  particleLearningRate: setting(positiveFloat32('particleLearningRate'), 3e-3, "Learning rate of the particles' Adam."),
  particleCriticLearningRate: setting(
    positiveFloat32('particleCriticLearningRate'),
    3e-3,
    "Learning rate of the Adam of the particles' critics.",
  ),
  particleDiscount: setting(fraction('particleDiscount'), 0.9, "γ of the particles' returns."),
  transitionHidden: setting(
    layerWidths('a hidden width of the discriminator', 'transitionHidden'),
    [128, 128],
    'Widths of the hidden layers of the discriminator of transitions.',
  ),
  transitionLearningRate: setting(
    positiveFloat32('transitionLearningRate'),
    3e-3,
    "Learning rate of the discriminator's Adam.",
  ),
  transitionSteps: setting(wholeNumber('transitionSteps', 1, 1000), 5, 'Steps of the discriminator in an iteration.'),
  transitionBatch: setting(wholeNumber('transitionBatch', 1, 100_000), 320, 'Rows of each kind in one of these steps.'),
  transitionMemory: setting(
    wholeNumber('transitionMemory', 1, 10_000),
    20,
    'Iterations whose transitions the discriminator learns from.',
  ),
  references: setting(
    wholeNumber('references', 1, 1000),
    1,
    'Rollouts in the reference environment in an iteration, which only the discriminator learns from.',
  ),
  ...policyEntries,
  learningRate: setting(positiveFloat32('learningRate'), 1e-3, "Learning rate of the agent's Adam."),
  ...learningRateEntries,
  environments: setting(wholeNumber('environments', 1, 100_000), 1, 'Environments at each point.'),
  steps: setting(
    wholeNumber('steps', 1, 100_000),
    200,
    'Steps of each environment in one iteration; every rollout begins new episodes.',
  ),
  ...gradientEntries,
  estimator: withDefault(gradientEntries.estimator, 'ppo'),
  seed: seedEntry,
})

/** Each setting with its default, its range and its meaning, for --help, the docs and pages. */
export const adrSettings = { ...schema.entries, workers: workersEntry }

/** What a user may set; see docs/adr.md. */
export type AdrOptions = v.InferInput<typeof schema> & {
  /** An id of the registry or a task of one's own that has `configure`. */
  env: string | EnvironmentSpec
  /** Who evaluates, with the same bits: this thread (0, the default), workers, one a core (auto), or redis://host. */
  workers?: Workers
  /** Seconds that a worker may take for one job before it counts as dead and the job goes to another. Default 600. */
  workerLimit?: number
  /** Iterations of the whole run. train() sets it. */
  iterations?: number
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
  tfjs?: TfjsOptions
}

/** The checked settings of active domain randomisation, defaults filled in. */
export type AdrConfig = Readonly<Omit<v.InferOutput<typeof schema>, 'ranges'>> & { readonly ranges: Ranges } & Pick<
    Estimator,
    keyof typeof gradientEntries
  >

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function adrConfig({ env, ...options }: Partial<AdrOptions>): AdrConfig {
  refuseUnknown('adr', options, [...Object.keys(schema.entries), ...RUN_OPTIONS])
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
