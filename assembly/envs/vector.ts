import { observeEnvironment, stateSize, stepEnvironment } from './environments'
import { countEpisode, countStep, Episodes, observeRow, startEpisode, startEpisodes4 } from './episodes'

/**
 * N copies of an environment that step together, and what is kept of their episodes. src/envs/vector-fields.ts writes
 * the same fields.
 */
@unmanaged
export class Vector extends Episodes {
  /** N */
  rows: i32
  /** what happens to a row whose episode has ended, see below */
  autoreset: i32
  seedLo: u32
  seedHi: u32
  /** f32 [N, A] read */
  action: usize
  /** f32 [N, O] */
  observation: usize
  /** f64 [N] */
  reward: usize
  /** u8 [N] */
  terminated: usize
  truncated: usize
  /** u8 [N] the episode has ended: the next step resets the row (next-step only) */
  ended: usize
  /**
   * Of the episode that ended last: f32 [N, O] what it showed at its end (same-step only), i32 [N] steps, f64 [N]
   * rewards
   */
  finalObservation: usize
  finalElapsed: usize
  finalReturn: usize
  /** i32 [N] rows that are being looked after, and u64 [4] seeds of four of them: within a step */
  listed: usize
  seeds: usize
}

// What happens to a row whose episode has ended, as in src/envs/vector-fields.ts (Gymnasium's AutoresetMode).
/** Nothing: the caller resets it. */
const DISABLED: i32 = 0
/** Its next step ignores the action and shows the initial observation, with reward 0 and no flags. */
const NEXT_STEP: i32 = 1
/** It is reset in the same step; what it showed last is kept in finalObservation. */
const SAME_STEP: i32 = 2

/**
 * Rows that step, show themselves and are counted before the next ones: what they touch stays in the first-level cache.
 */
const BLOCK: i32 = 256

/** Starts in each row r with mask[r] != 0 (u8; every row if mask is 0) the episode whose number stands in `episode`. */
export function resetVector(vector: Vector, mask: usize): void {
  for (let row = 0; row < vector.rows; row++) {
    if (mask && !load<u8>(mask + row)) continue
    startEpisode(vector, row, 0, vector.seedLo, vector.seedHi)
    observeRow(vector, row, vector.observation)
    store<u8>(vector.terminated + row, 0)
    store<u8>(vector.truncated + row, 0)
    store<u8>(vector.ended + row, 0)
  }
}

/** One step of every row: physics, time limit, statistics, automatic resets and observations. */
export function stepVector(vector: Vector): void {
  const stateBytes = stateSize(vector.kind) << 3
  for (let first = 0; first < vector.rows; first += BLOCK) {
    const end = min(first + BLOCK, vector.rows)
    const state = vector.state + first * stateBytes
    stepEnvironment(
      vector.kind, state, vector.constants, vector.action + ((first * vector.actionSize) << 2),
      vector.reward + (first << 3), vector.terminated + first, end - first,
    )
    countSteps(vector, first, end)
    if (vector.autoreset == NEXT_STEP) restart(vector, first, end)
    observeEnvironment(
      vector.kind, vector.observation + ((first * vector.observationSize) << 2), state, vector.constants,
      end - first,
    )
    endEpisodes(vector, first, end)
  }
}

/** Adds the step to the counters of rows first ... end - 1 and looks for the time limit. */
function countSteps(vector: Vector, first: i32, end: i32): void {
  let row = first
  for (; row + 4 <= end; row += 4) countSteps4(vector, row)
  for (; row < end; row++) {
    const isCut = countStep(vector, row, load<f64>(vector.reward + (row << 3)))
    store<u8>(vector.truncated + row, isCut ? 1 : 0)
  }
}

// @ts-ignore: decorator
@inline
function countSteps4(vector: Vector, row: i32): void {
  const counters = vector.elapsed + (row << 2)
  const elapsed = i32x4.add(v128.load(counters), i32x4.splat(1))
  v128.store(counters, elapsed)
  const sums = vector.episodeReturn + (row << 3)
  const rewards = vector.reward + (row << 3)
  v128.store(sums, f64x2.add(v128.load(sums), v128.load(rewards)))
  v128.store(sums, f64x2.add(v128.load(sums, 16), v128.load(rewards, 16)), 16)
  const late = i32x4.neg(i32x4.ge_s(elapsed, i32x4.splat(vector.maxSteps)))
  v128.store32_lane(vector.truncated + row, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(late, late), late), 0)
}

/** The step that stands for a reset: what the physics and the counters made of the ended rows is overwritten. */
function restart(vector: Vector, first: i32, end: i32): void {
  const count = listRows(vector, first, end, vector.ended, vector.ended)
  for (let k = 0; k < count; k++) {
    const row = load<i32>(vector.listed + (k << 2))
    store<f64>(vector.reward + (row << 3), 0)
    store<u8>(vector.terminated + row, 0)
    store<u8>(vector.truncated + row, 0)
    store<u8>(vector.ended + row, 0)
  }
  nextEpisodes(vector, count)
}

/** What follows where an episode has ended in this step. */
function endEpisodes(vector: Vector, first: i32, end: i32): void {
  const count = listRows(vector, first, end, vector.terminated, vector.truncated)
  const bytes = vector.observationSize << 2
  for (let k = 0; k < count; k++) {
    const row = load<i32>(vector.listed + (k << 2))
    store<i32>(vector.finalElapsed + (row << 2), load<i32>(vector.elapsed + (row << 2)))
    store<f64>(vector.finalReturn + (row << 3), load<f64>(vector.episodeReturn + (row << 3)))
    if (vector.autoreset == NEXT_STEP) store<u8>(vector.ended + row, 1)
    if (vector.autoreset != SAME_STEP) continue
    memory.copy(vector.finalObservation + row * bytes, vector.observation + row * bytes, bytes)
  }
  if (vector.autoreset != SAME_STEP) return
  nextEpisodes(vector, count)
  for (let k = 0; k < count; k++) observeRow(vector, load<i32>(vector.listed + (k << 2)), vector.observation)
}

/** Starts the next episode in the listed rows, of four side by side. */
function nextEpisodes(vector: Vector, count: i32): void {
  const rows = vector.listed
  for (let k = 0; k < count; k++) countEpisode(vector, load<i32>(rows + (k << 2)))
  let k = 0
  for (; k + 4 <= count; k += 4) {
    startEpisodes4(vector, rows + (k << 2), 0, vector.seedLo, vector.seedHi, vector.seeds)
  }
  for (; k < count; k++) startEpisode(vector, load<i32>(rows + (k << 2)), 0, vector.seedLo, vector.seedHi)
}

/**
 * Lists the rows where one of two flags is set. Returns how many. Which rows these are is no branch that the processor
 * has to guess: CartPole under random actions 1.1 times as fast.
 */
function listRows(vector: Vector, first: i32, end: i32, flags: usize, others: usize): i32 {
  let next = vector.listed
  for (let row = first; row < end; row += 16) {
    const within = (1 << min(end - row, 16)) - 1
    // may read past the rows, see core/layout.ts
    let set = setBytes(v128.or(v128.load(flags + row), v128.load(others + row))) & within
    for (; set; set &= set - 1, next += 4) store<i32>(next, row + ctz(set))
  }
  return <i32>(next - vector.listed) >> 2
}

/** A bit for each of 16 flags, 0 or 1. */
// @ts-ignore: decorator
@inline
function setBytes(flags: v128): i32 {
  return i8x16.bitmask(i8x16.neg(flags))
}
