import type { Seed } from '../core/random.ts'
import type { Policy } from '../nn/policy.ts'

/** n policies of one shape, which act in the core. */
export interface Policies {
  readonly policy: Policy
  readonly particles: number
  /** [n, at least the policy's parameters] */
  readonly theta: Float32Array
}

/** n others that act: samplers of actions, for example. */
export interface Actors {
  readonly particles: number
  /** [n, parameters] */
  readonly theta: Float32Array
  readonly act: Act
  /** What particle i thinks that actions [rows, A] in [−1, 1] are worth in states [rows, O]; where it knows. */
  readonly value?: (i: number, observation: Float32Array, action: Float32Array) => Float32Array
}

export type Agents = Policies | Actors

export const arePolicies = (agents: Agents): agents is Policies => 'policy' in agents

/** Writes actions [rows, A] as a batch of environments takes them. What it writes is a function of the turn. */
export type Act = (out: Float32Array, turn: ActRequest) => void

/** Some rows in which one particle is to act. */
export interface ActRequest {
  readonly particle: number
  /** [rows, O] */
  readonly observation: Float32Array
  readonly rows: number
  /** Whether to choose the best action that is known rather than to draw one. */
  readonly greedy: boolean
  /** What the random numbers are for, and how many steps were taken before. */
  readonly purpose: number
  readonly step: number
  readonly seed: Seed
}
