import { show, UsageError } from '../core/errors.ts'
import { deriveSeed } from '../core/generator.ts'
import { f32, i32, layOut, padded } from '../core/layout.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import { actionWidth, HeadKind, policyFields, writePolicy } from '../nn/policy.ts'
import {
  compilePolicyCore,
  instantiatePolicyCore,
  isBytes,
  type PolicyCore,
  type PolicyOps,
  refuseWithoutSimd,
  viewOf,
} from './core.ts'
import { type Content, decodePolicy, type PolicyDescription } from './description.ts'

/** What `steinrl export` wrote, and the core to run it. */
export interface PolicyFiles {
  /** policy.json: its text, or what JSON.parse makes of it. */
  readonly description: unknown
  /** The bytes of policy.safetensors. */
  readonly weights: ArrayBuffer | ArrayBufferView
  /** steinrl-policy.wasm. */
  readonly core: PolicyCore
}

/**
 * Who acts: the particle of a number; the best one of the evaluation; one that is drawn for each (seed, episode) or for each
 * (seed, episode, step), which is Thompson sampling; or all together, by the mean of their distributions over classes or of
 * their continuous actions.
 */
export type Who = number | 'best' | 'per-episode' | 'per-call' | 'mean'

export interface ActOptions {
  /** Default 'best'. */
  particle?: Who
  /** The most probable action (default), or one drawn from the policy: a function of (seed, episode, step) and the particle. */
  greedy?: boolean
  /** A whole number from 0; default 0. */
  seed?: number
  /** Number of the episode; default 0. Of several rows that of the first, which the others count on from, or a list. */
  episode?: number | ArrayLike<number>
  /** Steps taken in the episode before; default 0. */
  step?: number
}

/** The number of a class, or the vector of a continuous action, within the bounds of the task. */
export type PolicyAction = number | Float32Array

/** A population that acts. */
export interface LoadedPolicy {
  readonly description: PolicyDescription
  /**
   * The action for one observation [O].
   *
   * @throws UsageError for an observation of another length or that is not finite, for options that are not allowed, and where the
   * network overflows
   */
  act(observation: ArrayLike<number>, options?: ActOptions): PolicyAction
  /** The actions [rows × A] for observations [rows × O], one row after another. A class is one number. */
  actRows(observations: ArrayLike<number>, options?: ActOptions): Float32Array
}

/** Rows that are computed at once, unless the activations of so many would need more than these bytes. */
const ROWS = 64
const ACTIVATION_BYTES = 4_194_304
const MAX_EPISODE = 2147483647
const MAX_STEP = 4294967295

/**
 * Loads an exported population. It needs neither tfjs nor Node, and compiles nothing where `core` is a WebAssembly.Module. Same
 * particle, same observation, same bits of the action as in the evaluation of the training.
 *
 * @throws UsageError where there is no WebAssembly SIMD, and for files that are damaged or do not fit each other
 */
export async function loadPolicy({ description, weights, core }: PolicyFiles): Promise<LoadedPolicy> {
  refuseWithoutSimd()
  if (!isBytes(weights)) throw new UsageError(`The weights must be bytes, got ${show(weights)}.`)
  const content = decodePolicy(description, viewOf(weights))
  const actor = await createActor(content, await compilePolicyCore(core))
  const classes = content.policy.head.name === 'categorical'
  return {
    description: content.description,
    act(observation, options = {}) {
      const { observations } = content.policy
      if (observation?.length !== observations)
        throw new UsageError(`An observation must be ${observations} numbers, got ${show(observation?.length)}.`)
      const action = actRows(actor, observation, options)
      return classes ? action[0] : action
    },
    actRows: (observations, options = {}) => actRows(actor, observations, options),
  }
}

/** Room for a population and for a few rows to act on. */
function actorFields({ policy, theta }: Content, rows: number) {
  const A = actionWidth(policy.head)
  return {
    theta: f32(theta.length),
    ...policyFields(policy, rows),
    observation: f32(rows, policy.observations),
    action: f32(rows, A),
    /** [rows] number of the episode of each row. */
    episodes: i32(rows),
    /** [A] */
    low: f32(A),
    high: f32(A),
    /** [rows, classes or A] of all particles together. */
    sums: f32(rows, policy.head.actions),
  }
}

type Actor = Awaited<ReturnType<typeof createActor>>

async function createActor(content: Content, module: WebAssembly.Module) {
  const { policy, theta, description } = content
  const widest = Math.max(policy.observations, ...policy.net.widths.map(padded))
  const rows = Math.max(1, Math.min(ROWS, Math.floor(ACTIVATION_BYTES / (2 * widest * Float32Array.BYTES_PER_ELEMENT))))
  const arena = layOut(actorFields(content, rows))
  const ops: PolicyOps = await instantiatePolicyCore(module, arena.memory)
  const { view } = arena
  view.theta.set(theta)
  writePolicy(arena, policy, policy.size)
  view.low.set(description.bounds?.low.map((bound) => bound ?? Number.NEGATIVE_INFINITY) ?? [])
  view.high.set(description.bounds?.high.map((bound) => bound ?? Number.POSITIVE_INFINITY) ?? [])
  return { ...arena, ops, content, rows, A: actionWidth(policy.head) }
}

