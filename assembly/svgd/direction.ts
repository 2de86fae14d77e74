import { storeTransposed, tile4x4, tile4x8 } from '../math/matrix'
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
  mean: usize
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
  /** f64 [strips, n, 2] receives Σ_c drive² and Σ_c (φ − drive)² of each strip, or 0. */
  norms: usize
}

// What stands behind the packed rows, for the four of them: Σ_{j≠i} K_ij, Σ_{j≠i} W_ij, 1/N_i, and the factors
// of s_i and x_i − mean.
const SUMS: i32 = 0
const SLOPE_SUMS: i32 = 16
const SCALE: i32 = 32
const OWN_SCORE: i32 = 48
const OWN_X: i32 = 64

/**
 * The direction in strips of columns first … end − 1.
 *
 *     panels: f32 [strip, N] packed columns, twice that with slopes
 *     rows: f32 [2, N, 4] packed rows, then the constants above    tile: f32 [64]
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
      const constants = rows + (lineOf(n) << 3)
      for (let c = 0; c < width; c += 8) {
        multiplyTile(task, panels, slopePanels, rows, tile, c, width)
        finishTile(task, tile, constants, i, (from + c) << 2, width - c >= 8)
      }
    }
    if (task.norms) stripNorms(task, panels, rows, tile, s, from, width)
  }
}

/**
 * Four columns interleaved for every particle: factor a_j + push (x_j − mean), where one product does for both terms.
 * Without a source, push (x_j − mean) alone; without a push, factor a_j alone. A whole cache line of each row is read at once.
 */
function packColumns(
  panels: usize, source: usize, factor: f32, push: f32, task: DirectionTask, from: i32, width: i32,
): void {
  const n = task.n
  const size = lineOf(n) << 2
  const row = task.D << 2
  for (let c = 0; c < width; c += 16) {
    const columns = min(width - c, 16) << 2
    const offset = (from + c) << 2
    const to = panels + (c >> 2) * size
    if (push == 0) packScaled(to, size, source + offset, factor, n, row, columns)
    else if (source == 0) packCentred(to, size, task.x + offset, task.mean + offset, push, n, row, columns)
    else packBoth(to, size, source + offset, factor, task.x + offset, task.mean + offset, push, n, row, columns)
  }
}

function packScaled(to: usize, size: i32, a: usize, factor: f32, n: i32, row: i32, columns: i32): void {
  const f = f32x4.splat(factor)
  for (let j = 0; j < n; j++, a += row, to += 16) {
    for (let k = 0, p = to; k < columns; k += 16, p += size) v128.store(p, f32x4.mul(f, v128.load(a + k)))
  }
}

function packCentred(to: usize, size: i32, x: usize, mean: usize, push: f32, n: i32, row: i32, columns: i32): void {
  const b = f32x4.splat(push)
  for (let j = 0; j < n; j++, x += row, to += 16) {
    for (let k = 0, p = to; k < columns; k += 16, p += size) {
      v128.store(p, f32x4.mul(b, f32x4.sub(v128.load(x + k), v128.load(mean + k))))
    }
  }
}

function packBoth(
  to: usize, size: i32, a: usize, factor: f32, x: usize, mean: usize, push: f32, n: i32, row: i32, columns: i32,
): void {
  const f = f32x4.splat(factor)
  const b = f32x4.splat(push)
  for (let j = 0; j < n; j++, a += row, x += row, to += 16) {
    for (let k = 0, p = to; k < columns; k += 16, p += size) {
      const centred = f32x4.sub(v128.load(x + k), v128.load(mean + k))
      v128.store(p, f32x4.add(f32x4.mul(f, v128.load(a + k)), f32x4.mul(b, centred)))
    }
  }
}

/** Rows i … i+3 of K and of the slopes as panels with the diagonal set to 0, and what the four rows are finished with. */
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
    store<f32>(p, scale * task.repulsion * slopeSum, OWN_X)
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
  // Four running sums, or each addition would wait for the one before.
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
  let p = panel
  for (const end = panel + ((n & ~3) << 4); p < end; p += 64) {
    s0 = f32x4.add(s0, v128.load(p))
    s1 = f32x4.add(s1, v128.load(p, 16))
    s2 = f32x4.add(s2, v128.load(p, 32))
    s3 = f32x4.add(s3, v128.load(p, 48))
  }
  for (const end = panel + (n << 4); p < end; p += 16) s0 = f32x4.add(s0, v128.load(p))
  v128.store(sums, f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
}

/** One tile of four rows by eight (or the last four) columns of both products. */
function multiplyTile(
  task: DirectionTask, panels: usize, slopePanels: usize, rows: usize, tile: usize, c: i32, width: i32,
): void {
  const n = task.n
  const size = lineOf(n) << 2
  const wide = width - c >= 8
  productTile(tile, rows, panels + (c >> 2) * size, size, n, wide)
  if (task.slopes) {
    const other = tile + 128
    productTile(other, rows + size, slopePanels + (c >> 2) * size, size, n, wide)
    for (let k = 0; k < 128; k += 16) v128.store(tile + k, f32x4.add(v128.load(tile + k), v128.load(other + k)))
  }
}

// @ts-ignore: decorator
@inline
function productTile(tile: usize, rows: usize, panels: usize, size: i32, n: i32, wide: bool): void {
  if (wide) tile4x8(tile, rows, panels, panels + size, n)
  else tile4x4(tile, rows, panels, n)
}

