import { exp4 } from '../math/f32x4'
import { select } from './bandwidth'

/**
 * A Stein direction in each of B states: few particles of few coordinates, many times. In state b, over its fixed
 * particles a_j with scores s_j and its updated particles a_i,
 *
 *     φ_i = 1/N_i Σ_j [ drive k_ij s_j + repulsion (2/h) (a_i − a_j) k_ij ]
 *     k_ij = exp(−|a_i − a_j|²/h),  N_i = F or Σ_j k_ij
 *
 * Written in src/svgd/per-state.ts, read here.
 */
@unmanaged
export class PerStateTask {
  /** B */
  states: i32
  /** F, fixed particles of a state. */
  fixed: i32
  /** U, updated particles of a state. */
  updated: i32
  /** d, coordinates of a particle. */
  width: i32
  /** 1: the updated particles are the fixed ones, in the same order. */
  same: i32
  /** f32 [B, F, d] */
  x: usize
  /** f32 [B, F, d] */
  score: usize
  /** f32 [B, U, d] */
  y: usize
  /** f32 [B, U, d] receives φ. */
  out: usize
  /** f32 [B] receives h; GIVEN: holds it. */
  bandwidths: usize
  /** f32 [B, U] receives tr ∇φ, or 0. */
  trace: usize
  /** What h is taken from: FIXED, RANKED, MEAN or GIVEN. */
  statistic: i32
  /** Which of the F U squared distances, 0 the smallest. */
  rank: i32
  /** h = factor × statistic; FIXED: h itself. */
  factor: f32
  /** h is at least this. */
  floor: f32
  drive: f32
  repulsion: f32
  /** 1: divide by the row sum of k; 0: by F. */
  byRowSum: i32
  /** f32, see below. */
  scratch: usize
}

// As in src/svgd/per-state.ts.
const RANKED: i32 = 1
const MEAN: i32 = 2
const GIVEN: i32 = 3

// Up to here selecting from all values costs less than narrowing them down first.
const FEW: i32 = 128
// Sorted sample that bounds the wanted value.
const SAMPLE: i32 = 32

/**
 * Four updated particles lie side by side in the lanes of a vector and the fixed ones follow each other, so that no sum
 * runs across lanes and every sum over j runs in their order. Lanes beyond U repeat the last particle and are never
 * stored.
 *
 *     scratch: | squares f32 [⌈U/4⌉, F, 4] | kernel f32 [F, 4] | columns f32 [d, 4] | sample f32 [32 + 4 ⌈U/4⌉ F] |
 */
export function perStateDirection(address: usize): void {
  const task = changetype<PerStateTask>(address)
  const blocks = (task.updated + 3) >> 2
  const squares = task.scratch
  const kernel = squares + ((blocks * task.fixed) << 4)
  const columns = kernel + (task.fixed << 4)
  const sample = columns + (task.width << 4)
  const row = task.width << 2
  for (let b = 0; b < task.states; b++) {
    const x = task.x + b * task.fixed * row
    const y = task.y + b * task.updated * row
    for (let p = 0; p < blocks; p++) {
      packColumns(columns, y, task.updated, row, p << 2)
      squaredDistances(squares + ((p * task.fixed) << 4), columns, x, task.fixed, row)
    }
    hideUnused(squares + (((blocks - 1) * task.fixed) << 4), task.fixed, task.updated & 3)
    const given = task.bandwidths + (b << 2)
    const h = task.statistic == GIVEN ? load<f32>(given) : bandwidth(task, squares, blocks, sample)
    store<f32>(given, h)
    for (let p = 0; p < blocks; p++) {
      // The columns of a single block are still there.
      if (blocks > 1) packColumns(columns, y, task.updated, row, p << 2)
      const near = squares + ((p * task.fixed) << 4)
      kernelInto(kernel, near, task.fixed, -1 / h)
      directionInto(task, kernel, columns, b, p << 2, h)
      if (task.trace) traceInto(task, near, kernel, columns, b, p << 2, h)
    }
  }
}

