export type WallTwin = readonly [left: number, bottom: number, right: number, top: number]

export interface PointMazeTwin {
  speed: number
  radius: number
  goalX: number
  goalY: number
  goalRadius: number
  goalReward: number
  stepCost: number
}

/** Whether a point may be here: `radius` away from the border and from every wall, measured along the axes. */
export function isFree(x: number, y: number, walls: readonly WallTwin[], radius: number): boolean {
  const inArena = x >= radius && x <= 1 - radius && y >= radius && y <= 1 - radius
  return inArena && walls.every((wall) => !contains(wall, radius, x, y))
}

const contains = ([left, bottom, right, top]: WallTwin, radius: number, x: number, y: number) =>
  x > left - radius && x < right + radius && y > bottom - radius && y < top + radius

/** One step of the maze: in parts, along x and then along y, each up to the first thing in the way. */
export function stepPointMazeReference(
  position: readonly number[],
  action: readonly number[],
  walls: readonly WallTwin[],
  constants: PointMazeTwin,
) {
  const { speed, radius, goalX, goalY, goalRadius, goalReward, stepCost } = constants
  const parts = Math.floor(speed / (2 * radius)) + 1
  const [dx, dy] = action.map((a) => (speed / parts) * Math.max(-1, Math.min(1, a)))
  let [x, y] = position
  for (let part = 0; part < parts; part++) {
    const beside = walls.filter(([, bottom, , top]) => y > bottom - radius && y < top + radius)
    x = advance(
      x,
      dx,
      radius,
      beside.map(([left, , right]) => [left, right]),
    )
    const above = walls.filter(([left, , right]) => x > left - radius && x < right + radius)
    y = advance(
      y,
      dy,
      radius,
      above.map(([, bottom, , top]) => [bottom, top]),
    )
  }
  const terminated = Math.hypot(x - goalX, y - goalY) < goalRadius
  return { position: [x, y], reward: (terminated ? goalReward : 0) - stepCost, terminated }
}

/** From a free place by `delta`, or up to the first of the obstacles on the way, of which the border is one. */
function advance(
  from: number,
  delta: number,
  radius: number,
  obstacles: readonly (readonly [number, number])[],
): number {
  const to = from + delta
  const nearSides = obstacles.map(([low, high]) => (delta > 0 ? low - radius : high + radius))
  if (delta > 0) return Math.min(to, 1 - radius, ...nearSides.filter((side) => side >= from))
  return Math.max(to, radius, ...nearSides.filter((side) => side <= from))
}

/**
 * Steps between neighbours of a grid of n by n points, from start to goal, walking only where a point may be; -1: no
 * way.
 */
export function shortestRoute(
  start: readonly number[],
  isGoal: (x: number, y: number) => boolean,
  walls: readonly WallTwin[],
  radius: number,
  n: number,
): number {
  const steps = distances(start, walls, radius, n)
  const goals = [...steps].filter(([place]) => isGoal(...centre(place, n)))
  return goals.length ? Math.min(...goals.map(([, length]) => length)) : -1
}

/** The place of a point of the grid. */
export const centre = (place: number, n: number): [number, number] => [
  ((place % n) + 0.5) / n,
  (Math.floor(place / n) + 0.5) / n,
]

/** Breadth first: the number of steps to every point of the grid that can be reached. */
export function distances(
  [x, y]: readonly number[],
  walls: readonly WallTwin[],
  radius: number,
  n: number,
): Map<number, number> {
  const steps = new Map([[Math.floor(y * n) * n + Math.floor(x * n), 0]])
  for (const [place, length] of steps) {
    for (const next of [place + 1, place - 1, place + n, place - n]) {
      if (!steps.has(next) && isFree(...centre(next, n), walls, radius)) steps.set(next, length + 1)
    }
  }
  return steps
}
