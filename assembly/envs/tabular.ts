import { philox4, PURPOSE_RESET, uniform64, uniformsOf4 } from '../random'

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

/** The row draws by this seed from now on. */
export function startDraws(state: usize, seedLo: u32, seedHi: u32): void {
  store<f64>(state, <f64>seedLo, 8)
  store<f64>(state, <f64>seedHi, 16)
  store<f64>(state, 0, 24)
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

/** The next number of each row, out: f64 [rows]; four rows in the time of one. */
export function nextUniforms(out: usize, state: usize, stateSize: i32, rows: i32): void {
  const bytes = <usize>stateSize << 3
  let r = 0
  for (; r + 4 <= rows; r += 4) {
    uniformsOf4(
      out + (<usize>r << 3), i32x4.splat(0), wordsAt(state + 24, bytes), i32x4.splat(PURPOSE_RESET),
      wordsAt(state + 8, bytes), wordsAt(state + 16, bytes),
    )
    for (let k = 0; k < 4; k++, state += bytes) store<f64>(state, load<f64>(state, 24) + 1, 24)
  }
  for (; r < rows; r++, state += bytes) store<f64>(out + (<usize>r << 3), nextUniform(state))
}

/** A word of each of four rows. */
// @ts-ignore: decorator
@inline
function wordsAt(at: usize, bytes: usize): v128 {
  const first = i32x4.splat(wordOf(load<f64>(at)))
  const second = i32x4.replace_lane(first, 1, wordOf(load<f64>(at + bytes)))
  const third = i32x4.replace_lane(second, 2, wordOf(load<f64>(at + 2 * bytes)))
  return i32x4.replace_lane(third, 3, wordOf(load<f64>(at + 3 * bytes)))
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
