import { multiplyPanels, storeTransposed, sumPanel } from '../math/matrix'
import { lineOf } from './distances'

/**
 * What the direction is made of. Written in src/svgd/direction.ts, read here.
 *
 *     φ_i = 1/N_i { a Σ_j K_ij s_j + b [ Σ_j W_ij (x_i − x_j) + l x_i + given_i ] },  N_i = n or Σ_j K_ij
 *
 * W = `slopes`, or `slope` K where slopes is 0. Both sums leave j = i out: K_ii a s_i is added on its own and
 * W_ii (x_i − x_i) is nothing, while beside K_ii = 1 the small entries of a narrow kernel would be rounded away.
 */
@unmanaged
export class DirectionTask {
  n: i32
  D: i32
  /** Columns of one strip, a multiple of 8. */
  strip: i32
  /** f32 [n, D] */
  out: usize
  /** f32 [n, D] */
  score: usize
  /** f32 [n, D] */
  x: usize
  /** f32 [D] is subtracted from x in both places. */
  centre: usize
  /** f32 [N, N] */
  kernel: usize
  /** f32 [N, N] or 0 */
  slopes: usize
  /** f32 [n, D] Σ_j of the gradients of k(x_j, x_i) by x_j where the caller supplies it, or 0 */
  given: usize
  /** W = slope K where there are no slopes. */
  slope: f32
  /** a */
  drive: f32
  /** b */
  repulsion: f32
  /** l */
  linear: f32
  /** 1: divide by the row sum of K; 0: by n. */
  byRowSum: i32
  /** f32 [n] receives Σ_j K_ij. */
  rowSums: usize
  /**
   * f32 [n] up to which Σ_j W_ij (K_ij without slopes) both sums over x less the centre are taken, see trustInto, or 0
   */
  trust: usize
  /** f64 [strips, n, 3] receives Σ_c drive², Σ_c (φ − drive)² and Σ_c sharing² of each strip, or 0. */
  norms: usize
}

// What stands behind the packed rows, for the four of them: Σ_{j≠i} K_ij, Σ_{j≠i} W_ij, 1/N_i, the factors of s_i and
// x_i − centre, and whether the row is summed over differences.
const SUMS: i32 = 0
const SLOPE_SUMS: i32 = 16
const SCALE: i32 = 32
const OWN_SCORE: i32 = 48
const OWN_X: i32 = 64
const DIRECT: i32 = 80

/** Bytes of one particle's sums in `norms`. */
const NORMS: i32 = 24

/**
 * The direction in strips of columns first … end − 1.
 *
 *     panels: f32 [strip, N] packed columns, twice that with slopes
 *     rows: f32 [2, N, 4] packed rows, then the constants above    tile: f32 [2, 4, strip]
 */
export function steinDirection(address: usize, panels: usize, rows: usize, tile: usize, first: i32, end: i32): void {
  const task = changetype<DirectionTask>(address)
  const n = task.n
  const strip = task.strip
  const slopePanels = panels + strip * lineOf(n)
  for (let s = first; s < end; s++) {
    const from = s * strip
    const width = min(strip, task.D - from)
    if (task.slopes) {
      packColumns(panels, task.score, task.drive, 0, task, from, width)
      packColumns(slopePanels, 0, 0, -task.repulsion, task, from, width)
    } else {
      packColumns(panels, task.score, task.drive, -task.repulsion * task.slope, task, from, width)
    }
    for (let i = 0; i < n; i += 4) {
      packRows(task, rows, i)
      multiplyPanels(tile, strip << 2, rows, panels, width >> 2, n)
      if (task.slopes) addSlopes(tile, strip, rows + (lineOf(n) << 2), slopePanels, width, n)
      const last = min(i + 4, n)
      for (let r = i; r < last; r++) {
        if (isDirect(rows, n, r)) sumDifferences(task, tile, r, from << 2, width << 2)
        finishRow(task, tile, rows, r, from << 2, width << 2)
      }
    }
    if (task.norms) stripNorms(task, panels, rows, tile, s, from, width)
  }
}

