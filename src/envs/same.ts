import { closeAll } from '../core/disposable.ts'
import type { Environment, EnvironmentSpec } from './contract.ts'
import { creatorOf } from './instances.ts'
import { type Action, haveSameSpaces, sampler } from './spaces.ts'

/** Episodes that are played of each task, and their steps at most. */
const EPISODES = 3
const STEPS = 200

/**
 * Whether two tasks in TypeScript show and pay the same for the same seeds and actions, as far as some episodes tell.
 */
export function actTheSame(a: EnvironmentSpec, b: EnvironmentSpec): boolean {
  if (a.maxEpisodeSteps !== b.maxEpisodeSteps || !haveSameSpaces(a, b)) return false
  if (!a.create || !b.create) return false
  const made: Environment[] = []
  try {
    for (const spec of [a, b]) made.push(creatorOf(spec)())
    const [one, other] = made
    const draw = sampler(a.actionSpace, 0) as () => Action
    for (let seed = 0; seed < EPISODES; seed++)
      if (!playTheSame(one, other, seed, draw, Math.min(a.maxEpisodeSteps, STEPS))) return false
    return true
  } finally {
    closeAll(made)
  }
}

function playTheSame(one: Environment, other: Environment, seed: number, draw: () => Action, steps: number): boolean {
  if (!equal(one.reset({ seed }).obs, other.reset({ seed }).obs)) return false
  for (let k = 0; k < steps; k++) {
    const action = draw()
    const [x, y] = [one.step(action), other.step(action)]
    if (!Object.is(x.reward, y.reward) || x.terminated !== y.terminated || x.truncated !== y.truncated) return false
    if (!equal(x.obs, y.obs)) return false
    if (x.terminated || x.truncated) return true
  }
  return true
}

const equal = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length === b.length && Array.from(a).every((value, k) => Object.is(value, b[k]))
