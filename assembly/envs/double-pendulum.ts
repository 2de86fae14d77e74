import { normal64, philox4, PURPOSE_RESET } from '../random'
import {
  add, both, control2, cos2, EXACT, farCos2, farSin2, firsts, isFar2, isShove2, LINEAR_SLOP, load2, MAX_ROTATION, mul,
  nudgedCos2, nudgedSin2, seconds, sin2, store2, storePair2, sub, turnedCos2, turnedSin2,
} from './box2d'

/**
 * rllab's double pendulum (Duan et al. 2016): two equal rods, the first one hung from the origin, the second one from
 * its end, and a motor between them that has to swing both up.
 *
 *     state, a row: f64 [θ1 (rad, 0 = hanging, to the world), θ̇1 (rad/s), θ2, θ̇2,
 *                        centres of the rods: X1, Y1 (m), Ẋ1, Ẏ1 (m/s), X2, Y2, Ẋ2, Ẏ2,
 *                        working space of a step: sin θ1, cos θ1, sin θ2, cos θ2]
 *     action: f32 in ±1, times `torque` (N m), on the second rod and against the first
 *     reward: -|tip - (0, 2 lengths)|
 *
 * The exact equations use the first four numbers; Box2D's bodies each have a place and a velocity of their own.
 */
export const DOUBLE_PENDULUM_STATE = 16
const ROW: usize = DOUBLE_PENDULUM_STATE << 3

/** The choice `tip`: 0 is where rllab sees it, left and right exchanged, 1 where it is. */
const CORRECTED: f64 = 1

/** The constants as they lie in memory; src/envs/double-pendulum.ts has their defaults and units. */
@unmanaged
export class DoublePendulum {
  physics: f64
  tip: f64
  gravity: f64
  density: f64
  linkWidth: f64
  linkLength: f64
  torque: f64
  timeStep: f64
  frames: f64
  positionIterations: f64
  resetAngle: f64
  resetSpeed: f64
}

/**
 * rllab's reset turns each rod about the place of its upper end in the hanging model, and leaves both centres at rest.
 */
export function resetDoublePendulum(state: usize, c: DoublePendulum, seedLo: u32, seedHi: u32): void {
  memory.fill(state, 0, ROW)
  const half = 0.5 * c.linkLength
  const angles = philox4(0, 0, 0, PURPOSE_RESET, seedLo, seedHi)
  const speeds = philox4(1, 0, 0, PURPOSE_RESET, seedLo, seedHi)
  for (let link = 0; link < 2; link++) {
    const theta = c.resetAngle * normal64(angles, link)
    const angle = both(theta)
    store<f64>(state + (link << 4), theta)
    store<f64>(state + (link << 4), c.resetSpeed * normal64(speeds, link), 8)
    const centre = state + (link << 5)
    store<f64>(centre, half * f64x2.extract_lane(sin2(angle), 0), 32)
    store<f64>(centre, -c.linkLength * <f64>link - half * f64x2.extract_lane(cos2(angle), 0), 40)
  }
}

/** Rows that go through Box2D's phases together: they stay in the first-level cache. */
const BLOCK = 64

/** `frames` frames of every row; the episode never ends. */
export function stepDoublePendulum(state: usize, action: usize, reward: usize, terminated: usize, rows: i32,
  c: DoublePendulum): void {
  if (c.physics == EXACT) {
    stepExact(state, action, reward, rows, c)
  } else {
    for (let first = 0; first < rows; first += BLOCK) {
      const open = terminated + first // until the end the place of the flags "joints not closed yet"
      const count = min(BLOCK, rows - first)
      stepBox2D(state + <usize>first * ROW, action + (first << 2), reward + (first << 3), open, count, c)
    }
  }
  memory.fill(terminated, 0, rows)
}

/** -|tip - (0, 2 lengths)| of a second rod that hangs from (x, y). */
// @ts-ignore: decorator
@inline
function rewardOf(x: v128, y: v128, sin: v128, cos: v128, c: DoublePendulum): v128 {
  const tipX = add(x, mul(both(c.tip == CORRECTED ? c.linkLength : -c.linkLength), sin))
  const tipY = sub(sub(y, mul(both(c.linkLength), cos)), both(2 * c.linkLength))
  return f64x2.neg(f64x2.sqrt(add(mul(tipX, tipX), mul(tipY, tipY))))
}

