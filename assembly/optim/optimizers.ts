/**
 * Adam as ascent (Kingma & Ba 2015, algorithm 1), in place:
 *
 *     m ← β₁ m + (1−β₁) g    v ← β₂ v + (1−β₂) g²    x ← x + rate · (m/c₁) / (√(v/c₂) + ε)
 *
 *     x, m, v, g: f32 [count], count a multiple of 4    c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 */
export function adam(
  x: usize, m: usize, v: usize, g: usize, count: i32,
  rate: f32, beta1: f32, beta2: f32, epsilon: f32, c1: f32, c2: f32,
): void {
  const b1 = f32x4.splat(beta1), b2 = f32x4.splat(beta2)
  const a1 = f32x4.splat(1 - beta1), a2 = f32x4.splat(1 - beta2)
  const step = f32x4.splat(rate / c1), inverse2 = f32x4.splat(1 / c2), e = f32x4.splat(epsilon)
  for (let p = 0, end = count << 2; p < end; p += 16) {
    const gradient = v128.load(g + p)
    const first = f32x4.add(f32x4.mul(b1, v128.load(m + p)), f32x4.mul(a1, gradient))
    const second = f32x4.add(f32x4.mul(b2, v128.load(v + p)), f32x4.mul(a2, f32x4.mul(gradient, gradient)))
    v128.store(m + p, first)
    v128.store(v + p, second)
    const scale = f32x4.add(f32x4.sqrt(f32x4.mul(second, inverse2)), e)
    v128.store(x + p, f32x4.add(v128.load(x + p), f32x4.div(f32x4.mul(step, first), scale)))
  }
}

/** Plain ascent x ← x + rate · g.    x, g: f32 [count], count a multiple of 4 */
export function ascend(x: usize, g: usize, count: i32, rate: f32): void {
  const r = f32x4.splat(rate)
  for (let p = 0, end = count << 2; p < end; p += 16) {
    v128.store(x + p, f32x4.add(v128.load(x + p), f32x4.mul(r, v128.load(g + p))))
  }
}

/**
 * Adagrad with a forgetting memory, as ascent, in place:
 *
 *     v ← μ v + (1−μ) g²    x ← x + rate · g / (ε + √v)
 *
 *     x, v, g: f32 [count], count a multiple of 4    momentum: μ, 0 in the first step
 */
export function adagrad(x: usize, v: usize, g: usize, count: i32, rate: f32, momentum: f32, epsilon: f32): void {
  const old = f32x4.splat(momentum), fresh = f32x4.splat(1 - momentum), r = f32x4.splat(rate), e = f32x4.splat(epsilon)
  for (let p = 0, end = count << 2; p < end; p += 16) {
    const gradient = v128.load(g + p)
    const square = f32x4.add(f32x4.mul(old, v128.load(v + p)), f32x4.mul(fresh, f32x4.mul(gradient, gradient)))
    v128.store(v + p, square)
    const move = f32x4.div(f32x4.mul(r, gradient), f32x4.add(e, f32x4.sqrt(square)))
    v128.store(x + p, f32x4.add(v128.load(x + p), move))
  }
}
