import * as v from 'valibot'
import { float32Or, positiveFloat32Or } from '../../core/schemas.ts'
import { checkOptions, setting } from '../../core/settings.ts'
import type { TfjsOptions } from '../../nn/tfjs.ts'
import { checkTogether, offPolicyEntries, polyakEntry } from '../../rl/off-policy.ts'
import { type CommonOptions, RUN_OPTIONS } from '../algorithm.ts'

/** Defaults are those of the paper's second version where it has the setting. */
const schema = v.object({
  ...offPolicyEntries,
  temperature: setting(
    positiveFloat32Or('temperature', ['auto']),
    'auto',
    'α, the weight of the entropy; auto learns it so that the mean entropy is targetEntropy.',
  ),
  targetEntropy: setting(
    float32Or('targetEntropy', ['auto']),
    'auto',
    'Mean entropy of the squashed actions that a temperature of auto keeps, in nats; auto is −1 for each number of an action, or half of the largest there is for numbered actions.',
  ),
  polyak: polyakEntry,
})

/** Each setting with its default, its range and its meaning, for --help, the docs and pages. */
export const sacSettings = schema.entries

/** What a user may set for soft actor-critic; see docs/soft-q.md. */
export type SacOptions = CommonOptions & v.InferInput<typeof schema> & { tfjs?: TfjsOptions }
/** The checked settings of soft actor-critic, defaults filled in. */
export type SacConfig = Readonly<v.InferOutput<typeof schema>>

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function sacConfig(options: object): SacConfig {
  const config = checkOptions('sac', schema, options, RUN_OPTIONS)
  checkTogether(config)
  return config
}