/**
 * The exact equations, with m the mass of a rod, L its length, l = L/2, I its moment of inertia about its centre,
 * A = I + m l² + m L², B = m L l, D = I + m l² and Δ = θ1 - θ2,
 *
 *     A θ̈1 + B cos Δ θ̈2 + B sin Δ θ̇2² + m g (l + L) sin θ1 = -τ
 *     B cos Δ θ̈1 + D θ̈2 - B sin Δ θ̇1² + m g l sin θ2 = τ
 *
 * and semi-implicit Euler steps: first the velocities, then the angles with the new velocities.
 */
function stepExact(state: usize, action: usize, reward: usize, rows: i32, c: DoublePendulum): void {
  const mass = c.density * c.linkWidth * c.linkLength
  const length = c.linkLength, half = 0.5 * length
  const D = mass * (c.linkWidth * c.linkWidth + length * length) / 12 + mass * half * half
  const A = D + mass * length * length
  const B = mass * length * half
  const weight1 = mass * c.gravity * (half + length), weight2 = mass * c.gravity * half
  const dt = both(c.timeStep)
  const frames = <i32>c.frames
  for (let r = 0; r < rows; r += 2) {
    const next: usize = r + 1 < rows ? 1 : 0 // the last row of an odd number stands in both lanes
    const p = state, q = state + next * ROW
    let theta1 = load2(p, q, 0), w1 = load2(p, q, 8)
    let theta2 = load2(p, q, 16), w2 = load2(p, q, 24)
    let sin1 = sin2(theta1), cos1 = cos2(theta1)
    let sin2nd = sin2(theta2), cos2nd = cos2(theta2)
    const torque = control2(action + (r << 2), action + (<usize>r + next << 2), c.torque)
    for (let frame = 0; frame < frames; frame++) {
      const coupling = mul(both(B), add(mul(cos1, cos2nd), mul(sin1, sin2nd)))
      const swing = mul(both(B), sub(mul(sin1, cos2nd), mul(cos1, sin2nd)))
      const on1 = sub(sub(f64x2.neg(torque), mul(swing, mul(w2, w2))), mul(both(weight1), sin1))
      const on2 = sub(add(torque, mul(swing, mul(w1, w1))), mul(both(weight2), sin2nd))
      const scale = f64x2.div(dt, sub(both(A * D), mul(coupling, coupling)))
      w1 = add(w1, mul(scale, sub(mul(both(D), on1), mul(coupling, on2))))
      w2 = add(w2, mul(scale, sub(mul(both(A), on2), mul(coupling, on1))))
      theta1 = add(theta1, mul(dt, w1))
      theta2 = add(theta2, mul(dt, w2))
      sin1 = sin2(theta1)
      cos1 = cos2(theta1)
      sin2nd = sin2(theta2)
      cos2nd = cos2(theta2)
    }
    store2(p, q, theta1, 0)
    store2(p, q, w1, 8)
    store2(p, q, theta2, 16)
    store2(p, q, w2, 24)
    const value = rewardOf(mul(both(length), sin1), mul(both(-length), cos1), sin2nd, cos2nd, c)
    store2(reward + (r << 3), reward + (<usize>r + next << 3), value, 0)
    state += 2 * ROW
  }
}

/**
 * Frames of Box2D 2.3, with the sequence of its impulses on the velocities summed up; stepBox2D of cart-and-pole.ts
 * explains the three parts. Each part runs over the whole block before the next one, so that the processor finds the
 * next rows' independent work while it waits for a row's long chains, and only rows that need another correction get
 * one: 1.25x.
 */
function stepBox2D(state: usize, action: usize, reward: usize, open: usize, rows: i32, c: DoublePendulum): void {
  const frames = <i32>c.frames, rounds = <i32>c.positionIterations
  findSines(state, rows)
  for (let frame = 0; frame < frames; frame++) {
    moveLinks(state, action, rows, c)
    turnLinks(state, rows, c)
    memory.fill(open, 1, rows)
    let left = rows
    for (let round = 0; round < rounds && left > 0; round++) left = closeJoints(state, open, rows, c)
  }
  const half = 0.5 * c.linkLength
  for (let r = 0; r < rows; r += 2) {
    const next: usize = r + 1 < rows ? 1 : 0
    const p = state + <usize>r * ROW, q = p + next * ROW
    const sin = load2(p, q, 112), cos = load2(p, q, 120)
    const x = sub(load2(p, q, 64), mul(both(half), sin)), y = add(load2(p, q, 72), mul(both(half), cos))
    store2(reward + (r << 3), reward + (<usize>r + next << 3), rewardOf(x, y, sin, cos, c), 0)
  }
}

