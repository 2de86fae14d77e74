import { circle, line, type Point, polygon, rectangle, type Scene, type Shape } from './render.ts'

/** Numbers that a picture is drawn from: a state row, and the constants of the task by name. */
export type State = ArrayLike<number>
export type Constants<Name extends string> = Readonly<Record<Name, number>>

/** Colours by what they are of. */
export const Colour = {
  ink: '#1e293b',
  ground: '#cbd5e1',
  soft: '#f1f5f9',
  body: '#475569',
  limb: '#e08a3c',
  joint: '#fde68a',
  agent: '#2563eb',
  goal: '#16a34a',
  goalZone: '#bbf7d0',
  limit: '#fca5a5',
} as const

/** Unit vector at an angle from straight up, clockwise. A picture trains nothing, so its last bits may differ. */
function up(angle: number): Point {
  // biome-ignore lint/plugin: for pictures only
  return [Math.sin(angle), Math.cos(angle)]
}

/** Height of the hill of the mountain cars at x. */
// biome-ignore lint/plugin: for pictures only
const hill = (x: number) => 0.45 * Math.sin(3 * x) + 0.55

const plus = ([x, y]: Point, [dx, dy]: Point, times = 1): Point => [x + times * dx, y + times * dy]

interface CartAndPole {
  /** m */
  readonly x: number
  /** rad from upright, clockwise. */
  readonly angle: number
  readonly poleLength: number
  readonly poleWidth: number
  /** Width and height. */
  readonly cart: Point
  /** m; the episode ends beyond it. */
  readonly limit: number
  /** Whether the pole may hang. */
  readonly swings: boolean
}

/** A cart on a rail between the marks where an episode ends, and its pole. */
export function cartAndPole(look: CartAndPole): Scene {
  const { x, angle, poleLength, poleWidth, limit, swings } = look
  const [width, height] = look.cart
  const wheel = height / 6
  const rail = -height - wheel
  const reach = limit + width
  const bottom = Math.min(rail - height / 2, swings ? -poleLength : 0) - 0.1
  const mark = (at: number) => line(Colour.limit, wheel / 2, [at, rail - height / 4], [at, rail + height / 4])
  return {
    view: [-reach, bottom, 2 * reach, poleLength + 0.2 - bottom],
    shapes: [
      line(Colour.ground, wheel / 2, [-reach, rail], [reach, rail]),
      mark(-limit),
      mark(limit),
      circle(Colour.ink, [x - width / 4, -height], wheel),
      circle(Colour.ink, [x + width / 4, -height], wheel),
      rectangle(Colour.body, [x - width / 2, -height], [x + width / 2, 0]),
      line(Colour.limb, poleWidth, [x, 0], plus([x, 0], up(angle), poleLength)),
      circle(Colour.joint, [x, 0], poleWidth / 3),
    ],
  }
}

/** MountainCar-v0 and MountainCarContinuous-v0: position, velocity. */
export function mountainCarScene(
  { 0: x }: State,
  constants: Constants<'minPosition' | 'maxPosition' | 'goalPosition'>,
): Scene {
  const { minPosition, maxPosition, goalPosition } = constants
  const count = 60
  const left = minPosition - 0.1
  const right = maxPosition + 0.1
  const track = Array.from({ length: count + 1 }, (_, k): Point => {
    const at = left + ((right - left) * k) / count
    return [at, hill(at)]
  })
  const flag: Point = [goalPosition, hill(goalPosition)]
  return {
    view: [left, -0.1, right - left, 1.45],
    shapes: [
      polygon(Colour.soft, [left, -0.1], ...track, [right, -0.1]),
      line(Colour.ground, 0.015, ...track),
      line(Colour.body, 0.012, flag, plus(flag, [0, 0.2])),
      polygon(Colour.goal, plus(flag, [0, 0.2]), plus(flag, [0.1, 0.165]), plus(flag, [0, 0.13])),
      ...car(x),
    ],
  }
}

/** A car that stands on the hill. */
function car(x: number): Shape[] {
  const slope = (hill(x + 1e-4) - hill(x - 1e-4)) / 2e-4
  const length = Math.sqrt(1 + slope * slope)
  const along: Point = [1 / length, slope / length]
  const normal: Point = [-slope / length, 1 / length]
  const at = (a: number, b: number): Point => plus(plus([x, hill(x)], along, a), normal, b)
  const wheel = (a: number) => [circle(Colour.ink, at(a, 0.03), 0.028), circle(Colour.ground, at(a, 0.03), 0.011)]
  return [
    polygon(Colour.body, at(-0.045, 0.08), at(0.045, 0.08), at(0.02, 0.125), at(-0.03, 0.125)),
    line(Colour.agent, 0.045, at(-0.07, 0.06), at(0.07, 0.06)),
    ...wheel(-0.05),
    ...wheel(0.05),
  ]
}

