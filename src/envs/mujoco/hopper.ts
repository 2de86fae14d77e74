import { body, capsule, hinge, model, motor, planarRoot, plane } from './mjcf.ts'
import { type HealthOptions, healthOf, heightInfo, observation, type Range, type Robot, within } from './robot.ts'

export interface HopperOptions extends HealthOptions {
  /** Every other position and every velocity must be inside. */
  readonly healthyStateRange: Range
  /** Pitch of the torso that is healthy, in rad. */
  readonly healthyAngleRange: Range
}

const touch = { contype: 1, conaffinity: 1, margin: 0.001, solref: [0.02, 1], solimp: [0.8, 0.8, 0.01] }
const part = { condim: 1, friction: 0.9, ...touch }
const joint = (name: string, range: Range, pos: readonly number[]) =>
  hinge({ name, axis: [0, -1, 0], pos, range, armature: 1, damping: 1 })

/** Quarter turn about y: along x. */
const lying = [Math.SQRT1_2, 0, -Math.SQRT1_2, 0]
const HEIGHT = 1.25

const robot = body(
  'torso',
  [0, 0, HEIGHT],
  planarRoot(HEIGHT),
  capsule({ name: 'torso_geom', size: [0.05, 0.2], ...part }),
  body(
    'thigh',
    [0, 0, -0.2],
    joint('thigh_joint', [-150, 0], [0, 0, 0]),
    capsule({ name: 'thigh_geom', pos: [0, 0, -0.225], size: [0.05, 0.225], ...part }),
    body(
      'leg',
      [0, 0, -0.7],
      joint('leg_joint', [-150, 0], [0, 0, 0.25]),
      capsule({ name: 'leg_geom', size: [0.04, 0.25], ...part }),
      body(
        'foot',
        [0.13, 0, -0.35],
        joint('foot_joint', [-45, 45], [-0.13, 0, 0.1]),
        capsule({ name: 'foot_geom', pos: [-0.065, 0, 0.1], quat: lying, size: [0.06, 0.195], ...part, friction: 2 }),
      ),
    ),
  ),
)

/**
 * One leg hops along x in the plane y = 0 (Erez, Tassa & Todorov 2011).
 *
 *     state: qpos [x, z, pitch, thigh, leg, foot], qvel their velocities
 *     observation: qpos without x, qvel clipped to ± 10
 *     reward: forwardRewardWeight ẋ + healthyReward if healthy − ctrlCostWeight |action|²
 *     ends when not healthy: height, pitch or any other state out of range
 *
 * Source: Gymnasium 1.4 Hopper-v5.
 */
export const hopper: Robot<HopperOptions> = {
  id: 'Hopper-v5',
  rewardThreshold: 3800,
  defaults: {
    frameSkip: 4,
    forwardRewardWeight: 1,
    ctrlCostWeight: 1e-3,
    healthyReward: 1,
    terminateWhenUnhealthy: true,
    healthyStateRange: [-100, 100],
    healthyZRange: [0.7, Number.POSITIVE_INFINITY],
    healthyAngleRange: [-0.2, 0.2],
    resetNoiseScale: 5e-3,
    excludeCurrentPositionsFromObservation: true,
  },
  xml: model(
    { option: { timestep: 0.002, integrator: 'RK4' } },
    plane({ size: [20, 20, 0.125], condim: 3, ...touch }),
    robot,
    [motor('thigh_joint', 200), motor('leg_joint', 200), motor('foot_joint', 200)],
  ),
  velocityNoise: 'uniform',
  named: 3,
  observe: (simulation, options) => observation(simulation, options, 1, { limit: 10 }),
  position: ({ qpos }) => [qpos[0]],
  info: heightInfo,
  health({ qpos, qvel }, options) {
    const inside = (x: number) => within(x, options.healthyStateRange)
    const upright = within(qpos[1], options.healthyZRange) && within(qpos[2], options.healthyAngleRange)
    return healthOf(upright && qpos.subarray(2).every(inside) && qvel.every(inside), options)
  },
}
