import type { Info } from '../contract.ts'
import type { Simulation } from './simulation.ts'

/** Least and greatest; either may be infinite. */
export type Range = readonly [number, number]

/** Options of every task. */
export interface TaskOptions {
  /** Steps of the physics in one step of the environment. */
  readonly frameSkip: number
}

/** Options of tasks that start around the state at rest. */
export interface NoiseOptions extends TaskOptions {
  /** Scale of the noise around the state at rest in which an episode starts. */
  readonly resetNoiseScale: number
}

/** Options of robots that walk or swim. */
export interface RobotOptions extends NoiseOptions {
  /** Reward for 1 m/s along x. */
  readonly forwardRewardWeight: number
  /** Cost of |action|² = 1. */
  readonly ctrlCostWeight: number
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
export interface Robot<O extends TaskOptions = TaskOptions> {
  readonly id: string
  /** Steps of an episode; default 1000. */
  readonly limit?: number
  /** Mean return at which the task counts as solved. */
  readonly rewardThreshold?: number
  readonly defaults: O
  /** The model, MJCF. */
  readonly xml: string
  /** Distribution of the noise on velocities at the start; on positions it is uniform. */
  readonly velocityNoise: 'uniform' | 'normal'
  /** How many positions at the front of qpos the rules know by name. */
  readonly named: number
  /** From where its picture is taken; default 'side', x and z. */
  readonly seenFrom?: 'side' | 'above'
  /** The name of the body that is to be reached, for the picture. */
  readonly goal?: string
  /** Whether forces of contact are needed after a step. */
  readonly contactForces?: true
  /** What the robot sees. A new array. */
  observe(simulation: Simulation, options: O): Float64Array
  /** Where a robot is that is rewarded for its progress along x: x or (x, y), in m. A new array. */
  position?(simulation: Simulation, options: O): readonly number[]
  /** What a step came to, of tasks with other rewards than progress. */
  outcome?(simulation: Simulation, options: O, action: readonly number[]): Outcome
  /** Where an episode starts, of tasks in which it is not around the state at rest. */
  begin?(simulation: Simulation, draw: Draw): State
  /** Where it is, for the user. */
  info(simulation: Simulation): Info
  health?(simulation: Simulation, options: O): Health
  contactCost?(simulation: Simulation, options: O): number
}

/** What a step came to. */
interface Outcome {
  readonly reward: number
  readonly terminated: boolean
  readonly info: Info
}

/** Positions [nq] and velocities [nv] of all joints. */
interface State {
  readonly qpos: ArrayLike<number>
  readonly qvel: ArrayLike<number>
}

/** Numbers uniform in [−1, 1): draw k of an episode. */
export type Draw = (count: number, k: number) => Float32Array

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

/** All positions and velocities. A new array. */
export const everything = ({ qpos, qvel }: Simulation): Float64Array => Float64Array.of(...qpos, ...qvel)

/** Of a body in space, from a body to another one: a − b [3]. */
export function between({ xpos, bodyNumber }: Simulation, a: string, b: string): readonly number[] {
  const [from, to] = [3 * bodyNumber(b), 3 * bodyNumber(a)]
  return [0, 1, 2].map((k) => xpos[to + k] - xpos[from + k])
}

/** Where a body is [3]. */
export const placeOf = ({ xpos, bodyNumber }: Simulation, name: string): readonly number[] =>
  Array.from(xpos.subarray(3 * bodyNumber(name), 3 * bodyNumber(name) + 3))

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
