import {
  areUsual2, clamp2, cos2, cosKernel2, cosOf2, cosOrHuge2, firsts2, promoted2, quarterTurns2, reduced2, reducedTail2,
  seconds2, sinKernel2, sinOf2, sinOrHuge2, storeEach2, storeFlags2,
} from '../math/f64x2'
import { PURPOSE_RESET, uniforms4Into } from '../random'

/**
 * Acrobot-v1 (Sutton 1996, as in Gymnasium): two links hang from a pivot, a torque on their joint swings the tip up.
 *
 *     state, a row: f64 [θ1 (rad, 0 = hanging), θ2 (rad, relative to link 1), θ̇1, θ̇2 (rad/s)]
 *     action: f32, 0 = -torque, 1 = none, 2 = torque    observation: f32 [cos θ1, sin θ1, cos θ2, sin θ2, θ̇1, θ̇2]
 *     reward: -1 a step, 0 on the step that ends
 */
export const ACROBOT_STATE = 4

const PI: f64 = 3.141592653589793
const TWO_PI: f64 = 6.283185307179586
const HALF_PI: f64 = 1.5707963267948966
/** Turns that `wrapped` takes off one by one, as Gymnasium does; no step of the task makes more than one. */
const TURNS: i32 = 8
/** The choice of equations, as in src/envs/acrobot.ts: those of the book or those of the NIPS paper. */
const NIPS: f64 = 1

/** The constants as they lie in memory; src/envs/acrobot.ts has their defaults and units. */
@unmanaged
export class Acrobot {
  gravity: f64
  length: f64
  mass1: f64
  mass2: f64
  centre1: f64
  centre2: f64
  inertia: f64
  torque: f64
  timeStep: f64
  speedLimit1: f64
  speedLimit2: f64
  goalHeight: f64
  resetRange: f64
  equations: f64
}

/** The initial state is float32, as in Gymnasium. */
export function resetAcrobot(state: usize, c: Acrobot, seedLo: u32, seedHi: u32): void {
  uniforms4Into(state, PURPOSE_RESET, seedLo, seedHi)
  for (let i = 0; i < ACROBOT_STATE; i++) {
    store<f64>(state + (i << 3), <f32>((2 * load<f64>(state + (i << 3)) - 1) * c.resetRange))
  }
}

/**
 * One step of the classical Runge-Kutta method for every row, two at a time; an odd last row is computed in both lanes.
 * The order of operations is Gymnasium's.
 */
export function stepAcrobot(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: Acrobot,
): void {
  const one = f64x2.splat(1)
  const torque = f64x2.splat(c.torque)
  if (rows <= 0) return
  let r = 0
  do {
    const other = min(r + 1, rows - 1)
    const a = state + (r << 5)
    const b = state + (other << 5)
    const direction = f64x2.sub(promoted2(action + (r << 2), action + (other << 2)), one)
    integrate(a, b, f64x2.mul(direction, torque), c)
    const angles = v128.load(a), anglesOther = v128.load(b)
    const theta1 = firsts2(angles, anglesOther), theta2 = seconds2(angles, anglesOther)
    const height = f64x2.sub(f64x2.neg(cos2(theta1)), cos2(f64x2.add(theta2, theta1)))
    const ended = f64x2.gt(height, f64x2.splat(c.goalHeight))
    storeEach2(reward + (r << 3), reward + (other << 3), v128.andnot(f64x2.splat(-1), ended))
    storeFlags2(terminated + r, terminated + other, ended)
    r += 2
  } while (r < rows) // the test at the end: see f64x2.ts
}

