/** out = a x + b y over count f32 (a multiple of 4). out may be x or y. */
export function combineInto(out: usize, a: f32, x: usize, b: f32, y: usize, count: i32): void {
  const va = f32x4.splat(a)
  const vb = f32x4.splat(b)
  for (let p = 0, end = count << 2; p < end; p += 16) {
    v128.store(out + p, f32x4.add(f32x4.mul(va, v128.load(x + p)), f32x4.mul(vb, v128.load(y + p))))
  }
}

/** out_ik = x_ik scale_k.    out, x: f32 [n, D], out may be x    scale: f32 [D] */
export function scaleColumns(out: usize, x: usize, scale: usize, n: i32, D: i32): void {
  const row = D << 2
  for (let i = 0; i < n; i++) {
    for (let k = 0, p = i * row; k < row; k += 16, p += 16) {
      v128.store(out + p, f32x4.mul(v128.load(x + p), v128.load(scale + k)))
    }
  }
}

/** out_i = Aᵀ x_i: out_ik = Σ_l x_il A_lk, summed over l in order.    out, x: f32 [n, D]    matrix: f32 [D, D] */
export function multiplyRows(out: usize, x: usize, matrix: usize, n: i32, D: i32): void {
  const row = D << 2
  for (let i = 0; i < n; i++) {
    const to = out + i * row
    memory.fill(to, 0, row)
    for (let l = 0; l < D; l++) {
      const value = v128.load32_splat(x + i * row + (l << 2))
      const a = matrix + l * row
      for (let k = 0; k < row; k += 16) {
        v128.store(to + k, f32x4.add(v128.load(to + k), f32x4.mul(value, v128.load(a + k))))
      }
    }
  }
}

/** Copies n rows of some columns between arrays of different row lengths, all counted in floats. */
export function copyColumns(out: usize, outStride: i32, x: usize, stride: i32, n: i32, columns: i32): void {
  for (let i = 0; i < n; i++) memory.copy(out + ((i * outStride) << 2), x + ((i * stride) << 2), columns << 2)
}

/** Index of the first value that is NaN or infinite, or −1.    x: f32 [count], count a multiple of 4 */
export function firstNonFinite(x: usize, count: i32): i32 {
  for (let p = x, end = x + (count << 2); p < end; p += 16) {
    // v − v is 0 for finite v and NaN otherwise
    const v = v128.load(p)
    const difference = f32x4.sub(v, v)
    if (!v128.any_true(f32x4.ne(difference, difference))) continue
    let i = <i32>((p - x) >> 2)
    while (isFinite(load<f32>(x + (i << 2)))) i++
    return i
  }
  return -1
}

/** Index of the first value that is NaN or infinite, or −1.    x: f64 [count] */
export function firstNonFinite64(x: usize, count: i32): i32 {
  for (let i = 0; i < count; i++) {
    if (!isFinite(load<f64>(x + (i << 3)))) return i
  }
  return -1
}
