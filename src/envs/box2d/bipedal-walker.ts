import type { Step } from '../contract.ts'
import { line, type Point, polygon, type Scene } from '../render.ts'
import { Colour, type State } from '../scenes.ts'
import { type Action, box } from '../spaces.ts'
import type { Body, Joint, Vector, World } from './engine.ts'
import { motorJoint } from './joint.ts'
import {
  COLLIDES_WITH_GROUND,
  type Draws,
  dynamicBody,
  FRAME,
  placed,
  pointsOf,
  type Task,
  type Tools,
} from './task.ts'
import { LENGTH, STARTPAD, STEP, type Terrain, terrainOf } from './terrain.ts'
import { orderedWorld } from './world.ts'

/** Options of both walkers, those of Gymnasium. */
export interface BipedalWalkerOptions {
  /** Whether there are stumps, stairs and pits on the way. */
  readonly hardcore: boolean
}

/** Pixels a metre: Gymnasium's lengths are in pixels. */
const SCALE = 30
const WIDTH = 600 / SCALE
const HEIGHT = 400 / SCALE
const GROUND = HEIGHT / 4
/** Counter-clockwise. */
const HULL = pointsOf(SCALE, [-30, -8], [34, -8], [34, 1], [6, 9], [-30, 9])
const LEG_DOWN = -8 / SCALE
const LEG_WIDTH = 8 / SCALE
const LEG_HEIGHT = 34 / SCALE
const UPPER = { x: LEG_WIDTH / 2, y: LEG_HEIGHT / 2 }
const LOWER = { x: (0.8 * LEG_WIDTH) / 2, y: LEG_HEIGHT / 2 }
const TORQUE = 80
/** rad/s that a motor of the hip and of the knee turns at. */
const SPEEDS = [4, 6, 4, 6]
const HIP_LIMITS = [-0.8, 1.1] as const
const KNEE_LIMITS = [-1.6, -0.1] as const
const START_FORCE = 5
const FRICTION = 2.5
const RAYS = 10
const RANGE = 160 / SCALE
/** Where the way ends, m. */
const END = (LENGTH - 10) * STEP

/** Numbers of a picture before the terrain. */
const SHOWN = 17

interface Walker {
  readonly hull: Body
  /** Upper and lower leg on one side, then on the other. */
  readonly legs: readonly Body[]
  readonly joints: readonly Joint[]
  readonly terrain: Terrain
  /** Whether each lower leg touches the ground. */
  readonly touches: [boolean, boolean]
  fallen: boolean
  shaping: number | undefined
}

const [PI, FIVE] = [Math.fround(Math.PI), 5]
const JOINT = [PI, FIVE]

/**
 * A hull on two legs of two parts walks over hills; four motors turn its joints.
 *
 *     observation: angle, angular velocity, ẋ, ẏ of the hull; angle and speed of hip and knee and 1 for a foot on the
 *       ground, of each leg; how far ten rays go
 *     reward: shaping − last shaping − 0.028 Σ |action|, −100 for a fall or leaving to the left
 *     shaping: 130 x/30 − 5 |angle|
 *
 * Source: Gymnasium 1.4 BipedalWalker-v3.
 */
const walker = (id: string, hardcore: boolean, maxEpisodeSteps: number): Task<BipedalWalkerOptions> => ({
  id,
  maxEpisodeSteps,
  rewardThreshold: 300,
  defaults: { hardcore },
  observationSpace: box(
    [...[PI, FIVE, FIVE, FIVE], ...JOINT, ...JOINT, 0, ...JOINT, ...JOINT, 0, ...Array(RAYS).fill(1)].map((x) => 0 - x),
    [...[PI, FIVE, FIVE, FIVE], ...JOINT, ...JOINT, FIVE, ...JOINT, ...JOINT, FIVE, ...Array(RAYS).fill(1)],
  ),
  actionSpace: () => box([-1, -1, -1, -1], [1, 1, 1, 1]),
  start: startWalker,
  scene: walkerScene,
})

export const bipedalWalker = walker('BipedalWalker-v3', false, 1600)
export const bipedalWalkerHardcore = walker('BipedalWalkerHardcore-v3', true, 2000)

