import { philox4, PURPOSE_RESET, uniform64 } from '../random'
import {
  add, ANGULAR_SLOP, both, control2, cos2, EXACT, farCos2, farSin2, isFar2, LINEAR_SLOP, load2, MAX_ROTATION, mul, sin2,
  store2, sub, turnedCos2, turnedSin2,
} from './box2d'

/**
 * The cart and pole of rllab's two cart-pole tasks (Duan et al. 2016): a box on a rail, pushed by a force, and a rod
 * that turns about a pivot on top of it.
 *
 *     state, a row: f64 [x (m), ẋ (m/s), θ (rad, 0 = upright, > 0 leans to -x), θ̇ (rad/s),
 *                        centre of the pole: X, Y (m), Ẋ, Ẏ (m/s), height of the cart's centre y (m)]
 *     action: f32 in ±1, times `force` (N)
 *
 * The exact equations use the first four numbers; Box2D's bodies each have a place and a velocity of their own.
 */
export const CART_AND_POLE_STATE = 9
export const CART_AND_POLE_BYTES: usize = CART_AND_POLE_STATE << 3

/** The constants as they lie in memory; src/envs/cart-and-pole.ts has their defaults and units. */
@unmanaged
export class CartAndPole {
  physics: f64
  gravity: f64
  density: f64
  cartWidth: f64
  cartHeight: f64
  poleWidth: f64
  poleLength: f64
  railHeight: f64
  force: f64
  timeStep: f64
  positionIterations: f64
}

/** Component i of a start: uniform between low and high. */
export function uniformStart(i: i32, low: f64, high: f64, seedLo: u32, seedHi: u32): f64 {
  const words = philox4(i, 0, 0, PURPOSE_RESET, seedLo, seedHi)
  return low + (high - low) * uniform64(i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1))
}

/**
 * rllab's reset: cart and pole are put into the model's first place, then the cart is moved along and the pole turned
 * about its lower end. The pole does not come along with the cart and its centre is at rest: the first step pulls it
 * there.
 */
export function placeCartAndPole(state: usize, c: CartAndPole, x: f64, xDot: f64, theta: f64, thetaDot: f64): void {
  store<f64>(state, x)
  store<f64>(state, xDot, 8)
  store<f64>(state, theta, 16)
  store<f64>(state, thetaDot, 24)
  const half = 0.5 * c.poleLength
  const angle = both(theta)
  store<f64>(state, -half * f64x2.extract_lane(sin2(angle), 0), 32)
  store<f64>(state, c.cartHeight + half * f64x2.extract_lane(cos2(angle), 0), 40)
  store<f64>(state, 0, 48)
  store<f64>(state, 0, 56)
  store<f64>(state, 0.5 * c.cartHeight, 64)
}

/** One frame of every row; cosine[row] (f64) becomes the cosine of the new angle. */
export function stepCartAndPole(state: usize, action: usize, cosine: usize, rows: i32, c: CartAndPole): void {
  if (c.physics == EXACT) stepExact(state, action, cosine, rows, c)
  else stepBox2D(state, action, cosine, rows, c)
}

/**
 * The exact equations, with M, m the masses, l half the pole and I its moment of inertia about its centre,
 *
 *     (M + m) ẍ - m l cos θ θ̈ + m l sin θ θ̇² = F        -m l cos θ ẍ + (I + m l²) θ̈ - m g l sin θ = 0
 *
 * and a semi-implicit Euler step: first the velocities, then the places with the new velocities.
 */
