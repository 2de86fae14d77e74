/**
 * Linear-feature baseline of rllab (Duan et al. 2016, section 4): V(s, t) = w · [o, o², τ, τ², τ³, 1], o the
 * observation clipped to ±10, τ = t / 100. F = 2 O + 4 features. The cubic grows without bounds beyond the times that
 * it was fitted to: it is for tasks whose rollouts hold whole episodes, as rllab's did. The fit costs F³.
 */

// @ts-ignore: decorator
@inline
function features(out: usize, observation: usize, time: i32, size: i32): void {
  for (let k = 0; k < size; k++) {
    const o = min<f64>(max<f64>(<f64>load<f32>(observation + (k << 2)), -10), 10)
    store<f64>(out + (k << 3), o)
    store<f64>(out + ((size + k) << 3), o * o)
  }
  const tau = <f64>time * 0.01
  const rest = out + ((2 * size) << 3)
  store<f64>(rest, tau)
  store<f64>(rest, tau * tau, 8)
  store<f64>(rest, tau * tau * tau, 16)
  store<f64>(rest, 1, 24)
}

/**
 * Values of all rows: out_b = w · features(observation_b, time_b + later).
 *
 *     out: f64 [rows]    weights: f64 [F]    observation: f32 [rows, O]    time: i32 [rows]    scratch: f64 [F]
 */
export function rllabValues(
  out: usize, weights: usize, observation: usize, time: usize, later: i32, rows: i32, size: i32, scratch: usize,
): void {
  const F = 2 * size + 4
  for (let b = 0; b < rows; b++) {
    features(scratch, observation + ((b * size) << 2), load<i32>(time + (b << 2)) + later, size)
    let sum: f64 = 0
    for (let f = 0; f < F; f++) sum += load<f64>(weights + (f << 3)) * load<f64>(scratch + (f << 3))
    store<f64>(out + (b << 3), sum)
  }
}

/**
 * Ridge regression of the targets on the features over the valid rows: (Φᵀ Φ + ridge N I) w = Φᵀ G, by Cholesky.
 * Leaves the weights alone when no row is valid or the matrix is not positive definite.
 *
 *     weights: f64 [F]    target: f64 [rows]    valid: u8 [rows]    scratch: f64 [F (F + 2)]
 */
export function rllabFit(
  weights: usize, observation: usize, time: usize, target: usize, valid: usize, rows: i32, size: i32, ridge: f64,
  scratch: usize,
): void {
  const F = 2 * size + 4
  const line = F << 3
  const matrix = scratch + line
  const right = matrix + F * line
  memory.fill(matrix, 0, (F + 1) * line)
  let count = 0
  for (let b = 0; b < rows; b++) {
    if (!load<u8>(valid + b)) continue
    count++
    features(scratch, observation + ((b * size) << 2), load<i32>(time + (b << 2)), size)
    const g = load<f64>(target + (b << 3))
    for (let f = 0; f < F; f++) {
      const value = load<f64>(scratch + (f << 3))
      const to = matrix + f * line
      for (let k = 0; k <= f; k++) {
        const p = to + (k << 3)
        store<f64>(p, load<f64>(p) + value * load<f64>(scratch + (k << 3)))
      }
      const p = right + (f << 3)
      store<f64>(p, load<f64>(p) + value * g)
    }
  }
  if (count == 0) return
  for (let f = 0; f < F; f++) {
    const p = matrix + f * line + (f << 3)
    store<f64>(p, load<f64>(p) + ridge * <f64>count)
  }
  if (factorise(matrix, F)) solve(weights, matrix, right, F)
}

/** Cholesky A = L Lᵀ in the lower half of a: f64 [F, F]. False if a pivot is not positive. */
function factorise(a: usize, F: i32): bool {
  const line = F << 3
  for (let i = 0; i < F; i++) {
    for (let j = 0; j <= i; j++) {
      const p = a + i * line + (j << 3)
      let sum = load<f64>(p)
      for (let k = 0; k < j; k++) sum -= load<f64>(a + i * line + (k << 3)) * load<f64>(a + j * line + (k << 3))
      if (i == j) {
        if (!(sum > 0)) return false
        store<f64>(p, Math.sqrt(sum))
      } else {
        store<f64>(p, sum / load<f64>(a + j * line + (j << 3)))
      }
    }
  }
  return true
}

/** Solves L Lᵀ x = b. */
function solve(x: usize, l: usize, b: usize, F: i32): void {
  const line = F << 3
  for (let i = 0; i < F; i++) {
    let sum = load<f64>(b + (i << 3))
    for (let k = 0; k < i; k++) sum -= load<f64>(l + i * line + (k << 3)) * load<f64>(x + (k << 3))
    store<f64>(x + (i << 3), sum / load<f64>(l + i * line + (i << 3)))
  }
  for (let i = F - 1; i >= 0; i--) {
    let sum = load<f64>(x + (i << 3))
    for (let k = i + 1; k < F; k++) sum -= load<f64>(l + k * line + (i << 3)) * load<f64>(x + (k << 3))
    store<f64>(x + (i << 3), sum / load<f64>(l + i * line + (i << 3)))
  }
}
