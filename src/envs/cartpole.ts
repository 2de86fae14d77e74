import type { EnvironmentSpec } from './contract.ts'
import { box, discrete } from './spaces.ts'

/** Constants of CartPole-v1 in the order in which assembly/envs/cartpole.ts reads them. */
export const cartPoleConstants = {
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
}

/** Balance a pole on a cart by pushing left (0) or right (1). Source: Gymnasium 1.4 CartPole-v1. */
export const cartPole: EnvironmentSpec = {
  id: 'CartPole-v1',
  observationSpace: box(
    [-2 * cartPoleConstants.positionLimit, -Infinity, -2 * cartPoleConstants.angleLimit, -Infinity],
    [2 * cartPoleConstants.positionLimit, Infinity, 2 * cartPoleConstants.angleLimit, Infinity],
  ),
  actionSpace: discrete(2),
  maxEpisodeSteps: 500,
  rewardThreshold: 475,
  core: { kind: 0, stateSize: 4, constants: cartPoleConstants },
}
