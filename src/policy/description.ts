import * as v from 'valibot'
import { isExpected, UsageError } from '../core/errors.ts'
import { isFloat32, isList, isRecord, requireThat } from '../core/require.ts'
import { decodeTensors, encodeTensors } from '../core/safetensors.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { type Policy, type PolicyShape, parsePolicy } from '../nn/policy.ts'

/** What policy.json says of the parameters in policy.safetensors: plain data, as JSON.parse gives it. */
export interface PolicyDescription {
  readonly format: 'steinrl-policy'
  readonly version: 1
  /** Id of the task. */
  readonly env: string
  readonly policy: PolicyShape
  readonly particles: number
  /** The particle of the highest mean return; null where it is not known. */
  readonly best: number | null
  readonly normalisation: Normalisation | null
  readonly bounds: Bounds | null
}

/** What the network sees of an observation x: (x − mean) / deviation, clipped to ±clip. */
export interface Normalisation {
  /** [O] */
  readonly mean: readonly number[]
  /** [O] above 0 */
  readonly deviation: readonly number[]
  readonly clip: number
}

/** The box of continuous actions, [A] each; null where there is no bound. Classes have none. */
export interface Bounds {
  readonly low: readonly (number | null)[]
  readonly high: readonly (number | null)[]
}

/** A population that can act: what both files say together. */
export interface Content {
  readonly description: PolicyDescription
  readonly policy: Policy
  /** [n × parameters] */
  readonly theta: Float32Array
}

/** A population as encodePolicy() takes it. */
export interface PopulationToExport {
  readonly env: string
  readonly policy: Policy
  /** [n, at least the policy's parameters] */
  readonly theta: Float32Array
  readonly particles: number
  readonly best?: number | null
  readonly normalisation?: Normalisation | null
  readonly bounds?: Bounds | null
}

/** More than any population has, and few enough that a particle's number fits a counter of random numbers. */
const MAX_PARTICLES = 1_000_000
const MAX_MESSAGE = 400

/**
 * The two files of a population, as `steinrl export` writes them and loadPolicy() reads them.
 *
 * @throws UsageError for what loadPolicy() would refuse
 */
export function encodePolicy(population: PopulationToExport): { description: PolicyDescription; weights: Uint8Array } {
  requireThat(isRecord(population) && isRecord(population.policy), 'encodePolicy', 'policies with theta', population)
  const { env, policy, theta, particles, best = null, normalisation = null, bounds = null } = population
  const { observations, hidden, activation, head, size } = parsePolicy(policy)
  check(wholeNumber('the number of particles', 1, MAX_PARTICLES), particles)
  const stride = isList(theta) ? theta.length / particles : 0
  const isWhole = Number.isSafeInteger(stride) && stride >= size && isFloat32(theta)
  requireThat(isWhole, 'encodePolicy', `theta as a Float32Array of ${particles} rows of at least ${size}`, theta)
  const rows = new Float32Array(particles * size)
  for (let i = 0; i < particles; i++) rows.set(theta.subarray(i * stride, i * stride + size), i * size)
  const description: PolicyDescription = {
    format: 'steinrl-policy',
    version: 1,
    env,
    policy: { observations, hidden, activation, head },
    particles,
    best,
    normalisation,
    bounds,
  }
  const weights = encodeTensors({ tensors: { theta: { shape: [particles, size], data: rows } }, metadata: { env } })
  decodePolicy(description, weights)
  return { description, weights }
}

/**
 * Reads both files.
 *
 * @param description the text of policy.json or what JSON.parse makes of it
 * @throws UsageError when one of them is damaged or they do not fit each other: the message says which and how
 */
export function decodePolicy(description: unknown, weights: Uint8Array): Content {
  const described = reading('The description of the policy is damaged', () => decodeDescription(description))
  const theta = reading('The weights of the policy are damaged', () => decodeWeights(weights, described))
  return { ...described, theta }
}

