import * as v from 'valibot'
import { show } from '../../core/errors.ts'
import { check, MOST_ITERATIONS, wholeNumber } from '../../core/schemas.ts'
import { required, setting } from '../../core/settings.ts'
import { checkSql, type SqlConfig, type SqlOptions, sqlSettings } from './settings.ts'

export type Constants = Readonly<Record<string, number>>

const schema = v.object({
  components: required(
    v.custom<readonly Constants[]>(
      (given) =>
        Array.isArray(given) && given.length >= 2 && given.every((one) => one !== null && typeof one === 'object'),
      ({ input }) => `components must be a list of at least two records of constants, got ${show(input)}.`,
    ),
    'Constants of the task that each component learns, a list of records.',
  ),
  componentIterations: setting(
    wholeNumber('componentIterations', 1, MOST_ITERATIONS),
    20,
    'Iterations in which the components learn; in those after them only the sampler of the sum does.',
  ),
})

/** Each setting with its default, its range and its meaning, for --help, the docs and pages. */
export const sqlComposeSettings = { ...sqlSettings, ...schema.entries }

/** What a user may set for the composition of soft Q functions; see docs/soft-q.md. */
export type SqlComposeOptions = Omit<SqlOptions, 'from'> & v.InferInput<typeof schema>
/** The checked settings of the composition of soft Q functions, defaults filled in. */
export type SqlComposeConfig = SqlConfig & Readonly<v.InferOutput<typeof schema>>

/** Checks the settings and fills in the defaults. Throws a UsageError for the first one that is wrong. */
export function sqlComposeConfig(options: object): SqlComposeConfig {
  return { ...checkSql('sql-compose', options, Object.keys(schema.entries)), ...check(schema, options) }
}
