import { body, capsule, element, hinge, model, motor, plane, slide } from './mjcf.ts'
import { between, placeOf, type Range, type Robot, sumOfSquares, type TaskOptions } from './robot.ts'

export interface PusherOptions extends TaskOptions {
  /** Cost of 1 m between the arm's tips and the object. */
  readonly rewardNearWeight: number
  /** Cost of 1 m between the object and the goal. */
  readonly rewardDistWeight: number
  /** Cost of |action|² = 1. */
  readonly rewardControlWeight: number
}

const part = { friction: [0.8, 0.1, 0.1], density: 300, margin: 0.002, condim: 1, contype: 0, conaffinity: 0 }
const bone = (fromto: readonly number[], size: number, attributes: object = {}) =>
  capsule({ fromto, size, ...part, ...attributes })
const ball = (pos: readonly number[], size: number) => element('geom', { type: 'sphere', pos, size, ...part })
const joint = (name: string, axis: readonly number[], range: Range, damping = 0.1) =>
  hinge({ name: `r_${name}_joint`, axis, range, armature: 0.04, damping })
const solid = { contype: 1, conaffinity: 1 }
const disc = (size: readonly number[], attributes: object) =>
  element('geom', { type: 'cylinder', size, ...part, ...attributes })
const slides = (name: string) =>
  [['y', [0, 1, 0]] as const, ['x', [1, 0, 0]] as const].map(([letter, axis]) =>
    slide({ name: `${name}_slide${letter}`, axis, range: [-10.3213, 10.3], armature: 0.04, damping: 0.5 }),
  )

/** The two fingers, and the bar that they are on. */
const hand = body(
  'r_wrist_roll_link',
  [0, 0, 0],
  joint('wrist_roll', [1, 0, 0], [-1.5, 1.5]),
  body('tips_arm', [0, 0, 0], ball([0.1, -0.1, 0], 0.01), ball([0.1, 0.1, 0], 0.01)),
  bone([0, -0.1, 0, 0, 0.1, 0], 0.02, solid),
  bone([0, -0.1, 0, 0.1, -0.1, 0], 0.02, solid),
  bone([0, 0.1, 0, 0.1, 0.1, 0], 0.02, solid),
)

const forearm = body(
  'r_forearm_link',
  [0, 0, 0],
  bone([0, 0, 0, 0.291, 0, 0], 0.05),
  body(
    'r_wrist_flex_link',
    [0.321, 0, 0],
    bone([0, -0.02, 0, 0, 0.02, 0], 0.01),
    joint('wrist_flex', [0, 1, 0], [-1.094, 0]),
    hand,
  ),
)

const elbow = body(
  'r_elbow_flex_link',
  [0.4, 0, 0],
  bone([0, -0.02, 0, 0, 0.02, 0], 0.06),
  joint('elbow_flex', [0, 1, 0], [-2.3213, 0]),
  body(
    'r_forearm_roll_link',
    [0, 0, 0],
    bone([-0.1, 0, 0, 0.1, 0, 0], 0.02),
    joint('forearm_roll', [1, 0, 0], [-1.5, 1.5]),
    forearm,
  ),
)

const arm = body(
  'r_shoulder_pan_link',
  [0, -0.6, 0],
  ball([-0.06, 0.05, 0.2], 0.05),
  ball([0.06, 0.05, 0.2], 0.05),
  ball([-0.06, 0.09, 0.2], 0.03),
  ball([0.06, 0.09, 0.2], 0.03),
  bone([0, 0, -0.4, 0, 0, 0.2], 0.1),
  joint('shoulder_pan', [0, 0, 1], [-2.2854, 1.714602], 1),
  body(
    'r_shoulder_lift_link',
    [0.1, 0, 0],
    bone([0, -0.1, 0, 0, 0.1, 0], 0.1),
    joint('shoulder_lift', [0, 1, 0], [-0.5236, 1.3963], 1),
    body(
      'r_upper_arm_roll_link',
      [0, 0, 0],
      bone([-0.1, 0, 0, 0.1, 0, 0], 0.02),
      joint('upper_arm_roll', [1, 0, 0], [-1.5, 1.7]),
      body('r_upper_arm_link', [0, 0, 0], bone([0, 0, 0, 0.4, 0, 0], 0.06), elbow),
    ),
  ),
)

