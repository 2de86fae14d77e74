import type { Vector } from './engine.ts'

// planck's step of bodies that hang together, in the same arithmetic and order, so with the same bits, without what
// need not be done. Gymnasium's tasks ask for 180 rounds of impulses a step; mostly some ten of them change something.

interface Moved {
  x: number
  y: number
}

/** planck's body from the inside, within a step. */
export interface MovingBody {
  readonly m_sweep: { readonly c: Moved; readonly c0: Moved; readonly localCenter: Vector; a: number; a0: number }
  readonly m_linearVelocity: Moved
  readonly m_force: Vector
  readonly m_gravityScale: number
  readonly m_invMass: number
  readonly m_invI: number
  readonly m_torque: number
  readonly c_position: { readonly c: Moved; a: number }
  readonly c_velocity: { readonly v: Moved; w: number }
  m_angularVelocity: number
  m_sleepTime: number
  isDynamic(): boolean
  isStatic(): boolean
  setAwake(awake: boolean): void
  synchronizeTransform(): void
}

/** planck's joint from the inside. */
export interface IslandJoint {
  readonly m_impulse: { readonly x: number; readonly y: number; readonly z: number }
  readonly m_motorImpulse: number
  initVelocityConstraints(step: TimeStep): void
  solveVelocityConstraints(step: TimeStep): void
  /** Whether it holds well enough. */
  solvePositionConstraints(step: TimeStep): boolean
}

/** planck's contact from the inside. */
interface IslandContact {
  readonly v_points: readonly { readonly normalImpulse: number; readonly tangentImpulse: number }[]
  readonly v_pointCount: number
  initConstraint(step: TimeStep): void
  initVelocityConstraint(step: TimeStep): void
  warmStartConstraint(step: TimeStep): void
  solveVelocityConstraint(step: TimeStep): void
  storeConstraintImpulses(step: TimeStep): void
  /** The greatest depth, as a negative number, m. */
  solvePositionConstraint(step: TimeStep): number
}

export interface TimeStep {
  readonly dt: number
  readonly velocityIterations: number
  readonly positionIterations: number
}

/** Bodies that hang together by joints and contacts, as planck's solver has collected them. */
export interface Island {
  readonly m_bodies: readonly MovingBody[]
  readonly m_joints: readonly IslandJoint[]
  readonly m_contacts: readonly IslandContact[]
}

/** planck's settings as they are by default. */
const [MOST_MOVE, MOST_TURN] = [2, 0.5 * Math.PI]
export const LINEAR_SLOP = 5e-3
const [RESTING_SPEED, RESTING_TURN] = [0.01, (2 / 180) * Math.PI]
/** s */
const TIME_TO_SLEEP = 0.5

/**
 * One step of an island: velocities, impulses in rounds, places, corrections of places in rounds, sleep.
 *
 * @param memory room for the numbers of a round, which grows
 */
export function solveIsland(island: Island, gravity: Vector, step: TimeStep, memory: number[]): void {
  const { m_bodies: bodies, m_joints: joints, m_contacts: contacts } = island
  for (const body of bodies) begin(body, gravity, step.dt)
  for (const contact of contacts) contact.initConstraint(step)
  for (const contact of contacts) contact.initVelocityConstraint(step)
  for (const contact of contacts) contact.warmStartConstraint(step)
  for (const joint of joints) joint.initVelocityConstraints(step)
  solveVelocities(island, step, memory)
  for (const contact of contacts) contact.storeConstraintImpulses(step)
  for (const body of bodies) move(body, step.dt)
  const solved = solvePlaces(island, step)
  for (const body of bodies) finish(body)
  rest(bodies, step.dt, solved)
}

function begin(body: MovingBody, gravity: Vector, h: number): void {
  const { m_sweep: sweep, m_linearVelocity: velocity, m_force: force, c_position: place, c_velocity: now } = body
  let { x, y } = velocity
  let w = body.m_angularVelocity
  sweep.c0.x = sweep.c.x
  sweep.c0.y = sweep.c.y
  sweep.a0 = sweep.a
  if (body.isDynamic()) {
    const fall = h * body.m_gravityScale
    const push = h * body.m_invMass
    x = x + fall * gravity.x + push * force.x
    y = y + fall * gravity.y + push * force.y
    w += h * body.m_invI * body.m_torque
  }
  place.c.x = sweep.c.x
  place.c.y = sweep.c.y
  place.a = sweep.a
  now.v.x = x
  now.v.y = y
  now.w = w
}

/**
 * Rounds of impulses, one joint and contact after the other. A round is a function of velocities and impulses: where
 * these are what they were k rounds before, to the bit, all later ones repeat, and only the rest by k is left to do.
 */
