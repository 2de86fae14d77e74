import { reasonOf, show, UsageError } from '../core/errors.ts'
import { fromJson } from '../core/json.ts'
import { type CoreSource, compileCore } from '../core/module.ts'
import { isRecord, requireThat } from '../core/require.ts'
import { decodeTensors, encodeTensors, type TensorFile } from '../core/safetensors.ts'
import type { EnvironmentSpec } from '../envs/contract.ts'
import { statesOf } from '../envs/description.ts'
import { type PolicyShape, parsePolicy } from '../nn/policy.ts'
import { type Agents, arePolicies, type Policies, policyAgents, requireAgents } from '../rl/agents.ts'
import { refuseOtherPolicy } from '../rl/heads.ts'
import { type AnyTrainStep, algorithmNamed } from './train.ts'

// particles.safetensors: theta [n, parameters] or what else acts, and kernel [n, n] where there is one.

/**
 * The bytes of a run's particles.safetensors after this step, which readRun() reads; null where a particle is not
 * finite.
 */
export function encodeParticles(step: Omit<AnyTrainStep, 'state'>): Uint8Array | null {
  const isStep = isRecord(step) && [step.agents, step.kernel, step.save].every((each) => typeof each === 'function')
  const isWhole = isStep && isRecord(step.spec) && Number.isSafeInteger(step.iteration)
  requireThat(isWhole, 'encodeParticles', 'a step of train()', step)
  requireAgents('encodeParticles', step.agents())
  return encodeContent(particlesOf(step))
}

/** The bytes of a particles.safetensors of policies that no step of train() gave, in their task. */
export function encodePolicies(policies: Policies, task: EnvironmentSpec): Uint8Array {
  const { tensors, metadata } = policiesContent(policies)
  return encodeTensors({ tensors, metadata: { env: task.id, ...metadata, ...learned(task) } })
}

/**
 * The particles of a step and its kernel, null where there is none: copies that stay as they are in the next iteration.
 */
export interface Particles extends TensorFile {
  readonly matrix: number[][] | null
}

export function particlesOf(step: Omit<AnyTrainStep, 'state'>): Particles {
  const { tensors, metadata } = contentOf(step)
  const known = step.kernel()
  // Where a run diverges, the kernel does so first.
  const matrix = known?.flat().every(Number.isFinite) ? known : null
  return {
    tensors,
    metadata: { env: step.env, ...metadata, ...learned(step.spec), iteration: String(step.iteration) },
    matrix,
  }
}

/** Null where a particle is not finite. */
export function encodeContent({ tensors, metadata, matrix }: Particles): Uint8Array | null {
  if (!Object.values(tensors).every(({ data }) => data.every(Number.isFinite))) return null
  const n = matrix?.length ?? 0
  const kernel = matrix && { kernel: { shape: [n, n], data: Float32Array.from(matrix.flat()) } }
  return encodeTensors({ tensors: { ...tensors, ...kernel }, metadata })
}

/** What the wrappers of the task have learned so far, where they learn anything. */
function learned(spec: EnvironmentSpec): Record<string, string> {
  const states = statesOf(spec)
  return states.some((state) => state !== null) ? { wrappers: JSON.stringify(states) } : {}
}

/** The same from a file, to be used and not to be changed any more. */
export function learnedStates({ metadata: { wrappers } }: TensorFile): (object | null)[] {
  const states = wrappers === undefined ? [] : parsed(wrappers, 'what its wrappers have learned is no JSON')
  if (!Array.isArray(states)) throw new UsageError('what its wrappers have learned is no list.')
  return states.map((state) => state && { ...state, frozen: true })
}

/** Policies are kept as rows without padding, others as their algorithm says. */
function contentOf(step: Omit<AnyTrainStep, 'state'>): Pick<TensorFile, 'tensors' | 'metadata'> {
  const population = step.agents()
  if (!arePolicies(population)) {
    const { tensors, shape } = step.save()
    return { tensors, metadata: { algorithm: step.algorithm, shape: JSON.stringify(shape) } }
  }
  return policiesContent(population)
}

