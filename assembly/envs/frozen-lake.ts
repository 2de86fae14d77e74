import { promoted2, storeEach2, storeFlags2 } from '../math/f64x2'
import { narrow4, nextUniforms, observeNumber, pair2, TABULAR_STATE, wholeBelow4 } from './tabular'

/**
 * FrozenLake-v1 (as in Gymnasium): walk over ice that slips, around its holes, to the goal.
 *
 *     state, a row: f64 [cell, what it draws by]    cells are numbered row by row from the top left
 *     action: f32, 0 = left, 1 = down, 2 = right, 3 = up    reward: that of the cell that is entered
 *
 * On slippery ice a step goes as it was meant with probability successRate, else to one of the two sides. In a hole
 * and at the goal every step stays, for nothing.
 */
export const FROZEN_LAKE_STATE = TABULAR_STATE
const BYTES = FROZEN_LAKE_STATE << 3

/** The constants as they lie in memory, then f64 [rows, columns] cells; src/envs/frozen-lake.ts has their defaults. */
@unmanaged
export class FrozenLake {
  isSlippery: f64
  successRate: f64
  goalReward: f64
  holeReward: f64
  iceReward: f64
  rows: f64
  columns: f64
}

// Cells, as in src/envs/frozen-lake.ts.
const START: f64 = 1
const HOLE: f64 = 2
const GOAL: f64 = 3

// @ts-ignore: decorator
@inline
function addressOf(c: FrozenLake, number: i32): usize {
  return changetype<usize>(c) + offsetof<FrozenLake>() + (<usize>number << 3)
}

/** On one of the starts, each as probable as the others; u is the first number that the row has drawn. */
export function placeFrozenLake(state: usize, c: FrozenLake, u: f64): void {
  const cells = <i32>(c.rows * c.columns)
  let starts = 0
  for (let k = 0; k < cells; k++) starts += <i32>(load<f64>(addressOf(c, k)) == START)
  let left = <i32>(u * <f64>starts)
  let at = 0
  for (let k = 0; k < cells; k++) {
    if (load<f64>(addressOf(c, k)) != START) continue
    at = k
    if (left-- == 0) break
  }
  store<f64>(state, <f64>at)
}

/**
 * Four rows at a time and without a branch, as the processor cannot guess where they slip: 2.2 times as fast. The last
 * row stands in the lanes that are left over and is written again.
 */
export function stepFrozenLake(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: FrozenLake,
): void {
  const toSide = (1.0 - c.successRate) / 2.0
  const straight = toSide + c.successRate
  const cells = <i32>(c.rows * c.columns)
  // What is drawn waits where the rewards will stand.
  if (c.isSlippery != 0) nextUniforms(reward, state, FROZEN_LAKE_STATE, rows)
  for (let r0 = 0; r0 < rows; r0 += 4) {
    const r1 = min(r0 + 1, rows - 1), r2 = min(r0 + 2, rows - 1), r3 = min(r0 + 3, rows - 1)
    const s0 = state + r0 * BYTES, s1 = state + r1 * BYTES, s2 = state + r2 * BYTES, s3 = state + r3 * BYTES
    const p0 = reward + (r0 << 3), p1 = reward + (r1 << 3), p2 = reward + (r2 << 3), p3 = reward + (r3 << 3)
    let move = wholeBelow4(
      promoted2(action + (r0 << 2), action + (r1 << 2)), promoted2(action + (r2 << 2), action + (r3 << 2)), 4,
    )
    if (c.isSlippery != 0) move = slipped4(move, pair2(p0, p1), pair2(p2, p3), toSide, straight)
    const from = wholeBelow4(pair2(s0, s1), pair2(s2, s3), cells)
    const over01 = isEnd2(lanes01(c, from)), over23 = isEnd2(lanes23(c, from))
    const to = v128.bitselect(from, moved4(from, move, c), narrow4(over01, over23))
    const cell01 = lanes01(c, to), cell23 = lanes23(c, to)
    storeEach2(p0, p1, v128.andnot(paid2(c, cell01), over01))
    storeEach2(p2, p3, v128.andnot(paid2(c, cell23), over23))
    storeFlags2(terminated + r0, terminated + r1, isEnd2(cell01))
    storeFlags2(terminated + r2, terminated + r3, isEnd2(cell23))
    storeEach2(s0, s1, f64x2.convert_low_i32x4_s(to))
    storeEach2(s2, s3, f64x2.convert_low_i32x4_s(v128.shuffle<i32>(to, to, 2, 3, 2, 3)))
  }
}

