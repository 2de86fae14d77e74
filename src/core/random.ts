/**
 * What a random number is for: part of its counter, so that two uses never share a number. As in assembly/random.ts.
 */
export const Purpose = {
  weights: 0,
  episode: 1,
  reset: 2,
  action: 3,
  evaluate: 4,
  particles: 5,
  user: 6,
  minibatch: 7,
  bootstrap: 8,
  critic: 9,
  passes: 10,
  evolution: 11,
  discriminator: 12,
  imitation: 13,
  density: 14,
  /**
   * Weights of Q networks, the rows that are replayed, the noise of sampled actions, and actions before learning
   * begins.
   */
  q: 15,
  replay: 16,
  noise: 17,
  explore: 18,
  latents: 19,
  exploration: 20,
  /** Rows of a rollout that all policies are compared at. */
  probes: 21,
} as const

/**
 * Which of several draws of one purpose and step a number belongs to: it takes the counter's place of an environment.
 * Two draws of one algorithm, purpose and step that had the same number here would be the same numbers.
 */
export const Draw = {
  /** Purpose.noise of soft actor-critic: the actions of the next states, and of the states. */
  sac: { next: 0, current: 1 },
  /** Purpose.noise of soft Q-learning: uniform actions or those of the policy for V, and the step of the sampler. */
  sql: { uniformValue: 0, policyValue: 1, sampler: 2 },
  /**
   * Stein policies: two sets of particles, those of the next states before those of the states; and which is chosen.
   */
  stein: { driven: 0, driving: 1, next: 0, current: 2, choice: 9 },
  /** Purpose.particles of SVGD: where the particles start, the noise of a step, and a walk after the last. */
  svgd: { start: 0, noise: 1, walk: 2 },
  /** Purpose.particles of amortized SVGD: the batches of training, and points that a user asks for. */
  amortized: { training: 1, sampling: 2 },
  /** Purpose.particles of domain randomisation: points drawn uniformly. */
  randomisation: { points: 1 },
} as const

const WORD = 4294967296

/** The two 32-bit words of a seed, which is a whole number from 0 to 2⁵³ − 1. */
export interface Seed {
  readonly lo: number
  readonly hi: number
}

export function splitSeed(seed: number): Seed {
  return { lo: seed >>> 0, hi: Math.floor(seed / WORD) }
}

export function joinSeed(words: ArrayLike<number>): number {
  return words[0] + words[1] * WORD
}
