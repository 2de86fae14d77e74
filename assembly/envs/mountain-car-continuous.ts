import { clamp2, cos2, firsts2, promoted2, rounded2, seconds2, storeEach2, storeFlags2 } from '../math/f64x2'
import { resetCar, stopAtWall } from './mountain-car'

/**
 * MountainCarContinuous-v0 (Gymnasium): the car and the hill of MountainCar with a force of any size, paid for.
 *
 *     state, a row: f64 [x (position), v (velocity, position a step)], float32 after every step
 *     action: f32, the force wanted    reward: goalReward at the goal - actionCost action²
 */
export const MOUNTAIN_CAR_CONTINUOUS_STATE = 2

/** The constants as they lie in memory; src/envs/mountain-car-continuous.ts has their defaults and units. */
@unmanaged
export class MountainCarContinuous {
  power: f64
  gravity: f64
  forceLimit: f64
  minPosition: f64
  maxPosition: f64
  speedLimit: f64
  goalPosition: f64
  goalVelocity: f64
  goalReward: f64
  actionCost: f64
  resetLow: f64
  resetHigh: f64
}

export function resetMountainCarContinuous(state: usize, c: MountainCarContinuous, seedLo: u32, seedHi: u32): void {
  resetCar(state, c.resetLow, c.resetHigh, seedLo, seedHi)
}

/**
 * One step of every row, two at a time; an odd last row is computed in both lanes. The order of operations is
 * Gymnasium's, and so are its types under numpy 2: what is made of a float32 number and a constant is float32. A state
 * is float32 after every step, and the next step is taken in float32, limits included; only a state that float32 does
 * not hold, that of a reset, is stepped in float64. A force beyond the limit becomes the limit, a constant, and is
 * float64. What is paid is float64 and not clipped.
 */
export function stepMountainCarContinuous(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: MountainCarContinuous,
): void {
  const power = f64x2.splat(c.power)
  const gravity = f64x2.splat(c.gravity)
  const maxForce = f64x2.splat(c.forceLimit)
  const minForce = f64x2.splat(-c.forceLimit)
  const minPosition = f64x2.splat(c.minPosition)
  const maxPosition = f64x2.splat(c.maxPosition)
  const maxSpeed = f64x2.splat(c.speedLimit)
  const minSpeed = f64x2.splat(-c.speedLimit)
  const goalPosition = f64x2.splat(c.goalPosition)
  const goalVelocity = f64x2.splat(c.goalVelocity)
  const goalReward = f64x2.splat(c.goalReward)
  const actionCost = f64x2.splat(c.actionCost)
  if (rows <= 0) return
  let r = 0
  do {
    const other = min(r + 1, rows - 1)
    const a = state + (r << 4)
    const b = state + (other << 4)
    const rowA = v128.load(a), rowB = v128.load(b)
    const x = firsts2(rowA, rowB), v = seconds2(rowA, rowB)
    const wanted = promoted2(action + (r << 2), action + (other << 2))
    const single = v128.and(f64x2.eq(rounded2(x), x), f64x2.eq(rounded2(v), v))

    const slope = f64x2.mul(gravity, cos2(typed(single, f64x2.mul(f64x2.splat(3), x))))
    const given = f64x2.sub(rounded2(f64x2.mul(wanted, rounded2(power))), rounded2(slope))
    const limited = f64x2.sub(f64x2.mul(clamp2(wanted, minForce, maxForce), power), slope)
    const isBeyond = v128.or(f64x2.gt(wanted, rounded2(maxForce)), f64x2.lt(wanted, rounded2(minForce)))
    const push = v128.bitselect(typed(single, limited), rounded2(given), isBeyond)
    const vFree = typed(single, f64x2.add(v, push))
    const vClipped = clamp2(vFree, typed(single, minSpeed), typed(single, maxSpeed))
    const wall = typed(single, minPosition)
    const xNext = clamp2(typed(single, f64x2.add(x, vClipped)), wall, typed(single, maxPosition))
    const vNext = stopAtWall(vClipped, xNext, wall)
    v128.store(a, rounded2(firsts2(xNext, vNext)))
    v128.store(b, rounded2(seconds2(xNext, vNext)))
    const arrived = f64x2.ge(xNext, typed(single, goalPosition))
    const ended = v128.and(arrived, f64x2.ge(vNext, typed(single, goalVelocity)))
    const gain = v128.and(goalReward, ended)
    const cost = f64x2.mul(f64x2.mul(wanted, wanted), actionCost)
    storeEach2(reward + (r << 3), reward + (other << 3), f64x2.sub(gain, cost))
    storeFlags2(terminated + r, terminated + other, ended)
    r += 2
  } while (r < rows) // the test at the end: see f64x2.ts
}

/** x, rounded to float32 in the lanes of the mask. */
// @ts-ignore: decorator
@inline
function typed(single: v128, x: v128): v128 {
  return v128.bitselect(rounded2(x), x, single)
}