/** Coordinates of particles i … i+3, each coordinate a vector.    columns: f32 [d, 4]    y: f32 [U, d] */
function packColumns(columns: usize, y: usize, count: i32, row: i32, i: i32): void {
  const last = count - 1
  const y0 = y + i * row
  const y1 = y + min(i + 1, last) * row
  const y2 = y + min(i + 2, last) * row
  const y3 = y + min(i + 3, last) * row
  for (let c = 0; c < row; c += 4, columns += 16) {
    store<f32>(columns, load<f32>(y0 + c))
    store<f32>(columns, load<f32>(y1 + c), 4)
    store<f32>(columns, load<f32>(y2 + c), 8)
    store<f32>(columns, load<f32>(y3 + c), 12)
  }
}

/** |a_i − a_j|² of four i and every j, coordinate by coordinate in order.    out: f32 [F, 4]    x: f32 [F, d] */
function squaredDistances(out: usize, columns: usize, x: usize, fixed: i32, row: i32): void {
  const end = out + (fixed << 4)
  let c = 0
  // Two coordinates a pass: half as many loads and stores of the sums.
  for (; c + 4 < row; c += 8) {
    const y0 = v128.load(columns + (c << 2))
    const y1 = v128.load(columns + (c << 2), 16)
    for (let p = out, q = x + c; p < end; p += 16, q += row) {
      const d0 = f32x4.sub(y0, v128.load32_splat(q))
      const d1 = f32x4.sub(y1, v128.load32_splat(q, 4))
      const first = f32x4.mul(d0, d0)
      const sum = c == 0 ? first : f32x4.add(v128.load(p), first)
      v128.store(p, f32x4.add(sum, f32x4.mul(d1, d1)))
    }
  }
  if (c == row) return
  const y0 = v128.load(columns + (c << 2))
  for (let p = out, q = x + c; p < end; p += 16, q += row) {
    const d0 = f32x4.sub(y0, v128.load32_splat(q))
    const first = f32x4.mul(d0, d0)
    v128.store(p, c == 0 ? first : f32x4.add(v128.load(p), first))
  }
}

/** Lanes that hold no particle, of a block with `used` of them, 0 for all four. */
function unusedLanes(used: i32): v128 {
  return used == 0 ? i32x4.splat(0) : i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(used))
}

/** Puts the unused lanes of the last block behind every distance. */
function hideUnused(squares: usize, fixed: i32, used: i32): void {
  if (used == 0) return
  const unused = unusedLanes(used)
  for (let p = squares, end = squares + (fixed << 4); p < end; p += 16) {
    v128.store(p, v128.bitselect(f32x4.splat(Infinity), v128.load(p), unused))
  }
}

/**
 * Where the statistic is 0, particles that coincide, it says nothing about scale: then the mean, and 1 if that is 0 as
 * well.
 */
function bandwidth(task: PerStateTask, squares: usize, blocks: i32, sample: usize): f32 {
  if (task.statistic != RANKED && task.statistic != MEAN) return task.factor
  const vectors = blocks * task.fixed
  const value = task.statistic == MEAN ? meanSquare(task, squares, blocks) : ranked(squares, vectors, task.rank, sample)
  const h = max(task.factor * value, task.floor)
  if (h != 0) return h
  const mean = meanSquare(task, squares, blocks)
  return mean != 0 ? mean : 1
}

function meanSquare(task: PerStateTask, squares: usize, blocks: i32): f32 {
  const end = squares + ((blocks * task.fixed) << 4)
  const last = end - (task.fixed << 4)
  let sum = f64x2.splat(0)
  for (; squares < last; squares += 16) sum = addDoubles(sum, v128.load(squares))
  const unused = unusedLanes(task.updated & 3)
  for (; squares < end; squares += 16) sum = addDoubles(sum, v128.andnot(v128.load(squares), unused))
  return <f32>((f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)) / <f64>(task.fixed * task.updated))
}

// @ts-ignore: decorator
@inline
function addDoubles(sum: v128, v: v128): v128 {
  const high = f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 0))
  return f64x2.add(sum, f64x2.add(f64x2.promote_low_f32x4(v), high))
}

function countBelow(values: usize, vectors: i32, bound: f32): i32 {
  const limit = f32x4.splat(bound)
  let count = i32x4.splat(0)
  for (let p = values, end = values + (vectors << 4); p < end; p += 16) {
    count = i32x4.sub(count, f32x4.lt(v128.load(p), limit))
  }
  return (
    i32x4.extract_lane(count, 0) + i32x4.extract_lane(count, 1) +
    i32x4.extract_lane(count, 2) + i32x4.extract_lane(count, 3)
  )
}

