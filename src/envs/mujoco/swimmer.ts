import { body, capsule, hinge, model, motor, plane, slide } from './mjcf.ts'
import { observation, planeInfo, type Robot, type RobotOptions } from './robot.ts'

const ARMATURE = 0.1
/** Nothing touches anything. */
const apart = { contype: 0, conaffinity: 0 }
/** A capsule of radius 0.1 m along x. */
const link = (from: number, to: number) =>
  capsule({ fromto: [from, 0, 0, to, 0, 0], size: 0.1, density: 1000, condim: 1, ...apart })
const rotor = (name: string, degrees: readonly number[] = []) =>
  hinge({ name, axis: [0, 0, 1], armature: ARMATURE, ...(degrees.length && { range: degrees }) })

const robot = body(
  'torso',
  [0, 0, 0],
  link(1.5, 0.5),
  slide({ name: 'slider1', axis: [1, 0, 0], armature: ARMATURE }),
  slide({ name: 'slider2', axis: [0, 1, 0], armature: ARMATURE }),
  rotor('free_body_rot'),
  body(
    'mid',
    [0.5, 0, 0],
    link(0, -1),
    rotor('motor1_rot', [-100, 100]),
    body('back', [-1, 0, 0], link(0, -1), rotor('motor2_rot', [-100, 100])),
  ),
)

/**
 * Three links in a viscous fluid swim along x by torques on their two joints (Coulom 2002).
 *
 *     state: qpos [x, y, angle of the front link, angles of the two joints], qvel their velocities
 *     observation: qpos without x and y, qvel
 *     reward: forwardRewardWeight ẋ − ctrlCostWeight |action|², never ends
 *
 * Source: Gymnasium 1.4 Swimmer-v5.
 */
export const swimmer: Robot<RobotOptions> = {
  id: 'Swimmer-v5',
  rewardThreshold: 360,
  defaults: {
    frameSkip: 4,
    forwardRewardWeight: 1,
    ctrlCostWeight: 1e-4,
    resetNoiseScale: 0.1,
    excludeCurrentPositionsFromObservation: true,
  },
  xml: model(
    { option: { timestep: 0.01, integrator: 'RK4', density: 4000, viscosity: 0.1 } },
    plane({ pos: [0, 0, -0.1], size: [40, 40, 0.1], ...apart }),
    robot,
    [motor('motor1_rot', 150), motor('motor2_rot', 150)],
  ),
  seenFrom: 'above',
  velocityNoise: 'uniform',
  named: 2,
  observe: (simulation, options) => observation(simulation, options, 2),
  position: ({ qpos: [x, y] }) => [x, y],
  info: planeInfo,
}
