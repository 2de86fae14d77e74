import { cartOnRail, poleOf } from './inverted-pendulum.ts'
import { element, hinge, model, motor, plane, slide } from './mjcf.ts'
import { clip, type NoiseOptions, type Robot } from './robot.ts'

export interface DoublePendulumOptions extends NoiseOptions {
  /** Reward of a step that does not end the episode. */
  readonly healthyReward: number
}

const DAMPING = 0.05
const bone = (name: string) => ({ name, fromto: [0, 0, 0, 0, 0, 0.6], size: [0.045, 0.3] })
const joint = (name: string) => hinge({ name, axis: [0, 1, 0], damping: DAMPING })

const poles = poleOf(
  'pole',
  [0, 0, 0],
  joint('hinge'),
  bone('cpole'),
  poleOf(
    'pole2',
    [0, 0, 0.6],
    joint('hinge2'),
    bone('cpole2'),
    element('site', { name: 'tip', pos: [0, 0, 0.6], size: [0.01, 0.01] }),
  ),
)

/**
 * Two poles on a cart, one on top of the other, are balanced by a force on the cart.
 *
 *     state: qpos [x of the cart, angles of both hinges], qvel their velocities
 *     observation: x, sines and cosines of the angles, qvel within ± 10, force on the cart at the ends of its rail
 *     reward: healthyReward unless it ends − 0.01 x² − (z − 2)² of the tip − 10⁻³ ω₁² − 5·10⁻³ ω₂²
 *     ends when the tip is at z ≤ 1
 *
 * Source: Gymnasium 1.4 InvertedDoublePendulum-v5.
 */
export const invertedDoublePendulum: Robot<DoublePendulumOptions> = {
  id: 'InvertedDoublePendulum-v5',
  rewardThreshold: 9100,
  defaults: { frameSkip: 5, healthyReward: 10, resetNoiseScale: 0.1 },
  xml: model(
    { option: { timestep: 0.01, integrator: 'RK4', gravity: [1e-5, 0, -9.81] } },
    plane({ name: 'floor', pos: [0, 0, -3], contype: 0, friction: [1, 0.1, 0.1] }),
    cartOnRail(slide({ name: 'slider', axis: [1, 0, 0], range: [-1, 1], margin: 0.01, damping: DAMPING }), poles),
    [motor('slider', 500)],
  ),
  velocityNoise: 'normal',
  named: 3,
  observe({ qpos, qvel, trig, constraintForces }) {
    const angles = qpos.subarray(1)
    return Float64Array.of(
      qpos[0],
      ...Array.from(angles, trig.sin),
      ...Array.from(angles, trig.cos),
      ...Array.from(qvel, (v) => clip(v, -10, 10)),
      clip(constraintForces[0], -10, 10),
    )
  },
  info: () => ({}),
  outcome({ siteXpos, qvel }, { healthyReward }) {
    const [x, , z] = siteXpos
    const terminated = z <= 1
    const distance = 0.01 * x * x + (z - 2) * (z - 2)
    const velocity = 1e-3 * qvel[1] * qvel[1] + 5e-3 * qvel[2] * qvel[2]
    const survive = terminated ? 0 : healthyReward
    return {
      reward: survive - distance - velocity,
      terminated,
      info: { rewardSurvive: survive, distancePenalty: -distance, velocityPenalty: -velocity },
    }
  },
}
