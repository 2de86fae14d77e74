import { closeAll } from '../core/disposable.ts'
import { RunError, reasonOf, show, UsageError } from '../core/errors.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { refuseUnknown } from '../core/options.ts'
import { isRecord, requireThat } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import type { Environment, EnvironmentSpec, Reset, Step } from './contract.ts'
import { idOf, problemsOfDescription } from './description-problems.ts'
import { elementOf, nameOf, problemOfPromise, problemOfSize, problemsOfInstance } from './errors.ts'
import { instances } from './instances.ts'
import { taskNamed } from './named.ts'
import { requireScene } from './render.ts'
import { type Action, contains, sampler } from './spaces.ts'

/** More than anybody waits for. */
const MOST_EPISODES = 1000
const MOST_STEPS = 100_000

/** How thoroughly checkEnvironment() plays a task. */
export interface CheckOptions {
  /** Episodes played, each with a seed and random actions of its own; default 5, at most 1000. */
  episodes?: number
  /** Of the first episode; default 0. */
  seed?: number
  /** Steps after which an episode is given up; default: the time limit, at most 1000; no more than 100,000. */
  steps?: number
  /** The WASM core; default: this package's steinrl.wasm. */
  core?: CoreSource
}

/**
 * Checks a task before it is trained on, with random actions: its description, shapes, finite values, observations
 * within the space, flags that are true or false, rewards; that an episode follows from its seed and from nothing that
 * was played before; that reset works after the end and in the middle; that the ends agree with maxEpisodeSteps; that
 * setState goes back; that render draws.
 *
 * @throws UsageError listing what is wrong, each line naming the environment and the step
 */
export async function checkEnvironment(env: string | EnvironmentSpec, options: CheckOptions = {}): Promise<void> {
  const problems = await problemsOf(env, options)
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
}

/** The same as a list, empty when nothing is wrong. */
export async function problemsOf(env: string | EnvironmentSpec, options: CheckOptions = {}): Promise<string[]> {
  refuseUnknown('checkEnvironment', options, ['episodes', 'seed', 'steps', 'core'])
  // A description that is wrong is refused with all that is wrong about it, and not only the first.
  const spec = typeof env === 'string' ? await taskNamed(env) : env
  requireThat(isRecord(spec), 'checkEnvironment', 'an id or a task', spec)
  const id = idOf(spec) ?? 'An environment without an id'
  const named = (problems: readonly string[]) => [...new Set(problems)].map((problem) => `${id}: ${problem}.`)
  const described = problemsOfDescription(spec)
  if (described.length > 0) return named(described)
  const create = spec.create ?? instances(spec, await compileCore(options.core))
  const made: Environment[] = []
  const remembered = () => {
    const one = create()
    made.push(one)
    return one
  }
  const problems: string[] = []
  try {
    problems.push(...problemsOfEpisodes(spec, remembered, options))
  } finally {
    problems.push(...problemsOfClose(made))
  }
  return named(problems)
}

function problemsOfClose(made: readonly Environment[]): string[] {
  try {
    // What cannot be closed was told of before.
    closeAll(made.filter((one) => typeof one?.close === 'function'))
    return []
  } catch (error) {
    return [`close threw ${thrown(error instanceof RunError ? (error.cause ?? error) : error)}`]
  }
}

/** What one episode gave, copied. */
interface Played {
  readonly seed: number
  /** [T + 1] the reset first; without reward and flags there. */
  readonly results: readonly (Reset & Partial<Step>)[]
  readonly problems: readonly string[]
}

