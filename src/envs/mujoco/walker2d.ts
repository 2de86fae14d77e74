import { body, capsule, hinge, model, motor, planarRoot, plane } from './mjcf.ts'
import { type HealthOptions, healthOf, heightInfo, observation, type Range, type Robot, within } from './robot.ts'

export interface Walker2dOptions extends HealthOptions {
  /** Pitch of the torso that is healthy, in rad. */
  readonly healthyAngleRange: Range
}

/** Parts touch the floor and not each other. */
const part = (friction: number) => ({
  contype: 1,
  conaffinity: 0,
  condim: 3,
  density: 1000,
  friction: [friction, 0.1, 0.1],
})
const joint = (name: string, range: Range, pos: readonly number[]) =>
  hinge({ name, axis: [0, -1, 0], pos, range, armature: 0.01, damping: 0.1 })

/** Quarter turn about y: along x. */
const lying = [Math.SQRT1_2, 0, -Math.SQRT1_2, 0]
const HEIGHT = 1.25

const leg = (side: '' | '_left') =>
  body(
    `thigh${side}`,
    [0, 0, -0.2],
    joint(`thigh${side}_joint`, [-150, 0], [0, 0, 0]),
    capsule({ name: `thigh${side}_geom`, pos: [0, 0, -0.225], size: [0.05, 0.225], ...part(0.9) }),
    body(
      `leg${side}`,
      [0, 0, -0.7],
      joint(`leg${side}_joint`, [-150, 0], [0, 0, 0.25]),
      capsule({ name: `leg${side}_geom`, size: [0.04, 0.25], ...part(0.9) }),
      body(
        `foot${side}`,
        [0.2, 0, -0.35],
        joint(`foot${side}_joint`, [-45, 45], [-0.2, 0, 0.1]),
        capsule({ name: `foot${side}_geom`, pos: [-0.1, 0, 0.1], quat: lying, size: [0.06, 0.1], ...part(1.9) }),
      ),
    ),
  )

const motorsOf = (side: '' | '_left') => ['thigh', 'leg', 'foot'].map((part) => motor(`${part}${side}_joint`, 100))

/**
 * Two legs walk along x in the plane y = 0: a hopper with a second leg.
 *
 *     state: qpos [x, z, pitch, thigh, leg, foot, left thigh, leg, foot], qvel their velocities
 *     observation: qpos without x, qvel clipped to ± 10
 *     reward: forwardRewardWeight ẋ + healthyReward if healthy − ctrlCostWeight |action|²
 *     ends when not healthy: height or pitch out of range
 *
 * Source: Gymnasium 1.4 Walker2d-v5, whose feet both have friction 1.9.
 */
export const walker2d: Robot<Walker2dOptions> = {
  id: 'Walker2d-v5',
  defaults: {
    frameSkip: 4,
    forwardRewardWeight: 1,
    ctrlCostWeight: 1e-3,
    healthyReward: 1,
    terminateWhenUnhealthy: true,
    healthyZRange: [0.8, 2],
    healthyAngleRange: [-1, 1],
    resetNoiseScale: 5e-3,
    excludeCurrentPositionsFromObservation: true,
  },
  xml: model(
    { option: { timestep: 0.002, integrator: 'RK4' } },
    plane({ ...part(0.7), conaffinity: 1 }),
    body(
      'torso',
      [0, 0, HEIGHT],
      planarRoot(HEIGHT),
      capsule({ name: 'torso_geom', size: [0.05, 0.2], ...part(0.9) }),
      leg(''),
      leg('_left'),
    ),
    [...motorsOf(''), ...motorsOf('_left')],
  ),
  velocityNoise: 'uniform',
  named: 3,
  observe: (simulation, options) => observation(simulation, options, 1, { limit: 10 }),
  position: ({ qpos }) => [qpos[0]],
  info: heightInfo,
  health: ({ qpos }, options) =>
    healthOf(within(qpos[1], options.healthyZRange) && within(qpos[2], options.healthyAngleRange), options),
}
