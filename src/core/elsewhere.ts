import { nearest } from './nearest.ts'

/** How options are given. */
interface Written {
  /** An option as it is written: in a program its name, on the command line a flag. */
  readonly as: (name: string) => string
  /** Where to give what is no option here, by its name without case and separators. */
  readonly places: Readonly<Record<string, string>>
}

/** The end of a sentence about an option that does not exist: what it is called here, or what is near. */
export function meantBy(name: string, known: readonly string[], { as, places }: Written = IN_PROGRAMS): string {
  const renamed = own(RENAMED, name)
  if (renamed && known.includes(renamed)) return `: it is called ${as(renamed)} now.`
  const plain = plainOf(name)
  const apart = own(APART, plain)?.find(({ names }) => names.every((each) => known.includes(each)))
  if (apart) return `: ${apart.hint(...apart.names.map(as))}.`
  const same = calledHere(name, known)
  if (same) return `: it is called ${as(same)} here.`
  const place = own(places, plain)
  if (place) return `: ${place}.`
  const near = nearest(name, known)
  const list = known.length <= 12 ? `; there are ${known.map(as).join(', ')}` : ''
  return near ? `; the nearest is ${as(near)}.` : `${list}.`
}

/** What is meant by a name of other libraries, or by one that is written otherwise. */
export function calledHere(name: string, known: readonly string[]): string | undefined {
  const plain = plainOf(name)
  return known.find((word) => plainOf(word) === plain) ?? own(ELSEWHERE, plain)?.find((word) => known.includes(word))
}

/** What a table has by this name; whoever writes an option may call it constructor. */
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

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
  anneallr: ['learningRateSchedule'],
  lrschedule: ['learningRateSchedule'],
  learningratedecay: ['learningRateSchedule'],
  alpha: ['temperature'],
  stepsize: ['stepSize', 'learningRate'],
  gamma: ['discount'],
  discountfactor: ['discount'],
  gaelambda: ['lambda'],
  entcoef: ['entropyBonus', 'temperature'],
  cliprange: ['clip'],
  clipcoef: ['clip'],
  clipepsilon: ['clip'],
  nepochs: ['epochs'],
  updateepochs: ['epochs'],
  numminibatches: ['minibatches'],
  tau: ['polyak', 'timeStep'],
  buffersize: ['replaySize'],
  learningstarts: ['warmup'],
  warmupsteps: ['warmup'],
  utdratio: ['gradientSteps'],
  ncritics: ['critics'],
  nsteps: ['nSteps', 'steps'],
  rolloutsteps: ['steps'],
  numsteps: ['steps', 'iterations'],
  niter: ['steps', 'iterations'],
  numiterations: ['iterations', 'steps'],
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
  normadv: ['standardise'],
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
  njobs: ['jobs', 'workers', 'threads'],
  ntrials: ['trials'],
  lengthscale: ['bandwidth'],
  sigma: ['bandwidth'],
  h: ['bandwidth'],
  betas: ['beta1'],
  eps: ['epsilon'],
  logprob: ['logDensity'],
  logp: ['logDensity'],
  samples: ['particles'],
  numsamples: ['particles'],
  draws: ['particles'],
  ndraws: ['particles'],
  gradlogp: ['score'],
  dlnprob: ['score'],
  grad: ['score'],
  gradient: ['score'],
  scorefn: ['score'],
  dim: ['dimension'],
  callback: ['onStep'],
  // Of Gymnasium's tasks, and of what their classes call their constants.
  g: ['gravity'],
  m: ['mass'],
  l: ['length'],
  dt: ['timeStep'],
  masscart: ['cartMass'],
  masspole: ['poleMass'],
  forcemag: ['force'],
  maxspeed: ['speedLimit'],
  maxtorque: ['torqueLimit'],
}

/** A name that means something else than the one here that looks alike, where there are options of these names. */
interface Apart {
  readonly names: readonly string[]
  readonly hint: (...names: string[]) => string
}

/** How long a training is, where others count environment steps. */
const LENGTH: readonly Apart[] = [
  { names: ['transitions'], hint: (transitions) => `it is called ${transitions} here` },
  {
    names: ['iterations', 'environments', 'steps'],
    hint: (iterations, environments, steps) =>
      `how long it trains is ${iterations} here, each of ${environments} × ${steps} transitions for every policy`,
  },
  { names: ['iterations'], hint: (iterations) => `how long it trains is ${iterations} here` },
]

/** A log density where scores are asked for. */
const DENSITY: readonly Apart[] = [
  { names: ['populationScore'], hint: (name) => `a log density is ${name}: logDensity((x) => …) here` },
]

/** Of samplers that walk, where a fit is asked for in a program or on the command line. */
const CHAINS: readonly Apart[] = ['signal', 'data'].map((also) => ({
  names: ['particles', also],
  hint: (particles) => `there are no chains and no warm-up here, and draws are ${particles}`,
}))

/** Of functions that are loops: of train(), runSweep() and runExperiment(). */
const loopHint = (hint: string): readonly Apart[] =>
  ['environments', 'trials', 'shard'].map((also) => ({ names: ['iterations', also], hint: () => hint }))
const LEAVE = loopHint('leave the loop, by break, to end it')
const IN_LOOP = loopHint('what it would do stands in the loop, for await (const step of …)')

const APART: Readonly<Record<string, readonly Apart[]>> = {
  signal: LEAVE,
  abortsignal: LEAVE,
  onstep: IN_LOOP,
  onprogress: IN_LOOP,
  callback: IN_LOOP,
  callbacks: IN_LOOP,
  logp: DENSITY,
  logprob: DENSITY,
  logdensity: DENSITY,
  steps: [{ names: ['onStep', 'iterations'], hint: (_, iterations) => `it is called ${iterations} here` }],
  chains: CHAINS,
  nchains: CHAINS,
  numchains: CHAINS,
  tune: CHAINS,
  warmup: CHAINS,
  numwarmup: CHAINS,
  totaltimesteps: LENGTH,
  ntimesteps: LENGTH,
  nsteps: [
    {
      names: ['steps', 'nSteps'],
      hint: (steps, nSteps) =>
        `steps of each environment in an iteration are called ${steps} here, and ${nSteps} is after how many a return is cut`,
    },
  ],
  batchsize: [{ names: ['minibatches'], hint: (minibatches) => `a rollout is parted into ${minibatches} here` }],
  betas: [{ names: ['beta1', 'beta2'], hint: (first, second) => `its numbers are ${first} and ${second} here` }],
}

/** Where to give what is no option of the function in question. */
const PLACES = {
  algo: "train() takes it, algorithm: 'ppo'",
  learningrate: 'the optimizer takes it, optimizer: adam({ learningRate })',
  lr: 'the optimizer takes it, optimizer: adam({ learningRate })',
  stepsize: 'the optimizer takes it, optimizer: adam({ learningRate })',
  bandwidth: 'the kernel takes it, kernel: rbf({ bandwidth })',
  constants: 'the task takes them, env: configured(id, { constants }) of steinrl/envs',
  rendermode: 'render() gives shapes, for drawSvg() and drawCanvas()',
  maxepisodesteps: 'the task has the limit, env: configured(id, { maxEpisodeSteps }) of steinrl/envs',
}

const IN_PROGRAMS: Written = { as: (name) => name, places: PLACES }
