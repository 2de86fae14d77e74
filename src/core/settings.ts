import * as v from 'valibot'
import { refuseUnknown } from './options.ts'
import { type Allowed, check, seedSchema } from './schemas.ts'

// A setting stands once: its schema, its default and its meaning make the type, the check, --help and the docs.

/** Settings by name: the schema of each. */
export type Entries = v.ObjectEntries

/** What a setting says beside its schema. */
interface SettingMetadata {
  readonly meaning: string
  /** The default in words, where it depends on others. */
  readonly otherwise?: string
}

/**
 * An entry of an object schema.
 *
 * @param fallback its default
 * @param meaning what it is, in a sentence for --help and the docs
 */
export const setting = <const S extends v.GenericSchema, const D extends v.InferInput<S>>(
  schema: S,
  fallback: D,
  meaning: string,
) => v.optional(v.pipe(schema, v.metadata({ meaning } satisfies SettingMetadata)), fallback)

/**
 * A setting whose default depends on others.
 *
 * @param otherwise in words, what holds where it is left out
 * @param fallback what the checked options then hold
 */
export const derived = <const S extends v.GenericSchema, const D extends v.InferInput<S> | undefined = undefined>(
  schema: S,
  otherwise: string,
  meaning: string,
  fallback?: D,
) => v.optional(v.pipe(schema, v.metadata({ meaning, otherwise } satisfies SettingMetadata)), fallback as D)

/** A setting that must be given. */
export const required = <const S extends v.GenericSchema>(schema: S, meaning: string) =>
  v.pipe(schema, v.metadata({ meaning } satisfies SettingMetadata))

export const seedEntry = setting(seedSchema, 0, 'Seed of all random numbers: same seed, same bytes.')

/** The same setting with another default, for one algorithm. */
export const withDefault = <const S extends v.GenericSchema, const F, const D extends v.InferInput<S>>(
  { wrapped }: v.OptionalSchema<S, F>,
  fallback: D,
) => v.optional(wrapped, fallback)

/** A setting as --help and the tables of the docs tell it. */
export interface SettingDescription extends Allowed {
  readonly name: string
  readonly meaning: string
  /** In words; null for a setting that must be given. */
  readonly fallback: string | null
}

/** temperatureSchedule is --temperature-schedule */
export const flagOf = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** All settings of a schema in their order. */
export const describeSettings = (entries: Entries): SettingDescription[] =>
  Object.entries(entries).map(([name, entry]) => {
    const isOptional = entry.type === 'optional'
    const schema = (
      isOptional ? (entry as v.OptionalSchema<v.GenericSchema, unknown>).wrapped : entry
    ) as v.GenericSchema
    const { kind = 'other', allowed = '', meaning, otherwise } = metadataOf(schema)
    const fallback = isOptional ? (otherwise ?? inWords(v.getDefault(entry as v.GenericSchema))) : null
    return { name, kind, allowed, meaning, fallback }
  })

/** Of the schema and of what it wraps. */
function metadataOf(schema: v.GenericSchema): Partial<Allowed> & SettingMetadata {
  const inner =
    schema.type === 'nullable' ? metadataOf((schema as v.NullableSchema<v.GenericSchema, undefined>).wrapped) : {}
  return { ...inner, ...(v.getMetadata(schema) as unknown as SettingMetadata) }
}

const inWords = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value))

/**
 * Checks a record of options at the public door: no name that does not exist, no value that is not allowed.
 *
 * @param of who takes them, as a sentence begins
 * @param also names that are allowed beside those of the schema
 * @throws UsageError for the first thing that is wrong
 */
export function checkOptions<S extends v.ObjectSchema<Entries, undefined>>(
  of: string,
  schema: S,
  options: unknown,
  also: readonly string[] = [],
): v.InferOutput<S> {
  refuseUnknown(of, options, [...Object.keys(schema.entries), ...also])
  return check(schema, options)
}