function problemsOfEpisodes(spec: EnvironmentSpec, create: () => Environment, options: CheckOptions): string[] {
  const { maxEpisodeSteps } = spec
  const episodes = check(wholeNumber('episodes', 1, MOST_EPISODES), options.episodes ?? 5)
  const seed = check(wholeNumber('seed', 0), options.seed ?? 0)
  const steps = check(wholeNumber('steps', 1, MOST_STEPS), options.steps ?? Math.min(maxEpisodeSteps, 1000))
  const made = attempt(create)
  if ('error' in made) return [`create threw ${made.error}`]
  const first = made.value
  const wrong = caught('reading what create gave', () => problemsOfInstance(first))
  if (wrong.length > 0) return wrong

  const seeds = Array.from({ length: episodes }, (_, k) => seed + k)
  // Seeds are drawn from all whole numbers below 2⁵³.
  seeds.push(Number.MAX_SAFE_INTEGER)
  const played = seeds.map((each) => play(spec, first, each, steps))
  // What is wrong whatever the seed is said of the first one.
  const seen = new Set<string>()
  const problems = played
    .flatMap((episode) => episode.problems)
    .filter((problem) => {
      const withoutSeed = problem.replace(/^seed \d+, /, '')
      if (seen.has(withoutSeed)) return false
      seen.add(withoutSeed)
      return true
    })
  // What comes next compares episodes with each other, which says nothing once they are wrong.
  if (problems.length > 0) return problems
  return [
    ...problemsOfSeeds(spec, create, first, played, steps),
    ...problemsOfEnds(played, maxEpisodeSteps),
    ...caught('getState or setState', () => problemsOfState(spec, first, seed, steps)),
    ...caught('render', () => problemsOfRender(spec, first, seed)),
  ]
}

/** What a function of the task throws is a problem of the task. */
function caught(what: string, find: () => string[]): string[] {
  try {
    return find()
  } catch (error) {
    return [`${what} threw ${thrown(error)}`]
  }
}

/** Plays an episode with random actions that follow from its seed, up to its end. */
function play(spec: EnvironmentSpec, env: Environment, seed: number, steps: number): Played {
  const sample = sampler(spec.actionSpace, seed)
  const results: (Reset & Partial<Step>)[] = []
  const problems: string[] = []
  for (let step = 0; step <= steps; step++) {
    const given = attempt(() => {
      const result = step === 0 ? env.reset({ seed }) : env.step(sample())
      const wrong = problemsOfResult(spec, result, step)
      return wrong.length > 0 ? wrong : copyOf(result)
    })
    const wrong = 'error' in given ? [`threw ${given.error}`] : Array.isArray(given.value) ? given.value : []
    problems.push(...wrong.map((problem) => `seed ${seed}, ${nameOf(step)} ${problem}`))
    if ('error' in given || Array.isArray(given.value)) break
    results.push(given.value)
    if (given.value.terminated || given.value.truncated) break
  }
  return { seed, results, problems }
}

function attempt<T>(run: () => T): { readonly value: T } | { readonly error: string } {
  try {
    return { value: run() }
  } catch (error) {
    return { error: thrown(error) }
  }
}

const thrown = (error: unknown) => `"${reasonOf(error)}"`

const copyOf = ({ obs, reward, terminated, truncated, info }: Reset & Partial<Step>) => ({
  obs: Array.from(obs),
  reward,
  terminated,
  truncated,
  info,
})

function problemsOfResult(
  { observationSpace }: EnvironmentSpec,
  result: Reset & Partial<Step>,
  step: number,
): string[] {
  if (typeof result !== 'object' || result === null) return [`gave ${show(result)}; an object is needed`]
  const promise = problemOfPromise(result)
  if (promise) return [`gave ${promise}`]
  const { obs, info, reward, terminated, truncated } = result
  const problems: string[] = []
  const n = observationSpace.low.length
  if (typeof obs !== 'object' || obs?.length !== n)
    problems.push(`gave the observation ${show(obs)}; an observation is ${n} numbers`)
  else if (!Array.from(obs).every(Number.isFinite))
    problems.push(`gave the observation ${show(Array.from(obs))}; an observation is finite`)
  else if (problemOfSize(obs)) problems.push(`gave ${problemOfSize(obs)}`)
  else if (!contains(observationSpace, obs))
    problems.push(`gave the observation ${show(Array.from(obs))}; its space is ${elementOf(observationSpace)}`)
  if (typeof info !== 'object' || info === null) problems.push(`gave the info ${show(info)}; info is an object`)
  if (step === 0) return problems
  if (!Number.isFinite(reward)) problems.push(`gave the reward ${show(reward)}; a reward must be finite`)
  for (const [name, flag] of Object.entries({ terminated, truncated }))
    if (typeof flag !== 'boolean') problems.push(`gave ${name} ${show(flag)}; it must be true or false`)
  return problems
}

