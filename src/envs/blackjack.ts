import { type BuiltIn, specOf } from './builtin.ts'
import { discrete } from './spaces.ts'
import { blackjackScene } from './table-scenes.ts'
import { oneHot } from './transitions.ts'

/** In the order in which assembly/envs/blackjack.ts reads them. */
const constants = {
  /** whether an ace and a ten at once win against all but the dealer's, as in the book: Gymnasium's `sab` */
  suttonBarto: 1,
  /** whether they pay 1.5; of no effect with suttonBarto */
  natural: 0,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'Blackjack-v1',
  kind: 14,
  stateSize: 8,
  constants,
  words: { suttonBarto: [false, true], natural: [false, true] },
  // Never reached: who hits is beyond 21 after 20 cards.
  maxEpisodeSteps: 100,
  spaces: () => ({ observationSpace: oneHot(32 + 11 + 2), actionSpace: discrete(2) }),
  render: blackjackScene,
}

/**
 * Come nearer to 21 than the dealer: stick (0) or hit (1). Observations are Gymnasium's three numbers, each as numbers
 * of which one is 1: the sum (32), the dealer's card (11), whether an ace counts as 11 (2). Source: Gymnasium 1.4
 * Blackjack-v1.
 */
export const blackjack = specOf(task)
