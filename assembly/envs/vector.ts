import { episodeSeed, PURPOSE_EPISODE } from '../random'
import { observeEnvironment, resetEnvironment, stateSize, stepEnvironment } from './environments'

/**
 * N copies of an environment that step together, and what is kept of their episodes. src/envs/vector-fields.ts writes
 * the same fields.
 */
@unmanaged
export class Vector {
  kind: i32
  constants: usize
  maxSteps: i32
  observationSize: i32
  actionSize: i32
  /** N */
  rows: i32
  /** what happens to a row whose episode has ended, see below */
  autoreset: i32
  seedLo: u32
  seedHi: u32
  /** f64 [N, stateSize] */
  state: usize
  /** f32 [N, A] read */
  action: usize
  /** f32 [N, O] */
  observation: usize
  /** f64 [N] */
  reward: usize
  /** u8 [N] */
  terminated: usize
  truncated: usize
  /** i32 [N] steps since the last reset */
  elapsed: usize
  /** f64 [N] rewards since the last reset */
  episodeReturn: usize
  /** u32 [N] number of the running episode */
  episode: usize
  /** u8 [N] the episode has ended: the next step resets the row (next-step only) */
  ended: usize
  /** Of the episode that ended last: f32 [N, O] what it showed at its end (same-step only), i32 [N] steps, f64 [N] rewards */
  finalObservation: usize
  finalElapsed: usize
  finalReturn: usize
}

// What happens to a row whose episode has ended, as in src/envs/vector-fields.ts (Gymnasium's AutoresetMode).
/** Nothing: the caller resets it. */
const DISABLED: i32 = 0
/** Its next step ignores the action and shows the initial observation, with reward 0 and no flags. */
const NEXT_STEP: i32 = 1
/** It is reset in the same step; what it showed last is kept in finalObservation. */
const SAME_STEP: i32 = 2

/** Rows that step, show themselves and are booked before the next ones, so that what they touch stays in the first-level cache. */
const BLOCK: i32 = 128

/** Starts in each row r with mask[r] != 0 (u8; every row if mask is 0) the episode whose number stands in `episode`. */
export function resetVector(vector: Vector, mask: usize): void {
  for (let row = 0; row < vector.rows; row++) {
    if (mask && !load<u8>(mask + row)) continue
    resetRow(vector, row)
    store<u8>(vector.terminated + row, 0)
    store<u8>(vector.truncated + row, 0)
  }
}

/** Starts the running episode of a row. Its seed depends on the seed of all, the row and the number of the episode only. */
function resetRow(vector: Vector, row: i32): void {
  const seed = episodeSeed(vector.seedLo, vector.seedHi, PURPOSE_EPISODE, 0, row, load<u32>(vector.episode + (row << 2)))
  const state = vector.state + ((row * stateSize(vector.kind)) << 3)
  resetEnvironment(vector.kind, state, vector.constants, <u32>seed, <u32>(seed >> 32))
  observeEnvironment(vector.kind, vector.observation + ((row * vector.observationSize) << 2), state, 1)
  store<i32>(vector.elapsed + (row << 2), 0)
  store<f64>(vector.episodeReturn + (row << 3), 0)
  store<u8>(vector.ended + row, 0)
}

/** One step of every row: physics, observations, time limit, statistics and automatic resets. */
export function stepVector(vector: Vector): void {
  const stateBytes = stateSize(vector.kind) << 3
  for (let first = 0; first < vector.rows; first += BLOCK) {
    const end = min(first + BLOCK, vector.rows)
    const state = vector.state + first * stateBytes
    stepEnvironment(
      vector.kind, state, vector.constants, vector.action + ((first * vector.actionSize) << 2),
      vector.reward + (first << 3), vector.terminated + first, end - first,
    )
    observeEnvironment(
      vector.kind, vector.observation + ((first * vector.observationSize) << 2), state, end - first,
    )
    for (let row = first; row < end; row++) endStep(vector, row)
  }
}

/** Episode bookkeeping of one row. */
// @ts-ignore: decorator
@inline
function endStep(vector: Vector, row: i32): void {
  if (load<u8>(vector.ended + row)) return restart(vector, row)
  const elapsed = load<i32>(vector.elapsed + (row << 2)) + 1
  const truncated = elapsed >= vector.maxSteps
  const sum = vector.episodeReturn + (row << 3)
  store<f64>(sum, load<f64>(sum) + load<f64>(vector.reward + (row << 3)))
  store<i32>(vector.elapsed + (row << 2), elapsed)
  store<u8>(vector.truncated + row, truncated ? 1 : 0)
  if (truncated || load<u8>(vector.terminated + row)) endEpisode(vector, row)
}

function endEpisode(vector: Vector, row: i32): void {
  store<i32>(vector.finalElapsed + (row << 2), load<i32>(vector.elapsed + (row << 2)))
  store<f64>(vector.finalReturn + (row << 3), load<f64>(vector.episodeReturn + (row << 3)))
  if (vector.autoreset == NEXT_STEP) store<u8>(vector.ended + row, 1)
  if (vector.autoreset != SAME_STEP) return
  const bytes = vector.observationSize << 2
  memory.copy(vector.finalObservation + row * bytes, vector.observation + row * bytes, bytes)
  nextEpisode(vector, row)
}

/** The step that stands for a reset: what the physics made of the ended row is overwritten. */
function restart(vector: Vector, row: i32): void {
  store<f64>(vector.reward + (row << 3), 0)
  store<u8>(vector.terminated + row, 0)
  store<u8>(vector.truncated + row, 0)
  nextEpisode(vector, row)
}

function nextEpisode(vector: Vector, row: i32): void {
  const episode = vector.episode + (row << 2)
  store<u32>(episode, load<u32>(episode) + 1)
  resetRow(vector, row)
}