function policiesContent({ policy, particles: n, theta }: Policies): Pick<TensorFile, 'tensors' | 'metadata'> {
  const { observations, hidden, activation, head } = policy
  const shape: PolicyShape = { observations, hidden, activation, head }
  return {
    tensors: { theta: { shape: [n, policy.size], data: theta } },
    metadata: { policy: JSON.stringify(shape) },
  }
}

/**
 * The tensors of a particles.safetensors.
 *
 * @throws UsageError for what is no safetensors file, holds no population or a number that is not finite
 */
export function decodeParticles(bytes: Uint8Array): TensorFile {
  const content = decodeTensors(bytes)
  refuseNonFinite(content)
  const { env, policy, algorithm } = content.metadata
  if (env && (policy || algorithm)) return content
  throw new UsageError('it holds no population.')
}

/**
 * The agents that the tensors are those of, in their task.
 *
 * @throws UsageError when the tensors do not fit each other or the task
 */
export async function agentsFrom(content: TensorFile, task: EnvironmentSpec, core?: CoreSource): Promise<Agents> {
  if (!content.metadata.policy) return restored(content, task, core)
  const policies = policiesFrom(content)
  refuseOtherPolicy(task, 'The policies', policies.policy)
  return policyAgents(await compileCore(core), task, policies)
}

/** The policies alone. Throws a UsageError when there are none, or theta does not fit them. */
export function policiesFrom({ tensors: { theta }, metadata }: TensorFile): Policies {
  if (!theta) throw new UsageError('it holds no population.')
  const policy = parsePolicy(parsed(metadata.policy, 'it describes no policy'))
  const [n, D] = theta.shape
  if (theta.shape.length !== 2 || n === 0 || D !== policy.size) {
    const { widths } = policy.net
    throw new UsageError(
      `its theta has shape [${theta.shape}], but a policy of widths ${widths} needs [n,${policy.size}].`,
    )
  }
  return { policy, particles: n, theta: theta.data }
}

function refuseNonFinite({ tensors }: TensorFile): void {
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const bad = data.findIndex((value) => !Number.isFinite(value))
    const row = data.length / shape[0]
    if (bad >= 0 && name === 'theta')
      throw new UsageError(`parameter ${bad % row} of particle ${Math.floor(bad / row)} is ${data[bad]}.`)
    if (bad >= 0) throw new UsageError(`number ${bad} of ${name} is ${data[bad]}.`)
  }
}

/** What stands in a saved shape as it does in the settings of the run. */
const SHARED = [
  'hidden',
  'activation',
  'qs',
  'candidates',
  'particles',
  'svgdSteps',
  'stepSize',
  'stretch',
  'selection',
]

/**
 * Refuses what was saved with other settings than those of the run that it lies in.
 *
 * @throws UsageError, which names the first one that differs
 */
export function refuseOtherSettings({ metadata }: TensorFile, config: Readonly<Record<string, unknown>>): void {
  const { algorithm, shape } = metadata
  if (!algorithm) return
  for (const [name, value] of Object.entries(parsed(shape) ?? {}))
    if (SHARED.includes(name) && name in config && JSON.stringify(value) !== JSON.stringify(config[name]))
      throw new UsageError(`its ${name} is ${show(value)}, but that of the run is ${show(config[name])}.`)
}

async function restored({ tensors, metadata }: TensorFile, task: EnvironmentSpec, core?: CoreSource): Promise<Agents> {
  const { restore } = algorithmNamed(metadata.algorithm)
  if (!restore) throw new UsageError(`${metadata.algorithm} has other particles than these.`)
  return restore({ tensors, shape: parsed(metadata.shape) }, task, core)
}

function parsed(text = '', otherwise = 'its shape is no JSON'): unknown {
  try {
    return fromJson(text)
  } catch (error) {
    throw new UsageError(`${otherwise}: ${reasonOf(error)}.`)
  }
}
