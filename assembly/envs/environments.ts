import { CARTPOLE_STATE, CartPole, observeCartPole, resetCartPole, stepCartPole } from './cartpole'
import {
  MULTIGOAL_GOALS, MULTIGOAL_MAX_ENTROPY_GOALS, MULTIGOAL_STATE, MultiGoal, observeMultiGoal, resetMultiGoal, stepMultiGoal,
} from './multigoal'
import { observePointMaze, POINT_MAZE_STATE, PointMaze, resetPointMaze, stepPointMaze } from './point-maze'

/** The environments of the core by number; src/envs binds the same numbers to their ids. */
const CARTPOLE = 0
const MULTIGOAL = 8
const MULTIGOAL_MAX_ENTROPY = 9
const POINT_MAZE = 10

/** Draws the initial state of one row from the seed of its episode. */
export function resetEnvironment(kind: i32, state: usize, constants: usize, seedLo: u32, seedHi: u32): void {
  if (kind == CARTPOLE) resetCartPole(state, changetype<CartPole>(constants), seedLo, seedHi)
  else if (kind == MULTIGOAL) resetMultiGoal(state, changetype<MultiGoal>(constants), seedLo, seedHi)
  else if (kind == MULTIGOAL_MAX_ENTROPY) resetMultiGoal(state, changetype<MultiGoal>(constants), seedLo, seedHi)
  else if (kind == POINT_MAZE) resetPointMaze(state, changetype<PointMaze>(constants), seedLo, seedHi)
}

/** Advances every row: reads actions, writes states, rewards (f64) and terminated (u8). */
export function stepEnvironment(
  kind: i32, state: usize, constants: usize, action: usize, reward: usize, terminated: usize, rows: i32,
): void {
  if (kind == CARTPOLE) stepCartPole(state, action, reward, terminated, rows, changetype<CartPole>(constants))
  else if (kind == MULTIGOAL)
    stepMultiGoal(state, action, reward, terminated, rows, MULTIGOAL_GOALS, changetype<MultiGoal>(constants))
  else if (kind == MULTIGOAL_MAX_ENTROPY)
    stepMultiGoal(state, action, reward, terminated, rows, MULTIGOAL_MAX_ENTROPY_GOALS, changetype<MultiGoal>(constants))
  else if (kind == POINT_MAZE) stepPointMaze(state, action, reward, terminated, rows, changetype<PointMaze>(constants))
}

/** Writes the observations (f32) of every row. */
export function observeEnvironment(kind: i32, observation: usize, state: usize, rows: i32): void {
  if (kind == CARTPOLE) observeCartPole(observation, state, rows)
  else if (kind == MULTIGOAL) observeMultiGoal(observation, state, rows)
  else if (kind == MULTIGOAL_MAX_ENTROPY) observeMultiGoal(observation, state, rows)
  else if (kind == POINT_MAZE) observePointMaze(observation, state, rows)
}

/** Length of a state row in f64, and so bytes / 8. */
export function stateSize(kind: i32): i32 {
  if (kind == CARTPOLE) return CARTPOLE_STATE
  if (kind == MULTIGOAL) return MULTIGOAL_STATE
  if (kind == MULTIGOAL_MAX_ENTROPY) return MULTIGOAL_STATE
  if (kind == POINT_MAZE) return POINT_MAZE_STATE
  return 0
}
