import type { Episode } from '../../src/rl/whole-episodes.ts'

/** A finished episode whose actions are all 1. */
export const episode = (observations: number[], reward: number[]): Episode => ({
  observation: Float32Array.from(observations),
  action: Float32Array.from(reward, () => 1),
  reward: Float64Array.from(reward),
})
