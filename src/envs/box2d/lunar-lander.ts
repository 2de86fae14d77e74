import type { Step } from '../contract.ts'
import { circle, line, type Point, polygon, type Scene } from '../render.ts'
import { Colour, type State } from '../scenes.ts'
import { type Action, box, discrete } from '../spaces.ts'
import type { Body, Joint } from './engine.ts'
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
import { orderedWorld } from './world.ts'

/** Options of both lunar landers, those of Gymnasium. */
export interface LunarLanderOptions {
  /** Whether the engines are throttled by two numbers, or one of them is on. */
  readonly continuous: boolean
  /** m/s², above −12 and below 0; default −10. */
  readonly gravity: number
  /** Whether wind blows until a leg touches the ground; default false. */
  readonly enableWind: boolean
  /** Greatest force of the wind, N; Gymnasium recommends 0 to 20; default 15. */
  readonly windPower: number
  /** Greatest torque of the wind, N m; Gymnasium recommends 0 to 2; default 1.5. */
  readonly turbulencePower: number
}

/** Pixels a metre: Gymnasium's lengths are in pixels. */
const SCALE = 30
const WIDTH = 600 / SCALE
const HEIGHT = 400 / SCALE
const MAIN_POWER = 13
const SIDE_POWER = 0.6
const START_FORCE = 1000
const CHUNKS = 11
const PAD_HEIGHT = HEIGHT / 4
/** Corners of the ground that are as high as the pad. */
const PAD = [CHUNKS >> 1, 2]
const HULL = pointsOf(SCALE, [14, 17], [-14, 17], [-17, 0], [-17, -10], [17, -10], [17, 0])
const LEG_HALF = { x: 2 / SCALE, y: 8 / SCALE }
const LEG_AWAY = 20 / SCALE
const LEG_DOWN = 18 / SCALE
const LEG_TORQUE = 40
const MAIN_DOWN = 4 / SCALE
const SIDE_AWAY = 12 / SCALE
const SIDE_UP = 14 / SCALE
/** What Gymnasium takes across where it would need SIDE_UP. */
const SIDE_ACROSS = 17 / SCALE
const SPREAD = 1 / SCALE
/** For wind: −9999 to 9998. */
const WIND_PLACES = 9999

/** Numbers of a picture before the heights of the ground. */
const SHOWN = 13

interface Lander {
  readonly hull: Body
  readonly legs: readonly Body[]
  readonly heights: readonly number[]
  /** Whether each leg touches the ground. */
  readonly touches: [boolean, boolean]
  crashed: boolean
  shaping: number | undefined
  wind: number
  torque: number
  /** Power of the main engine, and of the side engines with the sign of where they push. */
  main: number
  side: number
}

/**
 * A lander falls to a pad between hills and should come down on its legs; engines push, and scatter a little.
 *
 *     observation: x, y from the pad, ẋ, ẏ, angle, angular velocity, each scaled; 1 for each leg on the ground
 *     reward: shaping − last shaping − 0.3 main power − 0.03 side power; −100 for a crash or leaving, 100 for rest
 *     shaping: −100 |(x, y)| − 100 |(ẋ, ẏ)| − 100 |angle| + 10 for each leg on the ground
 *
 * Source: Gymnasium 1.4 LunarLander-v3.
 */
const lander = (id: string, continuous: boolean): Task<LunarLanderOptions> => ({
  id,
  maxEpisodeSteps: 1000,
  rewardThreshold: 200,
  defaults: { continuous, gravity: -10, enableWind: false, windPower: 15, turbulencePower: 1.5 },
  allowed: {
    gravity: {
      what: 'a number between -12 and 0',
      fits: (value) => typeof value === 'number' && value > -12 && value < 0,
    },
  },
  observationSpace: box(
    [-2.5, -2.5, -10, -10, -2 * Math.PI, -10, 0, 0].map(Math.fround),
    [2.5, 2.5, 10, 10, 2 * Math.PI, 10, 1, 1].map(Math.fround),
  ),
  actionSpace: ({ continuous }) => (continuous ? box([-1, -1], [1, 1]) : discrete(4)),
  start: startLander,
  scene: landerScene,
})

export const lunarLander = lander('LunarLander-v3', false)
export const lunarLanderContinuous = lander('LunarLanderContinuous-v3', true)