function solveVelocities(island: Island, step: TimeStep, memory: number[]): void {
  const rounds = step.velocityIterations
  // Kept after rounds 1, 2, 4, 8 …, so that a period of any length is found (Brent).
  let kept = 0
  for (let round = 1; round <= rounds; round++) {
    solveRound(island, step)
    if (kept > 0 && isKept(island, memory)) {
      for (let left = (rounds - round) % (round - kept); left > 0; left--) solveRound(island, step)
      return
    }
    if (round >= 2 * kept) {
      keep(island, memory)
      kept = round
    }
  }
}

function solveRound({ m_joints: joints, m_contacts: contacts }: Island, step: TimeStep): void {
  for (let j = 0; j < joints.length; j++) joints[j].solveVelocityConstraints(step)
  for (let j = 0; j < contacts.length; j++) contacts[j].solveVelocityConstraint(step)
}

/** All that a round reads and writes. */
function keep({ m_bodies: bodies, m_joints: joints, m_contacts: contacts }: Island, memory: number[]): void {
  let at = 0
  for (const { m_impulse: sum, m_motorImpulse: motor } of joints) {
    memory[at++] = sum.x
    memory[at++] = sum.y
    memory[at++] = sum.z
    memory[at++] = motor
  }
  for (const { c_velocity: now } of bodies) {
    memory[at++] = now.v.x
    memory[at++] = now.v.y
    memory[at++] = now.w
  }
  for (const { v_points: points, v_pointCount: count } of contacts)
    for (let k = 0; k < count; k++) {
      memory[at++] = points[k].normalImpulse
      memory[at++] = points[k].tangentImpulse
    }
}

/** Whether all of it is as it was, to the bit: 0 is not −0. */
function isKept({ m_bodies: bodies, m_joints: joints, m_contacts: contacts }: Island, memory: number[]): boolean {
  let at = 0
  for (let j = 0; j < joints.length; j++) {
    const { m_impulse: sum, m_motorImpulse: motor } = joints[j]
    if (!Object.is(sum.x, memory[at++]) || !Object.is(sum.y, memory[at++])) return false
    if (!Object.is(sum.z, memory[at++]) || !Object.is(motor, memory[at++])) return false
  }
  for (let j = 0; j < bodies.length; j++) {
    const { v, w } = bodies[j].c_velocity
    if (!Object.is(v.x, memory[at++]) || !Object.is(v.y, memory[at++]) || !Object.is(w, memory[at++])) return false
  }
  for (let j = 0; j < contacts.length; j++) {
    const { v_points: points, v_pointCount: count } = contacts[j]
    for (let k = 0; k < count; k++) {
      const { normalImpulse, tangentImpulse } = points[k]
      if (!Object.is(normalImpulse, memory[at++]) || !Object.is(tangentImpulse, memory[at++])) return false
    }
  }
  return true
}

function move({ c_position: place, c_velocity: now }: MovingBody, h: number): void {
  const { c } = place
  const { v } = now
  const [dx, dy, turn] = [h * v.x, h * v.y, h * now.w]
  const squared = dx * dx + dy * dy
  if (squared > MOST_MOVE * MOST_MOVE) {
    const ratio = MOST_MOVE / Math.sqrt(squared)
    v.x *= ratio
    v.y *= ratio
  }
  if (turn * turn > MOST_TURN * MOST_TURN) now.w *= MOST_TURN / Math.abs(turn)
  c.x += h * v.x
  c.y += h * v.y
  place.a += h * now.w
}

/** Rounds of corrections until all holds; whether it does. */
function solvePlaces({ m_joints: joints, m_contacts: contacts }: Island, step: TimeStep): boolean {
  for (let round = 0; round < step.positionIterations; round++) {
    let depth = 0
    for (const contact of contacts) depth = Math.min(depth, contact.solvePositionConstraint(step))
    let held = true
    for (const joint of joints) held = joint.solvePositionConstraints(step) && held
    if (depth >= -3 * LINEAR_SLOP && held) return true
  }
  return false
}

function finish(body: MovingBody): void {
  const { m_sweep: sweep, m_linearVelocity: velocity, c_position: place, c_velocity: now } = body
  sweep.c.x = place.c.x
  sweep.c.y = place.c.y
  sweep.a = place.a
  velocity.x = now.v.x
  velocity.y = now.v.y
  body.m_angularVelocity = now.w
  body.synchronizeTransform()
}

/** Bodies that have rested for long enough fall asleep together. */
function rest(bodies: readonly MovingBody[], h: number, solved: boolean): void {
  let least = Number.POSITIVE_INFINITY
  for (const body of bodies) {
    if (body.isStatic()) continue
    const { m_linearVelocity: v, m_angularVelocity: w } = body
    const moves = w * w > RESTING_TURN * RESTING_TURN || v.x * v.x + v.y * v.y > RESTING_SPEED * RESTING_SPEED
    body.m_sleepTime = moves ? 0 : body.m_sleepTime + h
    least = Math.min(least, body.m_sleepTime)
  }
  if (least >= TIME_TO_SLEEP && solved) for (const body of bodies) body.setAwake(false)
}
