/** Running mean and variance of columns: [count, mean …, sum of squared deviations …] in one array, to be carried. */
export type Moments = Float64Array

export const noMoments = (columns: number): Moments => new Float64Array(1 + 2 * columns)

/** Numbers further than this many deviations from the mean are clipped. */
const CLIP = 5
const SMALLEST_DEVIATION = 1e-6

/** The moments with the rows [rows, columns] added (Chan et al. 1979). */
export function withRows(moments: Moments, rows: Float32Array): Moments {
  const columns = (moments.length - 1) / 2
  const count = rows.length / columns
  const out = moments.slice()
  if (count === 0) return out
  const total = moments[0] + count
  for (let c = 0; c < columns; c++) {
    let sum = 0
    for (let r = 0; r < count; r++) sum += rows[r * columns + c]
    const mean = sum / count
    let squares = 0
    for (let r = 0; r < count; r++) squares += (rows[r * columns + c] - mean) * (rows[r * columns + c] - mean)
    const shift = mean - moments[1 + c]
    out[1 + c] += (shift * count) / total
    out[1 + columns + c] += squares + (shift * shift * moments[0] * count) / total
  }
  out[0] = total
  return out
}

/** Rows shifted and scaled to mean 0 and deviation 1, clipped to ±5; in place. */
export function normaliseInPlace(rows: Float32Array, moments: Moments): Float32Array {
  const columns = (moments.length - 1) / 2
  for (let k = 0; k < rows.length; k++) {
    const c = k % columns
    const deviation = Math.max(Math.sqrt(moments[1 + columns + c] / Math.max(moments[0], 1)), SMALLEST_DEVIATION)
    rows[k] = Math.min(Math.max((rows[k] - moments[1 + c]) / deviation, -CLIP), CLIP)
  }
  return rows
}
