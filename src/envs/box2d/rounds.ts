import { type Arena, createArenaSync } from '../../core/arena.ts'
import { f64, i32 } from '../../core/layout.ts'
import type { CoreModule } from '../../core/module.ts'
import { CONTACT, CONTACT_READS, readContact } from './contact-rounds.ts'
import type { Island, TimeStep } from './inside.ts'
import { JOINT, JOINT_READS, readJoint } from './joint-rounds.ts'

// Rounds of impulses in the core, on numbers that lie side by side, in planck's arithmetic and order, so with the same
// bits. What a round only reads is worked out once a step.

/** Velocity, x and y, and angular velocity. */
const BODY = 3
const LINKS = 3
const BYTES = Float64Array.BYTES_PER_ELEMENT

/** The drawing stands in assembly/envs/rounds.ts. */
const layoutFor = (numbers: number, reads: number, links: number) => ({
  now: f64(numbers),
  before: f64(numbers),
  reads: f64(reads),
  links: i32(links),
})

/** Room for the numbers of one island within a step, which grows. */
export interface Rounds {
  readonly module: CoreModule
  arena: Arena<ReturnType<typeof layoutFor>>
}

/** Room that a lander needs. */
const FIRST = [64, 256, 32] as const

/** One for all worlds of a core, which take their steps one at a time. */
const known = new WeakMap<CoreModule, Rounds>()

export function roundsIn(module: CoreModule): Rounds {
  const rounds = known.get(module) ?? { module, arena: createArenaSync(module, layoutFor(...FIRST)) }
  known.set(module, rounds)
  return rounds
}

/** The rounds of a step at all joints and contacts of an island. */
export function solveVelocities(island: Island, step: TimeStep, rounds: Rounds): void {
  const { m_bodies: bodies, m_joints: joints, m_contacts: contacts } = island
  grow(rounds, bodies.length, joints.length, contacts.length)
  const { at, view, ops } = rounds.arena
  readIsland(island, step, view)
  // biome-ignore format: the op's arguments on one line
  ops.solveRounds(at.now, at.before, at.reads, at.links, bodies.length, joints.length, contacts.length, step.velocityIterations)
  writeIsland(island, view.now)
}

/** Makes room for twice of what is asked, where there is too little. */
function grow(rounds: Rounds, bodies: number, joints: number, contacts: number): void {
  const { now, reads, links } = rounds.arena.view
  const numbers = BODY * bodies + JOINT * joints + CONTACT * contacts
  const read = JOINT_READS * joints + CONTACT_READS * contacts
  const linked = LINKS * (joints + contacts)
  if (now.length >= numbers && reads.length >= read && links.length >= linked) return
  rounds.arena = createArenaSync(rounds.module, layoutFor(2 * numbers, 2 * read, 2 * linked))
}

type Numbers = Rounds['arena']['view']

function readIsland({ m_bodies, m_joints, m_contacts }: Island, step: TimeStep, { now, reads, links }: Numbers): void {
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
    links[link] = BYTES * BODY * m_bodies.indexOf(joint.m_bodyA)
    links[link + 1] = BYTES * BODY * m_bodies.indexOf(joint.m_bodyB)
    links[link + 2] = joint.m_limitState
    at += JOINT
    read += JOINT_READS
    link += LINKS
  }
  for (const contact of m_contacts) {
    readContact(contact, now, at, reads, read)
    links[link] = BYTES * BODY * m_bodies.indexOf(contact.m_fixtureA.m_body)
    links[link + 1] = BYTES * BODY * m_bodies.indexOf(contact.m_fixtureB.m_body)
    links[link + 2] = contact.v_pointCount
    at += CONTACT
    read += CONTACT_READS
    link += LINKS
  }
}

function writeIsland({ m_bodies, m_joints, m_contacts }: Island, now: Float64Array): void {
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