/** One step of the rows at a and at b under a constant torque. */
function integrate(a: usize, b: usize, torque: v128, c: Acrobot): void {
  const anglesA = v128.load(a), anglesB = v128.load(b)
  const speedsA = v128.load(a, 16), speedsB = v128.load(b, 16)
  const start1 = firsts2(anglesA, anglesB), start2 = seconds2(anglesA, anglesB)
  const startDot1 = firsts2(speedsA, speedsB), startDot2 = seconds2(speedsA, speedsB)
  let theta1 = start1, theta2 = start2, dot1 = startDot1, dot2 = startDot2
  // k1 + 2 k2 + 2 k3 + k4 of the four components
  let sum1 = f64x2.splat(0), sum2 = sum1, sumDot1 = sum1, sumDot2 = sum1
  let stage = 0
  do {
    const turns = quarterTurns2(theta2)
    const y = reduced2(theta2, turns)
    const tail = reducedTail2(theta2, turns, y)
    const sLeft = sinKernel2(y, tail), cLeft = cosKernel2(y, tail)
    let cosine2 = cosOf2(turns, sLeft, cLeft), sine2 = sinOf2(turns, sLeft, cLeft)
    if (!areUsual2(theta2)) {
      cosine2 = cosOrHuge2(theta2, cosine2)
      sine2 = sinOrHuge2(theta2, sine2)
    }
    const d1 = inertiaOfBoth(cosine2, c)
    const d2 = inertiaOfSecond(cosine2, c)
    const phi2 = f64x2.mul(f64x2.splat(c.mass2 * c.centre2 * c.gravity), fromHorizontal(f64x2.add(theta1, theta2)))
    const phi1 = loadOfBoth(theta1, sine2, dot1, dot2, phi2, c)
    const acceleration2 = accelerationOfSecond(torque, d1, d2, phi1, phi2, dot1, sine2, c)
    const acceleration1 = f64x2.div(f64x2.neg(f64x2.add(f64x2.mul(d2, acceleration2), phi1)), d1)

    const weight = f64x2.splat(stage == 1 || stage == 2 ? 2 : 1)
    sum1 = f64x2.add(sum1, f64x2.mul(weight, dot1))
    sum2 = f64x2.add(sum2, f64x2.mul(weight, dot2))
    sumDot1 = f64x2.add(sumDot1, f64x2.mul(weight, acceleration1))
    sumDot2 = f64x2.add(sumDot2, f64x2.mul(weight, acceleration2))
    const ahead = f64x2.splat(stage < 2 ? c.timeStep / 2 : c.timeStep)
    theta1 = f64x2.add(start1, f64x2.mul(ahead, dot1))
    theta2 = f64x2.add(start2, f64x2.mul(ahead, dot2))
    dot1 = f64x2.add(startDot1, f64x2.mul(ahead, acceleration1))
    dot2 = f64x2.add(startDot2, f64x2.mul(ahead, acceleration2))
  } while (++stage < 4)
  const sixth = f64x2.splat(c.timeStep / 6)
  theta1 = wrapped(f64x2.add(start1, f64x2.mul(sixth, sum1)))
  theta2 = wrapped(f64x2.add(start2, f64x2.mul(sixth, sum2)))
  const limit1 = c.speedLimit1
  const limit2 = c.speedLimit2
  dot1 = clamp2(f64x2.add(startDot1, f64x2.mul(sixth, sumDot1)), f64x2.splat(-limit1), f64x2.splat(limit1))
  dot2 = clamp2(f64x2.add(startDot2, f64x2.mul(sixth, sumDot2)), f64x2.splat(-limit2), f64x2.splat(limit2))
  v128.store(a, firsts2(theta1, theta2))
  v128.store(a, firsts2(dot1, dot2), 16)
  v128.store(b, seconds2(theta1, theta2))
  v128.store(b, seconds2(dot1, dot2), 16)
}

/** d1 = m1 lc1² + m2 (l1² + lc2² + 2 l1 lc2 cos θ2) + I1 + I2 */
// @ts-ignore: decorator
@inline
function inertiaOfBoth(cosine2: v128, c: Acrobot): v128 {
  const reach = f64x2.add(
    f64x2.splat(c.length * c.length + c.centre2 * c.centre2),
    f64x2.mul(f64x2.splat(2 * c.length * c.centre2), cosine2),
  )
  const links = f64x2.add(f64x2.splat(c.mass1 * (c.centre1 * c.centre1)), f64x2.mul(f64x2.splat(c.mass2), reach))
  return f64x2.add(f64x2.add(links, f64x2.splat(c.inertia)), f64x2.splat(c.inertia))
}

/** d2 = m2 (lc2² + l1 lc2 cos θ2) + I2 */
// @ts-ignore: decorator
@inline
function inertiaOfSecond(cosine2: v128, c: Acrobot): v128 {
  const reach = f64x2.add(f64x2.splat(c.centre2 * c.centre2), f64x2.mul(f64x2.splat(c.length * c.centre2), cosine2))
  return f64x2.add(f64x2.mul(f64x2.splat(c.mass2), reach), f64x2.splat(c.inertia))
}

/** cos(θ - π/2): the part of gravity across a link at this angle. */
// @ts-ignore: decorator
@inline
function fromHorizontal(theta: v128): v128 {
  return cos2(f64x2.sub(theta, f64x2.splat(HALF_PI)))
}