/**
 * An episode follows from its seed: in a new instance, in one that has played others, and in one that is reset in the
 * middle.
 */
function problemsOfSeeds(
  spec: EnvironmentSpec,
  create: () => Environment,
  used: Environment,
  played: readonly Played[],
  steps: number,
): string[] {
  const again = (episode: Played, env: Environment, when: string): string[] => {
    const other = play(spec, env, episode.seed, steps)
    if (other.problems.length > 0) return other.problems.map((problem) => `${problem}, ${when}`)
    const step = firstDifference(episode.results, other.results)
    return step < 0 ? [] : [`seed ${episode.seed}, ${nameOf(step)} is not what it was before, ${when}`]
  }
  return played.flatMap((episode) => {
    const inNew = again(episode, create(), 'in a new instance')
    if (inNew.length > 0) return inNew
    const afterOthers = again(episode, used, 'in an instance that has played other episodes')
    if (afterOthers.length > 0) return afterOthers
    play(spec, used, episode.seed + 1 > Number.MAX_SAFE_INTEGER ? 0 : episode.seed + 1, 1)
    return again(episode, used, 'after a reset in the middle of an episode')
  })
}

/** The first step in which the episodes differ, −1 if none. */
function firstDifference(a: Played['results'], b: Played['results']): number {
  const same = (x: Played['results'][number], y: Played['results'][number] | undefined) =>
    y !== undefined &&
    x.reward === y.reward &&
    x.terminated === y.terminated &&
    x.truncated === y.truncated &&
    Array.from(x.obs).every((value, k) => value === y.obs[k])
  const step = a.findIndex((result, k) => !same(result, b[k]))
  return step < 0 && b.length > a.length ? a.length : step
}

/** Time limits that all episodes show and that are not what the description says. */
function problemsOfEnds(played: readonly Played[], maxEpisodeSteps: number): string[] {
  const ends = played.map(({ results }) => ({ length: results.length - 1, last: results[results.length - 1] }))
  const { length } = ends[0]
  if (ends.some((end) => end.length !== length)) return []
  if (ends.every(({ last }) => last.truncated) && length !== maxEpisodeSteps)
    return [`step ${length} is truncated in every episode, but maxEpisodeSteps is ${maxEpisodeSteps}; they must agree`]
  if (length > 1 && length === maxEpisodeSteps && ends.every(({ last }) => last.terminated))
    return [
      `step ${length}, the last that maxEpisodeSteps allows, is terminated in every episode; a time limit is truncated`,
    ]
  return []
}

/** From a saved state the same actions lead to the same steps. */
function problemsOfState({ actionSpace }: EnvironmentSpec, env: Environment, seed: number, steps: number): string[] {
  if (!env.getState && !env.setState) return []
  if (!env.getState || !env.setState) return ['getState and setState belong together, got one of them']
  const sample = sampler(actionSpace, seed)
  const before = Math.min(3, Math.floor((steps - 1) / 2))
  const actions: Action[] = Array.from({ length: 2 * before + 1 }, sample)
  env.reset({ seed })
  for (const action of actions.slice(0, before)) if (isOver(env.step(action))) return []
  const saved = env.getState()
  const first = follow(env, actions.slice(before))
  env.setState(saved)
  const step = firstDifference(first, follow(env, actions.slice(before)))
  return step < 0 ? [] : [`step ${before + step + 1} differs after setState(getState()) at step ${before}`]
}

const isOver = ({ terminated, truncated }: Step) => terminated || truncated

function follow(env: Environment, actions: readonly Action[]): Played['results'] {
  const results: Step[] = []
  for (const action of actions) {
    results.push(copyOf(env.step(action)) as Step)
    if (isOver(results[results.length - 1])) break
  }
  return results
}

function problemsOfRender({ render }: EnvironmentSpec, env: Environment, seed: number): string[] {
  if (!render) return []
  env.reset({ seed })
  if (!env.state) return ['it has render, but its instances show no state']
  const scene = render(env.state)
  try {
    requireScene('drawing', scene)
    return []
  } catch (error) {
    return [`render gave no picture after reset: ${reasonOf(error)}`]
  }
}
