/**
 * Acting alone, for edge runtimes, pages and devices.
 *
 * @module steinrl/policy
 */

export { UsageError } from '../core/errors.ts'
export type { PolicyCore } from './core.ts'
export type { Bounds, Normalisation, PolicyDescription } from './description.ts'
export { type LoadedPolicy, loadPolicy, type PolicyFiles } from './policy.ts'
export type { Acting, ActOptions, AgentAction, AgentAction as PolicyAction, Who } from './request.ts'
