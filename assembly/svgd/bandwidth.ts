import { lineOf } from './distances'

const SAMPLE: i32 = 64

// @ts-ignore: decorator
@inline
function at(a: usize, i: i32): f32 {
  return load<f32>(a + (i << 2))
}

// @ts-ignore: decorator
@inline
function swap(a: usize, i: i32, j: i32): void {
  const held = at(a, i)
  store<f32>(a + (i << 2), at(a, j))
  store<f32>(a + (j << 2), held)
}

/** The value of the given rank (0 = smallest) by quickselect with a median-of-three pivot. Reorders a around it. */
export function select(a: usize, count: i32, rank: i32): f32 {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at(a, middle) < at(a, low)) swap(a, middle, low)
    if (at(a, high) < at(a, low)) swap(a, high, low)
    if (at(a, high) < at(a, middle)) swap(a, high, middle)
    const pivot = at(a, middle)
    let i = low
    let j = high
    while (i <= j) {
      while (at(a, i) < pivot) i++
      while (pivot < at(a, j)) j--
      if (i <= j) swap(a, i++, j--)
    }
    if (rank <= j) high = j
    else if (rank >= i) low = i
    else break
  }
  return at(a, rank)
}

/** How many distances of pairs i > j are below a bound. */
function countBelow(matrix: usize, n: i32, bound: f32): i32 {
  const line = lineOf(n)
  const limit = f32x4.splat(bound)
  let count = i32x4.splat(0)
  let i = 0
  // Rows 4p … 4p+3 end with the same vector, of +inf from the diagonal on: one loop in the place of four short ones.
  for (; i + 4 <= n; i += 4) {
    let p = matrix + i * line
    const end = p + (i << 2)
    const two = 2 * line
    let a = count, b = i32x4.splat(0)
    do {
      const q = p + two
      a = i32x4.sub(a, f32x4.lt(v128.load(p), limit))
      b = i32x4.sub(b, f32x4.lt(v128.load(p + line), limit))
      a = i32x4.sub(a, f32x4.lt(v128.load(q), limit))
      b = i32x4.sub(b, f32x4.lt(v128.load(q + line), limit))
      p += 16
    } while (p <= end)
    count = i32x4.add(a, b)
  }
  for (; i < n; i++) {
    const row = matrix + i * line
    for (let p = row, end = row + (i << 2); p < end; p += 16) count = i32x4.sub(count, f32x4.lt(v128.load(p), limit))
  }
  return (
    i32x4.extract_lane(count, 0) + i32x4.extract_lane(count, 1) +
    i32x4.extract_lane(count, 2) + i32x4.extract_lane(count, 3)
  )
}

/** Copies the distances in [low, high) to `to`. */
function collect(to: usize, matrix: usize, n: i32, low: f32, high: f32): void {
  const line = lineOf(n)
  const from = f32x4.splat(low)
  const until = f32x4.splat(high)
  for (let i = 1; i < n; i++) {
    const row = matrix + i * line
    for (let p = row, end = row + (i << 2); p < end; p += 16) {
      const v = v128.load(p)
      if (!v128.any_true(v128.and(f32x4.ge(v, from), f32x4.lt(v, until)))) continue
      for (let q = p; q < p + 16; q += 4) {
        const value = load<f32>(q)
        if (value >= low && value < high) {
          store<f32>(to, value)
          to += 4
        }
      }
    }
  }
}

function smallestFrom(matrix: usize, n: i32, bound: f32): f32 {
  const line = lineOf(n)
  let smallest = f32x4.splat(Infinity)
  const limit = f32x4.splat(bound)
  for (let i = 1; i < n; i++) {
    const row = matrix + i * line
    for (let p = row, end = row + (i << 2); p < end; p += 16) {
      const v = v128.load(p)
      smallest = f32x4.pmin(smallest, v128.bitselect(v, f32x4.splat(Infinity), f32x4.ge(v, limit)))
    }
  }
  return min(
    min(f32x4.extract_lane(smallest, 0), f32x4.extract_lane(smallest, 1)),
    min(f32x4.extract_lane(smallest, 2), f32x4.extract_lane(smallest, 3)),
  )
}

/** A sorted sample of the distances. */
function sampleInto(out: usize, matrix: usize, n: i32, pairs: i32): i32 {
  const size = min(SAMPLE, pairs)
  for (let s = 0; s < size; s++) {
    const pair = <i32>((<i64>(2 * s + 1) * <i64>pairs) / (2 * size))
    // pair = i (i − 1)/2 + j
    let i = <i32>((1 + Math.sqrt(1 + 8 * <f64>pair)) / 2)
    if ((<i64>i * (i - 1)) / 2 > pair) i--
    const value = at(matrix + i * lineOf(n), pair - <i32>((<i64>i * (i - 1)) / 2))
    let k = s
    for (; k > 0 && at(out, k - 1) > value; k--) store<f32>(out + (k << 2), at(out, k - 1))
    store<f32>(out + (k << 2), value)
  }
  return size
}

/**
 * The squared distances of ranks `rank` and `rank + 1` (the last one twice) among the n(n−1)/2 pairs i > j.
 * A sorted sample gives bounds, counting passes narrow them, and only what is left between them is selected from: six
 * passes of SIMD comparisons instead of moving every value.
 *
 *     out: f32 [2]    matrix: f32 [N, N] as finishDistances leaves it    scratch: f32 [capacity], capacity ≥ 64
 */
export function rankedPairs(out: usize, matrix: usize, n: i32, rank: i32, scratch: usize, capacity: i32): void {
  const pairs = (n * (n - 1)) >> 1
  const sample = sampleInto(scratch, matrix, n, pairs)
  // below(low) ≤ rank < below(high), in the bit patterns of floats, which are ordered as the floats are
  let low = 0
  let high = reinterpret<i32>(<f32>Infinity)
  let belowLow = 0
  let belowHigh = pairs
  for (let first = 0, end = sample; first < end; ) {
    const middle = (first + end) >>> 1
    const bound = at(scratch, middle)
    const count = countBelow(matrix, n, bound)
    if (count <= rank) {
      low = reinterpret<i32>(bound)
      belowLow = count
      first = middle + 1
    } else {
      high = reinterpret<i32>(bound)
      belowHigh = count
      end = middle
    }
  }
  // Many equal values leave more than there is room for: halve until they fit or one value is left.
  while (belowHigh - belowLow > capacity && high - low > 1) {
    const middle = low + ((high - low) >>> 1)
    const count = countBelow(matrix, n, reinterpret<f32>(middle))
    if (count <= rank) {
      low = middle
      belowLow = count
    } else {
      high = middle
      belowHigh = count
    }
  }
  const left = belowHigh - belowLow
  const place = rank - belowLow
  let value = reinterpret<f32>(low)
  let next = value
  if (left <= capacity && value < Infinity) {
    collect(scratch, matrix, n, value, reinterpret<f32>(high))
    value = select(scratch, left, place)
    next = Infinity
    for (let k = place + 1; k < left; k++) next = min(next, at(scratch, k))
  }
  if (place + 1 >= left) next = rank + 1 < pairs ? smallestFrom(matrix, n, reinterpret<f32>(high)) : value
  store<f32>(out, value)
  store<f32>(out, next, 4)
}

/** Mean of the squared distances over the n(n−1)/2 pairs. */
export function meanPair(matrix: usize, n: i32): f64 {
  let sum: f64 = 0
  for (let i = 1; i < n; i++) {
    const row = matrix + i * lineOf(n)
    for (let j = 0; j < i; j++) sum += <f64>at(row, j)
  }
  return sum / <f64>((n * (n - 1)) >> 1)
}
