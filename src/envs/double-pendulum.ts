import { type BuiltIn, specOf } from './builtin.ts'
import { rllabTask } from './cart-and-pole.ts'
import { doublePendulumScene } from './scenes.ts'
import { box } from './spaces.ts'

/** In the order in which assembly/envs/double-pendulum.ts reads them. */
const constants = {
  /** Box2D's solver, which the published returns were reached with, or the exact equations: docs/rllab.md */
  physics: 0,
  /** the tip as rllab computes it, left and right exchanged, or where it is */
  tip: 0,
  /** m/s² */
  gravity: 10,
  /** kg/m²: a link has 0.5 kg */
  density: 5,
  /** m */
  linkWidth: 0.1,
  /** m */
  linkLength: 1,
  /** N m between the links at an action of 1 */
  torque: 50,
  /** s */
  timeStep: 0.01,
  /** time steps of one step of the environment */
  frames: 2,
  /** rounds that close the joints again; box2d only */
  positionIterations: 20,
  /** rad; standard deviation of the initial angles */
  resetAngle: 0.1,
  /** rad/s; standard deviation of the initial angular velocities */
  resetSpeed: 0.01,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'DoublePendulum',
  kind: 7,
  ...rllabTask,
  stateSize: 16,
  constants,
  words: { ...rllabTask.words, tip: ['rllab', 'corrected'] },
  spaces: () => ({
    observationSpace: box([-1, -1, -Infinity, -1, -1, -Infinity], [1, 1, Infinity, 1, 1, Infinity]),
    actionSpace: box([-1], [1]),
  }),
  render: doublePendulumScene,
}

/**
 * Swing two hanging links up with a torque of ±50 N m between them. Source: rllab's DoublePendulumEnv under normalize.
 */
export const doublePendulum = specOf(task)
