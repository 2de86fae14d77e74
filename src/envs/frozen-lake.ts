import { show, UsageError } from '../core/errors.ts'
import { type BuiltIn, specOf } from './builtin.ts'
import { discrete } from './spaces.ts'
import { frozenLakeScene } from './table-scenes.ts'
import { cellAfter, type Outcome, oneHot, type Transitions, transitionsOf } from './transitions.ts'

/** In the order in which assembly/envs/frozen-lake.ts reads them; what the map is in numbers follows. */
const constants = {
  /** whether a step may go to one of the two sides */
  isSlippery: 1,
  /** probability that it goes as it was meant; each of the sides has half of the rest */
  successRate: 1 / 3,
  /** of the cell that is entered */
  goalReward: 1,
  holeReward: 0,
  iceReward: 0,
}

/** A map by its name, as Gymnasium has them. */
const MAPS: Readonly<Record<string, string>> = {
  '4x4': 'SFFF/FHFH/FFFH/HFFG',
  '8x8': 'SFFFFFFF/FFFFFFFF/FFFHFFFF/FFFFFHFF/FFFHFFFF/FHHFFFHF/FHFFHFHF/FFFHFFFG',
}

/** Cells by their letters: ice, start, hole, goal; their places are their numbers in the core. */
const CELLS = 'FSHG'
const HOLE = CELLS.indexOf('H')
const GOAL = CELLS.indexOf('G')
const MOST = 32

type Lake = Readonly<Record<string, number>>

/** A map as numbers: `rows`, `columns`, and `cell0` … row by row. */
function numbersOfMap(text: string): Record<string, number> {
  const rows = (Object.hasOwn(MAPS, text) ? MAPS[text] : text).split('/')
  const refuse = (what: string) => {
    throw new UsageError(`FrozenLake-v1: ${what}, as 4x4, 8x8 or "SFFF/FHFH/FFFH/HFFG", got ${show(text)}.`)
  }
  const cells = rows.join('')
  if (rows.some((row) => row.length !== rows[0].length)) refuse('the rows of a map have one length')
  if (cells.length < 2 || rows.length > MOST || rows[0].length > MOST)
    refuse(`a map has at least two cells and at most ${MOST} rows and columns`)
  if (/[^FSHG]/.test(cells)) refuse('a map is made of S (start), F (ice), H (hole) and G (goal)')
  if (!cells.includes('S')) refuse('a map has a start, S')
  const numbers = Array.from(cells, (letter, k) => [`cell${k}`, CELLS.indexOf(letter)] as const)
  return { rows: rows.length, columns: rows[0].length, ...Object.fromEntries(numbers) }
}

/** Left, down, right, up: rows and columns further on. */
const MOVES = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
] as const

function transitions(lake: Lake): Transitions {
  const { rows, columns, isSlippery, successRate, goalReward, holeReward, iceReward } = lake
  const cell = (s: number) => lake[`cell${s}`]
  const enter = (probability: number, s: number, move: number): Outcome => {
    const next = cellAfter(s, MOVES[move % 4], { rows, columns })
    const reward = cell(next) === GOAL ? goalReward : cell(next) === HOLE ? holeReward : iceReward
    return [probability, next, reward, cell(next) >= HOLE]
  }
  const aside = (1 - successRate) / 2
  return transitionsOf(rows * columns, 4, (s, a) => {
    if (cell(s) >= HOLE) return [[1, s, 0, true]]
    if (!isSlippery) return [enter(1, s, a)]
    return [enter(aside, s, a + 3), enter(successRate, s, a), enter(aside, s, a + 1)]
  })
}

const task: BuiltIn = {
  id: 'FrozenLake-v1',
  kind: 11,
  stateSize: 4,
  constants,
  words: { isSlippery: [false, true] },
  texts: { map: { value: '4x4', numbers: numbersOfMap } },
  maxEpisodeSteps: 100,
  rewardThreshold: 0.7,
  check({ successRate }) {
    if (!(successRate >= 0 && successRate <= 1))
      throw new UsageError(`FrozenLake-v1: successRate must be from 0 to 1, got ${show(successRate)}.`)
  },
  spaces: ({ rows, columns }) => ({ observationSpace: oneHot(rows * columns), actionSpace: discrete(4) }),
  transitions,
  render: frozenLakeScene,
}

/**
 * Walk over ice that slips to the goal, past its holes: left (0), down (1), right (2), up (3). Observations are one
 * number a cell, 1 where the walker is; the number of that cell is the first of the state. `map` is '4x4', '8x8' or
 * rows of S, F, H and G between slashes. Source: Gymnasium 1.4 FrozenLake-v1.
 */
export const frozenLake = specOf(task)
