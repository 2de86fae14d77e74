import { show, UsageError } from '../core/errors.ts'
import { listed, nearest } from '../core/nearest.ts'
import { acrobot } from './acrobot.ts'
import { blackjack } from './blackjack.ts'
import { cartPole } from './cartpole.ts'
import { cartpoleSwingup } from './cartpole-swingup.ts'
import { cliffWalking } from './cliff-walking.ts'
import type { EnvironmentSpec } from './contract.ts'
import { asTask } from './description-problems.ts'
import { doublePendulum } from './double-pendulum.ts'
import { frozenLake } from './frozen-lake.ts'
import { mountainCar } from './mountain-car.ts'
import { mountainCarContinuous } from './mountain-car-continuous.ts'
import { multiGoal } from './multigoal.ts'
import { multiGoalMaxEntropy } from './multigoal-max-entropy.ts'
import { pendulum } from './pendulum.ts'
import { pointMaze } from './point-maze.ts'
import { rllabCartpole } from './rllab-cartpole.ts'
import { taxi } from './taxi.ts'

/** The built-in tasks by id. */
export const environments: Readonly<Record<string, EnvironmentSpec>> = {
  [cartPole.id]: cartPole,
  [mountainCar.id]: mountainCar,
  [mountainCarContinuous.id]: mountainCarContinuous,
  [pendulum.id]: pendulum,
  [acrobot.id]: acrobot,
  [multiGoal.id]: multiGoal,
  [multiGoalMaxEntropy.id]: multiGoalMaxEntropy,
  [pointMaze.id]: pointMaze,
  [rllabCartpole.id]: rllabCartpole,
  [cartpoleSwingup.id]: cartpoleSwingup,
  [doublePendulum.id]: doublePendulum,
  [frozenLake.id]: frozenLake,
  [cliffWalking.id]: cliffWalking,
  [taxi.id]: taxi,
  [blackjack.id]: blackjack,
}

/**
 * The task with this id, or the one given.
 *
 * @param more ids that the caller knows beside
 * @throws UsageError that lists what exists
 */
export function environmentSpec(env: string | EnvironmentSpec, more: readonly string[] = []): EnvironmentSpec {
  if (typeof env !== 'string') return asTask(env)
  if (Object.hasOwn(environments, env)) return environments[env]
  const ids = [...Object.keys(environments), ...more]
  throw new UsageError(`Unknown environment ${show(env)}; there are ${listed(ids, nearest(env, ids))}.`)
}
