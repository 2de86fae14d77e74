import { episodeSeed, episodeSeeds4, PURPOSE_EPISODE } from '../random'
import { observeEnvironment, resetEnvironment, resetEnvironments4, stateSize } from './environments'

/**
 * Rows of an environment and their running episodes: what vectors and rollouts have in common.
 * src/envs/episode-layout.ts writes the same fields.
 */
@unmanaged
export class Episodes {
  kind: i32
  constants: usize
  maxSteps: i32
  observationSize: i32
  actionSize: i32
  /** f64 [rows, stateSize] */
  state: usize
  /** i32 [rows] steps since the last reset */
  elapsed: usize
  /** u32 [rows] number of the running episode */
  episode: usize
  /** f64 [rows] rewards since the last reset */
  episodeReturn: usize
}

/**
 * Starts the running episode of a row, whose seed depends on the seed of all, the particle, the row and the number of
 * the episode only.
 */
export function startEpisode(episodes: Episodes, row: i32, particle: i32, seedLo: u32, seedHi: u32): void {
  const number = load<u32>(episodes.episode + (row << 2))
  const seed = episodeSeed(seedLo, seedHi, PURPOSE_EPISODE, particle, row, number)
  const state = episodes.state + ((row * stateSize(episodes.kind)) << 3)
  resetEnvironment(episodes.kind, state, episodes.constants, <u32>seed, <u32>(seed >> 32))
  countNothing(episodes, row)
}

/** The same for four rows, i32 [4], in little more than the time of one; `seeds`, u64 [4], is overwritten. */
export function startEpisodes4(
  episodes: Episodes, rows: usize, particle: i32, seedLo: u32, seedHi: u32, seeds: usize,
): void {
  const numbers = i32x4.splat(numberOf(episodes, rows))
  const two = i32x4.replace_lane(numbers, 1, numberOf(episodes, rows + 4))
  const three = i32x4.replace_lane(two, 2, numberOf(episodes, rows + 8))
  const four = i32x4.replace_lane(three, 3, numberOf(episodes, rows + 12))
  episodeSeeds4(seeds, seedLo, seedHi, PURPOSE_EPISODE, particle, v128.load(rows), four)
  resetEnvironments4(episodes.kind, episodes.state, episodes.constants, rows, seeds)
  for (let k = 0; k < 4; k++) countNothing(episodes, load<i32>(rows + (k << 2)))
}

/** The number of the episode of the row that stands at an address. */
// @ts-ignore: decorator
@inline
function numberOf(episodes: Episodes, row: usize): u32 {
  return load<u32>(episodes.episode + (load<i32>(row) << 2))
}

// @ts-ignore: decorator
@inline
function countNothing(episodes: Episodes, row: i32): void {
  store<i32>(episodes.elapsed + (row << 2), 0)
  store<f64>(episodes.episodeReturn + (row << 3), 0)
}

/** Writes what a row shows into its place among those of all: f32 [rows, O]. */
export function observeRow(episodes: Episodes, row: i32, shown: usize): void {
  const state = episodes.state + ((row * stateSize(episodes.kind)) << 3)
  observeEnvironment(episodes.kind, shown + ((row * episodes.observationSize) << 2), state, episodes.constants, 1)
}

/** The next start of the row is that of its next episode. */
// @ts-ignore: decorator
@inline
export function countEpisode(episodes: Episodes, row: i32): void {
  const episode = episodes.episode + (row << 2)
  store<u32>(episode, load<u32>(episode) + 1)
}

/** Counts a step of a row and its reward. Whether the time limit is reached. */
// @ts-ignore: decorator
@inline
export function countStep(episodes: Episodes, row: i32, reward: f64): bool {
  const counter = episodes.elapsed + (row << 2)
  const elapsed = load<i32>(counter) + 1
  store<i32>(counter, elapsed)
  const sum = episodes.episodeReturn + (row << 3)
  store<f64>(sum, load<f64>(sum) + reward)
  return elapsed >= episodes.maxSteps
}
