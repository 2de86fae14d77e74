/** out = a x + b y over count f32 (a multiple of 4). out may be x or y. */
export function combineInto(out: usize, a: f32, x: usize, b: f32, y: usize, count: i32): void {
  const va = f32x4.splat(a)
  const vb = f32x4.splat(b)
  for (let p = 0, end = count << 2; p < end; p += 16) {
    v128.store(out + p, f32x4.add(f32x4.mul(va, v128.load(x + p)), f32x4.mul(vb, v128.load(y + p))))
  }
}

/** Euclidean norm of each row, summed in float64.    out: f32 [n]    x: f32 [n, d] */
export function rowNorms(out: usize, x: usize, n: i32, d: i32): void {
  for (let i = 0, p = x; i < n; i++) {
    let sum: f64 = 0
    for (let k = 0; k < d; k++, p += 4) {
      const value = <f64>load<f32>(p)
      sum += value * value
    }
    store<f32>(out + (i << 2), <f32>Math.sqrt(sum))
  }
}

/** Index of the first value that is NaN or infinite, or −1.    x: f32 [count] */
export function firstNonFinite(x: usize, count: i32): i32 {
  for (let i = 0; i < count; i++) {
    if (!isFinite(load<f32>(x + (i << 2)))) return i
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
