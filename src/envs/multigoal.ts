import { areFinite, requireNumbers, requireThat } from '../core/require.ts'
import { type BuiltIn, specOf } from './builtin.ts'
import type { Point, Scene } from './render.ts'
import { goalsScene } from './scenes.ts'
import { box } from './spaces.ts'

/** What the multi-goal tasks share, in the order in which assembly/envs/multigoal.ts reads it; the goals follow. */
export const multiGoalConstants = {
  /** |x|, |y| ≤ this */
  positionLimit: 7.0,
  /** a step; both components of an action are clipped to ± this */
  velocityLimit: 1.0,
  /** mean of the initial position */
  startX: 0.0,
  startY: 0.0,
  /** standard deviation of both components of the initial position */
  startDeviation: 0.1,
  /** times |a|² of the clipped action */
  actionCost: 30.0,
  /** times the squared distance to the nearest goal, after the step */
  distanceCost: 1.0,
  /** nearer than this to a goal, the episode ends */
  goalThreshold: 1.0,
  /** added where it ends */
  goalReward: 10.0,
}

const constants = {
  ...multiGoalConstants,
  goal0X: 5.0,
  goal0Y: 0.0,
  goal1X: -5.0,
  goal1Y: 0.0,
  goal2X: 0.0,
  goal2Y: 5.0,
  goal3X: 0.0,
  goal3Y: -5.0,
}

type Shared = typeof multiGoalConstants

/** The goals, where an episode ends, and the point. */
export function multiGoalScene(state: ArrayLike<number>, constants: Readonly<Record<string, number>>): Scene {
  const { goalThreshold: radius, positionLimit: limit } = constants
  return goalsScene(state, { goals: goalsOf(constants), radius, limit })
}

export const multiGoalSpaces = ({ positionLimit: p, velocityLimit: v }: Readonly<Shared>) => ({
  observationSpace: box([-p, -p], [p, p]),
  actionSpace: box([-v, -v], [v, v]),
})

const task: BuiltIn<keyof typeof constants> = {
  id: 'MultiGoal-v0',
  kind: 8,
  stateSize: 2,
  constants,
  maxEpisodeSteps: 30,
  clipsActions: true,
  spaces: multiGoalSpaces,
  render: multiGoalScene,
}

/**
 * Walk to any of four goals around the start: the soft optimal policy goes to all of them. Source: the multi-goal
 * environment of soft Q-learning (Haarnoja, Tang, Abbeel & Levine 2017), whose code sums these costs.
 */
export const multiGoal = specOf(task)

/**
 * The goals among the constants of a multi-goal task.
 *
 * @throws UsageError for constants without goals
 */
export function goalsOf(constants: Readonly<Record<string, number>>): Point[] {
  const goals: Point[] = []
  requireNumbers('goalsOf', ['goal0X', 'goal0Y'], constants)
  for (let g = 0; Object.hasOwn(constants, `goal${g}X`); g++) {
    requireNumbers('goalsOf', [`goal${g}X`, `goal${g}Y`], constants)
    goals.push([constants[`goal${g}X`], constants[`goal${g}Y`]])
  }
  return goals
}

/**
 * The constants that put the goals of a multi-goal task at these places.
 *
 * @throws UsageError for what is no place
 */
export function goalsAt(...places: readonly (readonly [x: number, y: number])[]): Record<string, number> {
  for (const place of places) {
    requireThat(areFinite(place) && place.length === 2, 'goalsAt', 'places [x, y]', place)
  }
  return Object.fromEntries(places.flatMap(([x, y], g) => Object.entries({ [`goal${g}X`]: x, [`goal${g}Y`]: y })))
}

/**
 * The number of the goal at which a position ends the episode, the nearest one; -1 if it does not.
 *
 * @throws UsageError for constants without goals, and for what is no position
 */
export function goalReached(constants: Readonly<Record<string, number>>, x: number, y: number): number {
  requireNumbers('goalReached', ['goalThreshold'], constants)
  requireNumbers('goalReached', ['x', 'y'], { x, y })
  const distances = goalsOf(constants).map(([goalX, goalY]) =>
    Math.sqrt((x - goalX) * (x - goalX) + (y - goalY) * (y - goalY)),
  )
  const nearest = Math.min(...distances)
  return nearest < constants.goalThreshold ? distances.indexOf(nearest) : -1
}
