import { type Attributes, body, capsule, hinge, model, motor, planarRoot, plane } from './mjcf.ts'
import { observation, type Robot, type RobotOptions } from './robot.ts'

const touch = { contype: 1, condim: 3, friction: [0.4, 0.1, 0.1], solref: [0.02, 1], solimp: [0, 0.8, 0.01] }
const RADIUS = 0.046
/** A capsule about its own middle, turned by `angle` about y from upright. */
const bone = (name: string, pos: readonly number[], angle: number, halfLength: number) =>
  capsule({ name, pos, axisangle: [0, 1, 0, angle], size: [RADIUS, halfLength], conaffinity: 0, ...touch })
/** How hard the ends of a joint's range are. */
const limits = { solreflimit: [0.02, 1], solimplimit: [0, 0.8, 0.03] }
const joint = (name: string, attributes: Attributes) =>
  hinge({ name, axis: [0, 1, 0], armature: 0.1, ...limits, ...attributes })

const backLeg = body(
  'bthigh',
  [-0.5, 0, 0],
  joint('bthigh', { range: [-0.52, 1.05], stiffness: 240, damping: 6 }),
  bone('bthigh', [0.1, 0, -0.13], -3.8, 0.145),
  body(
    'bshin',
    [0.16, 0, -0.25],
    joint('bshin', { range: [-0.785, 0.785], stiffness: 180, damping: 4.5 }),
    bone('bshin', [-0.14, 0, -0.07], -2.03, 0.15),
    body(
      'bfoot',
      [-0.28, 0, -0.14],
      joint('bfoot', { range: [-0.4, 0.785], stiffness: 120, damping: 3 }),
      bone('bfoot', [0.03, 0, -0.097], -0.27, 0.094),
    ),
  ),
)

const frontLeg = body(
  'fthigh',
  [0.5, 0, 0],
  joint('fthigh', { range: [-1, 0.7], stiffness: 180, damping: 4.5 }),
  bone('fthigh', [-0.07, 0, -0.12], 0.52, 0.133),
  body(
    'fshin',
    [-0.14, 0, -0.24],
    joint('fshin', { range: [-1.2, 0.87], stiffness: 120, damping: 3 }),
    bone('fshin', [0.065, 0, -0.09], -0.6, 0.106),
    body(
      'ffoot',
      [0.13, 0, -0.18],
      joint('ffoot', { range: [-0.5, 0.5], stiffness: 60, damping: 1.5 }),
      bone('ffoot', [0.045, 0, -0.07], -0.6, 0.07),
    ),
  ),
)

const robot = body(
  'torso',
  [0, 0, 0.7],
  planarRoot(0, limits),
  capsule({ name: 'torso', fromto: [-0.5, 0, 0, 0.5, 0, 0], size: RADIUS, conaffinity: 0, ...touch }),
  bone('head', [0.6, 0, 0.1], 0.87, 0.15),
  backLeg,
  frontLeg,
)

/**
 * A cheetah of one back and one front leg runs along x in the plane y = 0 (Wawrzyński 2009).
 *
 *     state: qpos [x, z, pitch, back thigh, shin, foot, front thigh, shin, foot], qvel their velocities
 *     observation: qpos without x, qvel
 *     reward: forwardRewardWeight ẋ − ctrlCostWeight |action|², never ends
 *
 * Source: Gymnasium 1.4 HalfCheetah-v5.
 */
export const halfCheetah: Robot<RobotOptions> = {
  id: 'HalfCheetah-v5',
  rewardThreshold: 4800,
  defaults: {
    frameSkip: 5,
    forwardRewardWeight: 1,
    ctrlCostWeight: 0.1,
    resetNoiseScale: 0.1,
    excludeCurrentPositionsFromObservation: true,
  },
  xml: model(
    { compiler: { angle: 'radian', settotalmass: 14 }, option: { timestep: 0.01 } },
    plane({ conaffinity: 1, ...touch }),
    robot,
    [
      motor('bthigh', 120),
      motor('bshin', 90),
      motor('bfoot', 60),
      motor('fthigh', 120),
      motor('fshin', 60),
      motor('ffoot', 30),
    ],
  ),
  velocityNoise: 'normal',
  named: 1,
  observe: (simulation, options) => observation(simulation, options, 1),
  position: ({ qpos }) => [qpos[0]],
  info: ({ qpos }) => ({ xPosition: qpos[0] }),
}
