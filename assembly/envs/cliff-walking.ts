import { actionBelow, nextUniforms, observeNumber, startDraws, TABULAR_STATE, wholeBelow } from './tabular'

/**
 * CliffWalking-v1 (Sutton & Barto 2018, example 6.6, as in Gymnasium): walk from one end of a cliff to the other.
 *
 *     state, a row: f64 [cell, what it draws by]    4 rows of 12 cells, numbered row by row from the top left
 *     action: f32, 0 = up, 1 = right, 2 = down, 3 = left    reward: stepReward, or cliffReward for a fall
 *
 * The cliff lies between start and goal, in the last row; who falls begins again at the start. On slippery ground a
 * step goes as it was meant or to one of the two sides, each with probability 1/3.
 */
export const CLIFF_WALKING_STATE = TABULAR_STATE

/** The constants as they lie in memory; src/envs/cliff-walking.ts has their defaults. */
@unmanaged
export class CliffWalking {
  isSlippery: f64
  stepReward: f64
  cliffReward: f64
}

const ROWS = 4
const COLUMNS = 12
const START = (ROWS - 1) * COLUMNS
const GOAL = ROWS * COLUMNS - 1

export function resetCliffWalking(state: usize, seedLo: u32, seedHi: u32): void {
  startDraws(state, seedLo, seedHi, 0)
  store<f64>(state, <f64>START)
}

export function stepCliffWalking(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: CliffWalking,
): void {
  const third = 1.0 / 3.0
  // What is drawn waits where the rewards will stand.
  if (c.isSlippery != 0) nextUniforms(reward, state, CLIFF_WALKING_STATE, rows)
  for (let r = 0; r < rows; r++, state += CLIFF_WALKING_STATE << 3) {
    let move = actionBelow(action + (<usize>r << 2), 4)
    if (c.isSlippery != 0) {
      const u = load<f64>(reward + (<usize>r << 3))
      move = (move + 1 - <i32>(u < third) - <i32>(u < third + third)) & 3
    }
    const from = wholeBelow(load<f64>(state), ROWS * COLUMNS)
    const row = from / COLUMNS, column = from - row * COLUMNS
    const across = move & 1 ? 2 - move : 0
    const down = move & 1 ? 0 : move - 1
    const to = min(max(row + down, 0), ROWS - 1) * COLUMNS + min(max(column + across, 0), COLUMNS - 1)
    const falls = to > START && to < GOAL
    store<f64>(state, <f64>(falls ? START : to))
    store<f64>(reward + (<usize>r << 3), falls ? c.cliffReward : c.stepReward)
    store<u8>(terminated + r, to == GOAL ? 1 : 0)
  }
}

export function observeCliffWalking(observation: usize, state: usize, rows: i32): void {
  observeNumber(observation, state, CLIFF_WALKING_STATE, ROWS * COLUMNS, rows)
}
