/** What a random number is for: part of its counter, so that two uses never share a number. As in assembly/random.ts. */
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
  /** Weights of Q networks, the rows that are replayed, the noise of sampled actions, and actions before learning begins. */
  q: 15,
  replay: 16,
  noise: 17,
  explore: 18,
  latents: 19,
  exploration: 20,
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