function stepExact(state: usize, action: usize, cosine: usize, rows: i32, c: CartAndPole): void {
  const mass = c.density * c.poleWidth * c.poleLength
  const totalMass = c.density * c.cartWidth * c.cartHeight + mass
  const half = 0.5 * c.poleLength
  const moment = mass * half
  const inertia = mass * (c.poleWidth * c.poleWidth + c.poleLength * c.poleLength) / 12 + moment * half
  const dt = both(c.timeStep)
  for (let r = 0; r < rows; r += 2) {
    const next: usize = r + 1 < rows ? 1 : 0 // the last row of an odd number stands in both lanes
    const p = state, q = state + next * CART_AND_POLE_BYTES
    let x = load2(p, q, 0), xDot = load2(p, q, 8)
    let theta = load2(p, q, 16), thetaDot = load2(p, q, 24)
    const sin = sin2(theta), cos = cos2(theta)
    const force = control2(action + (r << 2), action + (<usize>r + next << 2), c.force)

    const coupling = mul(both(moment), cos)
    const push = sub(force, mul(mul(both(moment), sin), mul(thetaDot, thetaDot)))
    const weight = mul(both(moment * c.gravity), sin)
    const scale = f64x2.div(dt, sub(both(totalMass * inertia), mul(coupling, coupling)))
    xDot = add(xDot, mul(scale, add(mul(both(inertia), push), mul(coupling, weight))))
    thetaDot = add(thetaDot, mul(scale, add(mul(both(totalMass), weight), mul(coupling, push))))
    x = add(x, mul(dt, xDot))
    theta = add(theta, mul(dt, thetaDot))

    store2(p, q, x, 0)
    store2(p, q, xDot, 8)
    store2(p, q, theta, 16)
    store2(p, q, thetaDot, 24)
    store2(cosine + (r << 3), cosine + (<usize>r + next << 3), cos2(theta), 0)
    state += 2 * CART_AND_POLE_BYTES
  }
}

/**
 * A frame of Box2D 2.3, with the sequence of its impulses on the velocities summed up.
 *
 * 1. Velocities. Its eight rounds of impulses find the velocities nearest to v* = v + dt f/m, in the sense of momentum,
 *    that both joints allow at the angle before the step: (Jᵀ M J) q̇ = Jᵀ M v*. The same is solved here at once. v is
 *    what was allowed at the angle before that; the difference is lost, and with it energy.
 * 2. Places. Every body moves along a straight line, dt v, which tears the pivot apart.
 * 3. Up to `positionIterations` rounds of Newton's method put it together again: an impulse along the gap C moves cart
 *    and pole, P = -K⁻¹ C, K = Σ 1/m + rᵀr/I; then the rail puts the cart back. These moves leave no trace in the
 *    velocities.
 */
