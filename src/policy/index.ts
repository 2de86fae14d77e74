/**
 * Acting alone, for edge runtimes, pages and devices.
 *
 * @module steinrl/policy
 */

export { UsageError } from '../core/errors.ts'
export type { Address, Bytes, WasmModule } from '../core/runtime-types.ts'
export type { Activation } from '../nn/network.ts'
export type { Head, HeadName, PolicyShape } from '../nn/policy.ts'
export type { PolicyCore } from './core.ts'
export type { Bounds, Normalisation, PolicyDescription } from './description.ts'
export { type LoadedPolicy, loadPolicy, type PolicyFiles } from './policy.ts'
export type { Acting, ActionForm, ActOptions, AgentAction, AgentAction as PolicyAction, Who } from './request.ts'
