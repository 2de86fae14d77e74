// Rounds of impulses of bodies that hang together, one joint and contact after the other, as planck takes them.
//
// now     f64 | body [3] … | joint [4] … | contact [4] … |  what a round changes
// before  f64 the same some rounds before
// reads   f64 | joint [25] … | contact [30] … |  what it reads
// links   i32 | joint [3] … | contact [3] … |

import { CONTACT, CONTACT_READS, solveContact } from './contact-rounds'
import { JOINT, JOINT_READS, solveJoint } from './joint-rounds'

const BODY: usize = 3 * 8
const LINKS: usize = 3 * 4

/**
 * Takes so many rounds. One is a function of velocities and impulses: where these are what they were k rounds before,
 * to the bit, all later ones repeat, and only the rest by k is left to do.
 */
export function solveRounds(
  now: usize,
  before: usize,
  reads: usize,
  links: usize,
  bodies: i32,
  joints: i32,
  contacts: i32,
  count: i32,
): void {
  const first = now + BODY * bodies
  const size = BODY * bodies + JOINT * joints + CONTACT * contacts
  // Kept after rounds 1, 2, 4, 8 …, so that a period of any length is found (Brent).
  let kept = 0
  for (let round = 1; round <= count; round++) {
    solveRound(now, first, reads, links, joints, contacts)
    if (kept > 0 && isSame(now, before, size)) {
      for (let left = (count - round) % (round - kept); left > 0; left--)
        solveRound(now, first, reads, links, joints, contacts)
      return
    }
    if (round >= 2 * kept) {
      memory.copy(before, now, size)
      kept = round
    }
  }
}

/** Whether all of it is the same, to the bit. */
// @ts-ignore: decorator
@inline
function isSame(a: usize, b: usize, size: usize): bool {
  for (let k: usize = 0; k < size; k += 8) if (load<i64>(a + k) != load<i64>(b + k)) return false
  return true
}

function solveRound(now: usize, s: usize, r: usize, link: usize, joints: i32, contacts: i32): void {
  for (let j = 0; j < joints; j++, s += JOINT, r += JOINT_READS, link += LINKS) solveJoint(now, s, r, link)
  for (let c = 0; c < contacts; c++, s += CONTACT, r += CONTACT_READS, link += LINKS) solveContact(now, s, r, link)
}
