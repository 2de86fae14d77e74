/**
 * Discounted return-to-go of every row of one particle:
 *
 *     G_t = r_t + γ G_{t+1};   terminated: r_t;   truncated or last step: r_t + γ V(s_{t+1})
 *
 * Without values (nextValue = 0) a time limit ends the sum, and rows of an episode that is still running at the last
 * step are not valid: their return is not known.
 *
 *     reward, nextValue, out: f64 [T, E]    terminated, truncated, valid: u8 [T, E]
 */
export function returnsToGo(
  out: usize, valid: usize, reward: usize, terminated: usize, truncated: usize, nextValue: usize,
  steps: i32, environments: i32, discount: f64,
): void {
  for (let e = 0; e < environments; e++) {
    let g: f64 = 0
    let known = nextValue != 0
    for (let t = steps - 1; t >= 0; t--) {
      const row = t * environments + e
      const at = row << 3
      if (load<u8>(terminated + row)) {
        g = 0
        known = true
      } else if (load<u8>(truncated + row)) {
        g = nextValue ? load<f64>(nextValue + at) : 0
        known = true
      } else if (t == steps - 1) {
        g = nextValue ? load<f64>(nextValue + at) : 0
      }
      g = load<f64>(reward + at) + discount * g
      store<f64>(out + at, g)
      store<u8>(valid + row, known ? 1 : 0)
    }
  }
}

/**
 * Targets of a value function, G = A + V, by generalised advantage estimation (Schulman et al. 2016, equation 16):
 *
 *     δ_t = r_t + γ V(s_{t+1}) − V(s_t),   A_t = δ_t + γ λ A_{t+1}
 *
 * Nothing follows where the task terminated; a time limit and the last step are continued by V(s_{t+1}), but not by A.
 *
 *     reward, value, nextValue, out: f64 [T, E]    terminated, truncated: u8 [T, E]
 */
export function lambdaReturns(
  out: usize, reward: usize, value: usize, nextValue: usize, terminated: usize, truncated: usize,
  steps: i32, environments: i32, discount: f64, lambda: f64,
): void {
  for (let e = 0; e < environments; e++) {
    let advantage: f64 = 0
    for (let t = steps - 1; t >= 0; t--) {
      const row = t * environments + e
      const at = row << 3
      const ends = load<u8>(terminated + row)
      const next = ends ? 0 : load<f64>(nextValue + at)
      const delta = load<f64>(reward + at) + discount * next - load<f64>(value + at)
      advantage = delta + (ends || load<u8>(truncated + row) ? 0 : discount * lambda * advantage)
      store<f64>(out + at, advantage + load<f64>(value + at))
    }
  }
}

/**
 * Returns of n steps: G_t = Σ_{k<n} γ^k r_{t+k} + γⁿ V(s_{t+n}), shorter where an episode or the rollout ends first.
 *
 *     reward, nextValue, out: f64 [T, E]    terminated, truncated: u8 [T, E]
 */
export function stepReturns(
  out: usize, reward: usize, nextValue: usize, terminated: usize, truncated: usize,
  steps: i32, environments: i32, discount: f64, n: i32,
): void {
  for (let e = 0; e < environments; e++) {
    for (let t = 0; t < steps; t++) {
      let g: f64 = 0
      let factor: f64 = 1
      for (let k = t; ; k++) {
        const row = k * environments + e
        g += factor * load<f64>(reward + (row << 3))
        factor *= discount
        if (load<u8>(terminated + row)) break
        if (load<u8>(truncated + row) || k == steps - 1 || k == t + n - 1) {
          g += factor * load<f64>(nextValue + (row << 3))
          break
        }
      }
      store<f64>(out + ((t * environments + e) << 3), g)
    }
  }
}

/**
 * Weights of log π(a|s) in the surrogate objective, the mean over the valid rows of log π · A:
 *
 *     w_b = A_b / N,   A = G − V, minus its mean if `centre`, divided by its standard deviation if `standardise`
 *
 *     target (G), value (V): f64 [rows]    valid: u8 [rows]    out: f32 [rows], 0 where not valid
 *
 * Returns N, the number of valid rows.
 */
export function advantageWeights(
  out: usize, target: usize, value: usize, valid: usize, rows: i32, centre: bool, standardise: bool,
): i32 {
  let count = 0
  let sum: f64 = 0
  for (let b = 0; b < rows; b++) {
    if (!load<u8>(valid + b)) continue
    count++
    sum += load<f64>(target + (b << 3)) - load<f64>(value + (b << 3))
  }
  const mean = count ? sum / <f64>count : 0
  let squares: f64 = 0
  for (let b = 0; b < rows; b++) {
    if (!load<u8>(valid + b)) continue
    const deviation = load<f64>(target + (b << 3)) - load<f64>(value + (b << 3)) - mean
    squares += deviation * deviation
  }
  const scale = standardise ? Math.sqrt(squares / <f64>max(count, 1)) + 1e-8 : 1
  const shift = centre || standardise ? mean : 0
  for (let b = 0; b < rows; b++) {
    let weight: f64 = 0
    if (load<u8>(valid + b)) {
      weight = (load<f64>(target + (b << 3)) - load<f64>(value + (b << 3)) - shift) / (scale * <f64>count)
    }
    store<f32>(out + (b << 2), <f32>weight)
  }
  return count
}
