// Gymnasium's tabular tasks given what is drawn: how an outcome is chosen from P, and the hands of blackjack.
import type { Outcome } from '../../src/envs/transitions.ts'

/** The first outcome at which the sum of probabilities is above u. */
export function outcomeAt(outcomes: readonly Outcome[], u: number): Outcome {
  let sum = 0
  for (const outcome of outcomes) {
    sum += outcome[0]
    if (sum > u) return outcome
  }
  throw new Error(`The probabilities sum to ${sum}, not above ${u}.`)
}

/** The number of a state of Taxi-v4 with another destination: the k-th of the other three. */
export function redirected(number: number, k: number): number {
  const others = [0, 1, 2, 3].filter((place) => place !== number % 4)
  return number - (number % 4) + others[k]
}

/** Whether a passenger in the taxi has been driven from one cell to another. */
export const isDriven = (from: number, to: number) =>
  Math.floor(from / 4) % 5 === 4 && Math.floor(to / 20) !== Math.floor(from / 20)

const DECK = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10]

export interface Table {
  readonly dealer: number[]
  readonly player: number[]
}

interface Rules {
  readonly suttonBarto: boolean
  readonly natural: boolean
}

const sum = (hand: readonly number[]) => hand.reduce((a, b) => a + b, 0)
const hasUsableAce = (hand: readonly number[]) => hand.includes(1) && sum(hand) + 10 <= 21
const total = (hand: readonly number[]) => (hasUsableAce(hand) ? sum(hand) + 10 : sum(hand))
const score = (hand: readonly number[]) => (total(hand) > 21 ? 0 : total(hand))
const isNatural = (hand: readonly number[]) => [...hand].sort((a, b) => a - b).join() === '1,10'

/** Cards for the dealer and for the player; `draw` gives places in a deck of 13. */
export function deal(draw: () => number): Table {
  const card = () => DECK[draw()]
  return { dealer: [card(), card()], player: [card(), card()] }
}

/** What the player sees: the sum, the dealer's card, whether an ace counts as 11. */
export const shown = ({ dealer, player }: Table) => [total(player), dealer[0], hasUsableAce(player) ? 1 : 0]

/** One action in place. */
export function play({ dealer, player }: Table, isHit: boolean, { suttonBarto, natural }: Rules, draw: () => number) {
  if (isHit) {
    player.push(DECK[draw()])
    const isOver = total(player) > 21
    return { reward: isOver ? -1 : 0, terminated: isOver }
  }
  while (total(dealer) < 17) dealer.push(DECK[draw()])
  let reward = Math.sign(score(player) - score(dealer))
  if (suttonBarto && isNatural(player) && !isNatural(dealer)) reward = 1
  else if (!suttonBarto && natural && isNatural(player) && reward === 1) reward = 1.5
  return { reward, terminated: true }
}