/** A sorted sample, evenly spaced in memory. */
function sampleInto(out: usize, values: usize, count: i32): void {
  const step = count / SAMPLE
  for (let s = 0; s < SAMPLE; s++) {
    const value = load<f32>(values + ((s * step + (step >> 1)) << 2))
    let p = out + (s << 2)
    for (; p > out && load<f32>(p - 4) > value; p -= 4) store<f32>(p, load<f32>(p - 4))
    store<f32>(p, value)
  }
}

/**
 * The value of the given rank (0 = smallest). Of many values a sorted sample gives bounds, counts narrow them, and only
 * what lies between is selected from.
 *
 *     values: f32 [vectors, 4]    scratch: f32 [SAMPLE + 4 vectors]
 */
function ranked(values: usize, vectors: i32, rank: i32, scratch: usize): f32 {
  const count = vectors << 2
  if (count <= FEW) {
    memory.copy(scratch, values, count << 2)
    return select(scratch, count, rank)
  }
  let low: f32 = 0
  let high: f32 = Infinity
  let belowLow = 0
  sampleInto(scratch, values, count)
  for (let first = 0, end = SAMPLE; first < end; ) {
    const middle = (first + end) >>> 1
    const bound = load<f32>(scratch + (middle << 2))
    const below = countBelow(values, vectors, bound)
    if (below <= rank) {
      low = bound
      belowLow = below
      first = middle + 1
    } else {
      high = bound
      end = middle
    }
  }
  const found = scratch + (SAMPLE << 2)
  const left = collect(found, values, count, low, high)
  return rank - belowLow < left ? select(found, left, rank - belowLow) : Infinity
}

/** Copies the values in [low, high) and returns how many they are. */
function collect(to: usize, values: usize, count: i32, low: f32, high: f32): i32 {
  const from = f32x4.splat(low)
  const until = f32x4.splat(high)
  const start = to
  for (let p = values, end = values + (count << 2); p < end; p += 16) {
    const v = v128.load(p)
    let bits = i32x4.bitmask(v128.and(f32x4.ge(v, from), f32x4.lt(v, until)))
    for (; bits; bits &= bits - 1, to += 4) store<f32>(to, load<f32>(p + (ctz(bits) << 2)))
  }
  return <i32>((to - start) >> 2)
}

/** k = exp(scale d²).    out, squares: f32 [F, 4] */
function kernelInto(out: usize, squares: usize, fixed: i32, scale: f32): void {
  const factor = f32x4.splat(scale)
  for (let p = 0, end = fixed << 4; p < end; p += 16) {
    v128.store(out + p, exp4(f32x4.mul(factor, v128.load(squares + p))))
  }
}

/** φ of particles i … i+3 of state b. */
function directionInto(task: PerStateTask, kernel: usize, columns: usize, b: i32, i: i32, h: f32): void {
  const row = task.width << 2
  const end = kernel + (task.fixed << 4)
  const x = task.x + b * task.fixed * row
  const s = task.score + b * task.fixed * row
  const out = task.out + (b * task.updated + i) * row
  const rows = min(4, task.updated - i)
  const scale = task.byRowSum ? inverseSums(kernel, end) : f32x4.splat(1 / <f32>task.fixed)
  const a = f32x4.mul(scale, f32x4.splat(task.drive))
  const r = f32x4.mul(scale, f32x4.splat(task.repulsion * (2 / h)))
  let c = 0
  for (; c + 4 < row; c += 8) {
    const y0 = v128.load(columns + (c << 2))
    const y1 = v128.load(columns + (c << 2), 16)
    let drive0 = f32x4.splat(0), drive1 = drive0, repulsion0 = drive0, repulsion1 = drive0
    for (let p = kernel, at = c; p < end; p += 16, at += row) {
      const k = v128.load(p)
      drive0 = f32x4.add(drive0, f32x4.mul(k, v128.load32_splat(s + at)))
      drive1 = f32x4.add(drive1, f32x4.mul(k, v128.load32_splat(s + at, 4)))
      repulsion0 = f32x4.add(repulsion0, f32x4.mul(k, f32x4.sub(y0, v128.load32_splat(x + at))))
      repulsion1 = f32x4.add(repulsion1, f32x4.mul(k, f32x4.sub(y1, v128.load32_splat(x + at, 4))))
    }
    scatter(out + c, f32x4.add(f32x4.mul(a, drive0), f32x4.mul(r, repulsion0)), row, rows)
    scatter(out + c + 4, f32x4.add(f32x4.mul(a, drive1), f32x4.mul(r, repulsion1)), row, rows)
  }
  if (c == row) return
  const y0 = v128.load(columns + (c << 2))
  let drive0 = f32x4.splat(0), repulsion0 = drive0
  for (let p = kernel, at = c; p < end; p += 16, at += row) {
    const k = v128.load(p)
    drive0 = f32x4.add(drive0, f32x4.mul(k, v128.load32_splat(s + at)))
    repulsion0 = f32x4.add(repulsion0, f32x4.mul(k, f32x4.sub(y0, v128.load32_splat(x + at))))
  }
  scatter(out + c, f32x4.add(f32x4.mul(a, drive0), f32x4.mul(r, repulsion0)), row, rows)
}

