import { type BuiltIn, specOf } from './builtin.ts'
import { mountainCarScene } from './scenes.ts'
import { box } from './spaces.ts'

/**
 * In the order in which assembly/envs/mountain-car-continuous.ts reads them. Positions have no unit; time is counted in
 * steps.
 */
const constants = {
  /** position/step² for a force of 1 */
  power: 0.0015,
  /** position/step², where the hill sin 3x is steepest */
  gravity: 0.0025,
  /** the force is the action clipped to ± this */
  forceLimit: 1,
  /** position of the wall on the left, which takes the velocity */
  minPosition: -1.2,
  maxPosition: 0.6,
  /** position/step; the velocity is clipped to ± this */
  speedLimit: 0.07,
  /** the episode ends at or beyond it ... */
  goalPosition: 0.45,
  /** ... at this velocity or more */
  goalVelocity: 0,
  /** reward of reaching the goal */
  goalReward: 100,
  /** reward lost for the square of the action, which is not clipped here */
  actionCost: 0.1,
  /** the initial position is uniform between these, the velocity 0 */
  resetLow: -0.6,
  resetHigh: -0.4,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'MountainCarContinuous-v0',
  kind: 2,
  stateSize: 2,
  constants,
  maxEpisodeSteps: 999,
  clipsActions: true,
  rewardThreshold: 90,
  spaces: ({ minPosition, maxPosition, speedLimit, forceLimit }) => ({
    observationSpace: box([minPosition, -speedLimit].map(Math.fround), [maxPosition, speedLimit].map(Math.fround)),
    actionSpace: box([-forceLimit], [forceLimit]),
  }),
  render: mountainCarScene,
}

/**
 * Swing a weak car up a hill with little force. The state is float32 after a step. Source: Gymnasium 1.4
 * MountainCarContinuous-v0.
 */
export const mountainCarContinuous = specOf(task)
