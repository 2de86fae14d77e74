// @ts-nocheck: AssemblyScript, compiled by measure.ts.
// biome-ignore-all format: four accumulators, one line
// biome-ignore-all lint: AssemblyScript is not TypeScript

/**
 * s ← s b + c on independent accumulators of f32x4, a multiplication and then an addition (WASM has no FMA without
 * relaxed SIMD): 8 flops. Every s needs its last value and all come from memory and go back to it: nothing can be
 * dropped, folded or hoisted. Zen 5 starts two of each in a cycle and takes 3 + 3 cycles for one s, hence many of them;
 * V8 has 15 registers.
 *
 *     data: f32x4 [2 + accumulators] b, c, then s
 */
export function peak8(rounds: i32, data: usize): void {
  const b = v128.load(data), c = v128.load(data, 16)
  let s0 = v128.load(data, 32), s1 = v128.load(data, 48), s2 = v128.load(data, 64), s3 = v128.load(data, 80)
  let s4 = v128.load(data, 96), s5 = v128.load(data, 112), s6 = v128.load(data, 128), s7 = v128.load(data, 144)
  for (let r = 0; r < rounds; r++) {
    s0 = f32x4.add(f32x4.mul(s0, b), c); s1 = f32x4.add(f32x4.mul(s1, b), c); s2 = f32x4.add(f32x4.mul(s2, b), c); s3 = f32x4.add(f32x4.mul(s3, b), c)
    s4 = f32x4.add(f32x4.mul(s4, b), c); s5 = f32x4.add(f32x4.mul(s5, b), c); s6 = f32x4.add(f32x4.mul(s6, b), c); s7 = f32x4.add(f32x4.mul(s7, b), c)
  }
  v128.store(data, s0, 32); v128.store(data, s1, 48); v128.store(data, s2, 64); v128.store(data, s3, 80)
  v128.store(data, s4, 96); v128.store(data, s5, 112); v128.store(data, s6, 128); v128.store(data, s7, 144)
}

export function peak10(rounds: i32, data: usize): void {
  const b = v128.load(data), c = v128.load(data, 16)
  let s0 = v128.load(data, 32), s1 = v128.load(data, 48), s2 = v128.load(data, 64), s3 = v128.load(data, 80)
  let s4 = v128.load(data, 96), s5 = v128.load(data, 112), s6 = v128.load(data, 128), s7 = v128.load(data, 144)
  let s8 = v128.load(data, 160), s9 = v128.load(data, 176)
  for (let r = 0; r < rounds; r++) {
    s0 = f32x4.add(f32x4.mul(s0, b), c); s1 = f32x4.add(f32x4.mul(s1, b), c); s2 = f32x4.add(f32x4.mul(s2, b), c); s3 = f32x4.add(f32x4.mul(s3, b), c)
    s4 = f32x4.add(f32x4.mul(s4, b), c); s5 = f32x4.add(f32x4.mul(s5, b), c); s6 = f32x4.add(f32x4.mul(s6, b), c); s7 = f32x4.add(f32x4.mul(s7, b), c)
    s8 = f32x4.add(f32x4.mul(s8, b), c); s9 = f32x4.add(f32x4.mul(s9, b), c)
  }
  v128.store(data, s0, 32); v128.store(data, s1, 48); v128.store(data, s2, 64); v128.store(data, s3, 80)
  v128.store(data, s4, 96); v128.store(data, s5, 112); v128.store(data, s6, 128); v128.store(data, s7, 144)
  v128.store(data, s8, 160); v128.store(data, s9, 176)
}

export function peak12(rounds: i32, data: usize): void {
  const b = v128.load(data), c = v128.load(data, 16)
  let s0 = v128.load(data, 32), s1 = v128.load(data, 48), s2 = v128.load(data, 64), s3 = v128.load(data, 80)
  let s4 = v128.load(data, 96), s5 = v128.load(data, 112), s6 = v128.load(data, 128), s7 = v128.load(data, 144)
  let s8 = v128.load(data, 160), s9 = v128.load(data, 176), s10 = v128.load(data, 192), s11 = v128.load(data, 208)
  for (let r = 0; r < rounds; r++) {
    s0 = f32x4.add(f32x4.mul(s0, b), c); s1 = f32x4.add(f32x4.mul(s1, b), c); s2 = f32x4.add(f32x4.mul(s2, b), c); s3 = f32x4.add(f32x4.mul(s3, b), c)
    s4 = f32x4.add(f32x4.mul(s4, b), c); s5 = f32x4.add(f32x4.mul(s5, b), c); s6 = f32x4.add(f32x4.mul(s6, b), c); s7 = f32x4.add(f32x4.mul(s7, b), c)
    s8 = f32x4.add(f32x4.mul(s8, b), c); s9 = f32x4.add(f32x4.mul(s9, b), c); s10 = f32x4.add(f32x4.mul(s10, b), c); s11 = f32x4.add(f32x4.mul(s11, b), c)
  }
  v128.store(data, s0, 32); v128.store(data, s1, 48); v128.store(data, s2, 64); v128.store(data, s3, 80)
  v128.store(data, s4, 96); v128.store(data, s5, 112); v128.store(data, s6, 128); v128.store(data, s7, 144)
  v128.store(data, s8, 160); v128.store(data, s9, 176); v128.store(data, s10, 192); v128.store(data, s11, 208)
}

export function peak13(rounds: i32, data: usize): void {
  const b = v128.load(data), c = v128.load(data, 16)
  let s0 = v128.load(data, 32), s1 = v128.load(data, 48), s2 = v128.load(data, 64), s3 = v128.load(data, 80)
  let s4 = v128.load(data, 96), s5 = v128.load(data, 112), s6 = v128.load(data, 128), s7 = v128.load(data, 144)
  let s8 = v128.load(data, 160), s9 = v128.load(data, 176), s10 = v128.load(data, 192), s11 = v128.load(data, 208)
  let s12 = v128.load(data, 224)
  for (let r = 0; r < rounds; r++) {
    s0 = f32x4.add(f32x4.mul(s0, b), c); s1 = f32x4.add(f32x4.mul(s1, b), c); s2 = f32x4.add(f32x4.mul(s2, b), c); s3 = f32x4.add(f32x4.mul(s3, b), c)
    s4 = f32x4.add(f32x4.mul(s4, b), c); s5 = f32x4.add(f32x4.mul(s5, b), c); s6 = f32x4.add(f32x4.mul(s6, b), c); s7 = f32x4.add(f32x4.mul(s7, b), c)
    s8 = f32x4.add(f32x4.mul(s8, b), c); s9 = f32x4.add(f32x4.mul(s9, b), c); s10 = f32x4.add(f32x4.mul(s10, b), c); s11 = f32x4.add(f32x4.mul(s11, b), c)
    s12 = f32x4.add(f32x4.mul(s12, b), c)
  }
  v128.store(data, s0, 32); v128.store(data, s1, 48); v128.store(data, s2, 64); v128.store(data, s3, 80)
  v128.store(data, s4, 96); v128.store(data, s5, 112); v128.store(data, s6, 128); v128.store(data, s7, 144)
  v128.store(data, s8, 160); v128.store(data, s9, 176); v128.store(data, s10, 192); v128.store(data, s11, 208)
  v128.store(data, s12, 224)
}