/** φ = tile/N + own terms, for the rows of a tile from byte `column` of each on. */
function finishTile(task: DirectionTask, tile: usize, constants: usize, i: i32, column: i32, wide: bool): void {
  const row = task.D << 2
  const out = task.out + column
  const score = task.score + column
  const x = task.x + column
  const mean0 = v128.load(task.mean + column)
  const mean1 = wide ? v128.load(task.mean + column, 16) : mean0
  const last = min(i + 4, task.n)
  for (let at = i * row, end = last * row; at < end; at += row, tile += 32, constants += 4) {
    const scale = v128.load32_splat(constants, SCALE)
    const a = v128.load32_splat(constants, OWN_SCORE)
    const b = v128.load32_splat(constants, OWN_X)
    v128.store(out + at, finished(v128.load(tile), scale, a, v128.load(score + at), b, v128.load(x + at), mean0))
    if (wide) {
      v128.store(out + at,
        finished(v128.load(tile, 16), scale, a, v128.load(score + at, 16), b, v128.load(x + at, 16), mean1), 16)
    }
  }
  if (task.linear != 0 || task.given) addOthers(task, constants - ((last - i) << 2), i, last, column, wide)
}

// @ts-ignore: decorator
@inline
function finished(sum: v128, scale: v128, a: v128, s: v128, b: v128, x: v128, mean: v128): v128 {
  const own = f32x4.add(f32x4.mul(a, s), f32x4.mul(b, f32x4.sub(x, mean)))
  return f32x4.add(f32x4.mul(scale, sum), own)
}

/** What only some kernels have: 1/N b (l x_i + given_i). */
function addOthers(task: DirectionTask, constants: usize, i: i32, last: i32, column: i32, wide: bool): void {
  const row = task.D << 2
  const bytes = wide ? 32 : 16
  for (let r = i; r < last; r++) {
    const scale = load<f32>(constants + ((r - i) << 2), SCALE) * task.repulsion
    const at = r * row + column
    for (let k = 0; k < bytes; k += 4) {
      let extra = task.linear * load<f32>(task.x + at + k)
      if (task.given) extra += load<f32>(task.given + at + k)
      store<f32>(task.out + at + k, load<f32>(task.out + at + k) + scale * extra)
    }
  }
}

/** |drive_i|² and |φ_i − drive_i|² of one strip, by a product with the scores alone. */
function stripNorms(task: DirectionTask, panels: usize, rows: usize, tile: usize, strip: i32, from: i32, width: i32): void {
  const n = task.n
  const size = lineOf(n) << 2
  // With slopes the scores stand alone in their panels already.
  if (!task.slopes) packColumns(panels, task.score, task.drive, 0, task, from, width)
  for (let i = 0; i < n; i += 4) {
    packRows(task, rows, i)
    const sums = task.norms + ((strip * n + i) << 4)
    const last = min(4, n - i)
    memory.fill(sums, 0, last << 4)
    for (let c = 0; c < width; c += 8) {
      const wide = width - c >= 8
      productTile(tile, rows, panels + (c >> 2) * size, size, n, wide)
      addNorms(task, sums, tile, rows + (size << 1), i, last, (from + c) << 2, wide)
    }
  }
}

function addNorms(
  task: DirectionTask, sums: usize, tile: usize, constants: usize, i: i32, rows: i32, column: i32, wide: bool,
): void {
  const row = task.D << 2
  const bytes = wide ? 32 : 16
  for (let r = 0; r < rows; r++, sums += 16, tile += 32, constants += 4) {
    const scale = v128.load32_splat(constants, SCALE)
    const a = v128.load32_splat(constants, OWN_SCORE)
    const at = (i + r) * row + column
    let drive = f64x2.splat(0)
    let repulsion = drive
    for (let k = 0; k < bytes; k += 16) {
      const d = f32x4.add(f32x4.mul(scale, v128.load(tile + k)), f32x4.mul(a, v128.load(task.score + at + k)))
      drive = addSquares(drive, d)
      repulsion = addSquares(repulsion, f32x4.sub(v128.load(task.out + at + k), d))
    }
    const both = f64x2.add(v128.shuffle<f64>(drive, repulsion, 0, 2), v128.shuffle<f64>(drive, repulsion, 1, 3))
    v128.store(sums, f64x2.add(v128.load(sums), both))
  }
}

/** Squares of four floats in float64. */
// @ts-ignore: decorator
@inline
function addSquares(sum: v128, v: v128): v128 {
  const low = f64x2.promote_low_f32x4(v)
  const high = f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 0))
  return f64x2.add(sum, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)))
}

/** Means over particles of |drive_i| and |repulsion_i| from the sums of all strips.    out: f64 [2] */
export function meanNorms(out: usize, norms: usize, strips: i32, n: i32): void {
  let drive: f64 = 0
  let repulsion: f64 = 0
  for (let i = 0; i < n; i++) {
    let d: f64 = 0
    let r: f64 = 0
    for (let s = 0; s < strips; s++) {
      d += load<f64>(norms + ((s * n + i) << 4))
      r += load<f64>(norms + ((s * n + i) << 4), 8)
    }
    drive += Math.sqrt(d)
    repulsion += Math.sqrt(r)
  }
  store<f64>(out, drive / <f64>n)
  store<f64>(out, repulsion / <f64>n, 8)
}