function stepBox2D(state: usize, action: usize, cosine: usize, rows: i32, c: CartAndPole): void {
  const cartMass = c.density * c.cartWidth * c.cartHeight
  const mass = c.density * c.poleWidth * c.poleLength
  const half = 0.5 * c.poleLength
  const inertia = mass * (c.poleWidth * c.poleWidth + c.poleLength * c.poleLength) / 12
  const top = 0.5 * c.cartHeight
  const inverseCart = 1 / cartMass, inverseMass = 1 / mass, inverseInertia = 1 / inertia
  const cartTurn = 12 * inverseCart / (c.cartWidth * c.cartWidth + c.cartHeight * c.cartHeight) * top
  const k = inverseCart + inverseMass
  const maxSpeed = MAX_ROTATION / c.timeStep
  const dt = both(c.timeStep)
  const rounds = <i32>c.positionIterations
  for (let r = 0; r < rows; r += 2) {
    const next: usize = r + 1 < rows ? 1 : 0
    const p = state, q = state + next * CART_AND_POLE_BYTES
    let theta = load2(p, q, 16)
    let sin = sin2(theta), cos = cos2(theta)
    const force = control2(action + (r << 2), action + (<usize>r + next << 2), c.force)

    // Ẋ = ẋ - l cos θ θ̇, Ẏ = -l sin θ θ̇
    const vx = load2(p, q, 48)
    const vy = sub(load2(p, q, 56), both(c.timeStep * c.gravity))
    const pushed = add(load2(p, q, 8), mul(both(c.timeStep * inverseCart), force))
    const momentum = add(mul(both(cartMass), pushed), mul(both(mass), vx))
    const angular = sub(mul(both(inertia), load2(p, q, 24)), mul(both(mass * half), add(mul(cos, vx), mul(sin, vy))))
    const coupling = mul(both(mass * half), cos)
    const determinant = sub(both((cartMass + mass) * (inertia + mass * half * half)), mul(coupling, coupling))
    const inverse = f64x2.div(both(1), determinant)
    const xDot = mul(inverse, add(mul(both(inertia + mass * half * half), momentum), mul(coupling, angular)))
    const allowed = mul(inverse, add(mul(both(cartMass + mass), angular), mul(coupling, momentum)))
    const across = sub(xDot, mul(mul(both(half), cos), allowed))
    const along = mul(mul(both(-half), sin), allowed)
    const thetaDot = f64x2.min(f64x2.max(allowed, both(-maxSpeed)), both(maxSpeed))
    store2(p, q, xDot, 8)
    store2(p, q, thetaDot, 24)
    store2(p, q, across, 48)
    store2(p, q, along, 56)

    let x = add(load2(p, q, 0), mul(dt, xDot))
    let y = load2(p, q, 64)
    let poleX = add(load2(p, q, 32), mul(dt, across))
    let poleY = add(load2(p, q, 40), mul(dt, along))
    let turn = mul(dt, thetaDot)
    let open = i64x2.splat(-1)
    for (let round = 0; ; round++) {
      theta = add(theta, turn)
      const sinNext = turnedSin2(sin, cos, turn), cosNext = turnedCos2(sin, cos, turn)
      const far = isFar2(turn)
      sin = sinNext
      cos = cosNext
      if (v128.any_true(far)) {
        sin = farSin2(theta, sin, far)
        cos = farCos2(theta, cos, far)
      }
      if (round == rounds || !v128.any_true(open)) break
      // the pivot on the pole is at r = l (sin θ, -cos θ) from its centre, that on the cart `top` above its centre
      const rx = mul(both(half), sin), ry = mul(both(-half), cos)
      const gapX = sub(add(poleX, rx), x)
      const gapY = sub(add(poleY, ry), add(y, both(top)))
      const k11 = add(both(k + cartTurn * top), mul(both(inverseInertia), mul(ry, ry)))
      const k12 = mul(both(-inverseInertia), mul(rx, ry))
      const k22 = add(both(k), mul(both(inverseInertia), mul(rx, rx)))
      const scale = f64x2.div(v128.and(open, both(-1)), sub(mul(k11, k22), mul(k12, k12)))
      const px = mul(scale, sub(mul(k22, gapX), mul(k12, gapY)))
      const py = mul(scale, sub(mul(k11, gapY), mul(k12, gapX)))
      x = sub(x, mul(both(inverseCart), px))
      poleX = add(poleX, mul(both(inverseMass), px))
      poleY = add(poleY, mul(both(inverseMass), py))
      turn = mul(both(inverseInertia), sub(mul(rx, py), mul(ry, px)))
      // what the rail takes back: the cart's height and its tilt
      const lift = sub(sub(y, mul(both(inverseCart), py)), both(c.railHeight))
      y = both(c.railHeight)
      const gap = add(mul(gapX, gapX), mul(gapY, gapY))
      const closed = v128.and(f64x2.le(gap, both(LINEAR_SLOP * LINEAR_SLOP)), v128.and(
        f64x2.le(f64x2.abs(lift), both(LINEAR_SLOP)), f64x2.le(f64x2.abs(mul(both(cartTurn), px)), both(ANGULAR_SLOP))))
      open = v128.andnot(open, closed)
    }
    store2(p, q, x, 0)
    store2(p, q, theta, 16)
    store2(p, q, poleX, 32)
    store2(p, q, poleY, 40)
    store2(p, q, y, 64)
    store2(cosine + (r << 3), cosine + (<usize>r + next << 3), cos, 0)
    state += 2 * CART_AND_POLE_BYTES
  }
}

/** Writes x, ẋ, θ, θ̇ of every row. */
export function observeCartAndPole(observation: usize, state: usize, rows: i32): void {
  for (let r = 0; r < rows; r++, state += CART_AND_POLE_BYTES, observation += 16) {
    const place = f32x4.demote_f64x2_zero(v128.load(state))
    v128.store(observation, v128.shuffle<f64>(place, f32x4.demote_f64x2_zero(v128.load(state, 16)), 0, 2))
  }
}
