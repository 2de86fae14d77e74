import { demote4 } from '../math/f32x4'
import {
  areSmall2, cos2, cosSmall2, firsts2, promoted2, seconds2, sin2, sinSmall2, storeEach2, storeFlags2,
} from '../math/f64x2'
import { PURPOSE_RESET, uniforms4Into } from '../random'

/**
 * CartPole-v1 (Barto, Sutton & Anderson 1983, as in Gymnasium): a pole on a cart, pushed left or right.
 *
 *     state, a row: f64 [x (m), ẋ (m/s), θ (rad, 0 = upright), θ̇ (rad/s)]
 *     action: f32, 0 = push left, 1 = push right
 *     reward: 1 a step; as Sutton and Barto have it 0 a step and -1 on the step that ends
 */
export const CARTPOLE_STATE = 4

/**
 * The choice of integrators, as in src/envs/cartpole.ts: explicit Euler, or positions that move with the new
 * velocities.
 */
const SEMI_IMPLICIT: f64 = 1

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
  kinematicsIntegrator: f64
  suttonBartoReward: f64
}

export function resetCartPole(state: usize, c: CartPole, seedLo: u32, seedHi: u32): void {
  uniforms4Into(state, PURPOSE_RESET, seedLo, seedHi)
  for (let i = 0; i < CARTPOLE_STATE; i++) {
    store<f64>(state + (i << 3), (2 * load<f64>(state + (i << 3)) - 1) * c.resetRange)
  }
}

/**
 * One Euler step of every row, two at a time. The order of operations is Gymnasium's. Where rows are odd in
 * number the last one is computed in both lanes and written twice.
 */
export function stepCartPole(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: CartPole,
): void {
  const totalMass = f64x2.splat(c.poleMass + c.cartMass)
  const poleMoment = f64x2.splat(c.poleMass * c.halfLength)
  const poleMass = f64x2.splat(c.poleMass)
  const halfLength = f64x2.splat(c.halfLength)
  const gravity = f64x2.splat(c.gravity)
  const push = f64x2.splat(c.force)
  const timeStep = f64x2.splat(c.timeStep)
  const positionLimit = f64x2.splat(c.positionLimit)
  const angleLimit = f64x2.splat(c.angleLimit)
  const one = f64x2.splat(1)
  const isSemiImplicit = i64x2.splat(c.kinematicsIntegrator == SEMI_IMPLICIT ? -1 : 0)
  const isSuttonBarto = i64x2.splat(c.suttonBartoReward != 0 ? -1 : 0)
  if (rows <= 0) return
  let r = 0
  do {
    const other = min(r + 1, rows - 1)
    const a = state + (r << 5)
    const b = state + (other << 5)
    const movesA = v128.load(a), movesB = v128.load(b)
    const anglesA = v128.load(a, 16), anglesB = v128.load(b, 16)
    const x = firsts2(movesA, movesB), xDot = seconds2(movesA, movesB)
    const theta = firsts2(anglesA, anglesB), thetaDot = seconds2(anglesA, anglesB)
    const right = f64x2.eq(promoted2(action + (r << 2), action + (other << 2)), one)
    const force = v128.bitselect(push, f64x2.neg(push), right)
    let sin = sinSmall2(theta)
    let cos = cosSmall2(theta)
    if (!areSmall2(theta)) { // the pole has fallen long ago
      sin = sinFar(theta)
      cos = cosFar(theta)
    }

    const swing = f64x2.mul(f64x2.mul(poleMoment, f64x2.mul(thetaDot, thetaDot)), sin)
    const temp = f64x2.div(f64x2.add(force, swing), totalMass)
    const poleShare = f64x2.div(f64x2.mul(poleMass, f64x2.mul(cos, cos)), totalMass)
    const thetaAcc = f64x2.div(
      f64x2.sub(f64x2.mul(gravity, sin), f64x2.mul(cos, temp)),
      f64x2.mul(halfLength, f64x2.sub(f64x2.splat(4.0 / 3.0), poleShare)),
    )
    const xAcc = f64x2.sub(temp, f64x2.div(f64x2.mul(f64x2.mul(poleMoment, thetaAcc), cos), totalMass))

    const xDotNext = f64x2.add(xDot, f64x2.mul(timeStep, xAcc))
    const thetaDotNext = f64x2.add(thetaDot, f64x2.mul(timeStep, thetaAcc))
    const xNext = f64x2.add(x, f64x2.mul(timeStep, v128.bitselect(xDotNext, xDot, isSemiImplicit)))
    const thetaNext = f64x2.add(theta, f64x2.mul(timeStep, v128.bitselect(thetaDotNext, thetaDot, isSemiImplicit)))
    v128.store(a, firsts2(xNext, xDotNext))
    v128.store(a, firsts2(thetaNext, thetaDotNext), 16)
    v128.store(b, seconds2(xNext, xDotNext))
    v128.store(b, seconds2(thetaNext, thetaDotNext), 16)
    const ended = v128.or(
      f64x2.gt(f64x2.abs(xNext), positionLimit),
      f64x2.gt(f64x2.abs(thetaNext), angleLimit),
    )
    const lost = v128.and(f64x2.neg(one), ended)
    storeEach2(reward + (r << 3), reward + (other << 3), v128.bitselect(lost, one, isSuttonBarto))
    storeFlags2(terminated + r, terminated + other, ended)
    r += 2
  } while (r < rows) // the test at the end: see f64x2.ts
}

// Calls, so that what is seldom needed takes no registers from the loop.
function sinFar(theta: v128): v128 {
  return sin2(theta)
}

function cosFar(theta: v128): v128 {
  return cos2(theta)
}

/** The state as float32. */
export function observeCartPole(observation: usize, state: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    v128.store(observation, demote4(v128.load(state), v128.load(state, 16)))
    state += 32
    observation += 16
  }
}