function actRows(actor: Actor, observations: ArrayLike<number>, options: ActOptions): Float32Array {
  const { content, rows, A, view } = actor
  const O = content.policy.observations
  const count = observations?.length / O
  if (!Number.isInteger(count) || count === 0)
    throw new UsageError(`Observations must be rows of ${O} numbers, got ${show(observations?.length)} numbers.`)
  const turn = turnOf(content, options, count)
  const out = new Float32Array(count * A)
  for (let first = 0; first < count; first += rows) {
    const size = Math.min(rows, count - first)
    observe(actor, observations, first, size)
    for (let r = 0; r < size; r++) view.episodes[r] = turn.episodeOf(first + r)
    choose(actor, turn, size)
    for (let k = 0; k < size * A; k++) out[first * A + k] = view.action[k]
  }
  if (!out.every(Number.isFinite))
    throw new UsageError('The action is not finite: the parameters of the policy are too large for float32.')
  return out
}

/** Options with their defaults, checked before anything is computed. */
interface ActRequest {
  readonly who: Who
  readonly greedy: number
  readonly seed: number
  readonly step: number
  episodeOf(row: number): number
}

function turnOf({ description }: Content, options: ActOptions, rows: number): ActRequest {
  const { particle = 'best', greedy = true, seed = 0, episode = 0, step = 0 } = options
  if (typeof greedy !== 'boolean') throw new UsageError(`greedy must be true or false, got ${show(greedy)}.`)
  return {
    who: whoActs(description, particle),
    greedy: greedy ? 1 : 0,
    seed: counter('seed', seed, Number.MAX_SAFE_INTEGER),
    step: counter('step', step, MAX_STEP),
    episodeOf: episodesOf(episode, rows),
  }
}

function whoActs({ best, particles: n }: PolicyDescription, particle: Who): Who {
  if (particle === 'per-episode' || particle === 'per-call' || particle === 'mean') return particle
  if (particle !== 'best') {
    if (Number.isInteger(particle) && particle >= 0 && particle < n) return particle
    const numbers = n === 1 ? '0' : `a number from 0 to ${n - 1}`
    throw new UsageError(`particle must be ${numbers}, best, per-episode, per-call or mean, got ${show(particle)}.`)
  }
  if (best !== null) return best
  if (n === 1) return 0
  throw new UsageError(
    'No particle is known to be the best, as the run was exported without an evaluation: choose a particle.',
  )
}

function episodesOf(episode: number | ArrayLike<number>, rows: number): (row: number) => number {
  if (typeof episode === 'number') {
    counter('episode', episode, MAX_EPISODE - rows)
    return (row) => episode + row
  }
  if (episode?.length !== rows)
    throw new UsageError(
      `episode must be a number or one for each of ${rows} rows, got ${show(episode?.length)} of them.`,
    )
  for (let r = 0; r < rows; r++) counter('episode', episode[r], MAX_EPISODE)
  return (row) => episode[row]
}

function counter(what: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= max) return value
  throw new UsageError(`${what} must be a whole number from 0 to ${max}, got ${show(value)}.`)
}

/** Writes rows as the network sees them. */
function observe({ content, view }: Actor, observations: ArrayLike<number>, first: number, size: number): void {
  const O = content.policy.observations
  const { normalisation } = content.description
  for (let k = 0; k < size * O; k++) {
    const value = observations[first * O + k]
    view.observation[k] = normalisation ? normalised(normalisation, value, k % O) : value
    if (!Number.isFinite(value) || !Number.isFinite(view.observation[k]))
      throw new UsageError(`Number ${k % O} of an observation must be a finite float32 number, got ${show(value)}.`)
  }
}

function normalised({ mean, deviation, clip }: NonNullable<PolicyDescription['normalisation']>, x: number, k: number) {
  return Math.min(Math.max((x - mean[k]) / deviation[k], -clip), clip)
}

/** Writes the actions for the first rows of observations in the arena. */
function choose({ ops, at, view, content, A }: Actor, { who, greedy, seed, step }: ActRequest, rows: number): void {
  const { description, policy } = content
  const { lo, hi } = splitSeed(seed)
  const n = description.particles
  const { evaluate } = Purpose
  if (who === 'mean') {
    // biome-ignore format: one op, one line
    ops.actTogether(at.policy, n, at.observation, rows, at.action, at.episodes, at.low, at.high, at.sums, greedy, evaluate, step, lo, hi)
    return
  }
  const act = (particle: number, first: number, count: number) => {
    const [x, a, e] = [policy.observations, A, 1].map((width) => first * width * Float32Array.BYTES_PER_ELEMENT)
    // biome-ignore format: one op, one line
    ops.act(at.policy, particle, at.observation + x, count, at.action + a, at.episodes + e, greedy, evaluate, particle, step, lo, hi)
  }
  if (typeof who === 'number') act(who, 0, rows)
  else {
    // A stream behind those of the particles and of all together.
    const draw = (r: number) => deriveSeed(seed, evaluate, n + 1, view.episodes[r], who === 'per-call' ? step : 0) % n
    for (let r = 0; r < rows; r++) act(draw(r), r, 1)
  }
  ops.boundRows(at.action, at.action, rows, policy.head.actions, at.low, at.high, HeadKind[policy.head.name])
}
