import { type BuiltIn, specOf } from './builtin.ts'
import { discrete } from './spaces.ts'
import { cliffWalkingScene } from './table-scenes.ts'
import { cellAfter, type Outcome, oneHot, type Transitions, transitionsOf } from './transitions.ts'

/** In the order in which assembly/envs/cliff-walking.ts reads them. */
const constants = {
  /** whether a step may go to one of the two sides, each way with probability 1/3 */
  isSlippery: 0,
  /** of a step that falls from nowhere */
  stepReward: -1,
  /** of a fall */
  cliffReward: -100,
}

const ROWS = 4
const COLUMNS = 12
const START = (ROWS - 1) * COLUMNS
const GOAL = ROWS * COLUMNS - 1

/** Up, right, down, left: rows and columns further on. */
const MOVES = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
] as const

function transitions({ isSlippery, stepReward, cliffReward }: Readonly<typeof constants>): Transitions {
  const enter = (probability: number, s: number, move: number): Outcome => {
    const next = cellAfter(s, MOVES[move % 4], { rows: ROWS, columns: COLUMNS })
    if (next > START && next < GOAL) return [probability, START, cliffReward, false]
    return [probability, next, stepReward, next === GOAL]
  }
  return transitionsOf(ROWS * COLUMNS, 4, (s, a) =>
    isSlippery ? [a + 3, a, a + 1].map((move) => enter(1 / 3, s, move)) : [enter(1, s, a)],
  )
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'CliffWalking-v1',
  kind: 12,
  stateSize: 4,
  constants,
  words: { isSlippery: [false, true] },
  maxEpisodeSteps: 1000,
  spaces: () => ({ observationSpace: oneHot(ROWS * COLUMNS), actionSpace: discrete(4) }),
  transitions,
  render: cliffWalkingScene,
}

/**
 * Walk along a cliff from the bottom left to the bottom right: up (0), right (1), down (2), left (3). Observations are
 * one number a cell, 1 where the walker is. Source: Gymnasium 1.4 CliffWalking-v1, whose episodes have no limit.
 */
export const cliffWalking = specOf(task)
