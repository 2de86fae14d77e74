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

/** A round of a joint whose impulses are at `s`, and what it reads at `r`. */
export function solveJoint(
  now: Float64Array,
  s: number,
  reads: Float64Array,
  r: number,
  links: Int32Array,
  link: number,
): void {
  const a = links[link]
  const b = links[link + 1]
  const limit = links[link + 2]
  const mA = reads[r]
  const mB = reads[r + 1]
  const iA = reads[r + 2]
  const iB = reads[r + 3]
  const rAx = reads[r + 4]
  const rAy = reads[r + 5]
  const rBx = reads[r + 6]
  const rBy = reads[r + 7]
  let wA = now[a + 2]
  let wB = now[b + 2]

  const most = reads[r + 8]
  const before = now[s + 3]
  const motor = Math.min(Math.max(before - reads[r + 9] * (wB - wA - reads[r + 10]), -most), most)
  const turn = motor - before
  now[s + 3] = motor
  wA -= iA * turn
  wB += iB * turn

  const gapX = now[b] - wB * rBy - (now[a] - wA * rAy)
  const gapY = now[b + 1] + wB * rBx - (now[a + 1] + wA * rAx)
  const exx = reads[r + 11]
  const exy = reads[r + 12]
  const eyx = reads[r + 14]
  const eyy = reads[r + 15]
  const det2 = reads[r + 23]
  let x: number
  let y: number
  let z = 0
  if (limit === INSIDE) {
    x = det2 * (eyy * -gapX + eyx * gapY)
    y = det2 * (exx * -gapY + exy * gapX)
  } else {
    const gapW = wB - wA
    const exz = reads[r + 13]
    const eyz = reads[r + 16]
    const ezx = reads[r + 17]
    const ezy = reads[r + 18]
    const ezz = reads[r + 19]
    const det = reads[r + 24]
    x = -(det * (gapX * reads[r + 20] + gapY * reads[r + 21] + gapW * reads[r + 22]))
    y = -(det * (exx * (gapY * ezz - gapW * ezy) + exy * (gapW * ezx - gapX * ezz) + exz * (gapX * ezy - gapY * ezx)))
    z = -(det * (exx * (eyy * gapW - eyz * gapY) + exy * (eyz * gapX - eyx * gapW) + exz * (eyx * gapY - eyy * gapX)))
    const sum = now[s + 2]
    const next = sum + z
    if (limit === AT_LOWER ? next < 0 : next > 0) {
      // The limit does not pull: only the point is held.
      const rightX = sum * ezx - gapX
      const rightY = sum * ezy - gapY
      x = det2 * (eyy * rightX - eyx * rightY)
      y = det2 * (exx * rightY - exy * rightX)
      z = -sum
      now[s + 2] = 0
    } else now[s + 2] = next
  }
  now[s] += x
  now[s + 1] += y
  now[a] -= mA * x
  now[a + 1] -= mA * y
  now[a + 2] = wA - iA * (rAx * y - rAy * x + z)
  now[b] += mB * x
  now[b + 1] += mB * y
  now[b + 2] = wB + iB * (rBx * y - rBy * x + z)
}
