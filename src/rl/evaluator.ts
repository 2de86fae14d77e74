import type { NumberArray } from '../core/runtime-types.ts'

// The seam between a population and whoever evaluates its particles: only arrays of numbers cross it.

/** What a particle carries from one evaluation to the next beside its parameters: arrays by name. */
export type ParticleState = Readonly<Record<string, NumberArray>>

/** One particle to be evaluated. */
export interface Job {
  readonly particle: number
  /** Steps of each of its environments before this evaluation. */
  readonly step: number
  /** [parameters] where the gradient is taken. */
  readonly theta: Float32Array
  /** [parameters] of the policy that rolls out: theta in pass 0. */
  readonly behaviour: Float32Array
  /** How many gradients have been taken on this rollout before. */
  readonly pass: number
  /** What it carried away from the rollout before; null before the first. */
  readonly carried: ParticleState | null
  /** What is known of the whole population and needed to evaluate this one; null where nothing is. */
  readonly context: ParticleState | null
}

/** Metrics of one evaluation of a particle. */
export interface ParticleInfo {
  /** Mean entropy of the policy over the visited states, in nats. */
  readonly entropy: number
  /** How many episodes ended in this evaluation. */
  readonly episodes: number
  /** The mean of their returns; null where none ended. */
  readonly meanReturn: number | null
  /** The cells of the task's grid that it was in, each once; left out for a task without one. */
  readonly cells?: Int32Array
}

export interface Outcome {
  /** [parameters] ∇J */
  readonly gradient: Float32Array
  /** What it carries to the next rollout, and the metrics of this one; null after pass 0. */
  readonly carried: ParticleState | null
  readonly info: ParticleInfo | null
  /** Some of the rows of the rollout, evenly spread over it; null after pass 0. */
  readonly visited: Visited | null
  /** [parameters] the gradient away from what the others do, on the same rows; null without a context. */
  readonly exploration: Float32Array | null
  /** Rows of the rollout drawn at random; only in pass 0, and only where they are asked for. */
  readonly probes?: Probes | null
}

/** Where a policy was and what it did there. */
export interface Visited {
  /** [rows, O] */
  readonly observation: Float32Array
  /** [rows, A] */
  readonly action: Float32Array
  /** [rows, O] what followed; only where the task is randomised. */
  readonly nextObservation?: Float32Array
}

/** Rows at which all policies of a population are compared, and what the gradient of their own policy takes there. */
export interface Probes extends Visited {
  /** [rows] what multiplies log π(a|s), scaled so that the sum over these rows stands for that over the rollout. */
  readonly weight: Float32Array
  /** [rows] log π(a|s) when the rows were collected; means nothing where the estimator does not clip. */
  readonly logProb: Float32Array
}

export interface Evaluator {
  /** The result depends on the job and on what the evaluator was made with, and on nothing else. */
  (job: Job): Outcome
  /** Closes the environments that it holds; in a worker they end with their thread. */
  close(): void
}
