import { show, UsageError } from '../core/errors.ts'
import { areFinite, requireNumbers, requireThat } from '../core/require.ts'
import { check, wholeNumber } from '../core/schemas.ts'
import { type BuiltIn, specOf } from './builtin.ts'
import { mazeScene, type Wall } from './scenes.ts'
import { box } from './spaces.ts'

export type { Wall }

type Constants = Readonly<Record<string, number>>

/** Walls for which there is room. */
const MOST_WALLS = 16
/** Cells along each side, by default. */
const GRID = 20
const gridSchema = wholeNumber('grid', 1, 1000)
const SIDES = ['Left', 'Bottom', 'Right', 'Top'] as const

/**
 * Two blocks leave three corridors between start and goal: the bottom one is the shortest, but a zigzag between three
 * baffles, the middle one is straight, the top one a long way round.
 */
const walls: readonly Wall[] = [
  [0.3, 0.25, 0.7, 0.4],
  [0.3, 0.6, 0.7, 0.75],
  [0.4, 0.0, 0.4, 0.14],
  [0.5, 0.11, 0.5, 0.25],
  [0.6, 0.0, 0.6, 0.14],
]

/**
 * The constants that give the maze these walls: make('PointMaze-v0', { constants: wallConstants([[0.5, 0, 0.5, 0.8]])
 * }).
 *
 * @throws UsageError for more than 16 walls
 */
export function wallConstants(walls: readonly Wall[]): Record<string, number> {
  requireThat(Array.isArray(walls), 'wallConstants', 'a list of walls', walls)
  if (walls.length > MOST_WALLS) throw new UsageError(`A maze has at most ${MOST_WALLS} walls, got ${walls.length}.`)
  for (const wall of walls) {
    requireThat(areFinite(wall) && wall.length === 4, 'wallConstants', 'walls [left, bottom, right, top]', wall)
  }
  const constants: Record<string, number> = { wallCount: walls.length }
  walls.forEach((wall, w) => {
    SIDES.forEach((side, k) => {
      constants[`wall${w}${side}`] = wall[k]
    })
  })
  return constants
}

const inflated = ([left, bottom, right, top]: Wall, by: number): Wall => [left - by, bottom - by, right + by, top + by]
const overlap = (a: Wall, b: Wall) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]

/** In the order in which assembly/envs/point-maze.ts reads them; lengths in sides of the arena. */
const constants: Constants = {
  /** a step, along each axis */
  speed: 0.05,
  /** how near the point may come to a wall */
  radius: 0.03,
  /** initial position, each component uniform within ± resetRange of it */
  startX: 0.1,
  startY: 0.1,
  resetRange: 0.02,
  goalX: 0.9,
  goalY: 0.2,
  /** nearer than this to the goal, the episode ends */
  goalRadius: 0.08,
  /** for reaching the goal */
  goalReward: 1.0,
  /** taken from the reward of every step */
  stepCost: 0.0,
  /** how many of the walls below stand */
  ...wallConstants(Array.from({ length: MOST_WALLS }, (_, w) => walls[w] ?? [0, 0, 0, 0])),
  wallCount: walls.length,
}

const task: BuiltIn = {
  id: 'PointMaze-v0',
  kind: 10,
  stateSize: 2,
  constants,
  maxEpisodeSteps: 200,
  clipsActions: true,
  check: checkMaze,
  spaces: () => ({ observationSpace: box([0, 0], [1, 1]), actionSpace: box([-1, -1], [1, 1]) }),
  grid: (constants) => {
    const reachable = mazeCells(constants, GRID).length
    return { columns: [0, 1], low: [0, 0], high: [1, 1], cells: GRID, reachable }
  },
  render: (state, constants) =>
    mazeScene(state, {
      walls: mazeWalls(constants),
      goal: [constants.goalX, constants.goalY],
      goalRadius: constants.goalRadius,
      view: [0, 0, 1, 1],
    }),
}

/**
 * Find the goal of a maze that rewards nothing else, by one of several routes. A policy of uniform actions reaches it
 * in about 0.7 % of its episodes. Source: none, made for comparing how policies explore.
 */
export const pointMaze = specOf(task)

