import { circle, line, type Point, rectangle, type Scene, type Shape, text } from './render.ts'
import { Colour, type Constants, type State } from './scenes.ts'

// Pictures of tasks on a board of cells, which are numbered row by row from the top left.

interface Board {
  readonly rows: number
  readonly columns: number
  /** Of a cell. */
  readonly fill: (cell: number) => string
  /** Who stands where, and what else there is, from the back to the front. */
  readonly shapes: readonly Shape[]
}

/** Lower left corner of a cell of unit size. */
const corner = (cell: number, rows: number, columns: number): Point => [
  cell % columns,
  rows - 1 - Math.floor(cell / columns),
]

const centre = (cell: number, rows: number, columns: number): Point => {
  const [x, y] = corner(cell, rows, columns)
  return [x + 0.5, y + 0.5]
}

function boardScene({ rows, columns, fill, shapes }: Board): Scene {
  const cells = Array.from({ length: rows * columns }, (_, cell) => {
    const [x, y] = corner(cell, rows, columns)
    return rectangle(fill(cell), [x + 0.02, y + 0.02], [x + 0.98, y + 0.98])
  })
  return { view: [-0.1, -0.1, columns + 0.2, rows + 0.2], shapes: [...cells, ...shapes] }
}

const FLOOR = [Colour.soft, Colour.ground, Colour.ink, Colour.goalZone] as const

/** FrozenLake-v1: ice, starts, holes and goals, and the walker. */
export function frozenLakeScene(state: State, lake: Readonly<Record<string, number>>): Scene {
  const { rows, columns } = lake
  const walker = circle(Colour.agent, centre(state[0], rows, columns), 0.28)
  return boardScene({ rows, columns, fill: (cell) => FLOOR[lake[`cell${cell}`]], shapes: [walker] })
}

/** CliffWalking-v1: the cliff between start and goal, and the walker. */
export function cliffWalkingScene(state: State): Scene {
  const [rows, columns] = [4, 12]
  const fill = (cell: number) =>
    cell === 47 ? Colour.goalZone : cell === 36 ? Colour.ground : cell > 36 ? Colour.limit : Colour.soft
  return boardScene({ rows, columns, fill, shapes: [circle(Colour.agent, centre(state[0], rows, columns), 0.28)] })
}

const PLACES = [
  ['R', 0],
  ['G', 4],
  ['Y', 20],
  ['B', 23],
] as const

/** Walls of Taxi-v4: x, and from which height to which. */
const WALLS = [
  [2, 3, 5],
  [1, 0, 2],
  [3, 0, 2],
] as const

/** Taxi-v4: places by their letters, the destination in green, the taxi, and the passenger in it or waiting. */
export function taxiScene(state: State): Scene {
  const cell = Math.floor(state[0] / 20)
  const passenger = Math.floor(state[0] / 4) % 5
  const [x, y] = centre(cell, 5, 5)
  const waits = passenger < 4 ? centre(PLACES[passenger][1], 5, 5) : [x, y]
  const [, destination] = PLACES[state[0] % 4]
  return boardScene({
    rows: 5,
    columns: 5,
    fill: (at) => (at === destination ? Colour.goalZone : Colour.soft),
    shapes: [
      ...WALLS.map(([at, from, to]) => line(Colour.body, 0.08, [at, from], [at, to])),
      ...PLACES.map(([letter, at]) => {
        const [left, bottom] = corner(at, 5, 5)
        return text(Colour.body, [left + 0.15, bottom + 0.72], 0.22, letter)
      }),
      rectangle(Colour.limb, [x - 0.3, y - 0.2], [x + 0.3, y + 0.2]),
      circle(Colour.agent, [waits[0], waits[1]], 0.12),
    ],
  })
}

/** Blackjack-v1: the dealer's card that shows, and the player's sum. */
export function blackjackScene(state: State, _: Constants<never>): Scene {
  const soft = state[4] !== 0 && state[0] + 10 <= 21
  const card = (at: number, words: string) => [
    rectangle(Colour.soft, [at, 0.8], [at + 1, 2.2]),
    text(Colour.ink, [at + 0.5, 1.3], 0.5, words),
  ]
  return {
    view: [0, 0, 4, 3],
    shapes: [
      rectangle(Colour.goalZone, [0, 0], [4, 3]),
      text(Colour.body, [1, 2.5], 0.25, 'dealer'),
      ...card(0.5, state[6] === 1 ? 'A' : String(state[6])),
      text(Colour.body, [3, 2.5], 0.25, 'player'),
      ...card(2.5, String(soft ? state[0] + 10 : state[0])),
      text(Colour.body, [3, 0.4], 0.2, soft ? 'with an ace of 11' : `${state[5]} cards`),
    ],
  }
}
