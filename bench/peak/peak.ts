// @ts-nocheck: AssemblyScript, compiled by measure.ts.
// biome-ignore-all format: one accumulator, one word
// biome-ignore-all lint: AssemblyScript is not TypeScript

/**
 * s ← s b + c on independent accumulators of f32x4, a multiplication and then an addition (WASM has no FMA without relaxed
 * SIMD): 8 flops. Every s needs its last value, b and c come from outside, there is no memory: nothing can be dropped,
 * folded or hoisted. Zen 5 starts two of each in a cycle and takes 3 + 3 cycles for one s, hence many of them. TurboFan
 * keeps 12 and the two constants in registers, updated in place; a 13th goes through the stack and halves the speed.
 */
function twice(s: v128, b: v128, c: v128): v128 {
  // Twice, so that the loop and V8's stack check in it cost nothing.
  return f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(s, b), c), b), c)
}

function lane(a: v128, b: v128, c: v128, d: v128): f32 {
  return f32x4.extract_lane(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), 0)
}

export function peak8(rounds: i32, factor: f32, term: f32): f32 {
  const b = f32x4.splat(factor), c = f32x4.splat(term)
  let s0 = f32x4.splat(1), s1 = f32x4.splat(2), s2 = f32x4.splat(3), s3 = f32x4.splat(4)
  let s4 = f32x4.splat(5), s5 = f32x4.splat(6), s6 = f32x4.splat(7), s7 = f32x4.splat(8)
  for (let r = 0; r < rounds; r++) {
    s0 = twice(s0, b, c); s1 = twice(s1, b, c); s2 = twice(s2, b, c); s3 = twice(s3, b, c)
    s4 = twice(s4, b, c); s5 = twice(s5, b, c); s6 = twice(s6, b, c); s7 = twice(s7, b, c)
  }
  return lane(s0, s1, s2, s3) + lane(s4, s5, s6, s7)
}

export function peak10(rounds: i32, factor: f32, term: f32): f32 {
  const b = f32x4.splat(factor), c = f32x4.splat(term)
  let s0 = f32x4.splat(1), s1 = f32x4.splat(2), s2 = f32x4.splat(3), s3 = f32x4.splat(4)
  let s4 = f32x4.splat(5), s5 = f32x4.splat(6), s6 = f32x4.splat(7), s7 = f32x4.splat(8)
  let s8 = f32x4.splat(9), s9 = f32x4.splat(10)
  for (let r = 0; r < rounds; r++) {
    s0 = twice(s0, b, c); s1 = twice(s1, b, c); s2 = twice(s2, b, c); s3 = twice(s3, b, c)
    s4 = twice(s4, b, c); s5 = twice(s5, b, c); s6 = twice(s6, b, c); s7 = twice(s7, b, c)
    s8 = twice(s8, b, c); s9 = twice(s9, b, c)
  }
  return lane(s0, s1, s2, s3) + lane(s4, s5, s6, s7) + lane(s8, s9, s0, s1)
}

export function peak12(rounds: i32, factor: f32, term: f32): f32 {
  const b = f32x4.splat(factor), c = f32x4.splat(term)
  let s0 = f32x4.splat(1), s1 = f32x4.splat(2), s2 = f32x4.splat(3), s3 = f32x4.splat(4)
  let s4 = f32x4.splat(5), s5 = f32x4.splat(6), s6 = f32x4.splat(7), s7 = f32x4.splat(8)
  let s8 = f32x4.splat(9), s9 = f32x4.splat(10), s10 = f32x4.splat(11), s11 = f32x4.splat(12)
  for (let r = 0; r < rounds; r++) {
    s0 = twice(s0, b, c); s1 = twice(s1, b, c); s2 = twice(s2, b, c); s3 = twice(s3, b, c)
    s4 = twice(s4, b, c); s5 = twice(s5, b, c); s6 = twice(s6, b, c); s7 = twice(s7, b, c)
    s8 = twice(s8, b, c); s9 = twice(s9, b, c); s10 = twice(s10, b, c); s11 = twice(s11, b, c)
  }
  return lane(s0, s1, s2, s3) + lane(s4, s5, s6, s7) + lane(s8, s9, s10, s11)
}
