import { type BuiltIn, specOf } from './builtin.ts'
import { multiGoalConstants, multiGoalScene, multiGoalSpaces } from './multigoal.ts'

const constants = {
  ...multiGoalConstants,
  startDeviation: 0.0,
  goalThreshold: 0.5,
  goal0X: 5.0,
  goal0Y: 0.0,
  goal1X: -4.0,
  goal1Y: 3.0,
  goal2X: -4.0,
  goal2Y: -3.0,
}

const task: BuiltIn<keyof typeof constants> = {
  id: 'MultiGoalMaxEntropy-v0',
  kind: 9,
  stateSize: 2,
  constants,
  maxEpisodeSteps: 30,
  clipsActions: true,
  spaces: multiGoalSpaces,
  render: multiGoalScene,
}

/**
 * One goal on the right and two on the left, equally far. At α = 10 the soft optimal policy goes to the pair in 74 % of
 * its arrivals (test/envs/soft-multigoal.test.ts): that it leaves more choice on the way adds less than 1 % to two
 * thirds, that its goals do not lie on an axis, where the square of actions is narrowest, the rest. Source: the
 * environment of the same name of S2AC (Messaoud et al. 2024).
 */
export const multiGoalMaxEntropy = specOf(task)
