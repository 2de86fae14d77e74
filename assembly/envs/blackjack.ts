import { actionBelow, nextUniform, nextUniforms, startDraws, TABULAR_STATE, wholeBelow } from './tabular'

/**
 * Blackjack-v1 (Sutton & Barto 2018, example 5.1, as in Gymnasium): come nearer to 21 than the dealer, and not beyond.
 *
 *     state, a row: f64 [sum, an ace counting as 1; what it draws by (3); whether an ace is among them; cards;
 *                        the dealer's card that shows; the one that does not]
 *     action: f32, 0 = stick, 1 = hit    reward: 1 for a win, 0 for a draw, −1 for a loss, at the end
 *     observation: f32 [32 + 11 + 2], 1 at the sum, an ace counting as 11 where that is not beyond 21, at the
 *                  dealer's card and at whether an ace counts as 11
 *
 * Cards are drawn from a deck without end: 1 to 9 with probability 1/13 each, 10 with 4/13. The dealer draws up to 17.
 * The cards of a step are the digits of one number in base 13.
 */
export const BLACKJACK_STATE = TABULAR_STATE + 4

/** The constants as they lie in memory; src/envs/blackjack.ts has their defaults. */
@unmanaged
export class Blackjack {
  suttonBarto: f64
  natural: f64
}

const ACE: usize = 32
const CARDS: usize = 40
const SHOWN: usize = 48
const HIDDEN: usize = 56

const SUMS = 32
const DEALERS = 11
const SHOWS = SUMS + DEALERS + 2

// @ts-ignore: decorator
@inline
function cardOf(digit: f64): f64 {
  return min<f64>(digit + 1, 10)
}

/** Two cards for the dealer and two for the player. */
export function resetBlackjack(state: usize, seedLo: u32, seedHi: u32): void {
  startDraws(state, seedLo, seedHi)
  let digits = 13 * nextUniform(state)
  store<f64>(state, cardOf(floor(digits)), SHOWN)
  digits = 13 * (digits - floor(digits))
  store<f64>(state, cardOf(floor(digits)), HIDDEN)
  digits = 13 * (digits - floor(digits))
  const first = cardOf(floor(digits))
  digits = 13 * (digits - floor(digits))
  const second = cardOf(floor(digits))
  store<f64>(state, first + second)
  store<f64>(state, first == 1 || second == 1 ? 1 : 0, ACE)
  store<f64>(state, 2, CARDS)
}

/** The sum with an ace as 11 where that is not beyond 21. */
// @ts-ignore: decorator
@inline
function best(sum: f64, ace: bool): f64 {
  return ace && sum + 10 <= 21 ? sum + 10 : sum
}

export function stepBlackjack(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: Blackjack,
): void {
  // What is drawn waits where the rewards will stand.
  nextUniforms(reward, state, BLACKJACK_STATE, rows)
  for (let r = 0; r < rows; r++, state += BLACKJACK_STATE << 3) {
    const digits = 13 * load<f64>(reward + (<usize>r << 3))
    const isHit = actionBelow(action + (<usize>r << 2), 2) == 1
    const isOver = isHit ? hit(state, digits) : true
    store<f64>(reward + (<usize>r << 3), isHit ? (isOver ? -1 : 0) : stick(state, c, digits))
    store<u8>(terminated + r, isOver ? 1 : 0)
  }
}

/** Another card. Whether the hand is beyond 21. */
function hit(state: usize, digits: f64): bool {
  const card = cardOf(floor(digits))
  const sum = load<f64>(state) + card
  store<f64>(state, sum)
  if (card == 1) store<f64>(state, 1, ACE)
  store<f64>(state, load<f64>(state, CARDS) + 1, CARDS)
  return sum > 21
}

/** The dealer's turn. The reward. */
function stick(state: usize, c: Blackjack, digits: f64): f64 {
  const shown = load<f64>(state, SHOWN), hidden = load<f64>(state, HIDDEN)
  let sum = shown + hidden
  let ace = shown == 1 || hidden == 1
  const isDealersNatural = ace && sum == 11
  // Every card is at least 1; a state that was written by hand may hold a sum that is no number.
  for (let drawn = 0; drawn < 17 && best(sum, ace) < 17; drawn++) {
    const card = cardOf(floor(digits))
    digits = 13 * (digits - floor(digits))
    sum += card
    ace = ace || card == 1
  }
  const hers = sum > 21 ? 0 : best(sum, ace)
  const hard = load<f64>(state)
  const hasAce = load<f64>(state, ACE) != 0
  const his = hard > 21 ? 0 : best(hard, hasAce)
  const result: f64 = his > hers ? 1 : his < hers ? -1 : 0
  const isNatural = load<f64>(state, CARDS) == 2 && hasAce && hard == 11
  if (!isNatural) return result
  if (c.suttonBarto != 0) return isDealersNatural ? result : 1
  return c.natural != 0 && result == 1 ? 1.5 : result
}

export function observeBlackjack(observation: usize, state: usize, rows: i32): void {
  memory.fill(observation, 0, <usize>(rows * SHOWS) << 2)
  for (let r = 0; r < rows; r++, state += BLACKJACK_STATE << 3, observation += SHOWS << 2) {
    const hard = load<f64>(state)
    const ace = load<f64>(state, ACE) != 0
    const sum = best(hard, ace)
    store<f32>(observation + (<usize>wholeBelow(sum, SUMS) << 2), 1)
    store<f32>(observation + (<usize>(SUMS + wholeBelow(load<f64>(state, SHOWN), DEALERS)) << 2), 1)
    store<f32>(observation + (<usize>(SUMS + DEALERS + (sum != hard ? 1 : 0)) << 2), 1)
  }
}
