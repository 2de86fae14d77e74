// Counter-based randomness: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as
// 1, 2, 3"). A value is a pure function of (seed, purpose, particle, environment, step, index): there is no state to
// save or to split.
//
//   key      (seed low, seed high)
//   counter  (block, step, environment, purpose | particle << 8)      so purpose < 2^8, particle < 2^24
//   element e of a filled row comes from block e >>> 2

import { storeTail } from './math/arrays'
import { demote4, log4, sinShifted2 } from './math/f32x4'
import { log64, sinShifted } from './math/f64'

export const PURPOSE_WEIGHTS: u32 = 0
export const PURPOSE_EPISODE: u32 = 1
export const PURPOSE_RESET: u32 = 2
export const PURPOSE_ACTION: u32 = 3
export const PURPOSE_EVALUATE: u32 = 4
export const PURPOSE_PARTICLES: u32 = 5
export const PURPOSE_USER: u32 = 6
export const PURPOSE_MINIBATCH: u32 = 7
export const PURPOSE_BOOTSTRAP: u32 = 8
export const PURPOSE_CRITIC: u32 = 9
export const PURPOSE_PASSES: u32 = 10
export const PURPOSE_EVOLUTION: u32 = 11
export const PURPOSE_DISCRIMINATOR: u32 = 12
export const PURPOSE_IMITATION: u32 = 13
export const PURPOSE_DENSITY: u32 = 14
export const PURPOSE_Q: u32 = 15
export const PURPOSE_REPLAY: u32 = 16
export const PURPOSE_NOISE: u32 = 17
export const PURPOSE_EXPLORE: u32 = 18
export const PURPOSE_LATENTS: u32 = 19
export const PURPOSE_EXPLORATION: u32 = 20
export const PURPOSE_PROBES: u32 = 21

/** The bits of a seed: a safe JS integer. */
const SEEDS: i64 = 0x1fffffffffffff

