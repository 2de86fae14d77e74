import { storeEach2 } from '../math/f64x2'
import { firstUniformsOf4, philox4, PURPOSE_RESET, uniform64 } from '../random'

// Tasks whose states are numbered: what a row draws, and how it shows its number.
//
//     state, a row: f64 [number of the state, low word of the seed, high word, draws so far, what else the task keeps]

/** Numbers of a row that all of them have. */
export const TABULAR_STATE = 4

/** The number at an address as a whole number below n; 0 where it is none. */
// @ts-ignore: decorator
@inline
export function wholeBelow(x: f64, n: i32): i32 {
  return x >= 0 && x < <f64>n ? <i32>x : 0
}

/** The same of two pairs of numbers, i32x4. */
// @ts-ignore: decorator
@inline
export function wholeBelow4(p: v128, q: v128, n: i32): v128 {
  const whole = v128.shuffle<i32>(i32x4.trunc_sat_f64x2_s_zero(p), i32x4.trunc_sat_f64x2_s_zero(q), 0, 1, 4, 5)
  return v128.and(whole, i32x4.lt_u(whole, i32x4.splat(n)))
}

/** The two numbers (f64) at a and at b. */
// @ts-ignore: decorator
@inline
export function pair2(a: usize, b: usize): v128 {
  return v128.load64_lane(b, v128.load64_splat(a), 1)
}

/** The masks of two pairs of f64 as one of four i32. */
// @ts-ignore: decorator
@inline
export function narrow4(p: v128, q: v128): v128 {
  return v128.shuffle<i32>(p, q, 0, 2, 4, 6)
}

/** The number of an action below n. */
// @ts-ignore: decorator
@inline
export function actionBelow(action: usize, n: i32): i32 {
  return wholeBelow(<f64>load<f32>(action), n)
}

// @ts-ignore: decorator
@inline
function wordOf(x: f64): u32 {
  return x >= 0 && x < 4294967296 ? <u32>x : 0
}

/** The row draws by this seed from now on; so many numbers it has drawn already. */
export function startDraws(state: usize, seedLo: u32, seedHi: u32, drawn: i32): void {
  store<f64>(state, <f64>seedLo, 8)
  store<f64>(state, <f64>seedHi, 16)
  store<f64>(state, <f64>drawn, 24)
}

/** The next number of a row, uniform in [0, 1): a function of its seed and of how many it has drawn. */
export function nextUniform(state: usize): f64 {
  const draws = load<f64>(state, 24)
  store<f64>(state, draws + 1, 24)
  const words = philox4(
    0, wordOf(draws), 0, PURPOSE_RESET, wordOf(load<f64>(state, 8)), wordOf(load<f64>(state, 16)),
  )
  return uniform64(i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1))
}

/** The first number that each of four rows draws: seeds u64 [4] become f64 [4]. */
export function firstUniforms4(seeds: usize): void {
  const first = v128.load(seeds), second = v128.load(seeds, 16)
  const low = v128.shuffle<i32>(first, second, 0, 2, 4, 6), high = v128.shuffle<i32>(first, second, 1, 3, 5, 7)
  firstUniformsOf4(seeds, i32x4.splat(0), i32x4.splat(PURPOSE_RESET), low, high)
}

/** The next number of each row, out: f64 [rows]; four rows in the time of one. */
export function nextUniforms(out: usize, state: usize, stateSize: i32, rows: i32): void {
  const bytes = <usize>stateSize << 3
  let r = 0
  for (; r + 4 <= rows; r += 4, state += 4 * bytes) {
    const a = state, b = a + bytes, c = b + bytes, d = c + bytes
    const first = pair2(a + 24, b + 24), second = pair2(c + 24, d + 24)
    const keysOf2 = v128.shuffle<i32>(wordsOf2(v128.load(a, 8)), wordsOf2(v128.load(b, 8)), 0, 1, 4, 5)
    const keysOfNext2 = v128.shuffle<i32>(wordsOf2(v128.load(c, 8)), wordsOf2(v128.load(d, 8)), 0, 1, 4, 5)
    firstUniformsOf4(
      out + (<usize>r << 3), v128.shuffle<i32>(wordsOf2(first), wordsOf2(second), 0, 1, 4, 5),
      i32x4.splat(PURPOSE_RESET), v128.shuffle<i32>(keysOf2, keysOfNext2, 0, 2, 4, 6),
      v128.shuffle<i32>(keysOf2, keysOfNext2, 1, 3, 5, 7),
    )
    storeEach2(a + 24, b + 24, f64x2.add(first, f64x2.splat(1)))
    storeEach2(c + 24, d + 24, f64x2.add(second, f64x2.splat(1)))
  }
  for (; r < rows; r++, state += bytes) store<f64>(out + (<usize>r << 3), nextUniform(state))
}

/** wordOf two numbers, in lanes 0 and 1. */
// @ts-ignore: decorator
@inline
function wordsOf2(x: v128): v128 {
  return i32x4.trunc_sat_f64x2_u_zero(v128.and(x, f64x2.lt(x, f64x2.splat(4294967296))))
}

/** Shows the number of each row's state, of n: f32 [rows, n], 1 at the number and 0 elsewhere. */
export function observeNumber(observation: usize, state: usize, stateSize: i32, n: i32, rows: i32): void {
  memory.fill(observation, 0, <usize>(rows * n) << 2)
  for (let r = 0; r < rows; r++) {
    store<f32>(observation + (<usize>wholeBelow(load<f64>(state), n) << 2), 1)
    state += <usize>stateSize << 3
    observation += <usize>n << 2
  }
}
