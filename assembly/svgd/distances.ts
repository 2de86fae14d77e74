/**
 * Moves the particles so that their column means are about 0.
 * Distances are formed from a Gram matrix, which cancels when particles are far from the origin and close together.
 * The mean need not be exact: any common shift gives the same distances.
 *
 *     x, out: f32 [n, d], d a multiple of 4
 */
export function centreInto(out: usize, x: usize, n: i32, d: i32): void {
  const row = d << 2
  const inverse = f32x4.splat(1 / <f32>n)
  for (let column = 0; column < row; column += 16) {
    let sum = f32x4.splat(0)
    for (let i = 0, p = x + column; i < n; i++, p += row) sum = f32x4.add(sum, v128.load(p))
    const mean = f32x4.mul(sum, inverse)
    for (let i = 0, p = column; i < n; i++, p += row) v128.store(out + p, f32x4.sub(v128.load(x + p), mean))
  }
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}

/** Inner products of row i with four rows from j on: out[j..j+3] = x_i · x_j. */
function gramRow4(out: usize, xi: usize, xj: usize, row: i32): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
  const x1 = xj + row, x2 = x1 + row, x3 = x2 + row
  for (let k = 0; k < row; k += 16) {
    const a = v128.load(xi + k)
    s0 = f32x4.add(s0, f32x4.mul(a, v128.load(xj + k)))
    s1 = f32x4.add(s1, f32x4.mul(a, v128.load(x1 + k)))
    s2 = f32x4.add(s2, f32x4.mul(a, v128.load(x2 + k)))
    s3 = f32x4.add(s3, f32x4.mul(a, v128.load(x3 + k)))
  }
  store<f32>(out, sumLanes(s0))
  store<f32>(out, sumLanes(s1), 4)
  store<f32>(out, sumLanes(s2), 8)
  store<f32>(out, sumLanes(s3), 12)
}

function inner(xi: usize, xj: usize, row: i32): f32 {
  let sum = f32x4.splat(0)
  for (let k = 0; k < row; k += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(xi + k), v128.load(xj + k)))
  return sumLanes(sum)
}

/**
 * d²_ij = |x_i − x_j|² = x_i·x_i + x_j·x_j − 2 x_i·x_j, from the lower half of the Gram matrix.
 *
 *     x: f32 [n, d] centred, d a multiple of 4    out: f32 [n, n], symmetric to the bit, 0 on the diagonal
 */
export function squaredDistances(out: usize, x: usize, n: i32, d: i32): void {
  const row = d << 2
  const line = n << 2
  for (let i = 0; i < n; i++) {
    const xi = x + i * row
    const to = out + i * line
    let j = 0
    for (; j + 3 <= i; j += 4) gramRow4(to + (j << 2), xi, x + j * row, row)
    for (; j <= i; j++) store<f32>(to + (j << 2), inner(xi, x + j * row, row))
  }
  for (let i = 1; i < n; i++) {
    const square = load<f32>(out + i * line + (i << 2))
    for (let j = 0; j < i; j++) {
      const p = out + i * line + (j << 2)
      const d2 = max<f32>(square + load<f32>(out + j * line + (j << 2)) - 2 * load<f32>(p), 0)
      store<f32>(p, d2)
      store<f32>(out + j * line + (i << 2), d2)
    }
  }
  for (let i = 0; i < n; i++) store<f32>(out + i * line + (i << 2), 0)
}
