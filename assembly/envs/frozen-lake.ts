import { actionBelow, nextUniform, nextUniforms, observeNumber, startDraws, TABULAR_STATE, wholeBelow } from './tabular'

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
function cellOf(c: FrozenLake, number: i32): f64 {
  return load<f64>(changetype<usize>(c) + offsetof<FrozenLake>() + (<usize>number << 3))
}

/** On one of the starts, each as probable as the others. */
export function resetFrozenLake(state: usize, c: FrozenLake, seedLo: u32, seedHi: u32): void {
  startDraws(state, seedLo, seedHi)
  const cells = <i32>(c.rows * c.columns)
  let starts = 0
  for (let k = 0; k < cells; k++) starts += cellOf(c, k) == START ? 1 : 0
  let left = <i32>(nextUniform(state) * <f64>starts)
  let at = 0
  for (let k = 0; k < cells; k++) {
    if (cellOf(c, k) != START) continue
    at = k
    if (left-- == 0) break
  }
  store<f64>(state, <f64>at)
}

export function stepFrozenLake(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: FrozenLake,
): void {
  const height = <i32>c.rows, width = <i32>c.columns
  const toSide = (1.0 - c.successRate) / 2.0
  const straight = toSide + c.successRate
  // What is drawn waits where the rewards will stand.
  if (c.isSlippery != 0) nextUniforms(reward, state, FROZEN_LAKE_STATE, rows)
  for (let r = 0; r < rows; r++, state += FROZEN_LAKE_STATE << 3) {
    let move = actionBelow(action + (<usize>r << 2), 4)
    if (c.isSlippery != 0) {
      const u = load<f64>(reward + (<usize>r << 3))
      move = (move + (u < toSide ? 3 : u < straight ? 0 : 1)) & 3
    }
    const from = wholeBelow(load<f64>(state), height * width)
    const isOver = cellOf(c, from) >= HOLE
    const row = from / width, column = from - row * width
    const across = move & 1 ? 0 : move - 1
    const down = move & 1 ? 2 - move : 0
    const x = min(max(column + across, 0), width - 1)
    const y = min(max(row + down, 0), height - 1)
    const to = isOver ? from : y * width + x
    const cell = cellOf(c, to)
    const paid = cell == GOAL ? c.goalReward : cell == HOLE ? c.holeReward : c.iceReward
    store<f64>(state, <f64>to)
    store<f64>(reward + (<usize>r << 3), isOver ? 0 : paid)
    store<u8>(terminated + r, cell >= HOLE ? 1 : 0)
  }
}

export function observeFrozenLake(observation: usize, state: usize, rows: i32, c: FrozenLake): void {
  observeNumber(observation, state, FROZEN_LAKE_STATE, <i32>(c.rows * c.columns), rows)
}