function findSines(state: usize, rows: i32): void {
  for (let r = 0; r < rows; r++, state += ROW) {
    const angles = f64x2.replace_lane(v128.load64_splat(state), 1, load<f64>(state, 16))
    const sin = sin2(angles), cos = cos2(angles)
    v128.store(state, v128.shuffle<f64>(sin, cos, 0, 2), 96)
    v128.store(state, v128.shuffle<f64>(sin, cos, 1, 3), 112)
  }
}

/**
 * Velocities that both joints allow, and the bodies moved along them. With n = (cos θ, sin θ) of a link, V1 = l θ̇1 n1,
 * V2 = L θ̇1 n1 + l θ̇2 n2 and everything divided by m l², i = I/(m l²),
 *
 *     (5 + i) θ̇1 + 2 n1·n2 θ̇2 = i θ̇1' + n1·(V1' + 2 V2')/l - τ dt/(m l²)
 *     2 n1·n2 θ̇1 + (1 + i) θ̇2 = i θ̇2' + n2·V2'/l + τ dt/(m l²)         ' = before the joints, gravity included
 */
function moveLinks(state: usize, action: usize, rows: i32, c: DoublePendulum): void {
  const half = 0.5 * c.linkLength
  const i = (c.linkWidth * c.linkWidth + c.linkLength * c.linkLength) / (12 * half * half)
  const D = 1 + i, A = 5 + i
  const perHalf = both(1 / half)
  const torque = c.torque * c.timeStep / (c.density * c.linkWidth * c.linkLength * half * half)
  const maxSpeed = MAX_ROTATION / c.timeStep
  const dt = both(c.timeStep)
  const fall = both(c.timeStep * c.gravity)
  for (let r = 0; r < rows; r += 2) {
    const next: usize = r + 1 < rows ? 1 : 0
    const p = state + <usize>r * ROW, q = p + next * ROW
    const pA = v128.load(p, 96), qA = v128.load(q, 96), pB = v128.load(p, 112), qB = v128.load(q, 112)
    const sinA = firsts(pA, qA), cosA = seconds(pA, qA), sinB = firsts(pB, qB), cosB = seconds(pB, qB)
    const kick = control2(action + (r << 2), action + (<usize>r + next << 2), torque)

    const x2 = load2(p, q, 80), y2 = sub(load2(p, q, 88), fall)
    const x = add(load2(p, q, 48), add(x2, x2)), y = add(sub(load2(p, q, 56), fall), add(y2, y2))
    const along1 = mul(perHalf, add(mul(cosA, x), mul(sinA, y)))
    const along2 = mul(perHalf, add(mul(cosB, x2), mul(sinB, y2)))
    const momentum1 = sub(add(mul(both(i), load2(p, q, 8)), along1), kick)
    const momentum2 = add(add(mul(both(i), load2(p, q, 24)), along2), kick)
    const aligned = add(mul(cosA, cosB), mul(sinA, sinB))
    const coupling = add(aligned, aligned)
    const inverse = f64x2.div(both(1), sub(both(A * D), mul(coupling, coupling)))
    const allowed1 = mul(inverse, sub(mul(both(D), momentum1), mul(coupling, momentum2)))
    const allowed2 = mul(inverse, sub(mul(both(A), momentum2), mul(coupling, momentum1)))
    const v1 = mul(both(half), allowed1), v2 = mul(both(half), allowed2)
    const vx1 = mul(v1, cosA), vy1 = mul(v1, sinA)
    const vx2 = add(add(vx1, vx1), mul(v2, cosB)), vy2 = add(add(vy1, vy1), mul(v2, sinB))
    const w1 = f64x2.min(f64x2.max(allowed1, both(-maxSpeed)), both(maxSpeed))
    const w2 = f64x2.min(f64x2.max(allowed2, both(-maxSpeed)), both(maxSpeed))
    store2(p, q, w1, 8)
    store2(p, q, w2, 24)
    storePair2(p, q, vx1, vy1, 48)
    storePair2(p, q, vx2, vy2, 80)

    storePair2(p, q, add(load2(p, q, 32), mul(dt, vx1)), add(load2(p, q, 40), mul(dt, vy1)), 32)
    storePair2(p, q, add(load2(p, q, 64), mul(dt, vx2)), add(load2(p, q, 72), mul(dt, vy2)), 64)
  }
}

