import { type BuiltIn, specOf } from './builtin.ts'
import { pendulumScene } from './scenes.ts'
import { box } from './spaces.ts'

/** In the order in which assembly/envs/pendulum.ts reads them. */
const constants = {
  /** m/s² */
  gravity: 10.0,
  /** kg */
  mass: 1.0,
  /** m, of the whole rod */
  length: 1.0,
  /** s */
  timeStep: 0.05,
  /** rad/s; the angular velocity is clipped to ± this */
  speedLimit: 8,
  /** N m; the torque is the action clipped to ± this */
  torqueLimit: 2.0,
  /** reward lost for the square of the angular velocity, s²/rad² */
  speedCost: 0.1,
  /** reward lost for the square of the torque, 1/(N m)² */
  torqueCost: 0.001,
  /** rad; the initial angle is uniform within ± this */
  resetAngle: Math.PI,
  /** rad/s; the initial angular velocity is uniform within ± this */
  resetSpeed: 1,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'Pendulum-v1',
  kind: 3,
  stateSize: 2,
  constants,
  maxEpisodeSteps: 200,
  clipsActions: true,
  spaces: ({ speedLimit, torqueLimit }) => ({
    observationSpace: box([-1, -1, -speedLimit].map(Math.fround), [1, 1, speedLimit].map(Math.fround)),
    actionSpace: box([-torqueLimit], [torqueLimit]),
  }),
  render: pendulumScene,
}

/** Swing a rod up and balance it with a torque. It never terminates. Source: Gymnasium 1.4 Pendulum-v1. */
export const pendulum = specOf(task)
