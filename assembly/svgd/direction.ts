/**
 * Weighted sums of rows: out_i = scale Σ_j w_ij a_j, summed over j in order.
 * Four rows of out by two vectors stay in registers, so a is read n/4 times.
 *
 *     weights: f32 [n, n]    a, out: f32 [n, d], d a multiple of 4
 */
export function mixRows(out: usize, weights: usize, a: usize, n: i32, d: i32, scale: f32): void {
  const row = d << 2
  let i = 0
  for (; i + 3 < n; i += 4) {
    let column = 0
    for (; column + 32 <= row; column += 32) mixTile4x2(out, weights, a, n, row, i, column, scale)
    if (column < row) {
      for (let r = i; r < i + 4; r++) mixTile1x1(out, weights, a, n, row, r, column, scale)
    }
  }
  for (; i < n; i++) {
    for (let column = 0; column < row; column += 16) mixTile1x1(out, weights, a, n, row, i, column, scale)
  }
}

function mixTile1x1(out: usize, weights: usize, a: usize, n: i32, row: i32, i: i32, column: i32, scale: f32): void {
  let sum = f32x4.splat(0)
  const w = weights + ((i * n) << 2)
  for (let j = 0, p = a + column; j < n; j++, p += row) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w + (j << 2)), v128.load(p)))
  }
  v128.store(out + i * row + column, f32x4.mul(sum, f32x4.splat(scale)))
}

function mixTile4x2(out: usize, weights: usize, a: usize, n: i32, row: i32, i: i32, column: i32, scale: f32): void {
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00
  const line = n << 2
  let w = weights + i * line
  for (let j = 0, p = a + column; j < n; j++, p += row, w += 4) {
    const a0 = v128.load(p)
    const a1 = v128.load(p, 16)
    let k = v128.load32_splat(w)
    s00 = f32x4.add(s00, f32x4.mul(k, a0))
    s01 = f32x4.add(s01, f32x4.mul(k, a1))
    k = v128.load32_splat(w + line)
    s10 = f32x4.add(s10, f32x4.mul(k, a0))
    s11 = f32x4.add(s11, f32x4.mul(k, a1))
    k = v128.load32_splat(w + 2 * line)
    s20 = f32x4.add(s20, f32x4.mul(k, a0))
    s21 = f32x4.add(s21, f32x4.mul(k, a1))
    k = v128.load32_splat(w + 3 * line)
    s30 = f32x4.add(s30, f32x4.mul(k, a0))
    s31 = f32x4.add(s31, f32x4.mul(k, a1))
  }
  const c = f32x4.splat(scale)
  let to = out + i * row + column
  v128.store(to, f32x4.mul(s00, c))
  v128.store(to, f32x4.mul(s01, c), 16)
  to += row
  v128.store(to, f32x4.mul(s10, c))
  v128.store(to, f32x4.mul(s11, c), 16)
  to += row
  v128.store(to, f32x4.mul(s20, c))
  v128.store(to, f32x4.mul(s21, c), 16)
  to += row
  v128.store(to, f32x4.mul(s30, c))
  v128.store(to, f32x4.mul(s31, c), 16)
}

/**
 * Repulsion of the RBF kernel: (1/n) Σ_j ∇_{x_j} k(x_j, x_i) = 2/(nh) [ x_i Σ_{j≠i} k_ij − Σ_{j≠i} k_ij x_j ].
 * The term j = i is left out, though it cancels: beside k_ii = 1 the small k_ij of a narrow kernel would be rounded away.
 *
 *     x: f32 [n, d] centred    kernel: f32 [n, n], its diagonal is set to 0 and back to 1    out: f32 [n, d]
 */
export function rbfRepulsion(out: usize, x: usize, kernel: usize, n: i32, d: i32, bandwidth: f32): void {
  fillDiagonal(kernel, n, 0)
  mixRows(out, kernel, x, n, d, 1)
  const row = d << 2
  const scale = f32x4.splat(2 / (<f32>n * bandwidth))
  for (let i = 0; i < n; i++) {
    let sum: f32 = 0
    for (let j = 0; j < n; j++) sum += load<f32>(kernel + ((i * n + j) << 2))
    const rowSum = f32x4.splat(sum)
    for (let p = i * row, end = p + row; p < end; p += 16) {
      const difference = f32x4.sub(f32x4.mul(rowSum, v128.load(x + p)), v128.load(out + p))
      v128.store(out + p, f32x4.mul(scale, difference))
    }
  }
  fillDiagonal(kernel, n, 1)
}

function fillDiagonal(matrix: usize, n: i32, value: f32): void {
  for (let i = 0; i < n; i++) store<f32>(matrix + ((i * n + i) << 2), value)
}
