import { type Attributes, body, capsule, element, hinge, model, motor, plane } from './mjcf.ts'
import {
  clip,
  type HealthOptions,
  healthOf,
  observation,
  planeInfo,
  type Range,
  type Robot,
  sumOfSquares,
  within,
} from './robot.ts'

export interface HumanoidOptions extends HealthOptions {
  /** Cost of a sum of squared forces and torques of contact of 1. */
  readonly contactCostWeight: number
  /** That cost is kept in this range. */
  readonly contactCostRange: Range
  /** Shows mass and inertia of every body. */
  readonly includeCinertInObservation: boolean
  /** Shows velocities of every body. */
  readonly includeCvelInObservation: boolean
  /** Shows forces of the motors. */
  readonly includeQfrcActuatorInObservation: boolean
  /** Shows the forces of contact on every body. */
  readonly includeCfrcExtInObservation: boolean
}

const touch = { conaffinity: 1, condim: 1, contype: 1, margin: 0.001 }
const bone = (name: string, fromto: readonly number[], size: number | readonly number[]) =>
  capsule({ name, fromto, size, ...touch })
const ball = (name: string, pos: readonly number[], size: number) =>
  element('geom', { name, type: 'sphere', pos, size, ...touch })
const joint = (name: string, axis: readonly number[], range: Range, attributes: Attributes) =>
  hinge({ name, axis, range, damping: 5, ...attributes })

/** A leg on the side y, which is −1 on the right and 1 on the left. */
function leg(side: 'right' | 'left', y: -1 | 1): string {
  const hip = (name: string, axis: readonly number[], range: Range, attributes: Attributes) =>
    joint(`${side}_hip_${name}`, axis, range, attributes)
  const isRight = side === 'right'
  const knee = { armature: 0.006, damping: 1, pos: [0, 0, 0.02], ...(!isRight && { stiffness: 1 }) }
  return body(
    `${side}_thigh`,
    [0, 0.1 * y, -0.04],
    hip('x', [-y, 0, 0], [-25, 5], { armature: 0.01, stiffness: 10 }),
    hip('z', [0, 0, -y], [-60, 35], { armature: 0.01, stiffness: 10 }),
    hip('y', [0, 1, 0], [-110, 20], { armature: isRight ? 0.008 : 0.01, stiffness: 20 }),
    bone(`${side}_thigh1`, [0, 0, 0, 0, -0.01 * y, -0.34], 0.06),
    body(
      `${side}_shin`,
      [0, -0.01 * y, -0.403],
      joint(`${side}_knee`, [0, -1, 0], [-160, -2], knee),
      bone(`${side}_shin1`, [0, 0, 0, 0, 0, -0.3], 0.049),
      body(`${side}_foot`, [0, 0, -0.45], ball(`${side}_foot`, [0, 0, 0.1], 0.075)),
    ),
  )
}

function upperLimb(side: 'right' | 'left', y: -1 | 1): string {
  const range: Range = side === 'right' ? [-85, 60] : [-60, 85]
  const shoulder = { damping: 1, stiffness: 1 }
  return body(
    `${side}_upper_arm`,
    [0, 0.17 * y, 0.06],
    joint(`${side}_shoulder1`, [2, -y, 1], range, { armature: 0.0068, ...shoulder }),
    joint(`${side}_shoulder2`, [0, y, 1], range, { armature: 0.0051, ...shoulder }),
    bone(`${side}_uarm1`, [0, 0, 0, 0.16, 0.16 * y, -0.16], [0.04, 0.16]),
    body(
      `${side}_lower_arm`,
      [0.18, 0.18 * y, -0.18],
      joint(`${side}_elbow`, [0, -1, -y], [-90, 50], { armature: 0.0028, damping: 1 }),
      bone(`${side}_larm`, [0.01, -0.01 * y, 0.01, 0.17, -0.17 * y, 0.17], 0.031),
      ball(`${side}_hand`, [0.18, -0.18 * y, 0.18], 0.04),
    ),
  )
}

/** A body that is turned by a hair about y, as in Gymnasium's model. */
const tilted = (name: string, pos: readonly number[], ...children: readonly string[]) =>
  element('body', { name, pos, quat: [1, 0, -0.002, 0] }, ...children)

const trunk = { armature: 0.02 }
const robot = body(
  'torso',
  [0, 0, 1.4],
  element('joint', { name: 'root', type: 'free' }),
  bone('torso1', [0, -0.07, 0, 0, 0.07, 0], 0.07),
  ball('head', [0, 0, 0.19], 0.09),
  bone('uwaist', [-0.01, -0.06, -0.12, -0.01, 0.06, -0.12], 0.06),
  tilted(
    'lwaist',
    [-0.01, 0, -0.26],
    bone('lwaist', [0, -0.06, 0, 0, 0.06, 0], 0.06),
    joint('abdomen_z', [0, 0, 1], [-45, 45], { ...trunk, pos: [0, 0, 0.065], stiffness: 20 }),
    joint('abdomen_y', [0, 1, 0], [-75, 30], { ...trunk, pos: [0, 0, 0.065], stiffness: 10 }),
    tilted(
      'pelvis',
      [0, 0, -0.165],
      joint('abdomen_x', [1, 0, 0], [-35, 35], { ...trunk, pos: [0, 0, 0.1], stiffness: 10 }),
      bone('butt', [-0.02, -0.07, 0, -0.02, 0.07, 0], 0.09),
      leg('right', -1),
      leg('left', 1),
    ),
  ),
  upperLimb('right', -1),
  upperLimb('left', 1),
)

