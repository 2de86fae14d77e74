/**
 * A linear value function of bounded features, which does not know the time:
 *
 *     V(s) = min(max(c + w · φ(s), low), high),   φ = [z, z² − 1, 1],   z_k = (o_k − mean_k) / deviation_k within ±CLIP
 *
 * Mean and deviation are those of all observations so far, so that the units of a task do not matter. c is the mean of
 * the targets that it was fitted to, low and high are their bounds: of states that it has never seen it says no more
 * than of those that it has. F = 2 O + 1 features.
 *
 *     model: f64 [3 + 2 O + F + 1]    count | low | high | mean [O] | Σ (o − mean)² [O] | w [F] | c
 */

/** Numbers further than so many deviations from the mean count as there. */
const CLIP: f64 = 3
/** Ridge: what is added to the mean square of each feature, which is about 1. */
const RIDGE: f64 = 1e-3
/** Steps of conjugate gradients, or F if that is less. */
const STEPS: i32 = 32
/** A deviation below this share of the mean is rounding. */
const ROUNDING: f64 = 1e-6

/** A model by its parts. */
@unmanaged
class LinearModel {
  count: f64
  low: f64
  high: f64
}

// @ts-ignore: decorator
@inline
const HEAD: usize = 24

// @ts-ignore: decorator
@inline
function meanOf(model: usize): usize {
  return model + HEAD
}

// @ts-ignore: decorator
@inline
function squaresOf(model: usize, size: i32): usize {
  return model + HEAD + (<usize>size << 3)
}

// @ts-ignore: decorator
@inline
function weightsOf(model: usize, size: i32): usize {
  return model + HEAD + (<usize>size << 4)
}

/**
 * Values of all rows.
 *
 *     out: f64 [rows]    observation: f32 [rows, O]    scratch: f64 [2 O]
 */
export function linearValues(out: usize, model: usize, observation: usize, rows: i32, size: i32, scratch: usize): void {
  const low = changetype<LinearModel>(model).low, high = changetype<LinearModel>(model).high
  const z = scratch + (<usize>size << 3)
  const w = weightsOf(model, size)
  const centre = load<f64>(w + ((2 * size + 1) << 3))
  inverseDeviations(scratch, model, size)
  for (let b = 0; b < rows; b++) {
    standardise(z, observation + ((b * size) << 2), model, scratch, size)
    store<f64>(out + (b << 3), min(max(centre + product(w, z, size), low), high))
  }
}

/**
 * Ridge regression of the targets on the features of the N rows,
 *
 *     (Φᵀ Φ / N + RIDGE) w = Φᵀ (G − c) / N,   c = mean G
 *
 * by conjugate gradients (Hestenes & Stiefel 1952), whose cost is N F a step. The rows count for mean and deviation
 * first.
 *
 *     target (G): f64 [rows]    scratch: f64 [2 O + 3 F]
 */
export function linearFit(model: usize, observation: usize, target: usize, rows: i32, size: i32, scratch: usize): void {
  const F = 2 * size + 1
  const line = <usize>F << 3
  const inverse = scratch
  const z = inverse + (<usize>size << 3)
  const residual = z + (<usize>size << 3)
  const direction = residual + line
  const image = direction + line
  const w = weightsOf(model, size)
  countRows(model, observation, rows, size)
  inverseDeviations(inverse, model, size)
  const centre = centreOf(changetype<LinearModel>(model), target, rows)
  store<f64>(w + line, centre)

  memory.fill(w, 0, line)
  memory.fill(residual, 0, line)
  for (let b = 0; b < rows; b++) {
    standardise(z, observation + ((b * size) << 2), model, inverse, size)
    accumulate(residual, (load<f64>(target + (b << 3)) - centre) / <f64>rows, z, size)
  }
  memory.copy(direction, residual, line)
  let square = dot(residual, residual, F)
  const enough = 1e-20 * square
  for (let step = 0; step < min(STEPS, F) && square > enough; step++) {
    for (let f = 0; f < F; f++) store<f64>(image + (f << 3), RIDGE * load<f64>(direction + (f << 3)))
    for (let b = 0; b < rows; b++) {
      standardise(z, observation + ((b * size) << 2), model, inverse, size)
      accumulate(image, product(direction, z, size) / <f64>rows, z, size)
    }
    const length = square / dot(direction, image, F)
    addScaled(w, w, length, direction, F)
    addScaled(residual, residual, -length, image, F)
    const next = dot(residual, residual, F)
    addScaled(direction, residual, next / square, direction, F)
    square = next
  }
}

/** The mean of the targets; writes their bounds. */
function centreOf(model: LinearModel, target: usize, rows: i32): f64 {
  let sum: f64 = 0
  model.low = Infinity
  model.high = -Infinity
  for (let b = 0; b < rows; b++) {
    const g = load<f64>(target + (b << 3))
    sum += g
    model.low = min(model.low, g)
    model.high = max(model.high, g)
  }
  return sum / <f64>rows
}

