import { exp4 } from '../math/f32x4'

/**
 * RBF kernel k(x_i, x_j) = exp(−d²_ij / h).
 *
 *     out, distances: f32 [n, n] (squared distances); up to three elements beyond out are written
 */
export function rbfKernel(out: usize, distances: usize, n: i32, bandwidth: f32): void {
  const scale = f32x4.splat(-1 / bandwidth)
  const end = (n * n) << 2
  for (let p = 0; p < end; p += 16) {
    v128.store(out + p, exp4(f32x4.mul(v128.load(distances + p), scale)))
  }
}
