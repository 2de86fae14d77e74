import { show, UsageError } from '../core/errors.ts'
import { type BuiltIn, specOf } from './builtin.ts'
import { discrete } from './spaces.ts'
import { taxiScene } from './table-scenes.ts'
import { type Outcome, oneHot, type Transitions, transitionsOf } from './transitions.ts'

/** In the order in which assembly/envs/taxi.ts reads them. */
const constants = {
  /** whether the taxi may drift to one of the two sides of its way */
  isRainy: 0,
  /** whether some passengers change their destination at the first move with them in the taxi */
  ficklePassenger: 0,
  /** probability that a move in the rain goes as it was meant */
  rainyProbability: 0.8,
  /** probability that a passenger is a fickle one */
  fickleProbability: 0.3,
  /** of a step that neither delivers nor is illegal */
  stepReward: -1,
  deliveryReward: 20,
  /** of picking up where nobody waits, and of dropping off where nobody can be */
  illegalReward: -10,
}

const SIDE = 5
const IN_TAXI = 4
const STATES = SIDE * SIDE * 5 * 4

/** Cells of red, green, yellow and blue. */
const PLACES: readonly number[] = [0, 4, 20, 23]

/** Whether a wall stands between column c and the next one. */
const hasWall = (row: number, column: number) => (row < 2 ? column === 1 : row > 2 && (column === 0 || column === 2))

/** The cell that a move leads to: south, north, east or west, or the same one. */
function moved(cell: number, move: number): number {
  const column = cell % SIDE
  const row = (cell - column) / SIDE
  if (move === 0) return row < SIDE - 1 ? cell + SIDE : cell
  if (move === 1) return row > 0 ? cell - SIDE : cell
  if (move === 2) return column < SIDE - 1 && !hasWall(row, column) ? cell + 1 : cell
  return column > 0 && !hasWall(row, column - 1) ? cell - 1 : cell
}

/** Left and right of each move. */
const SIDES = [
  [2, 3],
  [3, 2],
  [1, 0],
  [0, 1],
] as const

/** Without what a fickle passenger may do, as in Gymnasium. */
function transitions(c: Readonly<typeof constants>): Transitions {
  return transitionsOf(STATES, 6, (s, a) => {
    const cell = Math.floor(s / 20)
    const passenger = Math.floor(s / 4) % 5
    const number = (at: number, who = passenger) => (at * 5 + who) * 4 + (s % 4)
    if (a === 4) {
      const isThere = passenger < IN_TAXI && PLACES[passenger] === cell
      return [isThere ? [1, number(cell, IN_TAXI), c.stepReward, false] : [1, s, c.illegalReward, false]]
    }
    if (a === 5) {
      const place = PLACES.indexOf(cell)
      if (passenger !== IN_TAXI || place < 0) return [[1, s, c.illegalReward, false]]
      const isDelivered = place === s % 4
      return [[1, number(cell, place), isDelivered ? c.deliveryReward : c.stepReward, isDelivered]]
    }
    const to = moved(cell, a)
    const go = (probability: number, at: number): Outcome => [probability, number(at), c.stepReward, false]
    if (!c.isRainy) return [go(1, to)]
    const aside = (1 - c.rainyProbability) / 2
    const [left, right] = SIDES[a].map((side) => (to === cell ? cell : moved(cell, side)))
    return [go(c.rainyProbability, to), go(aside, left), go(aside, right)]
  })
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'Taxi-v4',
  kind: 13,
  stateSize: 5,
  constants,
  words: { isRainy: [false, true], ficklePassenger: [false, true] },
  maxEpisodeSteps: 200,
  rewardThreshold: 8,
  check(c) {
    for (const name of ['rainyProbability', 'fickleProbability'] as const)
      if (!(c[name] >= 0 && c[name] <= 1))
        throw new UsageError(`Taxi-v4: ${name} must be from 0 to 1, got ${show(c[name])}.`)
  },
  spaces: () => ({ observationSpace: oneHot(STATES), actionSpace: discrete(6) }),
  transitions,
  render: taxiScene,
}

/**
 * Fetch a passenger and bring them where they want to go: south (0), north (1), east (2), west (3), pick up (4), drop
 * off (5). Observations are one number a state, 1 at ((row 5 + column) 5 + passenger) 4 + destination. Source:
 * Gymnasium 1.4 Taxi-v4.
 */
export const taxi = specOf(task)