/** A joint, and the torque of an action of 1 on it. */
type Gear = readonly [joint: string, gear: number]

const limbs = (side: string): Gear[] => [
  [`${side}_hip_x`, 100],
  [`${side}_hip_z`, 100],
  [`${side}_hip_y`, 300],
  [`${side}_knee`, 200],
]
const shoulders = (side: string) => ['shoulder1', 'shoulder2', 'elbow'].map((name): Gear => [`${side}_${name}`, 25])
const gears: readonly Gear[] = [
  ...['abdomen_y', 'abdomen_z', 'abdomen_x'].map((name): Gear => [name, 100]),
  ...[...limbs('right'), ...limbs('left'), ...shoulders('right'), ...shoulders('left')],
]

const hipAndKnee = (side: string) =>
  element(
    'fixed',
    { name: `${side}_hipknee` },
    element('joint', { coef: -1, joint: `${side}_hip_y` }),
    element('joint', { coef: 1, joint: `${side}_knee` }),
  )

const whole = (simulation: Parameters<typeof planeInfo>[0]) => {
  const { xPosition, yPosition, distanceFromOrigin } = planeInfo(simulation)
  const { tendonLength, tendonVelocity } = simulation
  return {
    ...{ xPosition, yPosition },
    ...{ tendonLength: Array.from(tendonLength), tendonVelocity: Array.from(tendonVelocity), distanceFromOrigin },
  }
}

/**
 * A humanoid of seventeen motors walks along x (Tassa, Erez & Todorov 2012).
 *
 *     state: qpos [x, y, z, quaternion, 17 joints], qvel [velocity, angular velocity, joints]
 *     observation: qpos without x and y, qvel, inertias and velocities of the 13 bodies, forces of the motors, forces
 *       of contact on the bodies
 *     reward: forwardRewardWeight ẋ of the centre of mass + healthyReward if healthy − ctrlCostWeight |action|²
 *       − contactCostWeight |forces|² within its range
 *     ends when not healthy: height of the torso out of range
 *
 * Source: Gymnasium 1.4 Humanoid-v5.
 */
export const humanoid: Robot<HumanoidOptions> = {
  id: 'Humanoid-v5',
  defaults: {
    frameSkip: 5,
    forwardRewardWeight: 1.25,
    ctrlCostWeight: 0.1,
    contactCostWeight: 5e-7,
    contactCostRange: [Number.NEGATIVE_INFINITY, 10],
    healthyReward: 5,
    terminateWhenUnhealthy: true,
    healthyZRange: [1, 2],
    resetNoiseScale: 1e-2,
    excludeCurrentPositionsFromObservation: true,
    includeCinertInObservation: true,
    includeCvelInObservation: true,
    includeQfrcActuatorInObservation: true,
    includeCfrcExtInObservation: true,
  },
  xml: model(
    { option: { timestep: 0.003, integrator: 'RK4', iterations: 50, solver: 'PGS' } },
    plane({ name: 'floor', size: [20, 20, 0.125], ...touch, condim: 3, friction: [1, 0.1, 0.1] }),
    robot,
    gears.map(([name, gear]) => motor(name, gear, [-0.4, 0.4])),
    element('tendon', {}, hipAndKnee('left'), hipAndKnee('right')),
  ),
  velocityNoise: 'uniform',
  named: 7,
  contactForces: true,
  observe(simulation, options) {
    const { cinert, cvel, actuatorForces, cfrcExt } = simulation
    // The first row is the world's; the root has no motor.
    const more = [
      ...(options.includeCinertInObservation ? cinert.subarray(10) : []),
      ...(options.includeCvelInObservation ? cvel.subarray(6) : []),
      ...(options.includeQfrcActuatorInObservation ? actuatorForces.subarray(6) : []),
      ...(options.includeCfrcExtInObservation ? cfrcExt.subarray(6) : []),
    ]
    return observation(simulation, options, 2, { more })
  },
  position({ facts: { masses }, xipos }) {
    const total = masses.reduce((sum, mass) => sum + mass, 0)
    return [0, 1].map((k) => masses.reduce((sum, mass, i) => sum + mass * xipos[3 * i + k], 0) / total)
  },
  info: whole,
  health: ({ qpos }, options) => healthOf(within(qpos[2], options.healthyZRange), options),
  contactCost({ cfrcExt }, { contactCostWeight, contactCostRange: [low, high] }) {
    return clip(contactCostWeight * sumOfSquares(cfrcExt), low, high)
  },
}
