import { actionBelow, nextUniform, nextUniforms, observeNumber, TABULAR_STATE, wholeBelow } from './tabular'

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

// The cells of the places red, green, yellow and blue, a byte each; none is the taxi.
const PLACES: u64 = 0xff17140400
// Cells, a bit each, between which and the one east of them no wall stands.
const OPEN = 0b01010_01010_01111_01101_01101
// How far a move goes, a byte each; picking up and dropping off go nowhere.
const MOVES: u64 = 0x0000ff01fb05

/**
 * The cell that an action leads to: the same one where there is a wall or the border. Here and below no branch follows
 * the action, which the processor cannot guess: 1.4 times as fast.
 */
// @ts-ignore: decorator
@inline
function moved(cell: i32, action: i32): i32 {
  const isFree = (<i32>(action == 0) & <i32>(cell < SIDE * (SIDE - 1))) | (<i32>(action == 1) & <i32>(cell >= SIDE))
    | (<i32>(action == 2) & (OPEN >> cell)) | (<i32>(action == 3) & (OPEN << 1 >> cell))
  return cell + isFree * <i32><i8>(MOVES >> (action << 3))
}

/** Left of a move: east of south, west of north, north of east, south of west. */
// @ts-ignore: decorator
@inline
function leftOf(move: i32): i32 {
  return move == 0 ? 2 : move == 1 ? 3 : move == 2 ? 1 : 0
}

/**
 * Anywhere, with a passenger at one of the places who wants to go to another; u is the first number that the row has
 * drawn.
 */
export function placeTaxi(state: usize, c: Taxi, u: f64): void {
  const k = <i32>(u * <f64>(SIDE * SIDE * 12))
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
    const to = c.isRainy != 0 ? drifted(c, cell, act, load<f64>(reward + (<usize>r << 3))) : moved(cell, act)
    const isPickedUp = <i32>(act == 4) & <i32>(cell == <i32>((PLACES >> (passenger << 3)) & 255))
    const place = placeAt(cell)
    const isDroppedOff = <i32>(act == 5) & <i32>(passenger == IN_TAXI) & <i32>(place >= 0)
    const isDelivered = isDroppedOff & <i32>(place == destination)
    const isIllegal = <i32>(act > 3) & ~(isPickedUp | isDroppedOff)
    const next = passenger + isPickedUp * (IN_TAXI - passenger) + isDroppedOff * (place - passenger)
    const isTurned = load<f64>(state, FICKLE) != 0 && passenger == IN_TAXI && to != cell
    store<f64>(state, <f64>numberOf(to, next, isTurned ? otherThan(destination, state) : destination))
    store<f64>(reward + (<usize>r << 3), rewardOf(c, isDelivered + 2 * isIllegal))
    store<u8>(terminated + r, isDelivered)
  }
}

/** The place at a cell, negative where there is none. */
// @ts-ignore: decorator
@inline
function placeAt(cell: i32): i32 {
  return <i32>(cell == 0) + 2 * <i32>(cell == 4) + 3 * <i32>(cell == 20) + 4 * <i32>(cell == 23) - 1
}

/** The reward of a step, of a delivery or of an illegal action, by its place among the constants. */
// @ts-ignore: decorator
@inline
function rewardOf(c: Taxi, k: i32): f64 {
  return load<f64>(changetype<usize>(c) + (<usize>k << 3), offsetof<Taxi>('stepReward'))
}

/** Where an action leads in the rain; u is what was drawn. */
function drifted(c: Taxi, cell: i32, action: i32, u: f64): i32 {
  const to = moved(cell, action)
  // Who cannot go on does not drift. Left and right differ in the last bit: 0 and 1, 2 and 3.
  if (to == cell || u < c.rainyProbability) return to
  const left = leftOf(action)
  const aside = (1.0 - c.rainyProbability) / 2.0
  return moved(cell, u < c.rainyProbability + aside ? left : left ^ 1)
}

/** The destination that a fickle passenger changes to, at their only change. */
function otherThan(destination: i32, state: usize): i32 {
  store<f64>(state, 0, FICKLE)
  const other = <i32>(nextUniform(state) * 3)
  return other < destination ? other : other + 1
}

export function observeTaxi(observation: usize, state: usize, rows: i32): void {
  observeNumber(observation, state, TAXI_STATE, STATES, rows)
}
