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

/** A round of a contact: friction, then what keeps the bodies apart. */
export function solveContact(
  now: Float64Array,
  s: number,
  reads: Float64Array,
  r: number,
  links: Int32Array,
  link: number,
): void {
  const a = links[link]
  const b = links[link + 1]
  const count = links[link + 2]
  for (let k = 0; k < count; k++) rub(now, s + 2 * k, a, b, reads, r, r + POINTS + POINT_READS * k)
  if (count === 1) pushOne(now, s, a, b, reads, r)
  else pushBoth(now, s, a, b, reads, r)
}

/** Friction at a point, whose impulses are at `s` and what it reads at `p`. */
function rub(now: Float64Array, s: number, a: number, b: number, reads: Float64Array, r: number, p: number): void {
  const tangentX = reads[r + 5]
  const tangentY = -reads[r + 4]
  const friction = reads[r + 6]
  const speed = reads[r + 7]
  const wA = now[a + 2]
  const wB = now[b + 2]
  const along =
    (0 + now[b] - wB * reads[p + 3] - now[a] + wA * reads[p + 1]) * tangentX +
    (0 + now[b + 1] + wB * reads[p + 2] - now[a + 1] - wA * reads[p]) * tangentY -
    speed
  const most = friction * now[s]
  const before = now[s + 1]
  const wanted = before + reads[p + 5] * -along
  const sum = wanted < -most ? -most : Math.min(wanted, most)
  now[s + 1] = sum
  push(now, a, b, reads, r, p, (sum - before) * tangentX, (sum - before) * tangentY)
}

/** An impulse at the point at `p`. */
function push(
  now: Float64Array,
  a: number,
  b: number,
  reads: Float64Array,
  r: number,
  p: number,
  x: number,
  y: number,
): void {
  const mA = reads[r]
  const mB = reads[r + 1]
  now[a] -= mA * x
  now[a + 1] -= mA * y
  now[a + 2] -= reads[r + 2] * (reads[p] * y - reads[p + 1] * x)
  now[b] += mB * x
  now[b + 1] += mB * y
  now[b + 2] += reads[r + 3] * (reads[p + 2] * y - reads[p + 3] * x)
}

/** How fast the bodies part along the normal at the point at `p`. */
function parting(now: Float64Array, a: number, b: number, reads: Float64Array, r: number, p: number): number {
  const wA = now[a + 2]
  const wB = now[b + 2]
  return (
    (0 + now[b] - wB * reads[p + 3] - now[a] + wA * reads[p + 1]) * reads[r + 4] +
    (0 + now[b + 1] + wB * reads[p + 2] - now[a + 1] - wA * reads[p]) * reads[r + 5]
  )
}

/** The only point pushes. */
function pushOne(now: Float64Array, s: number, a: number, b: number, reads: Float64Array, r: number): void {
  const p = r + POINTS
  const before = now[s]
  const sum = Math.max(before - reads[p + 4] * (parting(now, a, b, reads, r, p) - reads[p + 6]), 0)
  now[s] = sum
  push(now, a, b, reads, r, p, (sum - before) * reads[r + 4], (sum - before) * reads[r + 5])
}

/** Two points push together: none pulls, and where one pushes the bodies do not part (linear complementarity). */
function pushBoth(now: Float64Array, s: number, a: number, b: number, reads: Float64Array, r: number): void {
  const p = r + POINTS
  const q = r + POINTS + POINT_READS
  const kxx = reads[r + 8]
  const kxy = reads[r + 9]
  const kyx = reads[r + 10]
  const kyy = reads[r + 11]
  const first = now[s]
  const second = now[s + 2]
  const gap = parting(now, a, b, reads, r, p) - reads[p + 6] - (kxx * first + kyx * second)
  const other = parting(now, a, b, reads, r, q) - reads[q + 6] - (kxy * first + kyy * second)
  let x = -(reads[r + 12] * gap + reads[r + 14] * other)
  let y = -(reads[r + 13] * gap + reads[r + 15] * other)
  if (!(x >= 0 && y >= 0)) {
    x = -reads[p + 4] * gap
    y = 0
    if (!(x >= 0 && kxy * x + other >= 0)) {
      x = 0
      y = -reads[q + 4] * other
      if (!(y >= 0 && kyx * y + gap >= 0)) {
        if (!(gap >= 0 && other >= 0)) return
        y = 0
      }
    }
  }
  now[s] = x
  now[s + 2] = y
  pushPoints(now, a, b, reads, r, x - first, y - second)
}

/** Impulses along the normal at both points. */
function pushPoints(
  now: Float64Array,
  a: number,
  b: number,
  reads: Float64Array,
  r: number,
  first: number,
  second: number,
): void {
  const p = r + POINTS
  const q = r + POINTS + POINT_READS
  const mA = reads[r]
  const mB = reads[r + 1]
  const iA = reads[r + 2]
  const iB = reads[r + 3]
  const px = first * reads[r + 4]
  const py = first * reads[r + 5]
  const qx = second * reads[r + 4]
  const qy = second * reads[r + 5]
  now[a] = -mA * px + -mA * qx + now[a]
  now[a + 1] = -mA * py + -mA * qy + now[a + 1]
  now[a + 2] -= iA * (reads[p] * py - reads[p + 1] * px + (reads[q] * qy - reads[q + 1] * qx))
  now[b] = mB * px + mB * qx + now[b]
  now[b + 1] = mB * py + mB * qy + now[b + 1]
  now[b + 2] += iB * (reads[p + 2] * py - reads[p + 3] * px + (reads[q + 2] * qy - reads[q + 3] * qx))
}