function startWalker(tools: Tools, { hardcore }: BipedalWalkerOptions, draws: Draws) {
  const { planck } = tools
  const { world, end } = orderedWorld(tools, { x: 0, y: -10 })
  const terrain = terrainOf(draws, hardcore, GROUND)
  const ground = world.createBody({ type: 'static' })
  for (const corners of terrain.blocks)
    ground.createFixture({ shape: new planck.Polygon(corners), density: 0, friction: FRICTION })
  for (let i = 0; i + 1 < LENGTH; i++) {
    const shape = new planck.Edge(cornerOf(terrain, i), cornerOf(terrain, i + 1))
    ground.createFixture({ shape, density: 0, friction: FRICTION, filterCategoryBits: 1 })
  }
  const place = { x: (STEP * STARTPAD) / 2, y: GROUND + 2 * LEG_HEIGHT }
  const hull = dynamicBody(world, {
    ...{ position: place, angle: 0, corners: HULL },
    ...{ shape: new planck.Polygon(HULL), density: 5, friction: 0.1 },
    ...{ filterCategoryBits: 0x20, ...COLLIDES_WITH_GROUND },
  })
  hull.applyForceToCenter({ x: draws.uniform(-START_FORCE, START_FORCE), y: 0 }, true)
  const { legs, joints } = legsOf(tools, world, hull, place)
  const now: Walker = {
    ...{ hull, legs, joints, terrain, touches: [false, false], fallen: false, shaping: undefined },
  }
  watch(world, now)
  const rays = Array.from({ length: RAYS }, (_, i) => ({
    x: tools.ops.sin64((1.5 * i) / 10) * RANGE,
    y: -tools.ops.cos64((1.5 * i) / 10) * RANGE,
  }))
  const step = (action: Action) => {
    const actions = Array.from(action as ArrayLike<number>)
    joints.forEach((joint, k) => {
      joint.setMotorSpeed(SPEEDS[k] * Math.sign(actions[k]))
      joint.setMaxMotorTorque(TORQUE * effort(actions[k]))
    })
    world.step(FRAME, 180, 60)
    return outcome(now, lidar(world, hull, rays), actions)
  }
  const { obs } = step([0, 0, 0, 0])
  return { obs, step, shown: () => shown(now), end }
}

const effort = (action: number) => Math.min(Math.abs(action), 1)

const cornerOf = ({ heights }: Terrain, i: number) => ({ x: i * STEP, y: heights[i] })

const rectangle = ({ x, y }: Vector) => pointsOf(1, [-x, -y], [x, -y], [x, y], [-x, y])

/** Both legs, with the motors of hips and knees. */
function legsOf({ planck }: Tools, world: World, hull: Body, { x, y }: Vector) {
  const joints: Joint[] = []
  const part = (half: Vector, up: number, angle: number) =>
    dynamicBody(world, {
      ...{ position: { x, y: y - LEG_HEIGHT * up - LEG_DOWN }, angle, corners: rectangle(half) },
      ...{ shape: new planck.Box(half.x, half.y), density: 1, friction: 0.2 },
      ...{ filterCategoryBits: 0x20, ...COLLIDES_WITH_GROUND },
    })
  const join = (bodies: readonly [Body, Body], from: number, speed: number, limits: readonly [number, number]) => {
    const anchors = [
      [0, from],
      [0, LEG_HEIGHT / 2],
    ] as const
    const joint = motorJoint(planck, { bodies, anchors, torque: TORQUE, speed, limits })
    joints.push(joint)
    world.createJoint(joint)
  }
  const legs = [-1, 1].flatMap((side) => {
    const upper = part(UPPER, 1 / 2, side * 0.05)
    join([hull, upper], LEG_DOWN, side, HIP_LIMITS)
    const lower = part(LOWER, 3 / 2, side * 0.05)
    join([upper, lower], -LEG_HEIGHT / 2, 1, KNEE_LIMITS)
    return [upper, lower]
  })
  return { legs, joints }
}

/** Feet know that they touch the ground until one of their contacts ends, as in Gymnasium. */
function watch(world: World, now: Walker): void {
  const feet = [now.legs[1], now.legs[3]]
  const follow = (event: 'begin-contact' | 'end-contact', touches: boolean) =>
    world.on(event, (contact) => {
      const bodies = [contact.getFixtureA(), contact.getFixtureB()].map((fixture) => fixture.getBody())
      if (touches && bodies.includes(now.hull)) now.fallen = true
      feet.forEach((foot, k) => {
        if (bodies.includes(foot)) now.touches[k] = touches
      })
    })
  follow('begin-contact', true)
  follow('end-contact', false)
}