/** Angles along their velocities, sines and cosines with them; here the lanes are the two links of a row. */
function turnLinks(state: usize, rows: i32, c: DoublePendulum): void {
  const dt = both(c.timeStep)
  for (let r = 0; r < rows; r++, state += ROW) {
    const link1 = v128.load(state), link2 = v128.load(state, 16)
    const a = v128.load(state, 96), b = v128.load(state, 112)
    const sin = firsts(a, b), cos = seconds(a, b)
    const turn = mul(dt, seconds(link1, link2))
    const theta = add(firsts(link1, link2), turn)
    let sinNext = turnedSin2(sin, cos, turn), cosNext = turnedCos2(sin, cos, turn)
    const far = isFar2(turn)
    if (v128.any_true(far)) {
      sinNext = farSin2(theta, sinNext, far)
      cosNext = farCos2(theta, cosNext, far)
    }
    v128.store_lane<f64>(state, theta, 0)
    v128.store_lane<f64>(state, theta, 1, 16)
    v128.store(state, firsts(sinNext, cosNext), 96)
    v128.store(state, seconds(sinNext, cosNext), 112)
  }
}

/** The first row from r on whose joints are open, `rows` if there is none. */
// @ts-ignore: decorator
@inline
function nextOpen(open: usize, r: i32, rows: i32): i32 {
  while (r < rows && !load<u8>(open + r)) r++
  return r
}

/**
 * One round of corrections for every open row, two at a time: an impulse on the joint between the links, then one on
 * the joint with the world; returns how many rows are still open. With n = (cos θ, sin θ) of a link, κ = m l²/I and
 * Q = impulse/m,
 *
 *     lower joint   gap C = (X2 - X1, Y2 - Y1) - l (sin θ1 + sin θ2, -cos θ1 - cos θ2)     (2 + κ Σ nᵢ nᵢᵀ) Q = C
 *                   centres + Q, - Q     angles + (m l/I) nᵢ·Q
 *     upper joint   gap C = (X1, Y1) - l (sin θ1, -cos θ1)     (1 + κ n nᵀ) Q = C, so Q = C - κ/(1 + κ) (n·C) n
 *                   centre - Q           angle + (m l/I) n·Q
 */
