import { ACROBOT_STATE, Acrobot, observeAcrobot, resetAcrobot, stepAcrobot } from './acrobot'
import { BLACKJACK_STATE, Blackjack, observeBlackjack, placeBlackjack, stepBlackjack } from './blackjack'
import { CART_AND_POLE_STATE, observeCartAndPole } from './cart-and-pole'
import { CARTPOLE_STATE, CartPole, observeCartPole, resetCartPole, stepCartPole } from './cartpole'
import { CartpoleSwingup, resetCartpoleSwingup, stepCartpoleSwingup } from './cartpole-swingup'
import {
  CLIFF_WALKING_STATE, CliffWalking, observeCliffWalking, resetCliffWalking, stepCliffWalking,
} from './cliff-walking'
import {
  DOUBLE_PENDULUM_STATE, DoublePendulum, observeDoublePendulum, resetDoublePendulum, stepDoublePendulum,
} from './double-pendulum'
import { FROZEN_LAKE_STATE, FrozenLake, observeFrozenLake, placeFrozenLake, stepFrozenLake } from './frozen-lake'
import { MOUNTAIN_CAR_STATE, MountainCar, observeCar, resetMountainCar, stepMountainCar } from './mountain-car'
import {
  MOUNTAIN_CAR_CONTINUOUS_STATE, MountainCarContinuous, resetMountainCarContinuous, stepMountainCarContinuous,
} from './mountain-car-continuous'
import {
  MULTIGOAL_GOALS, MULTIGOAL_MAX_ENTROPY_GOALS, MULTIGOAL_STATE, MultiGoal, observeMultiGoal, resetMultiGoal,
  stepMultiGoal,
} from './multigoal'
import { observePendulum, PENDULUM_STATE, Pendulum, resetPendulum, stepPendulum } from './pendulum'
import { observePointMaze, POINT_MAZE_STATE, PointMaze, resetPointMaze, stepPointMaze } from './point-maze'
import { RllabCartpole, resetRllabCartpole, stepRllabCartpole } from './rllab-cartpole'
import { firstUniforms4, nextUniform, startDraws } from './tabular'
import { observeTaxi, placeTaxi, stepTaxi, TAXI_STATE, Taxi } from './taxi'

/** The environments of the core by number; src/envs binds the same numbers to their ids. */
const CARTPOLE = 0
const MOUNTAIN_CAR = 1
const MOUNTAIN_CAR_CONTINUOUS = 2
const PENDULUM = 3
const ACROBOT = 4
const RLLAB_CARTPOLE = 5
const CARTPOLE_SWINGUP = 6
const DOUBLE_PENDULUM = 7
const MULTIGOAL = 8
const MULTIGOAL_MAX_ENTROPY = 9
const POINT_MAZE = 10
const FROZEN_LAKE = 11
const CLIFF_WALKING = 12
const TAXI = 13
const BLACKJACK = 14

/** Draws the initial state of one row from the seed of its episode. */
export function resetEnvironment(kind: i32, state: usize, constants: usize, seedLo: u32, seedHi: u32): void {
  switch (kind) {
    case CARTPOLE: return resetCartPole(state, changetype<CartPole>(constants), seedLo, seedHi)
    case MOUNTAIN_CAR: return resetMountainCar(state, changetype<MountainCar>(constants), seedLo, seedHi)
    case MOUNTAIN_CAR_CONTINUOUS:
      return resetMountainCarContinuous(state, changetype<MountainCarContinuous>(constants), seedLo, seedHi)
    case PENDULUM: return resetPendulum(state, changetype<Pendulum>(constants), seedLo, seedHi)
    case ACROBOT: return resetAcrobot(state, changetype<Acrobot>(constants), seedLo, seedHi)
    case RLLAB_CARTPOLE: return resetRllabCartpole(state, changetype<RllabCartpole>(constants), seedLo, seedHi)
    case CARTPOLE_SWINGUP: return resetCartpoleSwingup(state, changetype<CartpoleSwingup>(constants), seedLo, seedHi)
    case DOUBLE_PENDULUM: return resetDoublePendulum(state, changetype<DoublePendulum>(constants), seedLo, seedHi)
    case MULTIGOAL: return resetMultiGoal(state, changetype<MultiGoal>(constants), seedLo, seedHi)
    case MULTIGOAL_MAX_ENTROPY: return resetMultiGoal(state, changetype<MultiGoal>(constants), seedLo, seedHi)
    case POINT_MAZE: return resetPointMaze(state, changetype<PointMaze>(constants), seedLo, seedHi)
    case CLIFF_WALKING: return resetCliffWalking(state, seedLo, seedHi)
    default: if (drawsItsStart(kind)) {
      startDraws(state, seedLo, seedHi, 0)
      placeEnvironment(kind, state, constants, nextUniform(state))
    }
  }
}

/** Whether the start of a row follows from the first number that it draws. */
function drawsItsStart(kind: i32): bool {
  return kind == FROZEN_LAKE || kind == TAXI || kind == BLACKJACK
}

/** The rest of such a reset: u is that number. */
function placeEnvironment(kind: i32, state: usize, constants: usize, u: f64): void {
  switch (kind) {
    case FROZEN_LAKE: return placeFrozenLake(state, changetype<FrozenLake>(constants), u)
    case TAXI: return placeTaxi(state, changetype<Taxi>(constants), u)
    case BLACKJACK: return placeBlackjack(state, u)
  }
}

/**
 * Draws the initial states of four rows, i32 [4], from the seeds of their episodes, u64 [4], which are overwritten: as
 * resetEnvironment does, in less time.
 */
