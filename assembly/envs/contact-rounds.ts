// Rounds of impulses at a contact of one or two points, in planck's arithmetic and order: friction, then what keeps
// the bodies apart.
//
// impulses  [4]  f64 | normal, tangent of the first point | of the second |
// reads    [30]  f64 | 1/mA, 1/mB, 1/IA, 1/IB | normal x, y | friction | tangent speed | K [4] | its inverse [4] |
//                    | of each point [7]: rA | rB | normal mass | tangent mass | velocity bias |
// link      [3]  i32 | byte offsets of bodies A and B | points |
// a body    [3]  f64 | velocity x, y | angular velocity |

import { read } from './joint-rounds'

export const CONTACT: usize = 4 * 8
export const CONTACT_READS: usize = 30 * 8
const POINTS: usize = 16 * 8
const POINT_READS: usize = 7 * 8

/** A round of the contact whose impulses are at s. */
export function solveContact(now: usize, s: usize, r: usize, link: usize): void {
  const a = now + load<i32>(link)
  const b = now + load<i32>(link, 4)
  const first = r + POINTS
  const isDouble = load<i32>(link, 8) == 2
  rub(s, a, b, r, first)
  if (isDouble) {
    rub(s + 16, a, b, r, first + POINT_READS)
    pushBoth(s, a, b, r, first, first + POINT_READS)
  } else pushOne(s, a, b, r, first)
}

/** Friction at the point that reads p, whose impulses are at s. */
// @ts-ignore: decorator
@inline
function rub(s: usize, a: usize, b: usize, r: usize, p: usize): void {
  const tangentX = read(r, 5)
  const tangentY = -read(r, 4)
  const wA = load<f64>(a, 16)
  const wB = load<f64>(b, 16)
  const along =
    (0 + load<f64>(b) - wB * read(p, 3) - load<f64>(a) + wA * read(p, 1)) * tangentX +
    (0 + load<f64>(b, 8) + wB * read(p, 2) - load<f64>(a, 8) - wA * read(p, 0)) * tangentY -
    read(r, 7)
  const most = read(r, 6) * load<f64>(s)
  const before = load<f64>(s, 8)
  const wanted = before + read(p, 5) * -along
  const sum = wanted < -most ? -most : min(wanted, most)
  store<f64>(s, sum, 8)
  push(a, b, r, p, (sum - before) * tangentX, (sum - before) * tangentY)
}

/** An impulse at the point that reads p. */
// @ts-ignore: decorator
@inline
function push(a: usize, b: usize, r: usize, p: usize, x: f64, y: f64): void {
  const mA = read(r, 0)
  const mB = read(r, 1)
  store<f64>(a, load<f64>(a) - mA * x)
  store<f64>(a, load<f64>(a, 8) - mA * y, 8)
  store<f64>(a, load<f64>(a, 16) - read(r, 2) * (read(p, 0) * y - read(p, 1) * x), 16)
  store<f64>(b, load<f64>(b) + mB * x)
  store<f64>(b, load<f64>(b, 8) + mB * y, 8)
  store<f64>(b, load<f64>(b, 16) + read(r, 3) * (read(p, 2) * y - read(p, 3) * x), 16)
}

/** How fast the bodies part along the normal at the point that reads p. */
// @ts-ignore: decorator
@inline
function parting(a: usize, b: usize, r: usize, p: usize): f64 {
  const wA = load<f64>(a, 16)
  const wB = load<f64>(b, 16)
  return (
    (0 + load<f64>(b) - wB * read(p, 3) - load<f64>(a) + wA * read(p, 1)) * read(r, 4) +
    (0 + load<f64>(b, 8) + wB * read(p, 2) - load<f64>(a, 8) - wA * read(p, 0)) * read(r, 5)
  )
}

/** The only point pushes. */
// @ts-ignore: decorator
@inline
function pushOne(s: usize, a: usize, b: usize, r: usize, p: usize): void {
  const before = load<f64>(s)
  const sum = max(before - read(p, 4) * (parting(a, b, r, p) - read(p, 6)), 0)
  store<f64>(s, sum)
  push(a, b, r, p, (sum - before) * read(r, 4), (sum - before) * read(r, 5))
}

/** Two points push together: none pulls, and where one pushes the bodies do not part (linear complementarity). */
// @ts-ignore: decorator
@inline
function pushBoth(s: usize, a: usize, b: usize, r: usize, p: usize, q: usize): void {
  const kxx = read(r, 8)
  const kxy = read(r, 9)
  const kyx = read(r, 10)
  const kyy = read(r, 11)
  const first = load<f64>(s)
  const second = load<f64>(s, 16)
  const gap = parting(a, b, r, p) - read(p, 6) - (kxx * first + kyx * second)
  const other = parting(a, b, r, q) - read(q, 6) - (kxy * first + kyy * second)
  let x = -(read(r, 12) * gap + read(r, 14) * other)
  let y = -(read(r, 13) * gap + read(r, 15) * other)
  if (!(x >= 0 && y >= 0)) {
    x = -read(p, 4) * gap
    y = 0
    if (!(x >= 0 && kxy * x + other >= 0)) {
      x = 0
      y = -read(q, 4) * other
      if (!(y >= 0 && kyx * y + gap >= 0)) {
        if (!(gap >= 0 && other >= 0)) return
        y = 0
      }
    }
  }
  store<f64>(s, x)
  store<f64>(s, y, 16)
  pushPoints(a, b, r, p, q, x - first, y - second)
}

/** Impulses along the normal at both points. */
// @ts-ignore: decorator
@inline
function pushPoints(a: usize, b: usize, r: usize, p: usize, q: usize, first: f64, second: f64): void {
  const mA = read(r, 0)
  const mB = read(r, 1)
  const px = first * read(r, 4)
  const py = first * read(r, 5)
  const qx = second * read(r, 4)
  const qy = second * read(r, 5)
  store<f64>(a, -mA * px + -mA * qx + load<f64>(a))
  store<f64>(a, -mA * py + -mA * qy + load<f64>(a, 8), 8)
  const turnA = read(p, 0) * py - read(p, 1) * px + (read(q, 0) * qy - read(q, 1) * qx)
  store<f64>(a, load<f64>(a, 16) - read(r, 2) * turnA, 16)
  store<f64>(b, mB * px + mB * qx + load<f64>(b))
  store<f64>(b, mB * py + mB * qy + load<f64>(b, 8), 8)
  const turnB = read(p, 2) * py - read(p, 3) * px + (read(q, 2) * qy - read(q, 3) * qx)
  store<f64>(b, load<f64>(b, 16) + read(r, 3) * turnB, 16)
}
