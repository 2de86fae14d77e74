// Dense products on panels. A panel is four rows (or columns) interleaved, [count][4]: every step of the inner loop
// reads sixteen consecutive bytes of each operand. Sums run over k in order, in one accumulator an element, so that the
// bits of an element do not depend on the tile, or the thread, that computes it.

/** c + a b: one fused instruction in the relaxed build, two roundings otherwise. */
// @ts-ignore: decorator
@inline
export function mulAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(c, f32x4.mul(a, b))
}

/**
 * out_rc = Σ_k a_kr b_kc, of at least one k: four rows by `panels` panels of columns.
 *
 *     out: f32 [4, 4 panels], its rows `row` bytes apart    a: f32 [count][4]    b: f32 [panels, count, 4]
 */
export function multiplyPanels(out: usize, row: i32, a: usize, b: usize, panels: i32, count: i32): void {
  const size = count << 4
  multiplyPairs(out, row, a, b, panels >> 1, size)
  if (panels & 1) multiplyLast(out + ((panels - 1) << 4), row, a, b + (panels - 1) * size, size)
}

/**
 * Two panels at a time: eight accumulators, as V8 spills registers beyond that (31 GFLOP/s for 5 x 2 instead of 60).
 * The inner loop stands in another one because V8 unrolls only nested loops of this size (60 instead of 52).
 */
function multiplyPairs(out: usize, row: i32, a: usize, b: usize, pairs: i32, size: i32): void {
  for (let t = 0; t < pairs; t++, out += 32, b += 2 * size) {
    const c = b + size
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00
    for (let k = 0; ; ) {
      const v = v128.load(b + k)
      const w = v128.load(c + k)
      let x = v128.load32_splat(a + k)
      s00 = mulAdd(x, v, s00)
      s01 = mulAdd(x, w, s01)
      x = v128.load32_splat(a + k, 4)
      s10 = mulAdd(x, v, s10)
      s11 = mulAdd(x, w, s11)
      x = v128.load32_splat(a + k, 8)
      s20 = mulAdd(x, v, s20)
      s21 = mulAdd(x, w, s21)
      x = v128.load32_splat(a + k, 12)
      s30 = mulAdd(x, v, s30)
      s31 = mulAdd(x, w, s31)
      k += 16
      if (k >= size) break
    }
    let to = out
    v128.store(to, s00)
    v128.store(to, s01, 16)
    to += row
    v128.store(to, s10)
    v128.store(to, s11, 16)
    to += row
    v128.store(to, s20)
    v128.store(to, s21, 16)
    to += row
    v128.store(to, s30)
    v128.store(to, s31, 16)
  }
}

function multiplyLast(out: usize, row: i32, a: usize, b: usize, size: i32): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
  for (let k = 0; k < size; k += 16) {
    const v = v128.load(b + k)
    s0 = mulAdd(v128.load32_splat(a + k), v, s0)
    s1 = mulAdd(v128.load32_splat(a + k, 4), v, s1)
    s2 = mulAdd(v128.load32_splat(a + k, 8), v, s2)
    s3 = mulAdd(v128.load32_splat(a + k, 12), v, s3)
  }
  v128.store(out, s0)
  v128.store(out + row, s1)
  v128.store(out + 2 * row, s2)
  v128.store(out + 3 * row, s3)
}

/** Σ_k of a panel [count][4], in four running sums, or each addition would wait for the one before. */
export function sumPanel(panel: usize, count: i32): v128 {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
  let p = panel
  for (const end = panel + ((count & ~3) << 4); p < end; p += 64) {
    s0 = f32x4.add(s0, v128.load(p))
    s1 = f32x4.add(s1, v128.load(p, 16))
    s2 = f32x4.add(s2, v128.load(p, 32))
    s3 = f32x4.add(s3, v128.load(p, 48))
  }
  for (const end = panel + (count << 4); p < end; p += 16) s0 = f32x4.add(s0, v128.load(p))
  return f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))
}

/**
 * Four vectors at p, p + stride, ... become columns: what stood at row r, lane c is stored at to + c·toStride, lane r.
 */
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
