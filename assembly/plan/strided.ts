// Arrays read and written by strides: slices, transposes, broadcasts and reversals are never made, only looked at.
//
// A shape in memory: i32 | dimensions d | sizes [d] | strides in bytes [d] | ..., from the outermost to the innermost.

// @ts-ignore: decorator
@inline
function at(shape: usize, index: i32): i32 {
  return load<i32>(shape + (index << 2))
}

/**
 * Elements first … first + count of an array seen by strides, one after the other. Up to 12 bytes behind are written.
 */
export function gatherInto(to: usize, from: usize, shape: usize, first: i32, count: i32): void {
  const dimensions = at(shape, 0)
  const inner = at(shape, dimensions)
  const step = at(shape, 2 * dimensions)
  let row = first / inner
  let column = first % inner
  const end = to + (count << 2)
  while (to < end) {
    const source = from + offsetOf(shape, dimensions - 1, row)
    const length = min(inner - column, <i32>(end - to) >> 2)
    copyRun(to, source + column * step, step, length)
    to += length << 2
    column = 0
    row++
  }
}

/** Bytes to the start of a row, which is counted over all dimensions but the last. */
// @ts-ignore: decorator
@inline
function offsetOf(shape: usize, outer: i32, row: i32): i32 {
  let offset = 0
  for (let d = outer; d > 1; d--) {
    const size = at(shape, d)
    const above = row / size
    offset += (row - above * size) * at(shape, outer + 1 + d)
    row = above
  }
  return outer > 0 ? offset + row * at(shape, outer + 2) : offset
}

// @ts-ignore: decorator
@inline
function copyRun(to: usize, from: usize, step: i32, length: i32): void {
  const end = to + (length << 2)
  if (step == 4) {
    for (; to < end; to += 16, from += 16) v128.store(to, v128.load(from))
  } else if (step == 0) {
    const v = v128.load32_splat(from)
    for (; to < end; to += 16) v128.store(to, v)
  } else {
    for (; to < end; to += 4, from += step) store<f32>(to, load<f32>(from))
  }
}

/**
 * out ← from, both by strides.
 *
 *     shape: i32 | d | sizes [d] | strides of from [d] | strides of out [d]
 */
export function copyStrided(out: usize, from: usize, shape: usize): void {
  const dimensions = at(shape, 0)
  copyLevel(out, from, shape, 1, dimensions)
}

function copyLevel(out: usize, from: usize, shape: usize, level: i32, dimensions: i32): void {
  const size = at(shape, level)
  const step = at(shape, level + dimensions)
  const outStep = at(shape, level + 2 * dimensions)
  if (level < dimensions) {
    for (let k = 0; k < size; k++) copyLevel(out + k * outStep, from + k * step, shape, level + 1, dimensions)
  } else if (step == 4 && outStep == 4) {
    memory.copy(out, from, size << 2)
  } else {
    for (let k = 0; k < size; k++, out += outStep, from += step) store<f32>(out, load<f32>(from))
  }
}
