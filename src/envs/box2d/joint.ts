import { UsageError } from '../../core/errors.ts'
import type { Body, Joint, Planck, Rotation, Vector } from './engine.ts'
import { type IslandJoint, LINEAR_SLOP, type MovingBody, type TimeStep } from './island.ts'

// planck's joint that turns makes some ten objects a round of impulses, and Gymnasium's tasks ask for 180 rounds a
// step. This is the same arithmetic in the same order without objects, so the same bits, faster.

/** planck's joint from the inside, within a step. */
interface Inside extends Joint, IslandJoint {
  readonly m_bodyA: MovingBody
  readonly m_bodyB: MovingBody
  readonly m_localAnchorA: Vector
  readonly m_localAnchorB: Vector
  readonly m_referenceAngle: number
  readonly m_lowerAngle: number
  readonly m_upperAngle: number
  readonly m_invMassA: number
  readonly m_invMassB: number
  readonly m_invIA: number
  readonly m_invIB: number
  readonly m_rA: { readonly x: number; readonly y: number }
  readonly m_rB: { readonly x: number; readonly y: number }
  /** Columns of a symmetric matrix. */
  readonly m_mass: Readonly<Record<'ex' | 'ey' | 'ez', { readonly x: number; readonly y: number; readonly z: number }>>
  readonly m_motorMass: number
  readonly m_motorSpeed: number
  readonly m_maxMotorTorque: number
  readonly m_limitState: number
  readonly m_impulse: { x: number; y: number; z: number }
  m_motorImpulse: number
}

/** planck's names for where a joint is between its limits; with both limits equal it would be 3. */
const INSIDE = 0
const AT_LOWER = 1

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
  if (typeof joint.solveVelocityConstraints !== 'function' || typeof joint.m_impulse?.z !== 'number')
    throw new UsageError('This planck is not 1.4, whose joints the library knows: npm install planck@1.4.')
  const [turnA, turnB] = [planck.Rot.neo(0), planck.Rot.neo(0)]
  joint.solveVelocityConstraints = (step) => solve(joint, step)
  joint.solvePositionConstraints = () => correct(joint, turnA, turnB)
  return joint
}

function solve(joint: Inside, step: TimeStep): void {
  const a = joint.m_bodyA.c_velocity
  const b = joint.m_bodyB.c_velocity
  const { m_invMassA: mA, m_invMassB: mB, m_invIA: iA, m_invIB: iB, m_rA: rA, m_rB: rB } = joint
  const { m_mass: mass, m_impulse: sum } = joint
  let wA = a.w
  let wB = b.w

  const most = step.dt * joint.m_maxMotorTorque
  const motor = Math.min(
    Math.max(joint.m_motorImpulse - joint.m_motorMass * (wB - wA - joint.m_motorSpeed), -most),
    most,
  )
  const turn = motor - joint.m_motorImpulse
  joint.m_motorImpulse = motor
  wA -= iA * turn
  wB += iB * turn

  const gapX = b.v.x - wB * rB.y - (a.v.x - wA * rA.y)
  const gapY = b.v.y + wB * rB.x - (a.v.y + wA * rA.x)
  const { ex, ey, ez } = mass
  let x: number
  let y: number
  let z = 0
  if (joint.m_limitState === INSIDE) {
    const det = inverse(ex.x * ey.y - ey.x * ex.y)
    x = det * (ey.y * -gapX + ey.x * gapY)
    y = det * (ex.x * -gapY + ex.y * gapX)
    sum.x += x
    sum.y += y
  } else {
    const gapW = wB - wA
    const crossX = ey.y * ez.z - ey.z * ez.y
    const crossY = ey.z * ez.x - ey.x * ez.z
    const crossZ = ey.x * ez.y - ey.y * ez.x
    const det = inverse(ex.x * crossX + ex.y * crossY + ex.z * crossZ)
    x = -(det * (gapX * crossX + gapY * crossY + gapW * crossZ))
    y = -(
      det *
      (ex.x * (gapY * ez.z - gapW * ez.y) + ex.y * (gapW * ez.x - gapX * ez.z) + ex.z * (gapX * ez.y - gapY * ez.x))
    )
    z = -(
      det *
      (ex.x * (ey.y * gapW - ey.z * gapY) + ex.y * (ey.z * gapX - ey.x * gapW) + ex.z * (ey.x * gapY - ey.y * gapX))
    )
    const next = sum.z + z
    if (joint.m_limitState === AT_LOWER ? next < 0 : next > 0) {
      // The limit does not pull: only the point is held.
      const rightX = sum.z * ez.x - gapX
      const rightY = sum.z * ez.y - gapY
      const det22 = inverse(ex.x * ey.y - ey.x * ex.y)
      x = det22 * (ey.y * rightX - ey.x * rightY)
      y = det22 * (ex.x * rightY - ex.y * rightX)
      z = -sum.z
      sum.x += x
      sum.y += y
      sum.z = 0
    } else {
      sum.x += x
      sum.y += y
      sum.z += z
    }
  }
  a.v.x -= mA * x
  a.v.y -= mA * y
  a.w = wA - iA * (rA.x * y - rA.y * x + z)
  b.v.x += mB * x
  b.v.y += mB * y
  b.w = wB + iB * (rB.x * y - rB.y * x + z)
}

const inverse = (determinant: number) => (determinant === 0 ? 0 : 1 / determinant)

/** planck's settings as they are by default. */
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