/** Moves on slippery ice by what has been drawn: one to the left of what was meant, that one, or one to the right. */
// @ts-ignore: decorator
@inline
function slipped4(move: v128, u: v128, v: v128, toSide: f64, straight: f64): v128 {
  const isLeft = narrow4(f64x2.lt(u, f64x2.splat(toSide)), f64x2.lt(v, f64x2.splat(toSide)))
  const isNotRight = narrow4(f64x2.lt(u, f64x2.splat(straight)), f64x2.lt(v, f64x2.splat(straight)))
  const turned = i32x4.add(i32x4.add(isLeft, isNotRight), i32x4.splat(1)) // masks count as -1
  return v128.and(i32x4.add(move, turned), i32x4.splat(3))
}

/** The cells that moves lead to. A map has at most 32 rows and columns: a product of 24 bits divides exactly. */
// @ts-ignore: decorator
@inline
function moved4(from: v128, move: v128, c: FrozenLake): v128 {
  const height = <i32>c.rows, width = <i32>c.columns
  const one = i32x4.splat(1), zero = i32x4.splat(0)
  const row = i32x4.shr_u(i32x4.mul(from, i32x4.splat((1 << 24) / width + 1)), 24)
  const column = i32x4.sub(from, i32x4.mul(row, i32x4.splat(width)))
  const isDown = i32x4.eq(v128.and(move, one), one)
  const across = v128.andnot(i32x4.sub(move, one), isDown)
  const down = v128.and(i32x4.sub(i32x4.splat(2), move), isDown)
  const x = i32x4.min_s(i32x4.max_s(i32x4.add(column, across), zero), i32x4.splat(width - 1))
  const y = i32x4.min_s(i32x4.max_s(i32x4.add(row, down), zero), i32x4.splat(height - 1))
  return i32x4.add(i32x4.mul(y, i32x4.splat(width)), x)
}

/** The cells of the first two of four numbers. */
// @ts-ignore: decorator
@inline
function lanes01(c: FrozenLake, numbers: v128): v128 {
  return pair2(addressOf(c, i32x4.extract_lane(numbers, 0)), addressOf(c, i32x4.extract_lane(numbers, 1)))
}

/** The cells of the last two. */
// @ts-ignore: decorator
@inline
function lanes23(c: FrozenLake, numbers: v128): v128 {
  return pair2(addressOf(c, i32x4.extract_lane(numbers, 2)), addressOf(c, i32x4.extract_lane(numbers, 3)))
}

// @ts-ignore: decorator
@inline
function isEnd2(cells: v128): v128 {
  return f64x2.ge(cells, f64x2.splat(HOLE))
}

// @ts-ignore: decorator
@inline
function paid2(c: FrozenLake, cells: v128): v128 {
  const orIce = v128.bitselect(f64x2.splat(c.holeReward), f64x2.splat(c.iceReward), f64x2.eq(cells, f64x2.splat(HOLE)))
  return v128.bitselect(f64x2.splat(c.goalReward), orIce, f64x2.eq(cells, f64x2.splat(GOAL)))
}

export function observeFrozenLake(observation: usize, state: usize, rows: i32, c: FrozenLake): void {
  observeNumber(observation, state, FROZEN_LAKE_STATE, <i32>(c.rows * c.columns), rows)
}
