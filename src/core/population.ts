/** n particles as rows of `stride` floats, of which the first `dimension` count; the tail is dead and zero. */
export interface Population {
  readonly particles: number
  readonly dimension: number
  readonly stride: number
  /** [particles, stride] */
  readonly x: Float32Array
  /** [particles, stride] where the scores go: s_i = ∇ log p(x_i). */
  readonly score: Float32Array
}

/**
 * The rows of the data that one step looks at. Multiplying the sum over them by `scale` = all rows / these rows gives
 * an unbiased estimate of the sum over all data. Without minibatches there are no rows and the scale is 1.
 */
export interface Minibatch {
  readonly rows: Int32Array
  readonly scale: number
}

/** Writes the scores of all particles. */
export type PopulationScore = (population: Population, batch: Minibatch) => void

/** What particles compute, and the way back from a direction of that: the space of SVGD in function space. */
export interface Outputs {
  /** F, the outputs of one particle. */
  readonly count: number
  /** [particles, F] f(θ_i) of every particle, without padding. */
  values(particles: Population, batch: Minibatch): Float32Array
  /** [particles, dimension] (∂f_i/∂θ_i)ᵀ v_i, for v [particles, F], both without padding. */
  pullBack(particles: Population, v: Float32Array, batch: Minibatch): Float32Array
}
