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
