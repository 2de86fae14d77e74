// The public API of steinrl/policy: acting alone, for edge runtimes, pages and devices.
export { UsageError } from '../core/errors.ts'
export type { PolicyCore } from './core.ts'
export type { Bounds, Normalisation, PolicyDescription } from './description.ts'
export {
  type ActOptions,
  type LoadedPolicy,
  loadPolicy,
  type PolicyAction,
  type PolicyFiles,
  type Who,
} from './policy.ts'