function closeJoints(state: usize, open: usize, rows: i32, c: DoublePendulum): i32 {
  const length = c.linkLength, half = 0.5 * length
  const ratio = 12 * half / (c.linkWidth * c.linkWidth + length * length) // m l/I
  const kappa = ratio * half
  const slop = both(LINEAR_SLOP * LINEAR_SLOP)
  let left = 0
  for (let r = nextOpen(open, 0, rows); r < rows;) {
    const found = nextOpen(open, r + 1, rows)
    const other = found < rows ? found : r // the last row of an odd number stands in both lanes
    const p = state + <usize>r * ROW, q = state + <usize>other * ROW
    const pA = v128.load(p, 96), qA = v128.load(q, 96), pB = v128.load(p, 112), qB = v128.load(q, 112)
    const sinA = firsts(pA, qA), cosA = seconds(pA, qA), sinB = firsts(pB, qB), cosB = seconds(pB, qB)
    const p1 = v128.load(p, 32), q1 = v128.load(q, 32), p2 = v128.load(p, 64), q2 = v128.load(q, 64)
    const x1 = firsts(p1, q1), y1 = seconds(p1, q1), x2 = firsts(p2, q2), y2 = seconds(p2, q2)

    let gapX = sub(sub(x2, x1), mul(both(half), add(sinA, sinB)))
    let gapY = add(sub(y2, y1), mul(both(half), add(cosA, cosB)))
    const k11 = add(both(2), mul(both(kappa), add(mul(cosA, cosA), mul(cosB, cosB))))
    const k12 = mul(both(kappa), add(mul(sinA, cosA), mul(sinB, cosB)))
    const k22 = sub(both(4 + 2 * kappa), k11) // cos² + sin² = 1
    const scale = f64x2.div(both(1), sub(mul(k11, k22), mul(k12, k12)))
    const qx = mul(scale, sub(mul(k22, gapX), mul(k12, gapY)))
    const qy = mul(scale, sub(mul(k11, gapY), mul(k12, gapX)))
    storePair2(p, q, sub(x2, qx), sub(y2, qy), 64)
    let closed = f64x2.le(add(mul(gapX, gapX), mul(gapY, gapY)), slop)
    const turn1 = mul(both(ratio), add(mul(cosA, qx), mul(sinA, qy)))
    const turn2 = mul(both(ratio), add(mul(cosB, qx), mul(sinB, qy)))
    const theta1 = add(load2(p, q, 0), turn1), theta2 = add(load2(p, q, 16), turn2)
    let sin = nudgedSin2(sinA, cosA, turn1), cos = nudgedCos2(sinA, cosA, turn1)
    let sinLow = nudgedSin2(sinB, cosB, turn2), cosLow = nudgedCos2(sinB, cosB, turn2)
    const far1 = isShove2(turn1), far2 = isShove2(turn2)
    if (v128.any_true(v128.or(far1, far2))) {
      sin = farSin2(theta1, sin, far1)
      cos = farCos2(theta1, cos, far1)
      sinLow = farSin2(theta2, sinLow, far2)
      cosLow = farCos2(theta2, cosLow, far2)
    }
    store2(p, q, theta2, 16)
    storePair2(p, q, sinLow, cosLow, 112)

    const x = add(x1, qx), y = add(y1, qy)
    gapX = sub(x, mul(both(half), sin))
    gapY = add(y, mul(both(half), cos))
    closed = v128.and(closed, f64x2.le(add(mul(gapX, gapX), mul(gapY, gapY)), slop))
    const normal = add(mul(cos, gapX), mul(sin, gapY))
    const kept = mul(both(kappa / (1 + kappa)), normal)
    storePair2(p, q, add(sub(x, gapX), mul(kept, cos)), add(sub(y, gapY), mul(kept, sin)), 32)
    const turn = mul(both(ratio / (1 + kappa)), normal)
    const theta = add(theta1, turn)
    let sinUp = nudgedSin2(sin, cos, turn), cosUp = nudgedCos2(sin, cos, turn)
    const far = isShove2(turn)
    if (v128.any_true(far)) {
      sinUp = farSin2(theta, sinUp, far)
      cosUp = farCos2(theta, cosUp, far)
    }
    store2(p, q, theta, 0)
    storePair2(p, q, sinUp, cosUp, 96)

    const openP = <i32>i64x2.extract_lane(closed, 0) + 1, openQ = <i32>i64x2.extract_lane(closed, 1) + 1
    store<u8>(open + r, openP)
    store<u8>(open + other, openQ)
    left += openP + (other == r ? 0 : openQ)
    r = nextOpen(open, other + 1, rows)
  }
  return left
}

/** Writes sin θ1, cos θ1, θ̇1, sin θ2, cos θ2, θ̇2 of every row. */
export function observeDoublePendulum(observation: usize, state: usize, rows: i32): void {
  for (let r = 0; r < rows; r++, state += ROW, observation += 24) {
    const angles = load2(state, state, 0)
    const both1 = v128.replace_lane<f64>(angles, 1, load<f64>(state, 16))
    const sin = sin2(both1), cos = cos2(both1)
    store<f32>(observation, <f32>f64x2.extract_lane(sin, 0))
    store<f32>(observation, <f32>f64x2.extract_lane(cos, 0), 4)
    store<f32>(observation, <f32>load<f64>(state, 8), 8)
    store<f32>(observation, <f32>f64x2.extract_lane(sin, 1), 12)
    store<f32>(observation, <f32>f64x2.extract_lane(cos, 1), 16)
    store<f32>(observation, <f32>load<f64>(state, 24), 20)
  }
}
