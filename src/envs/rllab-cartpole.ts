import { type BuiltIn, specOf } from './builtin.ts'
import { cartAndPole, cartAndPoleTask } from './cart-and-pole.ts'
import { rllabCartpoleScene } from './scenes.ts'

/** In the order in which assembly/envs/rllab-cartpole.ts reads them. */
const constants = {
  ...cartAndPole,
  /** m; the episode ends beyond it */
  positionLimit: 2.4,
  /** rad; the episode ends beyond it */
  angleLimit: 0.2,
  /** m; the initial position is uniform within ± this */
  resetPosition: 0.05 * 2.4,
  /** m/s */
  resetVelocity: 0.05 * 4,
  /** rad */
  resetAngle: 0.05 * 0.2,
  /** rad/s */
  resetSpeed: 0.05 * 4,
  /** reward of a step while the pole stands */
  liveReward: 10,
  /** cost of a force, in reward/N² */
  forceCost: 1e-5,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'RllabCartpole',
  kind: 5,
  ...cartAndPoleTask,
  constants,
  render: (state, constants) => rllabCartpoleScene(state, constants, false),
}

/** Balance a pole on a cart with a force of ±10 N. Source: rllab's CartpoleEnv under normalize. */
export const rllabCartpole = specOf(task)
