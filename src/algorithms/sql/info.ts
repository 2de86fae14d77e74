import type { Episodes } from '../../rl/off-policy.ts'

/** Results of an iteration; null where there was no gradient step. */
export interface SqlInfo extends Episodes {
  /** Mean of Σ_k ½ (Q_k − y)². */
  readonly qLoss: number | null
  /** Mean of V_soft over the next states. */
  readonly value: number | null
  /** Mean of H(π(·|s)) over the next states, in nats; null with a sampler, whose entropy is not known. */
  readonly entropy: number | null
  /** Mean norm of the Stein direction of an action. */
  readonly direction: number | null
  /** Mean h over states. */
  readonly bandwidth: number | null
  /** α in this iteration. */
  readonly temperature: number
}

/** What an iteration of the composition measures. */
export interface SqlComposeInfo {
  /** [components] the results of each in this iteration; none once they have learned. */
  readonly components: readonly (SqlInfo | null)[]
  /** Mean norm of the Stein direction of the composed sampler's actions; null while the components learn. */
  readonly direction: number | null
}
