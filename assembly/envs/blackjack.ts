import { promoted2, storeEach2, storeFlags2 } from '../math/f64x2'
import { nextUniforms, pair2, TABULAR_STATE, wholeBelow } from './tabular'

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
const BYTES = BLACKJACK_STATE << 3

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

/** The cards of two digits below 13. */
// @ts-ignore: decorator
@inline
function cards2(digits: v128): v128 {
  return f64x2.pmin(f64x2.add(f64x2.floor(digits), f64x2.splat(1)), f64x2.splat(10))
}

/** The next digits of two numbers, before the point. */
// @ts-ignore: decorator
@inline
function nextDigits2(digits: v128): v128 {
  return f64x2.mul(f64x2.splat(13), f64x2.sub(digits, f64x2.floor(digits)))
}

/** Two cards for the dealer and two for the player; u is the first number that the row has drawn. */
export function placeBlackjack(state: usize, u: f64): void {
  const shown = f64x2.splat(13 * u)
  const hidden = nextDigits2(shown)
  const first = nextDigits2(hidden)
  v128.store(state, cards2(v128.shuffle<f64>(shown, hidden, 0, 2)), SHOWN)
  const hand = cards2(v128.shuffle<f64>(first, nextDigits2(first), 0, 2))
  store<f64>(state, f64x2.extract_lane(hand, 0) + f64x2.extract_lane(hand, 1))
  store<f64>(state, <f64>v128.any_true(f64x2.eq(hand, f64x2.splat(1))), ACE)
  store<f64>(state, 2, CARDS)
}

/** Two sums with an ace (a mask) as 11 where that is not beyond 21. */
// @ts-ignore: decorator
@inline
function best2(sum: v128, ace: v128): v128 {
  const more = f64x2.add(sum, f64x2.splat(10))
  return v128.bitselect(more, sum, v128.and(ace, f64x2.le(more, f64x2.splat(21))))
}

/**
 * Two rows at a time and without a branch, as the processor cannot guess what cards come: 1.8 times as fast. The last
 * of an odd number stands in both lanes.
 */
export function stepBlackjack(
  state: usize, action: usize, reward: usize, terminated: usize, rows: i32, c: Blackjack,
): void {
  // What is drawn waits where the rewards will stand.
  nextUniforms(reward, state, BLACKJACK_STATE, rows)
  const one = f64x2.splat(1)
  for (let r = 0; r < rows; r += 2) {
    const other = min(r + 1, rows - 1)
    const a = state + r * BYTES, b = state + other * BYTES
    const pay = reward + (r << 3), payOther = reward + (other << 3)
    const digits = f64x2.mul(f64x2.splat(13), pair2(pay, payOther))
    const choice = promoted2(action + (r << 2), action + (other << 2))
    const isHit = v128.and(f64x2.ge(choice, one), f64x2.lt(choice, f64x2.splat(2)))
    const sum = pair2(a, b), ace = pair2(a + ACE, b + ACE), cards = pair2(a + CARDS, b + CARDS)
    const result = stick2(
      digits, sum, f64x2.ne(ace, f64x2.splat(0)), cards, pair2(a + SHOWN, b + SHOWN), pair2(a + HIDDEN, b + HIDDEN), c,
    )
    const card = cards2(digits)
    const more = f64x2.add(sum, card)
    const isBeyond = f64x2.gt(more, f64x2.splat(21))
    storeEach2(a, b, v128.bitselect(more, sum, isHit))
    storeEach2(a + ACE, b + ACE, v128.bitselect(one, ace, v128.and(isHit, f64x2.eq(card, one))))
    storeEach2(a + CARDS, b + CARDS, v128.bitselect(f64x2.add(cards, one), cards, isHit))
    storeEach2(pay, payOther, v128.bitselect(v128.and(isBeyond, f64x2.splat(-1)), result, isHit))
    storeFlags2(terminated + r, terminated + other, v128.or(isBeyond, v128.not(isHit)))
  }
}

/** The dealer's turn in two rows. The rewards. */
// @ts-ignore: decorator
@inline
function stick2(
  digits: v128, hard: v128, hasAce: v128, cards: v128, shown: v128, hidden: v128, c: Blackjack,
): v128 {
  const one = f64x2.splat(1), eleven = f64x2.splat(11)
  let sum = f64x2.add(shown, hidden)
  let ace = v128.or(f64x2.eq(shown, one), f64x2.eq(hidden, one))
  const isDealersNatural = v128.and(ace, f64x2.eq(sum, eleven))
  // Every card is at least 1; a state that was written by hand may hold a sum that is no number.
  for (let drawn = 0; drawn < 17; drawn++) {
    const isOpen = f64x2.lt(best2(sum, ace), f64x2.splat(17))
    // Three cards are seldom too few: a branch that can be guessed.
    if (drawn >= 3 && !v128.any_true(isOpen)) break
    const card = v128.and(isOpen, cards2(digits))
    digits = nextDigits2(digits)
    sum = f64x2.add(sum, card)
    ace = v128.or(ace, f64x2.eq(card, one))
  }
  const limit = f64x2.splat(21)
  const hers = v128.andnot(best2(sum, ace), f64x2.gt(sum, limit))
  const his = v128.andnot(best2(hard, hasAce), f64x2.gt(hard, limit))
  const wins = v128.and(f64x2.gt(his, hers), one)
  const result = f64x2.sub(wins, v128.and(f64x2.lt(his, hers), one))
  const isNatural = v128.and(v128.and(f64x2.eq(cards, f64x2.splat(2)), hasAce), f64x2.eq(hard, eleven))
  if (c.suttonBarto != 0) return v128.bitselect(one, result, v128.andnot(isNatural, isDealersNatural))
  if (c.natural == 0) return result
  return v128.bitselect(f64x2.splat(1.5), result, v128.and(isNatural, f64x2.eq(result, one)))
}

export function observeBlackjack(observation: usize, state: usize, rows: i32): void {
  memory.fill(observation, 0, <usize>(rows * SHOWS) << 2)
  for (let r = 0; r < rows; r++, state += BLACKJACK_STATE << 3, observation += SHOWS << 2) {
    const hard = load<f64>(state)
    const isSoft = <i32>(load<f64>(state, ACE) != 0) & <i32>(hard + 10 <= 21)
    const sum = hard + <f64>(10 * isSoft)
    store<f32>(observation + (<usize>wholeBelow(sum, SUMS) << 2), 1)
    store<f32>(observation + (<usize>(SUMS + wholeBelow(load<f64>(state, SHOWN), DEALERS)) << 2), 1)
    store<f32>(observation + (<usize>(SUMS + DEALERS + <i32>(sum != hard)) << 2), 1)
  }
}
