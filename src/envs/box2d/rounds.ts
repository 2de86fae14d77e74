import { CONTACT, CONTACT_READS, readContact, solveContact } from './contact-rounds.ts'
import type { Island, TimeStep } from './inside.ts'
import { JOINT, JOINT_READS, readJoint, solveJoint } from './joint-rounds.ts'

// Rounds of impulses on numbers that lie side by side, in planck's arithmetic and order, so with the same bits. What a
// round only reads is worked out once a step, and nothing is looked up in objects: 1.3 times as many steps of a lander.

/** The numbers of an island within a step. */
export interface Rounds {
  /** What a round changes: BODY numbers of each body, then JOINT of each joint, then CONTACT of each contact. */
  now: Float64Array
  /** The same as it was some rounds before. */
  before: Float64Array
  /** What it reads: JOINT_READS numbers of each joint, then CONTACT_READS of each contact. */
  reads: Float64Array
  /** LINKS numbers of each joint, then of each contact: where its two bodies stand in `now`, and which case it is. */
  links: Int32Array
  readonly size: { bodies: number; joints: number; contacts: number; numbers: number }
}

/** Velocity, x and y, and angular velocity. */
const BODY = 3
const LINKS = 3

export const createRounds = (): Rounds => ({
  now: new Float64Array(0),
  before: new Float64Array(0),
  reads: new Float64Array(0),
  links: new Int32Array(0),
  size: { bodies: 0, joints: 0, contacts: 0, numbers: 0 },
})

/**
 * Rounds of impulses, one joint and contact after the other. A round is a function of velocities and impulses: where
 * these are what they were k rounds before, to the bit, all later ones repeat, and only the rest by k is left to do.
 */
export function solveVelocities(island: Island, step: TimeStep, rounds: Rounds): void {
  readIsland(island, step, rounds)
  const { bodies, joints, contacts } = rounds.size
  const count = step.velocityIterations
  // Kept after rounds 1, 2, 4, 8 …, so that a period of any length is found (Brent).
  let kept = 0
  for (let round = 1; round <= count; round++) {
    solveRound(rounds, joints, BODY * bodies, contacts)
    if (kept > 0 && isKept(rounds)) {
      for (let left = (count - round) % (round - kept); left > 0; left--)
        solveRound(rounds, joints, BODY * bodies, contacts)
      break
    }
    if (round >= 2 * kept) {
      for (let k = 0; k < rounds.size.numbers; k++) rounds.before[k] = rounds.now[k]
      kept = round
    }
  }
  writeIsland(island, rounds)
}

/** Whether all of it is as it was, to the bit: 0 is not −0. */
function isKept({ now, before, size }: Rounds): boolean {
  for (let k = 0; k < size.numbers; k++) if (!Object.is(now[k], before[k])) return false
  return true
}

function solveRound({ now, reads, links }: Rounds, joints: number, at: number, contacts: number): void {
  let s = at
  let r = 0
  let link = 0
  for (let j = 0; j < joints; j++, s += JOINT, r += JOINT_READS, link += LINKS)
    solveJoint(now, s, reads, r, links, link)
  for (let c = 0; c < contacts; c++, s += CONTACT, r += CONTACT_READS, link += LINKS)
    solveContact(now, s, reads, r, links, link)
}

function readIsland({ m_bodies, m_joints, m_contacts }: Island, step: TimeStep, rounds: Rounds): void {
  const { size } = rounds
  size.bodies = m_bodies.length
  size.joints = m_joints.length
  size.contacts = m_contacts.length
  size.numbers = BODY * size.bodies + JOINT * size.joints + CONTACT * size.contacts
  grow(rounds)
  const { now, reads, links } = rounds
  let at = 0
  for (const { c_velocity: moves } of m_bodies) {
    now[at++] = moves.v.x
    now[at++] = moves.v.y
    now[at++] = moves.w
  }
  let link = 0
  let read = 0
  for (const joint of m_joints) {
    readJoint(joint, step, now, at, reads, read)
    links[link] = BODY * m_bodies.indexOf(joint.m_bodyA)
    links[link + 1] = BODY * m_bodies.indexOf(joint.m_bodyB)
    links[link + 2] = joint.m_limitState
    at += JOINT
    read += JOINT_READS
    link += LINKS
  }
  for (const contact of m_contacts) {
    readContact(contact, now, at, reads, read)
    links[link] = BODY * m_bodies.indexOf(contact.m_fixtureA.m_body)
    links[link + 1] = BODY * m_bodies.indexOf(contact.m_fixtureB.m_body)
    links[link + 2] = contact.v_pointCount
    at += CONTACT
    read += CONTACT_READS
    link += LINKS
  }
}

/** Makes room for twice of what is asked, where there is too little. */
function grow(rounds: Rounds): void {
  const { joints, contacts, numbers } = rounds.size
  const reads = JOINT_READS * joints + CONTACT_READS * contacts
  if (rounds.now.length >= numbers && rounds.reads.length >= reads) return
  rounds.now = new Float64Array(2 * numbers)
  rounds.before = new Float64Array(2 * numbers)
  rounds.reads = new Float64Array(2 * reads)
  rounds.links = new Int32Array(2 * LINKS * (joints + contacts))
}

function writeIsland({ m_bodies, m_joints, m_contacts }: Island, { now }: Rounds): void {
  let at = 0
  for (const { c_velocity: moves } of m_bodies) {
    moves.v.x = now[at++]
    moves.v.y = now[at++]
    moves.w = now[at++]
  }
  for (const joint of m_joints) {
    joint.m_impulse.x = now[at++]
    joint.m_impulse.y = now[at++]
    joint.m_impulse.z = now[at++]
    joint.m_motorImpulse = now[at++]
  }
  for (const { v_points: points, v_pointCount: count } of m_contacts) {
    for (let k = 0; k < count; k++) {
      points[k].normalImpulse = now[at + 2 * k]
      points[k].tangentImpulse = now[at + 2 * k + 1]
    }
    at += CONTACT
  }
}