/**
 * Four columns interleaved for every particle: factor a_j + push (x_j − centre), where one product does for both terms.
 * Without a source, push (x_j − centre) alone; without a push, factor a_j alone. Four particles at a time, so that
 * reads run along rows and every cache line of a panel is written at once.
 */
function packColumns(
  panels: usize, source: usize, factor: f32, push: f32, task: DirectionTask, from: i32, width: i32,
): void {
  const n = task.n
  const row = task.D << 2
  const offset = from << 2
  for (let j = 0; j < n; j += 4) {
    const rows = min(4, n - j)
    const to = panels + (j << 4)
    const at = j * row + offset
    if (source == 0) packCentred(to, n << 4, task.x + at, task.centre + offset, push, rows, row, width)
    else if (push == 0) packScaled(to, n << 4, source + at, factor, rows, row, width)
    else packBoth(to, n << 4, source + at, factor, task.x + at, task.centre + offset, push, rows, row, width)
  }
}

function packScaled(to: usize, size: i32, a: usize, factor: f32, rows: i32, row: i32, width: i32): void {
  const f = f32x4.splat(factor)
  for (let k = 0, end = width << 2; k < end; k += 16, to += size) {
    for (let r = 0, p = a + k; r < rows; r++, p += row) v128.store(to + (r << 4), f32x4.mul(f, v128.load(p)))
  }
}

function packCentred(to: usize, size: i32, x: usize, centre: usize, push: f32, rows: i32, row: i32, width: i32): void {
  const b = f32x4.splat(push)
  for (let k = 0, end = width << 2; k < end; k += 16, to += size) {
    const m = v128.load(centre + k)
    for (let r = 0, p = x + k; r < rows; r++, p += row) {
      v128.store(to + (r << 4), f32x4.mul(b, f32x4.sub(v128.load(p), m)))
    }
  }
}

function packBoth(
  to: usize, size: i32, a: usize, factor: f32, x: usize, centre: usize, push: f32, rows: i32, row: i32, width: i32,
): void {
  const f = f32x4.splat(factor)
  const b = f32x4.splat(push)
  for (let k = 0, end = width << 2; k < end; k += 16, to += size) {
    const m = v128.load(centre + k)
    for (let r = 0, p = a + k, q = x + k; r < rows; r++, p += row, q += row) {
      v128.store(to + (r << 4), both(f, v128.load(p), b, v128.load(q), m))
    }
  }
}

/** f a + b (x − m) */
// @ts-ignore: decorator
@inline
function both(f: v128, a: v128, b: v128, x: v128, m: v128): v128 {
  return f32x4.add(f32x4.mul(f, a), f32x4.mul(b, f32x4.sub(x, m)))
}

/**
 * Rows i … i+3 of K and of the slopes as panels with the diagonal set to 0, and what the four rows are finished with.
 */
function packRows(task: DirectionTask, rows: usize, i: i32): void {
  const n = task.n
  const line = lineOf(n)
  const size = line << 2
  const constants = rows + (size << 1)
  packMatrixRows(task.kernel, rows, constants + SUMS, n, i)
  if (task.slopes) packMatrixRows(task.slopes, rows + size, constants + SLOPE_SUMS, n, i)
  for (let r = 0; r < 4 && i + r < n; r++) {
    const p = constants + (r << 2)
    const self = load<f32>(task.kernel + (i + r) * line + ((i + r) << 2))
    const kernelSum = load<f32>(p, SUMS)
    const slopeSum = task.slopes ? load<f32>(p, SLOPE_SUMS) : task.slope * kernelSum
    const rowSum = kernelSum + self
    store<f32>(task.rowSums + ((i + r) << 2), rowSum)
    const scale: f32 = 1 / (task.byRowSum ? rowSum : <f32>n)
    store<f32>(p, scale, SCALE)
    store<f32>(p, scale * task.drive * self, OWN_SCORE)
    const direct = task.trust != 0 && (task.slopes ? slopeSum : kernelSum) > load<f32>(task.trust + ((i + r) << 2))
    store<i32>(p, i32(direct), DIRECT)
    store<f32>(p, direct ? 0 : scale * task.repulsion * slopeSum, OWN_X)
  }
}

