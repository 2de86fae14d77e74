import { body, capsule, hinge, model, motor, slide } from './mjcf.ts'
import { everything, type NoiseOptions, type Robot } from './robot.ts'

/** The touching of nothing by a rail, a cart and a pole. */
const touch = { contype: 0, friction: [1, 0.1, 0.1] }
/** A quarter turn about y, to four digits as in Gymnasium's model: along x. */
// biome-ignore lint/suspicious/noApproximativeNumericConstant: the number of the model
const lying = [0.707, 0, 0.707, 0]

/** A rail along x, and a cart on it that carries `pole`. */
export const cartOnRail = (joint: string, pole: string) =>
  [
    capsule({ name: 'rail', quat: lying, size: [0.02, 1], ...touch }),
    body('cart', [0, 0, 0], joint, capsule({ name: 'cart', quat: lying, size: [0.1, 0.1], ...touch }), pole),
  ].join('')

/** A pole of so many metres that stands on what it is in, and what stands on it. */
export const poleOf = (name: string, pos: readonly number[], joint: string, geom: object, more = '') =>
  body(name, pos, joint, capsule({ ...touch, ...geom }), more)

/**
 * A pole on a cart is balanced by a force on the cart (Barto, Sutton & Anderson 1983).
 *
 *     state: qpos [x of the cart, angle of the pole], qvel their velocities
 *     observation: qpos, qvel
 *     reward: 1 unless it ends, which it does beyond 0.2 rad, or where the state is not finite
 *
 * Source: Gymnasium 1.4 InvertedPendulum-v5.
 */
export const invertedPendulum: Robot<NoiseOptions> = {
  id: 'InvertedPendulum-v5',
  rewardThreshold: 950,
  defaults: { frameSkip: 2, resetNoiseScale: 0.01 },
  xml: model(
    { option: { timestep: 0.02, integrator: 'RK4', gravity: [0, 0, -9.81] } },
    '',
    cartOnRail(
      slide({ name: 'slider', axis: [1, 0, 0], range: [-1, 1], damping: 1 }),
      poleOf('pole', [0, 0, 0], hinge({ name: 'hinge', axis: [0, 1, 0], range: [-90, 90], damping: 1 }), {
        ...{ name: 'cpole', fromto: [0, 0, 0, 0.001, 0, 0.6], size: [0.049, 0.3] },
      }),
    ),
    [motor('slider', 100, [-3, 3])],
  ),
  velocityNoise: 'uniform',
  named: 2,
  observe: everything,
  info: () => ({}),
  outcome(simulation) {
    const seen = everything(simulation)
    const terminated = !seen.every(Number.isFinite) || Math.abs(seen[1]) > 0.2
    const reward = terminated ? 0 : 1
    return { reward, terminated, info: { rewardSurvive: reward } }
  },
}