/** [RAYS] how far rays from the hull go until the ground, of their range. */
function lidar(world: World, hull: Body, rays: readonly Vector[]): number[] {
  const { x, y } = hull.getPosition()
  return rays.map((ray) => {
    let nearest = 1
    world.rayCast({ x, y }, { x: x + ray.x, y: y + ray.y }, (fixture, _, __, fraction) => {
      if ((fixture.getFilterCategoryBits() & 1) === 0) return -1
      nearest = fraction
      return fraction
    })
    return nearest
  })
}

function outcome(now: Walker, distances: readonly number[], action: readonly number[]): Step {
  const { hull, joints, touches } = now
  const { x } = hull.getPosition()
  const v = hull.getLinearVelocity()
  const turned = joints.flatMap((joint, k) => [joint.getJointAngle() + (k % 2), joint.getJointSpeed() / SPEEDS[k]])
  const obs = Float64Array.of(
    hull.getAngle(),
    2 * hull.getAngularVelocity() * FRAME,
    0.3 * v.x * WIDTH * FRAME,
    0.3 * v.y * HEIGHT * FRAME,
    ...turned.slice(0, 4),
    touches[0] ? 1 : 0,
    ...turned.slice(4),
    touches[1] ? 1 : 0,
    ...distances,
  )
  const shaping = (130 * x) / SCALE - 5 * Math.abs(obs[0])
  const cost = action.reduce((sum, a) => sum + 0.00035 * TORQUE * effort(a), 0)
  const reward = (now.shaping === undefined ? 0 : shaping - now.shaping) - cost
  now.shaping = shaping
  const lost = now.fallen || x < 0
  return { obs, reward: lost ? -100 : reward, terminated: lost || x > END, truncated: false, info: {} }
}

/** [17 + LENGTH + blocks × 8] place and angle of hull and legs, feet on the ground, heights, corners of blocks. */
function shown({ hull, legs, touches, terrain: { heights, blocks } }: Walker): Float64Array {
  const bodies = [hull, ...legs].flatMap((body) => [body.getPosition().x, body.getPosition().y, body.getAngle()])
  return Float64Array.from([
    ...bodies,
    ...touches.map(Number),
    ...heights,
    ...blocks.flat().flatMap(({ x, y }) => [x, y]),
  ])
}

function walkerScene(state: State): Scene {
  const left = state[0] - WIDTH / 5
  const from = Math.max(0, Math.floor(left / STEP))
  const to = Math.min(LENGTH - 1, Math.ceil((left + WIDTH) / STEP))
  const surface = Array.from({ length: Math.max(0, to - from + 1) }, (_, k): Point => {
    return [(from + k) * STEP, state[SHOWN + from + k]]
  })
  const corners = Array.from({ length: (state.length - SHOWN - LENGTH) / 2 }, (_, k): Point => {
    const at = SHOWN + LENGTH + 2 * k
    return [state[at], state[at + 1]]
  })
  const blocks = Array.from({ length: corners.length / 4 }, (_, k) => corners.slice(4 * k, 4 * k + 4))
  const leg = (part: number, touches = 0) =>
    polygon(touches ? Colour.goal : Colour.limb, ...placed(state, 3 + 3 * part, rectangle(part % 2 ? LOWER : UPPER)))
  const pole = STEP * 3
  return {
    view: [left, 0, WIDTH, HEIGHT],
    shapes: [
      ...blocks.map((block) => polygon(Colour.limit, ...block)),
      polygon(Colour.ground, [from * STEP, 0], ...surface, [to * STEP, 0]),
      line(Colour.body, 0.06, [pole, GROUND], [pole, GROUND + 1.6]),
      polygon(Colour.goal, [pole, GROUND + 1.6], [pole + 0.8, GROUND + 1.45], [pole, GROUND + 1.3]),
      leg(0),
      leg(1, state[15]),
      leg(2),
      leg(3, state[16]),
      polygon(Colour.agent, ...placed(state, 0, HULL)),
    ],
  }
}
