// The seam between a population and whoever evaluates its particles: only arrays of numbers cross it.

export type NumberArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array

/** What a particle carries from one evaluation to the next beside its parameters: arrays by name. */
export type Carried = Readonly<Record<string, NumberArray>>

/** One particle to be evaluated. */
export interface Job {
  readonly particle: number
  /** Steps of each of its environments before this evaluation. */
  readonly step: number
  /** [parameters] */
  readonly theta: Float32Array
  /** What it carried away from its last evaluation; null before the first. */
  readonly carried: Carried | null
}

/** What evaluating one particle tells. */
export interface ParticleInfo {
  /** Mean entropy of the policy over the visited states, in nats. */
  readonly entropy: number
  /** How many episodes ended in this evaluation. */
  readonly episodes: number
  /** The mean of their returns; null where none ended. */
  readonly meanReturn: number | null
}

export interface Outcome {
  /** [parameters] ∇J */
  readonly gradient: Float32Array
  readonly carried: Carried
  readonly info: ParticleInfo
}

/** The result depends on the job and on what the evaluator was made with, and on nothing else. */
export type Evaluator = (job: Job) => Outcome