/** 1/Σ_j k_ij of four i, or 0 where every k_ij is: φ_i is 0 then, not 0/0. */
function inverseSums(kernel: usize, end: usize): v128 {
  let sum = f32x4.splat(0)
  for (; kernel < end; kernel += 16) sum = f32x4.add(sum, v128.load(kernel))
  return v128.andnot(f32x4.div(f32x4.splat(1), sum), f32x4.eq(sum, f32x4.splat(0)))
}

/** The first `rows` lanes, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function scatter(out: usize, v: v128, stride: i32, rows: i32): void {
  store<f32>(out, f32x4.extract_lane(v, 0))
  if (rows > 1) store<f32>(out + stride, f32x4.extract_lane(v, 1))
  if (rows > 2) store<f32>(out + 2 * stride, f32x4.extract_lane(v, 2))
  if (rows > 3) store<f32>(out + 3 * stride, f32x4.extract_lane(v, 3))
}

/**
 * tr ∇_{a_i} φ_i with the fixed particles and h held, for particles i … i+3 of state b:
 *
 *     1/F Σ_j k_ij [ drive (−2/h) (a_i − a_j)·s_j + repulsion (2/h) (d − 2 |a_i − a_j|²/h) ]
 *
 * Where both sets are one, j = i is left out.
 */
function traceInto(
  task: PerStateTask, squares: usize, kernel: usize, columns: usize, b: i32, i: i32, h: f32,
): void {
  const row = task.width << 2
  const at = b * task.fixed * row
  const two = f32x4.splat(-2 / h)
  const d = f32x4.splat(<f32>task.width)
  const lanes = i32x4.add(i32x4.splat(i), i32x4(0, 1, 2, 3))
  let drive = f32x4.splat(0), repulsion = drive
  for (let j = 0, p = 0, x = task.x + at, s = task.score + at; j < task.fixed; j++, p += 16) {
    let along = f32x4.splat(0)
    for (let c = 0; c < row; c += 4, x += 4, s += 4) {
      const difference = f32x4.sub(v128.load(columns + (c << 2)), v128.load32_splat(x))
      along = f32x4.add(along, f32x4.mul(difference, v128.load32_splat(s)))
    }
    const k = v128.load(kernel + p)
    // A particle lies at no distance from itself, so its own score adds nothing.
    drive = f32x4.add(drive, f32x4.mul(k, along))
    const spread = f32x4.mul(k, f32x4.add(d, f32x4.mul(two, v128.load(squares + p))))
    const own = task.same ? i32x4.eq(lanes, i32x4.splat(j)) : f32x4.splat(0)
    repulsion = f32x4.add(repulsion, v128.andnot(spread, own))
  }
  const scale: f32 = 2 / (h * <f32>task.fixed)
  const sum = f32x4.sub(f32x4.mul(f32x4.splat(task.repulsion), repulsion), f32x4.mul(f32x4.splat(task.drive), drive))
  scatter(task.trace + ((b * task.updated + i) << 2), f32x4.mul(f32x4.splat(scale), sum), 4, min(4, task.updated - i))
}
