import {
  areUsual2, clamp2, cosKernel2, cosOf2, cosOrHuge2, firsts2, nearest2, promoted2, quarterTurns2, reduced2,
  reducedTail2, rounded2, seconds2, sin2, sinKernel2, sinOf2, sinOrHuge2, storeEach2,
} from '../math/f64x2'
import { squares2 } from '../math/powf'
import { philox4, PURPOSE_RESET, uniform64 } from '../random'

/**
 * Pendulum-v1 (Gymnasium): swing a rod up and hold it with a torque too weak to lift it at once.
 *
 *     state, a row: f64 [θ (rad, 0 = up, not wrapped), θ̇ (rad/s)]
 *     action: f32, the torque wanted (N m)    observation: f32 [cos θ, sin θ, θ̇]
 *     reward: -(wrapped θ² + speedCost θ̇² + torqueCost u²), of the state before the step. Never ends by itself.
 *
 * The state is float64. What numpy 2 makes of the torque alone is float32, as the torque is: its limit, 3/(m l²) u and
 * torqueCost u².
 */
export const PENDULUM_STATE = 2

const TWO_PI: f64 = 6.283185307179586
// 2 pi as a double in two parts: their products with a whole number below 2^26 are exact
const TWO_PI_HI: f64 = 6.283185243606567
const TWO_PI_LO: f64 = 6.357301884918343e-8

/** The constants as they lie in memory; src/envs/pendulum.ts has their defaults and units. */
@unmanaged
export class Pendulum {
  gravity: f64
  mass: f64
  length: f64
  timeStep: f64
  speedLimit: f64
  torqueLimit: f64
  speedCost: f64
  torqueCost: f64
  resetAngle: f64
  resetSpeed: f64
}

export function resetPendulum(state: usize, c: Pendulum, seedLo: u32, seedHi: u32): void {
  const words = philox4(0, 0, 0, PURPOSE_RESET, seedLo, seedHi)
  const u0 = uniform64(i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1))
  const u1 = uniform64(i32x4.extract_lane(words, 2), i32x4.extract_lane(words, 3))
  store<f64>(state, (2 * u0 - 1) * c.resetAngle)
  store<f64>(state, (2 * u1 - 1) * c.resetSpeed, 8)
}

/**
 * One step of every row, two at a time; an odd last row is computed in both lanes. The order of operations is
 * Gymnasium's.
 */
export function stepPendulum(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: Pendulum,
): void {
  const fall = f64x2.splat((3 * c.gravity) / (2 * c.length))
  const lift = rounded2(f64x2.splat(3.0 / (c.mass * (c.length * c.length))))
  const timeStep = f64x2.splat(c.timeStep)
  const maxSpeed = f64x2.splat(c.speedLimit)
  const minSpeed = f64x2.splat(-c.speedLimit)
  const maxTorque = rounded2(f64x2.splat(c.torqueLimit))
  const minTorque = f64x2.neg(maxTorque)
  const speedCost = f64x2.splat(c.speedCost)
  const torqueCost = rounded2(f64x2.splat(c.torqueCost))
  if (rows <= 0) return
  let r = 0
  do {
    const other = min(r + 1, rows - 1)
    const a = state + (r << 4)
    const b = state + (other << 4)
    const rowA = v128.load(a), rowB = v128.load(b)
    const theta = firsts2(rowA, rowB), thetaDot = seconds2(rowA, rowB)
    const u = clamp2(promoted2(action + (r << 2), action + (other << 2)), minTorque, maxTorque)

    const angle = wrapped(theta)
    const angleCost = f64x2.add(f64x2.mul(angle, angle), f64x2.mul(speedCost, f64x2.mul(thetaDot, thetaDot)))
    const cost = f64x2.add(angleCost, rounded2(f64x2.mul(torqueCost, squares2(u))))

    const acceleration = f64x2.add(f64x2.mul(fall, sin2(theta)), rounded2(f64x2.mul(lift, u)))
    const thetaDotNext = clamp2(f64x2.add(thetaDot, f64x2.mul(acceleration, timeStep)), minSpeed, maxSpeed)
    const thetaNext = f64x2.add(theta, f64x2.mul(thetaDotNext, timeStep))
    v128.store(a, firsts2(thetaNext, thetaDotNext))
    v128.store(b, seconds2(thetaNext, thetaDotNext))
    storeEach2(reward + (r << 3), reward + (other << 3), f64x2.neg(cost))
    r += 2
  } while (r < rows) // the test at the end: see f64x2.ts
  memory.fill(terminated, 0, rows)
}

/** θ in [-π, π], for |θ| < 2²⁶ turns. */
// @ts-ignore: decorator
@inline
function wrapped(theta: v128): v128 {
  const turns = nearest2(f64x2.mul(theta, f64x2.splat(1.0 / TWO_PI)))
  return f64x2.sub(f64x2.sub(theta, f64x2.mul(turns, f64x2.splat(TWO_PI_HI))), f64x2.mul(turns, f64x2.splat(TWO_PI_LO)))
}

/** [cos θ, sin θ, θ̇] as float32. */
export function observePendulum(observation: usize, state: usize, rows: i32): void {
  if (rows <= 0) return
  let r = 0
  do {
    const other = min(r + 1, rows - 1)
    const rowA = v128.load(state + (r << 4)), rowB = v128.load(state + (other << 4))
    const theta = firsts2(rowA, rowB)
    const turns = quarterTurns2(theta)
    const y = reduced2(theta, turns)
    const tail = reducedTail2(theta, turns, y)
    const s = sinKernel2(y, tail), c = cosKernel2(y, tail)
    let cos = cosOf2(turns, s, c), sin = sinOf2(turns, s, c)
    if (!areUsual2(theta)) {
      cos = cosOrHuge2(theta, cos)
      sin = sinOrHuge2(theta, sin)
    }
    const both = v128.shuffle<f32>(f32x4.demote_f64x2_zero(cos), f32x4.demote_f64x2_zero(sin), 0, 4, 1, 5)
    const speed = f32x4.demote_f64x2_zero(seconds2(rowA, rowB))
    const a = observation + r * 12
    const b = observation + other * 12
    v128.store64_lane(a, both, 0)
    v128.store32_lane(a, speed, 0, 8)
    v128.store64_lane(b, both, 1)
    v128.store32_lane(b, speed, 1, 8)
    r += 2
  } while (r < rows) // the test at the end: see f64x2.ts
}
