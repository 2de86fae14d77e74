// Scalar float32 functions: lane 0 of the SIMD routines, so that scalar and SIMD have the same bits by construction.
// Error bounds stand in f32x4.ts.

import { exp4, log4, tanh4 } from './f32x4'

export function exp32(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0)
}

export function log32(x: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(x)), 0)
}

export function tanh32(x: f32): f32 {
  return f32x4.extract_lane(tanh4(f32x4.splat(x)), 0)
}
