import { solve } from './linear.ts'

/** Slow and obvious twins of the rllab tasks in float64: any plane mechanism, with dense matrices. */
export interface RigidBody {
  x: number
  y: number
  angle: number
  vx: number
  vy: number
  w: number
  readonly mass: number
  readonly inertia: number
}

export const rectangle = (mass: number, width: number, height: number) => (mass * (width ** 2 + height ** 2)) / 12

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0)

/**
 * A joint: what its coordinates are off by, their derivatives by (x, y, angle) of every body, and when it is content.
 */
export interface JointTwin {
  gap(bodies: readonly RigidBody[]): number[]
  jacobian(bodies: readonly RigidBody[]): number[][]
  isClosed(gap: readonly number[]): boolean
}

type Point = readonly [number, number]
const turned = ([x, y]: Point, angle: number): Point => [
  Math.cos(angle) * x - Math.sin(angle) * y,
  Math.sin(angle) * x + Math.cos(angle) * y,
]

/**
 * Point b of body j lies on point a of body i, or of the world if i is -1. Points are seen from the bodies' centres.
 */
export function pin(i: number, a: Point, j: number, b: Point): JointTwin {
  const arm = (bodies: readonly RigidBody[], k: number, point: Point) =>
    k < 0 ? point : turned(point, bodies[k].angle)
  return {
    gap(bodies) {
      const [ax, ay] = arm(bodies, i, a)
      const [bx, by] = arm(bodies, j, b)
      const from = i < 0 ? { x: 0, y: 0 } : bodies[i]
      return [bodies[j].x + bx - from.x - ax, bodies[j].y + by - from.y - ay]
    },
    jacobian(bodies) {
      const rows = [0, 1].map(() => Array<number>(3 * bodies.length).fill(0))
      const put = (k: number, point: Point, sign: number) => {
        const [rx, ry] = arm(bodies, k, point)
        rows[0][3 * k] = rows[1][3 * k + 1] = sign
        rows[0][3 * k + 2] = -sign * ry
        rows[1][3 * k + 2] = sign * rx
      }
      if (i >= 0) put(i, a, -1)
      put(j, b, 1)
      return rows
    },
    isClosed: (gap) => Math.hypot(...gap) <= 0.005,
  }
}

/** Body i keeps its height and does not turn. */
export const rail = (i: number, height: number): JointTwin => ({
  gap: (bodies) => [bodies[i].y - height, bodies[i].angle],
  jacobian: (bodies) =>
    [1, 2].map((k) => Array.from({ length: 3 * bodies.length }, (_, c) => (c === 3 * i + k ? 1 : 0))),
  isClosed: ([y, angle]) => Math.abs(y) <= 0.005 && Math.abs(angle) <= (2 * Math.PI) / 180,
})

const velocities = (bodies: readonly RigidBody[]) => bodies.flatMap(({ vx, vy, w }) => [vx, vy, w])
const inverses = (bodies: readonly RigidBody[]) =>
  bodies.flatMap(({ mass, inertia }) => [1 / mass, 1 / mass, 1 / inertia])

/** W Jᵀ λ with (J W Jᵀ) λ = -gap: the smallest move, weighed by mass, that closes the gap to first order. */
function closing(J: readonly (readonly number[])[], W: readonly number[], gap: readonly number[]): number[] {
  const JW = J.map((row) => row.map((x, k) => x * W[k]))
  const lambda = solve(
    J.map((row) => JW.map((other) => dot(row, other))),
    gap.map((x) => -x),
  )
  return W.map((_, k) => lambda.reduce((sum, l, i) => sum + l * JW[i][k], 0))
}

/**
 * One frame of Box2D: velocities after `forces` [x, y, torque of each body] and gravity that all joints allow together,
 * a straight move, and rounds of corrections joint by joint.
 */
export function frame(
  bodies: RigidBody[],
  joints: readonly JointTwin[],
  forces: readonly number[],
  { dt, gravity, rounds }: { dt: number; gravity: number; rounds: number },
): void {
  const W = inverses(bodies)
  const free = velocities(bodies).map((v, k) => v + dt * (W[k] * forces[k] - (k % 3 === 1 ? gravity : 0)))
  const J = joints.flatMap((joint) => joint.jacobian(bodies))
  const change = closing(
    J,
    W,
    J.map((row) => dot(row, free)),
  )
  bodies.forEach((body, i) => {
    const [vx, vy, w] = [0, 1, 2].map((k) => free[3 * i + k] + change[3 * i + k])
    const limit = Math.PI / 2 / dt
    body.vx = vx
    body.vy = vy
    body.w = Math.max(-limit, Math.min(limit, w))
    move(body, dt * body.vx, dt * body.vy, dt * body.w)
  })
  for (let round = 0; round < rounds; round++) {
    const closed = joints.map((joint) => {
      const gap = joint.gap(bodies)
      const moves = closing(joint.jacobian(bodies), W, gap)
      bodies.forEach((body, i) => {
        move(body, moves[3 * i], moves[3 * i + 1], moves[3 * i + 2])
      })
      return joint.isClosed(gap)
    })
    if (closed.every(Boolean)) break
  }
}

