// Rounds of impulses at a joint that turns, with a motor and limits, in planck's arithmetic and order.
//
// impulses  [4]  f64 | x, y at the point | about the limit | of the motor |
// reads    [25]  f64 | 1/mA, 1/mB, 1/IA, 1/IB | rA | rB | most of the motor | its mass | its speed |
//                    | ex [3] | ey [3] | ez [3] | ey × ez [3] | 1 / (ex × ey) | 1 / (ex · ey × ez) |
// link      [3]  i32 | byte offsets of bodies A and B | where the joint is between its limits |
// a body    [3]  f64 | velocity x, y | angular velocity |

export const JOINT: usize = 4 * 8
export const JOINT_READS: usize = 25 * 8

const INSIDE: i32 = 0
const AT_LOWER: i32 = 1

/** Number k of what a joint or a contact reads. */
// @ts-ignore: decorator
@inline
export function read(r: usize, k: usize): f64 {
  return load<f64>(r + (k << 3))
}

/** A round of the joint whose impulses are at s. */
// @ts-ignore: decorator
@inline
export function solveJoint(now: usize, s: usize, r: usize, link: usize): void {
  const a = now + load<i32>(link)
  const b = now + load<i32>(link, 4)
  const limit = load<i32>(link, 8)
  const iA = read(r, 2)
  const iB = read(r, 3)
  const rAx = read(r, 4)
  const rAy = read(r, 5)
  const rBx = read(r, 6)
  const rBy = read(r, 7)
  let wA = load<f64>(a, 16)
  let wB = load<f64>(b, 16)

  const most = read(r, 8)
  const before = load<f64>(s, 24)
  const motor = min(max(before - read(r, 9) * (wB - wA - read(r, 10)), -most), most)
  const turn = motor - before
  store<f64>(s, motor, 24)
  wA -= iA * turn
  wB += iB * turn

  const vAx = load<f64>(a)
  const vAy = load<f64>(a, 8)
  const vBx = load<f64>(b)
  const vBy = load<f64>(b, 8)
  const gapX = vBx - wB * rBy - (vAx - wA * rAy)
  const gapY = vBy + wB * rBx - (vAy + wA * rAx)
  const exx = read(r, 11)
  const exy = read(r, 12)
  const eyx = read(r, 14)
  const eyy = read(r, 15)
  const det2 = read(r, 23)
  let x: f64
  let y: f64
  let z: f64 = 0
  if (limit == INSIDE) {
    x = det2 * (eyy * -gapX + eyx * gapY)
    y = det2 * (exx * -gapY + exy * gapX)
  } else {
    const gapW = wB - wA
    const exz = read(r, 13)
    const eyz = read(r, 16)
    const ezx = read(r, 17)
    const ezy = read(r, 18)
    const ezz = read(r, 19)
    const det = read(r, 24)
    x = -(det * (gapX * read(r, 20) + gapY * read(r, 21) + gapW * read(r, 22)))
    y = -(det * (exx * (gapY * ezz - gapW * ezy) + exy * (gapW * ezx - gapX * ezz) + exz * (gapX * ezy - gapY * ezx)))
    z = -(det * (exx * (eyy * gapW - eyz * gapY) + exy * (eyz * gapX - eyx * gapW) + exz * (eyx * gapY - eyy * gapX)))
    const sum = load<f64>(s, 16)
    const next = sum + z
    if (limit == AT_LOWER ? next < 0 : next > 0) {
      // The limit does not pull: only the point is held.
      const rightX = sum * ezx - gapX
      const rightY = sum * ezy - gapY
      x = det2 * (eyy * rightX - eyx * rightY)
      y = det2 * (exx * rightY - exy * rightX)
      z = -sum
      store<f64>(s, 0, 16)
    } else store<f64>(s, next, 16)
  }
  store<f64>(s, load<f64>(s) + x)
  store<f64>(s, load<f64>(s, 8) + y, 8)
  const mA = read(r, 0)
  const mB = read(r, 1)
  store<f64>(a, vAx - mA * x)
  store<f64>(a, vAy - mA * y, 8)
  store<f64>(a, wA - iA * (rAx * y - rAy * x + z), 16)
  store<f64>(b, vBx + mB * x)
  store<f64>(b, vBy + mB * y, 8)
  store<f64>(b, wB + iB * (rBx * y - rBy * x + z), 16)
}
