import * as v from 'valibot'
import { UsageError } from '../../core/errors.ts'
import {
  check,
  fraction,
  positiveFloat32,
  positiveFloat32Or,
  trueOrFalse,
  wholeNumber,
  wholeNumberOr,
} from '../../core/schemas.ts'
import { checkOptions, derived, setting, withDefault } from '../../core/settings.ts'
import type { TfjsOptions } from '../../nn/tfjs.ts'
import { checkTogether, criticsEntry, offPolicyEntries, rewardScaleEntry } from '../../rl/off-policy.ts'
import { temperatureEntries } from '../../rl/schedules.ts'
import { perStateBandwidthNames } from '../../svgd/per-state.ts'
import { type CommonOptions, RUN_OPTIONS, type Saved } from '../algorithm.ts'

/** Defaults are those of the authors' code where it has the setting. */
const schema = v.object({
  ...offPolicyEntries,
  batchSize: withDefault(offPolicyEntries.batchSize, 64),
  hidden: withDefault(offPolicyEntries.hidden, [128, 128]),
  ...temperatureEntries,
  temperature: withDefault(temperatureEntries.temperature, 1),
  rewardScale: rewardScaleEntry,
  particles: setting(wholeNumber('particles', 2, 10_000), 32, 'Actions of a state in a step of the sampler.'),
  fixedShare: setting(fraction('fixedShare'), 0.5, 'Share of the particles that stay and move the others.'),
  bandwidth: setting(
    positiveFloat32Or('bandwidth', perStateBandwidthNames),
    'sql-code',
    'h of the kernel on the actions of a state: a named rule or a number.',
  ),
  valueParticles: setting(
    wholeNumber('valueParticles', 1, 10_000),
    16,
    'Actions that the soft value of a state is estimated from.',
  ),
  proposalFrom: setting(
    wholeNumberOr('proposalFrom', [0, 1_000_000_000], ['never']),
    'never',
    'Gradient step from which these actions are drawn from the policy and no longer uniformly.',
  ),
  critics: criticsEntry,
  polyak: setting(fraction('polyak'), 1, 'τ in θ̄ ← τ θ + (1 − τ) θ̄ of the target networks; 1 copies.'),
  targetEvery: derived(
    wholeNumber('targetEvery', 1, 1_000_000_000),
    '1000, and 1 with a polyak below 1',
    'Gradient steps between two times that the target networks follow.',
  ),
  samplerLearningRate: derived(
    positiveFloat32('samplerLearningRate'),
    'learningRate',
    "Learning rate of the sampler's Adam.",
  ),
  latents: setting(
    wholeNumberOr('latents', [1, 4096], ['auto']),
    'auto',
    'Random numbers ξ of an action; auto is as many as an action has numbers.',
  ),
  latentSet: setting(
    wholeNumberOr('latentSet', [1, 1_000_000], ['unlimited']),
    'unlimited',
    'How many different ξ there are at first; they become fewer, down to one at the end of the run.',
  ),
  residual: setting(
    trueOrFalse('residual'),
    false,
    'Whether the sampler adds ξ to what its network gives, so that it begins spread over the actions of every state.',
  ),
  candidates: setting(wholeNumber('candidates', 1, 10_000), 32, 'Actions that the greedy one is the best of.'),
})

/** Each setting with its default, its range and its meaning, for --help, the docs and pages. */
export const sqlSettings = schema.entries

/** What a user may set for soft Q-learning; see docs/soft-q.md. */
export type SqlOptions = CommonOptions &
  v.InferInput<typeof schema> & {
    /** Sampler and Q to begin with, as save() gives them: fine-tuning. Default: new ones. */
    from?: Saved
    tfjs?: TfjsOptions
  }
/** The checked settings of soft Q-learning, defaults filled in. */
export type SqlConfig = Readonly<v.InferOutput<typeof schema>>

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export const sqlConfig = (options: object): SqlConfig => checkSql('sql', options, ['from'])

/** The same for an algorithm that is made of it and has settings of its own. */
export function checkSql(of: string, options: object, also: readonly string[]): SqlConfig {
  const config = checkOptions(of, schema, options, [...RUN_OPTIONS, ...also])
  checkTogether(config)
  splitOf(config)
  return config
}

/** Whether the target networks follow after gradient step `update`, counted from 0. */
export const targetsFollow = (
  { polyak, targetEvery = polyak < 1 ? 1 : 1000 }: Pick<SqlConfig, 'polyak' | 'targetEvery'>,
  update: number,
): boolean => (update + 1) % targetEvery === 0

/** How many actions of a state are fixed, and how many are moved. */
export function splitOf({ particles, fixedShare }: Pick<SqlConfig, 'particles' | 'fixedShare'>) {
  const fixed = Math.floor(particles * fixedShare)
  if (fixed >= 2 && fixed < particles) return { fixed, updated: particles - fixed }
  throw new UsageError(
    `fixedShare must leave at least 2 of ${particles} particles fixed and one to be moved, got ${fixedShare}.`,
  )
}

const SAMPLER = [
  ...(['particles', 'fixedShare', 'bandwidth', 'valueParticles', 'proposalFrom', 'samplerLearningRate'] as const),
  ...(['latents', 'latentSet', 'residual', 'candidates'] as const),
]

/** The settings of the sampler, which numbered actions do without, with their defaults. */
export function samplerDefaults(): Readonly<Record<string, unknown>> {
  const defaults = check(schema, {})
  return Object.fromEntries(SAMPLER.map((name) => [name, defaults[name]]))
}

/** What is saved of Q networks over numbered actions. Throws a UsageError for what is none. */
export const savedClasses = (shape: unknown) => check(classShape, shape)

const classShape = v.object({
  ...v.required(v.pick(schema, ['hidden', 'activation', 'temperature'])).entries,
  qs: wholeNumber('qs', 1, 2),
})

/** What is saved of the settings: what they were checked by checks them again when they come from a file. */
export const savedShape = v.object({
  ...v.required(v.pick(schema, ['hidden', 'activation', 'candidates'])).entries,
  qs: wholeNumber('qs', 1, 2),
  latents: wholeNumber('latents', 1, 4096),
  residual: v.optional(trueOrFalse('residual')),
})