function move(body: RigidBody, x: number, y: number, angle: number): void {
  body.x += x
  body.y += y
  body.angle += angle
}

/** A mechanism in coordinates q: where its bodies are, their masses and moments of inertia. */
export interface Mechanism {
  readonly masses: readonly number[]
  readonly inertias: readonly number[]
  readonly gravity: number
  /** [x, y, angle] of every body, one after the other. */
  place(q: readonly number[]): number[]
}

const EPSILON = 1e-4
const shifted = (q: readonly number[], by: readonly number[], step: number) => q.map((x, k) => x + step * by[k])

/** (f(q + h d) - f(q - h d)) / 2h with one step of Richardson's extrapolation. */
function along(f: (q: readonly number[]) => number[], q: readonly number[], d: readonly number[]): number[] {
  const difference = (h: number) => {
    const above = f(shifted(q, d, h))
    const below = f(shifted(q, d, -h))
    return above.map((x, k) => (x - below[k]) / (2 * h))
  }
  const [wide, narrow] = [difference(2 * EPSILON), difference(EPSILON)]
  return narrow.map((x, k) => (4 * x - wide[k]) / 3)
}

/**
 * q̈ by the principle of d'Alembert, Σ Jᵀ (M a - f) = 0 with a = J q̈ + J̇ q̇: J and J̇ q̇ are differences of the
 * places of the bodies, so nothing of the equations of motion is written down here.
 */
export function acceleration(
  mechanism: Mechanism,
  q: readonly number[],
  qDot: readonly number[],
  force: readonly number[],
): number[] {
  const { masses, inertias, gravity, place } = mechanism
  const weights = masses.flatMap((mass, i) => [mass, mass, inertias[i]])
  const units = q.map((_, k) => q.map((_, j) => (j === k ? 1 : 0)))
  const J = units.map((unit) => along(place, q, unit))
  const bias = along((at) => along(place, at, qDot), q, qDot)
  const applied = bias.map((a, k) => -weights[k] * (a + (k % 3 === 1 ? gravity : 0)))
  return solve(
    J.map((row) => J.map((other) => row.reduce((sum, x, k) => sum + x * weights[k] * other[k], 0))),
    J.map((row, i) => force[i] + dot(row, applied)),
  )
}

/** Kinetic and potential energy, J. */
export function energy({ masses, inertias, gravity, place }: Mechanism, q: readonly number[], qDot: readonly number[]) {
  const at = place(q)
  const v = along(place, q, qDot)
  return masses.reduce(
    (sum, mass, i) =>
      sum +
      0.5 * (mass * (v[3 * i] ** 2 + v[3 * i + 1] ** 2) + inertias[i] * v[3 * i + 2] ** 2) +
      mass * gravity * at[3 * i + 1],
    0,
  )
}

/** `steps` steps of the classical Runge-Kutta method over `time`. */
export function rungeKutta(
  mechanism: Mechanism,
  start: { q: readonly number[]; qDot: readonly number[] },
  force: readonly number[],
  time: number,
  steps: number,
) {
  const h = time / steps
  const n = start.q.length
  const rate = (y: readonly number[]) => [...y.slice(n), ...acceleration(mechanism, y.slice(0, n), y.slice(n), force)]
  let y = [...start.q, ...start.qDot]
  for (let i = 0; i < steps; i++) {
    const k1 = rate(y)
    const k2 = rate(shifted(y, k1, h / 2))
    const k3 = rate(shifted(y, k2, h / 2))
    const k4 = rate(shifted(y, k3, h))
    y = y.map((x, k) => x + (h / 6) * (k1[k] + 2 * k2[k] + 2 * k3[k] + k4[k]))
  }
  return { q: y.slice(0, n), qDot: y.slice(n) }
}

/** The cart and pole of rllab, of density 1 unless said otherwise: q = [x, θ]. */
export function cartPole({
  gravity = 10,
  density = 1,
  width = 4 / Math.sqrt(12),
  height = 3 / Math.sqrt(12),
  poleWidth = 0.1,
  length = 1,
} = {}): Mechanism {
  const [cart, pole] = [density * width * height, density * poleWidth * length]
  const half = length / 2
  return {
    masses: [cart, pole],
    inertias: [rectangle(cart, width, height), rectangle(pole, poleWidth, length)],
    gravity,
    place: ([x, theta]) => [x, 0, 0, x - half * Math.sin(theta), half * Math.cos(theta), theta],
  }
}

/** The double pendulum of rllab, of density 5 unless said otherwise: q = [θ1, θ2], both to the world. */
export function doublePendulum({ gravity = 10, density = 5, width = 0.1, length = 1 } = {}): Mechanism {
  const mass = density * width * length
  const half = length / 2
  return {
    masses: [mass, mass],
    inertias: [rectangle(mass, width, length), rectangle(mass, width, length)],
    gravity,
    place: ([a, b]) => [
      half * Math.sin(a),
      -half * Math.cos(a),
      a,
      length * Math.sin(a) + half * Math.sin(b),
      -length * Math.cos(a) - half * Math.cos(b),
      b,
    ],
  }
}
