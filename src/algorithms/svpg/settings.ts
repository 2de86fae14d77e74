import * as v from 'valibot'
import type { Workers } from '../../cluster/address.ts'
import { show, UsageError } from '../../core/errors.ts'
import type { CoreSource } from '../../core/module.ts'
import {
  fractionOr,
  MOST_ITERATIONS,
  nonNegativeFloat32,
  oneOf,
  positiveFloat32,
  positiveFloat32Or,
  trueOrFalse,
  wholeNumber,
} from '../../core/schemas.ts'
import { checkOptions, derived, seedEntry, setting } from '../../core/settings.ts'
import type { EnvironmentSpec } from '../../envs/contract.ts'
import { policyEntries } from '../../nn/policy-settings.ts'
import type { TfjsOptions } from '../../nn/tfjs.ts'
import { type Estimator, estimatorEntries, estimatorOf } from '../../rl/estimator.ts'
import { learningRateEntries, temperatureEntries } from '../../rl/schedules.ts'
import { bandwidthSchema } from '../../svgd/bandwidth-schema.ts'
import { RUN_OPTIONS } from '../algorithm.ts'
import { workersEntry } from '../workers/pool.ts'
import { interactions } from './interaction.ts'
import { kernelNames } from './kernel.ts'

/** Defaults are those of the author's code where it has the setting. */
const schema = v.object({
  particles: setting(wholeNumber('particles', 1, 10_000), 16, 'n, policies in the population.'),
  ...temperatureEntries,
  interaction: setting(
    oneOf('interaction', interactions),
    'stein',
    'independent: no kernel, each policy follows its own gradient (not 1/n of it); joint: one policy with the data of n; ' +
      'determinant: its own gradient and that of the volume of what all do, with the kernel function; no-sharing and self-push take stein apart.',
  ),
  prior: setting(
    positiveFloat32Or('prior', ['flat']),
    'flat',
    'σ of a Gaussian prior on the parameters, around the origin or priorMean.',
  ),
  kernel: setting(
    oneOf('kernel', kernelNames),
    'rbf',
    'rbf, matern32 and imq are on parameters, sliced on parameters along random directions of each step, function on ' +
      'outputs of policies at states that all share, js and symmetric-kl on behaviour.',
  ),
  bandwidth: setting(
    bandwidthSchema,
    'svpg-code',
    'Of a kernel on parameters or outputs, a named rule or a number: h of rbf, sliced and function, ℓ² of matern32, h in ' +
      '(1 + |x−y|²/h)^(−1/2) of imq.',
  ),
  probeStates: setting(
    wholeNumber('probeStates', 1, 100_000),
    8,
    'Of the kernel function: states drawn from the rollout of each policy, at which all are compared.',
  ),
  kernelTemperature: derived(
    v.nullable(positiveFloat32('kernelTemperature')),
    '0.5 for js, 1 for symmetric-kl',
    'T of a kernel on behaviour, k = exp(−D/T).',
    null,
  ),
  exploration: setting(
    fractionOr('exploration', ['anneal']),
    'anneal',
    'ω of a kernel on behaviour, φ = (1 − ω) drive + ω exploration; anneal takes it from 1 to 0 over the run.',
  ),
  perLayer: setting(
    trueOrFalse('perLayer'),
    false,
    'Whether each layer has a kernel of its own, with a bandwidth of its own.',
  ),
  repulsion: setting(nonNegativeFloat32('repulsion'), 1, 'Multiplies the repulsion; 0 leaves sharing alone.'),
  evolutionEvery: setting(
    wholeNumber('evolutionEvery', 0, MOST_ITERATIONS),
    0,
    'Iterations after which the worst quarter of the particles become copies of the best; 0 for never.',
  ),
  ...policyEntries,
  learningRate: setting(positiveFloat32('learningRate'), 5e-3, 'Learning rate of Adam.'),
  ...learningRateEntries,
  environments: setting(
    wholeNumber('environments', 1, 100_000),
    16,
    'Environments of each particle that step together.',
  ),
  steps: setting(wholeNumber('steps', 1, 100_000), 128, 'Steps of each environment in one iteration.'),
  wholeEpisodes: setting(
    trueOrFalse('wholeEpisodes'),
    false,
    'Whether each rollout begins new episodes; those that may not reach the time limit before its end count only ' +
      'where the baseline knows values. steps must be at least the limit.',
  ),
  episodicReward: setting(
    trueOrFalse('episodicReward'),
    false,
    'Whether the last step of an episode pays the sum of its rewards and the others nothing; the returns are the same.',
  ),
  ...estimatorEntries,
  seed: seedEntry,
})

/** Each setting with its default, its range and its meaning, for --help, the docs and pages. */
export const svpgSettings = { ...schema.entries, workers: workersEntry }

/** What a user may set; see docs/svpg.md. */
export type SvpgOptions = v.InferInput<typeof schema> & {
  /** An id of the registry or a task of one's own. */
  env: string | EnvironmentSpec
  /**
   * Who evaluates the particles: this thread (0, the default), that number of workers, one a core ('auto'), or the
   * workers at a Redis server ('redis://host'). The bits are the same. A task in TypeScript needs its `module` for
   * workers.
   */
  workers?: Workers
  /** Seconds that a worker may take for one job before it counts as dead and the job goes to another. Default 600. */
  workerLimit?: number
  /** Iterations of the whole run, which schedules go through. train() sets it. */
  iterations?: number
  /**
   * [parameters] the centre of a Gaussian prior: a policy that the population is to stay around. Default: the origin.
   */
  priorMean?: Float32Array
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
  tfjs?: TfjsOptions
}

/** The checked settings of SVPG, defaults filled in. */
export type SvpgConfig = Readonly<Omit<v.InferOutput<typeof schema>, keyof Estimator>> & Estimator

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function svpgConfig(options: Partial<SvpgOptions>): SvpgConfig {
  const settings = checkOptions('svpg', schema, options, [...RUN_OPTIONS, 'priorMean'])
  if (settings.kernel === 'function' && settings.perLayer)
    throw new UsageError('perLayer is for kernels on parameters: leave it out, got the kernel "function".')
  if (settings.interaction === 'determinant' && settings.kernel !== 'function')
    throw new UsageError(`The interaction determinant needs the kernel "function", got ${show(settings.kernel)}.`)
  const { nSteps, steps } = settings
  if (nSteps != null && nSteps > steps)
    throw new UsageError(
      `nSteps must be at most steps, ${steps}, where returns are cut anyway, got ${nSteps}; the length of a rollout is steps.`,
    )
  return { ...settings, ...estimatorOf(settings) }
}
