import { platform } from '#platform'
import type { Kernel } from './kernels.ts'

/** Particles within so many neighbouring numbers of each other are told to coincide. */
const NEIGHBOURS = 2

/**
 * Warns of particles that start in the place of another one: whatever moves the one moves the other in the same way,
 * so they stay together and count as one.
 *
 * @param initial [n, d]
 */
export function warnOfTwins(initial: Float32Array, n: number): void {
  const d = initial.length / n
  const compare = (i: number, j: number) => {
    let k = 0
    while (k < d - 1 && initial[i * d + k] === initial[j * d + k]) k++
    return initial[i * d + k] - initial[j * d + k]
  }
  const order = Int32Array.from({ length: n }, (_, i) => i).sort(compare)
  let twins = 0
  for (let i = 1; i < n; i++) if (compare(order[i - 1], order[i]) === 0) twins++
  if (twins === 0) return
  const who =
    twins === n - 1
      ? `All ${n} initial particles are the same point`
      : `${twins} of ${n} initial particles repeat another one`
  platform.warn(`${who}, and SVGD moves equal particles equally: they stay together. Give each a start of its own.`)
}

/** How far a number of float32 is from the next one away from 0. */
function gapAt(x: number): number {
  const value = new Float32Array([x])
  new Int32Array(value.buffer)[0]++
  return Math.abs(value[0] - Math.fround(x))
}

/** Whether coordinate k of particles [n, d] is in float32 one number or its neighbours. */
function isTogether(particles: ArrayLike<number>, n: number, k: number): boolean {
  const d = particles.length / n
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < n; i++) {
    const x = Math.fround(particles[i * d + k])
    least = Math.min(least, x)
    most = Math.max(most, x)
  }
  return most - least <= NEIGHBOURS * gapAt(Math.max(Math.abs(least), Math.abs(most)))
}

/**
 * Warns where particles that started apart have come to one number of float32, or to its neighbours, in a coordinate: a
 * target that is narrower than float32 is there cannot be told from a point.
 *
 * @param initial [n, d] where they started; draws, which are apart, where none was given
 * @param particles [n, d] where they are
 */
export function warnOfCoincidence(
  initial: ArrayLike<number> | null | undefined,
  particles: Float32Array,
  n: number,
): void {
  if (n === 1) return
  let k = 0
  while (k < particles.length / n && (!isTogether(particles, n, k) || (initial && isTogether(initial, n, k)))) k++
  if (k === particles.length / n) return
  const gap = gapAt(particles[k]).toPrecision(2)
  platform.warn(
    `All ${n} particles have come together in coordinate ${k}, at ${particles[k].toPrecision(8)}, where neighbouring ` +
      `numbers of float32 are ${gap} apart: subtract a constant from it, or take a unit in which the target is wide.`,
  )
}

/** Squared distances below this have lost their digits: float32 holds multiples of 1.4e-45. */
const SQUARE = 1e-42

/**
 * Warns of particles that differ, but so little that the squares of their distances are 0 in float32: to a kernel of
 * the distances in x they are one point.
 *
 * @param particles [n, d]
 */
export function warnOfUnderflow(particles: ArrayLike<number>, n: number, { given, coordinates }: Kernel): void {
  if (given || coordinates?.kind === 'metric' || coordinates?.kind === 'per-dimension') return
  const d = particles.length / n
  let widest = 0
  for (let at = d; at < particles.length; at++) widest = Math.max(widest, Math.abs(particles[at] - particles[at % d]))
  if (widest === 0 || widest * widest >= SQUARE) return
  platform.warn(
    `All ${n} particles are within ${widest.toPrecision(2)} of the first one, and the square of that is 0 in float32: ` +
      'they do not repel each other. Take a unit in which the target is wide.',
  )
}