export function resetEnvironments4(kind: i32, state: usize, constants: usize, rows: usize, seeds: usize): void {
  const bytes = stateSize(kind) << 3
  const drawn = drawsItsStart(kind)
  for (let k = 0; k < 4; k++) {
    const at = state + load<i32>(rows + (k << 2)) * bytes
    const seedLo = load<u32>(seeds + (k << 3)), seedHi = load<u32>(seeds + (k << 3), 4)
    if (drawn) startDraws(at, seedLo, seedHi, 1)
    else resetEnvironment(kind, at, constants, seedLo, seedHi)
  }
  if (!drawn) return
  firstUniforms4(seeds)
  for (let k = 0; k < 4; k++) {
    const at = state + load<i32>(rows + (k << 2)) * bytes
    placeEnvironment(kind, at, constants, load<f64>(seeds + (k << 3)))
  }
}

/** Advances every row: reads actions, writes states, rewards (f64) and terminated (u8). */
export function stepEnvironment(
  kind: i32, state: usize, constants: usize, action: usize, reward: usize, terminated: usize, rows: i32,
): void {
  switch (kind) {
    case CARTPOLE: return stepCartPole(state, action, reward, terminated, rows, changetype<CartPole>(constants))
    case MOUNTAIN_CAR:
      return stepMountainCar(state, action, reward, terminated, rows, changetype<MountainCar>(constants))
    case MOUNTAIN_CAR_CONTINUOUS:
      return stepMountainCarContinuous(
        state, action, reward, terminated, rows, changetype<MountainCarContinuous>(constants),
      )
    case PENDULUM: return stepPendulum(state, action, reward, terminated, rows, changetype<Pendulum>(constants))
    case ACROBOT: return stepAcrobot(state, action, reward, terminated, rows, changetype<Acrobot>(constants))
    case RLLAB_CARTPOLE:
      return stepRllabCartpole(state, action, reward, terminated, rows, changetype<RllabCartpole>(constants))
    case CARTPOLE_SWINGUP:
      return stepCartpoleSwingup(state, action, reward, terminated, rows, changetype<CartpoleSwingup>(constants))
    case DOUBLE_PENDULUM:
      return stepDoublePendulum(state, action, reward, terminated, rows, changetype<DoublePendulum>(constants))
    case MULTIGOAL:
      return stepMultiGoal(
        state, action, reward, terminated, rows, MULTIGOAL_GOALS, changetype<MultiGoal>(constants),
      )
    case MULTIGOAL_MAX_ENTROPY:
      return stepMultiGoal(
        state, action, reward, terminated, rows, MULTIGOAL_MAX_ENTROPY_GOALS, changetype<MultiGoal>(constants),
      )
    case POINT_MAZE: return stepPointMaze(state, action, reward, terminated, rows, changetype<PointMaze>(constants))
    case FROZEN_LAKE: return stepFrozenLake(state, action, reward, terminated, rows, changetype<FrozenLake>(constants))
    case CLIFF_WALKING:
      return stepCliffWalking(state, action, reward, terminated, rows, changetype<CliffWalking>(constants))
    case TAXI: return stepTaxi(state, action, reward, terminated, rows, changetype<Taxi>(constants))
    case BLACKJACK: return stepBlackjack(state, action, reward, terminated, rows, changetype<Blackjack>(constants))
  }
}

/** Writes the observations (f32) of every row. */
export function observeEnvironment(
  kind: i32, observation: usize, state: usize, constants: usize, rows: i32,
): void {
  switch (kind) {
    case CARTPOLE: return observeCartPole(observation, state, rows)
    case MOUNTAIN_CAR: return observeCar(observation, state, rows)
    case MOUNTAIN_CAR_CONTINUOUS: return observeCar(observation, state, rows)
    case PENDULUM: return observePendulum(observation, state, rows)
    case ACROBOT: return observeAcrobot(observation, state, rows)
    case RLLAB_CARTPOLE: return observeCartAndPole(observation, state, rows)
    case CARTPOLE_SWINGUP: return observeCartAndPole(observation, state, rows)
    case DOUBLE_PENDULUM: return observeDoublePendulum(observation, state, rows)
    case MULTIGOAL: return observeMultiGoal(observation, state, rows)
    case MULTIGOAL_MAX_ENTROPY: return observeMultiGoal(observation, state, rows)
    case POINT_MAZE: return observePointMaze(observation, state, rows)
    case FROZEN_LAKE: return observeFrozenLake(observation, state, rows, changetype<FrozenLake>(constants))
    case CLIFF_WALKING: return observeCliffWalking(observation, state, rows)
    case TAXI: return observeTaxi(observation, state, rows)
    case BLACKJACK: return observeBlackjack(observation, state, rows)
  }
}

/** Length of a state row in f64, and so bytes / 8. */
export function stateSize(kind: i32): i32 {
  switch (kind) {
    case CARTPOLE: return CARTPOLE_STATE
    case MOUNTAIN_CAR: return MOUNTAIN_CAR_STATE
    case MOUNTAIN_CAR_CONTINUOUS: return MOUNTAIN_CAR_CONTINUOUS_STATE
    case PENDULUM: return PENDULUM_STATE
    case ACROBOT: return ACROBOT_STATE
    case RLLAB_CARTPOLE: return CART_AND_POLE_STATE
    case CARTPOLE_SWINGUP: return CART_AND_POLE_STATE
    case DOUBLE_PENDULUM: return DOUBLE_PENDULUM_STATE
    case MULTIGOAL: return MULTIGOAL_STATE
    case MULTIGOAL_MAX_ENTROPY: return MULTIGOAL_STATE
    case POINT_MAZE: return POINT_MAZE_STATE
    case FROZEN_LAKE: return FROZEN_LAKE_STATE
    case CLIFF_WALKING: return CLIFF_WALKING_STATE
    case TAXI: return TAXI_STATE
    case BLACKJACK: return BLACKJACK_STATE
    default: return 0
  }
}
