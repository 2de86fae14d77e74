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
  const highest = load<f32>(logits + (categoricalMode(logits, classes) << 2))
  let total: f32 = 0
  for (let c = 0; c < classes; c++) {
    const p = logits + (c << 2)
    const weight = exp32(load<f32>(p) - highest)
    store<f32>(p, weight)
    total += weight
  }
  const threshold = u * total
  let sum: f32 = 0
  for (let c = 0; c < classes - 1; c++) {
    sum += load<f32>(logits + (c << 2))
    if (sum > threshold) return c
  }
  return classes - 1
}

/** log Σ_c e^{l_c}, the highest logit taken out first. */
function logSumExp(logits: usize, classes: i32): f32 {
  const highest = load<f32>(logits + (categoricalMode(logits, classes) << 2))
  let total: f32 = 0
  for (let c = 0; c < classes; c++) total += exp32(load<f32>(logits + (c << 2)) - highest)
  return highest + log32(total)
}

/** log softmax(logits)_a */
export function categoricalLogProb(logits: usize, classes: i32, action: i32): f32 {
  return load<f32>(logits + (action << 2)) - logSumExp(logits, classes)
}

/** H = −Σ_c π_c log π_c */
export function categoricalEntropy(logits: usize, classes: i32): f32 {
  const total = logSumExp(logits, classes)
  let sum: f32 = 0
  for (let c = 0; c < classes; c++) {
    const logProb = load<f32>(logits + (c << 2)) - total
    sum -= exp32(logProb) * logProb
  }
  return sum
}

/** KL(p ‖ q) = Σ_c p_c (log p_c − log q_c) */
export function categoricalDivergence(p: usize, q: usize, classes: i32): f32 {
  const totalP = logSumExp(p, classes)
  const totalQ = logSumExp(q, classes)
  let sum: f32 = 0
  for (let c = 0; c < classes; c++) {
    const logP = load<f32>(p + (c << 2)) - totalP
    sum += exp32(logP) * (logP - (load<f32>(q + (c << 2)) - totalQ))
  }
  return sum
}