/** The block of four words [c0' c1' c2' c3'] of a counter under a key. */
export function philox4(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): v128 {
  for (let round = 0; round < 10; round++) {
    const p0 = <u64>c0 * 0xd2511f53
    const p1 = <u64>c2 * 0xcd9e8d57
    c0 = <u32>(p1 >> 32) ^ (c1 ^ k0) // in this order the products wait for one operation less
    c1 = <u32>p1
    c2 = <u32>(p0 >> 32) ^ (c3 ^ k1)
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

/** The low (or high) words of the products of four words with a constant. */
// @ts-ignore: decorator
@inline
function products4(words: v128, factor: v128, high: bool): v128 {
  const p01 = i64x2.extmul_low_i32x4_u(words, factor)
  const p23 = i64x2.extmul_high_i32x4_u(words, factor)
  return high ? v128.shuffle<i32>(p01, p23, 1, 3, 5, 7) : v128.shuffle<i32>(p01, p23, 0, 2, 4, 6)
}

/**
 * out[i] = uniform64 of the first two words of block i, f64 [4], with step and environment 0: what an initial state is
 * drawn from. Four blocks run side by side in the time of one.
 */
export function uniforms4Into(out: usize, purpose: u32, seedLo: u32, seedHi: u32): void {
  uniformsOf4(out, i32x4(0, 1, 2, 3), i32x4.splat(0), i32x4.splat(purpose), i32x4.splat(seedLo), i32x4.splat(seedHi))
}

/**
 * uniform64 of the first two words of four blocks, f64 [4], whose counters are (c0, c1, 0, c3) under keys (k0, k1),
 * lane by lane.
 */
export function uniformsOf4(out: usize, c0: v128, c1: v128, c3: v128, k0: v128, k1: v128): void {
  blocks4(out, c0, c1, i32x4.splat(0), c3, k0, k1, 10, false)
}

/** The same for block 0, whose first round multiplies zeros: it is done without. */
export function firstUniformsOf4(out: usize, c1: v128, c3: v128, k0: v128, k1: v128): void {
  const zero = i32x4.splat(0)
  blocks4(out, v128.xor(c1, k0), zero, v128.xor(c3, k1), zero, nextKey0(k0), nextKey1(k1), 9, false)
}

/** episodeSeed of four rows, u64 [4]; their numbers and those of their episodes are lanes. */
export function episodeSeeds4(
  out: usize, seedLo: u32, seedHi: u32, purpose: u32, particle: u32, environment: v128, episode: v128,
): void {
  const c3 = i32x4.splat(purpose | (particle << 8))
  blocks4(out, i32x4.splat(0), episode, environment, c3, i32x4.splat(seedLo), i32x4.splat(seedHi), 10, true)
}

// @ts-ignore: decorator
@inline
function nextKey0(key: v128): v128 {
  return i32x4.add(key, i32x4.splat(0x9e3779b9))
}

// @ts-ignore: decorator
@inline
function nextKey1(key: v128): v128 {
  return i32x4.add(key, i32x4.splat(0xbb67ae85))
}

/**
 * The first two words of four blocks, side by side, after so many rounds: as seeds of episodes, u64 [4], or as
 * uniform64, f64 [4]. The last round makes these words only.
 */
// @ts-ignore: decorator
@inline
function blocks4(
  out: usize, c0: v128, c1: v128, c2: v128, c3: v128, k0: v128, k1: v128, rounds: i32, asSeeds: bool,
): void {
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57)
  let round = rounds - 1
  do {
    const low0 = products4(c0, m0, false), high0 = products4(c0, m0, true)
    const low1 = products4(c2, m1, false), high1 = products4(c2, m1, true)
    c0 = v128.xor(high1, v128.xor(c1, k0))
    c1 = low1
    c2 = v128.xor(high0, v128.xor(c3, k1))
    c3 = low0
    k0 = nextKey0(k0)
    k1 = nextKey1(k1)
  } while (--round)
  c0 = v128.xor(products4(c2, m1, true), v128.xor(c1, k0))
  c1 = products4(c2, m1, false)
  if (asSeeds) {
    const within = i64x2.splat(SEEDS)
    v128.store(out, v128.and(v128.shuffle<i32>(c0, c1, 0, 4, 1, 5), within))
    v128.store(out, v128.and(v128.shuffle<i32>(c0, c1, 2, 6, 3, 7), within), 16)
    return
  }
  const high = i32x4.shr_u(c0, 5), low = i32x4.shr_u(c1, 6)
  v128.store(out, uniformPair(high, low))
  v128.store(out, uniformPair(v128.shuffle<i32>(high, high, 2, 3, 2, 3), v128.shuffle<i32>(low, low, 2, 3, 2, 3)), 16)
}

/** uniform64 of the first two lanes, which are shifted already. */
// @ts-ignore: decorator
@inline
function uniformPair(high: v128, low: v128): v128 {
  const whole = f64x2.mul(f64x2.convert_low_i32x4_s(high), f64x2.splat(67108864.0))
  return f64x2.mul(f64x2.add(whole, f64x2.convert_low_i32x4_s(low)), f64x2.splat(1.1102230246251565e-16))
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

/**
 * Two standard normals of a block of words (Box and Muller 1958), |value| <= 8.58: r sin a for shift 0, r cos a for 1.
 */
export function normal64(words: v128, shift: i32): f64 {
  const u = uniform64(i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1))
  const v = uniform64(i32x4.extract_lane(words, 2), i32x4.extract_lane(words, 3))
  return sqrt(-2 * log64(1 - u)) * sinShifted(6.283185307179586 * v, shift)
}

/** n floats in [0, 1): element e takes word e & 3 of its block. The blocks are counted from `first`. */
export function fillUniform(out: usize, n: i32, seedLo: u32, seedHi: u32, purpose: u32, particle: u32,
  environment: u32, step: u32, first: u32): void {
  const c3 = purpose | (particle << 8)
  const end = first + (<u32>n >> 2)
  for (let block = first; block < end; block++) {
    v128.store(out, uniform4(philox4(block, step, environment, c3, seedLo, seedHi)))
    out += 16
  }
  if (n & 3) storeTail(out, uniform4(philox4(end, step, environment, c3, seedLo, seedHi)), n & 3)
}

/**
 * n standard normal floats: element e is lane e & 3 of normal4 of its block. The first k do not depend on n. The blocks
 * are counted from `first`: filling from block b gives what a longer row has from element 4 b on.
 */
export function fillNormal(out: usize, n: i32, seedLo: u32, seedHi: u32, purpose: u32, particle: u32,
  environment: u32, step: u32, first: u32): void {
  const c3 = purpose | (particle << 8)
  const end = first + (<u32>n >> 2)
  for (let block = first; block < end; block++) {
    v128.store(out, normal4(philox4(block, step, environment, c3, seedLo, seedHi)))
    out += 16
  }
  if (n & 3) storeTail(out, normal4(philox4(end, step, environment, c3, seedLo, seedHi)), n & 3)
}

/** The seed of one episode as a number below 2^53. */
export function episodeSeed(seedLo: u32, seedHi: u32, purpose: u32, particle: u32, environment: u32, step: u32): u64 {
  const words = philox4(0, step, environment, purpose | (particle << 8), seedLo, seedHi)
  return i64x2.extract_lane(words, 0) & SEEDS
}

/** episodeSeed written to memory: u32 low word, then the high word of 21 bits. */
export function deriveSeed(out: usize, seedLo: u32, seedHi: u32, purpose: u32, particle: u32, environment: u32,
  step: u32): void {
  store<u64>(out, episodeSeed(seedLo, seedHi, purpose, particle, environment, step))
}
