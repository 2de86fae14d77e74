import { clamp2, cos2, firsts2, promoted2, seconds2, storeEach2, storeFlags2 } from '../math/f64x2'
import { philox4, PURPOSE_RESET, uniform64 } from '../random'

/**
 * MountainCar-v0 (Moore 1990, as in Gymnasium): a car too weak for the hill sin 3x swings itself up.
 *
 *     state, a row: f64 [x (position), v (velocity, position a step)]
 *     action: f32, 0 = push left, 1 = coast, 2 = push right    reward: -1 a step
 */
export const MOUNTAIN_CAR_STATE = 2

/** The constants as they lie in memory; src/envs/mountain-car.ts has their defaults and units. */
@unmanaged
export class MountainCar {
  force: f64
  gravity: f64
  minPosition: f64
  maxPosition: f64
  speedLimit: f64
  goalPosition: f64
  goalVelocity: f64
  resetLow: f64
  resetHigh: f64
}

export function resetMountainCar(state: usize, c: MountainCar, seedLo: u32, seedHi: u32): void {
  resetCar(state, c.resetLow, c.resetHigh, seedLo, seedHi)
}

/** At rest, somewhere in [low, high). */
export function resetCar(state: usize, low: f64, high: f64, seedLo: u32, seedHi: u32): void {
  const words = philox4(0, 0, 0, PURPOSE_RESET, seedLo, seedHi)
  const u = uniform64(i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1))
  store<f64>(state, low + (high - low) * u)
  store<f64>(state, 0, 8)
}

/**
 * One step of every row, two at a time; an odd last row is computed in both lanes. The order of operations is
 * Gymnasium's.
 */
export function stepMountainCar(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: MountainCar,
): void {
  const push = f64x2.splat(c.force)
  const gravity = f64x2.splat(-c.gravity)
  const minPosition = f64x2.splat(c.minPosition)
  const maxPosition = f64x2.splat(c.maxPosition)
  const maxSpeed = f64x2.splat(c.speedLimit)
  const minSpeed = f64x2.splat(-c.speedLimit)
  const goalPosition = f64x2.splat(c.goalPosition)
  const goalVelocity = f64x2.splat(c.goalVelocity)
  if (rows <= 0) return
  let r = 0
  do {
    const other = min(r + 1, rows - 1)
    const a = state + (r << 4)
    const b = state + (other << 4)
    const rowA = v128.load(a), rowB = v128.load(b)
    const x = firsts2(rowA, rowB), v = seconds2(rowA, rowB)
    const direction = f64x2.sub(promoted2(action + (r << 2), action + (other << 2)), f64x2.splat(1))

    const slope = f64x2.mul(cos2(f64x2.mul(f64x2.splat(3), x)), gravity)
    const vFree = f64x2.add(v, f64x2.add(f64x2.mul(direction, push), slope))
    const vClipped = clamp2(vFree, minSpeed, maxSpeed)
    const xNext = clamp2(f64x2.add(x, vClipped), minPosition, maxPosition)
    const vNext = stopAtWall(vClipped, xNext, minPosition)
    v128.store(a, firsts2(xNext, vNext))
    v128.store(b, seconds2(xNext, vNext))
    storeEach2(reward + (r << 3), reward + (other << 3), f64x2.splat(-1))
    const ended = v128.and(f64x2.ge(xNext, goalPosition), f64x2.ge(vNext, goalVelocity))
    storeFlags2(terminated + r, terminated + other, ended)
    r += 2
  } while (r < rows) // the test at the end: see f64x2.ts
}

/** The wall on the left takes what is left of the velocity. */
// @ts-ignore: decorator
@inline
export function stopAtWall(v: v128, x: v128, wall: v128): v128 {
  const stopped = v128.and(f64x2.eq(x, wall), f64x2.lt(v, f64x2.splat(0)))
  return v128.andnot(v, stopped)
}

/** The state as float32. */
export function observeCar(observation: usize, state: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    v128.store64_lane(observation, f32x4.demote_f64x2_zero(v128.load(state)), 0)
    state += 16
    observation += 8
  }
}
