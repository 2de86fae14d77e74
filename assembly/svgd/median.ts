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

/** The value of the given rank (0 = smallest) by quickselect with a median-of-three pivot. Reorders a. */
function select(a: usize, count: i32, rank: i32): f32 {
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

/**
 * The squared distance of the given rank among the n(n−1)/2 pairs i > j.
 *
 *     distances: f32 [n, n]    scratch: f32 [n(n−1)/2]    rank: 0 … n(n−1)/2 − 1
 */
export function rankedPair(distances: usize, scratch: usize, n: i32, rank: i32): f32 {
  let to = scratch
  for (let i = 1; i < n; i++) {
    memory.copy(to, distances + ((i * n) << 2), i << 2)
    to += i << 2
  }
  return select(scratch, (n * (n - 1)) >> 1, rank)
}

/** Mean of the squared distances over the n(n−1)/2 pairs. */
export function meanPair(distances: usize, n: i32): f64 {
  let sum: f64 = 0
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < i; j++) sum += <f64>at(distances, i * n + j)
  }
  return sum / <f64>((n * (n - 1)) >> 1)
}
