import { exp32, log32 } from '../math/f32'

/** The most probable class; the first one on a tie.    logits: f32 [classes] */
export function categoricalMode(logits: usize, classes: i32): i32 {
  let best = 0
  for (let c = 1; c < classes; c++) {
    if (load<f32>(logits + (c << 2)) > load<f32>(logits + (best << 2))) best = c
  }
  return best
}

/**
 * A class drawn from softmax(logits) by inversion: the first c with Σ_{i≤c} e^{l_i − max l} > u Σ e^{l_i − max l}.
 * Overwrites the logits with the unnormalised probabilities.
 *
 *     logits: f32 [classes]    u: uniform in [0, 1)
 */
export function categoricalSample(logits: usize, classes: i32, u: f32): i32 {
  const total = exponentiate(logits, classes)
  return invert(logits, classes, u * total)
}

/** l_c ← e^{l_c − max l}. Returns their sum. */
// @ts-ignore: decorator
@inline
function exponentiate(logits: usize, classes: i32): f32 {
  const highest = highestOf(logits, classes)
  let total: f32 = 0
  for (let c = 0; c < classes; c++) {
    const p = logits + (c << 2)
    const weight = exp32(load<f32>(p) - highest)
    store<f32>(p, weight)
    total += weight
  }
  return total
}

/** The first class with Σ_{i≤c} weight_i > threshold; the last one where there is none.    weights: f32 [classes] */
// @ts-ignore: decorator
@inline
export function invert(weights: usize, classes: i32, threshold: f32): i32 {
  let sum: f32 = 0
  for (let c = 0; c < classes - 1; c++) {
    sum += load<f32>(weights + (c << 2))
    if (sum > threshold) return c
  }
  return classes - 1
}

/** out += softmax(logits). Overwrites the logits.    out, logits: f32 [classes] */
export function addProbabilities(out: usize, logits: usize, classes: i32): void {
  const total = exponentiate(logits, classes)
  for (let c = 0; c < classes; c++) {
    const p = out + (c << 2)
    store<f32>(p, load<f32>(p) + load<f32>(logits + (c << 2)) / total)
  }
}

/** log Σ_c e^{l_c − max l}. Never added to max l, where large logits would take its digits. */
function logTotal(logits: usize, classes: i32, highest: f32): f32 {
  let total: f32 = 0
  for (let c = 0; c < classes; c++) total += exp32(load<f32>(logits + (c << 2)) - highest)
  return log32(total)
}

// @ts-ignore: decorator
@inline
function highestOf(logits: usize, classes: i32): f32 {
  return load<f32>(logits + (categoricalMode(logits, classes) << 2))
}

/** log softmax(logits)_a = l_a − max l − log Σ_c e^{l_c − max l} */
export function categoricalLogProb(logits: usize, classes: i32, action: i32): f32 {
  const highest = highestOf(logits, classes)
  return load<f32>(logits + (action << 2)) - highest - logTotal(logits, classes, highest)
}
