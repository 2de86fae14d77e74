// What becomes of a block of an array [outer, reduced, inner] that is reduced over its middle axis. Blocks come in
// order, so that the order of every sum is fixed. Of inner 1, rows are folded lane by lane in four accumulators of
// four lanes.

const SUM: i32 = 0
const MAXIMUM: i32 = 1
const MINIMUM: i32 = 2
const PRODUCT: i32 = 3

// @ts-ignore: decorator
@inline
function fold4(kind: i32, a: v128, b: v128): v128 {
  if (kind == SUM) return f32x4.add(a, b)
  if (kind == MAXIMUM) return f32x4.max(a, b)
  if (kind == MINIMUM) return f32x4.min(a, b)
  return f32x4.mul(a, b)
}

// @ts-ignore: decorator
@inline
function fold(kind: i32, a: f32, b: f32): f32 {
  if (kind == SUM) return a + b
  if (kind == MAXIMUM) return max<f32>(a, b)
  if (kind == MINIMUM) return min<f32>(a, b)
  return a * b
}

/** Of `count` ≥ 1 numbers at x. */
// @ts-ignore: decorator
@inline
function foldRun(kind: i32, x: usize, count: i32): f32 {
  const end = x + (count << 2)
  if (count < 4) {
    let value = load<f32>(x)
    for (let p = x + 4; p < end; p += 4) value = fold(kind, value, load<f32>(p))
    return value
  }
  let s0 = v128.load(x)
  let p = x + 16
  if (count >= 32) {
    let s1 = v128.load(x, 16), s2 = v128.load(x, 32), s3 = v128.load(x, 48)
    for (p = x + 64; p + 64 <= end; p += 64) {
      s0 = fold4(kind, s0, v128.load(p))
      s1 = fold4(kind, s1, v128.load(p, 16))
      s2 = fold4(kind, s2, v128.load(p, 32))
      s3 = fold4(kind, s3, v128.load(p, 48))
    }
    s0 = fold4(kind, fold4(kind, s0, s1), fold4(kind, s2, s3))
  }
  for (; p + 16 <= end; p += 16) s0 = fold4(kind, s0, v128.load(p))
  const s = fold4(kind, s0, v128.shuffle<i32>(s0, s0, 2, 3, 0, 1))
  let value = fold(kind, f32x4.extract_lane(s, 0), f32x4.extract_lane(s, 1))
  for (; p < end; p += 4) value = fold(kind, value, load<f32>(p))
  return value
}

// @ts-ignore: decorator
@inline
function reduceRows(kind: i32, out: usize, x: usize, first: i32, count: i32, reduced: i32): void {
  let row = first / reduced
  let column = first % reduced
  for (const end = x + (count << 2); x < end; row++) {
    const length = min(reduced - column, <i32>(end - x) >> 2)
    const value = foldRun(kind, x, length)
    const to = out + (row << 2)
    store<f32>(to, column == 0 ? value : fold(kind, load<f32>(to), value))
    x += length << 2
    column = 0
  }
}

// @ts-ignore: decorator
@inline
function reduceColumns(kind: i32, out: usize, x: usize, first: i32, count: i32, reduced: i32, inner: i32): void {
  let row = first / inner
  let column = first % inner
  for (const end = x + (count << 2); x < end; row++) {
    const length = min(inner - column, <i32>(end - x) >> 2)
    const to = out + (((row / reduced) * inner + column) << 2)
    if (row % reduced == 0) memory.copy(to, x, length << 2)
    else foldInto(kind, to, x, length)
    x += length << 2
    column = 0
  }
}

// @ts-ignore: decorator
@inline
function foldInto(kind: i32, to: usize, x: usize, count: i32): void {
  const bytes = count << 2
  let k = 0
  for (; k + 16 <= bytes; k += 16) v128.store(to + k, fold4(kind, v128.load(to + k), v128.load(x + k)))
  for (; k < bytes; k += 4) store<f32>(to + k, fold(kind, load<f32>(to + k), load<f32>(x + k)))
}

/** Elements first … first + count at x, of an array [outer, reduced, inner], folded into out [outer, inner]. */
export function reduceBlock(
  kind: i32, out: usize, x: usize, first: i32, count: i32, reduced: i32, inner: i32,
): void {
  if (inner == 1) {
    if (kind == SUM) reduceRows(SUM, out, x, first, count, reduced)
    else if (kind == MAXIMUM) reduceRows(MAXIMUM, out, x, first, count, reduced)
    else if (kind == MINIMUM) reduceRows(MINIMUM, out, x, first, count, reduced)
    else reduceRows(PRODUCT, out, x, first, count, reduced)
  } else if (kind == SUM) reduceColumns(SUM, out, x, first, count, reduced, inner)
  else if (kind == MAXIMUM) reduceColumns(MAXIMUM, out, x, first, count, reduced, inner)
  else if (kind == MINIMUM) reduceColumns(MINIMUM, out, x, first, count, reduced, inner)
  else reduceColumns(PRODUCT, out, x, first, count, reduced, inner)
}
