import { show, UsageError } from '../core/errors.ts'
import { layOut } from '../core/layout.ts'
import { isBytes, isRecord, requireThat } from '../core/require.ts'
import { type ActingPolicies, actorLayout, actorOf, actWith } from './acting.ts'
import { compilePolicyCore, instantiatePolicyCore, type PolicyCore, refuseWithoutSimd, viewOf } from './core.ts'
import { type Content, decodePolicy, type PolicyDescription } from './description.ts'
import type { Acting } from './request.ts'

/** What `steinrl export` wrote, and the core to run it. */
export interface PolicyFiles {
  /** policy.json: its text, or what JSON.parse makes of it. */
  readonly description: unknown
  /** The bytes of policy.safetensors. */
  readonly weights: ArrayBuffer | ArrayBufferView
  /** steinrl-policy.wasm. */
  readonly core: PolicyCore
}

/** A population that acts. Where the run was exported without an evaluation no particle is the best: name one. */
export interface LoadedPolicy extends Acting {
  readonly description: PolicyDescription
}

/**
 * Loads an exported population. It needs neither tfjs nor Node, and compiles nothing where `core` is a
 * WebAssembly.Module. Same particle, same observation, same bits of the action as in the evaluation of the training.
 *
 * @throws UsageError where there is no WebAssembly SIMD, and for files that are damaged or do not fit each other
 */
export async function loadPolicy(files: PolicyFiles): Promise<LoadedPolicy> {
  requireThat(isRecord(files), 'loadPolicy', 'what was exported, { description, weights, core }', files)
  const { description, weights, core } = files
  refuseWithoutSimd()
  if (!isBytes(weights)) throw new UsageError(`The weights must be bytes, got ${show(weights)}.`)
  const content = decodePolicy(description, viewOf(weights))
  const policies = policiesOf(content)
  const module = await compilePolicyCore(core)
  const arena = layOut(actorLayout(policies))
  const actor = actorOf(policies, { ...arena, ops: await instantiatePolicyCore(module, arena.memory) })
  return { description: content.description, ...actWith(policies, () => actor) }
}

const policiesOf = ({ policy, theta, description }: Content): ActingPolicies => {
  const { particles, best, normalisation, bounds } = description
  return {
    ...{ policy, theta, particles, best, normalisation },
    low: bounds?.low.map((bound) => bound ?? Number.NEGATIVE_INFINITY) ?? [],
    high: bounds?.high.map((bound) => bound ?? Number.POSITIVE_INFINITY) ?? [],
  }
}
