import { cos64, sin64 } from '../math/f64'
import { philox4, PURPOSE_RESET, uniform64 } from '../random'

/**
 * CartPole-v1 (Barto, Sutton & Anderson 1983, as in Gymnasium): a pole on a cart, pushed left or right.
 *
 *     state, a row: f64 [x (m), ẋ (m/s), θ (rad, 0 = upright), θ̇ (rad/s)]
 *     action: f32, 0 = push left, 1 = push right    reward: 1 a step
 */
export const CARTPOLE_STATE = 4

/** The constants as they lie in memory; src/envs/cartpole.ts has their defaults and units. */
@unmanaged
export class CartPole {
  gravity: f64
  cartMass: f64
  poleMass: f64
  halfLength: f64
  force: f64
  timeStep: f64
  positionLimit: f64
  angleLimit: f64
  resetRange: f64
}

export function resetCartPole(state: usize, c: CartPole, seedLo: u32, seedHi: u32): void {
  for (let i = 0; i < CARTPOLE_STATE; i++) {
    const words = philox4(i, 0, 0, PURPOSE_RESET, seedLo, seedHi)
    const u = uniform64(i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1))
    store<f64>(state + (i << 3), (2 * u - 1) * c.resetRange)
  }
}

/** One explicit Euler step of every row. The order of operations is Gymnasium's. */
export function stepCartPole(state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: CartPole): void {
  const totalMass = c.poleMass + c.cartMass
  const poleMoment = c.poleMass * c.halfLength
  for (let r = 0; r < rows; r++, state += 32) {
    const x = load<f64>(state), xDot = load<f64>(state, 8)
    const theta = load<f64>(state, 16), thetaDot = load<f64>(state, 24)
    const force = load<f32>(action + (r << 2)) == 1 ? c.force : -c.force
    const cos = cos64(theta)
    const sin = sin64(theta)

    const temp = (force + poleMoment * (thetaDot * thetaDot) * sin) / totalMass
    const thetaAcc = (c.gravity * sin - cos * temp) / (c.halfLength * (4.0 / 3.0 - (c.poleMass * (cos * cos)) / totalMass))
    const xAcc = temp - (poleMoment * thetaAcc * cos) / totalMass

    const xNext = x + c.timeStep * xDot
    const thetaNext = theta + c.timeStep * thetaDot
    store<f64>(state, xNext)
    store<f64>(state, xDot + c.timeStep * xAcc, 8)
    store<f64>(state, thetaNext, 16)
    store<f64>(state, thetaDot + c.timeStep * thetaAcc, 24)
    store<f64>(reward + (r << 3), 1)
    const ended = xNext < -c.positionLimit || xNext > c.positionLimit || thetaNext < -c.angleLimit || thetaNext > c.angleLimit
    store<u8>(terminated + r, ended ? 1 : 0)
  }
}

export function observeCartPole(observation: usize, state: usize, rows: i32): void {
  for (let i = 0, end = rows * CARTPOLE_STATE; i < end; i++) {
    store<f32>(observation + (i << 2), <f32>load<f64>(state + (i << 3)))
  }
}
