import * as v from 'valibot'
import { show } from '../../core/errors.ts'
import { oneOf, positiveFloat32, positiveFloat32Or, wholeNumber } from '../../core/schemas.ts'
import { checkOptions, setting, withDefault } from '../../core/settings.ts'
import type { TfjsOptions } from '../../nn/tfjs.ts'
import { checkTogether, criticsEntry, offPolicyEntries, polyakEntry, rewardScaleEntry } from '../../rl/off-policy.ts'
import { temperatureEntries } from '../../rl/schedules.ts'
import { perStateBandwidthNames } from '../../svgd/per-state.ts'
import { type CommonOptions, RUN_OPTIONS } from '../algorithm.ts'
import { selections } from './stein-policy.ts'

const startSchema = v.pipe(
  // Before its rename, start was the number of transitions before learning begins.
  v.custom<'learned' | 'fixed'>(
    (input) => typeof input !== 'number',
    ({ input }) =>
      `start must be one of learned, fixed, got ${show(input)}; transitions before learning are warmup now.`,
  ),
  oneOf('start', ['learned', 'fixed'] as const),
)

/** Defaults are those of the authors' code where it has the setting. */
const schema = v.object({
  ...offPolicyEntries,
  batchSize: withDefault(offPolicyEntries.batchSize, 100),
  learningRate: withDefault(offPolicyEntries.learningRate, 1e-3),
  ...temperatureEntries,
  temperature: withDefault(temperatureEntries.temperature, 0.2),
  rewardScale: rewardScaleEntry,
  particles: setting(wholeNumber('particles', 1, 10_000), 10, 'K, actions of a state.'),
  svgdSteps: setting(wholeNumber('svgdSteps', 0, 1000), 5, 'L, steps of SVGD that the actions take.'),
  stepSize: setting(positiveFloat32('stepSize'), 0.1, 'ε of these steps at most.'),
  stretch: setting(
    positiveFloat32('stretch'),
    1,
    'λ: ε is less where a step would stretch or compress the space of actions by more than this.',
  ),
  bandwidth: setting(
    positiveFloat32Or('bandwidth', perStateBandwidthNames),
    's2ac',
    'h of the kernel on the actions of a state: a named rule or a number.',
  ),
  start: setting(
    startSchema,
    'learned',
    'Where the actions start: learned is N(μ(s), σ(s)²), which learns where they end, fixed is N(0, 1).',
  ),
  selection: setting(
    oneOf('selection', selections),
    'random',
    'How one of the actions is chosen; importance weighs each with exp(Q/α)/π, in the value of a state too; greedily it is always the one with the highest Q.',
  ),
  critics: withDefault(criticsEntry, 2),
  polyak: polyakEntry,
})

/** Each setting with its default, its range and its meaning, for --help, the docs and pages. */
export const s2acSettings = schema.entries

/** What a user may set for Stein soft actor-critic; see docs/soft-q.md. */
export type S2acOptions = CommonOptions & v.InferInput<typeof schema> & { tfjs?: TfjsOptions }
/** The checked settings of Stein soft actor-critic, defaults filled in. */
export type S2acConfig = Readonly<v.InferOutput<typeof schema>>

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function s2acConfig(options: object): S2acConfig {
  const config = checkOptions('s2ac', schema, options, RUN_OPTIONS)
  checkTogether(config)
  return config
}

/** What is saved of the settings: what they were checked by checks them again when they come from a file. */
export const savedShape = v.object({
  ...v.required(
    v.pick(schema, ['hidden', 'activation', 'particles', 'svgdSteps', 'stepSize', 'stretch', 'bandwidth', 'start']),
  ).entries,
  ...v.required(v.pick(schema, ['selection', 'temperature'])).entries,
  qs: wholeNumber('qs', 1, 2),
})