const things = [
  body('object', [0.45, -0.05, -0.275], disc([0.05, 0.05, 0.05], { density: 0.01, contype: 1 }), ...slides('obj')),
  body('goal', [0.45, -0.05, -0.323], disc([0.08, 0.001, 0.1], { density: 1e-5 }), ...slides('goal')),
]

const MOTORS = ['shoulder_pan', 'shoulder_lift', 'upper_arm_roll', 'elbow_flex', 'forearm_roll', 'wrist_flex']

/** The object begins at least so far from the goal, in m. */
const APART = 0.17

/**
 * An arm of seven joints pushes an object over a table to a goal.
 *
 *     state: qpos [angles of seven joints, y and x of the object, y and x of the goal], qvel their velocities
 *     observation: angles and velocities of the joints, places of tips, object and goal
 *     reward: −rewardDistWeight |object − goal| − rewardControlWeight |action|² − rewardNearWeight |object − tips|
 *     never ends; velocities start within ± 0.005, the object in a rectangle beside the goal
 *
 * Source: Gymnasium 1.4 Pusher-v5.
 */
export const pusher: Robot<PusherOptions> = {
  id: 'Pusher-v5',
  limit: 100,
  rewardThreshold: 0,
  defaults: { frameSkip: 5, rewardNearWeight: 0.5, rewardDistWeight: 1, rewardControlWeight: 0.1 },
  xml: model(
    {
      compiler: { angle: 'radian' },
      option: { timestep: 0.01, gravity: [0, 0, 0], iterations: 20, integrator: 'Euler' },
    },
    plane({ pos: [0, 0.5, -0.325], size: [1, 1, 0.1], ...part, ...solid }),
    [arm, ...things].join(''),
    [...MOTORS, 'wrist_roll'].map((name) => motor(`r_${name}_joint`, 1, [-2, 2])),
  ),
  seenFrom: 'above',
  goal: 'goal',
  velocityNoise: 'uniform',
  named: 11,
  observe(simulation) {
    const { qpos, qvel } = simulation
    const places = ['tips_arm', 'object', 'goal'].flatMap((name) => placeOf(simulation, name))
    return Float64Array.of(...qpos.subarray(0, 7), ...qvel.subarray(0, 7), ...places)
  },
  info: () => ({}),
  outcome(simulation, { rewardNearWeight, rewardDistWeight, rewardControlWeight }, action) {
    const distance = (a: string, b: string) => Math.sqrt(sumOfSquares(between(simulation, a, b)))
    const rewardNear = -distance('object', 'tips_arm') * rewardNearWeight
    const rewardDist = -distance('object', 'goal') * rewardDistWeight
    const rewardCtrl = -sumOfSquares(action) * rewardControlWeight
    const reward = rewardDist + rewardCtrl + rewardNear
    return { reward, terminated: false, info: { rewardDist, rewardCtrl, rewardNear } }
  },
  begin({ restQpos, restQvel }, draw) {
    const qpos = restQpos.slice()
    const qvel = restQvel.map((v, i, { length }) => (i < length - 4 ? v + 0.005 * draw(length, 1)[i] : 0))
    for (let attempt = 2; ; attempt++) {
      const [u, w] = draw(2, attempt)
      const object = [0.15 * (u - 1), 0.2 * w]
      if (sumOfSquares(object) <= APART * APART) continue
      qpos.set([...object, 0, 0], qpos.length - 4)
      return { qpos, qvel }
    }
  },
}
