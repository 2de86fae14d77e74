import { type BuiltIn, specOf } from './builtin.ts'
import { acrobotScene } from './scenes.ts'
import { box, discrete } from './spaces.ts'

/** In the order in which assembly/envs/acrobot.ts reads them. */
const constants = {
  /** m/s² */
  gravity: 9.8,
  /** m, of the first link; that of the second does not enter the equations */
  length: 1.0,
  /** kg */
  mass1: 1.0,
  mass2: 1.0,
  /** m, from the upper end of a link to its centre of mass */
  centre1: 0.5,
  centre2: 0.5,
  /** kg m², of each link about its centre of mass */
  inertia: 1.0,
  /** N m, on the joint between the links, in either direction */
  torque: 1.0,
  /** s */
  timeStep: 0.2,
  /** rad/s; the angular velocities are clipped to ± these */
  speedLimit1: 4 * Math.PI,
  speedLimit2: 9 * Math.PI,
  /** the episode ends when -cos θ1 - cos(θ1 + θ2), the height of the tip with links of length 1, is more */
  goalHeight: 1.0,
  /** every component of the initial state is uniform within ± this */
  resetRange: 0.1,
  /** those of Sutton and Barto's book or of the NIPS paper of 1996 */
  equations: 0,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'Acrobot-v1',
  kind: 4,
  stateSize: 4,
  constants,
  words: { equations: ['book', 'nips'] },
  maxEpisodeSteps: 500,
  rewardThreshold: -100,
  spaces: ({ speedLimit1, speedLimit2 }) => {
    const high = [1, 1, 1, 1, speedLimit1, speedLimit2].map(Math.fround)
    return {
      observationSpace: box(
        high.map((value) => -value),
        high,
      ),
      actionSpace: discrete(3),
    }
  },
  render: acrobotScene,
}

/**
 * Swing the tip of two links up by a torque of -1 (0), none (1) or 1 (2) on their joint. Source: Gymnasium 1.4
 * Acrobot-v1.
 */
export const acrobot = specOf(task)