function startLander(tools: Tools, options: LunarLanderOptions, draws: Draws) {
  const { planck } = tools
  const { world, end } = orderedWorld(tools, { x: 0, y: options.gravity })
  const heights = ground(draws)
  const moon = world.createBody({ type: 'static' })
  const edge = (from: Point, to: Point, friction: number) =>
    moon.createFixture({ shape: new planck.Edge(at(from), at(to)), density: 0, friction })
  edge([0, 0], [WIDTH, 0], 0.2)
  for (let i = 0; i + 1 < CHUNKS; i++) edge([chunkX(i), heights[i]], [chunkX(i + 1), heights[i + 1]], 0.1)

  const place = { x: WIDTH / 2, y: HEIGHT }
  const hull = dynamicBody(world, {
    ...{ position: place, angle: 0, corners: HULL },
    ...{ shape: new planck.Polygon(HULL), density: 5, friction: 0.1 },
    ...{ filterCategoryBits: 0x10, ...COLLIDES_WITH_GROUND },
  })
  const force = () => draws.uniform(-START_FORCE, START_FORCE)
  hull.applyForceToCenter({ x: force(), y: force() }, true)
  const windPlace = () => (options.enableWind ? draws.integer(-WIND_PLACES, WIND_PLACES) : 0)
  const [wind, torque] = [windPlace(), windPlace()]

  const joints: Joint[] = []
  const legs = [-1, 1].map((side) => {
    const leg = dynamicBody(world, {
      ...{ position: { x: place.x - side * LEG_AWAY, y: place.y }, angle: side * 0.05, corners: rectangle(LEG_HALF) },
      ...{ shape: new planck.Box(LEG_HALF.x, LEG_HALF.y), density: 1, friction: 0.2 },
      ...{ filterCategoryBits: 0x20, ...COLLIDES_WITH_GROUND },
    })
    const anchors = [
      [0, 0],
      [side * LEG_AWAY, LEG_DOWN],
    ] as const
    const limits = side < 0 ? ([0.9 - 0.5, 0.9] as const) : ([-0.9, -0.9 + 0.5] as const)
    const motor = { bodies: [hull, leg] as const, anchors, torque: LEG_TORQUE, speed: 0.3 * side, limits }
    joints.push(motorJoint(planck, motor))
    return leg
  })
  for (const joint of joints) world.createJoint(joint)

  const now: Lander = {
    ...{ hull, legs, heights, touches: [false, false], crashed: false, shaping: undefined },
    ...{ wind, torque, main: 0, side: 0 },
  }
  const bodiesOf = (contact: Parameters<Parameters<typeof world.on>[1]>[0]) =>
    [contact.getFixtureA(), contact.getFixtureB()].map((fixture) => fixture.getBody())
  world.on('begin-contact', (contact) => {
    const bodies = bodiesOf(contact)
    if (bodies.includes(hull)) now.crashed = true
    legs.forEach((leg, k) => {
      if (bodies.includes(leg)) now.touches[k] = true
    })
  })
  world.on('end-contact', (contact) => {
    const bodies = bodiesOf(contact)
    legs.forEach((leg, k) => {
      if (bodies.includes(leg)) now.touches[k] = false
    })
  })
  const step = (action: Action) => {
    if (options.enableWind && !now.touches[0] && !now.touches[1]) blow(tools, options, now)
    fire(tools, now, throttleOf(options, action), draws)
    world.step(FRAME, 180, 60)
    return outcome(now)
  }
  const { obs } = step(options.continuous ? [0, 0] : 0)
  return { obs, step, shown: () => shown(now), end }
}

const at = ([x, y]: Point) => ({ x, y })
const chunkX = (i: number) => (WIDTH / (CHUNKS - 1)) * i

const rectangle = ({ x, y }: { x: number; y: number }) => pointsOf(1, [-x, -y], [x, -y], [x, y], [-x, y])

/** [CHUNKS] heights of the ground at its corners, each the mean of three random ones. */
function ground(draws: Draws): number[] {
  const random = Array.from({ length: CHUNKS + 1 }, () => draws.uniform(0, HEIGHT / 2))
  const [middle, reach] = PAD
  for (let i = middle - reach; i <= middle + reach; i++) random[i] = PAD_HEIGHT
  // The first corner has the last number before it, as Python's index −1 has.
  return Array.from(
    { length: CHUNKS },
    (_, i) => 0.33 * (random[(i + CHUNKS) % (CHUNKS + 1)] + random[i] + random[i + 1]),
  )
}

/** A gust that never repeats: tanh(sin(2 k t) + sin(π k t)), k = 0.01. */
function blow({ ops }: Tools, { windPower, turbulencePower }: LunarLanderOptions, now: Lander): void {
  const gust = (t: number) => ops.tanh64(ops.sin64(0.02 * t) + ops.sin64(Math.PI * 0.01 * t))
  now.hull.applyForceToCenter({ x: gust(now.wind++) * windPower, y: 0 }, true)
  now.hull.applyTorque(gust(now.torque++) * turbulencePower, true)
}

interface Throttle {
  /** 0, or 0.5 to 1. */
  readonly main: number
  /** 0, or 0.5 to 1 with the sign of where it pushes. */
  readonly side: number
}

function throttleOf({ continuous }: LunarLanderOptions, action: Action): Throttle {
  if (!continuous) return { main: action === 2 ? 1 : 0, side: action === 1 ? -1 : action === 3 ? 1 : 0 }
  const [main, side] = Array.from(action as ArrayLike<number>, (a) => Math.max(-1, Math.min(a, 1)))
  return { main: main > 0 ? (main + 1) * 0.5 : 0, side: Math.abs(side) > 0.5 ? side : 0 }
}

