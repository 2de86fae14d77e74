// Dense products on panels. A panel is four rows (or columns) interleaved, [count][4]: every step of the inner loop reads
// sixteen consecutive bytes of each operand. Sums run over k in order, in one accumulator an element, so that the
// bits of an element do not depend on the tile, or the thread, that computes it.

/** c + a b: one fused instruction in the relaxed build, two roundings otherwise. */
// @ts-ignore: decorator
@inline
export function mulAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(c, f32x4.mul(a, b))
}

/**
 * tile_rc = Σ_k a_kr b_kc: four rows by two panels of columns.
 * Eight accumulators, unrolled no further: V8 spills registers beyond that (measured: 57 GFLOP/s, 31 for 5 x 2, 35 unrolled twice).
 *
 *     tile: f32 [4, 8]    a, b0, b1: f32 [count][4]
 */
export function tile4x8(tile: usize, a: usize, b0: usize, b1: usize, count: i32): void {
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00
  for (let k = 0, end = count << 4; k < end; k += 16) {
    const b = v128.load(b0 + k)
    const c = v128.load(b1 + k)
    let v = v128.load32_splat(a + k)
    s00 = mulAdd(v, b, s00)
    s01 = mulAdd(v, c, s01)
    v = v128.load32_splat(a + k, 4)
    s10 = mulAdd(v, b, s10)
    s11 = mulAdd(v, c, s11)
    v = v128.load32_splat(a + k, 8)
    s20 = mulAdd(v, b, s20)
    s21 = mulAdd(v, c, s21)
    v = v128.load32_splat(a + k, 12)
    s30 = mulAdd(v, b, s30)
    s31 = mulAdd(v, c, s31)
  }
  v128.store(tile, s00)
  v128.store(tile, s01, 16)
  v128.store(tile, s10, 32)
  v128.store(tile, s11, 48)
  v128.store(tile, s20, 64)
  v128.store(tile, s21, 80)
  v128.store(tile, s30, 96)
  v128.store(tile, s31, 112)
}

/** The same with one panel of columns; the rows of the tile keep the distance of eight floats. */
export function tile4x4(tile: usize, a: usize, b: usize, count: i32): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
  for (let k = 0, end = count << 4; k < end; k += 16) {
    const v = v128.load(b + k)
    s0 = mulAdd(v128.load32_splat(a + k), v, s0)
    s1 = mulAdd(v128.load32_splat(a + k, 4), v, s1)
    s2 = mulAdd(v128.load32_splat(a + k, 8), v, s2)
    s3 = mulAdd(v128.load32_splat(a + k, 12), v, s3)
  }
  v128.store(tile, s0)
  v128.store(tile, s1, 32)
  v128.store(tile, s2, 64)
  v128.store(tile, s3, 96)
}

/** Four vectors at p, p + stride, ... become columns: what stood at row r, lane c is stored at to + c·toStride, lane r. */
// @ts-ignore: decorator
@inline
export function storeTransposed(to: usize, toStride: i32, v0: v128, v1: v128, v2: v128, v3: v128): void {
  const low01 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5)
  const high01 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7)
  const low23 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5)
  const high23 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2))
  v128.store(to + toStride, v128.shuffle<f64>(low01, low23, 1, 3))
  v128.store(to + 2 * toStride, v128.shuffle<f64>(high01, high23, 0, 2))
  v128.store(to + 3 * toStride, v128.shuffle<f64>(high01, high23, 1, 3))
}