/** Pendulum-v1: θ from upright, counter-clockwise; θ̇. */
export function pendulumScene({ 0: angle }: State, { length }: Constants<'length'>): Scene {
  const tip = plus([0, 0], up(-angle), length)
  return {
    view: [-1.3 * length, -1.3 * length, 2.6 * length, 2.6 * length],
    shapes: [
      circle(Colour.soft, [0, 0], 1.12 * length),
      circle(Colour.goal, [0, length], 0.03 * length),
      line(Colour.limb, 0.16 * length, [0, 0], tip),
      circle(Colour.body, tip, 0.13 * length),
      circle(Colour.ink, [0, 0], 0.05 * length),
    ],
  }
}

/** Two links that hang from a pivot; angles from straight down, counter-clockwise, both absolute. */
function twoLinks(first: number, second: number, [l1, l2]: Point, extra: readonly Shape[]): Scene {
  const reach = 1.15 * (l1 + l2)
  const elbow = plus([0, 0], up(-first), -l1)
  const tip = plus(elbow, up(-second), -l2)
  return {
    view: [-reach, -reach, 2 * reach, 2 * reach],
    shapes: [
      circle(Colour.soft, [0, 0], l1 + l2),
      ...extra,
      line(Colour.limb, 0.12, [0, 0], elbow),
      line(Colour.agent, 0.12, elbow, tip),
      circle(Colour.ink, [0, 0], 0.09),
      circle(Colour.joint, elbow, 0.06),
      circle(Colour.ink, tip, 0.04),
    ],
  }
}

/** Acrobot-v1: θ₁ from hanging, θ₂ relative to the first link; the tip has to rise above the line. */
export function acrobotScene(state: State, { length, goalHeight }: Constants<'length' | 'goalHeight'>): Scene {
  const reach = 1.15 * (length + 1)
  const height = line(Colour.goal, 0.02, [-reach, goalHeight], [reach, goalHeight])
  return twoLinks(state[0], state[0] + state[1], [length, 1], [height])
}

/** rllab's double pendulum: both angles absolute, from hanging; the tip should be at the mark. */
export function doublePendulumScene(state: State, { linkLength: length }: Constants<'linkLength'>): Scene {
  // biome-ignore format: the goal
  return twoLinks(state[0], state[1], [length, length], [circle(Colour.goalZone, [0, 2 * length], 0.14), circle(Colour.goal, [0, 2 * length], 0.05)])
}

/** rllab's carts and poles: x, ẋ, angle from upright (counter-clockwise, as in Box2D), angular velocity. */
export function rllabCartpoleScene(
  state: State,
  { positionLimit }: Constants<'positionLimit'>,
  swings: boolean,
): Scene {
  const side = 1 / Math.sqrt(12)
  // biome-ignore format: a pair of numbers
  return cartAndPole({ x: state[0], angle: -state[2], poleLength: 1, poleWidth: 0.1, cart: [4 * side, 3 * side], limit: positionLimit, swings })
}

interface Goals {
  readonly goals: readonly Point[]
  /** Within it an episode ends. */
  readonly radius: number
  /** Half the side of the square that is shown. */
  readonly limit: number
}

/** A point among goals: x, y. */
export function goalsScene(state: State, { goals, radius, limit }: Goals): Scene {
  const margin = 1.05 * limit
  return {
    view: [-margin, -margin, 2 * margin, 2 * margin],
    shapes: [
      rectangle(Colour.soft, [-limit, -limit], [limit, limit]),
      line(Colour.ground, limit / 200, [-limit, 0], [limit, 0]),
      line(Colour.ground, limit / 200, [0, -limit], [0, limit]),
      ...goals.map((goal) => circle(Colour.goalZone, goal, radius)),
      ...goals.map((goal) => circle(Colour.goal, goal, limit / 50)),
      circle(Colour.agent, [state[0], state[1]], limit / 30),
    ],
  }
}

/** A wall: a rectangle, or a line where two sides coincide. */
export type Wall = readonly [left: number, bottom: number, right: number, top: number]

interface Maze {
  readonly walls: readonly Wall[]
  readonly goal: Point
  readonly goalRadius: number
  /** What is shown: left, bottom, width, height. */
  readonly view: Scene['view']
}

/** A point in a maze: x, y. */
export function mazeScene(state: State, { walls, goal, goalRadius, view }: Maze): Scene {
  const [left, bottom, width, height] = view
  const unit = Math.min(width, height)
  return {
    view,
    shapes: [
      rectangle(Colour.soft, [left, bottom], [left + width, bottom + height]),
      circle(Colour.goalZone, goal, goalRadius),
      circle(Colour.goal, goal, unit / 80),
      ...walls.map(([l, b, r, t]) => rectangle(Colour.body, [l, b], [r, t])),
      circle(Colour.agent, [state[0], state[1]], unit / 50),
    ],
  }
}
