import { type BuiltIn, specOf } from './builtin.ts'
import { cartAndPole } from './scenes.ts'
import { box, discrete } from './spaces.ts'

/** In the order in which assembly/envs/cartpole.ts reads them. */
const constants = {
  /** m/s² */
  gravity: 9.8,
  /** kg */
  cartMass: 1.0,
  /** kg */
  poleMass: 0.1,
  /** m, from the pivot to the centre of the pole */
  halfLength: 0.5,
  /** N, to the left or to the right */
  force: 10.0,
  /** s */
  timeStep: 0.02,
  /** m; the episode ends beyond it */
  positionLimit: 2.4,
  /** rad, 12 degrees; the episode ends beyond it */
  angleLimit: (12 * 2 * Math.PI) / 360,
  /** every component of the initial state is uniform within ± this */
  resetRange: 0.05,
  /** explicit Euler, or one whose positions move with the new velocities */
  kinematicsIntegrator: 0,
  /** whether a step pays 0, and the one that ends −1, instead of 1 each */
  suttonBartoReward: 0,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'CartPole-v1',
  kind: 0,
  stateSize: 4,
  constants,
  words: { kinematicsIntegrator: ['euler', 'semi-implicit euler'], suttonBartoReward: [false, true] },
  maxEpisodeSteps: 500,
  rewardThreshold: ({ suttonBartoReward }) => (suttonBartoReward ? 0 : 475),
  spaces: ({ positionLimit, angleLimit }) => ({
    observationSpace: box(
      [-2 * positionLimit, -Infinity, -2 * angleLimit, -Infinity],
      [2 * positionLimit, Infinity, 2 * angleLimit, Infinity],
    ),
    actionSpace: discrete(2),
  }),
  render: ({ 0: x, 2: angle }, { halfLength, positionLimit }) =>
    cartAndPole({
      x,
      angle,
      poleLength: 2 * halfLength,
      poleWidth: 0.1,
      cart: [0.5, 0.3],
      limit: positionLimit,
      swings: false,
    }),
}

/** Balance a pole on a cart by pushing left (0) or right (1). Source: Gymnasium 1.4 CartPole-v1. */
export const cartPole = specOf(task)
