import * as v from 'valibot'
import { type Allowed, check, show, UsageError, wholeNumber } from './errors.ts'
import { nearest } from './nearest.ts'

// A setting stands once: its schema, its default and its meaning make the type, the check, --help and the docs.

export type Entries = v.ObjectEntries

/** What is told of a setting beside its schema. */
interface Told {
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
) => v.optional(v.pipe(schema, v.metadata({ meaning } satisfies Told)), fallback)

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
) => v.optional(v.pipe(schema, v.metadata({ meaning, otherwise } satisfies Told)), fallback as D)

/** A setting that must be given. */
export const required = <const S extends v.GenericSchema>(schema: S, meaning: string) =>
  v.pipe(schema, v.metadata({ meaning } satisfies Told))

/** Every number that the 64 bits of a seed tell apart is allowed: it has no other bound than that of exact whole numbers. */
export const seedEntry = setting(wholeNumber('seed', 0), 0, 'Seed of all random numbers: same seed, same bytes.')

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
function metadataOf(schema: v.GenericSchema): Partial<Allowed> & Told {
  const inner =
    schema.type === 'nullable' ? metadataOf((schema as v.NullableSchema<v.GenericSchema, undefined>).wrapped) : {}
  return { ...inner, ...(v.getMetadata(schema) as unknown as Told) }
}

const inWords = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value))

/** The settings of a schema that have defaults of their own, with them. */
export const defaultsOf = <E extends Entries>(entries: E): { readonly [K in keyof E]: v.InferOutput<E[K]> } =>
  Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => [name, v.getDefault(entry as v.GenericSchema)]),
  ) as { readonly [K in keyof E]: v.InferOutput<E[K]> }

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

/**
 * Refuses an option that does not exist by its name, and names the one that is meant.
 *
 * @throws UsageError
 */
export function refuseUnknown(of: string, options: unknown, known: readonly string[]): void {
  if (options === null || typeof options !== 'object' || Array.isArray(options))
    throw new UsageError(`${of} takes its options as an object, got ${show(options)}.`)
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name) || value === undefined) continue
    throw new UsageError(`${of} has no option ${show(name)}${hintFor(name, known)}`)
  }
}

function hintFor(name: string, known: readonly string[]): string {
  const renamed = RENAMED[name]
  if (renamed && known.includes(renamed)) return `: it is called ${renamed} now.`
  const plain = plainOf(name)
  const same =
    known.find((word) => plainOf(word) === plain) ?? (ELSEWHERE[plain] ?? []).find((word) => known.includes(word))
  if (same) return `: it is called ${same} here.`
  const place = PLACES[plain]
  if (place) return `: ${place}.`
  const near = nearest(name, known)
  const list = known.length <= 12 ? `; there are ${known.join(', ')}` : ''
  return near ? `; the nearest is ${near}.` : `${list}.`
}

/** Without case and separators: learning_rate and LearningRate are learningRate. */
const plainOf = (name: string) => name.replace(/[^a-z0-9]/gi, '').toLowerCase()

/** Settings that had another name before. */
export const RENAMED: Readonly<Record<string, string>> = {
  start: 'warmup',
  updates: 'gradientSteps',
  batch: 'batchSize',
  replay: 'replaySize',
  qs: 'critics',
  origin: 'start',
}

/** Names of other libraries and what they are called here, the likeliest first. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  lr: ['learningRate'],
  alpha: ['temperature'],
  stepsize: ['stepSize', 'learningRate'],
  gamma: ['discount'],
  discountfactor: ['discount'],
  gaelambda: ['lambda'],
  entcoef: ['entropyBonus', 'temperature'],
  cliprange: ['clip'],
  clipepsilon: ['clip'],
  nepochs: ['epochs'],
  tau: ['polyak'],
  buffersize: ['replaySize'],
  learningstarts: ['warmup'],
  warmupsteps: ['warmup'],
  utdratio: ['gradientSteps'],
  ncritics: ['critics'],
  nsteps: ['steps'],
  rolloutsteps: ['steps'],
  numsteps: ['steps', 'iterations'],
  niter: ['steps', 'iterations'],
  numiterations: ['steps', 'iterations'],
  totaltimesteps: ['iterations'],
  nenvs: ['environments', 'num'],
  numenvs: ['environments', 'num'],
  numparticles: ['particles'],
  nparticles: ['particles'],
  netarch: ['hidden'],
  hiddensizes: ['hidden'],
  layers: ['hidden'],
  activationfn: ['activation'],
  normalize: ['normalise', 'standardise'],
  standardize: ['standardise'],
  normalizeadvantage: ['standardise'],
  initialization: ['initialisation'],
  randomization: ['randomisation'],
  randomstate: ['seed'],
  randomseed: ['seed'],
  rngkey: ['seed'],
  envid: ['env'],
  environment: ['env'],
  autoresetmode: ['autoreset'],
  timelimit: ['maxEpisodeSteps'],
  numparallel: ['workers', 'threads'],
  njobs: ['workers', 'threads'],
  lengthscale: ['bandwidth'],
  sigma: ['bandwidth'],
  h: ['bandwidth'],
  betas: ['beta1'],
  eps: ['epsilon'],
  logprob: ['logDensity', 'score'],
  samples: ['particles'],
  gradlogp: ['score'],
  dim: ['dimension'],
}

/** Where to give what is no option of the function in question. */
const PLACES: Readonly<Record<string, string>> = {
  learningrate: 'the optimizer takes it, optimizer: adam({ learningRate })',
  lr: 'the optimizer takes it, optimizer: adam({ learningRate })',
  stepsize: 'the optimizer takes it, optimizer: adam({ learningRate })',
  bandwidth: 'the kernel takes it, kernel: rbf({ bandwidth })',
  constants: 'the task takes them, env: environments[id].configure(constants)',
  maxepisodesteps: 'the task has the limit, env: await wrap(id, timeLimit(steps))',
}