function reading<T>(otherwise: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isExpected(error)) throw error
    const { message } = error
    throw new UsageError(
      `${otherwise}: ${message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}….` : message}`,
    )
  }
}

function decodeDescription(input: unknown): Omit<Content, 'theta'> {
  const value = typeof input === 'string' ? parsed(input) : input
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UsageError('it is no JSON object.')
  const { format, version, env, particles, best, normalisation, bounds, ...rest } = value as Record<string, unknown>
  check(only('format', 'steinrl-policy'), format)
  check(only('version', 1), version)
  if (typeof env !== 'string') throw new UsageError('its env is no text.')
  const policy = parsePolicy(rest.policy)
  const { observations, hidden, activation, head } = policy
  const n = check(wholeNumber('the number of particles', 1, MAX_PARTICLES), particles)
  const description: PolicyDescription = {
    format: 'steinrl-policy',
    version: 1,
    env,
    policy: { observations, hidden, activation, head },
    particles: n,
    best: best === null ? null : check(wholeNumber('the best particle', 0, n - 1), best),
    normalisation: decodeNormalisation(normalisation, observations),
    bounds: decodeBounds(bounds, policy),
  }
  return { description, policy }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError('it is no JSON.')
  }
}

const only = <const T extends string | number>(what: string, value: T) =>
  v.literal(value, `its ${what} is not ${JSON.stringify(value)}.`)

function decodeNormalisation(input: unknown, observations: number): Normalisation | null {
  if (input === null) return null
  const { mean, deviation, clip } = fieldsOf('normalisation', input)
  const normalisation = {
    mean: check(numbers('normalisation.mean', observations, Number.isFinite), mean),
    deviation: check(numbers('normalisation.deviation', observations, isPositive, ' above 0'), deviation),
    clip,
  }
  if (!isPositive(clip)) throw new UsageError('its normalisation.clip is no finite number above 0.')
  return normalisation as Normalisation
}

function decodeBounds(input: unknown, { head }: Policy): Bounds | null {
  if (head.name === 'categorical') {
    if (input === null) return null
    throw new UsageError('its bounds must be null, as classes have none.')
  }
  const fields = fieldsOf('bounds', input)
  // A squashed action is moved to its box, which must have both bounds.
  const isBound = (x: unknown) => Number.isFinite(x) || (x === null && head.name === 'gaussian')
  const orNull = head.name === 'gaussian' ? ' or nulls' : ''
  const low = check(numbers('bounds.low', head.actions, isBound, orNull), fields.low) as Bounds['low']
  const high = check(numbers('bounds.high', head.actions, isBound, orNull), fields.high) as Bounds['high']
  low.forEach((least, k) => {
    const most = high[k]
    if (least !== null && most !== null && least > most)
      throw new UsageError(`its bounds of action ${k} are ${least} to ${most}.`)
  })
  return { low, high }
}

function fieldsOf(what: string, input: unknown): Record<string, unknown> {
  if (typeof input === 'object' && input !== null) return input as Record<string, unknown>
  throw new UsageError(`its ${what} is no object.`)
}

const isPositive = (x: unknown) => Number.isFinite(x) && (x as number) > 0

const numbers = (what: string, size: number, allowed: (x: unknown) => boolean, which = '') =>
  v.custom<number[]>(
    (input) => Array.isArray(input) && input.length === size && input.every(allowed),
    `its ${what} must be ${size} finite numbers${which}.`,
  )

function decodeWeights(weights: Uint8Array, { description, policy }: Omit<Content, 'theta'>): Float32Array {
  const { theta } = decodeTensors(weights).tensors
  const shape = [description.particles, policy.size]
  if (theta?.shape.length !== 2 || theta.shape.some((size, k) => size !== shape[k])) {
    const found = theta ? `has shape [${theta.shape}]` : 'is not there'
    throw new UsageError(`its theta ${found}, but the description needs [${shape}].`)
  }
  // Three searches in native code: a call for each parameter, of a built-in function too, is what loading would take
  // longest for.
  if (![Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].some((x) => theta.data.includes(x)))
    return theta.data
  const bad = theta.data.findIndex((value) => !Number.isFinite(value))
  throw new UsageError(`parameter ${bad % shape[1]} of particle ${Math.floor(bad / shape[1])} is ${theta.data[bad]}.`)
}
