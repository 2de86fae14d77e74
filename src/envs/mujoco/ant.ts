import { body, capsule, element, hinge, model, motor, plane } from './mjcf.ts'
import {
  clip,
  type HealthOptions,
  healthOf,
  observation,
  planeInfo,
  type Range,
  type Robot,
  sumOfSquares,
} from './robot.ts'
import type { Simulation } from './simulation.ts'

export interface AntOptions extends HealthOptions {
  /** Cost of a sum of squared, clipped contact forces and torques of 1. */
  readonly contactCostWeight: number
  /** Forces of contact are clipped to it, in the observation and in their cost. */
  readonly contactForceRange: Range
  /** The body whose progress is rewarded, by number or name. */
  readonly mainBody: number | string
  /** Shows the forces of contact on every body. */
  readonly includeCfrcExtInObservation: boolean
}

const touch = { contype: 1, condim: 3, margin: 0.01, density: 5, friction: [1, 0.5, 0.5] }
const bone = (to: readonly number[]) => capsule({ fromto: [0, 0, 0, ...to], size: 0.08, conaffinity: 0, ...touch })
const joint = (name: string, axis: readonly number[], range: Range) =>
  hinge({ name, axis, range, armature: 1, damping: 1 })

/** The leg that points to (x, y), which are ± 1. */
function leg(number: number, name: string, x: number, y: number): string {
  const end = [0.2 * x, 0.2 * y, 0]
  return body(
    name,
    [0, 0, 0],
    bone(end),
    body(
      `aux_${number}`,
      end,
      joint(`hip_${number}`, [0, 0, 1], [-30, 30]),
      bone(end),
      body(
        `ankle_${number}`,
        end,
        joint(`ankle_${number}`, [-x * y, 1, 0], x > 0 ? [30, 70] : [-70, -30]),
        bone([0.4 * x, 0.4 * y, 0]),
      ),
    ),
  )
}

const robot = body(
  'torso',
  [0, 0, 0.75],
  element('geom', { name: 'torso_geom', type: 'sphere', size: 0.25, conaffinity: 0, ...touch }),
  element('joint', { name: 'root', type: 'free', margin: 0.01 }),
  leg(1, 'front_left_leg', 1, 1),
  leg(2, 'front_right_leg', -1, 1),
  leg(3, 'back_leg', -1, -1),
  leg(4, 'right_back_leg', 1, -1),
)

/** Clipped torques and forces of contact [nbody, 6]. */
const contactForces = ({ cfrcExt }: Simulation, { contactForceRange: [low, high] }: AntOptions) =>
  cfrcExt.map((x) => clip(x, low, high))

/**
 * A torso on four legs walks along x (Schulman et al. 2015).
 *
 *     state: qpos [x, y, z, quaternion, hip and ankle of four legs], qvel [velocity, angular velocity, joints]
 *     observation: qpos without x and y, qvel, clipped forces of contact on the 13 bodies
 *     reward: forwardRewardWeight ẋ + healthyReward if healthy − ctrlCostWeight |action|² − contactCostWeight |forces|²
 *     ends when not healthy: height out of range, or a state that is not finite
 *
 * The first two actions drive leg 4, the others legs 1 to 3. Source: Gymnasium 1.4 Ant-v5.
 */
export const ant: Robot<AntOptions> = {
  id: 'Ant-v5',
  rewardThreshold: 6000,
  defaults: {
    frameSkip: 5,
    forwardRewardWeight: 1,
    ctrlCostWeight: 0.5,
    contactCostWeight: 5e-4,
    healthyReward: 1,
    mainBody: 1,
    terminateWhenUnhealthy: true,
    healthyZRange: [0.2, 1],
    contactForceRange: [-1, 1],
    resetNoiseScale: 0.1,
    excludeCurrentPositionsFromObservation: true,
    includeCfrcExtInObservation: true,
  },
  xml: model(
    { option: { timestep: 0.01, integrator: 'RK4' } },
    plane({ conaffinity: 1, ...touch }),
    robot,
    [4, 1, 2, 3].flatMap((number) => [motor(`hip_${number}`, 150), motor(`ankle_${number}`, 150)]),
  ),
  velocityNoise: 'normal',
  named: 3,
  contactForces: true,
  observe: (simulation, options) =>
    observation(simulation, options, 2, {
      // The first row is the world's.
      more: options.includeCfrcExtInObservation ? contactForces(simulation, options).subarray(6) : [],
    }),
  position(simulation, { mainBody }) {
    const first = 3 * simulation.bodyNumber(mainBody)
    return [simulation.xpos[first], simulation.xpos[first + 1]]
  },
  info: planeInfo,
  health({ qpos, qvel }, options) {
    const [low, high] = options.healthyZRange
    const finite = qpos.every(Number.isFinite) && qvel.every(Number.isFinite)
    return healthOf(finite && low <= qpos[2] && qpos[2] <= high, options)
  },
  contactCost: (simulation, options) => options.contactCostWeight * sumOfSquares(contactForces(simulation, options)),
}