/** Adds the rows to mean and squares (Chan, Golub & LeVeque 1979). */
function countRows(model: usize, observation: usize, rows: i32, size: i32): void {
  const head = changetype<LinearModel>(model)
  const before = head.count
  head.count += <f64>rows
  for (let k = 0; k < size; k++) {
    let sum: f64 = 0
    for (let b = 0; b < rows; b++) sum += <f64>load<f32>(observation + ((b * size + k) << 2))
    const own = sum / <f64>rows
    let squares: f64 = 0
    for (let b = 0; b < rows; b++) {
      const deviation = <f64>load<f32>(observation + ((b * size + k) << 2)) - own
      squares += deviation * deviation
    }
    const m = meanOf(model) + (k << 3)
    const s = squaresOf(model, size) + (k << 3)
    const shift = own - load<f64>(m)
    store<f64>(m, load<f64>(m) + (shift * <f64>rows) / head.count)
    store<f64>(s, load<f64>(s) + squares + (shift * shift * before * <f64>rows) / head.count)
  }
}

/** 1 over the deviation of each number of an observation: f64 [O]; 0 where it does not vary. */
function inverseDeviations(out: usize, model: usize, size: i32): void {
  const count = changetype<LinearModel>(model).count
  for (let k = 0; k < size; k++) {
    const mean = load<f64>(meanOf(model) + (k << 3))
    const deviation = count > 0 ? Math.sqrt(load<f64>(squaresOf(model, size) + (k << 3)) / count) : 0
    store<f64>(out + (k << 3), deviation > ROUNDING * abs(mean) ? 1 / deviation : 0)
  }
}

// Two numbers of an observation at a time, with the bits of one at a time: pmin and pmax keep NaN as min and max do.

/** z of one observation: f64 [O]. */
// @ts-ignore: decorator
@inline
function standardise(out: usize, observation: usize, model: usize, inverse: usize, size: i32): void {
  const mean = meanOf(model)
  const end = mean + (<usize>size << 3)
  const low = f64x2.splat(-CLIP), high = f64x2.splat(CLIP)
  let m = mean
  for (; m + 8 < end; m += 16, observation += 8, inverse += 16, out += 16) {
    const centred = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(observation)), v128.load(m))
    v128.store(out, f64x2.pmin(f64x2.pmax(f64x2.mul(centred, v128.load(inverse)), low), high))
  }
  if (m < end) {
    const centred = <f64>load<f32>(observation) - load<f64>(m)
    store<f64>(out, min(max(centred * load<f64>(inverse), -CLIP), CLIP))
  }
}

/** w · φ of one z. */
// @ts-ignore: decorator
@inline
function product(w: usize, z: usize, size: i32): f64 {
  const bytes = <usize>size << 3
  const end = w + bytes
  let sum = load<f64>(end + bytes)
  for (; w + 8 < end; w += 16, z += 16) {
    const x = v128.load(z)
    const terms = f64x2.add(f64x2.mul(x, v128.load(w)), f64x2.mul(squareLess1(x), v128.load(w + bytes)))
    sum += f64x2.extract_lane(terms, 0)
    sum += f64x2.extract_lane(terms, 1)
  }
  if (w < end) {
    const x = load<f64>(z)
    sum += x * load<f64>(w) + (x * x - 1) * load<f64>(w + bytes)
  }
  return sum
}

// @ts-ignore: decorator
@inline
function squareLess1(x: v128): v128 {
  return f64x2.sub(f64x2.mul(x, x), f64x2.splat(1))
}

/** out += a φ of one z. */
// @ts-ignore: decorator
@inline
function accumulate(out: usize, a: f64, z: usize, size: i32): void {
  const bytes = <usize>size << 3
  const end = out + bytes
  const by = f64x2.splat(a)
  for (; out + 8 < end; out += 16, z += 16) {
    const x = v128.load(z)
    v128.store(out, f64x2.add(v128.load(out), f64x2.mul(by, x)))
    v128.store(out + bytes, f64x2.add(v128.load(out + bytes), f64x2.mul(by, squareLess1(x))))
  }
  if (out < end) {
    const x = load<f64>(z)
    store<f64>(out, load<f64>(out) + a * x)
    store<f64>(out + bytes, load<f64>(out + bytes) + a * (x * x - 1))
  }
  const last = end + bytes
  store<f64>(last, load<f64>(last) + a)
}

function dot(a: usize, b: usize, F: i32): f64 {
  let sum: f64 = 0
  for (let f = 0; f < F; f++) sum += load<f64>(a + (f << 3)) * load<f64>(b + (f << 3))
  return sum
}

/** out = a + s b */
function addScaled(out: usize, a: usize, s: f64, b: usize, F: i32): void {
  for (let f = 0; f < F; f++) store<f64>(out + (f << 3), load<f64>(a + (f << 3)) + s * load<f64>(b + (f << 3)))
}
