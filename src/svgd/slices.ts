import { padded } from '../core/layout.ts'
import { Purpose, splitSeed } from '../core/random.ts'
import type { SteinArena } from './fields.ts'

/**
 * Writes the slices of a step as the maps of particles and scores to them, y = R x, and back: R is a random orthogonal
 * matrix, uniform by Haar's measure, made of normal numbers by Gram and Schmidt (twice, for rounding).
 */
export function writeSlices({ ops, at, view }: SteinArena, d: number, seed: number, step: number): void {
  const D = padded(d)
  const { lo, hi } = splitSeed(seed)
  const rows: Float64Array[] = []
  for (let r = 0; r < d; r++) {
    ops.fillNormal(at.slice, d, lo, hi, Purpose.user, r, 0, step)
    const row = Float64Array.from(view.slice.subarray(0, d))
    for (const pass of [0, 1]) {
      for (const other of rows) subtract(row, dot(row, other), other)
      const length = Math.sqrt(dot(row, row))
      // The second pass meets what the first left: a length of about 1.
      if (pass === 0 && length < 1e-6) throw new RangeError(`Slice ${r} of step ${step} depends on the others.`)
      for (let k = 0; k < d; k++) row[k] /= length
    }
    rows.push(row)
  }
  rows.forEach((row, r) => {
    for (let k = 0; k < d; k++) {
      view.mapX[k * D + r] = row[k]
      view.mapScore[k * D + r] = row[k]
      view.mapBack[r * D + k] = row[k]
    }
  })
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k]
  return sum
}

function subtract(row: Float64Array, share: number, other: Float64Array): void {
  for (let k = 0; k < row.length; k++) row[k] -= share * other[k]
}
