import { type BuiltIn, specOf } from './builtin.ts'
import { cartAndPole, cartAndPoleTask } from './cart-and-pole.ts'
import { rllabCartpoleScene } from './scenes.ts'

/** In the order in which assembly/envs/cartpole-swingup.ts reads them. */
const constants = {
  ...cartAndPole,
  /** m; the episode ends beyond it */
  positionLimit: 3,
  /** m; the initial position is uniform within ± this */
  resetPosition: 1,
  /** m/s */
  resetVelocity: 2,
  /** rad; the pole starts within ± this of hanging */
  resetAngle: 1,
  /** rad/s */
  resetSpeed: 3,
  /** reward of the step that leaves the track */
  endReward: -100,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'CartpoleSwingup',
  kind: 6,
  ...cartAndPoleTask,
  constants,
  render: (state, constants) => rllabCartpoleScene(state, constants, true),
}

/** Swing a hanging pole up and hold it, with ±10 N on its cart. Source: rllab's CartpoleSwingupEnv under normalize. */
export const cartpoleSwingup = specOf(task)
