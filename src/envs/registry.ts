import { show, UsageError } from '../core/errors.ts'
import { acrobot } from './acrobot.ts'
import { cartPole } from './cartpole.ts'
import { cartpoleSwingup } from './cartpole-swingup.ts'
import type { EnvironmentSpec } from './contract.ts'
import { doublePendulum } from './double-pendulum.ts'
import { mountainCar } from './mountain-car.ts'
import { mountainCarContinuous } from './mountain-car-continuous.ts'
import { multiGoal } from './multigoal.ts'
import { multiGoalMaxEntropy } from './multigoal-max-entropy.ts'
import { pendulum } from './pendulum.ts'
import { pointMaze } from './point-maze.ts'
import { rllabCartpole } from './rllab-cartpole.ts'

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
}

/** The task with this id, or the one given. Throws a UsageError that lists what exists. */
export function environmentSpec(env: string | EnvironmentSpec): EnvironmentSpec {
  if (typeof env !== 'string') return env
  if (Object.hasOwn(environments, env)) return environments[env]
  const ids = Object.keys(environments)
  throw new UsageError(
    `Unknown environment ${show(env)}; there are ${ids.join(', ')}, and the nearest is ${nearest(env, ids)}.`,
  )
}

/** The word that takes the fewest edits. */
export function nearest(word: string, words: readonly string[]): string {
  const edits = words.map((other) => editDistance(word.toLowerCase(), other.toLowerCase()))
  return words[edits.indexOf(Math.min(...edits))]
}

/** Letters to insert, delete or replace to get from a to b (Levenshtein 1966), row by row. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]
}