function checkMaze(constants: Constants): void {
  const { speed, radius, startX, startY, resetRange, wallCount } = constants
  const refuse = (what: string, value: unknown) => {
    throw new UsageError(`${task.id}: ${what}, got ${show(value)}.`)
  }
  if (!Number.isInteger(wallCount) || wallCount < 0 || wallCount > MOST_WALLS)
    refuse(`wallCount must be a whole number from 0 to ${MOST_WALLS}`, wallCount)
  if (!(radius > 0 && radius < 0.5)) refuse('radius must be above 0 and below 0.5', radius)
  if (!(speed >= 0 && speed <= 100 * radius)) refuse('speed must be from 0 to 100 radius', speed)
  for (const wall of mazeWalls(constants))
    if (!(wall[0] <= wall[2] && wall[1] <= wall[3])) refuse('a wall must have left ≤ right and bottom ≤ top', wall)
  const start: Wall = [startX - resetRange, startY - resetRange, startX + resetRange, startY + resetRange]
  if (start.some((side) => side < radius || side > 1 - radius)) refuse('the start must lie in the arena', start)
  if (mazeWalls(constants).some((wall) => overlap(start, inflated(wall, radius))))
    refuse('the start must lie outside the walls', start)
}

/**
 * The walls among the constants of a maze.
 *
 * @throws UsageError for what is none of its constants
 */
export function mazeWalls(constants: Readonly<Record<string, number>>): Wall[] {
  requireNumbers('mazeWalls', ['wallCount'], constants)
  const { wallCount } = constants
  check(wholeNumber('wallCount', 0, MOST_WALLS), wallCount)
  return Array.from({ length: constants.wallCount }, (_, w) => {
    const names = SIDES.map((side) => `wall${w}${side}`)
    requireNumbers('mazeWalls', names, constants)
    const [left, bottom, right, top] = names.map((name) => constants[name])
    return [left, bottom, right, top]
  })
}

/**
 * The cell of a grid of `grid` by `grid` cells over the arena in which a position lies; row by row from the bottom
 * left.
 *
 * @throws UsageError for what is no position, and a grid that is no whole number from 1 to 1000
 */
export function mazeCell(x: number, y: number, grid = GRID): number {
  requireNumbers('mazeCell', ['x', 'y'], { x, y })
  check(gridSchema, grid)
  const place = (value: number) => Math.min(Math.max(Math.floor(value * grid), 0), grid - 1)
  return place(y) * grid + place(x)
}

/**
 * The cells of mazeCell that a point can reach from the start, in rising order: how many there are is what coverage is
 * measured against.
 *
 * The sides of the walls, moved outwards by the radius, and the lines of the grid cut the arena into rectangles, each
 * of which is free or not as a whole. Those connected to the start are filled.
 *
 * @throws UsageError for what is none of a maze's constants, and a grid that is no whole number from 1 to 1000
 */
export function mazeCells(constants: Readonly<Record<string, number>>, grid = GRID): number[] {
  requireNumbers('mazeCells', ['radius', 'startX', 'startY'], constants)
  check(gridSchema, grid)
  const { radius, startX, startY } = constants
  const blocks = mazeWalls(constants).map((wall) => inflated(wall, radius))
  const cuts = (k: 0 | 1) => {
    const lines = [
      ...Array.from({ length: grid }, (_, line) => line / grid),
      ...blocks.flatMap((b) => [b[k], b[k + 2]]),
    ]
    const inside = lines.filter((line) => line > radius && line < 1 - radius)
    return [...new Set([radius, ...inside, 1 - radius])].sort((a, b) => a - b)
  }
  const [xs, ys] = [cuts(0), cuts(1)]
  const columns = xs.length - 1
  const isFree = (i: number, j: number) => {
    const part: Wall = [xs[i], ys[j], xs[i + 1], ys[j + 1]]
    return i >= 0 && i < columns && j >= 0 && j < ys.length - 1 && !blocks.some((block) => overlap(part, block))
  }
  const column = xs.filter((x) => x <= startX).length - 1
  const row = ys.filter((y) => y <= startY).length - 1
  const seen = new Set([row * columns + column])
  const cells = new Set<number>()
  for (const place of seen) {
    const i = place % columns
    const j = (place - i) / columns
    cells.add(mazeCell((xs[i] + xs[i + 1]) / 2, (ys[j] + ys[j + 1]) / 2, grid))
    if (isFree(i + 1, j)) seen.add(place + 1)
    if (isFree(i - 1, j)) seen.add(place - 1)
    if (isFree(i, j + 1)) seen.add(place + columns)
    if (isFree(i, j - 1)) seen.add(place - columns)
  }
  return [...cells].sort((a, b) => a - b)
}
