import type { Vector } from './engine.ts'
import type { Island, MovingBody, TimeStep } from './inside.ts'
import { type Rounds, solveVelocities } from './rounds.ts'

// planck's step of bodies that hang together, in the same arithmetic and order, so with the same bits, without what
// need not be done. Gymnasium's tasks ask for 180 rounds of impulses a step; mostly some ten of them change something.

/** planck's settings as they are by default. */
const [MOST_MOVE, MOST_TURN] = [2, 0.5 * Math.PI]
const LINEAR_SLOP = 5e-3
const [RESTING_SPEED, RESTING_TURN] = [0.01, (2 / 180) * Math.PI]
/** s */
const TIME_TO_SLEEP = 0.5

/**
 * One step of an island: velocities, impulses in rounds, places, corrections of places in rounds, sleep.
 *
 * @param rounds room for the numbers of its rounds, which grows
 */
export function solveIsland(island: Island, gravity: Vector, step: TimeStep, rounds: Rounds): void {
  const { m_bodies: bodies, m_joints: joints, m_contacts: contacts } = island
  for (const body of bodies) begin(body, gravity, step.dt)
  for (const contact of contacts) contact.initConstraint(step)
  for (const contact of contacts) contact.initVelocityConstraint(step)
  for (const contact of contacts) contact.warmStartConstraint(step)
  for (const joint of joints) joint.initVelocityConstraints(step)
  solveVelocities(island, step, rounds)
  for (const contact of contacts) contact.storeConstraintImpulses(step)
  for (const body of bodies) move(body, step.dt)
  const solved = solvePlaces(island, step)
  for (const body of bodies) finish(body)
  rest(bodies, step.dt, solved)
}

/** What is left of a step from the moment at which two bodies meet: the same for them and what they touch. */
export function solveImpact(
  island: Island,
  step: TimeStep,
  met: readonly [MovingBody, MovingBody],
  rounds: Rounds,
): void {
  const { m_bodies: bodies, m_contacts: contacts } = island
  for (const body of bodies) place(body, body.m_linearVelocity.x, body.m_linearVelocity.y, body.m_angularVelocity)
  for (const contact of contacts) contact.initConstraint(step)
  for (let round = 0; round < step.positionIterations; round++) {
    let depth = 0
    for (const contact of contacts) depth = Math.min(depth, contact.solvePositionConstraintTOI(step, ...met))
    if (depth >= -1.5 * LINEAR_SLOP) break
  }
  for (const { m_sweep: sweep, c_position: at } of met) {
    sweep.c0.x = at.c.x
    sweep.c0.y = at.c.y
    sweep.a0 = at.a
  }
  for (const contact of contacts) contact.initVelocityConstraint(step)
  solveVelocities(island, step, rounds)
  for (const body of bodies) move(body, step.dt)
  for (const body of bodies) finish(body)
}

function begin(body: MovingBody, gravity: Vector, h: number): void {
  const { m_sweep: sweep, m_linearVelocity: velocity, m_force: force } = body
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
  place(body, x, y, w)
}

/** Where a body begins, and how fast it moves. */
function place({ m_sweep: sweep, c_position: at, c_velocity: now }: MovingBody, x: number, y: number, w: number): void {
  at.c.x = sweep.c.x
  at.c.y = sweep.c.y
  at.a = sweep.a
  now.v.x = x
  now.v.y = y
  now.w = w
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
