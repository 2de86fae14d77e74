import { type BuiltIn, specOf } from './builtin.ts'
import { mountainCarScene } from './scenes.ts'
import { box, discrete } from './spaces.ts'

/** In the order in which assembly/envs/mountain-car.ts reads them. Positions have no unit; time is counted in steps. */
const constants = {
  /** position/step², of a push to the left or to the right */
  force: 0.001,
  /** position/step², where the hill sin 3x is steepest */
  gravity: 0.0025,
  /** position of the wall on the left, which takes the velocity */
  minPosition: -1.2,
  maxPosition: 0.6,
  /** position/step; the velocity is clipped to ± this */
  speedLimit: 0.07,
  /** the episode ends at or beyond it ... */
  goalPosition: 0.5,
  /** ... at this velocity or more */
  goalVelocity: 0,
  /** the initial position is uniform between these, the velocity 0 */
  resetLow: -0.6,
  resetHigh: -0.4,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'MountainCar-v0',
  kind: 1,
  stateSize: 2,
  constants,
  maxEpisodeSteps: 200,
  rewardThreshold: -110,
  spaces: ({ minPosition, maxPosition, speedLimit }) => ({
    observationSpace: box([minPosition, -speedLimit].map(Math.fround), [maxPosition, speedLimit].map(Math.fround)),
    actionSpace: discrete(3),
  }),
  render: mountainCarScene,
}

/**
 * Swing a weak car up a hill by pushing left (0), not at all (1) or right (2). Source: Gymnasium 1.4 MountainCar-v0.
 */
export const mountainCar = specOf(task)
