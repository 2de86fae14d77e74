import { closeAll } from '../core/disposable.ts'
import type { Environment, EnvironmentSpec, Reset } from './contract.ts'
import { problemOf } from './errors.ts'
import { creatorOf } from './instances.ts'
import { type Action, haveSameSpaces, sampler } from './spaces.ts'

/** Episodes that are played of each task, and their steps at most. */
const EPISODES = 3
const STEPS = 200

/**
 * Whether two tasks in TypeScript show and pay the same for the same seeds and actions, as far as some episodes tell; a
 * reset or a step that fails is the same as one that fails too.
 *
 * @throws RunError where the create of `a` fails
 */
export function actTheSame(a: EnvironmentSpec, b: EnvironmentSpec): boolean {
  if (a.maxEpisodeSteps !== b.maxEpisodeSteps || !haveSameSpaces(a, b)) return false
  if (!a.create || !b.create) return false
  const one = creatorOf(a)()
  let other: Environment | undefined
  try {
    other = resultOf(creatorOf(b))
    if (!other) return false
    const draw = sampler(a.actionSpace, 0) as () => Action
    for (let seed = 0; seed < EPISODES; seed++) if (!playTheSame(a, one, other, seed, draw)) return false
    return true
  } finally {
    closeAll([one, other])
  }
}

function playTheSame(
  { observationSpace, maxEpisodeSteps }: EnvironmentSpec,
  one: Environment,
  other: Environment,
  seed: number,
  draw: () => Action,
): boolean {
  const both = [one, other]
  const right = <R extends Reset>(result: R | undefined, step: number) =>
    problemOf(observationSpace, result as Reset, step) === undefined ? result : undefined
  const [from, to] = both.map((each) =>
    right(
      resultOf(() => each.reset({ seed })),
      0,
    ),
  )
  if (!from || !to) return !from && !to
  if (!equal(from.obs, to.obs)) return false
  for (let k = 1; k <= Math.min(maxEpisodeSteps, STEPS); k++) {
    const action = draw()
    const [x, y] = both.map((each) =>
      right(
        resultOf(() => each.step(action)),
        k,
      ),
    )
    if (!x || !y) return !x && !y
    if (!Object.is(x.reward, y.reward) || x.terminated !== y.terminated || x.truncated !== y.truncated) return false
    if (!equal(x.obs, y.obs)) return false
    if (x.terminated || x.truncated) return true
  }
  return true
}

/** Nothing where it fails: whoever plays on is told why. */
function resultOf<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}

const equal = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length === b.length && Array.from(a).every((value, k) => Object.is(value, b[k]))
