import { actionBelow, nextUniform, nextUniforms, observeNumber, startDraws, TABULAR_STATE, wholeBelow } from './tabular'

/**
 * Taxi-v4 (Dietterich 2000, "Hierarchical reinforcement learning with the MAXQ value function decomposition", as in
 * Gymnasium 1.4): fetch a passenger at one of four places and bring them to another.
 *
 *     state, a row: f64 [number, what it draws by (3), whether the passenger is fickle]
 *     number: ((row 5 + column) 5 + place of the passenger) 4 + destination; place 4 is in the taxi
 *     action: f32, 0 = south, 1 = north, 2 = east, 3 = west, 4 = pick up, 5 = drop off
 *
 * In the rain a move that is free goes as it was meant with probability rainyProbability, else to one of the two sides
 * where that is free. A fickle passenger changes the destination at the first move of the taxi with them in it.
 */
export const TAXI_STATE = TABULAR_STATE + 1

/** The constants as they lie in memory; src/envs/taxi.ts has their defaults. */
@unmanaged
export class Taxi {
  isRainy: f64
  ficklePassenger: f64
  rainyProbability: f64
  fickleProbability: f64
  stepReward: f64
  deliveryReward: f64
  illegalReward: f64
}

const SIDE = 5
const STATES = SIDE * SIDE * 5 * 4
const IN_TAXI = 4
const FICKLE: usize = 32

/** The cell of a place: red, green, yellow or blue. */
// @ts-ignore: decorator
@inline
function cellOfPlace(place: i32): i32 {
  return place == 0 ? 0 : place == 1 ? 4 : place == 2 ? 20 : 23
}

/** The place at a cell, −1 where there is none. */
// @ts-ignore: decorator
@inline
function placeAt(cell: i32): i32 {
  return cell == 0 ? 0 : cell == 4 ? 1 : cell == 20 ? 2 : cell == 23 ? 3 : -1
}

/** Whether no wall stands between a cell of a row and the one east of it. */
// @ts-ignore: decorator
@inline
function isOpenToEast(row: i32, column: i32): bool {
  const open = row < 2 ? 0b1101 : row == 2 ? 0b1111 : 0b1010
  return column < SIDE - 1 && ((open >> column) & 1) != 0
}

/** The cell that a move leads to: the same one where there is a wall or the border. */
function moved(cell: i32, move: i32): i32 {
  const row = cell / SIDE, column = cell - row * SIDE
  if (move == 0) return row < SIDE - 1 ? cell + SIDE : cell
  if (move == 1) return row > 0 ? cell - SIDE : cell
  if (move == 2) return isOpenToEast(row, column) ? cell + 1 : cell
  return column > 0 && isOpenToEast(row, column - 1) ? cell - 1 : cell
}

/** Left of a move: east of south, west of north, north of east, south of west. */
// @ts-ignore: decorator
@inline
function leftOf(move: i32): i32 {
  return move == 0 ? 2 : move == 1 ? 3 : move == 2 ? 1 : 0
}

/** Anywhere, with a passenger at one of the places who wants to go to another. */
export function resetTaxi(state: usize, c: Taxi, seedLo: u32, seedHi: u32): void {
  startDraws(state, seedLo, seedHi)
  const k = <i32>(nextUniform(state) * <f64>(SIDE * SIDE * 12))
  const cell = k / 12, pair = k - cell * 12
  const place = pair / 3, other = pair - place * 3
  store<f64>(state, <f64>numberOf(cell, place, other < place ? other : other + 1))
  const isFickle = c.ficklePassenger != 0 && nextUniform(state) < c.fickleProbability
  store<f64>(state, isFickle ? 1 : 0, FICKLE)
}

// @ts-ignore: decorator
@inline
function numberOf(cell: i32, passenger: i32, destination: i32): i32 {
  return (cell * 5 + passenger) * 4 + destination
}

export function stepTaxi(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: Taxi,
): void {
  // What is drawn waits where the rewards will stand; the destination of a fickle passenger is drawn after it.
  if (c.isRainy != 0) nextUniforms(reward, state, TAXI_STATE, rows)
  for (let r = 0; r < rows; r++, state += TAXI_STATE << 3) {
    const number = wholeBelow(load<f64>(state), STATES)
    const cell = number / 20
    const passenger = (number >> 2) % 5, destination = number & 3
    const act = actionBelow(action + (<usize>r << 2), 6)
    let paid = c.stepReward
    let isDelivered = false
    if (act < 4) {
      moveTaxi(state, c, act, cell, passenger, destination, load<f64>(reward + (<usize>r << 3)))
    } else {
      const next = act == 4 ? pickedUp(cell, passenger) : droppedOff(cell, passenger)
      isDelivered = act == 5 && passenger == IN_TAXI && next == destination
      if (next == passenger) paid = c.illegalReward
      if (isDelivered) paid = c.deliveryReward
      store<f64>(state, <f64>numberOf(cell, next, destination))
    }
    store<f64>(reward + (<usize>r << 3), paid)
    store<u8>(terminated + r, isDelivered ? 1 : 0)
  }
}

/** Where the passenger is after an attempt to pick them up. */
// @ts-ignore: decorator
@inline
function pickedUp(cell: i32, passenger: i32): i32 {
  return passenger < IN_TAXI && cell == cellOfPlace(passenger) ? IN_TAXI : passenger
}

/** Where the passenger is after an attempt to drop them off. */
// @ts-ignore: decorator
@inline
function droppedOff(cell: i32, passenger: i32): i32 {
  const place = placeAt(cell)
  return passenger == IN_TAXI && place >= 0 ? place : passenger
}

/** `u` is what was drawn in the rain. */
function moveTaxi(
  state: usize, c: Taxi, move: i32, cell: i32, passenger: i32, destination: i32, u: f64,
): void {
  let to = moved(cell, move)
  if (c.isRainy != 0) {
    const left = leftOf(move)
    const aside = (1.0 - c.rainyProbability) / 2.0
    // Who cannot go on does not drift. Left and right differ in the last bit: 0 and 1, 2 and 3.
    if (to != cell && u >= c.rainyProbability) to = moved(cell, u < c.rainyProbability + aside ? left : left ^ 1)
  }
  if (load<f64>(state, FICKLE) != 0 && passenger == IN_TAXI && to != cell) {
    store<f64>(state, 0, FICKLE)
    const other = <i32>(nextUniform(state) * 3)
    destination = other < destination ? other : other + 1
  }
  store<f64>(state, <f64>numberOf(to, passenger, destination))
}

export function observeTaxi(observation: usize, state: usize, rows: i32): void {
  observeNumber(observation, state, TAXI_STATE, STATES, rows)
}
