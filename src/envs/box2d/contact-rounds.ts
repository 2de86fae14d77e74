import type { IslandContact } from './inside.ts'

/** Numbers of a contact that a round changes, the impulses so far of two points: along the normal and across. */
export const CONTACT = 4
/** Numbers of it that a round reads: those of the contact, then POINT_READS of each point from POINTS on. */
const [POINTS, POINT_READS] = [16, 7]
export const CONTACT_READS = POINTS + 2 * POINT_READS

/** Writes the numbers of a contact at `at` and `r`. */
export function readContact(
  contact: IslandContact,
  now: Float64Array,
  at: number,
  reads: Float64Array,
  r: number,
): void {
  const { v_normal: normal, v_K: K, v_normalMass: mass, v_points: points } = contact
  reads[r] = contact.v_invMassA
  reads[r + 1] = contact.v_invMassB
  reads[r + 2] = contact.v_invIA
  reads[r + 3] = contact.v_invIB
  reads[r + 4] = normal.x
  reads[r + 5] = normal.y
  reads[r + 6] = contact.v_friction
  reads[r + 7] = contact.v_tangentSpeed
  reads[r + 8] = K.ex.x
  reads[r + 9] = K.ex.y
  reads[r + 10] = K.ey.x
  reads[r + 11] = K.ey.y
  reads[r + 12] = mass.ex.x
  reads[r + 13] = mass.ex.y
  reads[r + 14] = mass.ey.x
  reads[r + 15] = mass.ey.y
  for (let k = 0; k < 2; k++) {
    const point = points[k]
    const p = r + POINTS + POINT_READS * k
    now[at + 2 * k] = point.normalImpulse
    now[at + 2 * k + 1] = point.tangentImpulse
    reads[p] = point.rA.x
    reads[p + 1] = point.rA.y
    reads[p + 2] = point.rB.x
    reads[p + 3] = point.rB.y
    reads[p + 4] = point.normalMass
    reads[p + 5] = point.tangentMass
    reads[p + 6] = point.velocityBias
  }
}