// @ts-ignore: decorator
@inline
function isDirect(rows: usize, n: i32, i: i32): bool {
  return load<i32>(rows + (lineOf(n) << 3) + ((i & 3) << 2), DIRECT) != 0
}

/**
 * a Σ_{j≠i} K_ij s_j + b Σ_{j≠i} W_ij (x_i − x_j) in the place of the product, on `bytes` of row i from byte `column`
 * on. For particles whose near ones are close beside the distance of all of them from the centre: the difference of the
 * two sums over x less the centre would cancel.
 */
function sumDifferences(task: DirectionTask, tile: usize, i: i32, column: i32, bytes: i32): void {
  const n = task.n
  const kernel = task.kernel + i * lineOf(n)
  const slopes = task.slopes ? task.slopes + i * lineOf(n) : 0
  const row = task.D << 2
  const own = task.x + i * row + column
  const to = tile + (i & 3) * (task.strip << 2)
  for (let k = 0; k < bytes; k += 32) {
    // The second half lies beyond the end of an odd number of vectors; it is computed and not kept.
    const isPair = k + 16 < bytes
    const half = isPair ? 16 : 0
    const x0 = v128.load(own + k), x1 = v128.load(own + k + half)
    let s0 = f32x4.splat(0), s1 = s0, t0 = s0, t1 = s0
    for (let j = 0, p = task.x + column + k, q = task.score + column + k; j < n; j++, p += row, q += row) {
      if (j == i) continue
      const value = load<f32>(kernel + (j << 2))
      const slope = slopes ? load<f32>(slopes + (j << 2)) : task.slope * value
      const a = f32x4.splat(task.drive * value), b = f32x4.splat(task.repulsion * slope)
      s0 = f32x4.add(s0, f32x4.mul(a, v128.load(q)))
      s1 = f32x4.add(s1, f32x4.mul(a, v128.load(q + half)))
      t0 = f32x4.add(t0, f32x4.mul(b, f32x4.sub(x0, v128.load(p))))
      t1 = f32x4.add(t1, f32x4.mul(b, f32x4.sub(x1, v128.load(p + half))))
    }
    v128.store(to + k, f32x4.add(s0, t0))
    if (isPair) v128.store(to + k + 16, f32x4.add(s1, t1))
  }
}

function packMatrixRows(matrix: usize, panel: usize, sums: usize, n: i32, i: i32): void {
  const line = lineOf(n)
  const row = matrix + i * line
  for (let k = 0; k < line; k += 16) {
    storeTransposed(panel + (k << 2), 16, v128.load(row + k), v128.load(row + line + k),
      v128.load(row + 2 * line + k), v128.load(row + 3 * line + k))
  }
  for (let r = 0; r < 4; r++) store<f32>(panel + ((i + r) << 4) + (r << 2), 0)
  v128.store(sums, sumPanel(panel, n))
}

/** The product with the slopes, added to that with the kernel. */
function addSlopes(tile: usize, strip: i32, rows: usize, panels: usize, width: i32, n: i32): void {
  const other = tile + (strip << 4)
  multiplyPanels(other, strip << 2, rows, panels, width >> 2, n)
  for (let k = 0, end = strip << 4; k < end; k += 16) {
    v128.store(tile + k, f32x4.add(v128.load(tile + k), v128.load(other + k)))
  }
}

