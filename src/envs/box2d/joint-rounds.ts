import type { IslandJoint, TimeStep } from './inside.ts'

/** Numbers of a joint that a round changes, impulses so far: x and y at the point, about the limit, of the motor. */
export const JOINT = 4
/** Numbers of it that a round reads. */
export const JOINT_READS = 25

/** planck's names for where a joint is between its limits; with both limits equal it would be 3. */
export const INSIDE = 0
export const AT_LOWER = 1

export const inverse = (determinant: number) => (determinant === 0 ? 0 : 1 / determinant)

/** Writes the numbers of a joint at `at` and `r`; what follows from the masses alone is worked out here. */
export function readJoint(
  joint: IslandJoint,
  step: TimeStep,
  now: Float64Array,
  at: number,
  reads: Float64Array,
  r: number,
): void {
  const { m_impulse: sum, m_rA: rA, m_rB: rB } = joint
  const { ex, ey, ez } = joint.m_mass
  now[at] = sum.x
  now[at + 1] = sum.y
  now[at + 2] = sum.z
  now[at + 3] = joint.m_motorImpulse
  reads[r] = joint.m_invMassA
  reads[r + 1] = joint.m_invMassB
  reads[r + 2] = joint.m_invIA
  reads[r + 3] = joint.m_invIB
  reads[r + 4] = rA.x
  reads[r + 5] = rA.y
  reads[r + 6] = rB.x
  reads[r + 7] = rB.y
  reads[r + 8] = step.dt * joint.m_maxMotorTorque
  reads[r + 9] = joint.m_motorMass
  reads[r + 10] = joint.m_motorSpeed
  reads[r + 11] = ex.x
  reads[r + 12] = ex.y
  reads[r + 13] = ex.z
  reads[r + 14] = ey.x
  reads[r + 15] = ey.y
  reads[r + 16] = ey.z
  reads[r + 17] = ez.x
  reads[r + 18] = ez.y
  reads[r + 19] = ez.z
  const crossX = ey.y * ez.z - ey.z * ez.y
  const crossY = ey.z * ez.x - ey.x * ez.z
  const crossZ = ey.x * ez.y - ey.y * ez.x
  reads[r + 20] = crossX
  reads[r + 21] = crossY
  reads[r + 22] = crossZ
  reads[r + 23] = inverse(ex.x * ey.y - ey.x * ex.y)
  reads[r + 24] = inverse(ex.x * crossX + ex.y * crossY + ex.z * crossZ)
}
