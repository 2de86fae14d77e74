import { padded } from '../core/layout.ts'
import type { Pointer } from '../core/ops.ts'
import { Purpose, type Seed, splitSeed } from '../core/random.ts'
import type { SteinArena } from './fields.ts'

/** The slices of a step, which depend on these numbers alone. */
export interface Slicing {
  readonly seed: number
  readonly step: number
}

/**
 * Rows x to the slices of a step, y = R x, out of place; or back, x = Rᵀ y. R is a random orthogonal matrix, uniform by
 * Haar's measure up to the signs of its rows, which no kernel sees. It is never written down: d − 1 reflections,
 *
 *     R = H_{d−2} … H_0,   H_r = 1 − 2 v vᵀ / |v|²,   v = z + sign(z_r) |z| e_r
 *
 * with z ~ N(0, I) over the coordinates from r on, drawn anew where they are needed, take 2 n d² multiplications where
 * a matrix would take d³ to be made.
 *
 * Source: Stewart 1980 (SIAM Journal on Numerical Analysis 17), section 3.
 *
 * @param out [n, D]
 * @param rows [n, D]
 */
export function turnInto(
  arena: SteinArena,
  [out, rows]: readonly [Pointer, Pointer],
  n: number,
  d: number,
  { seed, step, back = false }: Slicing & { readonly back?: boolean },
): void {
  const D = padded(d)
  const at = (pointer: Pointer) => new Float32Array(arena.memory.buffer, pointer, n * D)
  const turned = Float64Array.from(at(rows))
  const seeds = splitSeed(seed)
  for (let k = 0; k < d - 1; k++) {
    const first = back ? d - 2 - k : k
    const v = reflection(arena, d - first, seeds, first, step)
    for (let i = 0; i < n; i++) reflect(turned, i * D + first, v)
  }
  at(out).set(turned)
}

/** v over its length, of as many coordinates; number r of a step. */
function reflection({ ops, at, view }: SteinArena, count: number, { lo, hi }: Seed, r: number, step: number) {
  ops.fillNormal(at.slice, count, lo, hi, Purpose.user, r, 0, step)
  const v = Float64Array.from(view.slice.subarray(0, count))
  v[0] += v[0] < 0 ? -length(v) : length(v)
  const whole = length(v) || 1
  for (let k = 0; k < count; k++) v[k] /= whole
  return v
}

function reflect(rows: Float64Array, from: number, v: Float64Array): void {
  let along = 0
  for (let k = 0; k < v.length; k++) along += v[k] * rows[from + k]
  for (let k = 0; k < v.length; k++) rows[from + k] -= 2 * along * v[k]
}

function length(v: Float64Array): number {
  let sum = 0
  for (let k = 0; k < v.length; k++) sum += v[k] * v[k]
  return Math.sqrt(sum)
}
