import { CART_AND_POLE_BYTES, CartAndPole, placeCartAndPole, stepCartAndPole, uniformStart } from './cart-and-pole'

/** rllab's Cartpole: balance the pole. State and physics: cart-and-pole.ts. */
@unmanaged
export class RllabCartpole extends CartAndPole {
  positionLimit: f64
  angleLimit: f64
  resetPosition: f64
  resetVelocity: f64
  resetAngle: f64
  resetSpeed: f64
  liveReward: f64
  forceCost: f64
}

export function resetRllabCartpole(state: usize, c: RllabCartpole, seedLo: u32, seedHi: u32): void {
  const x = uniformStart(0, -c.resetPosition, c.resetPosition, seedLo, seedHi)
  const xDot = uniformStart(1, -c.resetVelocity, c.resetVelocity, seedLo, seedHi)
  const theta = uniformStart(2, -c.resetAngle, c.resetAngle, seedLo, seedHi)
  const thetaDot = uniformStart(3, -c.resetSpeed, c.resetSpeed, seedLo, seedHi)
  placeCartAndPole(state, c, x, xDot, theta, thetaDot)
}

/** liveReward - (1 - cos θ) - forceCost F² while the pole stands, 0 on the step that ends the episode. */
export function stepRllabCartpole(state: usize, action: usize, reward: usize, terminated: usize, rows: i32,
  c: RllabCartpole): void {
  stepCartAndPole(state, action, reward, rows, c) // leaves cos θ in reward
  for (let r = 0; r < rows; r++) {
    const row = state + <usize>r * CART_AND_POLE_BYTES
    const ended = abs(load<f64>(row)) > c.positionLimit || abs(load<f64>(row, 16)) > c.angleLimit
    const force = max(-1.0, min(1.0, <f64>load<f32>(action + (r << 2)))) * c.force
    const standing = c.liveReward - (1 - load<f64>(reward + (r << 3))) - c.forceCost * (force * force)
    store<f64>(reward + (r << 3), ended ? 0 : standing)
    store<u8>(terminated + r, ended ? 1 : 0)
  }
}