/** φ1 = -m2 l1 lc2 θ̇2² sin θ2 - 2 m2 l1 lc2 θ̇2 θ̇1 sin θ2 + (m1 lc1 + m2 l1) g cos(θ1 - π/2) + φ2 */
// @ts-ignore: decorator
@inline
function loadOfBoth(theta1: v128, sine2: v128, dot1: v128, dot2: v128, phi2: v128, c: Acrobot): v128 {
  const centrifugal = f64x2.mul(f64x2.mul(f64x2.splat(-c.mass2 * c.length * c.centre2), f64x2.mul(dot2, dot2)), sine2)
  const coriolis = f64x2.mul(
    f64x2.mul(f64x2.mul(f64x2.splat(2 * c.mass2 * c.length * c.centre2), dot2), dot1),
    sine2,
  )
  const weight = f64x2.splat((c.mass1 * c.centre1 + c.mass2 * c.length) * c.gravity)
  return f64x2.add(f64x2.add(f64x2.sub(centrifugal, coriolis), f64x2.mul(weight, fromHorizontal(theta1))), phi2)
}

/** θ̈2 = (τ + d2/d1 φ1 - m2 l1 lc2 θ̇1² sin θ2 - φ2) / (m2 lc2² + I2 - d2²/d1); the NIPS paper has no term in θ̇1². */
// @ts-ignore: decorator
@inline
function accelerationOfSecond(
  torque: v128, d1: v128, d2: v128, phi1: v128, phi2: v128, dot1: v128, sine2: v128, c: Acrobot,
): v128 {
  const given = f64x2.add(torque, f64x2.mul(f64x2.div(d2, d1), phi1))
  const pull = f64x2.mul(f64x2.mul(f64x2.splat(c.mass2 * c.length * c.centre2), f64x2.mul(dot1, dot1)), sine2)
  const left = f64x2.sub(c.equations == NIPS ? given : f64x2.sub(given, pull), phi2)
  const inertia = f64x2.splat(c.mass2 * (c.centre2 * c.centre2) + c.inertia)
  return f64x2.div(left, f64x2.sub(inertia, f64x2.div(f64x2.mul(d2, d2), d1)))
}

/** The angles brought back to [-π, π], turn by turn. */
// @ts-ignore: decorator
@inline
function wrapped(theta: v128): v128 {
  if (!v128.any_true(isOutside(theta))) return theta
  return unwound(theta)
}

// @ts-ignore: decorator
@inline
function isOutside(theta: v128): v128 {
  return f64x2.gt(f64x2.abs(theta), f64x2.splat(PI))
}

function unwound(theta: v128): v128 {
  const turn = f64x2.splat(TWO_PI)
  for (let k = 0; k < TURNS; k++) {
    const over = f64x2.gt(theta, f64x2.splat(PI))
    const under = f64x2.lt(theta, f64x2.splat(-PI))
    theta = f64x2.add(f64x2.sub(theta, v128.and(turn, over)), v128.and(turn, under))
  }
  // Farther away than any step leads: all at once, or the loop might never end. Infinity becomes NaN.
  const turns = f64x2.nearest(f64x2.div(theta, turn))
  return v128.bitselect(f64x2.sub(theta, f64x2.mul(turns, turn)), theta, isOutside(theta))
}

/** [cos θ1, sin θ1, cos θ2, sin θ2, θ̇1, θ̇2] as float32. */
export function observeAcrobot(observation: usize, state: usize, rows: i32): void {
  if (rows <= 0) return
  do {
    const angles = v128.load(state)
    const turns = quarterTurns2(angles)
    const y = reduced2(angles, turns)
    const tail = reducedTail2(angles, turns, y)
    const sLeft = sinKernel2(y, tail), cLeft = cosKernel2(y, tail)
    let cos = cosOf2(turns, sLeft, cLeft), sin = sinOf2(turns, sLeft, cLeft)
    if (!areUsual2(angles)) {
      cos = cosOrHuge2(angles, cos)
      sin = sinOrHuge2(angles, sin)
    }
    const both = v128.shuffle<f32>(f32x4.demote_f64x2_zero(cos), f32x4.demote_f64x2_zero(sin), 0, 4, 1, 5)
    v128.store(observation, both)
    v128.store64_lane(observation, f32x4.demote_f64x2_zero(v128.load(state, 16)), 0, 16)
    state += 32
    observation += 24
  } while (--rows)
}
