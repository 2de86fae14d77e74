import type { Info } from '../contract.ts'
import type { Simulation } from './simulation.ts'

/** Least and greatest; either may be infinite. */
export type Range = readonly [number, number]

/** Options of every robot. */
export interface RobotOptions {
  /** Steps of the physics in one step of the environment. */
  readonly frameSkip: number
  /** Reward for 1 m/s along x. */
  readonly forwardRewardWeight: number
  /** Cost of |action|² = 1. */
  readonly ctrlCostWeight: number
  /** Scale of the noise around the state at rest in which an episode starts. */
  readonly resetNoiseScale: number
  /** Leaves x, or x and y, out of the observation. */
  readonly excludeCurrentPositionsFromObservation: boolean
}

/** Options of the robots that can fall. */
export interface HealthOptions extends RobotOptions {
  /** Reward of a step that ends healthy. */
  readonly healthyReward: number
  /** Ends the episode when the robot is not healthy. */
  readonly terminateWhenUnhealthy: boolean
  /** Heights of the torso that are healthy, in m. */
  readonly healthyZRange: Range
}

/** A task: a model and Gymnasium's rules of observing, rewarding and ending. */
export interface Robot<O extends RobotOptions = RobotOptions> {
  readonly id: string
  /** Mean return at which the task counts as solved. */
  readonly rewardThreshold?: number
  readonly defaults: O
  /** The model, MJCF. */
  readonly xml: string
  /** Distribution of the noise on velocities at the start; on positions it is uniform. */
  readonly velocityNoise: 'uniform' | 'normal'
  /** How many positions at the front of qpos the rules know by name. */
  readonly named: number
  /** Whether forces of contact are needed after a step. */
  readonly contactForces?: true
  /** What the robot sees. A new array. */
  observe(simulation: Simulation, options: O): Float64Array
  /** Where it is, x or (x, y), in m. A new array. Progress along x is the reward. */
  position(simulation: Simulation, options: O): readonly number[]
  /** Where it is, for the user. */
  info(simulation: Simulation): Info
  health?(simulation: Simulation, options: O): Health
  contactCost?(simulation: Simulation, options: O): number
}

interface Health {
  readonly reward: number
  readonly terminated: boolean
}

export const healthOf = (healthy: boolean, { healthyReward, terminateWhenUnhealthy }: HealthOptions): Health => ({
  reward: healthy ? healthyReward : 0,
  terminated: terminateWhenUnhealthy && !healthy,
})

/**
 * Positions without the first `place` if these are to be left out, velocities clipped to ± `limit`, and what else is
 * seen.
 */
export function observation(
  { qpos, qvel }: Simulation,
  { excludeCurrentPositionsFromObservation }: RobotOptions,
  place: number,
  { limit = Number.POSITIVE_INFINITY, more = [] }: { limit?: number; more?: ArrayLike<number> } = {},
): Float64Array {
  const seen = excludeCurrentPositionsFromObservation ? qpos.subarray(place) : qpos
  const out = new Float64Array(seen.length + qvel.length + more.length)
  out.set(seen)
  for (let i = 0; i < qvel.length; i++) out[seen.length + i] = clip(qvel[i], -limit, limit)
  out.set(more, seen.length + qvel.length)
  return out
}

/** NaN stays NaN. */
export const clip = (x: number, low: number, high: number) => Math.max(low, Math.min(x, high))

/** Strictly inside. */
export const within = (x: number, [low, high]: Range) => low < x && x < high

/** Where a robot that moves in the xy plane is. */
export function planeInfo({ qpos: [x, y] }: Simulation): Info {
  return { xPosition: x, yPosition: y, distanceFromOrigin: Math.sqrt(x * x + y * y) }
}

/** Where a robot that can fall is: z is its height above the state at rest. */
export function heightInfo({ qpos: [x, z], restQpos }: Simulation): Info {
  return { xPosition: x, zDistanceFromOrigin: z - restQpos[1] }
}

export function sumOfSquares(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i]
  return sum
}
