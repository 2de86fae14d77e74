import { CARTPOLE_STATE, CartPole, observeCartPole, resetCartPole, stepCartPole } from './cartpole'

/** The environments of the core by number; src/envs binds the same numbers to their ids. */
const CARTPOLE = 0

/** Draws the initial state of one row from the seed of its episode. */
export function resetEnvironment(kind: i32, state: usize, constants: usize, seedLo: u32, seedHi: u32): void {
  if (kind == CARTPOLE) resetCartPole(state, changetype<CartPole>(constants), seedLo, seedHi)
}

/** Advances every row: reads actions, writes states, rewards (f64) and terminated (u8). */
export function stepEnvironment(
  kind: i32, state: usize, constants: usize, action: usize, reward: usize, terminated: usize, rows: i32,
): void {
  if (kind == CARTPOLE) stepCartPole(state, action, reward, terminated, rows, changetype<CartPole>(constants))
}

/** Writes the observations (f32) of every row. */
export function observeEnvironment(kind: i32, observation: usize, state: usize, rows: i32): void {
  if (kind == CARTPOLE) observeCartPole(observation, state, rows)
}

/** Length of a state row in f64, and so bytes / 8. */
export function stateSize(kind: i32): i32 {
  return kind == CARTPOLE ? CARTPOLE_STATE : 0
}
