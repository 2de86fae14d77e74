// Counter-based randomness: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
// A value is a pure function of (seed, purpose, particle, environment, step, index): there is no state to save or to split.
//
//   key      (seed low, seed high)
//   counter  (block, step, environment, purpose | particle << 8)      so purpose < 2^8, particle < 2^24
//   element e of a filled row comes from block e >>> 2

import { storeTail } from './math/arrays'
import { demote4, log4, sinShifted2 } from './math/f32x4'

export const PURPOSE_WEIGHTS: u32 = 0
export const PURPOSE_EPISODE: u32 = 1
export const PURPOSE_RESET: u32 = 2
export const PURPOSE_ACTION: u32 = 3
export const PURPOSE_EVALUATE: u32 = 4
export const PURPOSE_PARTICLES: u32 = 5
export const PURPOSE_USER: u32 = 6
export const PURPOSE_MINIBATCH: u32 = 7
export const PURPOSE_BOOTSTRAP: u32 = 8

/** The block of four words [c0' c1' c2' c3'] of a counter under a key. */
export function philox4(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): v128 {
  for (let round = 0; round < 10; round++) {
    const p0 = <u64>c0 * 0xd2511f53
    const p1 = <u64>c2 * 0xcd9e8d57
    c0 = <u32>(p1 >> 32) ^ c1 ^ k0
    c1 = <u32>p1
    c2 = <u32>(p0 >> 32) ^ c3 ^ k1
    c3 = <u32>p0
    k0 += 0x9e3779b9
    k1 += 0xbb67ae85
  }
  const v = i32x4.replace_lane(i32x4.splat(c0), 1, c1)
  return i32x4.replace_lane(i32x4.replace_lane(v, 2, c2), 3, c3)
}

/** The four words of one block, for the known-answer test. */
export function philox(out: usize, c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  v128.store(out, philox4(c0, c1, c2, c3, k0, k1))
}

/** [0, 1) on a grid of 2^-24. */
// @ts-ignore: decorator
@inline
export function uniform32(word: u32): f32 {
  return <f32>(word >> 8) * 5.9604644775390625e-8
}

/** (0, 1] on a grid of 2^-24: its logarithm is finite. */
// @ts-ignore: decorator
@inline
export function uniformOpen32(word: u32): f32 {
  return <f32>((word >> 8) + 1) * 5.9604644775390625e-8
}

/** [0, 1) on a grid of 2^-53. */
// @ts-ignore: decorator
@inline
export function uniform64(hi: u32, lo: u32): f64 {
  return (<f64>(hi >> 5) * 67108864.0 + <f64>(lo >> 6)) * 1.1102230246251565e-16
}

/** uniform32 of four words: [0, 1). */
// @ts-ignore: decorator
@inline
function uniform4(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(words, 8)), f32x4.splat(5.9604644775390625e-8))
}

/**
 * Four standard normals of a block of words w (Box and Muller 1958): with radii rᵢ = sqrt(-2 log uniformOpen32(wᵢ)) and
 * angles aᵢ = 2 pi uniform32(wᵢ₊₂), the values are r0 cos a0, r1 cos a1, r0 sin a0, r1 sin a1. |value| <= 5.77.
 */
// @ts-ignore: decorator
@inline
export function normal4(words: v128): v128 {
  const u = uniform4(words)
  const open = f32x4.add(u, f32x4.splat(5.9604644775390625e-8)) // exact: still on the grid
  const radii = f32x4.sqrt(f32x4.mul(f32x4.splat(-2.0), log4(v128.shuffle<i32>(open, open, 0, 1, 0, 1))))
  // the two angles as doubles: cosines and sines of both cost what one sin4 costs
  const angles = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i32>(u, u, 2, 3, 2, 3)), f64x2.splat(6.283185307179586))
  return f32x4.mul(radii, demote4(sinShifted2(angles, 1), sinShifted2(angles, 0)))
}

/** n floats in [0, 1): element e takes word e & 3 of its block. */
export function fillUniform(out: usize, n: i32, seedLo: u32, seedHi: u32, purpose: u32, particle: u32,
  environment: u32, step: u32): void {
  const c3 = purpose | (particle << 8)
  const blocks = <u32>n >> 2
  for (let block: u32 = 0; block < blocks; block++) {
    v128.store(out, uniform4(philox4(block, step, environment, c3, seedLo, seedHi)))
    out += 16
  }
  if (n & 3) storeTail(out, uniform4(philox4(blocks, step, environment, c3, seedLo, seedHi)), n & 3)
}

/** n standard normal floats: element e is lane e & 3 of normal4 of its block. The first k do not depend on n. */
export function fillNormal(out: usize, n: i32, seedLo: u32, seedHi: u32, purpose: u32, particle: u32,
  environment: u32, step: u32): void {
  const c3 = purpose | (particle << 8)
  const blocks = <u32>n >> 2
  for (let block: u32 = 0; block < blocks; block++) {
    v128.store(out, normal4(philox4(block, step, environment, c3, seedLo, seedHi)))
    out += 16
  }
  if (n & 3) storeTail(out, normal4(philox4(blocks, step, environment, c3, seedLo, seedHi)), n & 3)
}

/** The seed of one episode as a number below 2^53: a safe JS integer. */
export function episodeSeed(seedLo: u32, seedHi: u32, purpose: u32, particle: u32, environment: u32, step: u32): u64 {
  const words = philox4(0, step, environment, purpose | (particle << 8), seedLo, seedHi)
  return i64x2.extract_lane(words, 0) & 0x1fffffffffffff
}

/** episodeSeed written to memory: u32 low word, then the high word of 21 bits. */
export function deriveSeed(out: usize, seedLo: u32, seedHi: u32, purpose: u32, particle: u32, environment: u32,
  step: u32): void {
  store<u64>(out, episodeSeed(seedLo, seedHi, purpose, particle, environment, step))
}
