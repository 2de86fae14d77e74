import type { Ops } from '../../core/ops.ts'
import type { Step } from '../contract.ts'
import type { Point, Scene } from '../render.ts'
import type { State } from '../scenes.ts'
import type { Allowed } from '../settle.ts'
import type { Action, Box, Discrete } from '../spaces.ts'
import type { Body, Planck, Vector, World } from './engine.ts'
import type { Rounds } from './rounds.ts'

/** What a task is simulated with. */
export interface Tools {
  readonly planck: Planck
  /** The core, for sines. */
  readonly ops: Ops
  /** Room for the rounds of a step. */
  readonly rounds: Rounds
}

/** Where an episode has its random numbers from, in Gymnasium's order. */
export interface Draws {
  /** In [low, high). */
  uniform(low: number, high: number): number
  /** A whole number from low to high − 1. */
  integer(low: number, high: number): number
}

/** A running episode. */
export interface Episode {
  /** The first observation. */
  readonly obs: Float64Array | Step['obs']
  step(action: Action): Step
  /** The numbers that a picture is drawn from. A new array. */
  shown(): Float64Array
  /** Gives back what the next one can use. */
  end(): void
}

/** A task with Gymnasium's rules. */
export interface Task<Options> {
  readonly id: string
  readonly maxEpisodeSteps: number
  /** Mean return at which the task counts as solved. */
  readonly rewardThreshold: number
  readonly defaults: Options
  readonly allowed?: Readonly<Record<string, Allowed>>
  readonly observationSpace: Box
  actionSpace(options: Options): Discrete | Box
  start(tools: Tools, options: Options, draws: Draws): Episode
  scene(state: State): Scene
}

/** s, a step of the world. */
export const FRAME = 1 / 50

/** The ground is of category 1. */
export const COLLIDES_WITH_GROUND = { filterMaskBits: 1 }

/** Points in units of which `scale` are a metre. */
export const pointsOf = (scale: number, ...points: readonly (readonly [number, number])[]): Vector[] =>
  points.map(([x, y]) => ({ x: x / scale, y: y / scale }))

/** Corners of a body where it is in a picture's state: its place and angle stand from `first` on. */
export function placed(state: State, first: number, corners: readonly Vector[]): Point[] {
  // biome-ignore lint/plugin: for pictures only
  const [sin, cos] = [Math.sin(state[first + 2]), Math.cos(state[first + 2])]
  return corners.map(({ x, y }) => [state[first] + cos * x - sin * y, state[first + 1] + sin * x + cos * y])
}

/**
 * A body that moves, of one polygon, whose corners go round counter-clockwise. Its angle is what is given, not what
 * planck makes of its sine and cosine, and its centre of mass is where it is: planck 1.4.2 adds a height to a width.
 */
export function dynamicBody(
  world: World,
  { position, angle, corners, ...fixture }: { position: Vector; angle: number; corners: readonly Vector[] } & Fixing,
): Body {
  const body = world.createBody({ type: 'dynamic', position, angle })
  body.m_sweep.a = angle
  body.m_sweep.a0 = angle
  body.createFixture(fixture)
  body.setMassData(massOf(corners, fixture.density))
  return body
}

type Fixing = Parameters<Body['createFixture']>[0]

/** Mass (kg), its centre, and its moment about the origin (kg m²), from the triangles between origin and sides. */
function massOf(corners: readonly Vector[], density: number) {
  const sum = { area: 0, x: 0, y: 0, moment: 0 }
  corners.forEach((a, k) => {
    const b = corners[(k + 1) % corners.length]
    const cross = a.x * b.y - a.y * b.x
    sum.area += cross / 2
    sum.x += (cross / 6) * (a.x + b.x)
    sum.y += (cross / 6) * (a.y + b.y)
    sum.moment += (cross / 12) * (a.x * a.x + a.x * b.x + b.x * b.x + a.y * a.y + a.y * b.y + b.y * b.y)
  })
  const center = { x: sum.x / sum.area, y: sum.y / sum.area }
  return { mass: density * sum.area, center, I: density * sum.moment }
}
