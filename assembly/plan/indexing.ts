// Arrays [outer, size, inner] along their middle axis: picking, adding up by index, running sums, the place of the
// largest. An index is a float that is a whole number.

// @ts-ignore: decorator
@inline
function indexAt(indices: usize, k: i32, size: i32): i32 {
  const value = load<f32>(indices + (k << 2))
  return value >= 0 && value < <f32>size ? <i32>value : -1
}

/**
 * out_ok = x_oi for i = indices_k. Returns whether every index is one of the `size`.
 *
 *     out: f32 [outer, count, inner]    x: f32 [outer, size, inner]    indices: f32 [count]
 */
export function pickRows(out: usize, x: usize, indices: usize, outer: i32, size: i32, inner: i32, count: i32): bool {
  const line = inner << 2
  for (let o = 0; o < outer; o++, x += size * line) {
    for (let k = 0; k < count; k++, out += line) {
      const index = indexAt(indices, k, size)
      if (index < 0) return false
      const from = x + index * line
      if (line <= 64) {
        for (let at = 0; at < line; at += 4) store<f32>(out + at, load<f32>(from + at))
      } else memory.copy(out, from, line)
    }
  }
  return true
}

/** out_i = Σ x_k over the k with indices_k = i, in order.    out: f32 [size, inner]    x: f32 [count, inner] */
export function addByIndex(out: usize, x: usize, indices: usize, size: i32, inner: i32, count: i32): void {
  const line = inner << 2
  memory.fill(out, 0, size * line)
  for (let k = 0; k < count; k++, x += line) {
    const index = indexAt(indices, k, size)
    if (index < 0) continue
    const to = out + index * line
    for (let at = 0; at < line; at += 4) store<f32>(to + at, load<f32>(to + at) + load<f32>(x + at))
  }
}

/**
 * Running sums, or products, along the axis: of all up to an element, without itself where `exclusive`; from the end
 * where `reverse`.    out, x: f32 [outer, size, inner]
 */
export function accumulate(
  out: usize, x: usize, outer: i32, size: i32, inner: i32, exclusive: bool, reverse: bool, product: bool,
): void {
  const line = inner << 2
  const start: f32 = product ? 1 : 0
  for (let o = 0; o < outer; o++) {
    const step = reverse ? -line : line
    const first = (o * size + (reverse ? size - 1 : 0)) * line
    for (let column = 0; column < line; column += 4) {
      let total = start
      for (let k = 0, at = first + column; k < size; k++, at += step) {
        const value = load<f32>(x + at)
        if (exclusive) store<f32>(out + at, total)
        total = product ? total * value : total + value
        if (!exclusive) store<f32>(out + at, total)
      }
    }
  }
}

/** Index of the largest (or smallest) element, the first one on a tie.    out: f32 [outer, inner]    x: as above */
export function placeOf(out: usize, x: usize, outer: i32, size: i32, inner: i32, smallest: bool): void {
  const line = inner << 2
  for (let o = 0; o < outer; o++, x += size * line) {
    for (let column = 0; column < line; column += 4, out += 4) {
      let best = load<f32>(x + column)
      let place = 0
      for (let k = 1; k < size; k++) {
        const value = load<f32>(x + k * line + column)
        if (smallest ? value < best : value > best) {
          best = value
          place = k
        }
      }
      store<f32>(out, <f32>place)
    }
  }
}
