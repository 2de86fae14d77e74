import { UsageError } from '../../core/errors.ts'
import type { Body, Joint, Planck, Rotation, Vector } from './engine.ts'
import type { IslandJoint } from './inside.ts'
import { AT_LOWER, INSIDE, inverse } from './joint-rounds.ts'

// planck's joint that turns makes some ten objects a correction of places. This is the same arithmetic in the same
// order without objects, so the same bits, faster; its rounds of impulses are in joint-rounds.ts.

interface Inside extends Joint, IslandJoint {
  readonly m_localAnchorA: Vector
  readonly m_localAnchorB: Vector
  readonly m_referenceAngle: number
  readonly m_lowerAngle: number
  readonly m_upperAngle: number
}

/** A joint about anchors of two bodies, with a motor and limits that are apart; at 0 they are as they are now. */
interface Motor {
  readonly bodies: readonly [Body, Body]
  readonly anchors: readonly [readonly [number, number], readonly [number, number]]
  /** N m */
  readonly torque: number
  /** rad/s */
  readonly speed: number
  /** rad */
  readonly limits: readonly [number, number]
}

/** A joint that planck's solver takes for its own. */
export function motorJoint(planck: Planck, { bodies, anchors, torque, speed, limits }: Motor): Joint {
  const [localAnchorA, localAnchorB] = anchors.map(([x, y]) => ({ x, y }))
  const joint = new planck.RevoluteJoint({
    bodyA: bodies[0],
    bodyB: bodies[1],
    localAnchorA,
    localAnchorB,
    referenceAngle: bodies[1].getAngle() - bodies[0].getAngle(),
    enableMotor: true,
    enableLimit: true,
    maxMotorTorque: torque,
    motorSpeed: speed,
    lowerAngle: limits[0],
    upperAngle: limits[1],
  }) as Inside
  if (typeof joint.solvePositionConstraints !== 'function' || typeof joint.m_impulse?.z !== 'number')
    throw new UsageError('This planck is not 1.4, whose joints the library knows: npm install planck@1.4.')
  const [turnA, turnB] = [planck.Rot.neo(0), planck.Rot.neo(0)]
  joint.solvePositionConstraints = () => correct(joint, turnA, turnB)
  return joint
}

/** planck's settings as they are by default. */
const LINEAR_SLOP = 5e-3
const [ANGULAR_SLOP, MOST_CORRECTION] = [(2 / 180) * Math.PI, (8 / 180) * Math.PI]

/** Moves both bodies to where the joint holds; whether it held well enough before. */
function correct(joint: Inside, turnA: Rotation, turnB: Rotation): boolean {
  const {
    m_bodyA: bodyA,
    m_bodyB: bodyB,
    m_localAnchorA: anchorA,
    m_localAnchorB: anchorB,
    m_limitState: limit,
  } = joint
  const { m_invMassA: mA, m_invMassB: mB, m_invIA: iA, m_invIB: iB } = joint
  const { c_position: a, m_sweep: sweepA } = bodyA
  const { c_position: b, m_sweep: sweepB } = bodyB
  let angularError = 0
  if (limit !== INSIDE) {
    const beyond = b.a - a.a - joint.m_referenceAngle - (limit === AT_LOWER ? joint.m_lowerAngle : joint.m_upperAngle)
    angularError = limit === AT_LOWER ? -beyond : beyond
    const back =
      limit === AT_LOWER
        ? Math.min(Math.max(beyond + ANGULAR_SLOP, -MOST_CORRECTION), 0)
        : Math.min(Math.max(beyond - ANGULAR_SLOP, 0), MOST_CORRECTION)
    const turn = -joint.m_motorMass * back
    a.a -= iA * turn
    b.a += iB * turn
  }
  turnA.setAngle(a.a)
  turnB.setAngle(b.a)
  const [ax, ay] = [anchorA.x - sweepA.localCenter.x, anchorA.y - sweepA.localCenter.y]
  const [bx, by] = [anchorB.x - sweepB.localCenter.x, anchorB.y - sweepB.localCenter.y]
  const [rAx, rAy] = [turnA.c * ax - turnA.s * ay, turnA.s * ax + turnA.c * ay]
  const [rBx, rBy] = [turnB.c * bx - turnB.s * by, turnB.s * bx + turnB.c * by]
  const gapX = b.c.x + rBx - (a.c.x + rAx)
  const gapY = b.c.y + rBy - (a.c.y + rAy)
  const xx = mA + mB + iA * rAy * rAy + iB * rBy * rBy
  const xy = -iA * rAx * rAy - iB * rBx * rBy
  const yy = mA + mB + iA * rAx * rAx + iB * rBx * rBx
  const det = inverse(xx * yy - xy * xy)
  const x = -(det * (yy * gapX - xy * gapY))
  const y = -(det * (xx * gapY - xy * gapX))
  a.c.x -= mA * x
  a.c.y -= mA * y
  a.a -= iA * (rAx * y - rAy * x)
  b.c.x += mB * x
  b.c.y += mB * y
  b.a += iB * (rBx * y - rBy * x)
  return Math.sqrt(gapX * gapX + gapY * gapY) <= LINEAR_SLOP && angularError <= ANGULAR_SLOP
}
