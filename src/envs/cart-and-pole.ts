import { box } from './spaces.ts'

/** What the tasks of rllab have in common. A word's number is its place. */
export const rllabTask = {
  words: { physics: ['box2d', 'exact'] },
  maxEpisodeSteps: 500,
  clipsActions: true,
} as const

/** And its two cart-poles. */
export const cartAndPoleTask = {
  ...rllabTask,
  stateSize: 9,
  spaces: () => ({
    observationSpace: box(Array(4).fill(-Infinity), Array(4).fill(Infinity)),
    actionSpace: box([-1], [1]),
  }),
}

const cartHeight = 3 / Math.sqrt(12)

/**
 * What the constants of both cart-poles of rllab begin with, in the order in which assembly/envs/cart-and-pole.ts reads
 * it.
 */
export const cartAndPole = {
  /** Box2D's solver, which the published returns were reached with, or the exact equations: docs/rllab.md */
  physics: 0,
  /** m/s² */
  gravity: 10,
  /** kg/m², of cart and pole: 1.0 kg and 0.1 kg */
  density: 1,
  /** m */
  cartWidth: 4 / Math.sqrt(12),
  /** m; the pivot is on top, half of it above the centre */
  cartHeight,
  /** m */
  poleWidth: 0.1,
  /** m, from the pivot to the end */
  poleLength: 1,
  /** m; where the rail holds the cart's centre, which starts at half the cart's height; box2d only */
  railHeight: cartHeight / 2,
  /** N at an action of 1 */
  force: 10,
  /** s */
  timeStep: 0.05,
  /** rounds that close the joints again; box2d only */
  positionIterations: 3,
}
