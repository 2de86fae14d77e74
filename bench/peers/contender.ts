/** Particles and their scores, [n, d] each. */
export interface Input {
  readonly x: Float32Array
  readonly score: Float32Array
}

/** Someone who computes the Stein direction of n particles of d coordinates in this process. */
export interface Contender {
  readonly name: string
  /** Takes the inputs in before the clock starts. */
  load(inputs: readonly Input[]): void
  /** The direction of the next input, starting with the first and over again after the last. */
  run(): void
  /** [n, d] what the last run found. */
  result(): Float32Array
}