/** φ_i = tile_i/N_i + the particle's own terms, on `bytes` of row i from byte `column` on. */
function finishRow(task: DirectionTask, tile: usize, rows: usize, i: i32, column: i32, bytes: i32): void {
  const constants = rows + (lineOf(task.n) << 3) + ((i & 3) << 2)
  const scale = v128.load32_splat(constants, SCALE)
  const a = v128.load32_splat(constants, OWN_SCORE)
  const b = v128.load32_splat(constants, OWN_X)
  const at = i * (task.D << 2) + column
  const sum = tile + (i & 3) * (task.strip << 2)
  const out = task.out + at
  const score = task.score + at
  const x = task.x + at
  const centre = task.centre + column
  for (let k = 0; k < bytes; k += 16) {
    const centred = f32x4.sub(v128.load(x + k), v128.load(centre + k))
    const own = f32x4.add(f32x4.mul(a, v128.load(score + k)), f32x4.mul(b, centred))
    v128.store(out + k, f32x4.add(f32x4.mul(scale, v128.load(sum + k)), own))
  }
  if (task.linear != 0) addScaled(out, x, load<f32>(constants, SCALE) * task.repulsion * task.linear, bytes)
  if (task.given) addScaled(out, task.given + at, load<f32>(constants, SCALE) * task.repulsion, bytes)
}

function addScaled(out: usize, x: usize, factor: f32, bytes: i32): void {
  const f = f32x4.splat(factor)
  for (let k = 0; k < bytes; k += 16) {
    v128.store(out + k, f32x4.add(v128.load(out + k), f32x4.mul(f, v128.load(x + k))))
  }
}

/**
 * |drive_i|², |φ_i − drive_i|² and |sharing_i|², the drive without j = i, of one strip, by a product with the scores.
 */
function stripNorms(task: DirectionTask, panels: usize, rows: usize, tile: usize, s: i32, from: i32, width: i32): void {
  const n = task.n
  // With slopes the scores stand alone in their panels already.
  if (!task.slopes) packColumns(panels, task.score, task.drive, 0, task, from, width)
  for (let i = 0; i < n; i += 4) {
    packRows(task, rows, i)
    multiplyPanels(tile, task.strip << 2, rows, panels, width >> 2, n)
    const last = min(i + 4, n)
    for (let r = i; r < last; r++) {
      rowNorms(task.norms + (s * n + r) * NORMS, task, tile, rows, r, from << 2, width << 2)
    }
  }
}

function rowNorms(out: usize, task: DirectionTask, tile: usize, rows: usize, i: i32, column: i32, bytes: i32): void {
  const constants = rows + (lineOf(task.n) << 3) + ((i & 3) << 2)
  const scale = v128.load32_splat(constants, SCALE)
  const a = v128.load32_splat(constants, OWN_SCORE)
  const at = i * (task.D << 2) + column
  const sum = tile + (i & 3) * (task.strip << 2)
  let drive = f64x2.splat(0)
  let repulsion = drive
  let sharing = drive
  for (let k = 0; k < bytes; k += 16) {
    const others = f32x4.mul(scale, v128.load(sum + k))
    const d = f32x4.add(others, f32x4.mul(a, v128.load(task.score + at + k)))
    drive = addSquares(drive, d)
    repulsion = addSquares(repulsion, f32x4.sub(v128.load(task.out + at + k), d))
    sharing = addSquares(sharing, others)
  }
  v128.store(out, f64x2.add(v128.shuffle<f64>(drive, repulsion, 0, 2), v128.shuffle<f64>(drive, repulsion, 1, 3)))
  store<f64>(out, f64x2.extract_lane(sharing, 0) + f64x2.extract_lane(sharing, 1), 16)
}

/** Squares of four floats in float64. */
// @ts-ignore: decorator
@inline
function addSquares(sum: v128, v: v128): v128 {
  const low = f64x2.promote_low_f32x4(v)
  const high = f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 0))
  return f64x2.add(sum, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)))
}

/** Means over particles of |drive_i|, |repulsion_i| and |sharing_i| from the sums of all strips.    out: f64 [3] */
export function meanNorms(out: usize, norms: usize, strips: i32, n: i32): void {
  for (let term = 0; term < NORMS; term += 8) {
    let total: f64 = 0
    for (let i = 0; i < n; i++) {
      let squares: f64 = 0
      for (let s = 0; s < strips; s++) squares += load<f64>(norms + (s * n + i) * NORMS + term)
      total += Math.sqrt(squares)
    }
    store<f64>(out + term, total / <f64>n)
  }
}
