import { show, UsageError } from './errors.ts'
import { nearest } from './nearest.ts'

/** The names of options of a type, which asks for all of them. */
export const namesOf = <T extends object>(names: { readonly [K in keyof Required<T>]: true }): readonly string[] =>
  Object.keys(names)

/**
 * Refuses an option that does not exist by its name, and names the one that is meant.
 *
 * @throws UsageError
 */
export function refuseUnknown(of: string, options: unknown, known: readonly string[]): void {
  // The checks of each option name what is missing.
  if (options === undefined) return
  if (options === null || typeof options !== 'object' || Array.isArray(options) || 'then' in options)
    throw new UsageError(`${of} takes its options as an object, got ${show(options)}.`)
  const [unknown] = unknownOptions(options, known)
  if (unknown) throw new UsageError(`${of} has ${unknown}.`)
}

/** Options that do not exist, each as `no option "lr": …` with the one that is meant; undefined ones are none. */
export const unknownOptions = (options: object, known: readonly string[]): string[] =>
  Object.entries(options)
    .filter(([name, value]) => !known.includes(name) && value !== undefined)
    .map(([name]) => `no option ${show(name)}${hintFor(name, known).replace(/\.$/, '')}`)

/** What the library made and gave away, each with the name of its kind. A copy with other fields is none. */
const states = new WeakMap<object, string>()

/** What is given away, a state say, and which isMade() and refuseNoState() know again. */
export function asState<S extends object>(kind: string, state: S): S {
  states.set(state, kind)
  return state
}

/** Whether asState() has marked this very thing as one of the kind. */
export const isMade = (kind: string, value: unknown): boolean =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && states.get(value) === kind

/**
 * Refuses what is no state, as the promise of one that was not awaited or a copy with other fields.
 *
 * @param kind the name that the state was given under
 * @throws UsageError
 */
export function refuseNoState(taker: string, state: unknown, kind: string, init = 'init'): void {
  const isObject = typeof state === 'object' && state !== null
  const made = isObject ? states.get(state) : undefined
  if (made === kind) return
  // A state has more numbers than anybody reads.
  const got = made ? `that of ${made}` : isObject && 'arena' in state ? 'a copy or something else' : show(state)
  throw new UsageError(`${taker} takes the state that ${init} gives (await init(…)), got ${got}.`)
}

/**
 * The same of options that have no defaults.
 *
 * @throws UsageError
 */
export function requireOptions(of: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) throw new UsageError(`${of} takes its options as an object, got undefined.`)
  refuseUnknown(of, options, known)
}

function hintFor(name: string, known: readonly string[]): string {
  const renamed = RENAMED[name]
  if (renamed && known.includes(renamed)) return `: it is called ${renamed} now.`
  const plain = plainOf(name)
  const apart = APART[name]
  if (apart?.names.every((each) => known.includes(each))) return `: ${apart.hint}.`
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
  nsteps: ['nSteps', 'steps'],
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

/** Names of other libraries that mean something else than the name here that looks alike. */
const APART: Readonly<Record<string, { readonly names: readonly string[]; readonly hint: string }>> = {
  n_steps: {
    names: ['steps', 'nSteps'],
    hint: 'steps of each environment in an iteration are called steps here, and nSteps is after how many a return is cut',
  },
  betas: { names: ['beta1', 'beta2'], hint: 'its numbers are beta1 and beta2 here' },
}

/** Where to give what is no option of the function in question. */
const PLACES: Readonly<Record<string, string>> = {
  learningrate: 'the optimizer takes it, optimizer: adam({ learningRate })',
  lr: 'the optimizer takes it, optimizer: adam({ learningRate })',
  stepsize: 'the optimizer takes it, optimizer: adam({ learningRate })',
  bandwidth: 'the kernel takes it, kernel: rbf({ bandwidth })',
  constants: 'the task takes them, env: configured(id, { constants })',
  maxepisodesteps: 'the task has the limit, env: configured(id, { maxEpisodeSteps })',
}
