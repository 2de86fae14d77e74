import { CART_AND_POLE_BYTES, CartAndPole, placeCartAndPole, stepCartAndPole, uniformStart } from './cart-and-pole'

/**
 * rllab's Cartpole Swing-Up (Tornio & Raiko 2006): swing the pole up and hold it. State and physics: cart-and-pole.ts.
 */
@unmanaged
export class CartpoleSwingup extends CartAndPole {
  positionLimit: f64
  resetPosition: f64
  resetVelocity: f64
  resetAngle: f64
  resetSpeed: f64
  endReward: f64
}

/** The pole starts within ± resetAngle of hanging. */
export function resetCartpoleSwingup(state: usize, c: CartpoleSwingup, seedLo: u32, seedHi: u32): void {
  const x = uniformStart(0, -c.resetPosition, c.resetPosition, seedLo, seedHi)
  const xDot = uniformStart(1, -c.resetVelocity, c.resetVelocity, seedLo, seedHi)
  const theta = uniformStart(2, Math.PI - c.resetAngle, Math.PI + c.resetAngle, seedLo, seedHi)
  const thetaDot = uniformStart(3, -c.resetSpeed, c.resetSpeed, seedLo, seedHi)
  placeCartAndPole(state, c, x, xDot, theta, thetaDot)
}

/** cos θ, and endReward on the step that leaves the track. */
export function stepCartpoleSwingup(state: usize, action: usize, reward: usize, terminated: usize, rows: i32,
  c: CartpoleSwingup): void {
  stepCartAndPole(state, action, reward, rows, c) // leaves cos θ in reward
  for (let r = 0; r < rows; r++) {
    const ended = abs(load<f64>(state + <usize>r * CART_AND_POLE_BYTES)) > c.positionLimit
    if (ended) store<f64>(reward + (r << 3), c.endReward)
    store<u8>(terminated + r, ended ? 1 : 0)
  }
}