/** Impulses of the engines on the hull, at points that scatter. */
function fire({ ops }: Tools, now: Lander, { main, side }: Throttle, draws: Draws): void {
  const { hull } = now
  const angle = hull.getAngle()
  const [sin, cos] = [ops.sin64(angle), ops.cos64(angle)]
  const spread = () => draws.uniform(-1, 1) * SPREAD
  const [along, across] = [spread(), spread()]
  const push = (ox: number, oy: number, fromX: number, fromY: number, power: number) => {
    const { x, y } = hull.getPosition()
    hull.applyLinearImpulse({ x: -ox * power, y: -oy * power }, { x: x + fromX, y: y + fromY }, true)
  }
  if (main > 0) {
    const ox = sin * (MAIN_DOWN + 2 * along) - cos * across
    const oy = -cos * (MAIN_DOWN + 2 * along) - sin * across
    push(ox, oy, ox, oy, MAIN_POWER * main)
  }
  if (side !== 0) {
    const away = 3 * across + Math.sign(side) * SIDE_AWAY
    const ox = sin * along - cos * away
    const oy = -cos * along - sin * away
    push(ox, oy, ox - sin * SIDE_ACROSS, oy + cos * SIDE_UP, SIDE_POWER * Math.abs(side))
  }
  now.main = main
  now.side = side
}

function outcome(now: Lander): Step {
  const { hull, touches, main, side } = now
  const { x, y } = hull.getPosition()
  const v = hull.getLinearVelocity()
  // A list made into an array of floats takes a tenth of the step.
  const obs = new Float64Array(8)
  obs[0] = (x - WIDTH / 2) / (WIDTH / 2)
  obs[1] = (y - (PAD_HEIGHT + LEG_DOWN)) / (HEIGHT / 2)
  obs[2] = v.x * (WIDTH / 2) * FRAME
  obs[3] = v.y * (HEIGHT / 2) * FRAME
  obs[4] = hull.getAngle()
  obs[5] = 20 * hull.getAngularVelocity() * FRAME
  obs[6] = touches[0] ? 1 : 0
  obs[7] = touches[1] ? 1 : 0
  const shaping =
    -100 * Math.sqrt(obs[0] * obs[0] + obs[1] * obs[1]) -
    100 * Math.sqrt(obs[2] * obs[2] + obs[3] * obs[3]) -
    100 * Math.abs(obs[4]) +
    10 * obs[6] +
    10 * obs[7]
  const reward = (now.shaping === undefined ? 0 : shaping - now.shaping) - main * 0.3 - Math.abs(side) * 0.03
  now.shaping = shaping
  const rests = !hull.isAwake()
  const lost = now.crashed || Math.abs(obs[0]) >= 1
  const paid = rests ? 100 : lost ? -100 : reward
  return { obs, reward: paid, terminated: rests || lost, truncated: false, info: {} }
}

/** [13 + CHUNKS] place and angle of hull and legs, engines, legs on the ground, heights. */
function shown({ hull, legs, main, side, touches, heights }: Lander): Float64Array {
  const bodies = [hull, ...legs].flatMap((body) => [body.getPosition().x, body.getPosition().y, body.getAngle()])
  return Float64Array.from([...bodies, main, side, ...touches.map(Number), ...heights])
}

function landerScene(state: State): Scene {
  const corners = Array.from({ length: CHUNKS }, (_, i): Point => [chunkX(i), state[SHOWN + i]])
  const [main, side, left, right] = [9, 10, 11, 12].map((k) => state[k])
  const flag = (x: number) => [
    line(Colour.body, 0.06, [x, PAD_HEIGHT], [x, PAD_HEIGHT + 1.4]),
    polygon(Colour.goal, [x, PAD_HEIGHT + 1.4], [x + 0.7, PAD_HEIGHT + 1.2], [x, PAD_HEIGHT + 1]),
  ]
  const flame = (x: number, y: number, power: number) => {
    const [from] = placed(state, 0, [{ x, y }])
    return power > 0 ? [circle(Colour.limit, from, 0.12 + 0.2 * power)] : []
  }
  const leg = (first: number, touches: number) =>
    polygon(touches ? Colour.goal : Colour.limb, ...placed(state, first, rectangle(LEG_HALF)))
  return {
    view: [0, 0, WIDTH, HEIGHT],
    shapes: [
      polygon(Colour.ground, [0, 0], ...corners, [WIDTH, 0]),
      ...flag(chunkX(PAD[0] - 1)),
      ...flag(chunkX(PAD[0] + 1)),
      ...flame(0, -14 / SCALE, main),
      ...flame(-20 / SCALE, SIDE_UP, side > 0 ? side / 2 : 0),
      ...flame(20 / SCALE, SIDE_UP, side < 0 ? -side / 2 : 0),
      leg(3, left),
      leg(6, right),
      polygon(Colour.agent, ...placed(state, 0, HULL)),
    ],
  }
}
