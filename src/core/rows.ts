// Matrices as arrays, row by row.

/** Arrays one after the other. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Row i of `rows` rows with padding, its first `width` numbers; on the memory itself. */
export function rowAt(values: Float32Array, rows: number, width: number, i: number): Float32Array {
  const stride = values.length / rows
  return values.subarray(i * stride, i * stride + width)
}

/** [rows, width] a copy of rows without the padding behind them. */
export function unpadded(values: Float32Array, rows: number, width: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows * width)
  for (let i = 0; i < rows; i++) out.set(rowAt(values, rows, width, i), i * width)
  return out
}

/** Some rows of `width` numbers, in the order given. */
export function takeRows(from: Float32Array | Float64Array, rows: Int32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length * width)
  for (let k = 0, at = 0; k < rows.length; k++) {
    for (let c = rows[k] * width, end = c + width; c < end; c++, at++) out[at] = from[c]
  }
  return out
}

/** Every row `times` times in a row, into out [rows · times, width]. */
export function repeatRows(out: Float32Array, from: Float32Array, width: number, times: number): Float32Array {
  for (let row = 0, at = 0; at < out.length; row++) {
    for (let k = 0; k < times; k++, at += width) for (let c = 0; c < width; c++) out[at + c] = from[row * width + c]
  }
  return out
}

/** The numbers of at most `most` of `count` rows, evenly spread over them. */
export function spreadRows(count: number, most: number): Int32Array {
  const taken = Math.min(most, count)
  return Int32Array.from({ length: taken }, (_, k) => Math.floor(((k + 0.5) * count) / taken))
}

/** The mean, summed in the order of the values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let k = 0; k < values.length; k++) sum += values[k]
  return sum / values.length
}

/** out[k] = mean over rows of row[k], summed in their order in float64. */
export function meanInto(out: Float32Array | Float64Array, rows: readonly ArrayLike<number>[]): void {
  for (let k = 0; k < rows[0].length; k++) {
    let sum = 0
    for (const row of rows) sum += row[k]
    out[k] = sum / rows.length
  }
}

/** |θ|, for metrics only. */
export const normOf = (theta: Float32Array) => Math.sqrt(theta.reduce((sum, x) => sum + x * x, 0))

/** [rows] norms of rows [rows, width], for metrics and for lengths. */
export function normsOf(rows: Float32Array | Float64Array, width: number): Float64Array {
  const squares = new Float64Array(rows.length / width)
  for (let k = 0; k < rows.length; k++) squares[Math.floor(k / width)] += rows[k] * rows[k]
  return squares.map(Math.sqrt)
}

export const meanNorm = (rows: Float32Array, width: number) => mean(normsOf(rows, width))
