import { show, UsageError } from '../../core/errors.ts'
import { check, wholeNumber } from '../../core/schemas.ts'
import type { Environment, EnvironmentSpec } from '../contract.ts'
import { type Action, type Box, box } from '../spaces.ts'
import { around, type Wrapper, wrapper } from './wrapper.ts'

/**
 * Frame skip: every action is taken `times` times, or until the episode ends; the rewards are added and the last
 * observation is shown. The limit stays where it was in the task's own steps.
 */
export function repeatAction(times: number): Wrapper {
  check(wholeNumber('times', 1), times)
  const change = ({ maxEpisodeSteps }: EnvironmentSpec) => ({
    spec: { maxEpisodeSteps: Math.ceil(maxEpisodeSteps / times) },
    around: (env: Environment) => repeated(env, times, maxEpisodeSteps),
  })
  return wrapper(`repeatAction(${times})`, change, times, { options: { times } })
}

function repeated(env: Environment, times: number, maxEpisodeSteps: number): Environment {
  const memory = { elapsed: 0 }
  return around(env, {
    memory,
    reset(options) {
      memory.elapsed = 0
      return env.reset(options)
    },
    step(action) {
      let reward = 0
      let taskReward = 0
      for (let k = 1; ; k++) {
        const step = env.step(action)
        reward += step.reward
        taskReward += step.taskReward ?? step.reward
        memory.elapsed++
        const cut = step.truncated || memory.elapsed >= maxEpisodeSteps
        if (k < times && !cut && !step.terminated) continue
        return { ...step, reward, truncated: cut, ...(step.taskReward !== undefined && { taskReward }) }
      }
    },
  })
}

/** Actions beyond the box are moved to its nearest point; the space of the wrapped task has no bounds. */
export function clipAction(): Wrapper {
  const change = (inner: EnvironmentSpec) => {
    const { low, high } = boxOf('clipAction', inner)
    const clip = (value: number, k: number) => Math.min(Math.max(value, low[k]), high[k])
    return {
      spec: withSpace(low.map(() => -Infinity), high.map(() => Infinity)), // biome-ignore format: a pair
      around: (env: Environment) => withAction(env, clip),
    }
  }
  return wrapper('clipAction()', change, 1, { options: {} })
}

/** Actions in [low, high]ᴬ, by default [−1, 1]ᴬ, moved linearly to the task's own box, which must have bounds. */
export function rescaleAction(from = -1, to = 1): Wrapper {
  if (!(Number.isFinite(from) && Number.isFinite(to) && from < to))
    throw new UsageError(`rescaleAction needs two finite numbers in order, got ${show([from, to])}.`)
  const change = (inner: EnvironmentSpec) => {
    const { low, high } = boxOf('rescaleAction', inner)
    if (![...low, ...high].every(Number.isFinite))
      throw new UsageError(`${inner.id} has actions without bounds: rescaleAction cannot scale to them.`)
    // At the ends the sum may round past the bound.
    const rescale = (value: number, k: number) =>
      Math.min(Math.max(low[k] + ((value - from) / (to - from)) * (high[k] - low[k]), low[k]), high[k])
    return {
      spec: withSpace(low.map(() => from), high.map(() => to)), // biome-ignore format: a pair
      around: (env: Environment) => withAction(env, rescale),
    }
  }
  return wrapper(`rescaleAction(${from}, ${to})`, change, 1, { options: { from, to } })
}

const withSpace = (low: number[], high: number[]) => ({ actionSpace: box(low, high), clipsActions: false })

function withAction(env: Environment, change: (value: number, k: number) => number): Environment {
  const given = (action: Action) => numbersOf(action).map(change)
  return around(env, { given, reset: (options) => env.reset(options), step: (action) => env.step(given(action)) })
}

const numbersOf = (action: Action): number[] => (typeof action === 'number' ? [action] : Array.from(action))

function boxOf(name: string, { id, actionSpace }: EnvironmentSpec): Box {
  if (actionSpace.kind === 'box') return actionSpace
  throw new UsageError(`${id} has discrete actions: ${name} needs a box.`)
}
