import { show, UsageError } from '../core/errors.ts'
import { cartPole } from './cartpole.ts'
import type { EnvironmentSpec } from './contract.ts'
import { multiGoal } from './multigoal.ts'
import { multiGoalMaxEntropy } from './multigoal-max-entropy.ts'
import { pointMaze } from './point-maze.ts'

/** The built-in tasks by id. */
export const environments: Readonly<Record<string, EnvironmentSpec>> = {
  [cartPole.id]: cartPole,
  [multiGoal.id]: multiGoal,
  [multiGoalMaxEntropy.id]: multiGoalMaxEntropy,
  [pointMaze.id]: pointMaze,
}

/** The task with this id, or the one given. Throws a UsageError that lists what exists. */
export function environmentSpec(env: string | EnvironmentSpec): EnvironmentSpec {
  if (typeof env !== 'string') return env
  if (Object.hasOwn(environments, env)) return environments[env]
  throw new UsageError(`Unknown environment ${show(env)}; there are ${Object.keys(environments).join(', ')}.`)
}
